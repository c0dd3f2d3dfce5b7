//! Prefixes of numbers that are hardly answered (contract 18.12, SEC 102), at the endpoints.

mod wire;

use std::sync::atomic::{AtomicU32, Ordering};

use domain::SendLimits;
use domain::rules::conversion::{AGE, REST, TRIALS};
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Setup;
use wire::{Script, Told, Wire};

async fn limited() -> Wire {
    let sends = SendLimits { device_interval: 0, device_per_ten_minutes: 0, ..SendLimits::default() };
    Wire::start_with(Setup { message_limits: true, sends, ..Setup::default() }).await
}

/// A device of a new user. Returns both ids.
async fn device(wire: &Wire, factor: i64, target: &str) -> (i64, i64) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("person{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let user = wire.call("POST", "/api/2/users", &json!({ "username": name }).to_string()).await.json()["id"].clone();
    let key = if target.contains('@') { "email" } else { "number" };
    let body = json!({ "factor_id": factor, "display_name": "Mine", key: target, "verified": true }).to_string();
    let told = wire.call("POST", &format!("/api/1/users/{user}/otp_devices"), &body).await;
    (user.as_i64().expect("an id"), told.single()["id"].as_i64().expect("an id"))
}

async fn phone(wire: &Wire, number: &str) -> (i64, i64) {
    device(wire, 2, number).await
}

async fn trigger(wire: &Wire, (user, device): (i64, i64)) -> Told {
    wire.call("POST", &format!("/api/1/users/{user}/otp_devices/{device}/trigger"), "").await
}

/// Asks for a code and answers with it.
async fn verify(wire: &Wire, (user, device): (i64, i64)) {
    let messages = || async { wire.send(Script::get(&format!("/dev/outbox?user_id={user}"))).await.json() };
    let count = |messages: &Value| messages.as_array().map_or(0, Vec::len);
    let before = count(&messages().await);
    let opened = trigger(wire, (user, device)).await;
    assert_eq!(opened.status(), 200, "{}", opened.0);
    let code = loop {
        let all = messages().await;
        if count(&all) > before {
            break all[before]["code"].clone();
        }
        tokio::task::yield_now().await;
    };
    let state_token = opened.single()["state_token"].clone();
    let body = json!({ "otp_token": code, "state_token": state_token }).to_string();
    let path = format!("/api/1/users/{user}/otp_devices/{device}/verify");
    let answered = wire.call("POST", &path, &body).await;
    assert_eq!(answered.status(), 200, "{}", answered.0);
}

/// Sends to these numbers, one message each, and lets them grow old enough to be judged.
async fn pump(wire: &Wire, numbers: impl Iterator<Item = String>) {
    for number in numbers {
        let device = phone(wire, &number).await;
        assert_eq!(trigger(wire, device).await.status(), 200, "{number}");
    }
    // What is not recorded as handed over is not judged.
    while wire.server.engine().store().waiting().await.expect("it is read").messages > 0 {
        tokio::task::yield_now().await;
    }
    wire.server.advance(AGE / 1_000);
    judge(wire).await;
}

async fn judge(wire: &Wire) {
    wire.server.engine().judge_prefixes().await.expect("they are judged");
}

#[tokio::test]
async fn a_prefix_that_is_hardly_answered_closes_and_trials_open_it() {
    let wire = limited().await;
    let numbers = |from: usize, count: usize| (from..from + count).map(|n| format!("+4915112345{n:03}"));
    let mail = device(&wire, 4, "ana@example.com").await;
    pump(&wire, numbers(0, 19)).await;
    let inside = phone(&wire, "+4915112345999").await;
    assert_eq!(trigger(&wire, inside).await.status(), 200, "never on fewer");
    pump(&wire, numbers(19, 1)).await;
    assert_snapshot!(trigger(&wire, inside).await.answer(), @r#"
429 Too Many Requests
retry-after: 900
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);
    let closed = wire.server.engine().closed_prefixes();
    assert_eq!((closed.countries.len(), closed.blocks), (0, 1), "one block closes no country");
    let events = wire.call("GET", "/api/1/events?event_type_id=90041", "").await.json();
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1), "{events}");
    assert_eq!(events["data"][0]["error_description"], "block DE", "{events}");

    // Others, and another factor of the same people.
    verify(&wire, phone(&wire, "+4915112346000").await).await;
    verify(&wire, phone(&wire, "+33612345678").await).await;
    verify(&wire, mail).await;

    // Trial messages that are not answered.
    wire.server.advance(REST / 1_000 - 1);
    assert_eq!(trigger(&wire, inside).await.status(), 429);
    wire.server.advance(1);
    wire.server.forget_tokens();
    let mut trials = Vec::new();
    for n in 0..TRIALS {
        let trial = phone(&wire, &format!("+49151123458{n:02}")).await;
        assert_eq!(trigger(&wire, trial).await.status(), 200, "{n}");
        trials.push(trial);
    }
    assert_eq!(trigger(&wire, inside).await.status(), 429);
    wire.server.advance(AGE / 1_000);
    judge(&wire).await;
    let refused = trigger(&wire, inside).await;
    assert_eq!((refused.status(), refused.0.header("retry-after")), (429, Some("900")), "{}", refused.0);

    // One that is.
    wire.server.advance(REST / 1_000);
    wire.server.forget_tokens();
    verify(&wire, trials[0]).await;
    while wire.server.engine().closed_prefixes().blocks > 0 {
        judge(&wire).await;
    }
    for n in 0..TRIALS * 2 {
        let more = phone(&wire, &format!("+49151123457{n:02}")).await;
        assert_eq!(trigger(&wire, more).await.status(), 200, "{n}");
    }
    judge(&wire).await;
    assert_eq!(wire.server.engine().closed_prefixes().blocks, 0, "what was before the trial is judged no more");
}

#[tokio::test]
async fn a_country_closes_by_many_blocks_with_a_few_messages_each() {
    let wire = limited().await;
    verify(&wire, phone(&wire, "+33612345678").await).await;
    pump(&wire, (0..20).map(|n| format!("+49151{n:02}345678"))).await;
    let closed = wire.server.engine().closed_prefixes();
    assert_eq!((closed.countries, closed.blocks), (vec!["DE"], 0));
    let elsewhere = phone(&wire, "+4930123456789").await;
    assert_eq!(trigger(&wire, elsewhere).await.status(), 429);
    verify(&wire, phone(&wire, "+33612345679").await).await;
}

#[tokio::test]
async fn a_prefix_whose_messages_are_answered_stays_open() {
    let wire = limited().await;
    for n in 0..2 {
        verify(&wire, phone(&wire, &format!("+49151123459{n:02}")).await).await;
    }
    pump(&wire, (0..18).map(|n| format!("+4915112345{n:03}"))).await;
    assert_eq!(wire.server.engine().closed_prefixes().blocks, 0, "two of twenty are a tenth");
    pump(&wire, (18..19).map(|n| format!("+4915112345{n:03}"))).await;
    assert_eq!(wire.server.engine().closed_prefixes().blocks, 1, "two of twenty-one are less");
}
