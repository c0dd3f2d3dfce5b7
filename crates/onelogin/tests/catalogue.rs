//! The catalogue of errors and messages: every row of section 13 of the contract, provoked once. What else an answer
//! holds is in the tests of its endpoint. `cargo xtask check` compares the numbers here with those of the page.

mod wire;

use countersign_onelogin::DialectOptions;
use domain::model::audit::Actor;
use domain::model::user_patch::UserPatch;
use domain::{MfaPolicy, Scope, UserId};
use serde_json::{Value, json};
use testkit::{Script, Setup};
use wire::{Told, Wire, other};

const LOGIN: &str = "/api/1/login/auth";
const STEP: &str = "/api/1/login/verify_factor";
const TOKEN: &str = "/auth/oauth2/v2/token";

/// A v1 row: the status twice, the type and the message.
#[track_caller]
fn v1(row: &str, told: &Told, status: u16, kind: &str, message: impl Into<Value>) {
    let said = told.json()["status"].clone();
    let expected = json!({ "error": status >= 400, "code": status, "type": kind, "message": message.into() });
    assert_eq!((told.status(), said), (status, expected), "contract {row}: {told}");
}

/// A v2 row: the status twice, the name, and the message where the row has one.
#[track_caller]
fn v2(row: &str, told: &Told, status: u16, name: &str, message: Option<&str>) {
    let said = told.json();
    assert_eq!((told.status(), &said["statusCode"]), (status, &json!(status)), "contract {row}: {told}");
    assert_eq!(said["name"], name, "contract {row}: {told}");
    if let Some(message) = message {
        assert_eq!(said["message"], message, "contract {row}: {told}");
    }
}

async fn bare(wire: &Wire, method: &str, path: &str, body: &str) -> Told {
    wire.send(Script::new(method, path).json(body)).await
}

async fn login(wire: &Wire, changes: &[(&str, Value)]) -> Told {
    let user = wire.server.user(1);
    let mut body = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" });
    for (member, value) in changes {
        body[*member] = value.clone();
    }
    wire.call_as(Scope::Authenticate, "POST", LOGIN, &body.to_string()).await
}

async fn step(wire: &Wire, body: Value) -> Told {
    wire.call_as(Scope::Authenticate, "POST", STEP, &body.to_string()).await
}

async fn phone(wire: &Wire) -> i64 {
    let (device, told) = wire.enrolled(r#"{"factor_id":1,"display_name":"Ben's push"}"#).await;
    wire.dev("/dev/phone/pair", &told.0.text).await;
    device
}

async fn telephone(wire: &Wire) -> i64 {
    wire.enrolled(r#"{"factor_id":2,"display_name":"Ben's phone","number":"+14155550123","verified":true}"#).await.0
}

#[tokio::test]
async fn v1_bad_requests() {
    let wire = Wire::start().await;
    let of = |row, told: &Told, message: Value| v1(row, told, 400, "bad request", message);
    let device = telephone(&wire).await;
    let nobody = "/api/1/users/2000000000/otp_devices";
    of("13.1", &bare(&wire, "GET", "/api/1/users", "").await, json!("Authorization Information is incorrect"));
    of("13.2", &wire.call("GET", nobody, "").await, json!("User does not exist"));
    of(
        "13.3",
        &wire.post("1/otp_devices", r#"{"factor_id":99,"display_name":"x"}"#).await,
        json!("Factor could not be found"),
    );
    let unknown = format!(r#"{{"otp_token":"123456","state_token":"{}"}}"#, "0".repeat(40));
    let over = wire.post(&format!("1/otp_devices/{device}/verify"), &unknown).await;
    of("13.4", &over, json!("State token is invalid or expired"));
    of("13.5", &wire.post("1/otp_devices", "{").await, json!("Input JSON is not valid"));
    let client = wire.server.client(Scope::ManageAll).clone();
    let itself = |path: &str, body: &str| {
        let header = format!("client_id:{}, client_secret:{}", client.client_id, client.client_secret);
        Script::post(path).json(body).header("authorization", &header)
    };
    of("13.6", &wire.send(itself("/auth/oauth2/revoke", "{}")).await, json!("Access Token Missing"));
    of("13.7", &wire.send(itself(TOKEN, r#"{"grant_type":"x"}"#)).await, json!("grant_type is incorrect/absent"));
    let grant = r#"{"grant_type":"client_credentials"}"#;
    of("13.8", &bare(&wire, "POST", TOKEN, grant).await, json!("The authorization information is missing"));
    of(
        "13.9",
        &wire.put("1/lock_user", r#"{"locked_until":"soon"}"#).await,
        json!("locked_until should be -> integer"),
    );
    of("13.11", &login(&wire, &[("username_or_email", json!(""))]).await, json!("username is empty"));
    of("13.12", &login(&wire, &[("password", json!(""))]).await, json!("password is empty"));
    let id = json!({ "attribute": "id", "description": "ID is incorrect" });
    of("13.13", &wire.call("GET", "/api/1/users/x", "").await, id);
    let trusted = r#"{"factor_id":5,"display_name":"x","verified":true}"#;
    of("13.14", &wire.post("1/otp_devices", trusted).await, json!("verified is not allowed for this factor"));
    let mute = wire.post(&format!("1/otp_devices/{device}/trigger"), r#"{"sms_message":"no code"}"#).await;
    assert_eq!(mute.json()["status"]["message"]["attribute"], "sms_message", "contract 13.15: {mute}");
    assert_eq!((mute.status(), &mute.json()["status"]["type"]), (400, &json!("bad request")));
}

#[tokio::test]
async fn v1_an_account_of_another_name() {
    let options = DialectOptions { accept_any_subdomain: false, ..DialectOptions::default() };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    let told = login(&wire, &[("subdomain", json!("other"))]).await;
    v1("13.10", &told, 400, "bad request", "Invalid subdomain");
}

#[tokio::test]
async fn v1_a_factor_that_nobody_has_enrolled() {
    let wire = Wire::start().await;
    let patch = UserPatch { mfa_policy: Some(Some(MfaPolicy::Required)), ..UserPatch::default() };
    wire.server.engine().update_user(UserId(wire.user), patch, None, Actor::default()).await.expect("a database");
    v1("13.45", &login(&wire, &[]).await, 400, "bad request", "MFA is required but no factor is enrolled");
}

#[tokio::test]
async fn v1_errors() {
    let wire = Wire::start().await;
    let (device, _) = wire.app().await;
    let state_token = login(&wire, &[]).await.text("state_token");
    let of = |row, told: &Told, message: &str| v1(row, told, 400, "error", message);
    of("13.16", &step(&wire, json!({ "device_id": device })).await, "state_token is empty");
    of("13.17", &step(&wire, json!({ "state_token": state_token })).await, "device_id is empty");
    let missing = wire.post(&format!("1/otp_devices/{device}/verify"), "").await;
    of("13.18", &missing, "otp_token is empty");
    of("13.43", &step(&wire, json!({ "state_token": state_token, "device_id": device })).await, "OTP token blank");
}

#[tokio::test]
async fn v1_unauthorized() {
    let wire = Wire::start().await;
    let of = |row, told: &Told, message: &str| v1(row, told, 401, "Unauthorized", message);
    let device = phone(&wire).await;
    let stranger = Script::get("/api/1/users").header("authorization", &format!("bearer {}", "0".repeat(64)));
    of("13.19", &wire.send(stranger).await, "Authentication Failure");
    let reader = wire.call_as(Scope::ReadUsers, "DELETE", "/api/1/users/3", "").await;
    of("13.20", &reader, "Insufficient Permission");
    let trigger = wire.post(&format!("1/otp_devices/{device}/trigger"), "").await;
    let poll = format!(r#"{{"state_token":"{}"}}"#, trigger.text("state_token"));
    let verify = format!("1/otp_devices/{device}/verify");
    of("13.22", &wire.post(&verify, &poll).await, "Authentication pending on OL Protect");
    wire.dev("/dev/phone/deny", "").await;
    of("13.21", &wire.post(&verify, &poll).await, "Failed authentication with this factor");
    let wrong = login(&wire, &[("password", json!("not it"))]).await;
    of("13.23", &wrong, "Authentication Failed: Invalid user credentials");
    wire.put("1/lock_user", r#"{"locked_until":15}"#).await;
    of("13.24", &login(&wire, &[]).await, "User is locked. Access is unauthorized");
}

/// With one account, no user is hidden from a client: a scope that reads users reads all of them, any other gets 401
/// (contract 13.25 does not occur).
#[tokio::test]
async fn v1_nobody_is_out_of_sight() {
    let wire = Wire::start().await;
    for (scope, status) in [
        (Scope::Authenticate, 401),
        (Scope::ReadUsers, 200),
        (Scope::ManageUsers, 200),
        (Scope::ReadAll, 200),
        (Scope::ManageAll, 200),
    ] {
        for user in 1..=3 {
            let told = wire.call_as(scope, "GET", &format!("/api/1/users/{user}"), "").await;
            assert_eq!(told.status(), status, "contract 13.25: {told}");
        }
    }
}

#[tokio::test]
async fn v1_not_found() {
    let wire = Wire::start().await;
    v1("13.26", &wire.call("GET", "/api/1/nothing", "").await, 404, "not found", "No Route Exists");
    let nobody = wire.call("GET", "/api/1/users/2000000000", "").await;
    v1("13.27", &nobody, 404, "not found", "User for id 2000000000 was not found");
}

#[tokio::test]
async fn v1_successes() {
    let wire = Wire::start().await;
    let of = |row, told: &Told, message: &str| v1(row, told, 200, "success", message);
    let device = telephone(&wire).await;
    of("13.28", &wire.get("1/otp_devices").await, "Success");
    of("13.29", &login(&wire, &[]).await, "MFA is required for this user");
    let sent = wire.post(&format!("1/otp_devices/{device}/trigger"), "").await;
    of("13.30", &sent, "SMS token sent to your mobile device. Authentication pending.");
    let push = phone(&wire).await;
    let put = wire.post(&format!("1/otp_devices/{push}/trigger"), "").await;
    of("13.31", &put, "Authentication pending on OL Protect");
    let state_token = login(&wire, &[]).await.text("state_token");
    let waiting = step(&wire, json!({ "state_token": state_token, "device_id": push })).await;
    v1("13.32", &waiting, 200, "pending", "Authentication pending on OL Protect");
}

#[tokio::test]
async fn v2_mfa() {
    let wire = Wire::start().await;
    let devices = format!("/api/2/mfa/users/{}/devices", wire.user);
    let none = bare(&wire, "GET", &devices, "").await;
    v2("13.33", &none, 401, "InvalidCredentials", Some("Please provide valid credentials"));
    let reader = wire.call_as(Scope::ReadUsers, "DELETE", &format!("{devices}/1"), "").await;
    let forbidden = "You are not authorised to perform this action or access the resource";
    v2("13.34", &reader, 403, "ForbiddenAction", Some(forbidden));
    let nobody = wire.call("GET", "/api/2/mfa/users/2000000000/devices", "").await;
    let missing = "The resource can't be found or the server has not found anything matching the Request-URI";
    v2("13.35", &nobody, 404, "NotFound", Some(missing));
    let short = wire.post("2/mfa_token", r#"{"expires_in":1}"#).await;
    v2("13.36", &short, 422, "ValidationError", Some("Validations failed"));
    assert_eq!(short.json()["details"], json!({ "parameters": ["expires_in"] }));
}

#[tokio::test]
async fn v2_users() {
    let wire = Wire::start().await;
    v2("13.37", &bare(&wire, "GET", "/api/2/users", "").await, 401, "UnauthorizedError", Some("Unauthorized"));
    let unknown = wire.call("POST", "/api/2/users", r#"{"username":"x","employee_number":"7"}"#).await;
    v2("13.38", &unknown, 400, "BadRequestError", Some("unknown attribute: employee_number"));
    let nobody = wire.call("GET", "/api/2/users/2000000000", "").await;
    v2("13.39", &nobody, 404, "NotFoundError", Some("The resource with the given id could not be found"));
    let taken = wire.call("POST", "/api/2/users", r#"{"username":"ben"}"#).await;
    let unique = "Validation failed: Username must be unique within acme";
    v2("13.40", &taken, 422, "UnprocessableEntityError", Some(unique));
    let sorted = wire.call("GET", "/api/2/users?sort=created_at", "").await;
    v2("13.41", &sorted, 422, "UnprocessableEntityFieldError", Some("Invalid sort field: created_at"));
    assert_eq!(sorted.json()["field"], "created_at");
    let cursor = wire.call("GET", "/api/2/users?cursor=nonsense", "").await;
    v2("13.44", &cursor, 400, "BadRequestError", Some("Invalid pagination cursor"));
}

#[tokio::test]
async fn v2_assertions() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let user = wire.server.user(1);
    let asked =
        json!({ "username_or_email": user.username, "password": user.password, "app_id": 1, "subdomain": "acme" });
    let path = "/api/2/saml_assertion";
    let under_way = wire.call_as(Scope::Authenticate, "POST", path, &asked.to_string()).await.json();
    let wrong = other(&app.code(wire.server.now()));
    let body = json!({ "app_id": 1, "device_id": device, "state_token": under_way["state_token"], "otp_token": wrong });
    let told = wire.call_as(Scope::Authenticate, "POST", &format!("{path}/verify_factor"), &body.to_string()).await;
    v2("13.42", &told, 401, "Unauthorized", Some("Failed authentication with this factor"));
}

/// Contract 1.1: clients join a base that ends with a slash and a path that begins with one.
#[tokio::test]
async fn a_path_may_have_a_slash_too_many() {
    let wire = Wire::start().await;
    for path in
        ["/api/2/users", "//api/2/users", "/api/2//users", "/api//2/users//", "/%61pi/2/use%72s", "/api/2/users/"]
    {
        let told = wire.call_as(Scope::ReadUsers, "GET", &format!("{path}?limit=1"), "").await;
        assert_eq!((told.status(), told.json().as_array().map(Vec::len)), (200, Some(1)), "{path}: {told}");
    }
    let trigger = format!("//api/1/users/{}//otp_devices//0/verify/", wire.user);
    let told = wire.call_as(Scope::Authenticate, "POST", &trigger, "{}").await;
    assert_eq!(told.status(), 401, "the scope is that of the plain path: {told}");
    let unknown = wire.call_as(Scope::ReadUsers, "GET", "//api/1//nothing", "").await;
    v1("1.1", &unknown, 404, "not found", "No Route Exists");
    for path in ["//docs/", "/saml//metadata/", "/openapi.json/"] {
        assert_eq!(wire.server.send(Script::get(path)).await.status.as_u16(), 200, "{path}");
    }
}

/// Contract 3.3: what is not kept is listed all the same, as the empty list it is.
#[tokio::test]
async fn the_lists_of_what_is_not_kept_are_empty() {
    let wire = Wire::start().await;
    for (plural, noun) in [("roles", "Role"), ("groups", "Group"), ("apps", "App"), ("connectors", "Connector")] {
        let told = wire.call_as(Scope::ReadAll, "GET", &format!("/api/1/{plural}?after_cursor=&limit=5"), "").await;
        let nowhere = json!({ "before_cursor": null, "after_cursor": null, "previous_link": null, "next_link": null });
        assert_eq!(
            (told.status(), &told.json()["pagination"], &told.json()["data"]),
            (200, &nowhere, &json!([])),
            "{told}"
        );
        let told = wire.call_as(Scope::ReadAll, "GET", &format!("/api/2/{plural}?limit=5&page=1"), "").await;
        assert_eq!((told.status(), told.json()), (200, json!([])), "{told}");
        for (name, value) in [("current-page", "1"), ("page-items", "0"), ("total-count", "0"), ("total-pages", "0")] {
            assert_eq!(told.0.header(name), Some(value), "{plural}: {name}");
        }
        let one = wire.call_as(Scope::ReadAll, "GET", &format!("/api/1/{plural}/5"), "").await;
        v1("3.3", &one, 404, "not found", format!("{noun} for id 5 was not found"));
        let none = wire.call_as(Scope::ReadAll, "GET", &format!("/api/1/{plural}/x"), "").await;
        v1("13.13", &none, 400, "bad request", json!({ "attribute": "id", "description": "ID is incorrect" }));
        let one = wire.call_as(Scope::ReadAll, "GET", &format!("/api/2/{plural}/5"), "").await;
        v2("3.3", &one, 404, "NotFoundError", Some("The resource with the given id could not be found"));
        for path in [format!("/api/1/{plural}?after_cursor=x"), format!("/api/2/{plural}?cursor=x")] {
            assert_eq!(wire.call_as(Scope::ReadAll, "GET", &path, "").await.status(), 400, "{path}");
        }
    }
    for version in [1, 2] {
        let of_user = wire.call("GET", &format!("/api/{version}/users/{}/apps", wire.user), "").await.json();
        let expected = if version == 1 { json!([[]]) } else { json!([]) };
        assert_eq!(of_user.get("data").unwrap_or(&of_user), &expected);
    }
}
