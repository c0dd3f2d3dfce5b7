//! What a command answers: JSON for programs, lines or a table for people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::terminal;

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    /// For `--json`.
    pub(crate) json: Value,
    /// For a terminal.
    pub(crate) text: Text,
}

/// What a person reads.
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

/// What an error means to the person at the command line.
pub(crate) fn sentence(error: engine::Error) -> String {
    match error {
        engine::Error::Taken(field) => format!("another user has this {field}; choose another"),
        engine::Error::BadText("email") => "that is no e-mail address; write it as name@example.com".to_owned(),
        engine::Error::BadText("text") => {
            "a name or an id in another system is too long or holds characters that cannot be shown".to_owned()
        }
        engine::Error::BadText(field) => {
            format!(
                "{field} is empty, too long (128 characters are the most), or holds characters that cannot be shown"
            )
        }
        engine::Error::BadPassword(rule) => rule.to_owned(),
        engine::Error::Unavailable(_) => "the database is unavailable (is the disk full?); try again".to_owned(),
        engine::Error::Internal(cause) => {
            tracing::error!(%cause, "a command failed");
            "an internal fault; the log has its cause".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_words() {
        let said = |field| sentence(engine::Error::BadText(field));
        assert!(said("email").contains("no e-mail address") && said("email").contains("name@example.com"));
        assert!(said("username").starts_with("username is empty, too long"));
        assert!(!said("text").starts_with("text "), "no name of the code: {}", said("text"));
        let causes = [said("email"), said("username"), said("text"), sentence(engine::Error::Taken("email"))];
        for (place, cause) in causes.iter().enumerate() {
            assert!(causes.iter().skip(place + 1).all(|other| other != cause), "{cause}");
        }
    }
}
