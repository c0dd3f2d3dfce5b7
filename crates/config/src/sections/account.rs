//! Who this installation is to its callers and to people.

use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::value::{web_address, word};
use crate::values::Values;

/// Who this installation is.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// What links and callbacks begin with.
    pub public_url: Option<String>,
    /// The name in authenticator apps, if it is not the subdomain.
    issuer: Option<String>,
    pub subdomain: String,
    pub account_id: i64,
}

impl AccountConfig {
    /// The name that people see in their authenticator app.
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or(&self.subdomain)
    }
}

impl Section for AccountConfig {
    const ROWS: &'static [Row] = &[
        Row {
            key: "public_url",
            kind: Kind::Text(public_url),
            about: "What links in answers begin with, as https://mfa.example.com",
            example: "\"https://mfa.example.com\"",
            ..ROW
        },
        Row {
            key: "issuer",
            kind: Kind::Text(issuer),
            about: "The name people see in their authenticator app. An app keeps the name it was enrolled with: choose it \
                    before the first person enrols. [default: the subdomain]",
            example: "\"Example Inc\"",
            ..ROW
        },
        Row {
            key: "subdomain",
            kind: Kind::Text(word),
            about: "The account's name, which callers send as `subdomain`",
            default: Some(|| Value::from("countersign")),
            ..ROW
        },
        Row {
            key: "account_id",
            kind: Kind::Number(0, i32::MAX as i64),
            about: "The account's number in token answers",
            default: Some(|| Value::from(1)),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self {
            public_url: values.text("public_url"),
            issuer: values.text("issuer"),
            subdomain: values.text("subdomain").unwrap_or_default(),
            account_id: values.number("account_id"),
        })
    }

    fn shown(&self, key: &str) -> Option<Value> {
        (key == "issuer").then(|| Value::from(self.issuer()))
    }
}

/// An origin, with or without a path.
fn public_url(text: &str) -> Result<(), String> {
    let fits =
        web_address(text).is_some_and(|url| url.query().is_none() && url.fragment().is_none() && !text.ends_with('/'));
    if fits { Ok(()) } else { Err("write it as https://mfa.example.com, without a slash at the end".to_owned()) }
}

fn issuer(text: &str) -> Result<(), String> {
    word(text)?;
    // An app takes the text before a colon as the issuer.
    if text.contains(':') { Err("it holds no colon".to_owned()) } else { Ok(()) }
}
