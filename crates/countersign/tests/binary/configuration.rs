//! Settings as flags, variables and files give them, and what a server says of itself.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use crate::common::{self, Running, countersign, run};
use crate::fails;

#[test]
fn what_was_set_wrong_is_named_as_it_was_set() {
    let check = || {
        let mut command = countersign();
        command.args(["config", "check"]);
        command
    };
    let said = fails(check().env("COUNTERSIGN_LISTEN", "foo"));
    assert!(said.contains("the variable COUNTERSIGN_LISTEN") && !said.contains("--listen"), "{said}");
    let said = fails(check().args(["--login-mfa", "sometimes"]));
    assert!(said.contains("the flag --login-mfa: it is one of off, optional, required"), "{said}");
    let empty = check()
        .envs([("COUNTERSIGN_TRUSTED_PROXY", ""), ("COUNTERSIGN_CONFIG", ""), ("COUNTERSIGN_MASTER_KEY", "")])
        .env("COUNTERSIGN_INSECURE_HTTP", "1")
        .env("COUNTERSIGN_LOGIN_TRUSTED_NETWORKS", "10.0.0.0/8, 192.0.2.0/24")
        .output()
        .unwrap();
    assert!(empty.status.success(), "{}", String::from_utf8_lossy(&empty.stderr));
    // An unknown variable is a warning, and an error only with --strict.
    let mut unknown = check();
    unknown.env("COUNTERSIGN_LISTN", "127.0.0.1:1").env("COUNTERSIGN_PORT", "tcp://10.0.0.5:8080");
    let output = unknown.output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 warning. The configuration can be used.\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, "countersign: unknown variable COUNTERSIGN_LISTN (did you mean COUNTERSIGN_LISTEN?)\n");
    fails(unknown.arg("--strict"));
    // What is printed as an example is what can be read.
    let example = run(&["config", "example"]);
    let text = String::from_utf8_lossy(&example.stdout).into_owned();
    assert!(text.contains("#mfa = \"optional\"") && text.contains("COUNTERSIGN_LOGIN_MFA"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    std::fs::write(&file, text).unwrap();
    assert!(run(&["config", "check", "--config", file.to_str().unwrap()]).status.success());
}

#[test]
fn the_issuer_is_what_the_app_shows() {
    let folder = tempfile::tempdir().unwrap();
    let uri = |server: &Running| {
        let mut api = server.api();
        let body = r#"{"factor_id":5,"display_name":"app"}"#;
        let answer = api.send("POST", "/api/2/mfa/users/1/registrations", body).unwrap();
        assert!(answer.status < 300, "{}", answer.body);
        answer.body
    };
    let data = folder.path().join("dev");
    let named = Running::start(&["dev", "--data-dir", data.to_str().unwrap(), "--issuer", "Example Inc"]);
    let shown = uri(&named);
    assert!(shown.contains("otpauth://totp/Example%20Inc:") && shown.contains("issuer=Example%20Inc"), "{shown}");
    named.stop();
    let shown = uri(&Running::dev(&data));
    assert!(shown.contains("otpauth://totp/acme:"), "the subdomain is its default: {shown}");
    // A server with the default issuer warns while it can still be chosen.
    let banner = |more: &[&str]| banner_of_serve(&folder.path().join("data"), more);
    assert!(banner(&[]).contains("--issuer"));
    assert!(!banner(&["--issuer", "Example Inc"]).contains("--issuer NAME"));
}

#[test]
fn a_factors_name_is_read_from_the_file_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    let (file_name, data) = (file.to_str().unwrap(), folder.path().join("dev"));
    std::fs::write(&file, "[names]\nsms = 'Text message'\ntotp = 'App with codes'\n").unwrap();
    let mut command = countersign();
    command.env("COUNTERSIGN_NAMES_TOTP", "Six digits").env("COUNTERSIGN_NAMES_HOTP", "");
    let server = Running::start_as(&["dev", "--data-dir", data.to_str().unwrap(), "--config", file_name], command);
    let mut api = server.api();
    let factors = api.send("GET", "/api/2/mfa/users/1/factors", "").unwrap().body;
    for name in [r#""name":"Text message","auth_factor_name":"SMS""#, r#""name":"Six digits""#, r#""name":"HOTP""#] {
        assert!(factors.contains(name), "{name}: {factors}");
    }
    let shown = run(&["config", "show", "--config", file_name]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Text message"));
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        fails(countersign().args(["config", "check", "--config", file_name]))
    };
    let long = format!("[names]\nvoice = '{}'", "x".repeat(101));
    for text in ["[names]\nvoice = ''", "[names]\nvoice = \"a\\u0007b\"", &long] {
        let said = check(text);
        assert!(
            said.contains("countersign.toml, line 2: names.voice: it is a name of at most 100 characters"),
            "{said}"
        );
    }
    assert!(check("[names]\nsmss = 'x'").contains("Did you mean `sms`?"));
    let said = fails(countersign().args(["config", "check"]).env("COUNTERSIGN_NAMES_VOICE", "a\u{7}b"));
    assert!(said.contains("the variable COUNTERSIGN_NAMES_VOICE: it is a name"), "{said}");
}

/// What `serve` writes until it is ready.
pub(crate) fn banner_of_serve(data: &std::path::Path, more: &[&str]) -> String {
    let ready = data.with_extension("ready");
    let log = data.with_extension("log");
    let _ = std::fs::remove_file(&ready);
    let mut child = countersign()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()])
        .arg("--ready-file")
        .arg(&ready)
        .args(more)
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    while !ready.exists() && child.try_wait().unwrap().is_none() {
        common::pause(50);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn nothing_is_promised_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let banner = banner_of_serve(&folder.path().join("data"), &[]);
    assert!(!banner.contains("no provider is configured"), "{banner}");
    assert!(banner.contains("Without a provider, and so not offered: "), "{banner}");
    let file = folder.path().join("countersign.toml");
    for key in ["radius", "ldap"] {
        std::fs::write(&file, format!("[{key}]\nhost = 'x'\n")).unwrap();
        let said = fails(countersign().args(["config", "check", "--config", file.to_str().unwrap()]));
        assert!(said.contains("this version cannot") && !said.contains("Did you mean"), "{said}");
    }
}

#[test]
fn the_root_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&["serve", "--data-dir", data.to_str().unwrap()]);
    let mut http = server.http();
    let root = http.send("GET", "/", "").unwrap();
    assert!(root.status == 200 && root.body.contains("/docs"), "{root:?}");
    assert!(!root.body.contains(env!("CARGO_PKG_VERSION")), "no version is told");
    for path in ["/healthz", "/nothing", "/dev/outbox"] {
        let answer = http.send("GET", path, "").unwrap();
        assert!(answer.status == 404 && answer.body.contains("There is nothing at this path"), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(http.send("GET", "/favicon.ico", "").unwrap().status, 204);
    server.stop();
    let silent = Running::start(&["serve", "--data-dir", data.to_str().unwrap(), "--root-page=no"]);
    assert_eq!(silent.http().send("GET", "/", "").unwrap().status, 404);
    silent.stop();

    let world = Running::dev(&folder.path().join("dev"));
    let start = world.http().send("GET", "/", "").unwrap();
    let client = &world.ready["clients"][0];
    for part in ["/dev/outbox", "/docs", client["client_id"].as_str().unwrap(), world.base_url(), "grant_type"] {
        assert!(start.body.contains(part), "{part}: {}", start.body);
    }
    assert_eq!(world.http().send("GET", "/dev", "").unwrap().status, 303);
    assert_eq!(world.http().send("GET", "/favicon.ico", "").unwrap().status, 204);
    let admin = world.ready["admin_url"].as_str().unwrap().trim_start_matches("http://");
    let page = common::get(admin, "/");
    assert!(page.contains("/metrics") && page.contains("/readyz"), "{page}");
    assert!(common::get(admin, "/nothing").contains("There is nothing at this path"));
}
