//! Receipts of providers over a real socket: every row of the table of contract 18.3.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::common::{Answer, Http, Running, countersign};
use crate::gateways::{Gateway, form};
use crate::mail::Installation;

const TWILIO: &str = "/callbacks/twilio/status";
const VONAGE: &str = "/callbacks/vonage/status";
/// No server has it. Signatures are over this address whatever the host of a request is.
pub(crate) const PUBLIC: &str = "https://mfa.example.com";
/// No log and no metric may hold it.
const NUMBER: &str = "+14155550123";

pub(crate) fn now() -> i64 {
    engine::Clock::now(&engine::clock::SystemClock).0
}

fn two_gateways(port: u16) -> String {
    format!(
        "issuer = 'Example Inc'\nadmin_listen = '127.0.0.1:0'\nmessages.countries = ['US']\n\
         [delivery]\nsms = ['twilio', 'vonage']\n\
         [delivery.twilio]\naccount_sid = 'AC00000000000000000000000000000000'\nauth_token = 'canary-token'\n\
         from = '+14155550100'\nbase_url = 'http://127.0.0.1:{port}'\n\
         [delivery.vonage]\napi_key = 'key'\napi_secret = 'canary-secret'\nfrom = 'Example'\n\
         signature_secret = 'canary-signature'\nbase_url = 'http://127.0.0.1:{port}'\n"
    )
}

fn public(config: &str) -> String {
    format!("public_url = '{PUBLIC}'\n{config}")
}

/// A receipt: its path with the query, the header that signs it, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) target: String,
    pub(crate) signed: (&'static str, String),
    pub(crate) body: String,
}

/// A receipt of Twilio for this URL, or whatever else it sends.
pub(crate) fn of_twilio(url: &str, fields: &[(&str, &str)]) -> Receipt {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let mut hmac = <Hmac<Sha1>>::new_from_slice(b"canary-token").unwrap();
    hmac.update(url.as_bytes());
    for (name, value) in sorted {
        hmac.update(format!("{name}{value}").as_bytes());
    }
    let signature = BASE64.encode(&hmac.finalize().into_bytes());
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Receipt { target: url.replace(PUBLIC, ""), signed: ("x-twilio-signature", signature), body }
}

/// What Twilio says of a message that was queued so long ago, in milliseconds.
fn delivered(sid: &str, age: i64) -> Receipt {
    let url = format!("{PUBLIC}{TWILIO}?message=4711-{}", now() - age);
    of_twilio(&url, &[("MessageSid", sid), ("MessageStatus", "delivered"), ("To", NUMBER)])
}

/// A receipt of Vonage that was signed so long ago, in seconds.
pub(crate) fn of_vonage(id: &str, age: i64, body: &Value) -> Receipt {
    let body = body.to_string();
    let part = |json: Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let claims = json!({
        "iat": now() / 1_000 - age, "jti": id, "iss": "Vonage", "payload_hash": HEXLOWER.encode(&Sha256::digest(&body)),
        "api_key": "key",
    });
    let signed = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let mut hmac = <Hmac<Sha256>>::new_from_slice(b"canary-signature").unwrap();
    hmac.update(signed.as_bytes());
    let token = format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(&hmac.finalize().into_bytes()));
    Receipt { target: VONAGE.to_owned(), signed: ("authorization", token), body }
}

fn vonage_says(status: &str) -> Value {
    json!({
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", "to": NUMBER.trim_start_matches('+'), "from": "Example",
        "timestamp": "2026-08-30T12:36:00Z", "status": status, "client_ref": format!("4711-{}", now()), "channel": "sms",
    })
}

/// Sends a receipt, with headers that could mislead about the address.
pub(crate) fn send(http: &mut Http, method: &str, receipt: &Receipt) -> Answer {
    let (name, value) = &receipt.signed;
    let elsewhere = "elsewhere.example".to_owned();
    http.headers = vec![((*name).to_owned(), value.clone()), ("x-forwarded-host".to_owned(), elsewhere)];
    let answer = http.send(method, &receipt.target, &receipt.body).unwrap();
    http.headers.clear();
    assert_eq!(answer.body, "", "{receipt:?}");
    answer
}

fn metrics(server: &Running) -> String {
    let admin = server.ready["admin_url"].as_str().unwrap().trim_start_matches("http://");
    crate::common::get(admin, "/metrics")
}

/// A request as it is; the status, whether the connection ends, and the body.
fn raw(address: &str, request: &str) -> (u16, bool, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.contains("connection: close"), String::from_utf8(body).unwrap())
}

#[test]
fn what_became_of_a_message_is_counted_once_and_its_number_shows_nowhere() {
    let gateway = Gateway::start(r#"{"sid":"SM1"}"#);
    let installation = Installation::new(&public(&two_gateways(gateway.port)));
    let log = installation.path("log");
    let args = installation.with(&["serve"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let server = Running::start_logging(&args, std::fs::File::create(&log).unwrap());
    let test = installation.with(&["delivery", "test", "sms", NUMBER]);
    assert!(countersign().args(test).output().unwrap().status.success());
    let (_, body) = gateway.next();
    let callback = form(&body)["StatusCallback"].clone();
    assert!(callback.starts_with("https://mfa.example.com/callbacks/twilio/status?message="), "{callback}");

    let mut http = server.http();
    let fields = |status| [("MessageSid", "SM1"), ("MessageStatus", status), ("To", NUMBER)];
    let receipt = of_twilio(&callback, &fields("delivered"));
    assert_eq!(send(&mut http, "POST", &of_twilio(&callback, &fields("sent"))).status, 200);
    assert_eq!(send(&mut http, "POST", &receipt).status, 200);
    assert_eq!(send(&mut http, "POST", &receipt).status, 403, "once");
    assert_eq!(send(&mut http, "POST", &of_vonage("1", 0, &vonage_says("undeliverable"))).status, 200);
    // Of a message of long ago, and of one that is not ours.
    assert_eq!(send(&mut http, "POST", &delivered("SM2", 3_600_001)).status, 200);
    assert_eq!(send(&mut http, "POST", &of_twilio(&format!("{PUBLIC}{TWILIO}"), &fields("failed"))).status, 200);

    let status = installation.json(&["delivery", "status", "--json"]);
    let shown: Vec<_> = status[0]["routes"].as_array().unwrap().iter().collect();
    let counts = |n: usize| ["provider", "state", "sent", "delivered", "undelivered"].map(|key| shown[n][key].clone());
    assert_eq!(json!(counts(0)), json!(["twilio", "up", 0, 1, 0]));
    assert_eq!(json!(counts(1)), json!(["vonage", "up", 0, 0, 1]));
    let text = metrics(&server);
    for line in [
        r#"countersign_receipts_total{channel="sms",provider="twilio",country="US",outcome="delivered"} 1"#,
        r#"countersign_receipts_total{channel="sms",provider="twilio",country="",outcome="not_taken"} 1"#,
        r#"countersign_receipts_total{channel="sms",provider="vonage",country="US",outcome="undelivered"} 1"#,
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    for (name, text) in [("metrics", &text), ("log", &log)] {
        for canary in [NUMBER.trim_start_matches('+'), "canary-", &receipt.signed.1] {
            assert!(!text.contains(canary), "the {name} holds {canary}");
        }
    }
}

#[test]
fn every_answer_to_a_callback_is_the_one_of_the_table() {
    let installation = Installation::new(&public(&two_gateways(1)));
    let (server, _) = installation.serve();
    let mut http = server.http();
    let unknown = http.send("POST", "/callback", "").unwrap();

    // 404: whatever is no callback of a configured provider.
    for path in [
        "/callbacks",
        "/callbacks/",
        "/callbacks/sns/status",
        "/callbacks/twilio",
        "/callbacks/twilio/other",
        "/callbacks/twilio/status/x",
    ] {
        let answer = http.send("POST", path, &delivered("SM1", 0).body).unwrap();
        assert_eq!((answer.status, &answer.body), (404, &unknown.body), "{path}");
    }

    // 405: another method, signed or not.
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = send(&mut http, method, &Receipt { body: String::new(), ..delivered("SM1", 0) });
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }

    // 413: above 8 KiB, declared or not, and nothing more is read.
    let padded = |length: usize| {
        let url = format!("{PUBLIC}{TWILIO}?message=4711-{}", now());
        let fields = |pad: usize| {
            let pad = "x".repeat(pad);
            of_twilio(&url, &[("MessageSid", "SM3"), ("MessageStatus", "delivered"), ("To", NUMBER), ("Pad", &pad)])
        };
        fields(length - fields(0).body.len())
    };
    assert_eq!(send(&mut http, "POST", &padded(8 * 1024)).status, 200);
    let large = padded(8 * 1024 + 1);
    assert_eq!(send(&mut server.http(), "POST", &large).status, 413);
    let address = server.address();
    let head = format!("POST {} HTTP/1.1\r\nhost: x\r\nx-twilio-signature: {}\r\n", large.target, large.signed.1);
    for length in [8 * 1024 + 1, 64 * 1024 + 1] {
        assert_eq!(raw(&address, &format!("{head}content-length: {length}\r\n\r\n")), (413, true, String::new()));
    }
    // The last chunk does not come.
    let chunk = format!("2001\r\n{}\r\n", large.body);
    assert_eq!(raw(&address, &format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}")), (413, true, String::new()));
    let small = delivered("SM4", 0);
    let head = format!("POST {} HTTP/1.1\r\nhost: x\r\nx-twilio-signature: {}\r\n", small.target, small.signed.1);
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", small.body.len(), small.body);
    assert_eq!(raw(&address, &format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}")).0, 200);

    // 403: not signed, signed by another, for another address, altered, too old, too early, or taken before.
    let fresh = || delivered("SM5", 0);
    let other_key = {
        let mut other = fresh();
        other.signed.1 = BASE64.encode(&[7; 20]);
        other
    };
    let alias = of_twilio(
        &format!("http://{address}{TWILIO}?message=4711-{}", now()),
        &[("MessageStatus", "delivered"), ("To", NUMBER)],
    );
    let alias = Receipt { target: alias.target.replace(&format!("http://{address}"), ""), ..alias };
    let status = |said: &str| vonage_says(said);
    for (what, refused) in [
        ("another header", Receipt { signed: ("x-other", fresh().signed.1), ..fresh() }),
        ("no Base64", Receipt { signed: ("x-twilio-signature", "%".to_owned()), ..fresh() }),
        ("another key", other_key),
        ("for the host of the request", alias),
        ("altered body", Receipt { body: fresh().body.replace("delivered", "failed"), ..fresh() }),
        ("altered query", Receipt { target: fresh().target + "1", ..fresh() }),
        ("at another provider", Receipt { target: VONAGE.to_owned(), ..fresh() }),
        ("not signed and no receipt", Receipt { signed: ("x-other", String::new()), body: "{".to_owned(), ..fresh() }),
        ("too old", of_vonage("2", 301, &status("delivered"))),
        ("too early", of_vonage("3", -70, &status("delivered"))),
        ("altered", Receipt { body: "{}".to_owned(), ..of_vonage("4", 0, &status("delivered")) }),
        ("taken before", small),
    ] {
        assert_eq!(send(&mut http, "POST", &refused).status, 403, "{what}");
    }
    let taken = of_vonage("5", 240, &status("delivered"));
    assert_eq!([200, 403].map(|_| send(&mut http, "POST", &taken).status), [200, 403]);

    // 400: signed, and not understood.
    let url = format!("{PUBLIC}{TWILIO}?message=4711-{}", now());
    for not_understood in [
        of_twilio(&url, &[("CallSid", "CA1"), ("To", NUMBER)]),
        of_twilio(&url, &[("MessageStatus", "delivered")]),
        of_twilio(&url, &[]),
        of_vonage("6", 0, &json!([])),
        of_vonage("7", 0, &json!({ "status": 7, "to": "1" })),
    ] {
        assert_eq!(send(&mut http, "POST", &not_understood).status, 400, "{not_understood:?}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn callbacks_are_unknown_paths_where_nothing_signs_or_there_is_no_address() {
    let without_secret = two_gateways(1).replace("signature_secret = 'canary-signature'\n", "");
    for (config, paths) in [(two_gateways(1), [TWILIO, VONAGE].as_slice()), (public(&without_secret), &[VONAGE])] {
        let installation = Installation::new(&config);
        let (server, _) = installation.serve();
        let mut http = server.http();
        let unknown = http.send("POST", "/callback", "").unwrap();
        for path in paths {
            let answer = http.send("POST", path, &"x".repeat(9_000)).unwrap();
            assert_eq!((answer.status, answer.body), (404, unknown.body.clone()), "{path}");
        }
        let status = installation.json(&["delivery", "status", "--json"]);
        assert_eq!(status[0]["routes"][1]["delivered"], Value::Null, "{status}");
    }
    let folder = tempfile::tempdir().unwrap();
    let dev = Running::dev(folder.path());
    assert_eq!(dev.http().send("POST", TWILIO, "").unwrap().status, 404);
}

#[test]
fn of_sixteen_copies_of_a_receipt_that_arrive_at_once_one_is_counted() {
    let installation = Installation::new(&public(&two_gateways(1)));
    let (server, _) = installation.serve();
    let (receipts, together) = ([delivered("SM1", 0), of_vonage("1", 0, &vonage_says("delivered"))], Barrier::new(16));
    for (n, receipt) in receipts.iter().enumerate() {
        let racer = || {
            let mut http = server.http();
            together.wait();
            send(&mut http, "POST", receipt).status
        };
        let mut answers: Vec<u16> = thread::scope(|scope| {
            let racers: Vec<_> = (0..16).map(|_| scope.spawn(racer)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        answers.sort_unstable();
        assert_eq!(answers, [vec![200], vec![403; 15]].concat());
        let status = installation.json(&["delivery", "status", "--json"]);
        assert_eq!(status[0]["routes"][n]["delivered"], 1);
    }
}

#[test]
fn strangers_are_told_to_wait_after_a_hundred_and_shut_no_provider_out() {
    const SENT: usize = 400;
    let installation = Installation::new(&public(&two_gateways(1)));
    let (server, _) = installation.serve();
    let unsigned = format!("POST {TWILIO} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // All are on their way before the first is answered, since places come back while they are answered.
    let mut writer = stream.try_clone().unwrap();
    let writing = thread::spawn(move || writer.write_all(unsigned.repeat(SENT).as_bytes()).unwrap());
    let mut answers = Vec::new();
    let mut reader = BufReader::new(&mut stream);
    while answers.len() < SENT {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(head.contains("retry-after: 1\r\n"), status == 429, "{head}");
        assert!(head.contains("content-length: 0\r\n"), "{head}");
        answers.push(status);
    }
    writing.join().unwrap();
    assert!(answers[..100].iter().all(|status| *status == 403), "{answers:?}");
    assert!(answers[100..].contains(&429) && answers.iter().all(|status| [403, 429].contains(status)), "{answers:?}");
    // Strangers do not shut a provider out.
    let receipt = of_vonage("1", 0, &vonage_says("delivered"));
    assert_eq!(send(&mut server.http(), "POST", &receipt).status, 200);
}
