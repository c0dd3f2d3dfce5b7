//! Every gateway against a server on a real socket: what is asked, byte by byte, what each answer means, and that no error
//! and no line of the log holds a number, a code or a secret.
//!
//! The requests are those of the gateways' public documentation, whose addresses are in the table of presets.

mod calls;
mod server;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use countersign_delivery::{
    self as delivery, Calling, Finding, HttpProvider, HttpSettings, OutgoingMessage, PRESETS, Preset, Provider,
    SendError, SnsProvider, SnsSettings, TwilioProvider, TwilioSettings, VonageProvider, VonageSettings,
};
use domain::{Channel, Content, MessageId, Secret, Timestamp};

use self::server::{Answer, Server};

const TO: &str = "+15005550006";
const CODE: &str = "918273";
const SECRET: &str = "canary-secret";

/// 30 August 2015, 12:36:00 UTC.
const NOW: Timestamp = Timestamp(1_440_938_160_000);

/// What one gateway is asked, and what it answers.
struct Case {
    name: &'static str,
    /// Makes the provider against a server at this address.
    provider: fn(&'static str, &str, Calling) -> Arc<dyn Provider>,
    /// First line, without version.
    line: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// An answer that means sent.
    taken: (u16, &'static str),
    /// An answer that means that the recipient cannot be reached.
    unreachable: Option<(u16, &'static str)>,
}

const BASIC: &str = "Basic dXNlcjpjYW5hcnktc2VjcmV0";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const BEARER: (&str, &str) = ("authorization", "Bearer canary-secret");

/// A preset; most of a row is the same.
const PRESET: Case =
    Case { name: "", provider: preset, line: "", headers: &[JSON], body: "", taken: (200, "{}"), unreachable: None };

const CASES: &[Case] = &[
    Case {
        name: "twilio",
        provider: twilio,
        line: "POST /2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json",
        headers: &[
            FORM,
            ("authorization", "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTpjYW5hcnktc2VjcmV0"),
            ("i-twilio-idempotency-token", "4711-1440938160000"),
        ],
        body: "To=%2B15005550006&From=%2B15005550001&Body=Your+code+is+918273\
               &StatusCallback=https%3A%2F%2Fmfa.example.com%2Fcallbacks%2Ftwilio%2Fstatus%3Fmessage%3D4711-1440938160000",
        taken: (201, r#"{"sid": "SM1", "status": "queued"}"#),
        unreachable: Some((
            400,
            r#"{"code": 21211, "message": "The 'To' number +15005550006 is not valid", "status": 400}"#,
        )),
    },
    Case {
        name: "vonage",
        provider: vonage,
        line: "POST /v1/messages",
        headers: &[JSON, ("authorization", "Basic a2V5OmNhbmFyeS1zZWNyZXQ=")],
        body: r#"{"message_type":"text","channel":"sms","to":"15005550006","from":"15005550001","text":"Your code is 918273","client_ref":"4711-1440938160000","webhook_url":"https://mfa.example.com/callbacks/vonage/status"}"#,
        taken: (202, r#"{"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"}"#),
        unreachable: Some((
            422,
            r#"{"type": "https://developer.vonage.com/api-errors/messages#1240", "title": "Illegal Number"}"#,
        )),
    },
    Case {
        name: "sns",
        provider: sns,
        line: "POST /",
        headers: &[FORM, ("x-amz-date", "20150830T123600Z"), ("x-amz-security-token", "canary-secret-session")],
        body: "Action=Publish&Version=2010-03-31&PhoneNumber=%2B15005550006&Message=Your+code+is+918273\
               &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType\
               &MessageAttributes.entry.1.Value.DataType=String\
               &MessageAttributes.entry.1.Value.StringValue=Transactional\
               &MessageAttributes.entry.2.Name=AWS.SNS.SMS.SenderID\
               &MessageAttributes.entry.2.Value.DataType=String\
               &MessageAttributes.entry.2.Value.StringValue=Example",
        taken: (200, "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>"),
        unreachable: Some((
            400,
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>\
             <Message>Invalid parameter: PhoneNumber Reason: +15005550006 is not valid</Message></Error></ErrorResponse>",
        )),
    },
    Case {
        name: "46elks",
        line: "POST /a1/sms",
        headers: &[FORM, ("authorization", BASIC)],
        body: "from=%2B15005550001&to=%2B15005550006&message=Your+code+is+918273",
        taken: (200, r#"{"id": "s1", "status": "created"}"#),
        ..PRESET
    },
    Case {
        name: "africastalking",
        line: "POST /version1/messaging",
        headers: &[FORM, ("apikey", SECRET), ("accept", "application/json")],
        body: "username=user&to=%2B15005550006&message=Your+code+is+918273&from=%2B15005550001",
        taken: (
            201,
            r#"{"SMSMessageData": {"Recipients": [{"statusCode": 101, "status": "Success", "messageId": "ATXid_1"}]}}"#,
        ),
        unreachable: Some((
            201,
            r#"{"SMSMessageData": {"Recipients": [{"statusCode": 403, "number": "+15005550006", "status": "InvalidPhoneNumber"}]}}"#,
        )),
        ..PRESET
    },
    Case {
        name: "bulksms",
        line: "POST /v1/messages?auto-unicode=true",
        headers: &[JSON, ("authorization", BASIC)],
        body: r#"{"from": "+15005550001", "to": "+15005550006", "body": "Your code is 918273"}"#,
        taken: (201, r#"[{"id": "1", "type": "SENT"}]"#),
        ..PRESET
    },
    Case {
        name: "clickatell",
        line: "POST /v1/message",
        headers: &[JSON, ("authorization", SECRET)],
        body: r#"{"messages": [{"channel": "sms", "to": "15005550006", "content": "Your code is 918273"}]}"#,
        taken: (
            202,
            r#"{"messages": [{"apiMessageId": "1", "accepted": true, "to": "15005550006", "error": null}], "error": null}"#,
        ),
        ..PRESET
    },
    Case {
        name: "clicksend",
        line: "POST /v3/sms/send",
        headers: &[JSON, ("authorization", BASIC)],
        body: r#"{"messages": [{"from": "+15005550001", "to": "+15005550006", "body": "Your code is 918273", "custom_string": "4711-1440938160000"}]}"#,
        taken: (
            200,
            r#"{"response_code": "SUCCESS", "data": {"messages": [{"message_id": "1", "status": "SUCCESS"}]}}"#,
        ),
        unreachable: Some((
            200,
            r#"{"response_code": "SUCCESS", "data": {"messages": [{"status": "INVALID_RECIPIENT"}]}}"#,
        )),
        ..PRESET
    },
    Case {
        name: "d7networks",
        line: "POST /messages/v1/send",
        headers: &[JSON, BEARER],
        body: r#"{"messages": [{"channel": "sms", "recipients": ["+15005550006"], "content": "Your code is 918273", "msg_type": "text", "data_coding": "auto"}], "message_globals": {"originator": "+15005550001"}}"#,
        taken: (200, r#"{"request_id": "1", "status": "accepted"}"#),
        ..PRESET
    },
    Case {
        name: "exchange",
        provider: exchange,
        line: "POST /calls",
        headers: &[
            JSON,
            ("webhook-id", "4711-1440938160000"),
            ("webhook-timestamp", "1440938160"),
            ("webhook-signature", "v1,klkQ3rgp+YiJOCT1Af7v6Jt98v406kOaYtdbQGqrQBE="),
        ],
        body: r#"{"id": "4711-1440938160000", "to": "+15005550006", "kind": "code", "say": "Your code is 9, 1, 8, 2, 7, 3. Your code is 9, 1, 8, 2, 7, 3", "code": "918273", "language": "", "reply_url": "", "status_url": ""}"#,
        taken: (202, ""),
        ..PRESET
    },
    Case {
        name: "gatewayapi",
        line: "POST /rest/mtsms",
        headers: &[JSON, ("authorization", "Token canary-secret")],
        body: r#"{"sender": "+15005550001", "message": "Your code is 918273", "recipients": [{"msisdn": "15005550006"}], "userref": "4711-1440938160000"}"#,
        taken: (200, r#"{"ids": [421332671], "usage": {}}"#),
        ..PRESET
    },
    Case {
        name: "infobip",
        line: "POST /sms/3/messages",
        headers: &[JSON, ("authorization", "App canary-secret")],
        body: r#"{"messages": [{"sender": "+15005550001", "destinations": [{"to": "15005550006"}], "content": {"text": "Your code is 918273"}}]}"#,
        taken: (200, r#"{"messages": [{"messageId": "4711", "status": {"groupId": 1, "groupName": "PENDING"}}]}"#),
        ..PRESET
    },
    Case {
        name: "lox24",
        line: "POST /sms",
        headers: &[JSON, ("x-lox24-auth-token", SECRET)],
        body: r#"{"sender_id": "+15005550001", "phone": "+15005550006", "text": "Your code is 918273", "service_code": "direct", "callback_data": "4711-1440938160000"}"#,
        taken: (201, r#"{"uuid": "1"}"#),
        ..PRESET
    },
    Case {
        name: "messagebird",
        line: "POST /messages",
        headers: &[FORM, ("authorization", "AccessKey canary-secret")],
        body: "originator=%2B15005550001&recipients=15005550006&body=Your+code+is+918273&datacoding=auto&reference=4711-1440938160000",
        taken: (201, r#"{"id": "1", "recipients": {"totalSentCount": 1}}"#),
        unreachable: Some((
            422,
            r#"{"errors": [{"code": 9, "description": "no (correct) recipients found", "parameter": "recipients"}]}"#,
        )),
        ..PRESET
    },
    Case {
        name: "ntfy",
        line: "POST /",
        headers: &[JSON, BEARER],
        body: r#"{"topic": "account", "message": "Your code is 918273"}"#,
        taken: (200, r#"{"id": "1", "event": "message"}"#),
        ..PRESET
    },
    Case {
        name: "plivo",
        line: "POST /v1/Account/user/Message/",
        headers: &[JSON, ("authorization", BASIC)],
        body: r#"{"src": "+15005550001", "dst": "+15005550006", "text": "Your code is 918273", "log": "false"}"#,
        taken: (202, r#"{"message": "message(s) queued", "message_uuid": ["1"], "api_id": "1"}"#),
        ..PRESET
    },
    Case {
        name: "seven",
        line: "POST /api/sms",
        headers: &[JSON, ("x-api-key", SECRET), ("accept", "application/json")],
        body: r#"{"to": "+15005550006", "from": "+15005550001", "text": "Your code is 918273", "foreign_id": "4711-1440938160000"}"#,
        taken: (200, r#"{"success": "100", "messages": [{"id": "1"}]}"#),
        ..PRESET
    },
    Case {
        name: "sinch",
        line: "POST /xms/v1/account/batches",
        headers: &[JSON, BEARER],
        body: r#"{"from": "+15005550001", "to": ["15005550006"], "body": "Your code is 918273", "client_reference": "4711-1440938160000"}"#,
        taken: (201, r#"{"id": "1"}"#),
        ..PRESET
    },
    Case {
        name: "slack",
        line: "POST /services/user/account/canary-secret",
        body: r#"{"text": "Your code is 918273"}"#,
        taken: (200, "ok"),
        ..PRESET
    },
    Case {
        name: "telegram",
        line: "POST /botcanary-secret/sendMessage",
        body: r#"{"chat_id": "account", "text": "Your code is 918273"}"#,
        taken: (200, r#"{"ok": true, "result": {"message_id": 1}}"#),
        ..PRESET
    },
    Case {
        name: "telnyx",
        line: "POST /v2/messages",
        headers: &[JSON, BEARER],
        body: r#"{"from": "+15005550001", "to": "+15005550006", "text": "Your code is 918273"}"#,
        taken: (200, r#"{"data": {"id": "1"}}"#),
        unreachable: Some((400, r#"{"errors": [{"code": "40310", "title": "Invalid 'to' address"}]}"#)),
        ..PRESET
    },
    Case {
        name: "textmagic",
        line: "POST /api/v2/messages",
        headers: &[FORM, ("x-tm-username", "user"), ("x-tm-key", SECRET)],
        body: "text=Your+code+is+918273&phones=15005550006&from=%2B15005550001",
        taken: (201, r#"{"id": 1, "href": "/api/v2/messages/1"}"#),
        ..PRESET
    },
];

fn secret() -> Secret {
    Secret::new(SECRET.as_bytes().to_vec())
}

fn calling() -> Calling {
    Calling { timeout: Duration::from_millis(400), ..Calling::by(Arc::new(|| NOW)) }
}

/// A provider, after a look at what its debug output shows.
fn shown(provider: impl Provider + std::fmt::Debug + 'static) -> Arc<dyn Provider> {
    assert_clean(&format!("{provider:?}"));
    Arc::new(provider)
}

fn twilio(_: &'static str, base: &str, calling: Calling) -> Arc<dyn Provider> {
    let settings = TwilioSettings {
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        auth_token: secret(),
        from: Some("+15005550001".to_owned()),
        messaging_service_sid: None,
        voice_from: None,
        digits_callback: None,
        base_url: Some(base.to_owned()),
        status_callback: Some("https://mfa.example.com/callbacks/twilio/status".to_owned()),
        calling,
    };
    shown(TwilioProvider::new(settings).expect("settings that work"))
}

fn vonage(_: &'static str, base: &str, calling: Calling) -> Arc<dyn Provider> {
    let settings = VonageSettings {
        api_key: "key".to_owned(),
        api_secret: secret(),
        from: "15005550001".to_owned(),
        voice_from: None,
        application_id: None,
        private_key_file: None,
        digits_callback: None,
        base_url: Some(base.to_owned()),
        webhook_url: Some("https://mfa.example.com/callbacks/vonage/status".to_owned()),
        signature_secret: Some(secret()),
        calling,
    };
    shown(VonageProvider::new(settings).expect("settings that work"))
}

fn sns(_: &'static str, base: &str, calling: Calling) -> Arc<dyn Provider> {
    let settings = SnsSettings {
        region: "eu-central-1".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: secret(),
        session_token: Some(Secret::new(b"canary-secret-session".to_vec())),
        sender_id: Some("Example".to_owned()),
        base_url: Some(base.to_owned()),
        calling,
    };
    shown(SnsProvider::new(settings).expect("settings that work"))
}

/// A preset whose scheme and host are the server's.
fn preset(name: &'static str, base: &str, calling: Calling) -> Arc<dyn Provider> {
    let url = Preset::named(name).expect("a preset").url;
    let path = url.splitn(4, '/').nth(3).expect("a URL with a path");
    let settings = HttpSettings {
        preset: Some(name.to_owned()),
        url: Some(format!("{base}/{path}")),
        username: Some("user".to_owned()),
        secret: Some(secret()),
        from: Some("+15005550001".to_owned()),
        account: Some("account".to_owned()),
        ..HttpSettings::named(name.to_owned(), calling)
    };
    assert_clean(&format!("{settings:?}"));
    shown(HttpProvider::new(settings).expect("settings that work"))
}

/// An exchange of one's own; here it carries text messages, as all of these.
fn exchange(name: &'static str, base: &str, calling: Calling) -> Arc<dyn Provider> {
    let settings = HttpSettings {
        preset: Some(name.to_owned()),
        channels: Some(vec![Channel::Sms]),
        url: Some(format!("{base}/calls")),
        secret: Some(Secret::new(b"whsec_Y2FuYXJ5LXNlY3JldC1jYW5hcnktc2VjcmV0".to_vec())),
        ..HttpSettings::named(name.to_owned(), calling)
    };
    assert_clean(&format!("{settings:?}"));
    shown(HttpProvider::new(settings).expect("settings that work"))
}

fn message() -> OutgoingMessage {
    let mut content = Content::of(TO.to_owned(), format!("Your code is {CODE}"));
    content.code = Some(CODE.to_owned());
    OutgoingMessage { id: MessageId(4711), channel: Channel::Sms, about: None, content, created_at: NOW }
}

/// Holds nothing that a log or an error must not hold.
fn assert_clean(text: &str) {
    for canary in [TO.trim_start_matches('+'), CODE, SECRET, "Y2FuYXJ5", "jYW5hcnkt"] {
        assert!(!text.contains(canary), "{canary} is in: {text}");
    }
}

/// Sends the message of these tests over a new provider to a server that gives one answer.
async fn sent(case: &Case, answer: Answer) -> Result<(), SendError> {
    let server = Server::start(answer).await;
    let provider = (case.provider)(case.name, &server.url(), calling());
    let result = delivery::send(provider.as_ref(), &message()).await;
    if let Err(error) = result {
        assert_clean(&format!("{error} {error:?}"));
    }
    result
}

#[tokio::test]
async fn a_gateway_is_asked_as_its_documentation_says() {
    listen();
    for case in CASES {
        let server = Server::start(Answer::of(case.taken.0, case.taken.1)).await;
        let provider = (case.provider)(case.name, &server.url(), calling());
        assert_eq!(provider.channels(), [Channel::Sms], "{}", case.name);
        assert_eq!(delivery::send(provider.as_ref(), &message()).await, Ok(()), "{}", case.name);
        let heard = server.heard();
        assert_eq!(heard.len(), 1, "{}", case.name);
        assert_eq!(heard[0].line, format!("{} HTTP/1.1", case.line), "{}", case.name);
        assert_eq!(heard[0].body, case.body, "{}", case.name);
        for (name, value) in case.headers {
            assert_eq!(heard[0].header(name), Some(*value), "{}: {name}", case.name);
        }
        assert_eq!(heard[0].header("host"), Some(&*server.address), "{}", case.name);
    }
}

/// Twilio takes no address that it cannot reach, and `public_url` may be one within a company's network.
#[tokio::test]
async fn a_message_goes_without_an_address_for_receipts_where_twilio_takes_none() {
    listen();
    let server = Server::start(Answer::of(400, r#"{"code": 21609, "message": "Invalid StatusCallback"}"#)).await;
    let provider = twilio("", &server.url(), calling());
    for _ in 0..2 {
        assert_eq!(delivery::send(provider.as_ref(), &message()).await, Err(SendError::Refused));
    }
    let asked: Vec<bool> = server.heard().iter().map(|heard| heard.body.contains("StatusCallback")).collect();
    assert_eq!(asked, [true, false, false], "it is refused once");
}

#[test]
fn every_preset_has_its_test() {
    for preset in PRESETS {
        assert!(CASES.iter().any(|case| case.name == preset.guide.name), "{}", preset.guide.name);
    }
}

#[tokio::test]
async fn an_answer_means_the_same_of_every_gateway() {
    listen();
    for case in CASES {
        for (answer, error) in [
            (Answer::of(400, "{}"), SendError::Refused),
            (Answer::of(401, "{}"), SendError::Denied),
            (Answer::of(402, "{}"), SendError::Denied),
            (Answer::of(403, "no"), SendError::Refused),
            (Answer::of(404, ""), SendError::Refused),
            (Answer::of(429, "{}"), SendError::Busy(None)),
            (Answer::of(429, "{}").with("retry-after: 7"), SendError::Busy(Some(Duration::from_secs(7)))),
            (
                Answer::of(429, "{}").with("retry-after: Sun, 30 Aug 2015 12:36:20 GMT"),
                SendError::Busy(Some(Duration::from_secs(20))),
            ),
            (Answer::of(500, "{}"), SendError::Unavailable),
            (Answer::of(503, "<html>"), SendError::Unavailable),
            (Answer::of(302, "").with("location: http://127.0.0.1:1/"), SendError::Unavailable),
            (Answer::of(case.taken.0, &"x".repeat(65 * 1024)), SendError::Unavailable),
            (Answer::Never, SendError::TimedOut),
        ] {
            let shown = format!("{}: {answer:?}", case.name);
            assert_eq!(sent(case, answer).await, Err(error), "{shown}");
        }
        if let Some((status, body)) = case.unreachable {
            assert_eq!(sent(case, Answer::of(status, body)).await, Err(SendError::Unreachable), "{}", case.name);
            // A gateway that is ill is not believed.
            assert_eq!(sent(case, Answer::of(500, body)).await, Err(SendError::Unavailable), "{}", case.name);
        }
    }
}

/// Its API answers 400 to everything, so the code in the answer counts.
#[tokio::test]
async fn sns_says_by_a_code_that_it_is_busy_or_that_the_recipient_has_opted_out() {
    listen();
    let sns = CASES.iter().find(|case| case.name == "sns").unwrap();
    for (code, words, error) in [
        ("Throttling", "Rate exceeded", SendError::Busy(None)),
        ("ThrottlingException", "Rate exceeded", SendError::Busy(None)),
        ("OptedOut", "The phone number has opted out", SendError::Unreachable),
        ("InvalidParameter", "Invalid parameter: Message", SendError::Refused),
    ] {
        let body =
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>{words}</Message></Error></ErrorResponse>");
        assert_eq!(sent(sns, Answer::of(400, &body)).await, Err(error), "{code}");
    }
}

/// With 403, which may be about the recipient's country, the code says that it is about the account.
#[tokio::test]
async fn what_a_gateway_says_about_the_account_is_a_failure_of_its_route() {
    listen();
    let xml = |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
    let json = |code: u32| format!(r#"{{"code": {code}, "message": "no", "status": 403}}"#);
    for (name, body, error) in [
        ("sns", xml("ExpiredToken"), SendError::Denied),
        ("sns", xml("SignatureDoesNotMatch"), SendError::Denied),
        ("sns", xml("KMSAccessDenied"), SendError::Refused),
        ("twilio", json(20_005), SendError::Denied),
        // Text messages to this country are not enabled.
        ("twilio", json(21_408), SendError::Refused),
    ] {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        assert_eq!(sent(case, Answer::of(403, &body)).await, Err(error), "{name}: {body}");
    }
}

/// The message may have been sent, so these must not pass for a refusal.
#[tokio::test]
async fn what_is_no_answer_leaves_it_open_whether_the_message_was_sent() {
    listen();
    for case in CASES {
        for answer in [Answer::Half, Answer::Nothing, Answer::Raw(b"SSH-2.0-OpenSSH\r\n")] {
            let shown = format!("{}: {answer:?}", case.name);
            let error = sent(case, answer).await.unwrap_err();
            assert!(error.is_temporary() && !error.is_unsent(), "{shown}: {error}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_cannot_be_connected_to_is_tried_again() {
    listen();
    for case in CASES {
        let free = Server::start(Answer::Nothing).await.stop().await;
        // At the first address there is no server; the one at the second does not speak TLS.
        for base in [format!("http://{free}"), format!("https://{}", Server::start(Answer::of(200, "")).await.address)]
        {
            let provider = (case.provider)(case.name, &base, calling());
            let error = delivery::send(provider.as_ref(), &message()).await.unwrap_err();
            assert!(error.is_temporary(), "{}: {base}: {error}", case.name);
            assert_clean(&format!("{error} {error:?}"));
        }
    }
}

#[tokio::test]
async fn a_gateway_is_told_only_if_a_trusted_authority_vouches_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = server::certificate(folder.path());
    let server = Server::over_tls(Answer::of(201, "{}"), &chain, &key).await;
    let base = format!("https://{}", server.address);
    let provider = |ca_file| twilio("twilio", &base, Calling { ca_file, timeout: Duration::from_secs(5), ..calling() });
    let error = delivery::send(provider(None).as_ref(), &message()).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(server.heard().is_empty());
    assert_eq!(delivery::send(provider(Some(chain)).as_ref(), &message()).await, Ok(()));
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn connections_are_kept() {
    let server = Server::start(Answer::of(201, "{}")).await;
    let provider = twilio("twilio", &server.url(), calling());
    for _ in 0..3 {
        delivery::send(provider.as_ref(), &message()).await.unwrap();
    }
    assert_eq!((server.heard().len(), server.connections()), (3, 1));
}

/// Everything that was logged in this process, at the finest level, by us and by what we use.
static LOGGED: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

fn listen() {
    LOGGED.get_or_init(|| {
        let logged = Arc::new(Mutex::new(Vec::new()));
        let writer = logged.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || server::Buffer(writer.clone()))
            .init();
        logged
    });
}

#[tokio::test]
async fn no_line_of_the_log_holds_a_number_a_code_or_a_secret() {
    listen();
    for case in CASES {
        // Answers that repeat what they were sent, as ids and as words.
        let echo = format!(
            "{{\"sid\":\"{TO}\",\"id\":\"{CODE}\",\"message_uuid\":\"{CODE}\",\"error\":\"{TO} {CODE} {SECRET}\"}}"
        );
        for answer in [
            Answer::of(case.taken.0, case.taken.1),
            Answer::of(200, &echo),
            Answer::of(400, &echo),
            Answer::of(401, &echo),
            Answer::of(429, &echo),
            Answer::of(500, &echo),
            Answer::Half,
            Answer::Nothing,
            Answer::Never,
        ] {
            let _ = sent(case, answer).await;
        }
    }
    let logged = LOGGED.get().unwrap().lock().unwrap().clone();
    let logged = String::from_utf8_lossy(&logged);
    assert!(logged.contains("gateway did not take a message") && logged.contains("gateway took a message"));
    assert_clean(&logged);
}

/// What a probe finds at a server that gives one answer, and what the server heard.
async fn probed(name: &str, answer: Answer) -> (Finding, Vec<server::Heard>) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case of this name");
    let server = Server::start(answer).await;
    let found = found(&*(case.provider)(case.name, &server.url(), calling())).await;
    (found, server.heard())
}

async fn found(provider: &dyn Provider) -> Finding {
    let probes = provider.probe().await;
    assert_clean(&format!("{probes:?}"));
    assert_eq!(probes.len(), 1, "{probes:?}");
    probes[0].found.clone()
}

#[tokio::test]
async fn a_probe_asks_for_the_account_and_sends_nothing() {
    listen();
    for (name, line, body) in [
        ("twilio", "GET /2010-04-01/Accounts/AC00000000000000000000000000000001.json", ""),
        ("vonage", "GET /account/get-balance", ""),
        ("sns", "POST /", "Action=GetSMSAttributes&Version=2010-03-31"),
    ] {
        let (found, heard) = probed(name, Answer::of(200, "{}")).await;
        assert!(matches!(found, Finding::Fine(_)), "{name}: {found:?}");
        assert_eq!(heard.len(), 1, "{name}");
        assert!(heard[0].line.starts_with(line), "{name}: {}", heard[0].line);
        assert_eq!(heard[0].body, body, "{name}");
        assert!(heard[0].header("authorization").is_some(), "{name}");
        for (status, said) in [(401, "does not accept the account"), (429, "too much"), (503, "out of order")] {
            let (found, _) = probed(name, Answer::of(status, "{}")).await;
            assert!(matches!(&found, Finding::Failed(why) if why.contains(said)), "{name}: {status}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_probe_that_a_gateway_cannot_answer_is_skipped() {
    let denied = |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
    let skipped = |(found, _): (Finding, _)| matches!(found, Finding::Skipped(_));
    assert!(skipped(probed("sns", Answer::of(403, &denied("AuthorizationError"))).await));
    assert!(!skipped(probed("sns", Answer::of(403, &denied("InvalidClientTokenId"))).await));
    assert!(skipped(probed("vonage", Answer::of(404, "")).await));
    assert!(!skipped(probed("twilio", Answer::of(404, "")).await));
    let (found, heard) = probed("46elks", Answer::of(200, "")).await;
    assert!(matches!(found, Finding::Skipped(_)) && heard.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_probe_says_which_layer_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = server::certificate(folder.path());
    let strange = Server::over_tls(Answer::of(200, "{}"), &chain, &key).await;
    let silent = Server::start(Answer::Never).await;
    let closed = Server::start(Answer::Never).await.stop().await;
    for (base, layer) in [
        ("http://nowhere.invalid".to_owned(), "DNS: "),
        (format!("http://{closed}"), "TCP: "),
        (silent.url(), "TCP: "),
        (format!("https://{}", strange.address), "TLS: "),
    ] {
        let found = found(&*twilio("twilio", &base, calling())).await;
        assert!(matches!(&found, Finding::Failed(why) if why.starts_with(layer)), "{layer}: {found:?}");
    }
}
