//! Where a server says it is, and whom its admin listener answers.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{Read as _, Write as _};

use crate::common::{Running, countersign, get};

/// The status of `GET PATH` with these header lines, each with its end.
fn status(address: &str, path: &str, head: &str) -> String {
    let mut line = std::net::TcpStream::connect(address).unwrap();
    write!(line, "GET {path} HTTP/1.1\r\n{head}connection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    line.read_to_string(&mut text).unwrap();
    text.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn the_admin_listener_knows_its_host() {
    let folder = tempfile::tempdir().unwrap();
    let admin_of = |server: &Running| {
        server.ready["admin_url"].as_str().unwrap().trim_start_matches("http://").replace("0.0.0.0", "127.0.0.1")
    };
    let data = folder.path().join("data");
    let served = ["serve", "--data-dir", data.to_str().unwrap(), "--admin-listen"];
    for args in [&["dev"][..], &[&served[..], &["127.0.0.1:0"]].concat()] {
        let server = Running::start(args);
        let admin = admin_of(&server);
        let ask = |head: &str| status(&admin, "/metrics", head);
        assert_eq!(ask(&format!("host: {admin}\r\n")), "200", "{args:?}");
        assert_eq!(ask("host: localhost\r\n"), "200", "{args:?}");
        assert_eq!(ask(&format!("host: {admin}\r\norigin: http://{admin}\r\n")), "200", "{args:?}");
        assert_eq!(ask("host: evil.example\r\n"), "403", "{args:?}");
        assert_eq!(ask("host: 127.0.0.1.evil.example\r\n"), "403", "{args:?}");
        assert_eq!(ask(&format!("host: {admin}\r\norigin: http://evil.example\r\n")), "403", "{args:?}");
        assert_eq!(status(&admin, "/livez", "host: evil.example\r\n"), "200", "health says nothing to hide");
        assert_eq!(server.stop(), Some(0));
    }

    // Where other machines reach it, a token can be asked for; health needs none.
    let (token, file) = ("scrape-0123456789abcdef", folder.path().join("token"));
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let guarded = ["0.0.0.0:0", "--admin-token-file", file.to_str().unwrap()];
    let server = Running::start(&[&served[..], &guarded].concat());
    let admin = admin_of(&server);
    let ask = |head: &str| status(&admin, "/metrics", &format!("host: mfa.example.com\r\n{head}"));
    assert_eq!(ask(""), "401");
    assert_eq!(ask("authorization: Bearer scrape-0123456789abcdeX\r\n"), "401");
    assert_eq!(ask(&format!("authorization: Bearer {token}\r\n")), "200");
    assert_eq!(status(&admin, "/readyz", "host: mfa.example.com\r\n"), "200");
    assert_eq!(server.stop(), Some(0));
    // An invalid token opens nothing.
    for text in ["", "short", "with a blank 0123456789abcdef"] {
        std::fs::write(&file, text).unwrap();
        let refused = countersign().args(served).args(guarded).args(["--listen", "127.0.0.1:0"]).output().unwrap();
        assert!(!refused.status.success(), "{text:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("must hold 16"), "{text:?}");
    }
}

#[test]
fn the_banner_knows_both_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let (log, data) = (folder.path().join("log"), folder.path().join("data"));
    let args = ["serve", "--data-dir", data.to_str().unwrap(), "--public-url", "https://mfa.example.com"];
    let args = [&args[..], &["--trusted-proxy", "127.0.0.1", "--admin-listen", "127.0.0.1:0"]].concat();
    let server = Running::start_into(&args, countersign(), std::fs::File::create(&log).unwrap().into());
    let (listens, admin) = (server.base_url().to_owned(), server.ready["admin_url"].as_str().unwrap().to_owned());
    assert!(listens.starts_with("http://127.0.0.1:") && admin.starts_with("http://127.0.0.1:"));
    assert_ne!(listens, admin);
    assert_eq!(server.ready["public_url"], "https://mfa.example.com");
    assert!(get(admin.trim_start_matches("http://"), "/metrics").contains("countersign_build_info"));
    assert_eq!(server.stop(), Some(0));
    let text = std::fs::read_to_string(log).unwrap();
    for line in [
        "is answering at https://mfa.example.com\n".to_owned(),
        format!("  Listens  {listens}\n"),
        "  API      https://mfa.example.com/auth/oauth2/v2/token".to_owned(),
        "  To read  https://mfa.example.com/docs".to_owned(),
        format!("  Health   {listens}/livez"),
        format!("  Metrics  {admin}/metrics\n"),
    ] {
        assert!(text.contains(&line), "{line}: {text}");
    }
}
