//! `[delivery.twilio]`, `[delivery.vonage]`, `[delivery.sns]` and the files of `delivery.http`: gateways for text messages
//! and calls (contract 18.5, 18.6 and 18.9).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use delivery::{
    BadSetting, CallbackUrls, Calling, HttpProvider, Provider, Receipts, Routes, SnsProvider, SnsSettings,
    TwilioProvider, TwilioSettings, VonageProvider, VonageSettings,
};
use domain::Secret;

use crate::environment::{text_of, warn_if_exposed};
use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::value::{line, web_address};
use crate::values::Values;

/// The configured gateways.
#[derive(Clone)]
pub struct GatewaysConfig {
    /// What they are made from, once a server or a command needs them: their files are read then.
    values: Values,
}

impl std::fmt::Debug for GatewaysConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GatewaysConfig(…)")
    }
}

/// A row of a text.
const TEXT: Row = Row { kind: Kind::Text(line), ..ROW };
/// A row of a secret.
const SECRET: Row = Row { kind: Kind::Secret, example: "\"secret\"", ..ROW };
/// A row of an address to use instead of the gateway's.
const BASE_URL: Row = Row { kind: Kind::Text(address), example: "\"https://gateway.example.com\"", ..ROW };
const AT_ONCE: Row = Row {
    kind: Kind::Number(1, 64),
    about: "Messages that a node hands over side by side",
    default: Some(|| Value::Integer(8)),
    ..ROW
};
const TIMEOUT: Row = Row {
    kind: Kind::Number(2, 30),
    about: "Seconds that handing over one message may take",
    default: Some(|| Value::Integer(10)),
    ..ROW
};

impl Section for GatewaysConfig {
    const HEADING: Option<&'static str> = Some("Gateways");

    const ROWS: &'static [Row] = &[
        Row {
            key: "delivery.twilio.account_sid",
            about: "Twilio: the account's SID",
            example: "\"AC00000000000000000000000000000000\"",
            ..TEXT
        },
        Row { key: "delivery.twilio.auth_token", about: "Twilio: the account's auth token", ..SECRET },
        Row {
            key: "delivery.twilio.from",
            about: "Twilio: the number that sends text messages; this or messaging_service_sid",
            example: "\"+14155550100\"",
            ..TEXT
        },
        Row {
            key: "delivery.twilio.messaging_service_sid",
            about: "Twilio: the messaging service that sends",
            example: "\"MG00000000000000000000000000000000\"",
            ..TEXT
        },
        Row {
            key: "delivery.twilio.voice_from",
            about: "Twilio: the number that calls. With it and public_url, calls speak codes and take digits",
            example: "\"+14155550100\"",
            ..TEXT
        },
        Row { key: "delivery.twilio.base_url", about: "Twilio: another address than its own", ..BASE_URL },
        Row { key: "delivery.twilio.at_once", ..AT_ONCE },
        Row { key: "delivery.twilio.timeout_seconds", ..TIMEOUT },
        Row { key: "delivery.vonage.api_key", about: "Vonage: the account's API key", example: "\"abcd1234\"", ..TEXT },
        Row { key: "delivery.vonage.api_secret", about: "Vonage: the account's API secret", ..SECRET },
        Row {
            key: "delivery.vonage.from",
            about: "Vonage: the number or the name that sends",
            example: "\"Example\"",
            ..TEXT
        },
        Row {
            key: "delivery.vonage.voice_from",
            about: "Vonage: the number that calls. With it, the application and public_url, calls speak codes and take digits",
            example: "\"14155550100\"",
            ..TEXT
        },
        Row {
            key: "delivery.vonage.application_id",
            about: "Vonage: the application that calls",
            example: "\"00000000-0000-4000-8000-000000000000\"",
            ..TEXT
        },
        Row {
            key: "delivery.vonage.private_key_file",
            about: "Vonage: file of the application's private key (PEM, RSA)",
            example: "\"/etc/countersign/vonage.pem\"",
            ..ROW
        },
        Row {
            key: "delivery.vonage.signature_secret",
            about: "Vonage: what it signs receipts and keyed digits with. With it and public_url, receipts are asked for",
            ..SECRET
        },
        Row { key: "delivery.vonage.base_url", about: "Vonage: another address than its own", ..BASE_URL },
        Row { key: "delivery.vonage.at_once", ..AT_ONCE },
        Row { key: "delivery.vonage.timeout_seconds", ..TIMEOUT },
        Row { key: "delivery.sns.region", about: "Amazon SNS: the region", example: "\"eu-central-1\"", ..TEXT },
        Row {
            key: "delivery.sns.access_key_id",
            about: "Amazon SNS: the access key's id",
            example: "\"AKIDEXAMPLE\"",
            ..TEXT
        },
        Row { key: "delivery.sns.secret_access_key", about: "Amazon SNS: the access key's secret", ..SECRET },
        Row { key: "delivery.sns.session_token", about: "Amazon SNS: the token of temporary credentials", ..SECRET },
        Row {
            key: "delivery.sns.sender_id",
            about: "Amazon SNS: the sender's name, where a country allows one",
            example: "\"Example\"",
            ..TEXT
        },
        Row { key: "delivery.sns.base_url", about: "Amazon SNS: another address than its own", ..BASE_URL },
        Row { key: "delivery.sns.at_once", ..AT_ONCE },
        Row { key: "delivery.sns.timeout_seconds", ..TIMEOUT },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        Ok(Self { values: values.clone() })
    }
}

impl GatewaysConfig {
    /// The providers, or an error that names key, file and line of what is wrong.
    pub fn providers(&self) -> anyhow::Result<Vec<Arc<dyn Provider>>> {
        let values = &self.values;
        let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
        let twilio = Below { values, table: "delivery.twilio." };
        if twilio.is_given() {
            providers.push(twilio.made(TwilioProvider::new(TwilioSettings {
                account_sid: twilio.text("account_sid"),
                auth_token: twilio.secret("auth_token"),
                from: twilio.maybe("from"),
                messaging_service_sid: twilio.maybe("messaging_service_sid"),
                voice_from: twilio.maybe("voice_from"),
                digits_callback: twilio.digits_callback("twilio"),
                base_url: twilio.maybe("base_url"),
                status_callback: twilio.callback("twilio"),
                calling: twilio.calling(),
            }))?);
        }
        let vonage = Below { values, table: "delivery.vonage." };
        if vonage.is_given() {
            providers.push(vonage.made(VonageProvider::new(VonageSettings {
                api_key: vonage.text("api_key"),
                api_secret: vonage.secret("api_secret"),
                from: vonage.text("from"),
                voice_from: vonage.maybe("voice_from"),
                application_id: vonage.maybe("application_id"),
                private_key_file: vonage.maybe("private_key_file").map(PathBuf::from).inspect(|file| {
                    // A file that is not there is the provider's to complain of, with what to do.
                    let _ = warn_if_exposed(file);
                }),
                digits_callback: vonage.digits_callback("vonage"),
                base_url: vonage.maybe("base_url"),
                webhook_url: vonage.callback("vonage"),
                signature_secret: vonage.maybe("signature_secret").map(|secret| Secret::new(secret.into_bytes())),
                calling: vonage.calling(),
            }))?);
        }
        let sns = Below { values, table: "delivery.sns." };
        if sns.is_given() {
            providers.push(sns.made(SnsProvider::new(SnsSettings {
                region: sns.text("region"),
                access_key_id: sns.text("access_key_id"),
                secret_access_key: sns.secret("secret_access_key"),
                session_token: sns.maybe("session_token").map(|token| Secret::new(token.into_bytes())),
                sender_id: sns.maybe("sender_id"),
                base_url: sns.maybe("base_url"),
                calling: sns.calling(),
            }))?);
        }
        for file in values.paths("delivery.http") {
            let provider = described(&file, values.text("public_url"))?;
            if providers.iter().any(|other| other.name() == provider.name()) {
                let why = format!("two providers are called {}", provider.name());
                return Err(values.wrong("delivery.http", why));
            }
            providers.push(provider);
        }
        Ok(providers)
    }
}

/// The address of a gateway. It is shown, so no user and no password are part of it.
fn address(text: &str) -> Result<(), String> {
    if web_address(text).is_some() {
        Ok(())
    } else {
        Err("write it as https://gateway.example.com, without user and password".to_owned())
    }
}

/// The keys below a table.
struct Below<'a> {
    values: &'a Values,
    table: &'static str,
}

impl Below<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.table)
    }

    /// Whether any of its keys is set.
    fn is_given(&self) -> bool {
        let mut rows =
            GatewaysConfig::ROWS.iter().filter(|row| row.key.starts_with(self.table) && row.default.is_none());
        rows.any(|row| self.values.of(row.key).0.is_some())
    }

    fn maybe(&self, key: &str) -> Option<String> {
        self.values.text(&self.key(key))
    }

    fn text(&self, key: &str) -> String {
        self.maybe(key).unwrap_or_default()
    }

    fn secret(&self, key: &str) -> Secret {
        Secret::new(self.text(key).into_bytes())
    }

    /// Where the provider's receipts are to be sent, if callers from outside reach us.
    fn callback(&self, provider: &str) -> Option<String> {
        self.values.text("public_url").map(|url| format!("{url}{}", Receipts::path(provider)))
    }

    /// Where the digits are to be sent that people key into its calls, if callers from outside reach us.
    fn digits_callback(&self, provider: &str) -> Option<String> {
        self.values.text("public_url").map(|url| format!("{url}{}", Routes::digits_path(provider)))
    }

    fn calling(&self) -> Calling {
        Calling {
            at_once: self.values.number(&self.key("at_once")),
            timeout: Duration::from_secs(self.values.number(&self.key("timeout_seconds"))),
            ..calling()
        }
    }

    /// The provider, or an error that names key, file and line.
    fn made<P: Provider + 'static>(&self, made: Result<P, BadSetting>) -> anyhow::Result<Arc<dyn Provider>> {
        match made {
            Ok(provider) => Ok(Arc::new(provider)),
            Err(bad) => Err(self.values.wrong(&self.key(bad.key), bad.problem)),
        }
    }
}

/// Gateways compare times with their own clocks, so they get the machine's.
fn calling() -> Calling {
    Calling::by(Arc::new(|| engine::Clock::now(&engine::clock::SystemClock)))
}

/// The gateway that a file describes. Its name is the provider's. `public_url` is where callers from outside reach us.
fn described(file: &Path, public_url: Option<String>) -> anyhow::Result<Arc<dyn Provider>> {
    let text = text_of(file).context("delivery.http")?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let callback_urls = public_url.map(|url| CallbackUrls {
        status: format!("{url}{}", Receipts::path(&name)),
        digits: format!("{url}{}", Routes::digits_path(&name)),
    });
    let folder = file.parent().unwrap_or(Path::new("."));
    let read_secret = |path: &Path| {
        let secret = text_of(path).map_err(|error| format!("{error:#}"))?;
        warn_if_exposed(path).map_err(|error| error.to_string())?;
        match secret.trim() {
            "" => Err(format!("{} is empty", path.display())),
            secret => Ok(Secret::new(secret.as_bytes().to_vec())),
        }
    };
    let made = HttpProvider::described(name, &text, folder, calling(), callback_urls, read_secret);
    match made {
        Ok(provider) => {
            let is_secret =
                |keys: &toml::Table| ["secret", "callback_secret"].iter().any(|key| keys.contains_key(*key));
            if toml::from_str::<toml::Table>(&text).is_ok_and(|keys| is_secret(&keys)) {
                warn_if_exposed(file)?;
            }
            Ok(Arc::new(provider))
        }
        Err(bad) => {
            let line = bad.line.map_or_else(String::new, |line| format!(", line {line}"));
            let key = if bad.key.is_empty() { String::new() } else { format!("{}: ", bad.key) };
            anyhow::bail!("{}{line}: {key}{}", file.display(), bad.problem)
        }
    }
}
