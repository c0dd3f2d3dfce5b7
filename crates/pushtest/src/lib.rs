//! A push service for tests, over real sockets: as strict as those of browsers, and it opens what it is sent with the keys of
//! its subscriptions, as a browser does. For tests only.

#![expect(clippy::missing_panics_doc, reason = "a helper of tests panics where a test should fail")]

mod open;
mod service;
mod token;

pub use open::Subscriber;
pub use service::{Arrived, PushReply, PushService, UnixSeconds};
