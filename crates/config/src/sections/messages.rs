//! `[messages]`: where messages may go.

use std::path::PathBuf;

use domain::Countries;
use words::Words;

use crate::row::{Kind, ROW, Row, Value, empty};
use crate::section::Section;
use crate::values::Values;

/// The configured recipients of messages.
#[derive(Debug, Clone)]
pub struct MessagesConfig {
    /// Where text messages and calls may go. None listed: nowhere, and everywhere in a dev world.
    pub countries: Countries,
    /// The operator's own texts.
    pub templates: Option<PathBuf>,
    /// The language of messages where a person has none that is translated.
    pub language: String,
}

impl Section for MessagesConfig {
    const HEADING: Option<&'static str> = Some("Messages");

    const ROWS: &'static [Row] = &[
        Row {
            key: "messages.countries",
            kind: Kind::Texts(country),
            about: "Countries that text messages and calls may go to, by ISO 3166 code or by prefix; none sends neither",
            default: Some(empty),
            example: "[\"DE\", \"+44\"]",
            ..ROW
        },
        Row {
            key: "messages.templates",
            about: "Folder with texts of your own for messages; `countersign template preview` shows what people get",
            example: "\"/etc/countersign/templates\"",
            ..ROW
        },
        Row {
            key: "messages.language",
            kind: Kind::Word(&Words::LANGUAGES),
            about: "Language of messages where a person has none that is translated",
            default: Some(|| Value::from("en")),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            countries: Countries::of(values.texts("messages.countries").iter().map(String::as_str))?,
            templates: values.path("messages.templates"),
            language: values.text("messages.language").unwrap_or_default(),
        })
    }
}

/// A country, or a prefix of numbers.
fn country(text: &str) -> Result<(), String> {
    Countries::of([text]).map(drop).map_err(|error| error.to_string())
}
