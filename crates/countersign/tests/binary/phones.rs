//! Phones that speak to `serve` (contract 20, SEC 12, 103): paired by their keys, heard by their signatures.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use domain::rules::factor::push::{PhoneAction, PushDecision};
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::phone::{Phone, begin, key, now, pairing};
use crate::common::{Http, Running};

/// Where push is offered, and with how many prompts a test may ask.
pub(crate) const CONFIG: &str =
    "public_url = 'http://localhost:8080'\nissuer = 'Example Inc'\nlimits.message_interval_seconds = 0\n";

/// A server that offers the app.
pub(crate) fn serving(more: &str) -> (Installation, Running, Http) {
    let installation = Installation::new(&format!("{CONFIG}{more}"));
    let (server, api) = installation.serve();
    (installation, server, api)
}

fn status(http: &mut Http, path: &str, body: &str) -> (u16, Value) {
    let answer = http.send("POST", path, body).unwrap();
    (answer.status, answer.json())
}

fn state(api: &mut Http, at: &str) -> Value {
    api.expect(200, "GET", at, "")["status"].clone()
}

#[test]
fn a_phone_is_paired_with_a_code_however_it_is_typed() {
    let (installation, server, mut api) = serving("");
    let mut http = server.http();
    for (n, spelled) in [
        |code: &str| code.to_lowercase(),
        |code: &str| format!(" {}-{} ", &code[..4], &code[4..]),
        |code: &str| code.chars().flat_map(|mark| [mark, ' ']).collect::<String>(),
    ]
    .into_iter()
    .enumerate()
    {
        let ana = installation.user(&format!("ana{n}"));
        let code = begin(&mut api, ana);
        let before = now();
        let paired = http.expect(200, "POST", "/app/pair", &pairing(&key(1), &spelled(&code), &code, None));
        assert_eq!(
            (&paired["user"], &paired["account"]),
            (&json!(ana.to_string()), &json!(format!("ana{n}@example.com")))
        );
        assert_eq!((&paired["issuer"], &paired["device_name"]), (&json!("Example Inc"), &json!("Phone")));
        // The server's trusted time is counted from its start; it may be a rounding away from the clock on the wall.
        let about = before - 1_000..=now() + 1_000;
        assert!(paired["now"].as_i64().is_some_and(|at| about.contains(&at)), "{paired}");
        assert_eq!(paired.as_object().unwrap().len(), 6, "{paired}");
        let again = pairing(&key(2), &code, &code, None);
        assert_eq!(status(&mut http, "/app/pair", &again), (404, json!({ "error": "unknown_code" })));
        let phone = Phone::of(&paired, 1);
        assert_eq!(phone.requests(&mut http), Vec::<Value>::new());
        // The answer was lost: the phone asks again with its key, and gets it until it is paired no longer.
        let lost = pairing(&key(1), &spelled(&code), &code, None);
        let same = http.expect(200, "POST", "/app/pair", &lost);
        assert_eq!((&same["user"], &same["device"]), (&paired["user"], &paired["device"]));
        let devices = api.expect(200, "GET", &format!("/api/2/mfa/users/{ana}/devices"), "");
        assert_eq!(devices.as_array().map(Vec::len), Some(1), "{devices}");
        api.expect(204, "DELETE", &format!("/api/2/mfa/users/{ana}/devices/{}", phone.device), "");
        assert_eq!(status(&mut http, "/app/pair", &lost), (404, json!({ "error": "unknown_code" })));
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_pairing_that_is_not_the_keys_own_pairs_nothing() {
    let (installation, server, mut api) = serving("");
    let mut http = server.http();
    let ana = installation.user("ana");
    let code = begin(&mut api, ana);
    let wrong = if code.ends_with('0') { format!("{}1", &code[..7]) } else { format!("{}0", &code[..7]) };
    let mut stolen: Value = serde_json::from_str(&pairing(&key(1), &code, &code, None)).unwrap();
    stolen["public_key"] =
        serde_json::from_str::<Value>(&pairing(&key(2), &code, &code, None)).unwrap()["public_key"].clone();
    let point = key(1).verifying_key().to_sec1_point(true).as_bytes().to_vec();
    let compressed = {
        let text = domain::rules::factor::push::pairing_text(&code, &point);
        json!({ "code": code, "public_key": data_encoding::BASE64URL_NOPAD.encode(&point),
            "signature": crate::common::phone::sign(&key(1), &text) })
    };
    for (name, body) in [
        ("another code", pairing(&key(1), &wrong, &wrong, None)),
        ("signed over another code", pairing(&key(1), &code, &wrong, None)),
        ("another key", stolen.to_string()),
        ("a compressed point", compressed.to_string()),
        ("no code at all", pairing(&key(1), "", "", None)),
        ("a code that could be none", pairing(&key(1), "ÜÜÜÜÜÜÜÜ", &code, None)),
    ] {
        assert_eq!(status(&mut http, "/app/pair", &body), (404, json!({ "error": "unknown_code" })), "{name}");
    }
    http.expect(200, "POST", "/app/pair", &pairing(&key(1), &code, &code, None));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_is_not_understood_is_refused_and_changes_nothing() {
    let (installation, server, mut api) = serving("");
    let phone = Phone::paired(&mut api, installation.user("ana"), 1);
    let mut http = server.http();
    let whole = phone.shows(PhoneAction::Requests, None, now());
    let without = |name: &str| {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string()
    };
    let with = |name: &str, value: Value| {
        let mut body = whole.clone();
        body[name] = value;
        body.to_string()
    };
    for body in [
        String::new(),
        "[]".to_owned(),
        "{".to_owned(),
        without("user"),
        without("signature"),
        without("signed_at"),
        with("user", json!(7)),
        with("user", json!("seven")),
        with("signed_at", json!("now")),
        with("signature", json!("a+b=")),
    ] {
        for path in ["/app/requests", "/app/subscription", "/app/pair", "/app/answer", "/app/events"] {
            assert_eq!(status(&mut http, path, &body), (400, json!({ "error": "not_understood" })), "{path} {body}");
        }
    }
    let nine = json!({ "phones": vec![phone.shows(PhoneAction::Events, None, now()); 9] }).to_string();
    let none = json!({ "phones": [] }).to_string();
    for body in [nine, none] {
        assert_eq!(status(&mut http, "/app/events", &body), (400, json!({ "error": "not_understood" })));
    }
    let long = json!({ "code": "x".repeat(9_000) }).to_string();
    let refused = server.http().send("POST", "/app/pair", &long).unwrap();
    assert_eq!((refused.status, refused.json()), (413, json!({ "error": "not_understood" })));
    for (method, path, allowed) in [
        ("GET", "/app/pair", "POST"),
        ("PUT", "/app/answer", "POST"),
        ("POST", "/app", "GET, HEAD"),
        ("DELETE", "/app/worker.js", "GET, HEAD"),
    ] {
        let refused = server.http().send(method, path, "").unwrap();
        assert_eq!((refused.status, refused.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
    assert_eq!(server.http().send("POST", "/app/other", "").unwrap().status, 404);
    let mut foreign = server.http();
    for site in ["cross-site", "same-site", "none"] {
        foreign.headers = vec![("sec-fetch-site".to_owned(), site.to_owned())];
        assert_eq!(phone.asks(&mut foreign).status, 403, "{site}");
    }
    foreign.headers = vec![("sec-fetch-site".to_owned(), "same-origin".to_owned())];
    let answer = phone.asks(&mut foreign);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_app_is_unknown_where_push_is_not_offered() {
    let installation = Installation::new("public_url = 'http://mfa.example.com'\n");
    let (server, api) = installation.serve();
    drop(api);
    let mut http = server.http();
    for (method, path) in [
        ("GET", "/app"),
        ("GET", "/app/worker.js"),
        ("POST", "/app/pair"),
        ("POST", "/app/requests"),
        ("POST", "/app/events"),
    ] {
        assert_eq!(http.send(method, path, "{}").unwrap().status, 404, "{method} {path}");
    }
    assert_eq!(server.stop(), Some(0));
}

/// SEC 103: a signature of another key, another action, another phone or another time is none.
#[test]
fn a_request_that_the_phone_has_not_signed_now_is_refused() {
    let (installation, server, mut api) = serving("");
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let ben = Phone::paired(&mut api, installation.user("ben"), 2);
    let prompt = ana.prompt(&mut api);
    let mut http = server.http();
    let requests = |phone: &Phone, at| phone.shows(PhoneAction::Requests, None, at);
    let edited = |name: &str, value: Value| {
        let mut body = requests(&ana, now());
        body[name] = value;
        body
    };
    let stranger = Phone { key: key(9), ..ana.clone() };
    for (name, body) in [
        ("another key", requests(&stranger, now())),
        ("another phone's key", requests(&Phone { key: key(2), ..ana.clone() }, now())),
        ("another user's phone", edited("device", json!(ben.device.to_string()))),
        ("no such user", requests(&Phone { user: 999, ..ana.clone() }, now())),
        ("no such device", requests(&Phone { device: 999, ..ana.clone() }, now())),
        ("another action", ana.shows(PhoneAction::Events, None, now())),
        ("something else said", ana.shows(PhoneAction::Requests, Some("more"), now())),
        ("another time", edited("signed_at", json!(now() + 1_000))),
        ("no signature", edited("signature", json!(""))),
        ("zeros", edited("signature", json!("A".repeat(86)))),
    ] {
        assert_eq!(
            status(&mut http, "/app/requests", &body.to_string()),
            (403, json!({ "error": "not_paired" })),
            "{name}"
        );
    }
    for off in [-61_500, 61_500, i64::MIN / 2, i64::MAX / 2] {
        let body = requests(&ana, now().saturating_add(off)).to_string();
        let (code, said) = status(&mut http, "/app/requests", &body);
        assert_eq!((code, &said["error"]), (409, &json!("clock")), "{off}");
        assert!(said["now"].as_i64().is_some_and(|at| (now() - at).abs() < 5_000), "{said}");
    }
    for at in [i64::MIN, i64::MAX] {
        assert_eq!(status(&mut http, "/app/requests", &requests(&ana, at).to_string()).0, 409);
    }
    // One whose clock is off hears so, whatever else it names.
    let late = ana.shows(PhoneAction::Events, None, now() - 90_000);
    let gone = Phone { device: 999, ..ana.clone() }.shows(PhoneAction::Events, None, now());
    for phones in [json!([late, gone]), json!([gone, late])] {
        assert_eq!(status(&mut http, "/app/events", &json!({ "phones": phones }).to_string()).0, 409);
    }
    assert_eq!(status(&mut http, "/app/events", &json!({ "phones": [gone] }).to_string()).0, 403);
    // A replay within the time reads what the phone may read.
    let body = requests(&ana, now() - 50_000).to_string();
    for _ in 0..2 {
        assert_eq!(status(&mut http, "/app/requests", &body).0, 200);
    }
    assert_eq!(state(&mut api, &prompt), "pending");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_prompt_is_answered_by_the_phone_that_it_is_for_and_once() {
    let (installation, server, mut api) = serving("");
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let ben = Phone::paired(&mut api, installation.user("ben"), 2);
    let mut http = server.http();
    let at = ana.prompt(&mut api);
    let [request] = ana.requests(&mut http).try_into().unwrap();
    let fields: Vec<&String> = request.as_object().unwrap().keys().collect();
    for field in ["id", "nonce", "purpose", "account", "device_name", "caller", "asked_at", "expires_at", "digits"] {
        assert!(fields.iter().any(|known| *known == field), "{field}: {request}");
    }
    assert_eq!(
        (&request["account"], &request["digits"], &request["purpose"]),
        (&json!("ana@example.com"), &json!(0), &json!("login"))
    );
    assert_eq!((&request["device_name"], &request["caller"]), (&json!("Phone"), &json!("127.0.0.1")));
    assert_eq!(ben.requests(&mut http), Vec::<Value>::new());

    let good = ana.says(&request, PushDecision::Accept, None);
    let edited = |name: &str, value: Value| {
        let mut said = good.clone();
        said[name] = value;
        said
    };
    let other_id = json!("00000000-0000-4000-8000-000000000000");
    for (name, said) in [
        ("another phone's key", ben.says(&request, PushDecision::Accept, None)),
        ("a stranger's key", Phone { key: key(9), ..ana.clone() }.says(&request, PushDecision::Accept, None)),
        ("turned round", edited("decision", json!("deny"))),
        ("with digits", edited("digits", json!("42"))),
        ("at another time", edited("signed_at", json!(8))),
        ("of another prompt", edited("id", other_id)),
    ] {
        let answered = status(&mut http, "/app/answer", &said.to_string());
        assert_eq!(answered, (200, json!({ "state": "over" })), "{name}");
    }
    assert_eq!(state(&mut api, &at), "pending", "nothing has changed");
    assert_eq!(status(&mut http, "/app/answer", &good.to_string()), (200, json!({ "state": "accepted" })));
    assert_eq!(status(&mut http, "/app/answer", &good.to_string()), (200, json!({ "state": "over" })), "replayed");
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Deny, None), "over");
    assert_eq!(state(&mut api, &at), "accepted");
    assert_eq!(ana.requests(&mut http), Vec::<Value>::new());

    let at = ana.prompt(&mut api);
    let [request] = ana.requests(&mut http).try_into().unwrap();
    assert_eq!(status(&mut http, "/app/answer", &good.to_string()).1, json!({ "state": "over" }), "of the one before");
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Deny, None), "denied");
    assert_eq!(state(&mut api, &at), "rejected");
    let at = ana.prompt(&mut api);
    let [request] = ana.requests(&mut http).try_into().unwrap();
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Report, None), "reported");
    assert_eq!(state(&mut api, &at), "rejected");
    let paused = api.send(
        "POST",
        &format!("/api/2/mfa/users/{}/verifications", ana.user),
        &json!({ "device_id": ana.device.to_string() }).to_string(),
    );
    assert_eq!(paused.unwrap().status, 429, "push pauses");
    assert_eq!(server.stop(), Some(0));
}

/// A caller whose people type a number.
fn matching(installation: &Installation, server: &Running) -> Http {
    let client = installation.json(&[
        "client",
        "create",
        "--scope",
        "Manage All",
        "--number-matching",
        "on",
        "--name",
        "shop",
        "--json",
    ]);
    let mut api = server.http();
    api.authorize(&client);
    api
}

/// The number in the message of a pending prompt.
fn number(message: &str) -> String {
    let number = message.strip_prefix("Authentication pending on OL Protect. Number to type: ");
    number.unwrap_or_else(|| panic!("no number: {message}")).to_owned()
}

fn triggered(api: &mut Http, phone: &Phone) -> (String, String) {
    let at = format!("/api/1/users/{}/otp_devices/{}", phone.user, phone.device);
    let answer = api.expect(200, "POST", &format!("{at}/trigger"), "");
    (
        number(answer["status"]["message"].as_str().unwrap()),
        answer["data"][0]["state_token"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn a_number_is_typed_on_the_phone_as_the_caller_shows_it() {
    let (installation, server, _) = serving("");
    let mut api = matching(&installation, &server);
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let mut http = server.http();
    let (first, _) = triggered(&mut api, &ana);
    let [request] = ana.requests(&mut http).try_into().unwrap();
    assert_eq!((&request["digits"], &request["client"]), (&json!(2), &json!("shop")));
    assert!(!request.to_string().contains(&format!("\"{first}\"")), "the number is never in it: {request}");
    let (second, token) = triggered(&mut api, &ana);
    assert_ne!(first, second);
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Accept, Some(&first)), "older_number");
    let poll = |api: &mut Http| {
        let body = json!({ "state_token": token }).to_string();
        api.send("POST", &format!("/api/1/users/{}/otp_devices/{}/verify", ana.user, ana.device), &body).unwrap()
    };
    let waits = poll(&mut api);
    assert_eq!((waits.status, number(waits.json()["status"]["message"].as_str().unwrap())), (401, second.clone()));
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Accept, Some(&second)), "accepted");
    assert_eq!(poll(&mut api).status, 200);

    let (third, _) = triggered(&mut api, &ana);
    let [request] = ana.requests(&mut http).try_into().unwrap();
    let wrong = if third == "42" { "43" } else { "42" };
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Accept, Some(wrong)), "wrong_number");
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Accept, Some(&third)), "over");
    assert_eq!(server.stop(), Some(0));
}

/// SEC 26: under a lock every answer is the same, a number of before too.
#[test]
fn nothing_is_judged_on_a_phone_whose_user_is_locked() {
    let (installation, server, _) = serving("");
    let mut api = matching(&installation, &server);
    let list = installation.path("list.csv");
    let secrets = ["GEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJR", "GEZDGNBVGY3TQOJS", "GEZDGNBVGY3TQOJT"];
    let lines = secrets.map(|secret| format!("ana,hotp,{secret}GEZDGNBVGY3TQOJQ\n")).concat();
    std::fs::write(&list, format!("username,type,secret_base32\n{lines}")).unwrap();
    installation.json(&["import", list.to_str().unwrap(), "--json"]);
    let user = installation.json(&["user", "show", "ana", "--json"])["id"].as_i64().unwrap();
    let ana = Phone::paired(&mut api, user, 1);
    let mut http = server.http();
    let (first, _) = triggered(&mut api, &ana);
    let (second, _) = triggered(&mut api, &ana);
    let [request] = ana.requests(&mut http).try_into().unwrap();
    for device in 1..=4 {
        for guess in 0..5 {
            let at = format!("/api/1/users/{user}/otp_devices/{device}/verify");
            api.expect(
                401,
                "POST",
                &at,
                &json!({ "otp_token": format!("{:06}", 111_111 * guess + device) }).to_string(),
            );
        }
    }
    for digits in [Some(first.as_str()), Some(second.as_str()), None] {
        assert_eq!(ana.answers(&mut http, &request, PushDecision::Accept, digits), "locked", "{digits:?}");
    }
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Deny, None), "locked");
    assert_eq!(server.stop(), Some(0));
}

/// Contract 20.1: strangers are limited, and do not shut a phone out.
#[test]
fn guessed_codes_and_signatures_are_limited_and_a_phone_is_still_answered() {
    let (installation, server, mut api) = serving("");
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let code = begin(&mut api, installation.user("ben"));
    let mut http = server.http();
    let guess = pairing(&key(3), "22222222", "22222222", None);
    let limited = (0..400).find_map(|_| {
        let answer = http.send("POST", "/app/pair", &guess).unwrap();
        (answer.status == 429).then_some(answer)
    });
    let limited = limited.expect("a limit");
    assert_eq!(limited.json(), json!({ "error": "too_many" }));
    assert!(limited.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()), "{limited:?}");
    let right = pairing(&key(3), &code, &code, None);
    let early = http.send("POST", "/app/pair", &right).unwrap();
    assert_eq!(early.status, 429, "a right code is no exception, or guesses would not be limited");
    let forged = Phone { key: key(9), ..ana.clone() };
    assert!((0..400).any(|_| forged.asks(&mut http).status == 429));
    assert_eq!(ana.asks(&mut http).status, 200);
    crate::common::pause(2_100);
    http.expect(200, "POST", "/app/pair", &right);
    assert_eq!(server.stop(), Some(0));
}
