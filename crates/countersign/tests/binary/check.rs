//! What `config check` passes starts, and what it does not pass does not.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::common::{Running, countersign, run, run_json};

/// An installation with a client, made without a server.
fn made(place: &Path) {
    run_json(&["client", "create", "--scope", "Manage All", "--init", "--data-dir", place.to_str().unwrap(), "--json"]);
}

/// Arguments, variables, and whether a server starts with them.
type Row<'a> = (Vec<String>, &'a [(&'a str, &'a str)], bool);

#[test]
fn what_check_passes_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).display().to_string();
    for name in ["sound", "keyless", "wrong"] {
        made(&path(name));
    }
    std::fs::remove_file(path("keyless/keys/master.key")).unwrap();
    std::fs::write(path("wrong/keys/master.key"), "42".repeat(32)).unwrap();
    assert_eq!(Running::dev(&path("dev")).stop(), Some(0));
    std::fs::create_dir(path("theirs")).unwrap();
    std::fs::write(path("theirs/x"), "").unwrap();
    std::fs::write(path("file"), "").unwrap();
    for (name, mode) in [("open.key", 0o644), ("closed.key", 0o600)] {
        std::fs::write(path(name), "42".repeat(32)).unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::write(path("short.token"), "short").unwrap();
    let nothing: &[(&str, &str)] = &[];
    let at = |name: &str, more: &[&str]| -> Vec<String> {
        let data = ["--data-dir".to_owned(), text(name)].into_iter();
        data.chain(more.iter().map(|arg| (*arg).to_owned())).collect()
    };
    let table: &[Row<'_>] = &[
        (at("sound", &[]), nothing, true),
        (at("new", &[]), nothing, true),
        (at("below/new", &[]), nothing, true),
        (at("keyed", &["--master-key-file", &text("closed.key")]), nothing, true),
        (at("later", &["--master-key-file", &text("made.key")]), nothing, true),
        (at("sound", &[]), &[("COUNTERSIGN_LOG", "debug"), ("COUNTERSIGN_LOG_FORMAT", "json")], true),
        (at("keyless", &[]), nothing, false),
        (at("wrong", &[]), nothing, false),
        (at("dev", &[]), nothing, false),
        (at("theirs", &[]), nothing, false),
        (at("file", &[]), nothing, false),
        (at("file/below", &[]), nothing, false),
        (vec!["--data-dir".to_owned(), "/proc/nope".to_owned()], nothing, false),
        (at("sound", &[]), &[("COUNTERSIGN_LOG", "blah=foo")], false),
        (at("sound", &[]), &[("COUNTERSIGN_LOG_FORMAT", "xml")], false),
        (at("sound", &[]), &[("COUNTERSIGN_MASTER_KEY", "no key")], false),
        (at("fresh", &["--master-key-file", &text("open.key")]), nothing, false),
        (at("fresh", &["--master-key-file", &text("nowhere/made.key")]), nothing, false),
        (at("sound", &["--tls-cert-file", &text("file"), "--tls-key-file", &text("file")]), nothing, false),
        (at("sound", &["--admin-listen", "127.0.0.1:0", "--admin-token-file", &text("short.token")]), nothing, false),
        (at("sound", &["--webhooks-ca-file", &text("none.pem")]), nothing, false),
        (at("sound", &["--database-url", "postgres://nobody@127.0.0.1:1/none"]), nothing, false),
    ];
    for (args, environment, sound) in table {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let command = || -> Command {
            let mut command = countersign();
            command.envs(environment.iter().copied());
            command
        };
        let checked = command().args(["config", "check"]).args(&args).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.success(), *sound, "{args:?} {environment:?}: {said}");
        if *sound {
            assert_eq!(Running::start_as(&[&["serve"], &args[..]].concat(), command()).stop(), Some(0));
        } else {
            let started = command().arg("serve").args(&args).args(["--listen", "127.0.0.1:0"]).output().unwrap();
            assert!(!started.status.success(), "{args:?} {environment:?}");
        }
    }
    let told = run(&["config", "check", "--json", "--data-dir", "/proc/nope"]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert!(told["usable"] == false && told["faults"][0].as_str().unwrap().contains("/proc"), "{told}");
}

#[test]
fn what_check_finds_doubtful_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (chain, key, data) = (place("own.pem"), place("own.key"), place("data"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=mfa", "-addext", "subjectAltName=DNS:mfa.example.com", "-keyout", &key, "-out", &chain])
        .output()
        .unwrap();
    assert!(made.status.success());
    let warnings = |url: &str| {
        let args =
            ["config", "check", "--json", "--data-dir", &data, "--tls-cert-file", &chain, "--tls-key-file", &key];
        let told = run_json(&[&args[..], &["--public-url", url]].concat());
        assert_eq!(told["usable"], true, "{told}");
        told["warnings"].to_string()
    };
    let fitting = warnings("https://mfa.example.com");
    assert!(fitting.contains("own.pem ends at") && !fitting.contains("no certificate is for"), "{fitting}");
    let other = warnings("https://other.example.com");
    assert!(other.contains("no certificate is for other.example.com"), "{other}");
}

#[test]
fn a_way_that_others_can_read_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (file, data) = (place("countersign.toml"), place("data"));
    for (config, caution) in [
        (
            "[delivery.smtp]\nservers = ['smtp+plain://192.0.2.1']\nfrom = 'm@e.com'",
            "smtp+plain://192.0.2.1:25 without TLS",
        ),
        ("[delivery.smtp]\nservers = ['smtp+plain://127.0.0.1']\nfrom = 'm@e.com'", ""),
        (
            "[delivery.twilio]\naccount_sid = 'AC1'\nauth_token = 'x'\nfrom = '+1'\nbase_url = 'http://192.0.2.1'",
            "credentials and codes go to 192.0.2.1 without TLS",
        ),
        ("[delivery.twilio]\naccount_sid = 'AC1'\nauth_token = 'x'\nfrom = '+1'\nbase_url = 'http://127.0.0.1'", ""),
    ] {
        std::fs::write(&file, config).unwrap();
        let told = run_json(&["config", "check", "--json", "--config", &file, "--data-dir", &data]);
        assert_eq!(told["usable"], true, "{told}");
        let warnings = told["warnings"].to_string();
        assert_eq!(warnings.contains("without TLS"), !caution.is_empty(), "{warnings}");
        assert!(warnings.contains(caution), "{warnings}");
    }
}
