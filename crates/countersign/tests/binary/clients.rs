//! `countersign client`: clients are made once, named in short, limited, and given a profile.

use crate::common::{Running, run, run_json};

#[test]
fn a_client_with_other_limits_is_not_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let create = |limits: &[&str]| {
        let fixed = ["client", "create", "--scope", "Read Users", "--name", "reports", "--if-missing", "--init"];
        run(&[&fixed, limits, &["--data-dir", data, "--json"]].concat())
    };
    let limits = ["--allow-ip", "10.0.0.0/8", "2001:db8::1", "--expires", "2127-01-01"];
    assert!(create(&limits).status.success());
    // The order of networks and the spelling of a moment do not matter.
    let alike = ["--allow-ip", "2001:db8::1", "10.0.0.0/8", "--expires", "2127-01-01T01:00:00+01:00"];
    let again = create(&alike);
    let kept: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(kept["created"], false, "{kept}");
    for other in [
        &[][..],
        &limits[..3],
        &limits[3..],
        &["--allow-ip", "10.0.0.0/8", "--expires", "2127-01-01"],
        &["--allow-ip", "10.0.0.0/8", "2001:db8::1", "--expires", "2127-01-02"],
    ] {
        let refused = create(other);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains("10.0.0.0/8 2001:db8::1"), "{other:?}: {said}");
    }
}

/// Contract 15: the models of some SDKs contradict those of others. Each finds a client that suits it.
#[test]
fn the_ready_file_has_a_client_per_profile() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let clients = server.ready["clients"].as_array().unwrap().clone();
    let told: Vec<_> =
        clients.iter().map(|client| [&client["scope"], &client["profile"]].map(|v| v.as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ["Manage All", "default"],
            ["Read All", "default"],
            ["Manage users", "default"],
            ["Read Users", "default"],
            ["Authentication Only", "default"],
            ["Manage All", "python4"],
            ["Manage All", "numeric_ids"],
            ["Manage All", "docs_literal"],
        ]
    );
    let mut http = server.http();
    for client in &clients {
        let body = serde_json::json!({
            "grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"],
        });
        http.expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
    }
    assert_eq!(server.stop(), Some(0));
    // A world of an earlier version has fewer: the next start plants what is missing, and keeps what is there.
    let file = data.join("dev-world.json");
    let mut world: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let old = world["clients"].as_array_mut().unwrap();
    old.truncate(5);
    for client in old {
        client.as_object_mut().unwrap().remove("profile");
    }
    std::fs::write(&file, world.to_string()).unwrap();
    let server = Running::dev(&data);
    let again = server.ready["clients"].as_array().unwrap();
    assert_eq!(again[..5], clients[..5]);
    assert_eq!(again.len(), 8);
}

#[test]
fn a_profile_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("world");
    let server = Running::dev(&data);
    let data = data.to_str().unwrap();
    let id = server.ready["clients"][0]["client_id"].as_str().unwrap();
    let user = &server.ready["users"][0]["id"];
    let mut api = server.api();
    let device = |kind: &str| format!(r#"{{"factor_id":"{kind}","display_name":"phone"}}"#);
    let factors = api.expect(200, "GET", &format!("/api/2/mfa/users/{user}/factors"), "");
    let sms = factors.as_array().unwrap().iter().find(|factor| factor["auth_factor_name"] == "SMS").unwrap();
    let sms = sms["factor_id"].to_string().trim_matches('"').to_owned();
    let path = format!("/api/2/mfa/users/{user}/registrations");
    let started = api.expect(201, "POST", &path, &device(&sms));
    let code = api.expect(200, "GET", "/dev/outbox?channel=sms&wait=10s", "");
    let code = code.as_array().unwrap().last().unwrap()["code"].as_str().unwrap().to_owned();
    let confirm = format!("{path}/{}", started["id"].as_str().unwrap());
    api.expect(200, "PUT", &confirm, &format!(r#"{{"otp":"{code}"}}"#));
    let path = format!("/api/2/mfa/users/{user}/devices");
    let listed = api.expect(200, "GET", &path, "");
    let ask = format!(r#"{{"device_id":{}}}"#, listed[0]["device_id"]);
    let path = format!("/api/2/mfa/users/{user}/verifications");
    assert!(api.expect(201, "POST", &path, &ask)["device_id"].is_string());

    let set = run_json(&["client", "set", &id[..12], "--profile", "python4", "--data-dir", data, "--json"]);
    assert_eq!((&set["client_id"], &set["profile"]), (&id.into(), &"python4".into()), "by the beginning of its id");
    assert!(
        api.expect(201, "POST", &path, &ask)["device_id"].is_number(),
        "the same token, answered otherwise at once"
    );
    let shown = run_json(&["client", "show", "--name", "dev: Manage All", "--data-dir", data, "--json"]);
    assert_eq!((&shown["client_id"], &shown["profile"]), (&id.into(), &"python4".into()));
    let nothing = run(&["client", "set", id, "--data-dir", data]);
    assert!(!nothing.status.success(), "something must be changed");
}

/// Scripts run more than once. People copy the beginning of an id.
#[test]
fn a_client_is_made_once_and_named_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let client = |args: &[&str]| run(&[&["client"], args, &["--data-dir", data, "--json"]].concat());
    let json = |args: &[&str]| -> serde_json::Value { serde_json::from_slice(&client(args).stdout).unwrap() };
    let create = ["create", "--scope", "Read Users", "--name", "reports", "--if-missing", "--init"];
    let made = json(&create);
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 64);
    let again = json(&create);
    assert_eq!((&again["client_id"], &again["created"]), (&made["client_id"], &false.into()));
    assert!(again.get("client_secret").is_none());
    let other = client(&["create", "--scope", "Manage All", "--name", "reports", "--if-missing"]);
    assert!(!other.status.success(), "a client of another scope is not what was asked for");
    let id = made["client_id"].as_str().unwrap();
    for which in [&[id][..], &[&id[..12]], &["--name", "reports"]] {
        assert_eq!(json(&[&["show"], which].concat())["client_id"], id);
    }
    let complaint = |args: &[&str]| String::from_utf8(client(args).stderr).unwrap();
    assert!(complaint(&["show", &id[..3]]).contains("too short"));
    assert!(complaint(&["show", "ffffffffffff"]).contains("there is no client"));
    json(&["create", "--scope", "Read Users", "--name", "reports"]);
    assert!(complaint(&["rotate", "--name", "reports"]).contains("fits 2 clients"), "never one of several");
    assert!(json(&["rotate", &id[..16]])["client_secret"].is_string());
    // What can be set can be chosen at once, in the same words.
    let chosen = ["--hold", "20", "--number-matching", "on", "--sent-type", "pending"];
    let chosen = json(&[&["create", "--scope", "Read Users", "--name", "chosen"], &chosen[..]].concat());
    let shown = json(&["show", chosen["client_id"].as_str().unwrap()]);
    let all = (&shown["hold"], &shown["number_matching"], &shown["sent_type"]);
    assert_eq!(all, (&20.into(), &true.into(), &"pending".into()));
}

/// Keeps SEC 42.
#[test]
fn networks_and_the_end_are_set_shown_and_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let asked = |args: &[&str]| run(&[&["client"], args, &["--data-dir", data]].concat());
    let text = |args: &[&str]| {
        let output = asked(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let json =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&text(&[args, &["--json"]].concat())).unwrap() };
    let create = ["create", "--scope", "Read Users", "--init", "--name", "a", "--allow-ip", "10.0.0.0/8"];
    json(&[&create[..], &["192.0.2.7", "--expires", "2099-01-01"]].concat());
    let shown = json(&["show", "--name", "a"]);
    assert_eq!(shown["allow_ip"], serde_json::json!(["10.0.0.0/8", "192.0.2.7/32"]));
    assert_eq!(shown["expires_at"], "2099-01-01T00:00:00.000Z");
    let listed = text(&["list"]);
    assert!(listed.contains("10.0.0.0/8") && listed.contains("2099-01-01"), "{listed}");
    json(&["set", "--name", "a", "--allow-ip", "::ffff:198.51.100.0/120", "--expires", "2020-01-01T01:00:00+01:00"]);
    let shown = text(&["show", "--name", "a"]);
    for part in ["198.51.100.0/24", "2020-01-01T00:00:00Z", "expired"] {
        assert!(shown.contains(part), "{shown}");
    }
    json(&["set", "--name", "a", "--profile", "python4"]);
    assert_eq!(json(&["show", "--name", "a"])["expires_at"], "2020-01-01T00:00:00.000Z", "what is not named stays");
    json(&["set", "--name", "a", "--allow-ip", "none", "--expires", "none"]);
    let shown = json(&["show", "--name", "a"]);
    assert_eq!((&shown["allow_ip"], &shown["expires_at"]), (&serde_json::json!([]), &serde_json::Value::Null));
    let mixed = asked(&["set", "--name", "a", "--allow-ip", "none", "10.0.0.0/8"]);
    assert!(!mixed.status.success() && String::from_utf8_lossy(&mixed.stderr).contains("`none` alone"));
}

/// Names that look alike are one name of a client or an app, wherever they are typed.
#[test]
fn what_looks_alike_is_one_client_and_one_app() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let asked = |args: &[&str]| run(&[args, &["--data-dir", data, "--json"]].concat());
    let json = |args: &[&str]| -> serde_json::Value {
        let output = asked(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let complaint = |args: &[&str]| {
        let output = asked(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let alike = ["B\u{fc}ro", "b\u{fc}ro", "BU\u{308}RO", " bu\u{308}ro\u{3000}", "b\u{fc}\u{200b}ro"];

    let create = ["client", "create", "--scope", "Read Users", "--if-missing", "--name"];
    let made = json(&[&create[..], &[" B\u{fc}ro ", "--init"]].concat());
    let shown = json(&["client", "show", made["client_id"].as_str().unwrap()]);
    assert_eq!(shown["name"], "B\u{fc}ro", "as it was typed, but for the trimming");
    for name in alike {
        let again = json(&[&create[..], &[name]].concat());
        assert_eq!((&again["client_id"], &again["created"]), (&made["client_id"], &false.into()), "{name:?}");
        assert_eq!(json(&["client", "show", "--name", name])["client_id"], made["client_id"], "{name:?}");
        json(&["client", "set", "--hold", "off", "--name", name]);
    }
    assert!(complaint(&["client", "show", "--name", "buro"]).contains("there is no client"));
    // Several may have a name; what is spelt exactly so is meant before what looks alike.
    let second = json(&["client", "create", "--scope", "Read Users", "--name", "b\u{fc}ro"]);
    assert_eq!(json(&["client", "show", "--name", "b\u{fc}ro"])["client_id"], second["client_id"]);
    assert!(complaint(&["client", "show", "--name", "B\u{dc}RO"]).contains("fits 2 clients"));
    // A command that is repeated means the same client, and never one that only looks alike.
    for _ in 0..2 {
        let revoked = json(&["client", "revoke", "--yes", "--name", "b\u{fc}ro"]);
        assert_eq!(revoked["client_id"], second["client_id"]);
    }
    assert_eq!(json(&["client", "show", "--name", "B\u{fc}ro"])["revoked"], false);

    let app = ["app", "create", "--acs-url", "https://wiki.example.com/acs", "--name"];
    for name in alike {
        let made = json(&[&app[..], &["\u{a0}B\u{fc}ro "]].concat());
        assert_eq!(made["name"], "B\u{fc}ro");
        assert!(complaint(&[&app[..], &[name]].concat()).contains("there is an app of this name already"), "{name:?}");
        let gone = json(&["app", "delete", "--yes", "--name", name]);
        assert_eq!(gone["id"], made["id"], "{name:?}");
        assert!(complaint(&["app", "delete", "--yes", "--name", name]).contains("there is no app"), "{name:?}");
    }
    for nothing in ["", " \u{3000}", "\u{200b}", "a\u{7}b"] {
        assert!(complaint(&[&app[..], &[nothing]].concat()).contains("1 to 100 plain characters"), "{nothing:?}");
    }
}
