//! No door opens to a password alone because of what became of the devices behind it (SEC 92): log-in and assertion, both
//! versions, and Smart MFA. The rule itself is tested with `domain`.

mod wire;

use domain::model::audit::Actor;
use domain::{DeviceId, Scope, UserId};
use serde_json::{Value, json};
use wire::{App, Told, Wire};

/// The doors that a password opens, and where each takes the factor.
const DOORS: [(&str, &str); 5] = [
    ("/api/1/login/auth", "/api/1/login/verify_factor"),
    ("/api/2/login/auth", "/api/2/login/verify_factor"),
    ("/api/1/saml_assertion", "/api/1/saml_assertion/verify_factor"),
    ("/api/2/saml_assertion", "/api/2/saml_assertion/verify_factor"),
    ("/api/2/saml-assertions", "/api/2/saml-assertions/verify_factor"),
];

async fn ask(wire: &Wire, path: &str, body: &Value) -> Told {
    wire.call_as(Scope::Authenticate, "POST", path, &body.to_string()).await
}

async fn enter(wire: &Wire, path: &str) -> Told {
    let user = wire.server.user(1);
    let body = json!({
        "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": 1
    });
    ask(wire, path, &body).await
}

/// What a door says, in either version.
fn message(told: &Told) -> String {
    let body = told.json();
    body["status"]["message"].as_str().or(body["message"].as_str()).unwrap_or_default().to_owned()
}

async fn disable(wire: &Wire, device: i64) {
    let engine = wire.server.world.engine();
    engine.disable_device(UserId(wire.user), DeviceId(device), Actor::default()).await.expect("it is disabled");
}

/// Sends wrong codes until the device has had this many in a row.
async fn guess(wire: &Wire, device: i64, app: &App, failures: usize) {
    for _ in 0..failures {
        wire.server.advance(25 * 3600);
        wire.server.forget_tokens();
        let body = json!({ "otp_token": app.wrong(wire.server.now()) }).to_string();
        let told = wire.post(&format!("1/otp_devices/{device}/verify"), &body).await;
        assert_eq!(message(&told), "Failed authentication with this factor");
    }
}

#[tokio::test]
async fn no_state_of_a_device_opens_a_door_to_the_password_alone() {
    const NEEDED: (u16, &str) = (200, "MFA is required for this user");
    const REFUSED: (u16, &str) = (400, "MFA is required but no factor is enrolled");
    for (state, expected) in [
        ("in use", NEEDED),
        ("locked", NEEDED),
        ("disabled by guesses", REFUSED),
        ("disabled by command", REFUSED),
        ("all twenty disabled", REFUSED),
        ("one of two disabled", NEEDED),
        ("deleted", (200, "Success")),
    ] {
        let wire = Wire::start().await;
        let (device, app) = wire.app().await;
        match state {
            "locked" => guess(&wire, device, &app, 5).await,
            "disabled by guesses" => guess(&wire, device, &app, 50).await,
            "disabled by command" => disable(&wire, device).await,
            "all twenty disabled" => {
                disable(&wire, device).await;
                for _ in 1..20 {
                    let (another, _) = wire.app().await;
                    disable(&wire, another).await;
                }
            }
            "one of two disabled" => {
                wire.app().await;
                disable(&wire, device).await;
            }
            "deleted" => assert_eq!(wire.delete(&format!("1/otp_devices/{device}")).await.status(), 200),
            _ => {}
        }
        wire.server.forget_tokens();
        for (door, _) in DOORS {
            let told = enter(&wire, door).await;
            assert_eq!((told.status(), message(&told).as_str()), expected, "{state}, {door}");
            if expected != (200, "Success") {
                assert!(!told.0.text.contains("session_token"), "{}", told.0);
            }
        }
    }
}

#[tokio::test]
async fn every_door_takes_a_temporary_token_where_no_device_is_usable() {
    for (door, second) in DOORS {
        let wire = Wire::start().await;
        let (device, _) = wire.app().await;
        disable(&wire, device).await;
        assert_eq!(enter(&wire, door).await.status(), 400, "{door}");
        let issued = wire.post("1/mfa_token", "").await.json()["mfa_token"].as_str().unwrap().to_owned();
        let needed = enter(&wire, door).await;
        assert_eq!((needed.status(), needed.single()["devices"].clone()), (200, json!([])), "{door}: {}", needed.0);
        let step = |otp: Option<&str>| json!({ "state_token": needed.text("state_token"), "device_id": "0", "app_id": 1, "otp_token": otp });
        let empty = ask(&wire, second, &step(None)).await;
        assert_eq!((empty.status(), message(&empty).as_str()), (400, "OTP token blank"), "{door}");
        let wrong = ask(&wire, second, &step(Some("10000000"))).await;
        assert_eq!((wrong.status(), message(&wrong).as_str()), (401, "Failed authentication with this factor"));
        let right = ask(&wire, second, &step(Some(&issued))).await;
        assert_eq!((right.status(), message(&right).as_str()), (200, "Success"), "{door}");
        assert_eq!(enter(&wire, door).await.status(), 400, "{door}: the token is used up");
    }
}

/// SEC 20, SEC 24: a token is guessed five times, whatever device and door it is tried at; a device that is not one of the
/// user's is compared with nothing.
#[tokio::test]
async fn a_temporary_token_is_guessed_five_times_at_any_door() {
    for (door, second) in DOORS {
        let wire = Wire::start().await;
        let (device, _) = wire.app().await;
        let (other, _) = wire.app().await;
        disable(&wire, device).await;
        let issued = wire.post("1/mfa_token", "").await.json()["mfa_token"].as_str().unwrap().to_owned();
        let token = enter(&wire, door).await.text("state_token");
        let step = |token: &str, device: i64, otp: &str| json!({ "state_token": token, "device_id": device, "app_id": 1, "otp_token": otp, "do_not_notify": true });
        for otp in [issued.as_str(), "10000000"] {
            let told = ask(&wire, second, &step(&token, 999_999_999, otp)).await;
            assert_eq!((told.status(), message(&told).as_str()), (400, "Factor could not be found"), "{door}");
        }
        for (guess, device) in [device, other, 0, device, other].into_iter().enumerate() {
            let wrong = (10_000_000 + guess).to_string();
            let told = ask(&wire, second, &step(&token, device, &wrong)).await;
            assert_eq!((told.status(), message(&told).as_str()), (401, "Failed authentication with this factor"));
        }
        let over = ask(&wire, second, &step(&token, device, &issued)).await;
        assert_eq!((over.status(), message(&over).as_str()), (400, "State token is invalid or expired"), "{door}");
        let fresh = enter(&wire, door).await.text("state_token");
        for device in [device, other, 0] {
            let locked = ask(&wire, second, &step(&fresh, device, &issued)).await;
            assert_eq!(message(&locked), "Failed authentication with this factor", "{door}");
            assert!(locked.0.header("retry-after").is_some(), "{door}");
        }
    }
}

/// A risky visit of somebody whose only way is disabled is refused; no second device is enrolled beside it.
#[tokio::test]
async fn smart_mfa_does_not_enrol_its_way_around_a_disabled_device() {
    let wire = Wire::start().await;
    let visit = json!({
        "user_identifier": "visitor", "phone": "+14155550142",
        "context": { "ip": "192.0.2.7", "user_agent": "a browser" }
    });
    let told = wire.call_as(Scope::ManageAll, "POST", "/api/2/smart-mfa", &visit.to_string()).await;
    assert_eq!(told.json()["mfa"]["otp_sent"], true, "{}", told.0);
    let user = UserId(told.json()["user_id"].as_i64().unwrap());
    let engine = wire.server.world.engine();
    let device = engine.devices(user).await.unwrap()[0].device.id;
    engine.disable_device(user, device, Actor::default()).await.unwrap();
    let told = wire.call_as(Scope::ManageAll, "POST", "/api/2/smart-mfa", &visit.to_string()).await;
    assert_eq!(told.status(), 429, "as under every lock: {}", told.0);
    assert_eq!(engine.devices(user).await.unwrap().len(), 1);
}
