//! Limits on messages that hold over all users (SEC 33), at every endpoint: what a caller reads, what is counted, and who
//! is alarmed.

mod wire;

use std::sync::atomic::{AtomicU32, Ordering};

use domain::model::time::{DAY, HOUR};
use domain::{Scope, SendLimits};
use insta::assert_snapshot;
use serde_json::json;
use testkit::Setup;
use wire::{Told, Wire};

const SMS: &str = r#"{"factor_id":2,"display_name":"Phone","number":"NUMBER","verified":true}"#;

async fn limited(sends: SendLimits) -> Wire {
    // Devices may be sent as many as they like: that is not what is tested here.
    let sends = SendLimits { device_interval: 0, device_per_ten_minutes: 0, ..sends };
    Wire::start_with(Setup { message_limits: true, sends, ..Setup::default() }).await
}

/// A device of a new user. Returns both ids.
async fn phone(wire: &Wire, number: &str) -> (i64, i64) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("caller{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let user = wire.call("POST", "/api/2/users", &json!({ "username": name }).to_string()).await.json()["id"].clone();
    let path = format!("/api/1/users/{user}/otp_devices");
    let told = wire.call("POST", &path, &SMS.replace("NUMBER", number)).await;
    (user.as_i64().expect("an id"), told.single()["id"].as_i64().expect("an id"))
}

async fn trigger(wire: &Wire, (user, device): (i64, i64)) -> Told {
    wire.call("POST", &format!("/api/1/users/{user}/otp_devices/{device}/trigger"), "").await
}

async fn challenge(wire: &Wire, (user, device): (i64, i64)) -> Told {
    let body = json!({ "device_id": device }).to_string();
    wire.call("POST", &format!("/api/2/mfa/users/{user}/verifications"), &body).await
}

#[tokio::test]
async fn a_number_gets_ten_messages_a_day_whoever_has_it() {
    let wire = limited(SendLimits::default()).await;
    let number = "+14155550123";
    let (first, second) = (phone(&wire, number).await, phone(&wire, number).await);
    for n in 0..5 {
        assert_eq!(trigger(&wire, first).await.status(), 200, "{n}");
        assert_eq!(challenge(&wire, second).await.status(), 201, "{n}");
    }
    assert_snapshot!(trigger(&wire, first).await.answer(), @r#"
429 Too Many Requests
retry-after: 86400
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);
    assert_snapshot!(challenge(&wire, second).await.answer(), @r#"
429 Too Many Requests
retry-after: 86400
{"statusCode":429,"name":"TooManyRequestsError","message":"Rate limit exceeded"}
"#);
    // Over v2 an enrolment sends, too.
    let body = format!(r#"{{"factor_id":3,"display_name":"Call","number":"{number}"}}"#);
    assert_snapshot!(wire.post("2/registrations", &body).await.answer(), @r#"
429 Too Many Requests
retry-after: 86400
{"statusCode":429,"name":"TooManyRequestsError","message":"Rate limit exceeded"}
"#);
    // So does a log-in.
    let told = wire.enrolled(&SMS.replace("NUMBER", number)).await;
    let token = wire.under_way().await;
    let step = json!({ "state_token": token, "device_id": told.0 }).to_string();
    let path = "/api/1/login/verify_factor";
    assert_snapshot!(wire.call_as(Scope::Authenticate, "POST", path, &step).await.answer(), @r#"
429 Too Many Requests
retry-after: 86400
{"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
"#);

    let neighbour = phone(&wire, "+14155550124").await;
    assert_eq!(trigger(&wire, neighbour).await.status(), 200);
    wire.server.advance(DAY / 1_000);
    wire.server.forget_tokens();
    assert_eq!(trigger(&wire, first).await.status(), 200);
}

#[tokio::test]
async fn an_address_is_one_without_regard_to_case() {
    let wire = limited(SendLimits { target_per_day: 2, ..SendLimits::default() }).await;
    let mail = |address: &str| format!(r#"{{"factor_id":4,"display_name":"Mail","email":"{address}"}}"#);
    let factors = wire.get("2/factors").await;
    let email = factors.json().as_array().and_then(|all| {
        all.iter()
            .find(|factor| factor["auth_factor_name"] == "OneLogin Email")
            .map(|factor| factor["factor_id"].clone())
    });
    let email = email.unwrap_or_else(|| panic!("{}", factors.0));
    let id = email.as_str().map_or_else(|| email.to_string(), str::to_owned);
    let register = |address: &str| mail(address).replace("\"factor_id\":4", &format!("\"factor_id\":{id}"));
    for (address, status) in [("ana@example.com", 201), ("Ana@Example.com", 201), ("ANA@example.com", 429)] {
        assert_eq!(wire.post("2/registrations", &register(address)).await.status(), status, "{address}");
    }
}

#[tokio::test]
async fn a_hundred_adjacent_numbers_get_so_many_an_hour() {
    let wire = limited(SendLimits { block_per_hour: 3, ..SendLimits::default() }).await;
    for number in ["+14155550700", "+14155550750", "+14155550799"] {
        let device = phone(&wire, number).await;
        assert_eq!(trigger(&wire, device).await.status(), 200);
        wire.server.advance(60);
    }
    let (refused, elsewhere) = (phone(&wire, "+14155550701").await, phone(&wire, "+14155550800").await);
    let told = trigger(&wire, refused).await;
    assert_eq!((told.status(), told.0.header("retry-after")), (429, Some("3420")), "{}", told.0);
    assert_eq!(trigger(&wire, elsewhere).await.status(), 200);
    wire.server.advance(HOUR / 1_000 - 180);
    assert_eq!(trigger(&wire, refused).await.status(), 200);
}

#[tokio::test]
async fn what_is_refused_anyway_counts_for_nobody() {
    let sends = SendLimits { target_per_day: 2, client_per_day: 2, server_per_day: 2, ..SendLimits::default() };
    let wire = Wire::start_with(Setup { message_limits: true, sends, ..Setup::default() }).await;
    let device = phone(&wire, "+14155550123").await;
    assert_eq!(trigger(&wire, device).await.status(), 200);
    for _ in 0..5 {
        assert_eq!(trigger(&wire, device).await.status(), 429, "within 30 seconds");
    }
    wire.server.advance(31);
    assert_eq!(trigger(&wire, device).await.status(), 200);
    wire.server.advance(31);
    assert_eq!(trigger(&wire, device).await.status(), 429);
}

#[tokio::test]
async fn a_day_of_a_client_ends_with_an_alarm_and_other_clients_go_on() {
    let wire = limited(SendLimits { client_per_day: 5, server_per_day: 6, ..SendLimits::default() }).await;
    let device = phone(&wire, "+14155550123").await;
    for n in 1..=5 {
        assert_eq!(trigger(&wire, device).await.status(), 200, "{n}");
        let alarms: Vec<_> = wire.budgets().await.into_iter().map(|(_, taken, alarm)| (taken, alarm)).collect();
        let percent = |limit: i64| {
            if n >= limit {
                100
            } else if n * 5 >= limit * 4 {
                80
            } else {
                0
            }
        };
        assert_eq!(alarms, [(n, percent(6)), (n, percent(5))]);
    }
    // 09:30, so fourteen and a half hours.
    let refused = trigger(&wire, device).await;
    assert_eq!((refused.status(), refused.0.header("retry-after")), (429, Some("52200")), "{}", refused.0);
    let path = format!("/api/1/users/{}/otp_devices/{}/trigger", device.0, device.1);
    let other = wire.call_as(Scope::ManageUsers, "POST", &path, "").await;
    assert_eq!(other.status(), 200, "{}", other.0);
    let last = wire.call_as(Scope::ManageUsers, "POST", &path, "").await;
    assert_eq!(last.status(), 429, "the server's day is over as well");

    let events = wire.call("GET", "/api/1/events?event_type_id=90034", "").await.json();
    let at: Vec<_> =
        events["data"].as_array().into_iter().flatten().map(|event| event["event_type_id"].clone()).collect();
    assert_eq!(at, [json!(90_034), json!(90_034)], "{events}");
    let events = wire.call("GET", "/api/1/events?event_type_id=90033", "").await.json();
    assert_eq!(events["data"].as_array().map(Vec::len), Some(2), "{events}");
    wire.server.advance(52_200);
    wire.server.forget_tokens();
    assert_eq!(trigger(&wire, device).await.status(), 200, "another day");
}

/// All of them are counted before the first is decided; those that send nothing in the end count no more.
#[tokio::test]
async fn a_crowd_at_one_device_uses_up_one_message() {
    let sends = SendLimits { target_per_day: 9, client_per_day: 9, ..SendLimits::default() };
    let wire = std::sync::Arc::new(Wire::start_with(Setup { message_limits: true, sends, ..Setup::default() }).await);
    let device = phone(&wire, "+14155550123").await;
    for round in 0..4 {
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let wire = wire.clone();
            crowd.spawn(async move { trigger(&wire, device).await.status() });
        }
        let answers = crowd.join_all().await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "round {round}: {answers:?}");
        wire.server.advance(130);
    }
}

/// What a recipient may not have takes nothing of the day from others, not even for a moment, and raises no alarm.
#[tokio::test]
async fn a_crowd_that_one_number_refuses_leaves_the_day_to_others() {
    let sends = SendLimits { target_per_day: 3, client_per_day: 5, ..SendLimits::default() };
    let wire = std::sync::Arc::new(limited(sends).await);
    let mut devices = Vec::new();
    for _ in 0..12 {
        devices.push(phone(&wire, "+14155550123").await);
    }
    let mut crowd = tokio::task::JoinSet::new();
    for device in devices {
        let wire = wire.clone();
        crowd.spawn(async move {
            let told = trigger(&wire, device).await;
            (told.status(), told.0.header("retry-after").map(str::to_owned))
        });
    }
    let mut answers = crowd.join_all().await;
    answers.sort_unstable();
    let refused = (429, Some("86400".to_owned()));
    assert_eq!(answers, [vec![(200, None); 3], vec![refused; 9]].concat(), "never the day's");
    let budgets: Vec<_> = wire.budgets().await.into_iter().map(|(_, taken, alarm)| (taken, alarm)).collect();
    assert_eq!(budgets.last(), Some(&(3, 0)), "{budgets:?}");
    let elsewhere = phone(&wire, "+14155559000").await;
    assert_eq!(trigger(&wire, elsewhere).await.status(), 200);
}

#[tokio::test]
async fn a_crowd_is_sent_no_more_than_the_limit() {
    let wire = std::sync::Arc::new(limited(SendLimits::default()).await);
    let mut devices = Vec::new();
    for _ in 0..24 {
        devices.push(phone(&wire, "+14155550123").await);
    }
    let mut crowd = tokio::task::JoinSet::new();
    for device in devices {
        let wire = wire.clone();
        crowd.spawn(async move { trigger(&wire, device).await.status() });
    }
    let answers = crowd.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 10, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 14, "{answers:?}");
}
