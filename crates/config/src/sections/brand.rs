//! `[brand]`: how the sender of messages presents itself.

use std::path::PathBuf;

use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::Values;

/// How the sender presents itself.
#[derive(Debug, Clone)]
pub struct BrandConfig {
    /// The name in messages, if it is not the issuer.
    pub name: Option<String>,
    /// The colour of mail and pages, as `#rrggbb`.
    pub color: String,
    /// The file of the logo.
    pub logo: Option<PathBuf>,
}

impl Section for BrandConfig {
    const HEADING: Option<&'static str> = Some("Brand");

    const ROWS: &'static [Row] = &[
        Row {
            key: "brand.name",
            kind: Kind::Label,
            about: "The name in messages to people and on pages. [default: the issuer]",
            example: "\"Example Inc\"",
            ..ROW
        },
        Row {
            key: "brand.color",
            kind: Kind::Text(color),
            about: "The colour of mail and pages, as #rrggbb",
            default: Some(|| Value::from("#1a56db")),
            ..ROW
        },
        Row {
            key: "brand.logo",
            about: "Picture at the head of mail and pages: a file with a PNG of at most 64 KiB, shown 32 pixels high",
            example: "\"/etc/countersign/logo.png\"",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            name: values.text("brand.name"),
            color: values.text("brand.color").unwrap_or_default(),
            logo: values.path("brand.logo"),
        })
    }
}

/// A colour: nothing else may get into a style.
fn color(text: &str) -> Result<(), String> {
    let is_color = text
        .strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if is_color { Ok(()) } else { Err("write it as # and six hexadecimal digits, as #1a56db".to_owned()) }
}
