//! `[delivery]`: what carries messages to people.

use std::path::PathBuf;

use anyhow::bail;

use crate::row::{Kind, ROW, Row, off};
use crate::section::Section;
use crate::values::Values;

/// The configured providers.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// File to which every message is appended, code included.
    pub file: Option<PathBuf>,
    codes_are_readable: bool,
}

impl DeliveryConfig {
    /// Refuses a file of messages unless the operator has acknowledged that its readers see every code (SEC 38).
    pub fn check(&self) -> anyhow::Result<()> {
        match &self.file {
            Some(file) if !self.codes_are_readable => bail!(
                "delivery.file.path names {}: anyone who can read this file sees every code, which is for staging systems \
                 only. If this is one, set delivery.file.i_know_that_codes_are_readable = true; if not, remove \
                 delivery.file.path",
                file.display()
            ),
            _ => Ok(()),
        }
    }
}

impl Section for DeliveryConfig {
    const HEADING: Option<&'static str> = Some("Delivery");

    const ROWS: &'static [Row] = &[
        Row {
            key: "delivery.file.path",
            about: "For staging systems: file to append every text message, call and mail to, with its code, as a line of JSON; \
                    it must have mode 0600 and is created if missing",
            example: "\"/var/lib/countersign-staging/messages.jsonl\"",
            ..ROW
        },
        Row {
            key: "delivery.file.i_know_that_codes_are_readable",
            kind: Kind::YesNo,
            about: "Acknowledge that readers of delivery.file.path see every code; a server with that path starts only with true",
            default: Some(off),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            file: values.path("delivery.file.path"),
            codes_are_readable: values.yes("delivery.file.i_know_that_codes_are_readable"),
        })
    }
}
