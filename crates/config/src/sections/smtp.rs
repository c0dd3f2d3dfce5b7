//! `[delivery.smtp]`: mail servers that take our mail (contract 18.4).

use std::path::Path;
use std::time::Duration;

use delivery::{DkimSettings, Mailbox, SmtpLogin, SmtpServer, SmtpSettings};
use domain::Secret;

use crate::environment::warn_if_exposed;
use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::Values;

/// The configured mail servers.
#[derive(Debug, Clone)]
pub struct SmtpConfig(pub Option<SmtpSettings>);

impl Section for SmtpConfig {
    const HEADING: Option<&'static str> = Some("Mail");

    const ROWS: &'static [Row] = &[
        Row {
            key: "delivery.smtp.servers",
            kind: Kind::Texts(|text| SmtpServer::parse(text).map(drop)),
            about: "Mail servers, in the order of trying: smtps://HOST (TLS), smtp://HOST (STARTTLS), or smtp+plain://HOST (no \
                    TLS, for a server on this machine), each with :PORT if it is not the usual one",
            example: "[\"smtp://mail.example.com\"]",
            ..ROW
        },
        Row {
            key: "delivery.smtp.from",
            kind: Kind::Text(|text| Mailbox::parse(text).map(drop)),
            about: "Who mail comes from: an address, or NAME <ADDRESS>",
            example: "\"Example <mfa@example.com>\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.reply_to",
            kind: Kind::Text(|text| Mailbox::parse(text).map(drop)),
            about: "Where answers to mail go, if not to the sender",
            example: "\"help@example.com\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.username",
            kind: Kind::Text(crate::value::line),
            about: "Name to log in with at the mail servers",
            example: "\"mfa\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.password",
            kind: Kind::Secret,
            about: "Password to log in with at the mail servers; `password_file` names a file with it",
            example: "\"secret\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.ca_file",
            about: "File of certificates (PEM) to trust besides the public ones",
            example: "\"/etc/countersign/ca.pem\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.dkim_domain",
            kind: Kind::Text(crate::value::line),
            about: "Domain that signs mail (DKIM): the one of `from`, or a parent of it",
            example: "\"example.com\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.dkim_selector",
            kind: Kind::Text(crate::value::line),
            about: "Selector under which the key is published in DNS",
            example: "\"mfa2026\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.dkim_key_file",
            about: "File of the private key (PEM): RSA of 2,048 bits or more, or Ed25519",
            example: "\"/etc/countersign/dkim.pem\"",
            ..ROW
        },
        Row {
            key: "delivery.smtp.at_once",
            kind: Kind::Number(1, 64),
            about: "Mails that a node hands over side by side",
            default: Some(|| Value::from(8)),
            ..ROW
        },
        Row {
            key: "delivery.smtp.timeout_seconds",
            kind: Kind::Number(2, 30),
            about: "Seconds that handing over one mail may take, over all servers",
            default: Some(|| Value::from(10)),
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let servers: Vec<SmtpServer> =
            values.texts(SERVERS).iter().filter_map(|text| SmtpServer::parse(text).ok()).collect();
        if servers.is_empty() {
            return match Self::ROWS.iter().find(|row| row.default.is_none() && values.of(row.key).0.is_some()) {
                Some(row) => Err(values.wrong(row.key, format_args!("it needs {SERVERS}"))),
                None => Ok(Self(None)),
            };
        }
        let mailbox = |key| values.text(key).and_then(|text| Mailbox::parse(&text).ok());
        let from = mailbox(FROM).ok_or_else(|| values.wrong(SERVERS, format_args!("it needs {FROM}")))?;
        let wrong = |key| move |why: String| values.wrong(key, why);
        let mut settings = SmtpSettings::new(servers, from).map_err(wrong(SERVERS))?;
        settings = match (values.text(USERNAME), values.text(PASSWORD)) {
            (Some(name), Some(password)) => {
                let login = SmtpLogin::new(name, Secret::new(password.into_bytes())).map_err(wrong(USERNAME))?;
                settings.login(login).map_err(wrong(SERVERS))?
            }
            (Some(_), None) => return Err(values.wrong(USERNAME, format_args!("it needs {PASSWORD}"))),
            (None, Some(_)) => return Err(values.wrong(PASSWORD, format_args!("it needs {USERNAME}"))),
            (None, None) => settings,
        };
        settings = match [values.text(DKIM[0]), values.text(DKIM[1]), values.text(DKIM[2])] {
            [Some(domain), Some(selector), Some(key)] => {
                // A file that is not there is the provider's to complain of, with what to do.
                let _ = warn_if_exposed(Path::new(&key));
                let dkim = DkimSettings::new(&domain, &selector, key.into()).map_err(wrong(DKIM[0]))?;
                settings.dkim(dkim).map_err(wrong(DKIM[0]))?
            }
            [None, None, None] => settings,
            given => {
                let (set, missing): (Vec<_>, Vec<_>) = DKIM.iter().zip(given).partition(|(_, value)| value.is_some());
                let missing: Vec<_> = missing.into_iter().map(|(key, _)| *key).collect();
                return Err(values.wrong(set[0].0, format_args!("it needs {}", missing.join(" and "))));
            }
        };
        if let Some(mailbox) = mailbox("delivery.smtp.reply_to") {
            settings = settings.reply_to(mailbox);
        }
        if let Some(file) = values.path("delivery.smtp.ca_file") {
            settings = settings.ca_file(file);
        }
        let timeout = Duration::from_secs(values.number("delivery.smtp.timeout_seconds"));
        Ok(Self(Some(settings.at_once(values.number("delivery.smtp.at_once")).timeout(timeout))))
    }
}

const SERVERS: &str = "delivery.smtp.servers";
const FROM: &str = "delivery.smtp.from";
const USERNAME: &str = "delivery.smtp.username";
const PASSWORD: &str = "delivery.smtp.password";
const DKIM: [&str; 3] = ["delivery.smtp.dkim_domain", "delivery.smtp.dkim_selector", "delivery.smtp.dkim_key_file"];
