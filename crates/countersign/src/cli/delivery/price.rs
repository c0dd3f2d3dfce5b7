//! `countersign delivery price`: what a message to a number costs, over each route that may carry it.

use domain::model::price::amount;
use domain::model::text;
use domain::{Channel, Prices};
use engine::Engine;
use serde_json::json;

use crate::cli::report::{Report, or_dash};
use crate::installation::prices::PRICED;
use onelogin::wire_time::with_seconds;

pub(super) fn price(engine: &Engine, number: &str, channel: Option<Channel>) -> Result<Report, String> {
    let number = text::phone(number).ok_or("this is no telephone number; write it as +14155550123")?;
    let prices = known(engine)?;
    let asked = PRICED.into_iter().filter(|one| channel.is_none_or(|channel| channel == *one));
    let routes: Vec<_> = asked.flat_map(|channel| engine.routes().of(channel)).collect();
    if routes.is_empty() {
        return Err("no provider carries this; countersign delivery status says what to do".to_owned());
    }
    let (mut shown, mut rows) = (Vec::new(), Vec::new());
    for route in routes {
        let (channel, provider) = (route.channel(), route.provider().name());
        let price = prices.of(provider, channel, &number);
        shown.push(json!({
            "channel": channel, "provider": provider,
            "price": price.as_ref().map(|price| amount(price.micros)), "micros": price.as_ref().map(|price| price.micros),
            "prefix": price.as_ref().map(|price| &price.prefix), "line": price.as_ref().map(|price| price.line),
        }));
        let cost = price.as_ref().map(|price| format!("{} {}", amount(price.micros), prices.currency));
        let line = price.as_ref().map(|price| price.line.to_string());
        rows.push(vec![
            channel.name().to_owned(),
            provider.to_owned(),
            or_dash(cost.as_deref()),
            or_dash(price.as_ref().map(|price| price.prefix.as_str())),
            or_dash(line.as_deref()),
        ]);
    }
    let json = json!({
        "number": number, "currency": prices.currency, "source": prices.source, "as_of": day(prices), "routes": shown,
    });
    Ok(Report::table(json, ["channel", "provider", "price", "prefix", "line"], rows))
}

/// The prices, or what to do to have some.
pub(super) fn known(engine: &Engine) -> Result<&Prices, String> {
    engine.settings().prices.as_deref().ok_or_else(|| {
        "no prices are known: name a file with them in delivery.prices_file (docs/operate/limits.md)".to_owned()
    })
}

/// The day of the prices.
fn day(prices: &Prices) -> String {
    with_seconds(prices.as_of.0).chars().take(10).collect()
}
