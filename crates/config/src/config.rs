//! The configuration in force.

use anyhow::bail;
use engine::EmailMode;
use toml::Value;

use crate::row::Kind;
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
use crate::sources::FlagValues;
use crate::table::{SETTINGS, Setting};
use crate::values::{Origin, Values};

/// The configuration in force, by section.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: ListenConfig,
    pub admin: AdminConfig,
    pub storage: StorageConfig,
    pub account: AccountConfig,
    pub bootstrap: BootstrapConfig,
    pub tls: TlsConfig,
    pub login: LoginConfig,
    pub brand: BrandConfig,
    pub messages: MessagesConfig,
    pub email: EmailConfig,
    pub delivery: DeliveryConfig,
    pub gateways: GatewaysConfig,
    pub smtp: SmtpConfig,
    pub push: PushConfig,
    pub limits: LimitsConfig,
    pub webhooks: WebhooksConfig,
    /// What several sections decide about the OneLogin dialect.
    pub dialect: onelogin::DialectOptions,
    /// The keys that are not at their defaults. A dev world begins with other defaults.
    pub named: Vec<&'static str>,
    /// A sentence for each key of the file that has a new name.
    pub notes: Vec<String>,
}

impl Config {
    /// The configuration of these flags, the environment, and the file that they name.
    pub fn load(flags: &FlagValues) -> anyhow::Result<Self> {
        Self::of(&Values::gather(flags)?)
    }

    /// The configuration of these values.
    pub fn of(values: &Values) -> anyhow::Result<Self> {
        let mut dialect = onelogin::DialectOptions::default();
        let is_named = |setting: &&Setting| !matches!(values.of(setting.row.key).1, Origin::Default);
        Ok(Self {
            listen: section(values, &mut dialect)?,
            admin: section(values, &mut dialect)?,
            storage: section(values, &mut dialect)?,
            account: section(values, &mut dialect)?,
            bootstrap: section(values, &mut dialect)?,
            tls: section(values, &mut dialect)?,
            login: section(values, &mut dialect)?,
            brand: section(values, &mut dialect)?,
            messages: section(values, &mut dialect)?,
            email: section(values, &mut dialect)?,
            gateways: section(values, &mut dialect)?,
            smtp: section(values, &mut dialect)?,
            push: section(values, &mut dialect)?,
            delivery: section(values, &mut dialect)?,
            limits: section(values, &mut dialect)?,
            webhooks: section(values, &mut dialect)?,
            dialect: {
                section::<AuthConfig>(values, &mut dialect)?;
                section::<CompatConfig>(values, &mut dialect)?;
                section::<NamesConfig>(values, &mut dialect)?;
                dialect
            },
            named: SETTINGS.iter().filter(is_named).map(|setting| setting.row.key).collect(),
            notes: values.notes.clone(),
        })
    }

    /// The value of a setting as `config show` prints it. A secret is shown only in the form that its section gives.
    pub fn shown(&self, setting: &Setting, values: &Values) -> Option<Value> {
        let key = setting.row.key;
        let section = self.storage.shown(key).or_else(|| self.account.shown(key));
        let raw = || values.of(key).0.filter(|_| !matches!(setting.row.kind, Kind::Secret)).cloned();
        section.or_else(raw)
    }

    /// Refuses links in mail that have nothing to begin with, and that would lead a browser out of TLS (SEC 11, SEC 66).
    pub fn check_links(&self) -> anyhow::Result<()> {
        if self.email.mode != EmailMode::Code && self.account.public_url.is_none() {
            bail!(
                "email.mode = \"{}\" puts links into mail, which begin with public_url: set it to the address that people \
                 reach, as https://mfa.example.com, or leave email.mode at \"code\"",
                self.email.mode.name()
            )
        }
        match self.login.plain_redirect() {
            Some(origin) => bail!(
                "login.redirect_origins names {origin}: a browser is sent on over https only. http is for a page on your own \
                 machine, in a dev world"
            ),
            None => Ok(()),
        }
    }

    /// Refuses plain HTTP on an address that other machines reach, unless it is asked for (SEC 68, decision 5).
    pub fn check_listen(&self) -> anyhow::Result<()> {
        if self.listen.address.ip().is_loopback()
            || !self.tls.certificates.is_empty()
            || self.listen.insecure_http
            || !self.dialect.trusted_proxies.is_empty()
        {
            return Ok(());
        }
        bail!(
            "{} can be reached from other machines, and this is plain HTTP. Serve TLS with --tls-cert-file and \
             --tls-key-file, or put a proxy that ends TLS in front and name it with --trusted-proxy ADDRESS; only on a \
             network you trust: --insecure-http",
            self.listen.address
        )
    }
}

fn section<S: Section>(values: &Values, dialect: &mut onelogin::DialectOptions) -> anyhow::Result<S> {
    let section = S::read(values)?;
    section.set_dialect(dialect);
    Ok(section)
}
