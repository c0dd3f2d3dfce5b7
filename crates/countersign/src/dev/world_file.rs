//! `countersign dev --world FILE`: a world that a file describes, so that tests find the same one at each start.

use std::path::Path;

use anyhow::{Context as _, bail};
use domain::model::app::{Definition, Source};
use domain::model::hotp::{Algorithm, Hotp};
use domain::model::long_poll::LongPoll;
use domain::model::totp::Totp;
use domain::{Credential, FactorKind, Scope, Timestamp};
use engine::clock::SystemClock;
use engine::{Clock as _, PasswordCost};
use onelogin::{CompatProfile, ScopeName as _};
use serde::Deserialize;
use store::DevClock;

use crate::import::base32;

/// What a world is made with instead of what is drawn.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// Number from which credentials and passwords are derived, and all that a new world draws later.
    pub seed: Option<u64>,
    /// How polls of the world's clients are held.
    pub hold: LongPoll,
    /// Id and secret of the client with the scope `Manage All`.
    pub client: Option<(String, String)>,
    /// What a file says of a new world.
    pub world: WorldFile,
    /// What a password hash costs.
    pub passwords: PasswordCost,
}

/// The content of the file. A list that it has takes the place of the usual one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldFile {
    /// The same number as that of `--seed`, which comes first.
    pub seed: Option<u64>,
    pub clock: Option<FileClock>,
    pub clients: Option<Vec<FileClient>>,
    pub users: Option<Vec<FileUser>>,
    pub apps: Option<Vec<FileApp>>,
}

/// Where the clock begins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileClock {
    now: String,
    #[serde(default)]
    pub frozen: bool,
}

/// An API client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileClient {
    pub name: Option<String>,
    #[serde(default = "widest")]
    scope: String,
    profile: Option<String>,
    /// Drawn if it is absent.
    pub client_id: Option<String>,
    /// Given if the id is.
    pub client_secret: Option<String>,
}

fn widest() -> String {
    Scope::ManageAll.name().to_owned()
}

/// A user, with a password and devices.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileUser {
    pub username: String,
    /// Drawn if it is absent.
    pub password: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub firstname: Option<String>,
    pub lastname: Option<String>,
    pub language: Option<String>,
    #[serde(default)]
    pub devices: Vec<FileDevice>,
}

/// An active device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDevice {
    pub factor: String,
    pub name: Option<String>,
    /// Of `totp` and `hotp`, in Base32.
    secret: Option<String>,
    digits: Option<u8>,
    /// Of `totp`, in seconds.
    period: Option<u32>,
    /// Of `hotp`: the next one.
    pub counter: Option<u64>,
    /// Of `sms`, `voice` and `email`: a number or address that is not the user's own.
    pub to: Option<String>,
}

/// An app that accepts assertions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileApp {
    pub name: String,
    acs_url: String,
    audience: String,
    /// Roles of Amazon Web Services: pairs of a role's and a provider's ARN.
    #[serde(default)]
    aws_roles: Vec<(String, String)>,
}

/// What a device of a file is made of.
pub(super) enum FileCredential {
    /// A secret that makes codes.
    Codes(Credential),
    /// Messages of this kind.
    Reached(FactorKind),
}

impl WorldFile {
    /// Reads a file. The error names the line, or the entry that is wrong.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let read: Self = toml::from_str(&text).with_context(|| format!("{} cannot be understood", path.display()))?;
        read.check().with_context(|| path.display().to_string())?;
        Ok(read)
    }

    /// The clock at the beginning.
    pub(super) fn begins(&self) -> anyhow::Result<DevClock> {
        let Some(clock) = &self.clock else { return Ok(DevClock::default()) };
        let at = clock.at()?;
        Ok(if clock.frozen {
            DevClock { offset: 0, frozen: Some(at) }
        } else {
            DevClock { offset: at.since(SystemClock.now()), frozen: None }
        })
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(clock) = &self.clock {
            clock.at()?;
        }
        if let Some(clients) = &self.clients {
            for (place, client) in clients.iter().enumerate() {
                client.check().with_context(|| format!("clients, number {}", place + 1))?;
            }
            // The start page and its log-in use it.
            if !clients.iter().any(|client| client.scope().is_ok_and(|scope| scope == Scope::ManageAll)) {
                bail!("clients: one of them needs the scope \"Manage All\", which the start page uses");
            }
        }
        for (place, user) in self.users.iter().flatten().enumerate() {
            user.check().with_context(|| format!("users, number {} ({})", place + 1, user.username))?;
        }
        if self.users.as_ref().is_some_and(Vec::is_empty) {
            bail!("users: leave it out for the usual users, or name one");
        }
        Ok(())
    }
}

impl FileClock {
    /// The moment that it names.
    pub(super) fn at(&self) -> anyhow::Result<Timestamp> {
        let at = onelogin::wire_time::read(&self.now);
        at.map(Timestamp).context("clock: now is a time as 2027-01-01T00:00:00Z")
    }
}

impl FileClient {
    pub(super) fn scope(&self) -> anyhow::Result<Scope> {
        Scope::parse(&self.scope).map_err(anyhow::Error::msg)
    }

    pub(super) fn profile(&self) -> anyhow::Result<CompatProfile> {
        self.profile.as_deref().map_or(Ok(CompatProfile::Default), CompatProfile::parse).map_err(anyhow::Error::msg)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.scope()?;
        self.profile()?;
        if self.client_id.is_some() != self.client_secret.is_some() {
            bail!("client_id and client_secret come together");
        }
        for (field, text) in [("client_id", &self.client_id), ("client_secret", &self.client_secret)] {
            if let Some(text) = text {
                dev_credential(text).map_err(anyhow::Error::msg).context(field)?;
            }
        }
        Ok(())
    }
}

/// A client's id or secret chosen for a dev world. It fits into a header and a form unescaped.
pub(crate) fn dev_credential(text: &str) -> Result<String, &'static str> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if fits { Ok(text.to_owned()) } else { Err("it has 1 to 128 letters, digits and signs, without blanks and colons") }
}

impl FileApp {
    pub(super) fn definition(&self) -> Definition {
        Definition {
            acs_url: self.acs_url.clone(),
            audience: self.audience.clone(),
            name_id: Source::Email,
            attributes: Vec::new(),
            aws_roles: self.aws_roles.clone(),
            aws_session_ttl: None,
        }
    }
}

impl FileUser {
    fn check(&self) -> anyhow::Result<()> {
        for (place, device) in self.devices.iter().enumerate() {
            let of_device = || format!("devices, number {}", place + 1);
            if let FileCredential::Reached(kind) = device.credential().with_context(of_device)? {
                let own = if kind == FactorKind::Email { &self.email } else { &self.phone };
                if own.is_none() && device.to.is_none() {
                    bail!("{}: it needs `to`, or the user an address or a number", of_device());
                }
            }
        }
        Ok(())
    }
}

impl FileDevice {
    pub(super) fn credential(&self) -> anyhow::Result<FileCredential> {
        let reached = match self.factor.as_str() {
            "totp" | "hotp" => return self.codes().map(FileCredential::Codes),
            "sms" => FactorKind::Sms,
            "voice" => FactorKind::Voice,
            "email" => FactorKind::Email,
            "push" => bail!("a push device is paired with the simulated phone, over the API: POST /dev/phone/pair"),
            _ => bail!("factor is one of totp, hotp, sms, voice, email"),
        };
        if self.secret.is_some() || self.digits.is_some() || self.period.is_some() || self.counter.is_some() {
            bail!("secret, digits, period and counter belong to totp and hotp");
        }
        Ok(FileCredential::Reached(reached))
    }

    fn codes(&self) -> anyhow::Result<Credential> {
        if self.to.is_some() {
            bail!("`to` belongs to sms, voice and email");
        }
        let written = self.secret.as_deref().context("it needs a secret in Base32")?;
        let secret = base32(written).context("secret is Base32: letters and the digits 2 to 7")?;
        let digits = self.digits.unwrap_or(6);
        let credential = if self.factor == "totp" {
            let period = self.period.unwrap_or(30);
            Credential::Totp(Totp { secret, algorithm: Algorithm::Sha1, digits, period })
        } else {
            Credential::Hotp(Hotp { secret, digits })
        };
        match domain::rules::import::judge(&credential) {
            Ok(()) => Ok(credential),
            Err(unfit) => bail!("it cannot be used: {unfit}"),
        }
    }
}
