//! Examples of answers, on the page and in the document. A test sends the calls and compares the answers with them.

use domain::{AuditKind, Profile, Timestamp, User, UserId, UserStatus};
use serde_json::{Value, json};

use super::operations::{Operation, Success};
use crate::wire::challenge::SMS_SENT;
use crate::wire::event_types;
use crate::wire::log_in::MFA_REQUIRED;
use crate::wire::user::{UserWire, Version};

pub(super) struct Example {
    pub(super) status: u16,
    /// In which case, where there are several.
    pub(super) when: &'static str,
    pub(super) body: Value,
}

/// The examples of a success; empty where it has no JSON body.
pub(super) fn of(operation: &Operation) -> Vec<Example> {
    let version = if operation.inputs.path.starts_with("/api/2") { Version::V2 } else { Version::V1 };
    let each = |name: &str, status: u16, whole: &dyn Fn(Value) -> Value| -> Vec<Example> {
        let shapes = shapes(name, version).into_iter();
        shapes.map(|(when, value)| Example { status, when, body: whole(value) }).collect()
    };
    let one = |body: Value| vec![Example { status: 200, when: "", body }];
    let mut examples = match operation.success {
        Success::V1Page("Any") => one(page(&json!([]))),
        Success::Array(_, "Any") => one(json!([])),
        Success::V1(name) => each(name, 200, &|value| enveloped("success", "Success", Some(&json!([value])))),
        Success::V1Page(name) => each(name, 200, &|value| page(&json!([value]))),
        Success::V1One(name) => each(name, 200, &|value| enveloped("success", "Success", Some(&value))),
        Success::V1Whole(name) => each(name, 200, &|value| value),
        Success::V1Echo => one(echo(None)),
        Success::Object(status, name) => each(name, status, &|value| value),
        Success::Array(status, name) => each(name, status, &|value| json!([value])),
        Success::Nothing | Success::Missing | Success::Other(_) => Vec::new(),
    };
    if operation.inputs.method == "POST" && operation.inputs.path.ends_with("/verifications") {
        for (example, when) in examples.iter_mut().zip(["without a code: a challenge"]) {
            example.when = when;
        }
        let verified = json!([{ "id": UUID, "status": "accepted", "device_id": "525509" }]);
        examples.push(Example { status: 200, when: "a code was right", body: echo(Some(&verified)) });
    }
    examples
}

const UUID: &str = "afc1a96d-2006-452a-a484-b2d084b00d76";
const TOKEN: &str = "5f0c34a1d2b8e7964ac15f0c34a1d2b8e7964ac1";

fn status(kind: &str, message: &str) -> Value {
    json!({ "error": false, "code": 200, "type": kind, "message": message })
}

fn enveloped(kind: &str, message: &str, data: Option<&Value>) -> Value {
    let mut body = json!({ "status": status(kind, message) });
    if let Some(data) = data {
        body["data"] = data.clone();
    }
    body
}

fn page(data: &Value) -> Value {
    let mut body = enveloped("success", "Success", Some(data));
    body["pagination"] =
        json!({ "before_cursor": null, "after_cursor": null, "previous_link": null, "next_link": null });
    body
}

/// The status, and its members again beside it (contract 1.6).
fn echo(data: Option<&Value>) -> Value {
    let mut body = enveloped("success", "Success", data);
    for member in ["error", "code", "type", "message"] {
        body[member] = body["status"][member].clone();
    }
    body
}

/// Bodies with the case in which each is answered.
type Shapes = Vec<(&'static str, Value)>;

fn shapes(name: &str, version: Version) -> Shapes {
    let all = [people(name, version), devices(name, version), log_ins(name)];
    all.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

fn one(value: Value) -> Shapes {
    vec![("", value)]
}

/// Tokens, users and what happened to them.
fn people(name: &str, version: Version) -> Shapes {
    match name {
        "Token" => one(json!({
            "access_token": format!("{TOKEN}{}", &TOKEN[..24]), "created_at": "2026-03-01T09:30:00.000Z", "expires_in": 36_000,
            "refresh_token": format!("{}{TOKEN}", &TOKEN[..24]), "token_type": "bearer", "account_id": 1,
        })),
        "RateLimit" => {
            one(json!({ "X-RateLimit-Limit": 5_000, "X-RateLimit-Remaining": 4_988, "X-RateLimit-Reset": 832 }))
        }
        "User" => one(user(version)),
        "Unlocked" => one(json!({ "messsage": "User unlocked", "message": "User unlocked" })),
        "Names" => one(json!(["team", "floor"])),
        "NoRoles" | "NoApps" => one(json!([])),
        "Event" => one(event()),
        "EventType" => one(serde_json::to_value(event_types::of(AuditKind::SignedIn)).unwrap_or_default()),
        _ => Vec::new(),
    }
}

/// Factors, devices, and what is put to them.
fn devices(name: &str, version: Version) -> Shapes {
    match name {
        "V1Factors" => one(json!({ "auth_factors": [{ "name": "OneLogin SMS", "factor_id": 2 }] })),
        "V1Enrolled" => one(json!({
            "active": false, "default": true, "state_token": TOKEN, "auth_factor_name": "OneLogin SMS",
            "phone_number": "+14155550123", "type_display_name": "OneLogin SMS", "needs_trigger": true,
            "user_display_name": "Ana's phone", "id": 525_509, "device_id": 525_509,
        })),
        "V1Devices" => one(json!({ "otp_devices": [{
            "type_display_name": "OneLogin SMS", "active": true, "user_display_name": "Ana's phone", "default": true,
            "phone_number": "+1xxxxxx0123", "auth_factor_name": "OneLogin SMS", "id": 525_509, "needs_trigger": true,
        }] })),
        "V1Triggered" => {
            let data = json!([{
                "user_display_name": "Ana's phone", "active": true, "default": true, "state_token": TOKEN,
                "state_token_expires_at": "2026-03-01T09:32:00Z", "auth_factor_name": "OneLogin SMS",
                "type_display_name": "OneLogin SMS", "id": 88, "device_id": 525_509,
            }]);
            one(enveloped("success", SMS_SENT, Some(&data)))
        }
        "TempToken" => {
            let mut token = json!({
                "mfa_token": "55647655", "expires_at": "2026-03-04T09:30:00Z", "reusable": false, "device_id": "user_temp_otp_88",
            });
            if version == Version::V1 {
                token["resuable"] = false.into();
            }
            one(token)
        }
        "EnrollmentLink" => one(json!({
            "url": "https://mfa.example.com/enroll/q1Ypi2cfAHcMOcAxBYUkU0WWBtXyHgkLdm5kVUu-jSg",
            "expires_at": "2026-03-02T09:30:00Z", "delivered": "email",
        })),
        "Factor" => one(json!({ "factor_id": 2, "name": "OneLogin SMS", "auth_factor_name": "SMS" })),
        "Registration" => one(json!({
            "id": UUID, "status": "pending", "user_id": "88", "auth_factor_name": "Google Authenticator",
            "type_display_name": "Authenticator", "user_display_name": "Ana's app", "expires_at": "2026-03-01T09:32:00Z",
            "factor_data": {
                "verification_token": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                "totp_url": "otpauth://totp/acme:ana%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=acme",
            },
        })),
        "Registered" => vec![
            ("as long as it is open", json!({ "id": UUID, "status": "pending" })),
            ("once it is finished", json!({ "id": UUID, "status": "accepted", "device_id": "525509" })),
        ],
        "Finished" => one(json!({ "id": UUID, "status": "accepted", "device_id": "525509" })),
        "Device" => one(json!({
            "device_id": "525509", "user_display_name": "Ana's phone", "type_display_name": "OneLogin SMS",
            "auth_factor_name": "SMS", "default": true,
        })),
        "Challenge" => one(json!({
            "id": UUID, "status": "pending", "user_id": "88", "device_id": "525509", "user_display_name": "Ana's phone",
            "type_display_name": "OneLogin SMS", "auth_factor_name": "SMS", "expires_at": "2026-03-01T09:32:00Z",
        })),
        "Standing" => one(json!({ "id": UUID, "status": "pending", "device_id": "525509" })),
        "Verified" => one(json!({
            "id": UUID, "status": "accepted", "device_id": "525509", "type": "success", "code": 200,
            "message": "Success", "error": false, "name": "Success",
        })),
        _ => Vec::new(),
    }
}

/// Visits, log-ins and assertions.
fn log_ins(name: &str) -> Shapes {
    let person =
        || json!({ "email": "ana@example.com", "username": "ana", "firstname": "Ana", "lastname": "Silva", "id": 88 });
    let devices = || json!([{ "device_type": "OneLogin SMS", "device_id": 525_509 }]);
    let callback = |path: &str| format!("https://mfa.example.com{path}");
    let granted = || {
        json!([{
            "status": "Authenticated", "user": person(), "return_to_url": null,
            "expires_at": "2026/03/01 09:32:00 +0000", "session_token": TOKEN,
        }])
    };
    let needed = |path: &str| {
        let data =
            json!([{ "state_token": TOKEN, "user": person(), "devices": devices(), "callback_url": callback(path) }]);
        enveloped("success", MFA_REQUIRED, Some(&data))
    };
    match name {
        "Visit" => vec![
            (
                "it costs a code",
                json!({
                    "user_id": 88, "userId": 88, "risk": { "score": 100, "reasons": ["Accessed from a new IP address"] },
                    "mfa": { "otp_sent": true, "state_token": UUID },
                }),
            ),
            (
                "it is known",
                json!({
                    "user_id": 88, "userId": 88, "risk": { "score": 0, "reasons": [] }, "mfa": { "otp_sent": false },
                }),
            ),
        ],
        "Empty" => one(json!({})),
        "LogIn" => vec![
            ("a factor is needed", needed("/api/1/login/verify_factor")),
            ("no factor is needed", enveloped("success", "Success", Some(&granted()))),
        ],
        "Step" => vec![
            ("verified", enveloped("success", "Success", Some(&granted()))),
            ("a text message was sent", enveloped("success", SMS_SENT, None)),
            ("the person has not answered yet", enveloped("pending", "Authentication pending on OL Protect", None)),
        ],
        "V1Assertion" => vec![
            ("a factor is needed", needed("/api/1/saml_assertion/verify_factor")),
            ("no factor is needed", enveloped("success", "Success", Some(&json!("PHNhbWxwOlJlc3BvbnNlIC4uLg==")))),
        ],
        "V1AssertionStep" => vec![
            ("verified", enveloped("success", "Success", Some(&json!("PHNhbWxwOlJlc3BvbnNlIC4uLg==")))),
            ("a text message was sent", enveloped("pending", SMS_SENT, None)),
        ],
        "Assertion" => vec![
            (
                "a factor is needed",
                json!({
                    "state_token": TOKEN, "message": MFA_REQUIRED, "devices": devices(), "user": person(),
                    "callback_url": callback("/api/2/saml_assertion/verify_factor"),
                }),
            ),
            ("no factor is needed", json!({ "data": "PHNhbWxwOlJlc3BvbnNlIC4uLg==", "message": "Success" })),
        ],
        "AssertionStep" => vec![
            ("verified", json!({ "data": "PHNhbWxwOlJlc3BvbnNlIC4uLg==", "message": "Success" })),
            ("a text message was sent", json!({ "message": SMS_SENT })),
        ],
        _ => Vec::new(),
    }
}

fn user(version: Version) -> Value {
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let at = Timestamp(1_772_357_400_000);
    let ana = User {
        id: UserId(88),
        username: Some("ana".to_owned()),
        email: Some("ana@example.com".to_owned()),
        phone: Some("+14155550123".to_owned()),
        status: UserStatus::Active,
        lock: None,
        temp_token: None,
        profile: Profile {
            state: 1,
            texts: [text("firstname", "Ana"), text("lastname", "Silva")].into_iter().collect(),
            activated_at: Some(at),
            ..Profile::default()
        },
        created_at: at,
        updated_at: at,
    };
    serde_json::to_value(UserWire::new(&ana, version, at)).unwrap_or_default()
}

fn event() -> Value {
    let mut event = json!({
        "id": 4_711, "created_at": "2026-03-01T09:30:00.000Z", "account_id": 1, "user_id": 88, "user_name": "ana",
        "event_type_id": 90_001, "actor_system": "billing", "otp_device_id": 525_509, "otp_device_name": "Ana's phone",
        "client_id": TOKEN, "ipaddr": "203.0.113.7",
    });
    for null in [
        "actor_user_id",
        "actor_user_name",
        "assuming_acting_user_id",
        "role_id",
        "role_name",
        "app_id",
        "app_name",
        "group_id",
        "group_name",
        "policy_id",
        "policy_name",
        "custom_message",
        "operation_name",
        "directory_sync_run_id",
        "directory_id",
        "resolution",
        "resource_type_id",
        "error_description",
        "notes",
        "risk_score",
        "proxy_ip",
        "browser_fingerprint",
    ] {
        event[null] = Value::Null;
    }
    event
}
