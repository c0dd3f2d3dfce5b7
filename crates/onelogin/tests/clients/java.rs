//! Replay of onelogin-java-sdk 2.1.0 (Java); name override.
//!
//! Both versions, chosen per call. It sends nulls for what it was not given, compares messages word by word, casts
//! every value of `factor_data` to a text, and looks headers up in the case they came in.

use serde_json::{Value, json};

use crate::caller::{
    As, Client, Habits, at_the_phone, data, documented, is_assertion, message, phone, reads, telephone, text, words,
    words_for,
};
use crate::wire::{App, Wire};

const HABITS: Habits =
    Habits { token_path: "/auth/oauth2/v2/token", credentials: documented, bearer: "bearer ", headers: &[] };

fn mfa(wire: &Wire, rest: &str) -> String {
    format!("/api/2/mfa/users/{}/{rest}", wire.user)
}

#[tokio::test]
async fn oauth_tokens_are_refreshed() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "oauth", HABITS).await;
    let pair = json!({ "grant_type": "refresh_token", "access_token": client.token(), "refresh_token": client.granted["refresh_token"] });
    let told = wire.send(crate::wire::Script::post("/auth/oauth2/v2/token").json(&pair.to_string())).await;
    reads(
        &told.json(),
        &[
            ("access_token", As::Text),
            ("refresh_token", As::Text),
            ("created_at", As::Text),
            ("expires_in", As::Integer),
        ],
    );
}

#[tokio::test]
async fn users_of_both_versions_are_paged() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "users", HABITS).await;
    let page = client.get("/api/1/users?limit=2").await.json()["pagination"].clone();
    // Its getters throw where a key is missing; null is well.
    for key in ["before_cursor", "after_cursor", "previous_link", "next_link"] {
        assert!(page.get(key).is_some(), "{key} is missing in {page}");
    }
    let told = client.get("/api/2/users?limit=2").await;
    let names: Vec<&str> = told.0.headers.keys().map(axum::http::HeaderName::as_str).collect();
    assert!(names.contains(&"after-cursor"), "looked up in lower case: {names:?}");
    let user = client.get(&format!("/api/2/users/{}", wire.user)).await.json();
    let attributes = user["custom_attributes"].as_object().expect("an object").clone();
    assert!(attributes.values().all(Value::is_string), "cast to texts");
    assert!(user["role_ids"].is_array());
}

#[tokio::test]
async fn mfa_v1_results_exist_only_with_the_words_it_knows() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v1", HABITS).await;
    let of_user = format!("/api/1/users/{}", wire.user);
    let wanted = json!({ "factor_id": 4, "display_name": "Ben", "number": null, "verified": null, "expires_in": null, "custom_message": null });
    let enrolled = client.post(&format!("{of_user}/otp_devices"), &wanted).await;
    assert_eq!(message(&enrolled), "Success");
    let path = format!("{of_user}/otp_devices/{}", data(&enrolled)[0]["id"]);
    let (triggered, code) = wire.sent("email", client.post(&format!("{path}/trigger"), &json!({}))).await;
    assert!(message(&triggered).contains("Authentication pending"), "or it makes no result");
    let challenge = data(&triggered)[0].clone();
    let answer = json!({ "otp_token": code, "state_token": challenge["state_token"] });
    assert_eq!(message(&client.post(&format!("{path}/verify"), &answer).await), "Success");
}

#[tokio::test]
async fn mfa_v2_enrols_with_nulls_and_polls() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let enrol = |factor: u8| json!({ "factor_id": factor, "display_name": "Ben", "number": null, "verified": null, "expires_in": null, "custom_message": null });
    let app = client.post(&mfa(&wire, "registrations"), &enrol(5)).await;
    assert_eq!(app.status(), 201);
    let factor_data = app.json()["factor_data"].clone();
    assert!(factor_data.as_object().expect("an object").values().all(Value::is_string), "cast to texts");
    let code = App::reading(&factor_data).code(wire.server.now());
    let done = client.put(&mfa(&wire, &format!("registrations/{}", app.text("id"))), &json!({ "otp": code })).await;
    reads(&done.json(), &[("id", As::Text), ("status", As::Text), ("device_id", As::Text)]);

    let (call, _) = wire.sent("voice", client.post(&mfa(&wire, "registrations"), &enrol(3))).await;
    let polled = client.get(&mfa(&wire, &format!("registrations/{}", call.text("id")))).await.json();
    reads(&polled, &[("id", As::Text), ("status", As::Text), ("device_id", As::MaybeText)]);
    assert_eq!(polled["status"], "pending");
}

#[tokio::test]
async fn mfa_v2_is_accepted_by_its_status() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await.to_string();
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let challenge = json!({ "device_id": device, "expires_in": 120, "redirect_to": null, "custom_message": null });
    let (challenged, code) = wire.sent("sms", client.post(&mfa(&wire, "verifications"), &challenge)).await;
    // With `user_id` it takes the answer for one of version 2.
    reads(
        &challenged.json(),
        &[("id", As::Text), ("user_id", As::Text), ("device_id", As::Text), ("expires_at", As::Text)],
    );
    let path = mfa(&wire, &format!("verifications/{}", challenged.text("id")));
    let wrong = client.put(&path, &json!({ "otp": crate::wire::other(&code), "device_id": device })).await;
    assert_ne!(wrong.status(), 200, "any 200 would be read further");
    let right = client.put(&path, &json!({ "otp": code, "device_id": device })).await;
    assert_eq!((right.status(), &right.json()["status"]), (200, &json!("accepted")), "contract 14.4");
    assert_eq!(client.call("DELETE", &mfa(&wire, &format!("devices/{device}")), "").await.status(), 204);
}

#[tokio::test]
async fn mfa_v2_polls_a_push() {
    let wire = Wire::start().await;
    let device = phone(&wire).await.to_string();
    let client = Client::recommended(&wire, file!(), "mfa_v2", HABITS).await;
    let challenge = json!({ "device_id": device, "expires_in": 120, "redirect_to": null, "custom_message": null });
    let id = client.post(&mfa(&wire, "verifications"), &challenge).await.text("id");
    at_the_phone(&wire, "accept").await;
    assert_eq!(client.get(&mfa(&wire, &format!("verifications/{id}"))).await.json()["status"], "accepted");
}

#[tokio::test]
async fn login_branches_on_the_exact_words() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "login", HABITS).await;
    assert_eq!(message(&client.post("/api/1/login/auth", &words(&wire)).await), "Success");
    let device = telephone(&wire).await;
    let told = client.post("/api/1/login/auth", &words(&wire)).await;
    assert_eq!(message(&told), "MFA is required for this user");
    let mut step = json!({ "device_id": device.to_string(), "state_token": data(&told)[0]["state_token"], "do_not_notify": false });
    let (_, code) = wire.sent("sms", client.post("/api/1/login/verify_factor", &step)).await;
    step["otp_token"] = code.into();
    let session = data(&client.post("/api/1/login/verify_factor", &step).await)[0].clone();
    assert!(text(&session, "expires_at").ends_with(" +0000") && text(&session, "expires_at").as_bytes()[4] == b'/');
}

#[tokio::test]
async fn saml_v2_reads_data_only_when_there_is_some() {
    let wire = Wire::start().await;
    let device = telephone(&wire).await;
    let client = Client::recommended(&wire, file!(), "saml", HABITS).await;
    let asked = client.post("/api/2/saml_assertion", &words_for(&wire, json!("1"))).await.json();
    assert!(text(&asked, "message").contains("MFA is required") && asked.get("data").is_none());
    let mut step = json!({ "app_id": "1", "device_id": device.to_string(), "state_token": asked["state_token"], "do_not_notify": false });
    let (sent, code) = wire.sent("sms", client.post("/api/2/saml_assertion/verify_factor", &step)).await;
    assert!(text(&sent.json(), "message").contains("pending") && sent.json().get("data").is_none(), "cast to a text");
    step["otp_token"] = code.into();
    assert!(is_assertion(&client.post("/api/2/saml_assertion/verify_factor", &step).await.json()["data"]));
}

#[tokio::test]
async fn smart_answers_have_objects() {
    let wire = Wire::start().await;
    let client = Client::recommended(&wire, file!(), "smart", HABITS).await;
    let visit = json!({ "user_identifier": "zoe", "email": "zoe@example.com", "context": { "ip": "192.0.2.1", "user_agent": "x" } });
    let (told, code) = wire.sent("email", client.post("/api/2/smart-mfa", &visit)).await;
    reads(&told.json(), &[("userId", As::Integer), ("risk", As::Object), ("mfa", As::Object)]);
    let answer = json!({ "state_token": told.json()["mfa"]["state_token"], "otp_token": code });
    assert_eq!(client.post("/api/2/smart-mfa/verify", &answer).await.status(), 200);
}
