//! The app of a paired phone (contract 20): a page with a script, which accepts or denies sign-ins with a key that cannot
//! leave the phone. The page has every screen in its reader's language as a `<template>`, so the script has no texts.

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use minijinja::{Value, context};
use serde_json::json;
use words::{PhraseValue, Words};

use crate::app_files;
use crate::block::{Block, Tone};
use crate::html::Html;
use crate::pages::{APP, Framed, Pages, shown};
use crate::text::Text;

/// What the app's page needs to know.
#[derive(Debug, Clone, Copy)]
pub struct AppPage<'a> {
    pub text: Text<'a>,
    /// The name of the service, as the person knows it from an authenticator app.
    pub issuer: &'a str,
    /// The public key of this server for push services (RFC 8292), base64url; without it the app offers no notifications.
    pub push_key: Option<&'a str>,
    /// The value of `pair` in the query, as it came: the manifest repeats it, if it can be a pairing code.
    pub code: Option<&'a str>,
    /// Whether pages of this server may show the app in a frame, as the dev world does.
    pub framed: bool,
}

/// Names of values that the script puts into texts. In the page, each is a `<bdi>` with its name behind a dollar sign.
const VALUES: [&str; 6] = ["account", "client", "digits", "issuer", "time", "code"];

/// Screens that say how something ended: name, sign, and how many lines the head has below its title.
const RESULTS: [(&str, Tone, &[&str]); 6] = [
    ("accepted", Tone::Success, &["page-app-accepted-lead"]),
    ("denied", Tone::Plain, &["page-app-denied-lead"]),
    ("reported", Tone::Warning, &["page-app-reported-lead"]),
    ("wrong_number", Tone::Danger, &["page-app-wrong-number-lead", "page-app-wrong-number-advice"]),
    ("over", Tone::Plain, &["page-app-over-lead", "page-app-over-advice"]),
    ("locked", Tone::Warning, &["page-app-locked-lead", "page-app-locked-advice"]),
];

/// Drawings in a square of 24. Screen readers pass over them: the words beside them say the same.
const DRAWINGS: [(&str, &str, &str); 10] = [
    (
        "shield",
        "drawing",
        r#"<path d="M12 3l7 2.5v5.5c0 4.6-2.8 8-7 10-4.2-2-7-5.4-7-10V5.5z"/><path d="M8.5 12l2.5 2.5 4.5-5"/>"#,
    ),
    (
        "phone",
        "drawing accent",
        r#"<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M10.5 5.5h3M9.5 12.5l1.800 1.800 3.200-3.600"/>"#,
    ),
    ("chevron", "chevron", r#"<path d="M9 5l7 7-7 7"/>"#),
    ("warning", "", r#"<path d="M12 4l9 16H3z"/><path d="M12 10v4M12 17v.01"/>"#),
    ("danger", "", r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v6M12 16.5v.01"/>"#),
    ("success", "", r#"<path d="M5 12.5l4.5 4.5L19 7.5"/>"#),
    ("info", "", r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 8v.01"/>"#),
    ("share", "picture", r#"<path d="M8 9H5.5v12h13V9H16M12 15V2.5M8 6l4-3.5L16 6"/>"#),
    ("plus", "picture", r#"<rect x="3.5" y="3.5" width="17" height="17" rx="4"/><path d="M12 8v8M8 12h8"/>"#),
    (
        "tile",
        "picture",
        r#"<rect class="filled" x="3" y="3" width="8" height="8" rx="2.2"/><rect x="14" y="3" width="7" height="7" rx="2"/><rect x="3" y="14" width="7" height="7" rx="2"/><rect x="14" y="14" width="7" height="7" rx="2"/>"#,
    ),
];

/// What the worker may do: ask this server.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'";

impl Pages {
    /// `GET /app`: the app.
    pub fn app(&self, app: AppPage<'_>) -> Response {
        let mut response = shown(StatusCode::OK, app.text.language(), self.app_html(app));
        let (ancestors, frames) = if app.framed { ("'self'", "SAMEORIGIN") } else { ("'none'", "DENY") };
        let policy = format!(
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
             worker-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
        );
        let headers = response.headers_mut();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(frames));
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// `GET /app/worker.js`: the service worker. `push_key` is that of [`AppPage`].
    pub fn app_worker(&self, words: &Words, push_key: Option<&str>) -> Response {
        let files = self.common_files().chain(self.app_files().all());
        let ended = |language| (language, Text::new(words, &[language]).plain("page-app-ended"));
        let config = json!({
            "root": self.address(""),
            "name": self.brand.name,
            "pushKey": push_key.unwrap_or_default(),
            "icon": self.address(self.app_files().icon.path()),
            "shell": files.map(|asset| self.address(asset.path())).collect::<Vec<_>>(),
            "ended": Words::LANGUAGES.map(ended).into_iter().collect::<BTreeMap<_, _>>(),
        });
        let mut response = file("text/javascript; charset=utf-8", app_files::worker(config));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORKER_POLICY));
        if let Ok(scope) = HeaderValue::try_from(self.address("/app")) {
            headers.insert(HeaderName::from_static("service-worker-allowed"), scope);
        }
        response
    }

    /// `GET /app/manifest.webmanifest`: the manifest. `code` is the value of `pair` in the query, as it came: what is no
    /// pairing code is left out.
    pub fn app_manifest(&self, code: Option<&str>) -> Response {
        let (brand, address) = (&self.brand, |path: &str| self.address(path));
        file("application/manifest+json", self.app_files().manifest(&brand.name, &brand.color, code, address))
    }

    /// The app's page as HTML.
    pub(crate) fn app_html(&self, app: AppPage<'_>) -> Result<String, minijinja::Error> {
        let values = VALUES.map(|name| (name, format!("${name}")));
        let values = values.each_ref().map(|(name, place)| (*name, PhraseValue::Name(place)));
        // The template names its texts, so nothing else has to list them.
        let texts = |prefix: &str, key: &str| {
            let text = |name: &str| {
                let id = format!("{key}{}", name.replace('_', "-"));
                (name.to_owned(), app.text.fill(&id, &values).value())
            };
            named(prefix).map(text).collect::<BTreeMap<_, _>>()
        };
        let head = |name: &str, tone: Tone, lines: &[&str]| {
            let title = app.text.fill(&format!("page-app-{}", name.replace('_', "-")), &values);
            let lines = lines.iter().map(|line| app.text.fill(line, &values)).collect();
            self.blocks(&[Block::Head { sign: Some(tone), title, lines }]).map(Value::from_safe_string)
        };
        let results = RESULTS.iter().map(|(name, tone, lines)| {
            let advice = (*name == "reported").then(|| app.text.say("page-app-reported-advice"));
            let advice = advice.map(|text| Block::Notice { tone: Tone::Warning, text });
            let advice = self.blocks(advice.as_slice()).map(Value::from_safe_string)?;
            Ok(context! { name => *name, head => head(name, *tone, lines)?, advice })
        });
        let drawings = DRAWINGS.map(|(name, class, shapes)| (name, drawing(class, shapes)));
        let values = context! {
            t => texts("t.", "page-app-"),
            p => texts("p.", "page-"),
            results => results.collect::<Result<Vec<_>, minijinja::Error>>()?,
            paired => head("paired", Tone::Success, &["page-app-paired-lead"])?,
            broken => head("broken", Tone::Danger, &["page-app-broken-lead"])?,
            d => drawings.into_iter().collect::<BTreeMap<_, _>>(),
        };
        let text = |text: &str| Html::text(text).value();
        let head = format!(
            "<link rel=\"manifest\" id=\"manifest\" href=\"{manifest}\">\n<link rel=\"apple-touch-icon\" href=\"{touch}\">\n\
             <meta name=\"apple-mobile-web-app-title\" content=\"{brand}\">\n\
             <meta name=\"format-detection\" content=\"telephone=no, address=no, email=no\">\n\
             <meta name=\"theme-color\" content=\"#f4f5f8\" media=\"(prefers-color-scheme: light)\">\n\
             <meta name=\"theme-color\" content=\"#0e1116\" media=\"(prefers-color-scheme: dark)\">\n\
             <script type=\"module\" src=\"{script}\"></script>\n",
            manifest = text(&self.address(&app_files::manifest_path(app.code))),
            touch = text(&self.address(self.app_files().touch_icon.path())),
            brand = text(&self.brand.name),
            script = text(&self.address(self.app_files().script.path())),
        );
        self.framed(Framed {
            title: &app.text.plain("page-app-title"),
            language: app.text.language(),
            wide: false,
            head,
            app: Some(context! {
                root => text(&self.address("")),
                push_key => text(app.push_key.unwrap_or_default()),
                issuer => text(app.issuer),
            }),
            body: self.filled("app", values)?,
            foot: &[app.text.say("page-foot")],
        })
    }
}

/// The texts that the app's template names with this prefix.
fn named(prefix: &str) -> impl Iterator<Item = &'static str> {
    let places = APP.split("{{ ").skip(1).filter_map(move |rest| rest.strip_prefix(prefix));
    places.filter_map(|rest| rest.split(' ').next())
}

fn drawing(class: &str, shapes: &str) -> Value {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    Value::from_safe_string(format!(
        r#"<svg{class} viewBox="0 0 24 24" aria-hidden="true" focusable="false">{shapes}</svg>"#
    ))
}

/// A file without a digest in its name: browsers ask whether it has changed.
fn file(content_type: &'static str, content: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Words {
        let brand = words::Brand { name: name.to_owned(), color: "#1a56db".to_owned(), logo: String::new() };
        Words::new(brand, "en")
    }

    fn page<'a>(words: &'a Words, language: &str) -> AppPage<'a> {
        let text = Text::new(words, &[language]);
        AppPage { text, issuer: "Acme", push_key: Some("BP4z"), code: None, framed: false }
    }

    fn header(response: &Response, name: &str) -> String {
        response.headers()[name].to_str().unwrap().to_owned()
    }

    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn every_screen_of_the_app_is_whole_in_every_language() {
        let words = words("Acme <b>&");
        let pages = Pages::new(words.brand(), None, "/mfa");
        for language in Words::LANGUAGES {
            let html = pages.app_html(page(&words, language)).unwrap();
            assert!(html.contains(&format!("<html lang=\"{language}\"")));
            for empty in
                ["\"></h1>", "\"></h2>", "<h2></h2>", "<dt></dt>", "\"></button>", "\"></label>", "<div></div>"]
            {
                assert!(!html.contains(empty), "{language} has {empty}");
            }
            assert!(!html.contains(['{', '}', '\u{E000}', '\u{2068}']), "{language}");
            assert!(!html.contains("<b>") && html.contains("Acme &lt;b&gt;&amp;"), "{language}");
            assert!(html.contains("src=\"/mfa/assets/app-") && html.contains("data-root=\"/mfa\""));
        }
    }

    #[test]
    fn every_text_of_the_app_is_in_every_language() {
        let words = words("Acme");
        let keys = |prefix: &str, key: &str| {
            named(prefix).map(|name| format!("{key}{}", name.replace('_', "-"))).collect::<Vec<_>>()
        };
        let keys = [keys("t.", "page-app-"), keys("p.", "page-")].concat();
        assert!(keys.len() > 80, "{}", keys.len());
        for language in Words::LANGUAGES {
            let values = VALUES.map(|name| (name, PhraseValue::Name(name)));
            for key in keys.iter().map(String::as_str).chain(["page-app-title", "page-app-ended"]) {
                assert!(
                    !words
                        .phrase(key, language, &[&values[..], &[("brand", PhraseValue::Name("Acme"))]].concat())
                        .is_empty(),
                    "{key} in {language}"
                );
            }
        }
    }

    /// The policy would stop them. What the script needs is in its file.
    #[test]
    fn the_app_has_one_script_from_a_file_and_no_inline_style() {
        let words = words("Acme");
        let html = Pages::new(words.brand(), None, "").app_html(page(&words, "en")).unwrap();
        assert_eq!(html.matches("<script").count(), 1);
        for wrong in [" style=", " onclick", " onload", "src=\"http", "href=\"//", "javascript:", "<iframe"] {
            assert!(!html.contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_the_dev_world_shows_the_app_in_a_frame() {
        let words = words("Acme");
        let pages = Pages::new(words.brand(), None, "");
        for (framed, ancestors, frames) in [(false, "'none'", "DENY"), (true, "'self'", "SAMEORIGIN")] {
            let response = pages.app(AppPage { framed, ..page(&words, "de") });
            let policy = header(&response, "content-security-policy");
            assert_eq!(
                policy,
                format!(
                    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
                     worker-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
                )
            );
            assert_eq!(header(&response, "x-frame-options"), frames);
            assert_eq!(header(&response, "cache-control"), "no-store");
            assert_eq!(header(&response, "content-language"), "de");
        }
    }

    #[tokio::test]
    async fn the_worker_may_have_the_app_as_its_scope_and_knows_every_file() {
        let words = words("Acme \u{2028}</script>");
        let pages = Pages::new(words.brand(), None, "/mfa");
        let response = pages.app_worker(&words, Some("BP4z"));
        assert_eq!(header(&response, "service-worker-allowed"), "/mfa/app");
        assert_eq!(header(&response, "cache-control"), "no-cache");
        assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
        let script = body(response).await;
        for path in pages.files() {
            assert!(script.contains(&format!("\"/mfa{path}\"")), "{path}");
        }
        assert!(!script.contains('\u{2028}'));
        assert!(script.contains("\"ja\":\""));
        let other = body(pages.app_worker(&words, None)).await;
        assert_ne!(script.split("version").nth(1), other.split("version").nth(1), "another worker, another cache");
    }

    #[tokio::test]
    async fn the_manifest_starts_the_app_with_the_code_and_can_be_installed() {
        let words = words("Acme");
        let pages = Pages::new(words.brand(), None, "/mfa");
        for (code, start) in
            [(None, "/mfa/app"), (Some("7k2m-9qxr"), "/mfa/app?pair=7K2M9QXR"), (Some("x\"&y"), "/mfa/app")]
        {
            let response = pages.app_manifest(code);
            assert_eq!(header(&response, "content-type"), "application/manifest+json");
            let manifest: serde_json::Value = serde_json::from_str(&body(response).await).unwrap();
            assert_eq!(manifest["start_url"], start);
            assert_eq!(manifest["scope"], "/mfa/app");
            assert_eq!(manifest["display"], "standalone");
            let icons = manifest["icons"].as_array().unwrap();
            for (icon, size) in icons.iter().zip(["192x192", "512x512", "512x512"]) {
                assert_eq!(icon["sizes"], size);
                assert!(pages.files().contains(&icon["src"].as_str().unwrap().replacen("/mfa", "", 1)));
            }
        }
        let html = pages.app_html(AppPage { code: Some("7k2m 9qxr"), ..page(&words, "en") }).unwrap();
        assert!(html.contains("href=\"/mfa/app/manifest.webmanifest?pair=7K2M9QXR\""));
    }
}
