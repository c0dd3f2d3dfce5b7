//! Held polls: `?wait=SECONDS` is answered the instant the person answers.

mod wire;

use domain::rules::client::Choice;
use std::time::Duration;

use domain::Scope;
use domain::model::audit::Actor;
use domain::model::long_poll::LongPoll;
use serde_json::json;
use testkit::Setup;
use wire::{Told, Wire};

/// Long enough that only a wake-up explains an answer before it.
const SOON: Duration = Duration::from_secs(4);

async fn push(wire: &Wire) -> i64 {
    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    device
}

async fn trigger(wire: &Wire, device: i64) -> String {
    wire.post(&format!("1/otp_devices/{device}/trigger"), "{}").await.text("state_token")
}

async fn poll(wire: &Wire, device: i64, state_token: &str, wait: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/verify?wait={wait}"), &json!({ "state_token": state_token }).to_string())
        .await
}

async fn held(wire: &Wire, polls: usize) {
    for _ in 0..400 {
        if wire.server.world.engine().held_polls() == polls {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "a call takes its place in real time")]
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} polls are held, and not {polls}", wire.server.world.engine().held_polls());
}

/// A poll that is held until the clock has been moved by so many seconds.
async fn sat_through(wire: &Wire, seconds: i64, poll: impl Future<Output = Told>) -> Told {
    let moved = async {
        held(wire, 1).await;
        wire.server.advance(seconds);
    };
    let (told, ()) = tokio::join!(tokio::time::timeout(SOON, poll), moved);
    told.expect("the clock was moved past its end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_is_answered_the_instant_the_person_answers() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    for (answer, expected) in [("accept", 200), ("deny", 401)] {
        let token = trigger(&wire, device).await;
        let polled = tokio::time::timeout(SOON, poll(&wire, device, &token, "20"));
        let answered = async {
            held(&wire, 1).await;
            wire.dev(&format!("/dev/phone/{answer}?user_id={}", wire.user), "").await;
        };
        let (polled, ()) = tokio::join!(polled, answered);
        assert_eq!(polled.expect("woken").status(), expected, "{answer}");
        held(&wire, 0).await;
        wire.server.advance(60);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_held_polls_one_collects_the_answer() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    let token = trigger(&wire, device).await;
    let wire = std::sync::Arc::new(wire);
    let mut polls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (wire, token) = (wire.clone(), token.clone());
        polls.spawn(async move { tokio::time::timeout(SOON, poll(&wire, device, &token, "20s")).await });
    }
    held(&wire, 20).await;
    wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
    let statuses: Vec<u16> = polls.join_all().await.into_iter().map(|polled| polled.expect("woken").status()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 19, "{statuses:?}");
}

/// The person may answer before, while or after the poll takes its place; the poll hears of it every time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_races_the_poll_is_never_missed() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    for round in 0..40_u32 {
        let token = trigger(&wire, device).await;
        let polled = tokio::time::timeout(SOON, poll(&wire, device, &token, "20"));
        let answered = async {
            for _ in 0..round * 3 {
                tokio::task::yield_now().await;
            }
            wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
        };
        let (polled, ()) = tokio::join!(polled, answered);
        assert_eq!(polled.expect("woken").status(), 200, "round {round}");
        wire.server.advance(60);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_that_polls_can_be_held() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    let accept = async |held_before: usize| {
        held(&wire, held_before + 1).await;
        wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
    };
    let opened = wire.post("2/verifications", &json!({ "device_id": device.to_string() }).to_string()).await;
    let path = format!("2/verifications/{}?wait=20", opened.text("id"));
    let (read, ()) = tokio::join!(tokio::time::timeout(SOON, wire.get(&path)), accept(0));
    assert_eq!(read.expect("woken").text("status"), "accepted");
    wire.server.advance(60);

    let user = wire.server.user(1);
    let auth = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" });
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/auth", &auth.to_string()).await;
    let step = json!({ "state_token": told.text("state_token"), "device_id": device }).to_string();
    let call = |wait: &str| {
        let path = format!("/api/1/login/verify_factor{wait}");
        let step = step.clone();
        let wire = &wire;
        async move { wire.call_as(Scope::Authenticate, "POST", &path, &step).await }
    };
    assert_eq!(call("").await.json()["status"]["type"], "pending");
    let (stepped, ()) = tokio::join!(tokio::time::timeout(SOON, call("?wait=20")), accept(0));
    assert_eq!(stepped.expect("woken").json()["data"][0]["status"], "Authenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unanswered_poll_is_pending_when_its_time_is_over_and_guesses_are_not_held() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    let token = trigger(&wire, device).await;
    let told = sat_through(&wire, 20, poll(&wire, device, &token, "20")).await;
    assert_eq!(
        (told.status(), told.json()["status"]["message"].as_str()),
        (401, Some("Authentication pending on OL Protect"))
    );
    for wait in ["0", "-1", "soon", ""] {
        assert_eq!(poll(&wire, device, &token, wait).await.status(), 401, "{wait}");
    }
    let (totp, _) = wire.app().await;
    let path = format!("1/otp_devices/{totp}/verify?wait=20");
    let guess = wire.post(&path, r#"{"otp_token":"000000"}"#);
    assert_eq!(tokio::time::timeout(SOON, guess).await.expect("not held").status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_leaves_no_place_taken_and_a_stopping_server_holds_nobody() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    let token = trigger(&wire, device).await;
    tokio::select! {
        () = held(&wire, 1) => {}
        told = poll(&wire, device, &token, "20") => panic!("answered {}", told.status()),
    }
    held(&wire, 0).await;
    let polled = tokio::time::timeout(SOON, poll(&wire, device, &token, "20"));
    let stopped = async {
        held(&wire, 1).await;
        wire.server.world.engine().release_polls();
    };
    let (polled, ()) = tokio::join!(polled, stopped);
    assert_eq!(polled.expect("released").status(), 401);
}

async fn choose(wire: &Wire, holding: LongPoll) {
    let client = wire.server.client(Scope::ManageAll).client_id.clone();
    let chosen = wire
        .server
        .world
        .engine()
        .choose_for_client(&client, Choice { holding: Some(holding), ..Choice::default() })
        .await;
    assert_eq!(chosen.expect("a database").expect("the dev world's client").options.holding, holding);
}

async fn chosen(wire: &Wire) -> LongPoll {
    let client = wire.server.client(Scope::ManageAll).client_id.clone();
    let clients = wire.server.world.engine().clients().await.expect("a database");
    clients.into_iter().find(|one| one.client_id == client).expect("the dev world's client").options.holding
}

/// A poll that does not say how long.
async fn plain(wire: &Wire, device: i64, state_token: &str) -> Told {
    wire.post(&format!("1/otp_devices/{device}/verify"), &json!({ "state_token": state_token }).to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_held_as_was_chosen_for_it_unless_its_call_says_otherwise() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    let token = trigger(&wire, device).await;
    for (holding, wait) in [(LongPoll::Off, ""), (LongPoll::Fixed(20_000), "?wait=0"), (LongPoll::ADAPTIVE, "?wait=0")]
    {
        choose(&wire, holding).await;
        let path = format!("1/otp_devices/{device}/verify{wait}");
        let polled = tokio::time::timeout(SOON, wire.post(&path, &json!({ "state_token": token }).to_string())).await;
        assert_eq!(polled.expect("not held").status(), 401, "{holding}");
    }
    for holding in [LongPoll::Fixed(20_000), LongPoll::ADAPTIVE] {
        choose(&wire, holding).await;
        let token = trigger(&wire, device).await;
        let polled = tokio::time::timeout(SOON, plain(&wire, device, &token));
        let accept = async {
            held(&wire, 1).await;
            wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
        };
        let (polled, ()) = tokio::join!(polled, accept);
        assert_eq!(polled.expect("woken").status(), 200, "{holding}");
        wire.server.advance(60);
    }
    choose(&wire, LongPoll::Fixed(20_000)).await;
    let token = trigger(&wire, device).await;
    assert_eq!(sat_through(&wire, 20, plain(&wire, device, &token)).await.status(), 401);
}

/// What was chosen, as soon as it is no longer `before`.
async fn learnt(wire: &Wire, before: LongPoll) -> LongPoll {
    let changed = async {
        loop {
            match chosen(wire).await {
                same if same == before => tokio::task::yield_now().await,
                other => return other,
            }
        }
    };
    tokio::time::timeout(SOON, changed).await.expect("written down")
}

/// Hangs up on a poll that is held, after so many milliseconds.
async fn hang_up(wire: &Wire, device: i64, state_token: &str, after: i64) {
    let patience = async {
        held(wire, 1).await;
        wire.server.world.clock.advance(after);
    };
    tokio::select! {
        () = patience => {}
        told = plain(wire, device, state_token) => panic!("answered {} within {after} ms", told.status()),
    }
    held(wire, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adaptive_client_is_held_longer_until_it_hangs_up_and_never_that_long_again() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    choose(&wire, LongPoll::ADAPTIVE).await;
    let token = trigger(&wire, device).await;
    for seconds in [2, 4] {
        assert_eq!(sat_through(&wire, seconds, plain(&wire, device, &token)).await.status(), 401);
    }
    hang_up(&wire, device, &token, 4_200).await;
    // The next hold would have been one of eight seconds.
    assert_eq!(sat_through(&wire, 4, plain(&wire, device, &token)).await.status(), 401);
    let ceiling = learnt(&wire, LongPoll::ADAPTIVE).await;
    assert!(matches!(ceiling, LongPoll::Adaptive { ceiling: Some(3_000 | 4_000) }), "{ceiling}");
    // A hang-up inside the first second leaves nothing to hold.
    hang_up(&wire, device, &token, 0).await;
    assert_eq!(tokio::time::timeout(SOON, plain(&wire, device, &token)).await.expect("not held").status(), 401);
    assert_eq!(learnt(&wire, ceiling).await, LongPoll::Adaptive { ceiling: Some(0) });
    // Chosen anew, it begins anew.
    choose(&wire, LongPoll::ADAPTIVE).await;
    assert_eq!(chosen(&wire).await, LongPoll::ADAPTIVE);
    hang_up(&wire, device, &token, 0).await;
}

/// SEC 57: a held call is not let in for longer than its token is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_whose_client_is_revoked_meanwhile_collects_nothing() {
    let wire = Wire::start().await;
    let device = push(&wire).await;
    let opened = wire.post("2/verifications", &json!({ "device_id": device.to_string() }).to_string()).await;
    choose(&wire, LongPoll::ADAPTIVE).await;
    let read = format!("2/verifications/{}", opened.text("id"));
    let revoked = async {
        held(&wire, 1).await;
        let client = wire.server.client(Scope::ManageAll).client_id.clone();
        wire.server.world.engine().revoke_client(&client).await.expect("a database").expect("the client exists");
        // Every change of the user wakes the poll.
        wire.server.world.engine().unlock_user(domain::UserId(wire.user), Actor::default()).await.expect("a database");
    };
    let (told, ()) = tokio::join!(tokio::time::timeout(SOON, wire.get(&read)), revoked);
    assert_eq!(told.expect("woken").status(), 401);
    #[expect(clippy::disallowed_methods, reason = "a hang-up would be written down in real time")]
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(chosen(&wire).await, LongPoll::ADAPTIVE, "it was answered, and has not hung up");
    let pushed = wire.send(wire::Script::post(&format!("/dev/phone/accept?user_id={}", wire.user))).await;
    assert_eq!(pushed.status(), 404, "SEC 56: its prompts ended with it");
}

/// Contract 4.5, 5.2, 7.10: a client in use polls sixty times with no pause that a person would notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_pauses_is_answered_at_the_tap() {
    let wire = Wire::start_with(Setup { held_as_shipped: true, ..Setup::default() }).await;
    let device = push(&wire).await;
    let token = trigger(&wire, device).await;
    let polls = async {
        for _ in 0..60 {
            match plain(&wire, device, &token).await.status() {
                401 => {}
                status => return Some(status),
            }
        }
        None
    };
    let tap = async {
        held(&wire, 1).await;
        wire.dev(&format!("/dev/phone/accept?user_id={}", wire.user), "").await;
    };
    let (answered, ()) = tokio::join!(polls, tap);
    assert_eq!(answered, Some(200), "without anything chosen for the client");
    wire.server.advance(60);
    // A client that hung up is not held again.
    let token = trigger(&wire, device).await;
    hang_up(&wire, device, &token, 0).await;
    for _ in 0..3 {
        assert_eq!(tokio::time::timeout(SOON, plain(&wire, device, &token)).await.expect("not held").status(), 401);
    }
}
