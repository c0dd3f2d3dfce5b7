//! Calls: what gateways are asked, byte by byte, and that what a person is to key in is nowhere in it (contract 18.9, SEC 98).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use countersign_delivery::{Concerned, SendError, TwilioProvider, TwilioSettings};
use data_encoding::{BASE64_MIME, BASE64URL_NOPAD};
use domain::{DeviceId, UserId, VerificationId};

use super::*;

const ASKED: &str = "11111111-2222-4333-8444-555555555555";

fn settings(base: &str) -> TwilioSettings {
    TwilioSettings {
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        auth_token: secret(),
        from: None,
        messaging_service_sid: None,
        voice_from: Some("+15005550001".to_owned()),
        digits_callback: Some("https://mfa.example.com/callbacks/twilio/digits".to_owned()),
        base_url: Some(base.to_owned()),
        status_callback: Some("https://mfa.example.com/callbacks/twilio/status".to_owned()),
        calling: calling(),
    }
}

fn call(body: &str, code: Option<&str>) -> OutgoingMessage {
    let verification_id: VerificationId = ASKED.parse().expect("an id");
    let content = Content {
        code: code.map(str::to_owned),
        language: Some("en".to_owned()),
        ..Content::of(TO.to_owned(), body.to_owned())
    };
    let about = Some(Concerned { user_id: UserId(7), device_id: Some(DeviceId(9)), verification_id });
    OutgoingMessage { channel: Channel::Voice, about, content, ..message() }
}

/// Calls over a new provider, and what it was asked, as the fields of a form.
async fn called(message: &OutgoingMessage, answer: Answer) -> (Result<(), SendError>, Vec<(String, String)>) {
    listen();
    let server = Server::start(answer).await;
    let provider = shown(TwilioProvider::new(settings(&server.url())).expect("settings that work"));
    assert_eq!(provider.channels(), [Channel::Voice], "there is no number that sends text messages");
    let result = delivery::send(provider.as_ref(), message).await;
    let heard = server.heard();
    assert_eq!(heard[0].line, "POST /2010-04-01/Accounts/AC00000000000000000000000000000001/Calls.json HTTP/1.1");
    let basic = "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTpjYW5hcnktc2VjcmV0";
    assert_eq!(heard[0].header("authorization"), Some(basic));
    (result, url::form_urlencoded::parse(heard[0].body.as_bytes()).into_owned().collect())
}

#[tokio::test]
async fn a_call_speaks_its_code_slowly_and_twice() {
    let message = call("Your code is: 918273. Goodbye.", Some(CODE));
    let (sent, form) = called(&message, Answer::of(201, r#"{"sid": "CA1"}"#)).await;
    assert_eq!(sent, Ok(()));
    let say = |text: &str| format!("<Say language=\"en-US\">{text}</Say>");
    let code: Vec<String> = CODE.chars().map(|digit| say(&digit.to_string())).collect();
    let once = [say("Your code is:"), code.join("<Pause length=\"1\"/>"), say(". Goodbye.")].concat();
    let twiml = format!("<Response>{once}{once}</Response>");
    let receipt = "https://mfa.example.com/callbacks/twilio/status?message=4711-1440938160000";
    let fields = [
        ("To", TO),
        ("From", "+15005550001"),
        ("Twiml", &twiml),
        ("Timeout", "30"),
        ("TimeLimit", "120"),
        ("StatusCallback", receipt),
    ];
    assert_eq!(form, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_call_asks_for_digits_and_names_its_verification() {
    let (sent, form) = called(&call("Key in the digits.", None), Answer::of(201, r#"{"sid": "CA1"}"#)).await;
    assert_eq!(sent, Ok(()));
    let gather = format!(
        "<Gather input=\"dtmf\" numDigits=\"6\" finishOnKey=\"#\" timeout=\"10\" method=\"POST\" \
         action=\"https://mfa.example.com/callbacks/twilio/digits?call={ASKED}\">\
         <Say language=\"en-US\">Key in the digits.</Say></Gather>"
    );
    assert_eq!(form[2], ("Twiml".to_owned(), format!("<Response>{gather}{gather}</Response>")));
}

#[tokio::test]
async fn what_twilio_says_of_a_call_means_what_it_says_of_a_message() {
    for (status, body, error) in [
        (400, r#"{"code": 21211}"#, SendError::Unreachable),
        (400, r#"{"code": 21214}"#, SendError::Unreachable),
        (400, r#"{"code": 21215}"#, SendError::Refused),
        (403, r#"{"code": 20005}"#, SendError::Denied),
        (503, "{}", SendError::Unavailable),
    ] {
        let (sent, _) = called(&call("Key in", None), Answer::of(status, body)).await;
        assert_eq!(sent, Err(error), "{body}");
    }
}

#[test]
fn calls_need_an_address_for_their_digits() {
    let without = TwilioSettings { digits_callback: None, ..settings("https://twilio.example") };
    let error = TwilioProvider::new(without).unwrap_err();
    assert_eq!((error.key, error.problem.as_str()), ("voice_from", "calls need public_url, too"));
    let texts = TwilioSettings { voice_from: None, from: Some("+1".to_owned()), ..settings("https://twilio.example") };
    let texts = TwilioProvider::new(texts).unwrap();
    assert_eq!((texts.channels(), texts.takes_digits()), ([Channel::Sms].as_slice(), false));
    let both = TwilioSettings { from: Some("+1".to_owned()), ..settings("https://twilio.example") };
    assert_eq!(TwilioProvider::new(both).unwrap().channels(), [Channel::Sms, Channel::Voice]);
}

/// Settings for calls over Vonage, with a fresh key in this file, and its public key.
fn vonage_settings(base: &str, file: &std::path::Path) -> (VonageSettings, Vec<u8>) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("the key as PKCS #8");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n", BASE64_MIME.encode(der.as_ref()));
    std::fs::write(file, pem).expect("a file");
    let settings = VonageSettings {
        api_key: "key".to_owned(),
        api_secret: secret(),
        from: "Example".to_owned(),
        voice_from: Some("+15005550001".to_owned()),
        application_id: Some("application".to_owned()),
        private_key_file: Some(file.to_owned()),
        digits_callback: Some("https://mfa.example.com/callbacks/vonage/digits".to_owned()),
        base_url: Some(base.to_owned()),
        webhook_url: Some("https://mfa.example.com/callbacks/vonage/status".to_owned()),
        signature_secret: Some(secret()),
        calling: calling(),
    };
    (settings, pair.public_key().as_ref().to_vec())
}

#[tokio::test]
async fn vonage_is_asked_for_a_call_with_a_token_that_the_applications_key_signs() {
    listen();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Answer::of(201, r#"{"uuid": "a", "status": "started"}"#)).await;
    let (settings, public) = vonage_settings(&server.url(), &folder.path().join("key.pem"));
    let provider = shown(VonageProvider::new(settings).expect("settings that work"));
    assert_eq!((provider.channels(), provider.takes_digits()), ([Channel::Sms, Channel::Voice].as_slice(), true));
    for (message, asks) in [(call("Key in the digits.", None), true), (call("Code: 918273.", Some(CODE)), false)] {
        assert_eq!(delivery::send(provider.as_ref(), &message).await, Ok(()));
        let heard = server.heard();
        let heard = heard.last().unwrap();
        assert_eq!(heard.line, "POST /v1/calls HTTP/1.1");
        let body: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!(body["to"], serde_json::json!([{ "type": "phone", "number": "15005550006" }]));
        assert_eq!(body["from"], serde_json::json!({ "type": "phone", "number": "15005550001" }));
        assert_eq!((&body["ringing_timer"], &body["length_timer"]), (&30.into(), &120.into()));
        let receipt = "https://mfa.example.com/callbacks/vonage/status?message=4711-1440938160000";
        assert_eq!(body["event_url"], serde_json::json!([receipt]));
        let url = format!("https://mfa.example.com/callbacks/vonage/digits?call={ASKED}");
        let asked = if asks { serde_json::json!([url]) } else { serde_json::Value::Null };
        assert_eq!(body["ncco"][1]["eventUrl"], asked, "{body}");

        let token = heard.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        key.verify(signed.as_bytes(), &signature).expect("the application's key signs");
        let part = |n: usize| -> serde_json::Value {
            let part = signed.split('.').nth(n).unwrap();
            serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(part(0), serde_json::json!({ "alg": "RS256", "typ": "JWT" }));
        let claims = serde_json::json!({
            "application_id": "application", "iat": 1_440_938_160, "exp": 1_440_938_460,
            "jti": "4711-1440938160000-1440938160000",
        });
        assert_eq!(part(1), claims);
    }
}

#[test]
fn calls_over_vonage_need_all_of_their_settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let settings = || vonage_settings("https://vonage.example", &file).0;
    for (without, key) in [
        (VonageSettings { voice_from: None, ..settings() }, "voice_from"),
        (VonageSettings { application_id: None, ..settings() }, "application_id"),
        (VonageSettings { private_key_file: None, ..settings() }, "private_key_file"),
        (VonageSettings { private_key_file: Some(folder.path().join("none")), ..settings() }, "private_key_file"),
        (VonageSettings { signature_secret: None, ..settings() }, "signature_secret"),
        (VonageSettings { digits_callback: None, ..settings() }, "voice_from"),
    ] {
        assert_eq!(VonageProvider::new(without).unwrap_err().key, key);
    }
}

#[test]
fn only_a_telephone_number_can_call() {
    for name in ["Example", "+1 415", "4155550100", ""] {
        let settings = TwilioSettings { voice_from: Some(name.to_owned()), ..settings("https://api.twilio.com") };
        let error = TwilioProvider::new(settings).expect_err("a name cannot call").to_string();
        assert!(error.contains("voice_from"), "{error}");
    }
}
