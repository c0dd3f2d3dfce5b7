//! Rows of section 14 of the contract that have no place in the tests of one endpoint. The other rows are named where
//! their endpoint is tested; `cargo xtask check` compares all of them with the page.

mod wire;

use domain::Scope;
use serde_json::{Value, json};
use testkit::Script;
use wire::Wire;

/// Contract 14.1c: `expires_in` is a text at one endpoint of the documentation and a number at another.
#[tokio::test]
async fn a_life_may_be_a_number_or_a_text_everywhere() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    for life in [json!(300), json!("300")] {
        let enrol = json!({ "factor_id": 5, "display_name": "x", "expires_in": life }).to_string();
        let challenge = json!({ "device_id": device, "expires_in": life }).to_string();
        let temporary = json!({ "expires_in": life }).to_string();
        for (path, body, ends) in [
            ("2/registrations", &enrol, "2026-03-01T09:35:00Z"),
            ("2/verifications", &challenge, "2026-03-01T09:35:00Z"),
            ("2/mfa_token", &temporary, "2026-03-01T09:35:00Z"),
            ("1/mfa_token", &temporary, "2026-03-01T09:35:00Z"),
        ] {
            let told = wire.post(path, body).await;
            assert_eq!((told.status(), told.json()["expires_at"].as_str()), (201, Some(ends)), "{told}");
        }
    }
}

/// Contract 14.11: the documentation says `auth_factors`, generated SDKs call `auth_factor`.
#[tokio::test]
async fn factors_are_found_in_the_singular_too() {
    let wire = Wire::start().await;
    assert_eq!(wire.get("1/auth_factor").await.json(), wire.get("1/auth_factors").await.json());
}

/// Contract 14.17: each version of the API has its own name for the minutes that are left; both are good in both.
#[tokio::test]
async fn the_minutes_have_two_names_in_both_versions() {
    let wire = Wire::start().await;
    let device = wire.sms().await;
    for name in ["expiration", "otp_expiry"] {
        let text = format!("{{{{otp_code}}}} for {{{{{name}}}}} minutes");
        let v1 = json!({ "sms_message": text, "state_token_expires_in": 300 }).to_string();
        let v2 = json!({ "device_id": device, "custom_message": text, "expires_in": 300 }).to_string();
        for (path, body) in [(format!("1/otp_devices/{device}/trigger"), v1), ("2/verifications".to_owned(), v2)] {
            let before = wire.newest_message().await;
            wire.post(&path, &body).await;
            let message = wire.message("sms", before).await;
            let code = message["code"].as_str().expect("a code");
            assert_eq!(message["body"], format!("{code} for 5 minutes"), "{path}");
        }
    }
}

/// Contract 14.21: the page of `login/verify_factor` names two scopes in its text and three in its table.
#[tokio::test]
async fn a_log_in_is_completed_by_who_may_begin_it() {
    let wire = Wire::start().await;
    for (scope, status) in [
        (Scope::Authenticate, 400),
        (Scope::ManageUsers, 400),
        (Scope::ManageAll, 400),
        (Scope::ReadUsers, 401),
        (Scope::ReadAll, 401),
    ] {
        let told = wire.call_as(scope, "POST", "/api/1/login/verify_factor", "{}").await;
        assert_eq!(told.status(), status, "{scope:?}: {told}");
    }
}

/// Contract 14.22: two samples show a v1 envelope for a 401 of version 2, which the .NET SDK cannot read.
#[tokio::test]
async fn a_poll_without_a_token_is_refused_in_the_words_of_version_2() {
    let wire = Wire::start().await;
    let id = "00000000-0000-4000-8000-000000000000";
    for what in ["verifications", "registrations"] {
        let path = format!("/api/2/mfa/users/{}/{what}/{id}", wire.user);
        let told = wire.send(Script::get(&path).header("authorization", "bearer 0")).await;
        let expected =
            json!({ "statusCode": 401, "name": "InvalidCredentials", "message": "Please provide valid credentials" });
        assert_eq!((told.status(), told.json()), (401, expected));
    }
}

/// Contract 14.23: a sample of the quick start sends the token as the name of a member.
#[tokio::test]
async fn a_token_for_a_name_is_no_token() {
    let wire = Wire::start().await;
    let mut body = json!({ "device_id": "1" });
    body["f240c0ffee".repeat(4)] = Value::Null;
    let told = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &body.to_string()).await;
    assert_eq!((told.status(), &told.json()["status"]["message"]), (400, &json!("state_token is empty")), "{told}");
}

/// Contract 14.24: at the log-in and at both versions of assertions, in the words of the live service.
#[tokio::test]
async fn a_missing_code_has_the_words_of_the_live_service_at_the_log_in() {
    let wire = Wire::start().await;
    let (device, _) = wire.app().await;
    let user = wire.server.user(1).clone();
    for (path, step, version) in [
        ("/api/1/login/auth", "/api/1/login/verify_factor", 1),
        ("/api/1/saml_assertion", "/api/1/saml_assertion/verify_factor", 1),
        ("/api/2/saml_assertion", "/api/2/saml_assertion/verify_factor", 2),
    ] {
        let words = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": "1" });
        let under_way = wire.call_as(Scope::Authenticate, "POST", path, &words.to_string()).await;
        let body = json!({ "device_id": device, "state_token": under_way.text("state_token"), "app_id": "1" });
        let told = wire.call_as(Scope::Authenticate, "POST", step, &body.to_string()).await;
        let json = told.json();
        let message = if version == 1 { &json["status"]["message"] } else { &json["message"] };
        assert_eq!((told.status(), message), (400, &json!("OTP token blank")), "{told}");
    }
}

/// Contract 14.25: an invalid cursor is refused in the words of the live service; one with a limit counts by itself.
#[tokio::test]
async fn a_cursor_that_is_none_is_a_bad_request() {
    let wire = Wire::start().await;
    let told = wire.call_as(Scope::ReadUsers, "GET", "/api/2/users?cursor=nonsense", "").await;
    let expected = json!({ "statusCode": 400, "name": "BadRequestError", "message": "Invalid pagination cursor" });
    assert_eq!((told.status(), told.json()), (400, expected));
    let first = wire.call_as(Scope::ReadUsers, "GET", "/api/2/users?limit=1", "").await;
    let cursor = first.0.header("after-cursor").expect("there are more").to_owned();
    let path = format!("/api/2/users?cursor={cursor}&limit=50");
    let second = wire.call_as(Scope::ReadUsers, "GET", &path, "").await;
    assert_eq!(second.json().as_array().map(Vec::len), Some(1), "{second}");
}
