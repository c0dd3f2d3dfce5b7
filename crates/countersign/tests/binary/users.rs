//! `countersign user` and `countersign device`, as the help desk uses them.

use super::*;

/// A user without a name could not be found again. An empty variable in a script is enough to ask for one.
#[test]
fn a_user_needs_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let create = |args: &[&str]| run(&[&["user", "create", "--init", "--data-dir", data], args].concat());
    for nameless in [&[][..], &["--username", ""], &["--username", "  "], &["--username", "", "--email", "\u{a0}"]] {
        let refused = create(nameless);
        assert!(!refused.status.success(), "{nameless:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("pass --username or --email"));
    }
    let made = create(&["--username", "ana", "--email", ""]);
    assert!(made.status.success());
    assert!(String::from_utf8_lossy(&made.stdout).contains("countersign user set-password 1"));
}

/// What the help desk needs: why somebody cannot log in, and what lets them in again.
#[test]
fn user_show_says_why_somebody_cannot_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let data = data.to_str().unwrap();
    let show = || run_json(&["user", "show", "ana", "--data-dir", data, "--json"]);
    let said = || String::from_utf8(run(&["user", "show", "ana", "--data-dir", data]).stdout).unwrap();
    let fresh = show();
    assert_eq!((&fresh["locks"], &fresh["last_accepted"]), (&serde_json::json!([]), &serde_json::Value::Null));
    assert!(said().contains("devices             none"), "{}", said());

    let user = &server.ready["users"][0]["id"];
    let mut api = server.api();
    let path = format!("/api/1/users/{user}/otp_devices");
    let enrolled = api.expect(
        200,
        "POST",
        &path,
        r#"{"factor_id":2,"display_name":"Phone","number":"+14155550101","verified":true}"#,
    );
    let device = enrolled["data"][0]["id"].clone();
    let triggered = api.expect(200, "POST", &format!("{path}/{device}/trigger"), "");
    let token = triggered["data"][0]["state_token"].as_str().unwrap().to_owned();
    let guess = |code: &str| format!(r#"{{"otp_token":"{code}","state_token":"{token}"}}"#);
    let verify = format!("{path}/{device}/verify");
    for n in 0..5 {
        api.expect(401, "POST", &verify, &guess(&format!("00000{n}")));
    }
    let locked = show();
    assert_eq!(locked["locks"][0]["reason"], "wrong_answers_with_device", "{locked}");
    assert_eq!(locked["locks"][0]["device"], device);
    assert!(locked["locks"][0]["until"].is_string());
    assert_eq!((&locked["failures_left"]["hour"], &locked["failures_left"]["day"]), (&15.into(), &95.into()));
    assert_eq!(locked["devices"][0]["consecutive_failures"], 5);
    assert_eq!(locked["last_refused"]["reason"], "wrong_code");
    let text = said();
    for words in
        ["too many wrong answers with device", "15 this hour", "a wrong code", "5 wrong in a row", "user unlock"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }

    let issued = run_json(&["user", "token", "ana", "--minutes", "10", "--data-dir", data, "--json"]);
    let token = issued["token"].as_str().unwrap();
    assert!(token.len() == 8 && token.bytes().all(|byte| byte.is_ascii_digit()));
    let with_token = show();
    assert_eq!(with_token["temporary_token"]["expires_at"], issued["expires_at"]);
    assert!(!with_token.to_string().contains(token) && !said().contains(token), "never the token itself");
    let revoke = || run_json(&["user", "token", "ana", "--revoke", "--data-dir", data, "--json"])["revoked"].clone();
    assert_eq!([revoke(), revoke()], [true, false]);
    assert!(show()["temporary_token"].is_null());
    run_json(&["user", "unlock", "ana", "--data-dir", data, "--json"]);
    assert_eq!(show()["locks"], serde_json::json!([]));
}

#[test]
fn a_lost_password_is_replaced_at_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let data = data.to_str().unwrap();
    let mut api = server.api();
    let mut log_in = |status, password: &str| {
        let body = serde_json::json!({ "username_or_email": "ana", "password": password, "subdomain": "acme" });
        api.expect(status, "POST", "/api/1/login/auth", &body.to_string());
    };
    log_in(200, server.ready["users"][0]["password"].as_str().unwrap());
    let drawn = run_json(&["user", "set-password", "ana", "--data-dir", data, "--json"]);
    log_in(200, drawn["password"].as_str().unwrap());
    log_in(401, server.ready["users"][0]["password"].as_str().unwrap());
    let give = |password: &str| {
        let mut command = countersign();
        command.args(["user", "set-password", "ana", "--password-stdin", "--data-dir", data, "--json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let set = give("correct staple horse");
    assert!(set.status.success() && !String::from_utf8_lossy(&set.stdout).contains("staple"), "{set:?}");
    log_in(200, "correct staple horse");
    assert!(!give("short").status.success());
    log_in(200, "correct staple horse");
}

#[test]
fn devices_are_listed_put_out_of_use_and_deleted_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    run_json(&["user", "create", "--username", "ana", "--init", "--data-dir", data, "--json"]);
    let list = folder.path().join("list.jsonl");
    std::fs::write(&list, r#"{"username":"ana","type":"hotp","secret_base32":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#)
        .unwrap();
    assert!(run(&["import", list.to_str().unwrap(), "--data-dir", data]).status.success());
    let server = Running::start(&["serve", "--data-dir", data]);
    let devices = run_json(&["device", "list", "ana", "--data-dir", data, "--json"]);
    assert_eq!(devices[0]["status"], "active");
    let device = devices[0]["id"].to_string();
    assert_eq!(run_json(&["device", "disable", "ana", &device, "--data-dir", data, "--json"])["disabled"], true);
    assert_eq!(run_json(&["device", "disable", "ana", &device, "--data-dir", data, "--json"])["disabled"], false);
    assert_eq!(run_json(&["device", "list", "ana", "--data-dir", data, "--json"])[0]["status"], "disabled");
    assert_eq!(run_json(&["user", "unlock", "ana", "--data-dir", data, "--json"])["unlocked"], true);
    assert_eq!(run_json(&["device", "list", "ana", "--data-dir", data, "--json"])[0]["status"], "active");
    run_json(&["device", "delete", "ana", &device, "--yes", "--data-dir", data, "--json"]);
    let missing = run(&["device", "delete", "ana", &device, "--yes", "--data-dir", data]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("has no device"));
    server.stop();
}

/// SEC 92: users who cannot log in any more are counted at the start, and listed.
#[test]
#[expect(clippy::disallowed_methods, reason = "waits for what another process says")]
fn users_without_a_usable_device_are_counted_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let list = folder.path().join("list.jsonl");
    std::fs::write(&list, r#"{"username":"ana","type":"hotp","secret_base32":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#)
        .unwrap();
    assert!(run(&["import", list.to_str().unwrap(), "--data-dir", data]).status.success());
    run_json(&["user", "create", "--username", "ben", "--data-dir", data, "--json"]);
    let stranded = || run_json(&["user", "list", "--without-usable-device", "--data-dir", data, "--json"]);
    assert_eq!(stranded(), serde_json::json!([]));
    let device = run_json(&["device", "list", "ana", "--data-dir", data, "--json"])[0]["id"].to_string();
    run_json(&["device", "disable", "ana", &device, "--data-dir", data, "--json"]);
    let found = stranded();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["username"]), (1, &"ana".into()));
    let said = folder.path().join("said");
    let server = Running::start_logging(&["serve", "--data-dir", data], std::fs::File::create(&said).unwrap());
    let told = || std::fs::read_to_string(&said).unwrap().contains("1 user without a usable device cannot log in");
    assert!((0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        told()
    }));
    assert_eq!(stranded(), found, "while it runs, too");
    server.stop();
}
