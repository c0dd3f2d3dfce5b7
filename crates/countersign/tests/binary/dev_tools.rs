//! The start page of a dev world and the endpoints of its tools.

use serde_json::{Value, json};

use crate::common::Running;

#[test]
fn the_start_page_and_its_files_are_served_under_a_strict_policy() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut http = world.http();
    http.headers.push(("accept".to_owned(), "text/html".to_owned()));
    for (path, title) in [("/", "Play a whole log-in"), ("/dev/outbox", "Outbox")] {
        let page = http.send("GET", path, "").unwrap();
        assert!(page.status == 200 && page.body.contains(title), "{path}: {}", page.status);
        assert!(!page.body.contains("{{"), "{path} has every value");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("frame-src 'self'"), "{policy}");
        let links = page.body.split('"').filter(|link| link.starts_with("/dev/") || link.starts_with("/assets/"));
        let links: Vec<_> = links.map(str::to_owned).collect();
        assert!(links.len() >= 3, "{links:?}");
        for link in links {
            assert_eq!(http.send("GET", &link, "").unwrap().status, 200, "{link}");
        }
    }
    let page = http.send("GET", "/", "").unwrap().body;
    for part in ["tab-outbox", "tab-phone", "tab-authenticator", "tab-clock", "tab-requests", "href=\"/dev/pages\""] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains(world.ready["users"][0]["password"].as_str().unwrap()), "users with their passwords");
}

#[test]
fn the_authenticator_shows_the_codes_that_are_accepted_now() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    world.http().expect(200, "PUT", "/dev/clock", r#"{"set":"2027-01-01T00:00:10Z","freeze":true}"#);
    let mut api = world.api();
    assert_eq!(api.expect(200, "GET", "/dev/authenticator", "")["devices"], json!([]));
    let path = "/api/2/mfa/users/1/registrations";
    let enrolled = api.expect(201, "POST", path, r#"{"factor_id":5,"display_name":"app"}"#);
    let shown = |api: &mut crate::common::Http| api.expect(200, "GET", "/dev/authenticator?user_id=1", "");
    let listed = shown(&mut api);
    let device = &listed["devices"][0];
    assert_eq!((&listed["frozen"], &device["state"]), (&json!(true), &json!("pending")), "{listed}");
    assert_eq!((&device["username"], &device["name"]), (&json!("ana"), &json!("app")), "{listed}");
    assert_eq!(
        (&device["factor"], &device["period"], &device["seconds_left"]),
        (&json!("totp"), &json!(30), &json!(20))
    );
    let finish = json!({ "otp": device["code"] }).to_string();
    let finished = api.expect(200, "PUT", &format!("{path}/{}", enrolled["id"].as_str().unwrap()), &finish);
    assert_eq!(finished["status"], "accepted");
    let used = shown(&mut api)["devices"][0].clone();
    assert_eq!((&used["state"], &used["used"], &used["code"]), (&json!("active"), &json!(true), &device["code"]));
    // The clock is moved, and the next code is the code.
    api.expect(200, "PUT", "/dev/clock", r#"{"advance_seconds":25}"#);
    let next = shown(&mut api)["devices"][0].clone();
    assert_eq!((&next["code"], &next["used"], &next["seconds_left"]), (&used["next_code"], &json!(false), &json!(25)));
    // A token that counts shows the code of the next counter.
    let counted =
        api.expect(201, "POST", "/api/2/mfa/users/2/registrations", r#"{"factor_id":6,"display_name":"token"}"#);
    let token = api.expect(200, "GET", "/dev/authenticator?user_id=2", "")["devices"][0].clone();
    assert_eq!(
        (&token["factor"], &token["period"], &token["seconds_left"]),
        (&json!("hotp"), &Value::Null, &Value::Null)
    );
    let path = format!("/api/2/mfa/users/2/registrations/{}", counted["id"].as_str().unwrap());
    api.expect(200, "PUT", &path, &json!({ "otp": token["code"] }).to_string());
    let then = api.expect(200, "GET", "/dev/authenticator?user_id=2", "")["devices"][0].clone();
    assert_eq!(then["code"], token["next_code"], "the counter has moved on");
    assert_eq!(api.expect(200, "GET", "/dev/authenticator", "")["devices"].as_array().unwrap().len(), 2);
}

#[test]
fn the_list_of_calls_says_who_called_and_why_a_call_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut api = world.api();
    let password = world.ready["users"][0]["password"].as_str().unwrap().to_owned();
    let body = r#"{"username_or_email":"ana","password":"not-it","subdomain":"acme"}"#;
    let refused = api.send("POST", "/api/1/login/auth?app=secret-in-a-query", body).unwrap();
    assert_eq!(refused.status, 401);
    let calls = api.expect(200, "GET", "/dev/requests", "");
    let [token, login] = calls.as_array().unwrap().as_slice() else { panic!("{calls}") };
    assert_eq!((&token["path"], &token["status"]), (&json!("/auth/oauth2/v2/token"), &json!(200)));
    assert_eq!((&token["client"], &login["client"]), (&json!("dev: Manage All"), &json!("dev: Manage All")), "{calls}");
    assert_eq!((&login["method"], &login["path"]), (&json!("POST"), &json!("/api/1/login/auth")));
    assert_eq!((&login["status"], &login["reason"]), (&json!(401), &json!("password.wrong")), "{login}");
    assert!(login["message"].as_str().unwrap().contains("Invalid user credentials"), "{login}");
    assert_eq!(login["request_id"].as_str(), refused.header("x-request-id"));
    assert!(token["reason"].is_null() && token["message"].is_null() && token["ms"].is_i64(), "{token}");
    // What a call carries is not kept.
    let secret = world.ready["clients"][0]["client_secret"].as_str().unwrap();
    let text = calls.to_string();
    for hidden in [secret, &password, "not-it", "secret-in-a-query"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    // Its own endpoints are not calls of the API, and a caller may wait for the next one.
    let last = login["id"].as_i64().unwrap();
    assert_eq!(api.expect(200, "GET", &format!("/dev/requests?after={last}&wait=50ms"), ""), json!([]));
    let waiting = {
        let mut http = world.http();
        std::thread::spawn(move || http.expect(200, "GET", &format!("/dev/requests?after={last}&wait=20s"), ""))
    };
    api.send("GET", "/api/1/nothing", "").unwrap();
    let next = waiting.join().unwrap();
    assert_eq!((&next[0]["path"], &next[0]["status"]), (&json!("/api/1/nothing"), &json!(404)), "{next}");
}

#[test]
fn the_simulated_phone_says_as_which_devices_it_is_paired() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let mut api = world.api();
    assert_eq!(api.expect(200, "GET", "/dev/phone", ""), json!({ "device_ids": [] }));
    let path = "/api/2/mfa/users/1/registrations";
    let enrolled = api.expect(201, "POST", path, r#"{"factor_id":1,"display_name":"phone"}"#);
    let paired = api.expect(200, "POST", "/dev/phone/pair", &enrolled.to_string());
    assert_eq!((&paired["paired"], &paired["user_id"]), (&json!(true), &json!(1)));
    assert_eq!(api.expect(200, "GET", "/dev/phone", ""), json!({ "device_ids": [paired["device_id"]] }));
    // A code works once.
    let again = api.expect(404, "POST", "/dev/phone/pair", &enrolled.to_string());
    assert_eq!(again["error"]["message"], "this pairing code is unknown or over");
    // A world that begins anew has no phone.
    api.expect(200, "POST", "/dev/reset", "");
    assert_eq!(api.expect(200, "GET", "/dev/phone", ""), json!({ "device_ids": [] }));
}
