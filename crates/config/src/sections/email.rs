//! `[email]`: what a mail to a device carries.

use engine::EmailMode;

use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::Values;

/// The words of `email.mode`.
const MODES: [&str; 3] = [EmailMode::Code.name(), EmailMode::Link.name(), EmailMode::Both.name()];

/// What a mail to a device carries.
#[derive(Debug, Clone, Copy)]
pub struct EmailConfig {
    pub mode: EmailMode,
}

impl Section for EmailConfig {
    const HEADING: Option<&'static str> = Some("E-mail");

    const ROWS: &'static [Row] = &[Row {
        key: "email.mode",
        kind: Kind::Word(&MODES),
        about: "What a mail to a device carries: a code, a link, or both, of which either answers once. Links need \
                public_url. A call with redirect_to asks for a link in any case",
        default: Some(|| Value::from(EmailMode::default().name())),
        ..ROW
    }];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { mode: values.text("email.mode").and_then(|word| EmailMode::from_name(&word)).unwrap_or_default() })
    }
}
