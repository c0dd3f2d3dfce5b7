use std::sync::Arc;

use domain::{Content, MessageId, Timestamp};

use super::super::presets::PRESETS;
use super::*;

fn settings() -> HttpSettings {
    HttpSettings {
        url: Some("https://gateway.example.com/send".to_owned()),
        ..HttpSettings::named("ours".to_owned(), Calling::by(Arc::new(|| Timestamp(0))))
    }
}

/// All settings that a preset can use.
fn preset_settings(preset: &Preset) -> HttpSettings {
    HttpSettings {
        preset: Some(preset.guide.name.to_owned()),
        url: None,
        username: Some("user".to_owned()),
        secret: Some(Secret::new(b"secret".to_vec())),
        from: Some("Example".to_owned()),
        account: Some("account.example.com".to_owned()),
        ..settings()
    }
}

fn message(channel: Channel, to: &str, text: &str) -> OutgoingMessage {
    let mut content = Content::of(to.to_owned(), text.to_owned()).as_mail(Some("Your \"code\"".to_owned()), None);
    content.code = Some("012345".to_owned());
    OutgoingMessage { id: MessageId(7), channel, about: None, content, created_at: Timestamp(0) }
}

fn body(request: &Request) -> &str {
    std::str::from_utf8(request.body().unwrap().as_bytes().unwrap()).unwrap()
}

fn key_of(settings: HttpSettings) -> &'static str {
    HttpProvider::new(settings).unwrap_err().key
}

#[test]
fn every_preset_works_with_what_its_guide_asks_for_and_nothing_else() {
    for preset in PRESETS {
        let pasted = |key| preset.guide.paste.iter().any(|(pasted, _)| *pasted == key);
        let all = preset_settings(preset);
        let asked = HttpSettings {
            username: all.username.filter(|_| pasted("username")),
            secret: all.secret.filter(|_| pasted("secret")),
            from: all.from.filter(|_| pasted("from")),
            account: all.account.filter(|_| pasted("account")),
            ..all
        };
        if let Err(error) = HttpProvider::new(asked) {
            panic!("{}: {error}", preset.guide.name);
        }
    }
}

#[test]
fn every_preset_says_what_is_missing() {
    for preset in PRESETS {
        for (key, _) in preset.guide.paste {
            let mut settings = preset_settings(preset);
            match *key {
                "username" => settings.username = None,
                "secret" => settings.secret = None,
                "from" => settings.from = None,
                "account" => settings.account = None,
                other => panic!("{}: {other}", preset.guide.name),
            }
            let error = HttpProvider::new(settings).unwrap_err();
            assert_eq!(error.key, *key, "{}: {error}", preset.guide.name);
        }
    }
}

#[test]
fn the_table_of_presets_is_complete_and_in_order() {
    assert!(PRESETS.is_sorted_by_key(|preset| preset.guide.name));
    for preset in PRESETS {
        let guide = &preset.guide;
        assert!(preset.url.starts_with("https://"), "{}", preset.guide.name);
        let texts = [guide.title, guide.buy, guide.docs];
        assert!(
            !texts.contains(&"") && !guide.paste.is_empty() && guide.docs.starts_with("https://"),
            "{}",
            preset.guide.name
        );
        assert!(preset.form.is_some() != preset.json.is_some(), "{}", preset.guide.name);
    }
    let guides: Vec<_> = super::super::guides::guides().map(|guide| guide.name).collect();
    let distinct: std::collections::HashSet<_> = guides.iter().collect();
    assert_eq!(distinct.len(), guides.len());
}

#[test]
fn what_is_put_into_a_request_is_encoded_for_its_place() {
    let text = "A \"code\"\nwith \\ and é&to=evil";
    let own = message(Channel::Email, "ana@example.com", text);
    let provider = HttpProvider::new(HttpSettings {
        channels: Some(vec![Channel::Email]),
        url: Some("https://gateway.example.com/{{ account }}?to={{ to }}&t={{ text }}".to_owned()),
        account: Some("a/b".to_owned()),
        json: Some(r#"{"s": "{{ subject }}", "t": "{{ text }}", "n": "{{ id }}"}"#.to_owned()),
        headers: Some(vec!["X-Id: m-{{ id }}".to_owned(), "Content-Type: application/vnd.example+json".to_owned()]),
        ..settings()
    });
    let request = provider.unwrap().request(&own).unwrap();
    assert_eq!(request.url().path(), "/a%2Fb");
    let query: Vec<_> = request.url().query_pairs().collect();
    assert_eq!(query, [("to".into(), "ana@example.com".into()), ("t".into(), text.into())]);
    let json: serde_json::Value = serde_json::from_str(body(&request)).unwrap();
    assert_eq!(json, serde_json::json!({"s": "Your \"code\"", "t": text, "n": own.key()}));
    assert_eq!(request.headers()["x-id"], format!("m-{}", own.key()).as_str());
    // The operator's type replaces ours.
    assert_eq!(request.headers().get_all("content-type").iter().collect::<Vec<_>>(), ["application/vnd.example+json"]);

    let form = vec!["to={{ to_digits }}".to_owned(), "message=<{{ text }}> {{ code }}".to_owned(), "a==b".to_owned()];
    let provider = HttpProvider::new(HttpSettings { form: Some(form), ..settings() }).unwrap();
    let request = provider.request(&message(Channel::Sms, "+491701234567", "1 + 1 = 2 & more")).unwrap();
    assert_eq!(body(&request), "to=491701234567&message=%3C1+%2B+1+%3D+2+%26+more%3E+012345&a=%3Db");
}

#[test]
fn a_request_without_a_body_has_everything_in_its_url() {
    let provider = HttpProvider::new(HttpSettings {
        method: Some("GET".to_owned()),
        url: Some("http://10.0.0.1:8080/send?to={{ to }}&text={{ text }}".to_owned()),
        ..settings()
    });
    let request = provider.unwrap().request(&message(Channel::Sms, "+49170", "a b")).unwrap();
    assert_eq!(request.url().as_str(), "http://10.0.0.1:8080/send?to=%2B49170&text=a%20b");
    assert!(request.body().is_none() && !request.headers().contains_key("content-type"));
}

#[test]
fn a_header_takes_no_second_line() {
    let headers = Some(vec!["X-Subject: {{ subject }}".to_owned()]);
    let provider = HttpProvider::new(HttpSettings { headers, ..settings() }).unwrap();
    let mut own = message(Channel::Sms, "+49170", "x");
    own.content.subject = Some("a\r\nX-Other: b".to_owned());
    assert!(provider.request(&own).is_none());
}

#[test]
fn a_preset_gives_way_to_what_the_operator_says() {
    let telnyx = PRESETS.iter().find(|preset| preset.guide.name == "telnyx").unwrap();
    let form = Some(vec!["to={{ to }}".to_owned()]);
    let provider = HttpProvider::new(HttpSettings { form, headers: Some(Vec::new()), ..preset_settings(telnyx) });
    let request = provider.unwrap().request(&message(Channel::Sms, "+49170", "x")).unwrap();
    assert_eq!(body(&request), "to=%2B49170");
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(request.url().host_str(), Some("api.telnyx.com"));
}

#[test]
fn what_cannot_work_is_refused_with_its_key() {
    let text = |text: &str| Some(text.to_owned());
    let list = |text: &str| Some(vec![text.to_owned()]);
    for (key, bad) in [
        ("preset", HttpSettings { preset: text("unknown"), ..settings() }),
        ("channels", HttpSettings { channels: Some(vec![Channel::Push]), ..settings() }),
        ("channels", HttpSettings { channels: Some(Vec::new()), ..settings() }),
        ("method", HttpSettings { method: text("DELETE"), ..settings() }),
        ("method", HttpSettings { method: text("GET"), form: list("a=b"), ..settings() }),
        ("url", HttpSettings { url: None, ..settings() }),
        ("url", HttpSettings { url: text("gateway.example.com"), ..settings() }),
        ("url", HttpSettings { url: text("ftp://gateway.example.com/"), ..settings() }),
        ("url", HttpSettings { url: text("https://{{ host }}/"), ..settings() }),
        ("headers", HttpSettings { headers: list("no colon"), ..settings() }),
        ("headers", HttpSettings { headers: list("a b: c"), ..settings() }),
        ("headers", HttpSettings { headers: list("X: {{ text }}"), ..settings() }),
        ("headers", HttpSettings { headers: list("Content-Length: 3"), ..settings() }),
        ("form", HttpSettings { form: list("name"), ..settings() }),
        ("form", HttpSettings { form: list("a={{ b"), ..settings() }),
        ("form", HttpSettings { form: list("a=b"), json: text("{}"), ..settings() }),
        ("json", HttpSettings { json: text("{\"code\": {{ code }}}"), ..settings() }),
        ("json", HttpSettings { json: text("{\"to\": {{ to }}}"), ..settings() }),
        ("from", HttpSettings { json: text("{\"from\": \"{{ from }}\"}"), ..settings() }),
        ("from", HttpSettings { from: text(""), ..settings() }),
        ("secret", HttpSettings { secret: Some(Secret::new(b"x\n".to_vec())), ..settings() }),
        ("username", HttpSettings { basic_auth: Some(true), ..settings() }),
        ("secret", HttpSettings { basic_auth: Some(true), username: text("user"), ..settings() }),
        ("success", HttpSettings { success: text("ok"), ..settings() }),
        ("id_path", HttpSettings { id_path: text("a..b"), ..settings() }),
        ("refused_words", HttpSettings { refused_words: list(" "), ..settings() }),
        ("", HttpSettings { name: String::new(), ..settings() }),
        ("", HttpSettings { name: "Ours".to_owned(), ..settings() }),
        ("", HttpSettings { name: "twilio".to_owned(), ..settings() }),
    ] {
        assert_eq!(key_of(bad), key);
    }
}

#[test]
fn an_error_names_the_line_within_a_template() {
    let json = Some("{\n  \"to\": \"{{ to }}\",\n  \"text\": \"{{ txt }}\"\n}".to_owned());
    let error = HttpProvider::new(HttpSettings { json, ..settings() }).unwrap_err();
    assert_eq!((error.key, error.line), ("json", Some(3)));
    assert_eq!(error.to_string(), "json, line 3: txt is unknown; known are to, to_digits, text, subject, code, id");
}
