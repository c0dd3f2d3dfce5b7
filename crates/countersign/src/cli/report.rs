//! What a command answers: JSON for programs, lines or a table for people.

use domain::UserField;
use engine::webhooks::WebhookError;
use engine::{AppError, ClientError, CreateUserError, Fault, InviteError, TempTokenError, UpdateUserError, UserError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::terminal;

/// The answer to a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) json: Value,
    pub(crate) text: Text,
}

/// The answer for a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Text {
    Lines(Vec<String>),
    /// A header and its rows.
    Table(Vec<String>, Vec<Vec<String>>),
}

impl Report {
    pub(crate) fn lines(json: Value, text: Vec<String>) -> Self {
        Self { json, text: Text::Lines(text) }
    }

    pub(crate) fn line(json: Value, text: impl Into<String>) -> Self {
        Self::lines(json, vec![text.into()])
    }

    pub(crate) fn table<const N: usize>(json: Value, header: [&str; N], rows: Vec<Vec<String>>) -> Self {
        Self { json, text: Text::Table(header.map(str::to_owned).to_vec(), rows) }
    }

    /// Prints the answer. With `full`, ids are not shortened.
    pub(crate) fn print(&self, as_json: bool, full: bool) {
        if as_json {
            return terminal::say(&self.json.to_string());
        }
        match &self.text {
            Text::Lines(lines) => terminal::say(&lines.join("\n")),
            Text::Table(header, rows) => {
                let header: Vec<&str> = header.iter().map(String::as_str).collect();
                terminal::say(&terminal::table(&header, rows, full));
            }
        }
    }
}

/// A cell of a table; a dash if there is nothing.
pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
}

/// An error as a sentence for the person at the command line.
pub(crate) fn sentence(error: impl Sentence) -> String {
    error.sentence()
}

/// An error of a use case that a command may meet. One match each, without a wildcard.
pub(crate) trait Sentence {
    fn sentence(self) -> String;
}

impl Sentence for Fault {
    fn sentence(self) -> String {
        match self {
            Self::Busy => self.to_string(),
            Self::Unavailable(_) => "the database is unavailable (is the disk full?); try again".to_owned(),
            Self::Internal(cause) => {
                tracing::error!(%cause, "a command failed");
                "an internal fault; the log has its cause".to_owned()
            }
        }
    }
}

impl Sentence for InviteError {
    fn sentence(self) -> String {
        match self {
            Self::HasDevice => {
                "this user has an active device: --replace invites all the same, and what is enrolled takes the place of it"
                    .to_owned()
            }
            Self::NoAddress => {
                "public_url is not set, so links have no address: set it in the configuration, and start the server again"
                    .to_owned()
            }
            Self::Undeliverable => {
                "nothing can be sent to this user in this way: the profile has no address or number that may be reached, or no \
                 provider carries it; without --by the link is shown"
                    .to_owned()
            }
            Self::TooMany(_) => "too many messages were sent; try again later, or show the link without --by".to_owned(),
            Self::NoUser | Self::Barred | Self::Life | Self::Unreachable(_) => self.to_string(),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

/// A field of a user that cannot be stored.
impl Sentence for UserField {
    fn sentence(self) -> String {
        match self {
            Self::Email => "this is not an e-mail address; write it as name@example.com".to_owned(),
            Self::Text => {
                "a name or an id in another system is too long or holds characters that cannot be shown".to_owned()
            }
            field => unusable(field.name()),
        }
    }
}

impl Sentence for UserError {
    fn sentence(self) -> String {
        match self {
            Self::NoUser => self.to_string(),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

impl Sentence for CreateUserError {
    fn sentence(self) -> String {
        UpdateUserError::from(self).sentence()
    }
}

impl Sentence for UpdateUserError {
    fn sentence(self) -> String {
        match self {
            Self::NoUser => self.to_string(),
            Self::BadField(field) => field.sentence(),
            Self::Taken(field) => format!("another user has this {}; choose another", field.name()),
            Self::BadPassword(rule) => rule.to_string(),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

impl Sentence for TempTokenError {
    fn sentence(self) -> String {
        match self {
            Self::NoUser | Self::Barred => self.to_string(),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

impl Sentence for ClientError {
    fn sentence(self) -> String {
        match self {
            Self::BadName => unusable("name"),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

impl Sentence for AppError {
    fn sentence(self) -> String {
        match self {
            Self::NameTaken | Self::Field(_) => self.to_string(),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

impl Sentence for WebhookError {
    fn sentence(self) -> String {
        match self {
            Self::Field(_) => self.to_string(),
            Self::Fault(fault) => fault.sentence(),
        }
    }
}

fn unusable(field: &str) -> String {
    format!("{field} is empty, too long (128 characters are the most), or holds characters that cannot be shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_words() {
        let said = |field| sentence(CreateUserError::BadField(field));
        let email = said(UserField::Email);
        assert!(email.contains("not an e-mail address") && email.contains("name@example.com"), "{email}");
        assert!(said(UserField::Username).starts_with("username is empty, too long"));
        assert!(!said(UserField::Text).starts_with("text "), "no name of the code: {}", said(UserField::Text));
        let causes = [
            said(UserField::Email),
            said(UserField::Username),
            said(UserField::Text),
            sentence(CreateUserError::Taken(UserField::Email)),
        ];
        for (place, cause) in causes.iter().enumerate() {
            assert!(causes.iter().skip(place + 1).all(|other| other != cause), "{cause}");
        }
    }
}
