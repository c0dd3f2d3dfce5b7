//! Reads the arguments of `countersign client`.

use domain::rules::client::{Expiry, WebOtp};
use domain::{Network, Timestamp, WebOtpHost};
use engine::BadNetwork;
use onelogin::wire_time;

/// A value of `--allow-ip`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Allowed {
    /// `none`: no list.
    Any,
    Network(Network),
}

/// Whether a sent message is called `pending`.
pub(super) fn parse_sent_type(text: &str) -> Result<bool, &'static str> {
    match text {
        "pending" => Ok(true),
        "success" => Ok(false),
        _ => Err("a sent message is called success or pending"),
    }
}

pub(super) fn on_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it is on or off"),
    }
}

pub(super) fn parse_allowed(text: &str) -> Result<Allowed, BadNetwork> {
    if text.eq_ignore_ascii_case("none") { Ok(Allowed::Any) } else { text.parse().map(Allowed::Network) }
}

/// The list of networks in the values of `--allow-ip`; empty for `none`.
pub(super) fn networks(values: &[Allowed]) -> anyhow::Result<Vec<Network>> {
    let networks: Vec<Network> = values
        .iter()
        .filter_map(|value| if let Allowed::Network(network) = value { Some(*network) } else { None })
        .collect();
    let is_mixed = !networks.is_empty() && networks.len() < values.len();
    anyhow::ensure!(!is_mixed, "--allow-ip takes networks, or `none` alone");
    Ok(networks)
}

pub(super) fn parse_expiry(text: &str) -> Result<Expiry, &'static str> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Expiry::Never);
    }
    let at = wire_time::read(text).map(|at| Expiry::At(Timestamp(at)));
    at.ok_or("write a time as 2027-01-01T09:00:00Z, or a date, or `none`")
}

pub(super) fn parse_webotp(text: &str) -> Result<WebOtp, &'static str> {
    if text.eq_ignore_ascii_case("none") { Ok(WebOtp::Unbound) } else { WebOtpHost::parse(text).map(WebOtp::Host) }
}
