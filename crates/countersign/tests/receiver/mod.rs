//! A receiver of webhooks, and what tests of them have in common.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a helper of tests")]
#![allow(unreachable_pub, missing_docs, reason = "a helper of tests")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Http, run_json};

/// Long enough for anything that comes at all.
pub const SOON: Duration = Duration::from_secs(20);

/// A call that arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn events(&self) -> Vec<Value> {
        serde_json::from_str::<Value>(&self.body).unwrap().as_array().unwrap().clone()
    }

    pub fn ids(&self) -> Vec<i64> {
        self.events().iter().map(|event| event["id"].as_i64().unwrap()).collect()
    }

    /// Whether one of its signatures is this secret's, as OpenSSL computes it.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = data_encoding::BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
        let signed = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-mac", "HMAC", "-binary", "-macopt"])
            .arg(format!("hexkey:{}", data_encoding::HEXLOWER.encode(&key)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
        let mac = openssl.wait_with_output().unwrap().stdout;
        assert_eq!(mac.len(), 32);
        let wanted = format!("v1,{}", data_encoding::BASE64.encode(&mac));
        self.header("webhook-signature").split(' ').any(|signature| signature == wanted)
    }
}

/// A receiver of webhooks.
pub struct Listener {
    pub url: String,
    pub status: Arc<AtomicU16>,
    pub calls: Receiver<Call>,
    pub all: Arc<Mutex<Vec<Call>>>,
}

impl Listener {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/events?from=countersign", listener.local_addr().unwrap());
        let (heard, calls) = channel();
        let (status, all) = (Arc::new(AtomicU16::new(200)), Arc::default());
        let shared = (status.clone(), Arc::clone(&all));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (heard, shared) = (heard.clone(), shared.clone());
                std::thread::spawn(move || take(stream.unwrap(), &heard, &shared));
            }
        });
        Self { url, status, calls, all }
    }

    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub fn next(&self) -> Call {
        self.calls.recv_timeout(SOON).expect("a call")
    }

    /// Calls until one brings an event of this type; gives that one.
    pub fn until(&self, kind: i64) -> Call {
        loop {
            let call = self.next();
            if call.events().iter().any(|event| event["event_type_id"] == kind) {
                return call;
            }
        }
    }

    pub fn heard(&self) -> Vec<Call> {
        self.all.lock().unwrap().clone()
    }
}

fn take(stream: TcpStream, heard: &Sender<Call>, (status, all): &(Arc<AtomicU16>, Arc<Mutex<Vec<Call>>>)) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ").unwrap();
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length").map_or(0, |text| text.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let call = Call { path, headers, body: String::from_utf8(body).unwrap() };
    let status = status.load(Ordering::SeqCst);
    all.lock().unwrap().push(call.clone());
    // Redirects are not followed (SEC 69).
    let answer = format!(
        "HTTP/1.1 {status} So\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    let _ = stream.get_mut().write_all(answer.as_bytes());
    let _ = heard.send(call);
}

pub fn create(listener: &Listener, data: &Path, more: &[&str]) -> (i64, String) {
    let mut args = vec!["webhook", "create", &listener.url, "--allow-private", "--json", "--data-dir"];
    args.push(data.to_str().unwrap());
    args.extend(more);
    let made = run_json(&args);
    (made["id"].as_i64().unwrap(), made["secret"].as_str().unwrap().to_owned())
}

/// Runs a command about a webhook that must succeed.
pub fn command(data: &Path, args: &[&str]) -> Value {
    let mut all = vec!["webhook"];
    all.extend(args);
    all.extend(["--json", "--data-dir", data.to_str().unwrap()]);
    run_json(&all)
}

/// Makes something happen: event type 90003 or what is asked for comes of it.
pub fn new_user(http: &mut Http, name: &str) -> Value {
    http.expect(201, "POST", "/api/2/users", &json!({ "username": name }).to_string())["id"].clone()
}

pub fn later(http: &mut Http, seconds: i64) {
    http.expect(200, "PUT", "/dev/clock", &json!({ "advance_seconds": seconds }).to_string());
}

pub const USER_CREATED: i64 = 13;
