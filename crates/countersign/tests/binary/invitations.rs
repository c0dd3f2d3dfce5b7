//! Invitations as `serve` answers them (contract 21, SEC 105): an API makes links, and a browser enrols by them.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use serde_json::{Value, json};

use crate::common::browser::{Authenticator, Browser, between, devices, field, invite, messages, token, user};
use crate::common::installation::Installation;
use crate::common::phone::{Phone, key, pairing};
use crate::common::{Http, Running};
use crate::links::head;

const CONFIG: &str = "public_url = 'http://localhost:8080'\nissuer = 'Example Inc'\n\
                      limits.message_interval_seconds = 0\n[messages]\ncountries = ['US']\n";

/// A server whose messages are in a file.
pub(crate) fn serving() -> (Installation, Running, Http) {
    let installation = Installation::new("");
    let file = installation.path("messages.jsonl");
    let delivery = format!("[delivery.file]\npath = '{}'\ni_know_that_codes_are_readable = true\n", file.display());
    std::fs::write(installation.path("countersign.toml"), format!("{CONFIG}{delivery}")).unwrap();
    let (server, api) = installation.serve();
    (installation, server, api)
}

fn refused(api: &mut Http, user: i64, body: &Value) -> (u16, Value) {
    let answer = api.send("POST", &format!("/api/2/mfa/users/{user}/enrollment_link"), &body.to_string()).unwrap();
    (answer.status, answer.json()["details"]["parameters"].clone())
}

/// Contract 21.1, row by row.
#[test]
fn a_link_is_made_for_those_who_may_have_one() {
    let (installation, server, mut api) = serving();
    let ana = user(&mut api, "ana", None);
    let path = format!("/api/2/mfa/users/{ana}/enrollment_link");
    let made = api.expect(201, "POST", &path, "");
    assert!(made["url"].as_str().unwrap().starts_with("http://localhost:8080/enroll/"), "{made}");
    assert_eq!((made["expires_at"].as_str().unwrap().len(), &made["delivered"]), (20, &Value::Null), "{made}");
    for seconds in [899, 604_801, 0, -1] {
        assert_eq!(
            refused(&mut api, ana, &json!({ "expires_in": seconds })),
            (422, json!(["expires_in"])),
            "{seconds}"
        );
    }
    for seconds in [900, 604_800] {
        invite(&mut api, ana, &json!({ "expires_in": seconds }));
    }
    assert_eq!(refused(&mut api, ana, &json!({ "deliver": "fax" })), (422, json!(["deliver"])));
    assert_eq!(refused(&mut api, ana, &json!({ "deliver": "sms" })), (422, json!(["deliver"])), "without a number");
    assert_eq!(refused(&mut api, 999, &json!({})).0, 404);
    let sent = api.expect(201, "POST", &path, r#"{"deliver":"email"}"#);
    assert_eq!(sent["delivered"], "email");
    let mail = messages(&installation.path("messages.jsonl"), 1);
    assert!(mail[0].to_string().contains(sent["url"].as_str().unwrap()), "{mail:?}");
    let events = api.expect(200, "GET", &format!("/api/1/events?user_id={ana}&event_type_id=90043"), "");
    assert_eq!(events["data"].as_array().map(Vec::len), Some(4), "{events}");
    assert!(!events.to_string().contains("replace"));

    // With a device, only in its place.
    Phone::paired(&mut api, ana, 1);
    assert_eq!(refused(&mut api, ana, &json!({})), (422, json!(["replace"])));
    invite(&mut api, ana, &json!({ "replace": true }));
    let events = api.expect(200, "GET", &format!("/api/1/events?user_id={ana}&event_type_id=90043"), "");
    assert_eq!(
        events["data"].as_array().unwrap().iter().filter(|event| event.to_string().contains("replace")).count(),
        1
    );

    // Who is locked is not invited, and who may only look does not invite.
    let ben = user(&mut api, "ben", None);
    api.expect(200, "PUT", &format!("/api/1/users/{ben}/lock_user"), r#"{"locked_until":60}"#);
    assert_eq!(refused(&mut api, ben, &json!({})).0, 403);
    let carla = user(&mut api, "carla", None);
    for (scope, status) in [("Read Users", 403), ("Read All", 403), ("Authentication Only", 403), ("Manage users", 201)]
    {
        let client = installation.json(&["client", "create", "--scope", scope, "--json"]);
        let mut other = server.http();
        other.authorize(&client);
        let answer = other.send("POST", &format!("/api/2/mfa/users/{carla}/enrollment_link"), "").unwrap();
        assert_eq!(answer.status, status, "{scope}: {answer:?}");
    }
    assert_eq!(
        server.http().send("POST", &format!("/api/2/mfa/users/{carla}/enrollment_link"), "").unwrap().status,
        401
    );
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn links_of_invitations_need_an_address_to_begin_with() {
    let installation = Installation::new("");
    let (server, mut api) = installation.serve();
    let ana = user(&mut api, "ana", None);
    assert_eq!(refused(&mut api, ana, &json!({})), (422, json!(["public_url"])));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn looking_at_an_invitation_changes_nothing_and_forms_need_its_page() {
    let (_installation, server, mut api) = serving();
    let (ana, ben) = (user(&mut api, "ana", None), user(&mut api, "ben", None));
    let link = invite(&mut api, ana, &json!({}));
    let others = invite(&mut api, ben, &json!({}));
    let mut http = server.http();
    for _ in 0..2 {
        let seen = head(&server, &format!("/enroll/{link}"));
        assert!(seen.starts_with("HTTP/1.1 200 OK\r\n") && seen.ends_with("\r\n\r\n"), "{seen}");
        let page = http.send("GET", &format!("/enroll/{link}"), "").unwrap();
        assert_eq!(page.status, 200);
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
        assert!(page.body.contains("ana@example.com") && !page.body.contains("voice"), "{}", page.body);
        assert!(!page.body.contains("<script"));
    }
    let mut browser = Browser::open(&server, &link);
    let theirs = Browser::open(&server, &others).nonce;
    let (token, nonce) = (browser.token.clone(), browser.nonce.clone());
    assert_ne!(nonce, theirs);
    for (form, status) in [
        (format!("token={token}&begin=totp"), 400),
        (format!("nonce={nonce}&begin=totp"), 400),
        (format!("token={token}&nonce={nonce}"), 400),
        (format!("token={token}&nonce={nonce}&begin=voice"), 400),
        (format!("token={token}&nonce={nonce}&begin=totp&begin=totp"), 400),
        (format!("token={token}&token={others}&nonce={nonce}&begin=totp"), 400),
        (format!("token={token}&nonce={nonce}&registration=x"), 400),
        (format!("token={token}&nonce=&begin=totp"), 403),
        (format!("token={token}&nonce={theirs}&begin=totp"), 403),
        (format!("token={others}&nonce={nonce}&begin=totp"), 403),
        (format!("token={}&nonce={nonce}&begin=totp", "A".repeat(43)), 410),
        (String::new(), 400),
    ] {
        assert_eq!(browser.http.send("POST", "/enroll", &form).unwrap().status, status, "{form}");
    }
    let good = format!("token={token}&nonce={nonce}&begin=totp");
    for site in ["cross-site", "same-site", "none"] {
        let mut foreign = server.http();
        foreign.headers = vec![("sec-fetch-site".to_owned(), site.to_owned())];
        assert_eq!(foreign.send("POST", "/enroll", &good).unwrap().status, 403, "{site}");
    }
    let long = server.http().send("POST", "/enroll", &format!("{good}&target={}", "x".repeat(3_000))).unwrap();
    assert_eq!(long.status, 413);
    for (method, path, allowed) in [
        ("GET", "/enroll".to_owned(), "POST"),
        ("PUT", "/enroll".to_owned(), "POST"),
        ("POST", format!("/enroll/{token}"), "GET, HEAD"),
        ("DELETE", format!("/enroll/{token}"), "GET, HEAD"),
    ] {
        let refused = server.http().send(method, &path, "").unwrap();
        assert_eq!((refused.status, refused.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
    // Nothing was begun by any of it: the factor is free, and nothing is listed.
    assert_eq!(devices(&mut api, ana), Vec::<String>::new());
    let events = api.expect(200, "GET", &format!("/api/1/events?user_id={ana}"), "");
    assert_eq!(events["data"].as_array().map(Vec::len), Some(2), "made, and invited: {events}");
    let page = browser.begin("totp");
    assert!(browser.code(&page, &Authenticator::of(&page).code(0)).body.contains("ana@example.com"));
    assert_eq!(devices(&mut api, ana).len(), 1);
    assert_eq!(server.stop(), Some(0));
}

/// SEC 46, 105.
#[test]
fn an_authenticator_is_enrolled_by_a_form_and_uses_the_link_up() {
    let (installation, server, mut api) = serving();
    let ana = user(&mut api, "ana", Some("+14155550101"));
    let link = invite(&mut api, ana, &json!({}));
    let mut browser = Browser::open(&server, &link);
    let page = browser.begin("totp");
    let app = Authenticator::of(&page);
    let wrong = browser.code(&page, if app.code(0) == "123456" { "654321" } else { "123456" });
    assert_eq!(wrong.status, 200);
    assert!(!wrong.body.contains("secret="), "the secret is shown once");
    assert_eq!(devices(&mut api, ana), Vec::<String>::new());
    for (off, word) in [(300, "5 minutes fast"), (-300, "5 minutes slow")] {
        let off = browser.code(&wrong.body, &app.code(off)).body;
        let said = off.to_lowercase();
        assert!(said.contains("5 minutes") && said.contains(word.split(' ').next_back().unwrap()), "{word}: {off}");
    }
    let done = browser.code(&wrong.body, &format!("{}+{}", &app.code(0)[..3], &app.code(0)[3..]));
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(devices(&mut api, ana).len(), 1, "{done:?}");
    assert_eq!(server.http().send("GET", &format!("/enroll/{link}"), "").unwrap().status, 410);
    assert!(head(&server, &format!("/enroll/{link}")).starts_with("HTTP/1.1 410 "));
    assert_eq!(browser.send("begin=push").status, 410, "used up");
    let events = api.expect(200, "GET", &format!("/api/1/events?user_id={ana}&event_type_id=90044"), "");
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1), "{events}");

    // SEC 59: by mail, since there is an address.
    let sent = messages(&installation.path("messages.jsonl"), 1);
    assert_eq!((&sent[0]["channel"], &sent[0]["to"]), (&json!("email"), &json!("ana@example.com")), "{sent:?}");

    // The page of what is done leads on, once.
    let next = token(&format!("/enroll/{}", between(&done.body, "/enroll/", "\"")));
    let mut browser = Browser::open(&server, &next);
    let page = browser.begin("push");
    let code: String = between(&page, "/app#", "\"").to_owned();
    let paired = server.http().expect(200, "POST", "/app/pair", &pairing(&key(1), &code, &code, None));
    assert_eq!(paired["user"], json!(ana.to_string()));
    let wait = server.http().send("GET", &browser.wait, "").unwrap();
    assert_eq!(wait.status, 200);
    assert!(!wait.body.contains("/enroll/"), "the chain ends: {}", wait.body);
    assert_eq!(server.http().send("GET", &format!("/enroll/{next}"), "").unwrap().status, 410);
    assert_eq!(devices(&mut api, ana).len(), 2);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_page_that_waits_for_a_phone_is_found_by_its_handle_alone() {
    let (_installation, server, mut api) = serving();
    let (ana, ben) = (user(&mut api, "ana", None), user(&mut api, "ben", None));
    let link = invite(&mut api, ana, &json!({}));
    let mut browser = Browser::open(&server, &link);
    let page = browser.begin("push");
    let path = browser.wait.clone();
    let code = between(&page, "/app#", "\"").to_owned();
    let mut http = server.http();
    let waits = http.send("GET", &path, "").unwrap();
    assert_eq!(waits.status, 200, "{path} {waits:?}");
    assert!(waits.header("refresh").is_some() && waits.body.contains(&code[..4]), "{waits:?}");
    assert_eq!(devices(&mut api, ana), Vec::<String>::new(), "looking changes nothing");
    let handle = path.rsplit('/').next().unwrap().to_owned();
    let (of, sealed) = handle.split_once('.').unwrap();
    let last = if sealed.ends_with('A') { "B" } else { "A" };
    let altered = format!("{of}.{}{last}", &sealed[..sealed.len() - 1]);
    let first = if sealed.starts_with('A') { "B" } else { "A" };
    for forged in [
        altered,
        format!("{of}.{first}{}", &sealed[1..]),
        format!("{ben}.{sealed}"),
        format!("{of}."),
        "x".to_owned(),
        String::new(),
        sealed.to_owned(),
        link.clone(),
    ] {
        assert_eq!(http.send("GET", &format!("/enroll/wait/{forged}"), "").unwrap().status, 410, "{forged}");
    }
    http.expect(200, "POST", "/app/pair", &pairing(&key(1), &code, &code, None));
    let done = http.send("GET", &path, "").unwrap();
    assert_eq!((done.status, done.header("refresh")), (200, None), "{done:?}");
    assert!(!done.body.contains("earlier devices"), "{done:?}");
    let again = http.send("GET", &path, "").unwrap();
    assert_eq!(again.body, done.body);

    // A phone that waits for a link that is replaced waits no longer.
    let link = invite(&mut api, ben, &json!({}));
    let mut browser = Browser::open(&server, &link);
    let page = browser.begin("push");
    let code = between(&page, "/app#", "\"").to_owned();
    invite(&mut api, ben, &json!({}));
    assert_eq!(http.send("GET", &browser.wait, "").unwrap().status, 410);
    let late = http.send("POST", "/app/pair", &pairing(&key(2), &code, &code, None)).unwrap();
    assert_eq!((late.status, devices(&mut api, ben)), (404, Vec::new()));
    assert_eq!(server.stop(), Some(0));
}

/// SEC 18, 59: a number alone is asked for more, and the notice goes where the new device is not.
#[test]
fn numbers_and_mailboxes_are_enrolled_with_the_codes_that_are_sent() {
    let (installation, server, mut api) = serving();
    let file = installation.path("messages.jsonl");
    let ana = user(&mut api, "ana", Some("+1 (415) 555-0101"));
    let link = invite(&mut api, ana, &json!({}));
    let mut browser = Browser::open(&server, &link);
    let page = browser.begin("sms");
    assert!(page.contains("0101") && !page.contains("5550101"), "{page}");
    let sent = messages(&file, 1);
    assert_eq!((&sent[0]["channel"], &sent[0]["to"]), (&json!("sms"), &json!("+14155550101")), "{sent:?}");
    let wrong = browser.code(&page, "000000").body;
    assert!(wrong.contains("0101") && !wrong.contains("5550101"), "it says still where the code went: {wrong}");
    let done = browser.code(&wrong, sent[0]["code"].as_str().unwrap());
    assert_eq!(devices(&mut api, ana).len(), 1, "{done:?}");
    assert!(done.body.contains("button primary") && done.body.contains("/enroll/"), "leads on: {}", done.body);
    let sent = messages(&file, 2);
    assert_eq!((&sent[1]["channel"], &sent[1]["to"]), (&json!("email"), &json!("ana@example.com")), "{sent:?}");

    // The mailbox next: its notice cannot go by mail, so it is a text message.
    let next = between(&done.body, "/enroll/", "\"").to_owned();
    let mut browser = Browser::open(&server, &next);
    let page = browser.begin("email");
    let sent = messages(&file, 3);
    assert_eq!((&sent[2]["channel"], &sent[2]["to"]), (&json!("email"), &json!("ana@example.com")), "{sent:?}");
    let done = browser.code(&page, sent[2]["code"].as_str().unwrap());
    assert_eq!(devices(&mut api, ana).len(), 2, "{done:?}");
    let sent = messages(&file, 4);
    assert_eq!((&sent[3]["channel"], &sent[3]["to"]), (&json!("sms"), &json!("+14155550101")), "{sent:?}");
    assert_eq!(server.stop(), Some(0));
}

/// What a person has typed is where another code goes, also after a wrong one.
#[test]
fn another_code_goes_where_the_first_one_went() {
    let (installation, server, mut api) = serving();
    let file = installation.path("messages.jsonl");
    let ana = user(&mut api, "ana", Some("+14155550101"));
    let link = invite(&mut api, ana, &json!({}));
    let mut browser = Browser::open(&server, &link);
    let page = browser.begin("sms&target=%2B14155550177");
    assert_eq!(messages(&file, 1)[0]["to"], "+14155550177");
    let wrong = browser.code(&page, "000000").body;
    for page in [page, wrong] {
        let form = page.split("<form").find(|form| form.contains("name=\"begin\"")).unwrap();
        assert!(form.contains("name=\"target\""), "{form}");
        assert!(field(form, "target").contains("14155550177"), "{form}");
        let count = messages(&file, 1).len();
        browser.begin(&format!(
            "sms&target={}",
            field(form, "target").replace('+', "%2B").replace("&#x2b;", "%2B").replace("&#43;", "%2B")
        ));
        assert_eq!(messages(&file, count + 1)[count]["to"], "+14155550177");
    }
    // A number that nothing may be sent to is said beside the choice.
    let page = browser.begin("sms&target=%2B4915112345678");
    assert!(page.contains("name=\"begin\"") && !page.contains("name=\"registration\""), "{page}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_replaces_takes_the_place_of_all_and_a_new_link_ends_the_old() {
    let (installation, server, mut api) = serving();
    let ana = user(&mut api, "ana", None);
    Phone::paired(&mut api, ana, 1);
    let first = invite(&mut api, ana, &json!({ "replace": true }));
    let mut old = Browser::open(&server, &first);
    let begun = old.begin("totp");
    let link = invite(&mut api, ana, &json!({ "replace": true }));
    assert_eq!(server.http().send("GET", &format!("/enroll/{first}"), "").unwrap().status, 410);
    assert_eq!(old.code(&begun, &Authenticator::of(&begun).code(0)).status, 410, "what was begun is over too");
    assert_eq!(devices(&mut api, ana), ["OneLogin"]);
    // Another phone, although one is active: it takes its place.
    let mut browser = Browser::open(&server, &link);
    let other = browser.begin("totp");
    let page = browser.begin("push");
    assert_eq!(devices(&mut api, ana).len(), 1, "until it is finished, the old one works");
    let code = between(&page, "/app#", "\"").to_owned();
    let paired = server.http().expect(200, "POST", "/app/pair", &pairing(&key(2), &code, &code, None));
    assert_eq!(devices(&mut api, ana), ["OneLogin"]);
    let new = Phone::of(&paired, 2);
    assert_eq!(new.asks(&mut server.http()).status, 200);
    assert_ne!(browser.code(&other, &Authenticator::of(&other).code(0)).status, 200);
    assert_eq!(devices(&mut api, ana).len(), 1);
    let done = server.http().send("GET", &browser.wait, "").unwrap();
    assert_eq!(done.status, 200);
    assert!(done.body.contains("Your earlier devices were removed"), "{done:?}");
    let sent = messages(&installation.path("messages.jsonl"), 1);
    assert_eq!(sent[0]["to"], "ana@example.com", "{sent:?}");
    // The link ends with the client that has made it.
    let ben = user(&mut api, "ben", None);
    let client = installation.json(&["client", "create", "--scope", "Manage All", "--json"]);
    let mut other = server.http();
    other.authorize(&client);
    let link = invite(&mut other, ben, &json!({}));
    installation.json(&["client", "revoke", client["client_id"].as_str().unwrap(), "--yes", "--json"]);
    assert_eq!(server.http().send("GET", &format!("/enroll/{link}"), "").unwrap().status, 410);
    assert_eq!(server.stop(), Some(0));
}

/// SEC 1, 105.
#[test]
fn of_sixteen_who_finish_an_invitation_at_once_one_does() {
    let (_installation, server, mut api) = serving();
    for round in 0..3 {
        let ana = user(&mut api, &format!("ana{round}"), Some("+14155550101"));
        let link = invite(&mut api, ana, &json!({}));
        let mut browser = Browser::open(&server, &link);
        // One factor after another: a code of the app, and a phone.
        let page = browser.begin("totp");
        let push = browser.begin("push");
        let pairing_code = between(&push, "/app#", "\"").to_owned();
        let form = format!(
            "token={}&nonce={}&registration={}&code={}",
            browser.token,
            browser.nonce,
            field(&page, "registration"),
            Authenticator::of(&page).code(0)
        );
        let line = std::sync::Barrier::new(16);
        let won: Vec<bool> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..16_u8)
                .map(|n| {
                    let (line, form, pairing_code, mut http) = (&line, &form, &pairing_code, server.http());
                    scope.spawn(move || {
                        let body = pairing(&key(n + 1), pairing_code, pairing_code, None);
                        line.wait();
                        if n % 2 == 0 {
                            let answer = http.send("POST", "/enroll", form).unwrap();
                            answer.status == 200
                                && answer.body.contains("/enroll/")
                                && !answer.body.contains("name=\"code\"")
                                && !answer.body.contains(&format!("/enroll/{}", between(form, "token=", "&")))
                        } else {
                            http.send("POST", "/app/pair", &body).unwrap().status == 200
                        }
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        assert_eq!(devices(&mut api, ana).len(), 1);
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn unknown_invitations_are_limited_and_one_that_waits_is_shown() {
    let (_installation, server, mut api) = serving();
    let ana = user(&mut api, "ana", None);
    let link = invite(&mut api, ana, &json!({}));
    let mut http = server.http();
    let limited = (0..400).find_map(|n| {
        let path = if n % 2 == 0 { format!("/enroll/{}", "A".repeat(43)) } else { "/enroll/wait/1.AAAA".to_owned() };
        let answer = http.send("GET", &path, "").unwrap();
        (answer.status == 429).then_some(answer)
    });
    assert!(limited.is_some_and(|answer| answer.header("retry-after").is_some()));
    Browser::open(&server, &link).begin("totp");
    assert_eq!(server.stop(), Some(0));
}
