//! `[bootstrap]`: the first client, made at a start without a person at the command line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use domain::Scope;
use onelogin::ScopeName as _;

use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::Values;

fn scope(name: &str) -> Result<(), String> {
    Scope::parse(name).map(drop)
}

/// The client that a start makes if there is none of its name. Its secret is drawn, never given (SEC 41).
#[derive(Debug, Clone)]
pub struct BootstrapConfig {
    pub client: Option<BootstrapClient>,
}

/// What the client is to be, and where its id and secret are written.
#[derive(Debug, Clone)]
pub struct BootstrapClient {
    pub name: String,
    pub scope: Scope,
    pub file: PathBuf,
}

impl Section for BootstrapConfig {
    const HEADING: Option<&'static str> = Some("First client");

    const ROWS: &'static [Row] = &[
        Row {
            key: "bootstrap.client",
            kind: Kind::Label,
            about: "Name of an API client that a start makes, unless there is or was one of this name",
            example: "\"application\"",
            ..ROW
        },
        Row {
            key: "bootstrap.scope",
            kind: Kind::Text(scope),
            about: "Scope of this client",
            default: Some(|| Value::from("Manage All")),
            ..ROW
        },
        Row {
            key: "bootstrap.client_file",
            kind: Kind::Path,
            about: "File to write its id and secret to, once, for its owner alone (JSON)",
            example: "\"/run/countersign/client.json\"",
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let file = values.path("bootstrap.client_file");
        let client = match (values.text("bootstrap.client"), file) {
            (None, None) => None,
            (Some(name), Some(file)) => {
                let scope = values.text("bootstrap.scope").context("bootstrap.scope has a default")?;
                Some(BootstrapClient { name, scope: Scope::parse(&scope).map_err(anyhow::Error::msg)?, file })
            }
            (Some(_), None) => bail!(
                "bootstrap.client needs bootstrap.client_file: without it, the secret of the client would be lost"
            ),
            (None, Some(_)) => bail!("bootstrap.client_file needs bootstrap.client, the name of the client"),
        };
        Ok(Self { client })
    }
}
