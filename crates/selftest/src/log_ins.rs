//! A log-in that waits for a code, and the code at every endpoint at once: the first request uses it up. And guessed temporary
//! tokens in log-ins and assertions, at devices in every state: one limit covers them all.

use domain::model::time::{HOUR, SECOND};
use domain::rules::throttle::TEMP_TOKEN_PER_HOUR;
use engine::Chance;
use engine::chance::SystemChance;
use serde_json::json;

use super::api::Api;
use super::client::Request;
use super::crowd::{Crowd, judge};
use super::dashboard::Dashboard;
use super::endpoint::Endpoint;
use super::guesses::fire;
use super::report::{self, Ended};

/// Wrong temporary tokens at log-ins.
pub(super) const TOKENS: &str = "guesses at a temporary token";
/// A right one at devices that do not belong to the user.
pub(super) const NOWHERE: &str = "temporary tokens at no device of the user's";
/// A right one while it is locked.
const LOCKED: &str = "right temporary tokens while locked";
/// Open log-ins over which guesses are spread; ten are allowed (contract 5.1).
const LOG_INS: usize = 8;
/// Wrong answers in a row that lock a device (SEC 21).
const DEVICE_LOCK_AT: usize = 5;
/// An id that no device has.
const UNKNOWN: i64 = 2_147_483_646;

/// Sends the code of a log-in to the log-in's endpoint and to those of v1 and v2, and the same for an assertion where there is
/// an app.
pub(super) async fn run(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    app: Option<i64>,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    if app.is_none() {
        dashboard.note("assertions were left out: the ready file names no app");
    }
    for round in 0..rounds {
        let app = app.filter(|_| round % 2 == 1);
        let chance: &dyn Chance = &SystemChance;
        let password = chance.hex::<16>();
        let (user, name) = api.person(&password).await?;
        let mut device = api.hotp(user).await?;
        let state_token = api.log_in(&name, &password, app).await?;
        let code = device.next_code();
        let own = |api: &Api| -> Request {
            let path = if app.is_some() { "/api/1/saml_assertion/verify_factor" } else { "/api/1/login/verify_factor" };
            let body = json!({
                "state_token": state_token, "device_id": device.device, "app_id": app, "otp_token": code,
            });
            api.request("POST", path.to_owned(), &body)
        };
        let request = |api: &Api, caller: usize| match caller / api.nodes.len() % 3 {
            0 => own(api),
            1 => api.answer(&device, &Endpoint::V1, &code, caller),
            _ => api.answer(&device, &Endpoint::Post, &code, caller),
        };
        let requests = (0..crowd.size()).map(|caller| request(api, caller)).collect();
        let shots = crowd.fire(requests).await?;
        let after = (0..3).map(|endpoint| request(api, endpoint * api.nodes.len())).collect();
        let name = if app.is_some() { "code of an assertion" } else { "code of a log-in" };
        judge(api, name, shots, after, dashboard).await;
    }
    Ok(())
}

/// Sends wrong temporary tokens to open log-ins and assertions, with device 0, an active device and a locked one: as many are
/// compared as the limit says, over all of them together (SEC 24). At an unknown device and at another user's, not even the
/// right one is compared.
pub(super) async fn guesses(
    api: &mut Api,
    crowd: &mut Crowd,
    count: usize,
    app: Option<i64>,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    let chance: &dyn Chance = &SystemChance;
    let password = chance.hex::<16>();
    let (user, name) = api.person(&password).await?;
    let (usable, locked) = (api.hotp(user).await?, api.hotp(user).await?);
    let stranger = api.user().await?;
    let strangers = api.hotp(stranger).await?;
    for code in locked.wrong_codes(DEVICE_LOCK_AT) {
        let request = api.answer(&locked, &Endpoint::V1, &code, 0);
        api.settle(0, &request).await;
    }
    let mut under_way = Vec::new();
    for n in 0..LOG_INS {
        let app = app.filter(|_| n % 2 == 1);
        under_way.push((api.log_in(&name, &password, app).await?, app));
    }
    let token = api.temp_token(user).await?;
    let step = |api: &Api, n: usize, device: i64, otp: &str| {
        let (state_token, app) = &under_way[n % under_way.len()];
        let endpoint = if app.is_some() { "saml_assertion" } else { "login" };
        let body = json!({ "state_token": state_token, "device_id": device, "app_id": app, "otp_token": otp });
        api.request("POST", format!("/api/1/{endpoint}/verify_factor"), &body)
    };

    let nowhere = (0..2 * LOG_INS).map(|n| step(api, n / 2, [UNKNOWN, strangers.device][n % 2], &token)).collect();
    let shots = fire(crowd, nowhere).await?;
    dashboard.row(NOWHERE).enter(&shots, report::unseen(&shots, api.mode));

    let devices = [0, usable.device, locked.device];
    let wrong = (0..count).map(|n| format!("{}", 10_000_000 + n)).filter(|wrong| *wrong != token);
    let aimed = wrong.enumerate().map(|(n, wrong)| step(api, n / devices.len(), devices[n % devices.len()], &wrong));
    let volley = fire(crowd, aimed.collect()).await?;
    // If all five met one log-in, that one has ended, and reports that instead of the lock.
    let judged: Vec<Ended> = volley.iter().copied().filter(|ended| *ended != Ended::Refused(400)).collect();
    let found = report::guesses(&judged, TEMP_TOKEN_PER_HOUR as u64, HOUR / SECOND, api.mode);
    dashboard.row(TOKENS).enter(&volley, found);

    if volley.iter().any(|ended| matches!(ended, Ended::Locked(_))) {
        let fresh = api.log_in(&name, &password, None).await?;
        let mut shots = Vec::new();
        for (node, device) in (0..api.nodes.len()).flat_map(|node| devices.map(|device| (node, device))) {
            let body = json!({ "state_token": fresh, "device_id": device, "otp_token": token });
            let request = api.request("POST", "/api/1/login/verify_factor".to_owned(), &body);
            shots.push(api.once(node, &request).await.ended);
        }
        let found = report::while_locked(&shots, api.mode);
        dashboard.row(LOCKED).enter(&shots, found);
    }
    Ok(())
}
