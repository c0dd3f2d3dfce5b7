//! `countersign delivery simulate`: what other caps and another breaker would have done to the messages that were sent.

use std::path::Path;

use domain::model::price::{UNIT, amount};
use domain::rules::simulation::{Fate, PastMessage, Simulated, simulate};
use domain::{BreakerLimits, SpendCaps};
use engine::Engine;
use onelogin::wire_time::with_seconds;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::report::{Report, sentence};

/// Rules to try. What they do not name stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TriedRules {
    server: Option<i64>,
    client: Option<i64>,
    country: Option<i64>,
    percent: Option<u32>,
    least: Option<u32>,
}

impl TriedRules {
    /// The rules of a file with these keys of `[messages]`, in the form of a configuration.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let mut rules = Self::default();
        for (key, number) in config::numbers_of(file, "messages")? {
            match key {
                "messages.spend_per_server" => rules.server = Some(number * UNIT),
                "messages.spend_per_client" => rules.client = Some(number * UNIT),
                "messages.spend_per_country" => rules.country = Some(number * UNIT),
                "messages.breaker_percent" => rules.percent = u32::try_from(number).ok(),
                "messages.breaker_min" => rules.least = u32::try_from(number).ok(),
                other => anyhow::bail!(
                    "{}: {other} cannot be tried; name messages.spend_per_server, spend_per_client, spend_per_country, \
                     breaker_percent or breaker_min",
                    file.display()
                ),
            }
        }
        Ok(rules)
    }
}

pub(super) async fn simulated(engine: &Engine, rules: TriedRules, span: i64) -> Result<Report, String> {
    let policy = &engine.settings().policy;
    let caps = SpendCaps {
        server: rules.server.unwrap_or(policy.caps.server),
        client: rules.client.unwrap_or(policy.caps.client),
        country: rules.country.unwrap_or(policy.caps.country),
    };
    let breaker = BreakerLimits {
        percent: rules.percent.unwrap_or(policy.breaker.percent),
        least: rules.least.unwrap_or(policy.breaker.least),
    };
    let since = engine.now().plus(-span);
    let sent = engine.store().sent_messages(since).await.map_err(|error| sentence(engine::Fault::from(error)))?;
    let past: Vec<_> = sent
        .into_iter()
        .map(|sent| PastMessage { at: sent.at, charge: sent.charge, is_verified: sent.is_verified })
        .collect();
    let currency = engine.settings().prices.as_ref().map(|prices| prices.currency.clone());
    Ok(report(&simulate(&past, caps, breaker), currency.as_deref(), &with_seconds(since.0)))
}

fn report(simulated: &Simulated, currency: Option<&str>, since: &str) -> Report {
    let (mut shown, mut rows) = (Vec::new(), Vec::new());
    for fate in Fate::ALL {
        let count = simulated.fates.get(&fate).copied().unwrap_or_default();
        let (word, said) = words(fate);
        shown.push(json!({
            "fate": word, "messages": count.messages, "answered": count.answered, "cost": amount(count.micros),
            "micros": count.micros,
        }));
        let cost = format!("{} {}", amount(count.micros), currency.unwrap_or_default());
        let counts = [count.messages.to_string(), count.answered.to_string(), cost.trim_end().to_owned()];
        rows.push([said.to_owned()].into_iter().chain(counts).collect());
    }
    let closings: Vec<_> = simulated
        .closings
        .iter()
        .map(|closing| {
            let prefix = if closing.is_block { "block" } else { "country" };
            json!({ "at": with_seconds(closing.at.0), "prefix": prefix, "country": closing.country })
        })
        .collect();
    for is_block in [false, true] {
        let count = simulated.closings.iter().filter(|closing| closing.is_block == is_block).count();
        let said =
            if is_block { "times that a block would have closed" } else { "times that a country would have closed" };
        rows.push(vec![said.to_owned(), count.to_string(), String::new(), String::new()]);
    }
    let json = json!({ "since": since, "currency": currency, "messages": shown, "closings": closings });
    Report::table(json, ["what would have happened", "messages", "answered", "cost"], rows)
}

/// The word for programs, and the words for people.
fn words(fate: Fate) -> (&'static str, &'static str) {
    match fate {
        Fate::Sent => ("sent", "sent"),
        Fate::OverServerCap => ("over_server_cap", "refused by the cap of the server"),
        Fate::OverClientCap => ("over_client_cap", "refused by the cap of a client"),
        Fate::OverCountryCap => ("over_country_cap", "refused by the cap of a country"),
        Fate::InClosedPrefix => ("in_closed_prefix", "refused in a closed prefix"),
    }
}
