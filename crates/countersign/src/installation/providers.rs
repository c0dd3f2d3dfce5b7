//! The providers of an installation. Servers and commands get them from the same configuration, so they offer the same
//! factors.

use std::sync::Arc;

use anyhow::Context as _;
use config::Config;
use delivery::{
    FileProvider, HttpProvider, Logo, Provider, Routes, SmtpProvider, SnsProvider, TwilioProvider, VonageProvider,
    WebPushProvider,
};
use domain::Channel;

/// A provider that can be configured.
#[derive(Debug)]
pub(crate) struct Configurable {
    /// The provider's [`Provider::name`].
    name: &'static str,
    /// The key that configures it.
    pub(crate) setting: &'static str,
    pub(crate) channels: &'static [Channel],
    /// What an operator should know before configuring it.
    pub(crate) caveat: &'static str,
}

/// Every provider that can be configured.
pub(crate) const CONFIGURABLE: &[Configurable] = &[
    Configurable {
        name: "twilio",
        setting: "delivery.twilio.account_sid",
        channels: TwilioProvider::CHANNELS,
        caveat: "a gateway for text messages and, with voice_from, calls",
    },
    Configurable {
        name: "vonage",
        setting: "delivery.vonage.api_key",
        channels: VonageProvider::CHANNELS,
        caveat: "a gateway for text messages and, with voice_from, calls",
    },
    Configurable {
        name: "sns",
        setting: "delivery.sns.region",
        channels: SnsProvider::CHANNELS,
        caveat: "a gateway for text messages",
    },
    Configurable {
        name: "http",
        setting: "delivery.http",
        channels: HttpProvider::CHANNELS,
        caveat: "any other gateway that takes HTTP",
    },
    Configurable {
        name: "smtp",
        setting: "delivery.smtp.servers",
        channels: SmtpProvider::CHANNELS,
        caveat: "mail servers that take your mail",
    },
    Configurable {
        name: "webpush",
        setting: "public_url",
        channels: WebPushProvider::CHANNELS,
        caveat: "an address that begins with https://, since browsers take prompts for no other",
    },
    Configurable {
        name: "file",
        setting: "delivery.file.path",
        channels: FileProvider::CHANNELS,
        caveat: "for staging systems only: its readers see every code",
    },
];

/// The routes over the configured providers. None is opened: a command that only looks must not create a file. An error
/// names the setting that is wrong.
pub(crate) fn configured(config: &Config) -> anyhow::Result<Routes> {
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    // No server starts with a file that is not acknowledged, so nothing is offered through it.
    if let Some(path) = config.delivery.file.as_ref().filter(|_| config.delivery.check().is_ok()) {
        providers.push(Arc::new(FileProvider::at(path)));
    }
    let logo = logo(config)?;
    if let Some(settings) = &config.smtp.0 {
        let provider = SmtpProvider::new(settings.clone().logo(logo)).map_err(anyhow::Error::from_boxed);
        providers.push(Arc::new(provider.context("delivery.smtp")?));
    }
    providers.extend(config.gateways.providers()?);
    let mut routes = Routes::default();
    for channel in [Channel::Sms, Channel::Voice, Channel::Email] {
        let able: Vec<_> = providers.iter().filter(|provider| provider.channels().contains(&channel)).collect();
        let names: Vec<&str> = able.iter().map(|provider| provider.name()).collect();
        for name in config.delivery.order(channel, &names)? {
            if let Some(provider) = able.iter().find(|provider| provider.name() == name) {
                routes.add(channel, Arc::clone(provider));
            }
        }
    }
    if let Some(provider) = config.push.provider()? {
        routes.add(Channel::Push, Arc::new(provider));
    }
    check_digits(&routes)?;
    if !config.delivery.sms_by_call {
        return Ok(routes);
    }
    check_sms_by_call(&routes)?;
    Ok(routes.with_texts_called())
}

/// A text message becomes a call only where there are both (contract 18.10).
fn check_sms_by_call(routes: &Routes) -> anyhow::Result<()> {
    for (channel, what, how) in [
        (Channel::Sms, "text messages", "configure one"),
        (Channel::Voice, "calls", "configure one, as with delivery.twilio.voice_from"),
    ] {
        if !routes.carry(channel) {
            anyhow::bail!("delivery.sms_by_call: no provider carries {what}; {how}, or remove delivery.sms_by_call");
        }
    }
    Ok(())
}

/// The picture of the brand, at the head of mail and pages.
pub(crate) fn logo(config: &Config) -> anyhow::Result<Option<Logo>> {
    let logo = config.brand.logo.as_deref().map(Logo::read).transpose();
    logo.map_err(anyhow::Error::msg).context("brand.logo")
}

/// A call that asks for digits may go over any route of its channel, so all of them must bring digits back, or none may be
/// asked for (contract 18.9).
fn check_digits(routes: &Routes) -> anyhow::Result<()> {
    let (able, unable): (Vec<_>, Vec<_>) =
        routes.of(Channel::Voice).map(|route| route.provider()).partition(|provider| provider.takes_digits());
    if let (Some(able), Some(unable)) = (able.first(), unable.first()) {
        let (able, unable) = (able.name(), unable.name());
        anyhow::bail!(
            "delivery.voice: {able} takes the digits that people key into calls and {unable} does not; use only providers of \
             one kind for calls"
        );
    }
    Ok(())
}

/// What an operator should know about the ways to the providers, a sentence each.
pub(crate) fn cautions(routes: &Routes) -> impl Iterator<Item = String> {
    routes.providers().filter_map(|provider| Some(format!("provider {}: {}", provider.name(), provider.caution()?)))
}

/// Opens the providers, or says which setting is wrong.
pub(crate) fn open(routes: &Routes) -> anyhow::Result<()> {
    for caution in cautions(routes) {
        tracing::warn!("{caution}");
    }
    for provider in routes.providers() {
        let opened = provider.open().map_err(anyhow::Error::from_boxed);
        opened.with_context(|| format!("{} cannot be used", setting(provider.name()).unwrap_or(provider.name())))?;
    }
    Ok(())
}

/// The key that configures the provider with this name. The gateway of a dev world has none, and those with a file of their
/// own have names that the operator chose.
pub(crate) fn setting(name: &str) -> Option<&'static str> {
    CONFIGURABLE.iter().find(|provider| provider.name == name).map(|provider| provider.setting)
}
