//! The admin listener: metrics and health.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::row::{Kind, ROW, Row};
use crate::section::Section;
use crate::values::Values;

/// The admin listener.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// Address and port, if there is an admin listener.
    pub listen: Option<SocketAddr>,
    /// File with the token that metrics ask for.
    pub token_file: Option<PathBuf>,
}

impl Section for AdminConfig {
    const ROWS: &'static [Row] = &[
        Row {
            key: "admin_listen",
            kind: Kind::Address(None),
            about: "Address and port of metrics and health, apart from what callers reach; in `dev` a free port",
            example: "\"127.0.0.1:9464\"",
            ..ROW
        },
        Row {
            key: "admin_token_file",
            about: "File with a token of 16 characters or more, which metrics then ask for as `Authorization: Bearer`",
            example: "\"/run/secrets/countersign-admin-token\"",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { listen: values.address("admin_listen"), token_file: values.path("admin_token_file") })
    }
}
