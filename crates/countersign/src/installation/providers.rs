//! The providers of an installation. Servers and commands get them from the same configuration, so they offer the same
//! factors.

use std::sync::Arc;

use anyhow::Context as _;
use config::Config;
use delivery::{FileProvider, Provider, Routes};
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

/// Every provider that can be configured. Where two carry a channel, the first wins.
pub(crate) const CONFIGURABLE: &[Configurable] = &[Configurable {
    name: "file",
    setting: "delivery.file.path",
    channels: FileProvider::CHANNELS,
    caveat: "for staging systems only: its readers see every code",
}];

/// The routes over the configured providers. None is opened: a command that only looks must not create a file.
pub(crate) fn configured(config: &Config) -> Routes {
    let delivery = &config.delivery;
    // No server starts with a file that is not acknowledged, so nothing is offered through it.
    let file = delivery.file.as_ref().filter(|_| delivery.check().is_ok());
    Routes::over(file.map(|path| Arc::new(FileProvider::at(path)) as Arc<dyn Provider>))
}

/// Opens the providers, or says which setting is wrong.
pub(crate) fn open(routes: &Routes) -> anyhow::Result<()> {
    for provider in routes.providers() {
        let opened = provider.open().map_err(anyhow::Error::from_boxed);
        opened.with_context(|| format!("{} cannot be used", setting(provider.name()).unwrap_or(provider.name())))?;
    }
    Ok(())
}

/// The key that configures the provider with this name; the gateway of a dev world has none.
pub(crate) fn setting(name: &str) -> Option<&'static str> {
    CONFIGURABLE.iter().find(|provider| provider.name == name).map(|provider| provider.setting)
}
