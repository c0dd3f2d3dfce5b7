//! Where callers reach the server, and what it shows there.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::row::{Kind, ROW, Row, Value, off, on};
use crate::section::Section;
use crate::values::Values;

/// Where callers reach the server.
#[derive(Debug, Clone)]
pub struct ListenConfig {
    pub address: SocketAddr,
    /// Plain HTTP on an address that other machines reach was asked for.
    pub insecure_http: bool,
    /// Where to write how to reach the server.
    pub ready_file: Option<PathBuf>,
    /// Whether a browser finds a line of text at `/`.
    pub root_page: bool,
}

impl Section for ListenConfig {
    const ROWS: &'static [Row] = &[
        Row {
            key: "listen",
            kind: Kind::Address(Some(8080)),
            about: "Address and port; a port alone is on loopback, :PORT on every address, port 0 a free one",
            default: Some(|| Value::from("127.0.0.1:8080")),
            ..ROW
        },
        Row {
            key: "insecure_http",
            kind: Kind::YesNo,
            about: "Allow plain HTTP on an address that other machines can reach",
            default: Some(off),
            ..ROW
        },
        Row {
            key: "ready_file",
            about: "File to write, once requests are answered, with how to reach the server (JSON)",
            example: "\"/run/countersign/ready.json\"",
            ..ROW
        },
        Row {
            key: "root_page",
            kind: Kind::YesNo,
            about: "Whether a browser that opens the server's address finds a line that says what it is",
            default: Some(on),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            address: values.address("listen").context("listen has a default")?,
            insecure_http: values.yes("insecure_http"),
            ready_file: values.path("ready_file"),
            root_page: values.yes("root_page"),
        })
    }
}
