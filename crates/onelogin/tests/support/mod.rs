//! Exchanges in snapshots: as they were, without what only another test checks.

use testkit::Exchange;

/// Exchanges one after another, each under a word of why. Tokens are drawn, so only their form is shown; the quota's
/// headers and the content type have their own tests.
pub(crate) fn told(exchanges: &[(&str, Exchange)]) -> String {
    let told: Vec<_> = exchanges.iter().map(|(why, exchange)| format!("# {why}\n{}", alone(exchange))).collect();
    told.join("\n\n")
}

pub(crate) fn alone(exchange: &Exchange) -> String {
    let text = exchange.to_string();
    let untold = ["x-ratelimit-", "content-length: ", "content-type: application/json"];
    let is_told = |line: &&str| !untold.iter().any(|start| line.starts_with(start));
    let lines: Vec<_> = text.lines().filter(is_told).map(without_tokens).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Every run of 64 hexadecimal digits as `<token>`.
fn without_tokens(line: &str) -> String {
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut told = String::new();
    let mut rest = line;
    while let Some(at) = rest.as_bytes().windows(64).position(|window| window.iter().all(hex)) {
        told.push_str(&rest[..at]);
        told.push_str("<token>");
        rest = &rest[at + 64..];
    }
    told + rest
}
