//! Single-use things that need a telephone: codes by text message and accepted prompts. Only a dev world has the outbox and the
//! simulated phone for them.

use domain::FactorKind;
use engine::Clock as _;
use engine::clock::SystemClock;
use serde_json::{Value, json};

use super::api::{Api, number, text};
use super::client::Request;
use super::crowd::{Crowd, judge};
use super::dashboard::Dashboard;

/// Time for which polls are held before the person answers, in milliseconds.
const HELD_FOR: i64 = 150;

/// Rounds that a fault may spoil: a message that a node had claimed when it died comes half a minute late.
struct Spoiled {
    left: u64,
}

impl Spoiled {
    fn of(rounds: u64) -> Self {
        Self { left: rounds / 2 }
    }

    /// Swallows an error of a round, if faults are expected and not too many rounds were spoiled.
    fn tolerate(&mut self, api: &Api, ended: anyhow::Result<()>) -> anyhow::Result<()> {
        match ended {
            Err(_) if api.roams() && self.left > 0 => {
                self.left -= 1;
                Ok(())
            }
            ended => ended,
        }
    }
}

/// A code by text message, over v1 and v2.
pub(super) async fn messages(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    let mut spoiled = Spoiled::of(rounds);
    for round in 0..rounds {
        let ended = message(api, crowd, round, dashboard).await;
        spoiled.tolerate(api, ended)?;
    }
    Ok(())
}

async fn message(api: &mut Api, crowd: &mut Crowd, round: u64, dashboard: &mut Dashboard) -> anyhow::Result<()> {
    let user = api.user().await?;
    let body = json!({
        "factor_id": FactorKind::Sms.number(),
        "display_name": "torture",
        "number": format!("+1415555{:04}", round % 10_000),
        "verified": true,
    });
    let device = number(&api.enrol(user, &body).await?, "/data/0/id")?;
    let v2 = format!("/api/2/mfa/users/{user}/verifications");
    // The version's endpoint names the verification; the two others find it by user and device.
    let (method, path, state_token) = if round.is_multiple_of(2) {
        let state_token = api.trigger(user, device).await?;
        ("POST", format!("/api/1/users/{user}/otp_devices/{device}/verify"), Some(state_token))
    } else {
        let Some(id) = api.open(user, device).await? else { return Ok(()) };
        ("PUT", format!("{v2}/{id}"), None)
    };
    let outbox = format!("/dev/outbox?channel=sms&user_id={user}&wait=10s");
    let messages = api.dev("GET", outbox, &Value::Null).await?;
    // A repeated call has sent several messages; the newest counts.
    let last = messages.as_array().map_or(0, Vec::len).saturating_sub(1);
    let code = text(&messages, &format!("/{last}/code"))?;
    let request = |api: &Api, caller: usize| match caller / api.nodes.len() % 3 {
        0 => api.request(method, path.clone(), &json!({ "otp": code, "state_token": state_token })),
        1 => api.request("POST", v2.clone(), &json!({ "otp": code })),
        _ => api.request("POST", v2.clone(), &json!({ "otp": code, "device_id": device.to_string() })),
    };
    let requests = (0..crowd.size()).map(|caller| request(api, caller)).collect();
    let shots = crowd.fire(requests).await?;
    let after = (0..3).map(|endpoint| request(api, endpoint * api.nodes.len())).collect();
    judge(api, "code by SMS", shots, after, dashboard).await;
    Ok(())
}

/// An accepted prompt: one poll collects it.
pub(super) async fn prompts(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    let mut spoiled = Spoiled::of(rounds);
    for round in 0..rounds {
        let ended = prompt(api, crowd, round % 2 == 1, dashboard).await;
        spoiled.tolerate(api, ended)?;
    }
    Ok(())
}

async fn prompt(api: &mut Api, crowd: &mut Crowd, held: bool, dashboard: &mut Dashboard) -> anyhow::Result<()> {
    let user = api.user().await?;
    let body = json!({ "factor_id": FactorKind::Push.number(), "display_name": "torture" });
    let enrolled = api.enrol(user, &body).await?;
    let device = number(&enrolled, "/data/0/id")?;
    api.dev("POST", "/dev/phone/pair".to_owned(), &enrolled).await?;
    let state_token = api.trigger(user, device).await?;
    let accept = format!("/dev/phone/accept?user_id={user}");
    let path = format!("/api/1/users/{user}/otp_devices/{device}/verify");
    let poll = api.request("POST", path.clone(), &json!({ "state_token": state_token }));
    let polls = |poll: &Request| vec![poll.clone(); crowd.size()];
    if held {
        // The person answers while all of them wait.
        let poll_held = api.request("POST", format!("{path}?wait=10"), &json!({ "state_token": state_token }));
        let polls = polls(&poll_held);
        let answered = async {
            SystemClock.sleep(HELD_FOR).await;
            api.dev("POST", accept, &Value::Null).await
        };
        let (shots, answered) = tokio::join!(crowd.fire(polls), answered);
        answered?;
        judge(api, "push accepted while polls are held", shots?, vec![poll], dashboard).await;
    } else {
        api.dev("POST", accept, &Value::Null).await?;
        let polls = polls(&poll);
        let shots = crowd.fire(polls).await?;
        judge(api, "accepted push", shots, vec![poll], dashboard).await;
    }
    Ok(())
}
