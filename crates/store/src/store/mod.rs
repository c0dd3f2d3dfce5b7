//! [`Store`]: what callers call, by subject.

mod begun;
mod bulk;
mod calls;
mod decide;
mod dev;
mod events;
mod expiry;
mod follow;
mod handle;
mod housekeeping;
mod lookups;
mod meta;
mod names;
mod outbox;
mod secrets;
mod sign_in;
mod webhooks;
mod world;

#[cfg(test)]
pub(crate) use begun::PIECE;
pub use expiry::UserRead;
pub use follow::{Cursor, Followed};
pub use handle::Store;
pub use names::Collision;
pub use webhooks::{DeliveryStatus, HeldWebhook, Tried, WebhookDelivery, WebhookLease};
