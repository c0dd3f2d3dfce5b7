//! `countersign delivery spend`: what messages to telephones cost, and how the day's caps stand.

use std::collections::BTreeMap;

use domain::ClientId;
use domain::model::price::amount;
use domain::model::time::{DAY, HOUR, MINUTE};
use engine::{Engine, SpendBudget, SpendOwner, Spending};
use onelogin::wire_time::with_seconds;
use serde_json::{Value, json};

use super::price::known;
use crate::cli::report::{Report, or_dash, sentence};

/// A span of time as `24h`, in milliseconds. Messages are kept for a day, so there is nothing before.
pub(super) fn span(text: &str) -> Result<i64, String> {
    let unit = match text.chars().last() {
        Some('h') => HOUR,
        Some('m') => MINUTE,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse::<i64>().ok());
    let span = number.and_then(|number| number.checked_mul(unit)).filter(|span| (1..=DAY).contains(span));
    span.ok_or_else(|| "write hours or minutes up to a day, as 24h or 90m: messages are kept for a day".to_owned())
}

/// What messages of one kind cost.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    messages: u64,
    verified: u64,
    micros: i64,
}

/// Whose messages a line is about: which kind of owner, in the order of the table, and the name.
type Owner = (&'static str, Option<String>);

pub(super) async fn spend(engine: &Engine, span: i64) -> Result<Report, String> {
    let prices = known(engine)?;
    let (since, currency) = (engine.now().plus(-span), &prices.currency);
    let spent = engine.spending(since).await.map_err(sentence)?;
    let budgets = engine.spend_budgets().await.map_err(sentence)?;
    let clients = engine.clients().await.map_err(sentence)?;
    let name = |id: ClientId| {
        let client = clients.iter().find(|client| client.id == id);
        // Several may have one name.
        client.map_or_else(|| id.0.to_string(), |client| format!("{} ({}…)", client.name, &client.client_id[..8]))
    };
    let mut sums: BTreeMap<(usize, Owner), Sum> = BTreeMap::new();
    sums.entry((0, ("all", None))).or_default();
    for one in &spent {
        let owners: [Owner; 4] = [
            ("all", None),
            ("provider", one.provider.clone()),
            ("country", Some(one.country.clone())),
            ("client", one.client.map(&name)),
        ];
        for owner in owners.into_iter().enumerate() {
            let sum = sums.entry(owner).or_default();
            sum.messages += one.messages;
            sum.verified += one.verified;
            sum.micros += one.micros;
        }
    }
    let owner_of = |budget: &SpendBudget| -> (usize, Owner) {
        match budget.owner {
            SpendOwner::Server => (0, ("all", None)),
            SpendOwner::Country(country) => (2, ("country", Some(country.to_owned()))),
            SpendOwner::Client(client) => (3, ("client", Some(name(client)))),
        }
    };
    for budget in &budgets {
        sums.entry(owner_of(budget)).or_default();
    }
    let mut rows = Vec::new();
    for ((place, owner), sum) in &sums {
        let budget = budgets.iter().find(|budget| owner_of(budget) == (*place, owner.clone()));
        let cap = budget.map(|budget| format!("{} {currency}", amount(budget.cap)));
        let taken = budget.map(|budget| format!("{} %", percent(budget)));
        rows.push(vec![
            owner.0.to_owned(),
            or_dash(owner.1.as_deref()),
            sum.messages.to_string(),
            sum.verified.to_string(),
            format!("{} {currency}", amount(sum.micros)),
            or_dash(cap.as_deref()),
            or_dash(taken.as_deref()),
        ]);
    }
    let header = ["of", "name", "messages", "verified", "spent", "cap of today", "taken of it"];
    let json = json!({
        "since": with_seconds(since.0), "currency": currency,
        "spent": spent.iter().map(|one| shown(one, &name)).collect::<Vec<_>>(),
        "caps": budgets.iter().map(|budget| cap(budget, &name)).collect::<Vec<_>>(),
    });
    Ok(Report::table(json, header, rows))
}

/// How much of a cap is taken, in whole percent.
fn percent(budget: &SpendBudget) -> i64 {
    budget.taken.saturating_mul(100) / budget.cap.max(1)
}

fn shown(one: &Spending, name: &impl Fn(ClientId) -> String) -> Value {
    json!({
        "provider": one.provider, "channel": one.channel, "country": one.country, "client": one.client.map(name),
        "messages": one.messages, "verified": one.verified, "spent": amount(one.micros), "micros": one.micros,
    })
}

fn cap(budget: &SpendBudget, name: &impl Fn(ClientId) -> String) -> Value {
    let (client, country) = match budget.owner {
        SpendOwner::Server => (None, None),
        SpendOwner::Client(client) => (Some(name(client)), None),
        SpendOwner::Country(country) => (None, Some(country)),
    };
    json!({
        "client": client, "country": country, "cap": amount(budget.cap), "taken": amount(budget.taken),
        "percent": percent(budget), "alarm": budget.alarm,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_at_most_a_day() {
        assert_eq!((span("24h"), span("90m")), (Ok(DAY), Ok(90 * MINUTE)));
        for wrong in ["25h", "0h", "-1h", "24", "h", "", "1d", "é", "9999999999999999999h"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
