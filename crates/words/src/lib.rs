//! What messages to people say, in which language.
//!
//! Our own words are Fluent files in `locales/`, one per language; the layout of mail is `templates/mail.html`. An operator
//! may replace them with others ([`Words::with_templates`]): `MiniJinja` templates that know a few names and
//! nothing else (SEC 67). Both are filled once when they are read, so a text that cannot be filled is found at the start.
//!
//! Texts that callers send with a request are not templates: `engine` replaces the code in them and nothing else.

mod fluent;
mod message;
mod phrase;
mod sms;
mod templates;
mod words;

pub use crate::message::{Brand, Filling, MessageKind, Part, SMS_MAX, Worded};
pub use crate::phrase::{PhraseValue, Piece};
pub use crate::sms::{Segments, SmsAlphabet, segments};
pub use crate::templates::TemplateError;
pub use crate::words::Words;
