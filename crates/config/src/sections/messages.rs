//! `[messages]`: where messages may go, what they say, and what they may cost.

use std::path::PathBuf;

use domain::model::price::UNIT;
use domain::{BreakerLimits, Countries, SpendCaps};
use words::Words;

use crate::row::{Kind, MOST, ROW, Row, Value, empty};
use crate::section::Section;
use crate::values::Values;

/// The configured recipients, texts and caps of messages.
#[derive(Debug, Clone)]
pub struct MessagesConfig {
    /// Where text messages and calls may go. None listed: nowhere, and everywhere in a dev world.
    pub countries: Countries,
    /// The operator's own texts.
    pub templates: Option<PathBuf>,
    /// The language of messages where a person has none that is translated.
    pub language: String,
    /// What text messages and calls may cost in a day.
    pub caps: SpendCaps,
    /// When a prefix of numbers is closed because its messages are rarely answered.
    pub breaker: BreakerLimits,
}

/// The highest cap, in units of the currency.
const MOST_SPEND: i64 = 1_000_000_000;

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
        Row {
            key: "messages.spend_per_server",
            kind: Kind::Number(0, MOST_SPEND),
            about: "What text messages and calls may cost in a day (UTC), in units of the currency of delivery.prices_file; \
                    0 for no cap",
            default: Some(|| Value::from(0)),
            ..ROW
        },
        Row {
            key: "messages.spend_per_client",
            kind: Kind::Number(0, MOST_SPEND),
            about: "What those may cost in a day (UTC) that one client has sent; 0 for no cap",
            default: Some(|| Value::from(0)),
            ..ROW
        },
        Row {
            key: "messages.spend_per_country",
            kind: Kind::Number(0, MOST_SPEND),
            about: "What those to the numbers of one country may cost in a day (UTC); 0 for no cap",
            default: Some(|| Value::from(0)),
            ..ROW
        },
        Row {
            key: "messages.breaker_percent",
            kind: Kind::Number(0, 100),
            about: "Percent of the messages to a country, or to a thousand adjacent numbers, that must be answered: below, none is \
                    sent there for 15 minutes; 0 for no limit",
            default: Some(|| Value::from(i64::from(BreakerLimits::default().percent))),
            ..ROW
        },
        Row {
            key: "messages.breaker_min",
            kind: Kind::Number(1, MOST),
            about: "Messages older than a minute that must be known before that is judged",
            default: Some(|| Value::from(i64::from(BreakerLimits::default().least))),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let units = |key| values.number::<i64>(key) * UNIT;
        Ok(Self {
            countries: Countries::of(values.texts("messages.countries").iter().map(String::as_str))?,
            templates: values.path("messages.templates"),
            language: values.text("messages.language").unwrap_or_default(),
            caps: SpendCaps {
                server: units("messages.spend_per_server"),
                client: units("messages.spend_per_client"),
                country: units("messages.spend_per_country"),
            },
            breaker: BreakerLimits {
                percent: values.number("messages.breaker_percent"),
                least: values.number("messages.breaker_min"),
            },
        })
    }
}

/// A country, or a prefix of numbers.
fn country(text: &str) -> Result<(), String> {
    Countries::of([text]).map(drop).map_err(|error| error.to_string())
}
