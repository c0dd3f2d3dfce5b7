use std::sync::Arc;

use domain::{Content, DeviceId, FactorResponse, MessageId, Timestamp, UserId};

use super::super::gateway::Calling;
use super::super::guides::EXCHANGE;
use super::super::presets::PRESETS;
use super::*;
use crate::message::Concerned;

fn settings() -> HttpSettings {
    HttpSettings {
        url: Some("https://gateway.example.com/send".to_owned()),
        ..HttpSettings::named("ours".to_owned(), Calling::by(Arc::new(|| Timestamp(0))))
    }
}

/// Keys of Standard Webhooks.
const KEY: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_KEY: &[u8] = b"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// All settings that a preset can use.
fn preset_settings(preset: &Preset) -> HttpSettings {
    let secret: &[u8] = if preset.signed { KEY } else { b"secret" };
    HttpSettings {
        preset: Some(preset.guide.name.to_owned()),
        url: preset.url.is_empty().then(|| "https://exchange.example.com/calls".to_owned()),
        username: Some("user".to_owned()),
        secret: Some(Secret::new(secret.to_vec())),
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
                "url" => settings.url = None,
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
        let is_own = guide.paste.iter().any(|(key, _)| *key == "url");
        assert!(preset.url.starts_with("https://") || (is_own && preset.url.is_empty()), "{}", preset.guide.name);
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
    assert_eq!(
        error.to_string(),
        "json, line 3: txt is unknown; known are to, to_digits, text, subject, code, id, channel, kind, spoken, language, reply_url, status_url"
    );
}

/// The preset of an exchange, with both keys of the example in its guide.
fn exchange() -> HttpSettings {
    let below = |what: &str| format!("https://mfa.example.com/callbacks/exchange/{what}");
    HttpSettings {
        preset: Some("exchange".to_owned()),
        url: Some("https://exchange.example.com/calls".to_owned()),
        secret: Some(Secret::new(KEY.to_vec())),
        callback_secret: Some(Secret::new(OTHER_KEY.to_vec())),
        callback_urls: Some(CallbackUrls { status: below("status"), digits: below("digits") }),
        ..HttpSettings::named("exchange".to_owned(), Calling::by(Arc::new(|| Timestamp(1_440_938_160_000))))
    }
}

/// A call about a verification, which asks for digits or speaks a code.
fn call(text: &str, code: Option<&str>) -> OutgoingMessage {
    let mut content = Content::of("+14155550123".to_owned(), text.to_owned());
    (content.code, content.language) = (code.map(str::to_owned), Some("en".to_owned()));
    let verification_id = "11111111-2222-4333-8444-555555555555".parse().unwrap();
    let about = Some(Concerned { user_id: UserId(7), device_id: Some(DeviceId(9)), verification_id });
    let created_at = Timestamp(1_440_938_160_000);
    OutgoingMessage { id: MessageId(4711), channel: Channel::Voice, about, content, created_at }
}

#[test]
fn the_example_of_an_exchange_is_what_is_sent_and_taken() {
    let provider = HttpProvider::new(exchange()).unwrap();
    assert_eq!(provider.channels(), [Channel::Voice]);
    assert!(provider.takes_digits() && provider.signs_receipts());
    let asked = "This is Example Inc. Please key in the six digits shown on your screen, then press the hash key.";
    let request = provider.request(&call(asked, None)).unwrap();
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    for name in names {
        let line = format!("\n{name}: {}\n", request.headers()[name].to_str().unwrap());
        assert!(EXCHANGE.contains(&line), "{line}");
    }
    assert!(EXCHANGE.contains(&format!("\n\n{}\n", body(&request))), "{}", body(&request));

    let shown = EXCHANGE.split("```http\n").nth(2).unwrap().split("```").next().unwrap();
    let (head, keyed) = shown.trim_end().split_once("\n\n").unwrap();
    let query = head.split(['?', ' ']).nth(2);
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let callback = Callback { headers: &headers, query, body: keyed.as_bytes() };
    let call = provider.digits(&callback, Timestamp(1_440_938_173_000)).unwrap();
    assert_eq!(call.verification, "11111111-2222-4333-8444-555555555555".parse().unwrap());
    assert_eq!((call.keyed.to.as_str(), call.keyed.digits), ("+14155550123", FactorResponse::typed("042137")));
    let reply = provider.spoken_reply("This is Example Inc. Thank you, the digits are right. Goodbye.", "en");
    assert!(EXCHANGE.contains(&format!("\n{}\n", reply.body)), "{}", reply.body);
    assert_eq!(reply.content_type, "application/json");
}

#[test]
fn a_call_of_an_exchange_says_what_is_to_be_done() {
    let said = |provider: &HttpProvider, message: &OutgoingMessage| {
        let request = provider.request(message).unwrap();
        let json: serde_json::Value = serde_json::from_str(body(&request)).unwrap();
        ["kind", "say", "code", "reply_url"].map(|name| json[name].as_str().unwrap().to_owned())
    };
    let (code, digits) = (call("Your code is 042. Bye.", Some("042")), call("Key in", None));
    let test = OutgoingMessage { about: None, ..digits.clone() };
    let provider = HttpProvider::new(exchange()).unwrap();
    let spelled = "Your code is 0, 4, 2. Bye.Your code is 0, 4, 2. Bye.".replace("Bye.Y", "Bye. Y");
    assert_eq!(said(&provider, &code), ["code", &spelled, "042", ""]);
    let reply = "https://mfa.example.com/callbacks/exchange/digits?call=11111111-2222-4333-8444-555555555555";
    assert_eq!(said(&provider, &digits), ["digits", "Key in", "", reply]);
    assert_eq!(said(&provider, &test), ["message", "Key in", "", ""]);

    // A text message without a code asks for nothing.
    let both = HttpSettings { channels: Some(vec![Channel::Sms, Channel::Voice]), ..exchange() };
    let warning = OutgoingMessage { channel: Channel::Sms, ..digits.clone() };
    assert_eq!(said(&HttpProvider::new(both).unwrap(), &warning)[0], "message");
}

#[test]
fn a_gateway_takes_digits_only_if_it_signs_them_and_is_told_where_they_go() {
    let of = |settings| HttpProvider::new(settings).unwrap();
    for (what, silent) in [
        ("no key", HttpSettings { callback_secret: None, ..exchange() }),
        ("no address", HttpSettings { callback_urls: None, ..exchange() }),
        ("no calls", HttpSettings { channels: Some(vec![Channel::Sms]), ..exchange() }),
        ("not told", HttpSettings { json: Some("{}".to_owned()), ..exchange() }),
    ] {
        let provider = of(silent);
        assert!(!provider.takes_digits(), "{what}");
        let headers = hyper::HeaderMap::new();
        let callback = Callback { headers: &headers, query: None, body: b"" };
        assert_eq!(provider.digits(&callback, Timestamp(0)), Err(Refusal::Unsigned), "{what}");
    }
    let secret = |text: &[u8]| Some(Secret::new(text.to_vec()));
    for (key, bad) in [
        ("secret", HttpSettings { secret: None, ..exchange() }),
        ("secret", HttpSettings { secret: secret(b"hunter2"), ..exchange() }),
        ("callback_secret", HttpSettings { callback_secret: secret(b"hunter2"), ..exchange() }),
        ("callback_secret", HttpSettings { callback_secret: secret(KEY), ..exchange() }),
        ("url", HttpSettings { url: None, ..exchange() }),
    ] {
        assert_eq!(key_of(bad), key);
    }
}
