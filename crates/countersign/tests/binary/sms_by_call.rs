//! A text message that is called instead, as `serve` does it while no gateway for text messages works (contract 18.10).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use serde_json::{Value, json};

use crate::callbacks::{PUBLIC, of_twilio, send};
use crate::common::{Http, get, run};
use crate::gateways::{Gateway, form};
use crate::mail::Installation;

/// One gateway texts, another calls.
fn configured(texts: &Gateway, calls: &Gateway) -> Installation {
    let installation = Installation::new(&format!(
        "public_url = '{PUBLIC}'\nissuer = 'Example Inc'\nmessages.countries = ['US']\n\
         delivery.http = ['texts.toml']\ndelivery.sms_by_call = true\nlimits.message_interval_seconds = 0\n\
         [delivery.twilio]\naccount_sid = 'AC00000000000000000000000000000000'\nauth_token = 'canary-token'\n\
         voice_from = '+14155550100'\nbase_url = 'http://127.0.0.1:{}'\n",
        calls.port
    ));
    let file = format!(
        "url = 'http://127.0.0.1:{}/send'\njson = '{{\"to\": \"{{{{ to }}}}\", \"text\": \"{{{{ text }}}}\"}}'\n",
        texts.port
    );
    std::fs::write(installation.path("texts.toml"), file).unwrap();
    installation
}

/// A user with a telephone for text messages.
struct Phone {
    user: i64,
    device: String,
    number: String,
}

impl Phone {
    fn of(api: &mut Http, installation: &Installation, name: &str, number: &str) -> Self {
        let user = installation.user(name);
        let body = json!({ "factor_id": "2", "display_name": "phone", "number": number, "verified": true });
        let path = format!("/api/2/mfa/users/{user}/registrations");
        let device = api.expect(201, "POST", &path, &body.to_string())["device_id"].as_str().unwrap().to_owned();
        Self { user, device, number: number.to_owned() }
    }

    fn path(&self) -> String {
        format!("/api/2/mfa/users/{}/verifications", self.user)
    }

    fn challenge(&self, api: &mut Http) -> String {
        let body = json!({ "device_id": self.device, "custom_message": "Words of the caller: {{otp_code}}" });
        api.expect(201, "POST", &self.path(), &body.to_string())["id"].as_str().unwrap().to_owned()
    }

    fn verify(&self, api: &mut Http, id: &str, code: &str) {
        let answer = json!({ "otp": code, "device_id": self.device }).to_string();
        let verified = api.expect(200, "PUT", &format!("{}/{id}", self.path()), &answer);
        assert_eq!(verified["status"], "accepted", "{verified}");
    }
}

/// A call that was made: its number, the code that it spells, where its receipt goes, and all that it says.
struct Called {
    to: String,
    code: String,
    receipt: String,
    said: String,
}

fn next_call(calls: &Gateway) -> Called {
    let (line, body) = calls.next();
    assert!(line.contains("/Calls.json "), "{line}");
    let form = form(&body);
    let twiml = form["Twiml"].clone();
    let said: Vec<&str> =
        twiml.split("<Say language=\"en-US\">").skip(1).map(|say| &say[..say.find('<').unwrap()]).collect();
    let spelled: String = said.iter().filter(|said| said.len() == 1).copied().collect();
    assert_eq!((spelled.len(), &spelled[..6]), (12, &spelled[6..]), "twice: {twiml}");
    let code = spelled[..6].to_owned();
    Called { to: form["To"].clone(), code, receipt: form["StatusCallback"].clone(), said: twiml }
}

fn text_of(texts: &Gateway) -> Value {
    serde_json::from_str(&texts.next().1).unwrap()
}

/// Keeps SEC 99.
#[test]
fn while_no_gateway_texts_the_same_code_is_spoken_to_the_same_number() {
    let (texts, calls) = (Gateway::start("{}"), Gateway::start(r#"{"sid":"CA1"}"#));
    let installation = configured(&texts, &calls);
    let (server, mut api, admin) = installation.serve_watched();
    let client = installation.json(&["client", "list", "--json"])[0]["client_id"].as_str().unwrap().to_owned();
    installation.json(&["client", "set", &client, "--webotp-host", "webotp.example.com", "--json"]);
    // Far apart: adjacent numbers share a limit.
    let phones: Vec<Phone> = (0..6)
        .map(|n| Phone::of(&mut api, &installation, &format!("user{n}"), &format!("+1415{}", 2_000_000 + n * 1_001)))
        .collect();

    let id = phones[0].challenge(&mut api);
    let text = text_of(&texts);
    let said = text["text"].as_str().unwrap();
    assert!(said.starts_with("Words of the caller: ") && said.contains("@webotp.example.com #"), "{text}");
    phones[0].verify(&mut api, &id, &said["Words of the caller: ".len()..][..6]);
    assert!(calls.is_silent());

    // Five failures in a row take the route down.
    texts.answer(503);
    let asked: Vec<_> = phones[1..].iter().map(|phone| (phone, phone.challenge(&mut api))).collect();
    let called: Vec<Called> = asked.iter().map(|_| next_call(&calls)).collect();
    for (phone, id) in &asked {
        let of_phone: Vec<&Called> = called.iter().filter(|call| call.to == phone.number).collect();
        let [call] = of_phone[..] else { panic!("{} calls to {}", of_phone.len(), phone.number) };
        assert!(!call.said.contains("Words of the caller") && !call.said.contains("webotp"), "{}", call.said);
        assert!(!call.said.contains("Gather"), "it asks for nothing: {}", call.said);
        phone.verify(&mut api, id, &call.code);
    }
    // While the route is down, nothing is answered with 429 and no text is tried.
    while !texts.is_silent() {}
    let id = phones[0].challenge(&mut api);
    let call = next_call(&calls);
    assert_eq!(call.to, phones[0].number);
    phones[0].verify(&mut api, &id, &call.code);
    assert!(texts.is_silent());

    // The trail, the metrics and the events say that it was a call.
    let event = format!("/api/1/events?event_type_id=90042&user_id={}", phones[0].user);
    let events = api.expect(200, "GET", &event, "");
    assert_eq!(events["data"].as_array().unwrap().len(), 1, "{events}");
    assert_eq!(events["data"][0]["otp_device_id"].to_string(), phones[0].device, "{events}");
    let fields = [("CallSid", "CA1"), ("CallStatus", "completed"), ("To", phones[0].number.as_str())];
    let receipt = of_twilio(&call.receipt, &fields);
    assert_eq!([200, 403].map(|_| send(&mut server.http(), "POST", &receipt).status), [200, 403], "once");
    let metrics = get(&admin, "/metrics");
    for line in [
        r#"countersign_messages_total{channel="voice",provider="twilio",country="US",outcome="sent"} 6"#,
        r#"countersign_messages_total{channel="sms",provider="texts",country="US",outcome="sent"} 1"#,
        r#"countersign_messages_total{channel="sms",provider="texts",country="US",outcome="unavailable"}"#,
        r#"countersign_receipts_total{channel="voice",provider="twilio",country="US",outcome="delivered"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    // The gateway works again, which an operator may say before it is found out.
    texts.answer(201);
    installation.json(&["delivery", "retry", "--json"]);
    let id = phones[0].challenge(&mut api);
    let said = text_of(&texts)["text"].as_str().unwrap().to_owned();
    phones[0].verify(&mut api, &id, &said["Words of the caller: ".len()..][..6]);
    assert!(calls.is_silent());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn it_needs_a_provider_of_each() {
    let (texts, calls) = (Gateway::start("{}"), Gateway::start("{}"));
    let config = std::fs::read_to_string(configured(&texts, &calls).path("countersign.toml")).unwrap();
    for (config, said) in [
        (
            config.replace("delivery.http = ['texts.toml']\n", ""),
            "delivery.sms_by_call: no provider carries text messages; configure one, or remove delivery.sms_by_call",
        ),
        (
            config.split("[delivery.twilio]").next().unwrap().to_owned(),
            "delivery.sms_by_call: no provider carries calls; configure one, as with delivery.twilio.voice_from",
        ),
    ] {
        let installation = configured(&texts, &calls);
        std::fs::write(installation.path("countersign.toml"), config).unwrap();
        for command in [&["config", "check"][..], &["doctor"]] {
            let args = installation.with(command);
            let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let text = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
            assert!(!output.status.success() && text.contains(said), "{command:?}: {text}");
        }
    }
}
