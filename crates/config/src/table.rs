//! All keys of all sections, with the names they have as flags and variables.

use std::sync::LazyLock;

use crate::row::{Kind, Row};
use crate::section::Section;
use crate::sections::account::AccountConfig;
use crate::sections::admin::AdminConfig;
use crate::sections::auth::AuthConfig;
use crate::sections::bootstrap::BootstrapConfig;
use crate::sections::brand::BrandConfig;
use crate::sections::compat::CompatConfig;
use crate::sections::delivery::DeliveryConfig;
use crate::sections::email::EmailConfig;
use crate::sections::gateways::GatewaysConfig;
use crate::sections::limits::LimitsConfig;
use crate::sections::listen::ListenConfig;
use crate::sections::login::LoginConfig;
use crate::sections::messages::MessagesConfig;
use crate::sections::names::NamesConfig;
use crate::sections::push::PushConfig;
use crate::sections::smtp::SmtpConfig;
use crate::sections::storage::StorageConfig;
use crate::sections::tls::TlsConfig;
use crate::sections::webhooks::WebhooksConfig;

/// The beginning of all our variables.
pub(crate) const PREFIX: &str = "COUNTERSIGN_";

/// A row with its names: `--login-mfa`, `COUNTERSIGN_LOGIN_MFA`, `mfa` under `[login]`.
#[derive(Debug)]
pub struct Setting {
    pub row: &'static Row,
    /// The heading of its flag in `--help`, if it has one.
    pub heading: Option<&'static str>,
    /// The environment variable.
    pub variable: String,
    /// The flag, without dashes, if the setting [takes one](Self::takes_flag).
    pub flag: String,
}

impl Setting {
    /// Whether there is a flag. A list of processes shows flags to every user of the machine, so a secret has none. The
    /// address of a database has one: it can do without a password.
    pub fn takes_flag(&self) -> bool {
        !matches!(self.row.kind, Kind::Secret) || self.row.key.ends_with("url")
    }

    /// The setting of this key, also under an earlier name.
    pub fn of(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.row.key == key || setting.row.formerly == Some(key))
    }
}

/// All settings. Keys outside tables come first, as TOML wants it.
pub static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let sections = [
        rows::<ListenConfig>(),
        rows::<AdminConfig>(),
        rows::<StorageConfig>(),
        rows::<AccountConfig>(),
        rows::<TlsConfig>(),
        rows::<BootstrapConfig>(),
        rows::<AuthConfig>(),
        rows::<CompatConfig>(),
        rows::<LoginConfig>(),
        rows::<BrandConfig>(),
        rows::<MessagesConfig>(),
        rows::<EmailConfig>(),
        rows::<DeliveryConfig>(),
        rows::<GatewaysConfig>(),
        rows::<SmtpConfig>(),
        rows::<PushConfig>(),
        rows::<LimitsConfig>(),
        rows::<NamesConfig>(),
        rows::<WebhooksConfig>(),
    ];
    sections.into_iter().flatten().collect()
});

fn rows<S: Section>() -> Vec<Setting> {
    let named = |row: &'static Row| Setting {
        row,
        heading: S::HEADING,
        variable: format!("{PREFIX}{}", row.key.replace('.', "_").to_ascii_uppercase()),
        flag: row.key.replace(['.', '_'], "-"),
    };
    S::ROWS.iter().map(named).collect()
}

/// A variable that belongs to no key of the file, and what it does.
pub(crate) const OTHER_VARIABLES: &[(&str, &str)] = &[
    ("COUNTERSIGN_CONFIG", "The configuration file, as `--config`"),
    ("COUNTERSIGN_DATABASE_URL_FILE", "A file that contains `database_url`"),
    ("COUNTERSIGN_MASTER_KEY", "The master keys themselves, instead of a file"),
    ("COUNTERSIGN_LOG", "What is logged: a level, or parts with levels as `info,countersign::engine=debug`"),
    ("COUNTERSIGN_LOG_FORMAT", "`pretty` (default) or `json`"),
    ("COUNTERSIGN_MESSAGE_LIMITS", "`dev` only: limits on messages, `off` (default) or `shipped`"),
    ("COUNTERSIGN_DEV_HOST", "`dev` only: names by which other machines reach the dev world"),
    ("COUNTERSIGN_DEV_KEY", "`dev` only: the key that other machines show"),
    ("COUNTERSIGN_CLIENT_SECRET", "`selftest` only: the secret of the client"),
    ("COUNTERSIGN_CLIENT_SECRET_FILE", "`selftest` only: a file that contains that secret"),
];

/// Every variable that is read.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    let settings = SETTINGS.iter().map(|setting| setting.variable.as_str());
    settings.chain(OTHER_VARIABLES.iter().map(|(name, _)| *name))
}

/// Tables that people expect, and where their settings are.
pub(crate) const ELSEWHERE: &[(&str, &str)] =
    &[("smtp", "delivery.smtp"), ("mail", "delivery.smtp"), ("sms", "delivery")];

/// Tables of the file that a later version will know, and what this version cannot do without them.
pub(crate) const FUTURE: &[(&str, &str)] =
    &[("voice", "make calls"), ("radius", "speak RADIUS"), ("ldap", "ask a directory")];
