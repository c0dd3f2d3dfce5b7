//! `[brand]`: how the sender of messages presents itself.

use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::Values;

/// How the sender presents itself.
#[derive(Debug, Clone)]
pub struct BrandConfig {
    /// The name in messages, if it is not the issuer.
    pub name: Option<String>,
    /// The colour of mail, as `#rrggbb`.
    pub color: String,
}

impl Section for BrandConfig {
    const HEADING: Option<&'static str> = Some("Brand");

    const ROWS: &'static [Row] = &[
        Row {
            key: "brand.name",
            kind: Kind::Label,
            about: "The name in messages to people. [default: the issuer]",
            example: "\"Example Inc\"",
            ..ROW
        },
        Row {
            key: "brand.color",
            kind: Kind::Text(color),
            about: "The colour of mail, as #rrggbb",
            default: Some(|| Value::from("#1a56db")),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { name: values.text("brand.name"), color: values.text("brand.color").unwrap_or_default() })
    }
}

/// A colour: nothing else may get into a style.
fn color(text: &str) -> Result<(), String> {
    let is_color = text
        .strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if is_color { Ok(()) } else { Err("write it as # and six hexadecimal digits, as #1a56db".to_owned()) }
}
