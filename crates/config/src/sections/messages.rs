//! `[messages]`: where messages may go.

use domain::Countries;

use crate::row::{Kind, ROW, Row, empty};
use crate::section::Section;
use crate::values::Values;

/// The configured recipients of messages.
#[derive(Debug, Clone)]
pub struct MessagesConfig {
    /// Where text messages and calls may go. None listed: nowhere, and everywhere in a dev world.
    pub countries: Countries,
}

impl Section for MessagesConfig {
    const HEADING: Option<&'static str> = Some("Messages");

    const ROWS: &'static [Row] = &[Row {
        key: "messages.countries",
        kind: Kind::Texts(country),
        about: "Countries that text messages and calls may go to, by ISO 3166 code or by prefix; none sends neither",
        default: Some(empty),
        example: "[\"DE\", \"+44\"]",
        ..ROW
    }];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { countries: Countries::of(values.texts("messages.countries").iter().map(String::as_str))? })
    }
}

/// A country, or a prefix of numbers.
fn country(text: &str) -> Result<(), String> {
    Countries::of([text]).map(drop).map_err(|error| error.to_string())
}
