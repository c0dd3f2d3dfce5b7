//! Pages as browsers get them, in `serve` and in `dev` (contract 19, SEC 100).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use crate::common::{Answer, Running};

/// What a browser gets that prefers these languages.
fn opened(server: &Running, path: &str, languages: &str) -> Answer {
    let mut http = server.http();
    http.headers.push(("accept".to_owned(), "text/html,application/xhtml+xml,*/*;q=0.8".to_owned()));
    http.headers.push(("accept-language".to_owned(), languages.to_owned()));
    http.send("GET", path, "").unwrap()
}

/// The path of a file that a page refers to.
fn file(page: &Answer, kind: &str) -> String {
    let place = page.body.find(&format!("/assets/{kind}-")).unwrap();
    page.body[place..].split('"').next().unwrap().to_owned()
}

/// Judges a page's headers, and the files it refers to.
fn judge(server: &Running, page: &Answer, language: &str) {
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("content-language"), Some(language));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("script") && !policy.contains("unsafe"));
    assert!(!page.body.contains("<script"), "{}", page.body);
    for (kind, content_type) in [("page", "text/css; charset=utf-8"), ("icon", "image/svg+xml")] {
        let path = file(page, kind);
        let got = server.http().send("GET", &path, "").unwrap();
        assert_eq!((got.status, got.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(got.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(server.http().send("POST", &path, "").unwrap().status, 405, "{path}");
    }
}

#[test]
fn every_page_has_its_headers_in_serve_and_dev() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let served =
        Running::start(&["serve", "--data-dir", data, "--brand-name", "Northfield", "--brand-color", "#0a7d4f"]);
    let nothing = opened(&served, "/nothing/here", "tlh, de-CH;q=0.9, en;q=0.5");
    assert_eq!(nothing.status, 404);
    assert!(nothing.body.contains("Hier ist nichts") && nothing.body.contains("Northfield"), "{}", nothing.body);
    judge(&served, &nothing, "de");
    let sheet = served.http().send("GET", &file(&nothing, "page"), "").unwrap().body;
    assert!(sheet.contains("--accent: #0a7d4f"), "the brand's colour is in the sheet");
    assert_eq!(served.http().send("GET", "/assets/page-0000000000000000.css", "").unwrap().status, 404);
    assert!(opened(&served, "/dev/pages", "en").status == 404, "only a dev world shows made-up pages");
    // Programs still get a line.
    assert!(served.http().send("GET", "/nothing/here", "").unwrap().body.starts_with("There is nothing at this path"));
    served.stop();

    let world = Running::dev(&folder.path().join("dev"));
    let design = opened(&world, "/dev/pages", "en");
    assert_eq!(design.status, 200);
    judge(&world, &design, "en");
    let question = opened(&world, "/dev/pages/link-login?language=ja", "en");
    judge(&world, &question, "ja");
    assert_eq!(opened(&world, "/dev/pages/none", "en").status, 404);
    world.stop();
}

#[test]
fn a_logo_takes_the_place_of_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo.png");
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and the rest";
    std::fs::write(&logo, picture).unwrap();
    let data = folder.path().join("data");
    let (data, logo) = (data.to_str().unwrap(), logo.to_str().unwrap());
    let served = Running::start(&["serve", "--data-dir", data, "--brand-name", "Northfield", "--brand-logo", logo]);
    let page = opened(&served, "/nothing", "en");
    let path = file(&page, "logo");
    assert!(page.body.contains(&format!("<img src=\"{path}\" alt=\"Northfield\"")), "{}", page.body);
    let got = served.http().send("GET", &path, "").unwrap();
    assert_eq!(got.header("content-type"), Some("image/png"));
    assert_eq!(got.header("content-length"), Some(picture.len().to_string().as_str()));
    served.stop();
}
