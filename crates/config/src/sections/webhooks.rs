//! `[webhooks]`: what webhooks may reach.

use std::path::PathBuf;

use crate::row::{Kind, ROW, Row, off};
use crate::section::Section;
use crate::values::Values;

/// The configured reach of webhooks.
#[derive(Debug, Clone)]
pub struct WebhooksConfig {
    /// Whether webhooks that ask for it may be in the installation's own network, and on loopback without TLS (SEC 69).
    pub allow_private: bool,
    /// The only authorities trusted to vouch for receivers, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl Section for WebhooksConfig {
    const HEADING: Option<&'static str> = Some("Webhooks");

    const ROWS: &'static [Row] = &[
        Row {
            key: "webhooks.allow_private",
            kind: Kind::YesNo,
            about: "Whether webhooks that ask for it may be in the installation's own network, and on loopback without TLS",
            default: Some(off),
            ..ROW
        },
        Row {
            key: "webhooks.ca_file",
            about: "The only authorities (PEM) trusted to vouch for receivers",
            example: "\"/etc/ssl/hooks-ca.pem\"",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { allow_private: values.yes("webhooks.allow_private"), ca_file: values.path("webhooks.ca_file") })
    }
}
