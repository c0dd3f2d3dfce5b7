//! The other single-use things that need no telephone: state tokens, registrations, temporary tokens, refresh tokens (SEC 5).

use anyhow::Context as _;
use domain::model::totp::Totp;
use domain::{FactorKind, Secret, Timestamp};
use engine::Clock as _;
use engine::clock::SystemClock;
use serde_json::{Value, json};

use super::api::{Api, number, plain, text};
use super::client::Request;
use super::crowd::{Crowd, judge};
use super::dashboard::Dashboard;
use super::device::HotpDevice;
use super::endpoint::Endpoint;
use super::report::{Ended, Mode};
use super::shot::{Shot, endings};

/// Codes sent at once for one state token: all within the look-ahead, each right by itself.
const CODES: usize = 6;
/// Callers that share a pair of tokens. A pair that was revoked counts as a wrong secret of its address (SEC 30).
const REFRESHERS: usize = 16;
/// Rounds of refresh tokens, for the same reason.
const REFRESH_ROUNDS: u64 = 8;
/// How long nodes may still accept an ended token from their caches, in milliseconds (SEC 57), with a margin.
const REVOKED_WITHIN: i64 = 1_500;
/// Default lifetime of a registration, in seconds (contract 7.2).
const REGISTRATION_LIFE: i64 = 120;

/// One state token, several right codes at once: one is accepted, and the token has ended.
pub(super) async fn state_tokens(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    for _ in 0..rounds {
        let user = api.user().await?;
        let mut device = api.hotp(user).await?;
        let state_token = api.trigger(user, device.device).await?;
        let path = format!("/api/1/users/{user}/otp_devices/{}/verify", device.device);
        let codes: Vec<String> = (0..CODES).map(|_| device.next_code()).collect();
        let with = |api: &Api, code: &str| {
            api.request("POST", path.clone(), &json!({ "otp_token": code, "state_token": state_token }))
        };
        let requests = (0..crowd.size()).map(|caller| with(api, &codes[caller % CODES])).collect();
        let shots = crowd.fire(requests).await?;
        // A new code does not revive the token.
        let after = with(api, &device.next_code());
        judge(api, "state token", shots, vec![after], dashboard).await;
    }
    Ok(())
}

/// A registration that many confirm: it yields one device, and uses up the code (SEC 2).
pub(super) async fn registrations(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    for round in 0..rounds {
        let user = api.user().await?;
        let factor = if round % 2 == 0 { FactorKind::Totp } else { FactorKind::Hotp };
        let registration = api.register(user, factor).await?;
        let code = match factor {
            FactorKind::Totp => totp_code(&registration.secret, &registration.expires_at)?,
            _ => HotpDevice::new(user, 0, registration.secret, 0).next_code(),
        };
        let path = format!("/api/2/mfa/users/{user}/registrations/{}", registration.id);
        let request = api.request("PUT", path, &json!({ "otp": code }));
        let shots = crowd.fire(vec![request.clone(); crowd.size()]).await?;
        let mut after = vec![request];
        if let Some(winner) = shots.iter().find(|shot| shot.ended == Ended::Accepted) {
            let device =
                number(&winner.answer.as_ref().context("an acceptance without an answer")?.json(), "/device_id")?;
            let device = HotpDevice::new(user, device, Secret::new(Vec::new()), 0);
            after.extend([Endpoint::V1, Endpoint::Post].map(|endpoint| api.answer(&device, &endpoint, &code, 0)));
        }
        let name = if factor == FactorKind::Totp { "registration (TOTP)" } else { "registration (HOTP)" };
        judge(api, name, shots, after, dashboard).await;
    }
    Ok(())
}

/// The code at the moment when the server answered. The end of the registration shows the server's time.
fn totp_code(secret: &Secret, expires_at: &str) -> anyhow::Result<String> {
    let ends = unix_seconds(expires_at).with_context(|| format!("{expires_at} is not a time"))?;
    let now = Timestamp((ends - REGISTRATION_LIFE) * domain::model::time::SECOND);
    Ok(Totp::with_secret(secret.clone()).code(now))
}

/// `2026-03-01T09:30:00Z` in seconds since 1970.
fn unix_seconds(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    // Years start in March, so that the leap day is the last (Howard Hinnant's `days_from_civil`).
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + part(11, 13)?) * 60 + part(14, 16)?) * 60 + part(17, 19)?)
}

/// A temporary token that works once, at both of its endpoints.
pub(super) async fn temp_tokens(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    for _ in 0..rounds {
        let user = api.user().await?;
        let token = api.temp_token(user).await?;
        let request = |api: &Api, caller: usize| match caller / api.nodes.len() % 2 {
            0 => {
                let path = format!("/api/1/users/{user}/otp_devices/0/verify");
                api.request("POST", path, &json!({ "otp_token": token }))
            }
            _ => api.request("POST", format!("/api/2/mfa/users/{user}/verifications"), &json!({ "otp": token })),
        };
        let requests = (0..crowd.size()).map(|caller| request(api, caller)).collect();
        let shots = crowd.fire(requests).await?;
        let after = vec![request(api, 0), request(api, api.nodes.len())];
        judge(api, "temporary token", shots, after, dashboard).await;
    }
    Ok(())
}

/// A pair of tokens that many refresh at once, as processes that share a client do: all get the one pair that replaced it, also
/// later. Revoking that pair ends all its predecessors (contract 2.1, 2.3).
pub(super) async fn refresh_tokens(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    for _ in 0..rounds.min(REFRESH_ROUNDS) {
        api.renew_token().await?;
        let tokens = api.tokens().await?;
        let body = json!({
            "grant_type": "refresh_token", "access_token": tokens.access, "refresh_token": tokens.refresh,
        });
        let request = plain("POST", "/auth/oauth2/v2/token".to_owned(), &body);
        let mut shots = crowd.fire(vec![request.clone(); REFRESHERS.min(crowd.size())]).await?;
        shots.push(api.once(0, &request).await);
        let (found, successor) = one_successor(&shots, api.mode);
        dashboard.row("refresh token").enter(&endings(&shots), found);
        if let Some(successor) = successor {
            pair_has_ended(api, &successor, &request, dashboard).await?;
        }
    }
    Ok(())
}

/// Violations in the answers to one refresh, and the access token of the new pair.
fn one_successor(shots: &[Shot], mode: Mode) -> (Vec<String>, Option<String>) {
    let accepted: Vec<&Shot> = shots.iter().filter(|shot| shot.ended == Ended::Accepted).collect();
    let mut sets: Vec<String> =
        accepted.iter().filter_map(|shot| text(&shot.answer.as_ref()?.json(), "/access_token").ok()).collect();
    sets.sort_unstable();
    sets.dedup();
    let mut found = Vec::new();
    if sets.len() > 1 {
        found.push(format!("{} pairs replaced one pair", sets.len()));
    }
    if mode == Mode::FaultFree && accepted.len() < shots.len() {
        found.push(format!("{} of {} were not answered with its successor", shots.len() - accepted.len(), shots.len()));
    }
    (found, sets.into_iter().next())
}

/// After a revocation the newest pair does not work, and an older pair cannot be refreshed.
async fn pair_has_ended(
    api: &mut Api,
    successor: &str,
    refresh: &Request,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    let revoked = api.revoke(successor).await?;
    SystemClock.sleep(REVOKED_WITHIN).await;
    let mut listing = plain("GET", "/api/2/users?limit=1".to_owned(), &Value::Null);
    listing.token = Some(std::sync::Arc::from(successor));
    let mut ended = Vec::new();
    for node in 0..api.nodes.len() {
        ended.push(api.once(node, &listing).await.ended);
        ended.push(api.once(node, refresh).await.ended);
    }
    let alive = ended.iter().filter(|ended| **ended == Ended::Accepted).count();
    let found = if revoked && alive > 0 { vec![format!("{alive} calls still accept it")] } else { Vec::new() };
    dashboard.row("tokens after a revocation").enter(&ended, found);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_the_wire_is_read() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2016-01-26T02:21:47Z"), Some(1_453_774_907));
        assert_eq!(unix_seconds("2024-02-29T00:00:00Z"), Some(1_709_164_800));
        assert_eq!(unix_seconds("2026-03-01T09:30:00Z"), Some(1_772_357_400));
        assert_eq!(unix_seconds("soon"), None);
    }
}
