//! Calls: what Twilio is asked, byte by byte, and that what a person is to key in is nowhere in it (contract 18.9, SEC 98).

use countersign_delivery::{Concerned, SendError, TwilioProvider, TwilioSettings};
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
    let about = Some(Concerned { user_id: UserId(7), device_id: DeviceId(9), verification_id });
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
    let fields = [("To", TO), ("From", "+15005550001"), ("Twiml", &twiml), ("Timeout", "30"), ("TimeLimit", "120")];
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
