//! What text messages and calls cost: the operator's file, and whether it fits the providers (contract 18.11).

use anyhow::Context as _;
use config::{Config, text_of};
use delivery::Routes;
use domain::{Channel, Prices, SpendCaps, Timestamp};

/// The channels whose messages have a price.
pub(crate) const PRICED: [Channel; 2] = [Channel::Sms, Channel::Voice];

/// The configured prices, if there is a file of them. An error names the file, the line and what to do.
pub(crate) fn configured(config: &Config) -> anyhow::Result<Option<Prices>> {
    let Some(file) = &config.delivery.prices_file else { return Ok(None) };
    let text = text_of(file).context("delivery.prices_file")?;
    Prices::read(&text).map(Some).map_err(|bad| {
        let line = bad.line.map_or_else(String::new, |line| format!(", line {line}"));
        anyhow::anyhow!("delivery.prices_file: {}{line}: {}", file.display(), bad.problem)
    })
}

/// Refuses caps that cannot be kept: each route of text messages and calls must have a price for every number.
pub(crate) fn check(caps: SpendCaps, prices: Option<&Prices>, routes: &Routes) -> anyhow::Result<()> {
    if caps.are_off() {
        return Ok(());
    }
    let Some(prices) = prices else {
        anyhow::bail!(
            "messages.spend_per_server, spend_per_client and spend_per_country cap what messages cost, and no prices are known: \
             name a file with them in delivery.prices_file, or set the caps to 0"
        )
    };
    let mut routes = PRICED.into_iter().flat_map(|channel| routes.of(channel));
    match routes.find(|route| !prices.has_all(route.provider().name(), route.channel())) {
        None => Ok(()),
        Some(route) => {
            let (provider, channel) = (route.provider().name(), route.channel().name());
            anyhow::bail!(
                "a cap on what messages cost needs a price for every number, and delivery.prices_file has none over {provider}: \
                 add {provider},{channel},+,PRICE, or set messages.spend_per_server, spend_per_client and spend_per_country to 0"
            )
        }
    }
}

/// What an operator should know about the prices, a sentence each.
pub(crate) fn cautions(prices: &Prices, routes: &Routes, now: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if prices.are_old(now) {
        said.push(
            "delivery.prices_file: the prices are more than a year old: get new ones and change `# as of`".to_owned(),
        );
    }
    let carried = || PRICED.into_iter().flat_map(|channel| routes.of(channel));
    for route in carried().filter(|route| !prices.has_all(route.provider().name(), route.channel())) {
        let (provider, channel) = (route.provider().name(), route.channel().name());
        said.push(format!(
            "delivery.prices_file: not every number has a price over {provider}: add {provider},{channel},+,PRICE"
        ));
    }
    for provider in prices.providers() {
        if !carried().any(|route| route.provider().name() == provider) {
            said.push(format!(
                "delivery.prices_file: no configured provider of text messages or calls is called {provider}"
            ));
        }
    }
    said
}
