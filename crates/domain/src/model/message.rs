//! A message to a person: written in the deciding transaction, sent after it.

use serde::{Deserialize, Serialize};

use crate::model::budget::Budget;
use crate::model::digest::{Digest, KeyedHash};
use crate::model::id::{ClientId, DeviceId, MessageId, UserId, VerificationId};
use crate::model::seal::{Place, Sealed};
use crate::model::subscription::PushSubscription;
use crate::model::time::Timestamp;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Sms,
    Voice,
    Email,
    /// Notification to a paired phone.
    Push,
}

impl Channel {
    /// Every channel there is.
    pub const ALL: [Self; 4] = [Self::Sms, Self::Voice, Self::Email, Self::Push];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Email => "email",
            Self::Push => "push",
        }
    }

    /// The channel with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// A queued message. What it says and to whom is sealed until it is sent, and wiped then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, drawn before the decision.
    pub id: MessageId,
    /// Whom it concerns.
    pub user_id: UserId,
    /// Which of the user's devices it concerns, if it is one.
    pub device_id: Option<DeviceId>,
    /// Which verification it asks to answer.
    pub verification_id: VerificationId,
    /// How it travels.
    pub channel: Channel,
    /// The sealed [`Content`].
    pub content: Sealed,
    /// When it was queued.
    pub created_at: Timestamp,
    /// A message past this moment is dropped: its code no longer works (SEC 72).
    pub not_after: Timestamp,
    /// What it is counted for, if it goes to a telephone and limits are on.
    pub charge: Option<Charge>,
}

/// What a text message or a call costs, and what it counts for (SEC 101, SEC 102). It names no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The client that had it sent.
    pub client: Option<ClientId>,
    /// The country of its number ([`crate::model::country::counted`]).
    pub country: &'static str,
    /// The thousand numbers that its number is one of, recognisable only by us; none if nothing can be answered to it.
    pub block: Option<KeyedHash>,
    /// What is set aside for it: the highest price of the routes that may carry it, in micro-units.
    pub micros: i64,
}

impl Charge {
    /// The budgets that pay for it, the narrowest first.
    pub fn budgets(&self) -> impl Iterator<Item = Budget> + use<> {
        let client = self.client.map(Budget::SpendOfClient);
        client.into_iter().chain([Budget::SpendOfCountry(self.country), Budget::SpendOfServer])
    }
}

impl Message {
    /// Where the content is sealed.
    pub fn place(id: MessageId, user: UserId) -> Place<'static> {
        Place { table: "outbox", column: "content", row: id.0, owner: user.0 }
    }
}

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Its code had expired before it was sent.
    Expired,
    /// Its channel has no route.
    NoRoute,
    /// The master keys do not open its content.
    Unreadable,
    /// The providers refused it, or failed too often.
    Undeliverable,
    /// The push service no longer knows the phone's subscription.
    Unsubscribed {
        /// By which the subscription is recognised.
        mark: Digest,
    },
    /// It may have been sent, and nothing is left of the day's caps to pay for another try (SEC 101).
    SpendCap,
}

impl DropReason {
    /// The word that is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NoRoute => "no_route",
            Self::Unreadable => "unreadable",
            Self::Undeliverable => "undeliverable",
            Self::Unsubscribed { .. } => "unsubscribed",
            Self::SpendCap => "spend_cap",
        }
    }
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// A number, an address, or for a push the device's name.
    pub to: String,
    pub body: String,
    /// The subject line, for mail.
    pub subject: Option<String>,
    /// The same words in HTML, for mail.
    #[serde(default)]
    pub html: Option<String>,
    /// The code inside the words, if there is one.
    pub code: Option<String>,
    /// The link inside the words, if there is one.
    pub link: Option<String>,
    /// The language of the words, as the first part of its code, where we know it.
    #[serde(default)]
    pub language: Option<String>,
    /// For a push: the nonce a phone must sign, base64url.
    pub nonce: Option<String>,
    /// For a text message with a code that may be called instead (contract 18.10): what the call says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<SpokenWords>,
    /// For a push: where the phone's push service takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<PushSubscription>,
    /// For a push: when the prompt ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

/// What a call says in place of a text message, with the same code in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenWords {
    pub body: String,
    /// The language of the words, as the first part of its code.
    pub language: String,
}

impl Content {
    /// Words for somebody, and nothing else.
    pub fn of(to: String, body: String) -> Self {
        Self {
            to,
            body,
            subject: None,
            html: None,
            code: None,
            link: None,
            language: None,
            nonce: None,
            call: None,
            subscription: None,
            ends_at: None,
        }
    }

    /// The same code for the same number, as a call. `None` if this must not be called: it has no code, or was written
    /// without words for a call.
    #[must_use]
    pub fn as_call(self) -> Option<Self> {
        let (SpokenWords { body, language }, code) = self.call.zip(self.code)?;
        Some(Self { code: Some(code), language: Some(language), ..Self::of(self.to, body) })
    }

    /// The same with a subject line and in HTML, for mail.
    #[must_use]
    pub fn as_mail(self, subject: Option<String>, html: Option<String>) -> Self {
        Self { subject, html, ..self }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(…)")
    }
}

impl std::fmt::Debug for SpokenWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpokenWords(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Content {
        let call = SpokenWords { body: "Your code is 0042".to_owned(), language: "de".to_owned() };
        let content = Content::of("+491701234567".to_owned(), "Own words 0042\n\n@example.com #0042".to_owned());
        Content { code: Some("0042".to_owned()), language: Some("fr".to_owned()), call: Some(call), ..content }
    }

    #[test]
    fn a_text_message_is_called_at_its_number_with_its_code_in_the_words_of_the_call() {
        let called = text().as_call().unwrap();
        let words = Content::of("+491701234567".to_owned(), "Your code is 0042".to_owned());
        assert!(called == Content { code: Some("0042".to_owned()), language: Some("de".to_owned()), ..words });
    }

    #[test]
    fn what_has_no_code_or_no_words_for_a_call_is_not_called() {
        assert!(Content { code: None, ..text() }.as_call().is_none());
        assert!(Content { call: None, ..text() }.as_call().is_none());
    }

    /// Rows that an earlier or a later build has written.
    #[test]
    fn a_row_without_words_for_a_call_is_read_and_one_without_them_is_written_as_before() {
        let before =
            r#"{"to":"+49","body":"x","subject":null,"html":null,"code":"1","link":null,"language":null,"nonce":null}"#;
        let read: Content = serde_json::from_str(before).unwrap();
        assert!(read.call.is_none());
        assert_eq!(serde_json::to_string(&read).unwrap(), before);
    }
}
