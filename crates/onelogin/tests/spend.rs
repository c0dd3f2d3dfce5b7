//! Caps on what messages cost (contract 18.11, SEC 101), at the endpoints: what a caller reads, what is counted, and who is
//! alarmed.

mod wire;

use std::sync::atomic::{AtomicU32, Ordering};

use domain::model::price::UNIT;
use domain::{Scope, SendLimits, SpendCaps};
use engine::SpendOwner;
use insta::assert_snapshot;
use serde_json::json;
use testkit::Setup;
use wire::{Told, Wire};

/// Ten units for any number, one for Germany, over the dev world's gateway; a call costs two there.
const PRICES: &str = "dev,,+,10000000\ndev,sms,+49,1000000\ndev,voice,+49,2000000\n";

async fn capped(caps: SpendCaps) -> Wire {
    let sends = SendLimits { device_interval: 0, device_per_ten_minutes: 0, ..SendLimits::default() };
    Wire::start_with(Setup { message_limits: true, sends, caps, prices: Some(PRICES), ..Setup::default() }).await
}

/// A telephone of a new user that gets text messages. Returns both ids.
async fn phone(wire: &Wire, number: &str) -> (i64, i64) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("caller{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let user = wire.call("POST", "/api/2/users", &json!({ "username": name }).to_string()).await.json()["id"].clone();
    let body = json!({ "factor_id": 2, "display_name": "Phone", "number": number, "verified": true }).to_string();
    let told = wire.call("POST", &format!("/api/1/users/{user}/otp_devices"), &body).await;
    (user.as_i64().expect("an id"), told.single()["id"].as_i64().expect("an id"))
}

async fn trigger(wire: &Wire, (user, device): (i64, i64)) -> Told {
    wire.call("POST", &format!("/api/1/users/{user}/otp_devices/{device}/trigger"), "").await
}

/// Owner, micro-units taken, and alarm.
async fn caps(wire: &Wire) -> Vec<(SpendOwner, i64, u8)> {
    let budgets = wire.server.engine().spend_budgets().await.expect("they are read");
    budgets.into_iter().map(|budget| (budget.owner, budget.taken / UNIT, budget.alarm)).collect()
}

#[tokio::test]
async fn a_cap_ends_the_day_of_a_country_and_others_go_on() {
    let wire = capped(SpendCaps { country: 5 * UNIT, ..SpendCaps::default() }).await;
    let berlin = phone(&wire, "+4915112345678").await;
    for n in 1..=5 {
        assert_eq!(trigger(&wire, berlin).await.status(), 200, "{n}");
        let alarm = [0, 0, 0, 80, 100][n - 1];
        let taken = i64::try_from(n).expect("small");
        assert_eq!(caps(&wire).await, [(SpendOwner::Country("DE"), taken, alarm)]);
    }
    // 09:30, so fourteen and a half hours.
    assert_snapshot!(trigger(&wire, berlin).await.answer(), @r#"
429 Too Many Requests
retry-after: 52200
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);
    let boston = phone(&wire, "+16175550123").await;
    assert_eq!(trigger(&wire, boston).await.status(), 429, "one message costs more than the cap");
    for (id, count) in [(90_039, 1), (90_040, 2)] {
        let events = wire.call("GET", &format!("/api/1/events?event_type_id={id}"), "").await.json();
        assert_eq!(events["data"].as_array().map(Vec::len), Some(count), "{events}");
        assert_eq!(events["data"][0]["error_description"], "DE", "{events}");
    }
    wire.server.advance(52_200);
    wire.server.forget_tokens();
    assert_eq!(trigger(&wire, berlin).await.status(), 200, "another day");
}

#[tokio::test]
async fn a_cap_of_a_client_leaves_other_clients_theirs_and_the_servers_is_for_all() {
    let wire = capped(SpendCaps { client: 3 * UNIT, server: 4 * UNIT, ..SpendCaps::default() }).await;
    let berlin = phone(&wire, "+4915112345678").await;
    for n in 1..=3 {
        assert_eq!(trigger(&wire, berlin).await.status(), 200, "{n}");
    }
    assert_eq!(trigger(&wire, berlin).await.status(), 429);
    let path = format!("/api/1/users/{}/otp_devices/{}/trigger", berlin.0, berlin.1);
    let other = || wire.call_as(Scope::ManageUsers, "POST", &path, "");
    assert_eq!(other().await.status(), 200);
    assert_eq!(other().await.status(), 429, "the server's day is over as well");
    let taken: Vec<_> = caps(&wire).await.into_iter().map(|(_, taken, alarm)| (taken, alarm)).collect();
    assert_eq!(taken[0], (4, 100), "the server's");
    assert!(taken[1..].contains(&(3, 100)) && taken[1..].contains(&(2, 0)), "{taken:?}");
}

/// What a cap refuses counts for no number, and what is refused for a number takes nothing of a cap.
#[tokio::test]
async fn what_is_refused_costs_nothing_and_counts_for_nobody() {
    let sends =
        SendLimits { device_interval: 0, device_per_ten_minutes: 0, target_per_day: 2, ..SendLimits::default() };
    let caps_of_two = SpendCaps { country: 3 * UNIT, ..SpendCaps::default() };
    let setup = Setup { message_limits: true, sends, caps: caps_of_two, prices: Some(PRICES), ..Setup::default() };
    let wire = Wire::start_with(setup).await;
    let (berlin, bonn) = (phone(&wire, "+4915112345678").await, phone(&wire, "+4915112349999").await);
    for status in [200, 200, 429, 429] {
        assert_eq!(trigger(&wire, berlin).await.status(), status);
    }
    assert_eq!(caps(&wire).await, [(SpendOwner::Country("DE"), 2, 0)]);
    for status in [200, 429, 429] {
        assert_eq!(trigger(&wire, bonn).await.status(), status);
    }
    let spent = wire.server.engine().spending(testkit::BEGINNING).await.expect("it is read");
    assert_eq!(spent.iter().map(|one| one.messages).sum::<u64>(), 3);
    let until = wire.server.now();
    assert!(
        spent.iter().all(|one| one.country == "DE" && one.micros == UNIT * i64::try_from(one.messages).unwrap_or(0))
    );
    assert!(wire.server.engine().spending(until.plus(1)).await.expect("it is read").is_empty());
}

/// All of them are counted before the first is decided.
#[tokio::test]
async fn a_crowd_never_spends_more_than_the_cap() {
    let wire = std::sync::Arc::new(capped(SpendCaps { server: 10 * UNIT, ..SpendCaps::default() }).await);
    let mut crowd = tokio::task::JoinSet::new();
    for n in 0..24 {
        let device = phone(&wire, &format!("+4915112{n:02}5678")).await;
        let wire = wire.clone();
        crowd.spawn(async move { trigger(&wire, device).await.status() });
    }
    let answers = crowd.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 10, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 14, "{answers:?}");
}
