//! Links in mail (SEC 11, contract 18.13): what opens them changes nothing, and their person answers them once.

mod wire;

use countersign_onelogin::DialectOptions;
use domain::Scope;
use engine::EmailMode;
use serde_json::{Value, json};
use testkit::{Exchange, Setup};
use wire::{Script, Told, Wire, other};

/// Where callers may send browsers.
const DONE: &str = "https://app.example.com/done?a=b";

async fn start(email_mode: EmailMode) -> Wire {
    let redirect_origins = vec!["https://app.example.com".to_owned()];
    let options = DialectOptions { redirect_origins, ..DialectOptions::default() };
    Wire::start_with(Setup { options, email_mode, ..Setup::default() }).await
}

/// A mail device that an administrator vouched for.
async fn mailbox(wire: &Wire) -> String {
    wire.post("2/registrations", r#"{"factor_id":4,"display_name":"Ben's mail","verified":true}"#)
        .await
        .text("device_id")
}

/// Makes a call, and gives the mail that it sent.
async fn mailed(wire: &Wire, call: impl Future<Output = Told>) -> (Told, Value) {
    let after = wire.newest_message().await;
    let told = call.await;
    assert!(matches!(told.status(), 200 | 201), "{told}");
    (told, wire.message("email", after).await)
}

/// Challenges a device over v2; gives the id of the verification and the mail.
async fn challenged(wire: &Wire, device: &str) -> (String, Value) {
    let body = format!(r#"{{"device_id":"{device}"}}"#);
    let (told, mail) = mailed(wire, wire.post("2/verifications", &body)).await;
    (told.text("id"), mail)
}

/// The path of the link in a mail.
fn path(mail: &Value) -> String {
    let link = mail["link"].as_str().unwrap_or_else(|| panic!("no link in {mail}"));
    link.strip_prefix("http://127.0.0.1:8080").expect("it begins with the base").to_owned()
}

fn token(path: &str) -> &str {
    path.strip_prefix("/link/").expect("the path of a link")
}

async fn open(wire: &Wire, path: &str) -> Exchange {
    wire.server.send(Script::get(path)).await
}

/// The nonce of a page.
fn nonce(page: &Exchange) -> String {
    let (_, after) = page.text.split_once(r#"name="nonce" value=""#).unwrap_or_else(|| panic!("no nonce: {page}"));
    after.split('"').next().expect("a value").to_owned()
}

fn form(path: &str, nonce: &str, answer: &str) -> Script {
    Script::post("/link").form(&format!("token={}&nonce={nonce}&answer={answer}", token(path)))
}

/// Opens the link and presses a button, as a browser does.
async fn press(wire: &Wire, path: &str, answer: &str) -> Exchange {
    let page = open(wire, path).await;
    assert_eq!(page.status, 200, "{page}");
    wire.server.send(form(path, &nonce(&page), answer).header("sec-fetch-site", "same-origin")).await
}

/// What a poll of this verification says, or the status of a refusal.
async fn state(wire: &Wire, id: &str) -> String {
    let told = wire.get(&format!("2/verifications/{id}")).await;
    told.json()["status"].as_str().map_or_else(|| told.status().to_string(), str::to_owned)
}

async fn events(wire: &Wire, kind: u32) -> Vec<Value> {
    let told = wire.get(&format!("/api/1/events?user_id={}&event_type_id={kind}", wire.user)).await.json();
    told["data"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_link_is_shown_to_scanners_and_confirmed_by_its_person() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let body = format!(r#"{{"device_id":"{device}","redirect_to":"{DONE}","ipaddr":"203.0.113.7"}}"#);
    let (told, mail) = mailed(&wire, wire.post("2/verifications", &body)).await;
    let (id, path) = (told.text("id"), path(&mail));
    assert_eq!((token(&path).len(), &mail["code"]), (43, &Value::Null));
    assert!(mail["body"].as_str().unwrap().contains(mail["link"].as_str().unwrap()), "{mail}");
    // Ten minutes, since nothing else was asked for.
    assert!(told.text("expires_at").starts_with("2026-03-01T09:40:00"), "{told}");

    let first = open(&wire, &path).await;
    for method in ["HEAD", "GET", "GET"].into_iter().chain(["GET"; 10]) {
        let seen = wire.server.send(Script::new(method, &path).header("user-agent", "a scanner")).await;
        assert_eq!((seen.status.as_u16(), &seen.text), (200, &first.text), "each sees the same page");
    }
    assert_eq!(state(&wire, &id).await, "pending");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("content-type", "text/html; charset=utf-8"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(first.header(name), Some(value), "{first}");
    }
    for shown in [
        "dev: ",
        "203.0.113.7",
        "127.0.0.1",
        "Somebody is signing in",
        "Ben&#39;s mail",
        "09:30\u{a0}UTC",
        "09:40\u{a0}UTC",
    ] {
        assert!(first.text.contains(shown), "{shown}: {first}");
    }
    assert!(!first.text.contains("<script"), "{first}");

    let done = press(&wire, &path, "confirm").await;
    assert_eq!((done.status.as_u16(), done.header("refresh")), (200, Some("2; url=https://app.example.com/done?a=b")));
    assert!(done.text.contains(r#"href="https://app.example.com/done?a=b""#), "{done}");
    assert_eq!(state(&wire, &id).await, "accepted");
    assert_eq!(open(&wire, &path).await.status, 410, "it is used");
    let event = &events(&wire, 90_038).await[0];
    assert_eq!(event["ipaddr"], "127.0.0.1", "from where it was answered");
    assert_eq!(
        (&event["otp_device_id"], &event["user_id"]),
        (&json!(device.parse::<i64>().unwrap()), &json!(wire.user))
    );
}

#[tokio::test]
async fn a_link_that_is_no_more_is_gone_in_one_way() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let unknown = open(&wire, &format!("/link/{}", "A".repeat(43))).await;
    assert_eq!(unknown.status, 410);
    let mut gone = vec!["/link/short".to_owned(), format!("/link/{}/x", "A".repeat(43))];

    let (_, mail) = challenged(&wire, &device).await;
    let used = path(&mail);
    assert_eq!(press(&wire, &used, "confirm").await.status, 200);
    gone.push(used);
    // A newer one replaces it.
    let (old, mail) = challenged(&wire, &device).await;
    gone.push(path(&mail));
    let (newer, mail) = challenged(&wire, &device).await;
    assert_eq!((state(&wire, &old).await, state(&wire, &newer).await), ("404".to_owned(), "pending".to_owned()));
    let late = path(&mail);
    let nonce_of_late = nonce(&open(&wire, &late).await);
    wire.server.advance(600);
    let answered = wire.server.send(form(&late, &nonce_of_late, "confirm")).await;
    assert_eq!((answered.status.as_u16(), &answered.text), (410, &unknown.text), "it was open when the page was shown");
    assert_eq!(state(&wire, &newer).await, "404");
    gone.push(late);
    // Its device goes, or the client that asked.
    let (_, mail) = challenged(&wire, &device).await;
    assert_eq!(wire.delete(&format!("2/devices/{device}")).await.status(), 204);
    gone.push(path(&mail));
    for path in gone {
        let seen = open(&wire, &path).await;
        assert_eq!((seen.status.as_u16(), &seen.text), (410, &unknown.text), "{path}");
    }
    assert_eq!(events(&wire, 90_038).await.len(), 1);
}

#[tokio::test]
async fn what_a_revoked_client_began_is_confirmed_no_more() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let asked = format!(r#"{{"device_id":"{device}"}}"#);
    let (_, mail) = mailed(&wire, wire.call_as(Scope::ManageUsers, "POST", "2/verifications", &asked)).await;
    let client = wire.server.client(Scope::ManageUsers).client_id.clone();
    wire.server.engine().revoke_client(&client).await.expect("a database");
    assert_eq!(open(&wire, &path(&mail)).await.status, 410);
}

#[tokio::test]
async fn a_link_is_confirmed_from_its_page_only() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let (id, mail) = challenged(&wire, &device).await;
    let path = path(&mail);
    let right = nonce(&open(&wire, &path).await);
    let of_form = |body: &str| Script::post("/link").form(body);
    let token = token(&path);
    for (script, status) in [
        (form(&path, "", "confirm"), 403),
        (form(&path, &other(&right), "confirm"), 403),
        (form(&path, &right, "confirm").header("sec-fetch-site", "cross-site"), 403),
        (form(&path, &right, "confirm").header("sec-fetch-site", "same-site"), 403),
        (form(&path, &right, "confirm").header("sec-fetch-site", "none"), 403),
        (form(&path, &right, "accept"), 400),
        (of_form(&format!("token={token}&answer=confirm")), 400),
        (of_form(&format!("token={token}&token={token}&nonce={right}&answer=confirm")), 400),
        (of_form(&format!("token={}&nonce={right}&answer=confirm", "A".repeat(43))), 410),
        (Script::post(&path).form(&format!("nonce={right}&answer=confirm")), 405),
        (Script::get("/link"), 405),
        (Script::get(&format!("{path}?answer=confirm&nonce={right}")), 200),
        (of_form(&"x".repeat(3_000)), 413),
    ] {
        let told = wire.server.send(script).await;
        assert_eq!(told.status.as_u16(), status, "{told}");
        assert_eq!(told.header("referrer-policy"), Some("no-referrer"), "{told}");
    }
    assert_eq!(state(&wire, &id).await, "pending");
    assert!(events(&wire, 90_002).await.is_empty(), "none of it is a guess");
    // A browser that does not say where a form comes from.
    assert_eq!(wire.server.send(form(&path, &right, "confirm")).await.status, 200);
    assert_eq!(state(&wire, &id).await, "accepted");
}

#[tokio::test]
async fn a_link_that_is_disowned_is_rejected() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let (id, mail) = challenged(&wire, &device).await;
    let told = press(&wire, &path(&mail), "disown").await;
    assert_eq!((told.status.as_u16(), told.header("refresh")), (200, None));
    assert_eq!(state(&wire, &id).await, "rejected");
    assert_eq!(open(&wire, &path(&mail)).await.status, 410);
    let refused = events(&wire, 90_002).await;
    assert_eq!((refused.len(), &refused[0]["error_description"]), (1, &json!("denied")), "{refused:?}");
    // A registration takes its hidden device along.
    assert_eq!(wire.delete(&format!("2/devices/{device}")).await.status(), 204);
    let (told, mail) = mailed(&wire, wire.post("2/registrations", r#"{"factor_id":4}"#)).await;
    assert_eq!(press(&wire, &path(&mail), "disown").await.status, 200);
    let state = wire.get(&format!("2/registrations/{}", told.text("id"))).await;
    assert_eq!(state.json()["status"], "rejected", "{state}");
    assert_eq!(wire.get("2/devices").await.json(), json!([]));
}

#[tokio::test]
async fn an_address_is_enrolled_by_its_link() {
    let wire = start(EmailMode::Code).await;
    let asked = format!(r#"{{"factor_id":4,"display_name":"Mail","redirect_to":"{DONE}"}}"#);
    let (told, mail) = mailed(&wire, wire.post("2/registrations", &asked)).await;
    let id = told.text("id");
    assert!(told.text("expires_at").starts_with("2026-03-01T09:40:00"), "{told}");
    let page = open(&wire, &path(&mail)).await;
    assert!(page.text.contains("wants to use this mailbox"), "{page}");
    let typed = wire.put(&format!("2/registrations/{id}"), r#"{"otp":"123456"}"#).await;
    assert_eq!((typed.status(), &typed.json()["details"]), (422, &json!({ "parameters": ["otp"] })));
    let done = press(&wire, &path(&mail), "confirm").await;
    assert_eq!(done.header("refresh"), Some("2; url=https://app.example.com/done?a=b"));
    let state = wire.get(&format!("2/registrations/{id}")).await;
    assert_eq!(state.json()["status"], "accepted", "{state}");
    assert_eq!(wire.get("2/devices").await.json()[0]["device_id"], state.json()["device_id"]);
}

#[tokio::test]
async fn a_mail_with_both_is_answered_by_either_and_once() {
    let wire = start(EmailMode::Both).await;
    let device = mailbox(&wire).await;
    let put = |id: &str, code: &str| (format!("2/verifications/{id}"), format!(r#"{{"otp":"{code}"}}"#));

    let (id, mail) = challenged(&wire, &device).await;
    let code = mail["code"].as_str().expect("a code").to_owned();
    assert!(["code", "link"].iter().all(|part| mail["body"].as_str().unwrap().contains(mail[*part].as_str().unwrap())));
    let (at, body) = put(&id, &other(&code));
    assert_eq!(wire.put(&at, &body).await.status(), 401, "a wrong code counts as ever");
    assert_eq!(state(&wire, &id).await, "pending");
    let (at, body) = put(&id, &code);
    assert_eq!(wire.put(&at, &body).await.status(), 200);
    assert_eq!(open(&wire, &path(&mail)).await.status, 410, "the code has answered");
    assert!(events(&wire, 90_038).await.is_empty());

    let (id, mail) = challenged(&wire, &device).await;
    let code = mail["code"].as_str().expect("a code").to_owned();
    assert_eq!(press(&wire, &path(&mail), "confirm").await.status, 200);
    let (at, body) = put(&id, &code);
    assert_eq!(wire.put(&at, &body).await.status(), 404, "the link has answered");
    let alone = wire.post("2/verifications", &format!(r#"{{"otp":"{code}"}}"#)).await;
    assert_eq!(alone.status(), 404, "{alone}");
    assert_eq!(state(&wire, &id).await, "accepted");

    // Five wrong codes end both.
    let (id, mail) = challenged(&wire, &device).await;
    let (at, body) = put(&id, &other(mail["code"].as_str().unwrap()));
    for _ in 0..5 {
        wire.server.advance(11);
        assert_eq!(wire.put(&at, &body).await.status(), 401);
    }
    assert_eq!(state(&wire, &id).await, "rejected");
    assert_eq!(open(&wire, &path(&mail)).await.status, 410);
}

#[tokio::test]
async fn of_those_who_open_a_link_or_type_its_code_at_once_one_is_accepted() {
    let wire = start(EmailMode::Both).await;
    let device = mailbox(&wire).await;
    for _ in 0..5 {
        let (id, mail) = challenged(&wire, &device).await;
        let path = path(&mail);
        let confirm = form(&path, &nonce(&open(&wire, &path).await), "confirm");
        let body = format!(r#"{{"otp":"{}"}}"#, mail["code"].as_str().unwrap());
        let at = format!("2/verifications/{id}");
        let (first, second, typed) =
            tokio::join!(wire.server.send(confirm.clone()), wire.server.send(confirm), wire.put(&at, &body));
        let accepted = [first.status.as_u16(), second.status.as_u16(), typed.status()];
        assert_eq!(accepted.iter().filter(|status| **status == 200).count(), 1, "{accepted:?}");
        assert_eq!(state(&wire, &id).await, "accepted");
    }
}

/// Contract 4.4, 4.5, decision 24: v1 polls with its state token, and collects once.
#[tokio::test]
async fn version_1_polls_until_the_link_is_confirmed() {
    for mode in [EmailMode::Link, EmailMode::Both] {
        let wire = start(mode).await;
        let device = mailbox(&wire).await;
        let (told, mail) = mailed(&wire, wire.post(&format!("1/otp_devices/{device}/trigger"), "{}")).await;
        let body = json!({ "state_token": told.text("state_token") }).to_string();
        let poll = async || wire.post(&format!("1/otp_devices/{device}/verify"), &body).await;
        let waiting = poll().await;
        assert_eq!((waiting.status(), &waiting.json()["status"]["message"]), (401, &json!("Authentication pending")));
        assert!(told.text("state_token_expires_at").starts_with("2026-03-01T09:32:00"), "v1 stays at 120 s: {told}");
        assert_eq!(press(&wire, &path(&mail), "confirm").await.status, 200);
        assert_eq!((poll().await.status(), poll().await.status()), (200, 400), "collected once");
    }
}

#[tokio::test]
async fn a_log_in_waits_for_its_link() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let state_token = wire.under_way().await;
    let body = json!({ "state_token": state_token, "device_id": device }).to_string();
    let step = async || wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &body).await;
    let (told, mail) = mailed(&wire, step()).await;
    assert_eq!(told.json()["status"]["type"], "pending", "{told}");
    assert_eq!(step().await.json()["status"]["type"], "pending", "asked again, nothing is sent");
    assert_eq!(press(&wire, &path(&mail), "confirm").await.status, 200);
    let granted = step().await;
    assert!(granted.single()["session_token"].is_string(), "{granted}");
}

/// Contract 5.2: a link that was mailed is as a prompt that was put.
#[tokio::test]
async fn a_log_in_that_only_polls_is_mailed_no_second_link() {
    for mode in [EmailMode::Link, EmailMode::Both] {
        let wire = start(mode).await;
        let device = mailbox(&wire).await;
        let body =
            json!({ "state_token": wire.under_way().await, "device_id": device, "do_not_notify": true }).to_string();
        let poll = async || wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &body).await;
        mailed(&wire, poll()).await;
        let sent = wire.newest_message().await;
        assert_eq!(poll().await.json()["status"]["type"], "pending");
        wire.server.advance(121);
        let over = poll().await;
        assert_eq!(
            (over.status(), &over.json()["status"]["message"]),
            (401, &json!("Failed authentication with this factor"))
        );
        assert_eq!(wire.newest_message().await, sent);
    }
}

/// The page that should warn shows an address, and nothing that a client was talked into handing on.
#[tokio::test]
async fn words_in_the_place_of_an_address_are_not_shown() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    for (reported, is_shown) in [("IT desk: please confirm", false), ("2001:db8::7", true)] {
        let body = json!({ "device_id": device, "ipaddr": reported }).to_string();
        let (_, mail) = mailed(&wire, wire.post("2/verifications", &body)).await;
        let page = open(&wire, &path(&mail)).await;
        assert_eq!(page.text.contains(reported), is_shown, "{page}");
        wire.server.advance(31);
    }
}

/// Decision 76: "not me" is a denial at every door, also where the mail had a code.
#[tokio::test]
async fn a_poll_hears_that_the_person_has_denied() {
    for mode in [EmailMode::Link, EmailMode::Both] {
        let wire = start(mode).await;
        let device = mailbox(&wire).await;
        let (told, mail) = mailed(&wire, wire.post(&format!("1/otp_devices/{device}/trigger"), "{}")).await;
        assert_eq!(press(&wire, &path(&mail), "disown").await.status, 200);
        let body = json!({ "state_token": told.text("state_token") }).to_string();
        let denied = wire.post(&format!("1/otp_devices/{device}/verify"), &body).await;
        let failed = json!("Failed authentication with this factor");
        assert_eq!((denied.status(), &denied.json()["status"]["message"]), (401, &failed), "{denied}");

        wire.server.advance(31);
        let body = json!({ "state_token": wire.under_way().await, "device_id": device }).to_string();
        let step = async || wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &body).await;
        let (_, mail) = mailed(&wire, step()).await;
        assert_eq!(press(&wire, &path(&mail), "disown").await.status, 200);
        let sent = wire.newest_message().await;
        let body = body.replace('}', r#","do_not_notify":true}"#);
        let denied = wire.call_as(Scope::Authenticate, "POST", "/api/1/login/verify_factor", &body).await;
        assert_eq!((denied.status(), &denied.json()["status"]["message"]), (401, &failed), "{denied}");
        assert_eq!(wire.newest_message().await, sent, "nothing more is mailed");
    }
}

/// SEC 26: nothing of a user is evaluated under a lock.
#[tokio::test]
async fn under_a_lock_a_link_confirms_nothing() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let (id, mail) = challenged(&wire, &device).await;
    let path = path(&mail);
    let confirm = form(&path, &nonce(&open(&wire, &path).await), "confirm");
    let locked = wire.put(&format!("/api/1/users/{}/lock_user", wire.user), r#"{"locked_until":10}"#).await;
    assert_eq!(locked.status(), 200, "{locked}");
    assert_eq!(wire.server.send(confirm).await.status, 410);
    assert_ne!(state(&wire, &id).await, "accepted");
    assert!(events(&wire, 90_038).await.is_empty());
}

/// Smart MFA takes a code and nothing else (contract 8).
#[tokio::test]
async fn a_visit_gets_a_code_in_every_mode() {
    let wire = start(EmailMode::Link).await;
    let visit = r#"{"user_identifier":"zoe","email":"zoe@example.com","risk_threshold":50,
        "context":{"ip":"203.0.113.7","user_agent":"Firefox"}}"#;
    let (_, mail) = mailed(&wire, wire.post("/api/2/smart-mfa", visit)).await;
    assert!(mail["code"].is_string() && mail["link"].is_null(), "{mail}");
}

#[tokio::test]
async fn unknown_links_are_limited_and_live_ones_are_not() {
    let wire = start(EmailMode::Link).await;
    let device = mailbox(&wire).await;
    let (id, mail) = challenged(&wire, &device).await;
    let unknown = format!("/link/{}", "A".repeat(43));
    let mut refused = None;
    for _ in 0..400 {
        let told = open(&wire, &unknown).await;
        if told.status == 429 {
            refused = Some(told);
            break;
        }
        assert_eq!(told.status, 410);
    }
    let refused = refused.expect("somebody who tries hundreds of links waits");
    assert!(refused.header("retry-after").is_some(), "{refused}");
    assert_eq!(press(&wire, &path(&mail), "confirm").await.status, 200, "from the same address");
    assert_eq!(state(&wire, &id).await, "accepted");
}

/// Contract 7.10.
#[tokio::test]
async fn polls_that_are_held_are_answered_at_the_confirmation() {
    let redirect_origins = vec!["https://app.example.com".to_owned()];
    let options = DialectOptions { redirect_origins, ..DialectOptions::default() };
    let setup = Setup { options, email_mode: EmailMode::Link, held_as_shipped: true, ..Setup::default() };
    let wire = Wire::start_with(setup).await;
    let device = mailbox(&wire).await;
    let (id, mail) = challenged(&wire, &device).await;
    let at = format!("2/verifications/{id}?wait=25");
    let path = path(&mail);
    let (held, pressed) = tokio::join!(wire.get(&at), press(&wire, &path, "confirm"));
    assert_eq!((held.json()["status"].as_str(), pressed.status.as_u16()), (Some("accepted"), 200), "{held}");

    // Contract 5.2: so is the step of a log-in.
    wire.server.advance(31);
    let body = json!({ "state_token": wire.under_way().await, "device_id": device }).to_string();
    let step = async |at: &str| wire.call_as(Scope::Authenticate, "POST", at, &body).await;
    let (_, mail) = mailed(&wire, step("/api/1/login/verify_factor")).await;
    let path = self::path(&mail);
    let (held, pressed) = tokio::join!(step("/api/1/login/verify_factor?wait=25"), press(&wire, &path, "confirm"));
    assert_eq!((held.status(), pressed.status.as_u16()), (200, 200), "{held}");
    assert!(held.single()["session_token"].is_string(), "{held}");
}
