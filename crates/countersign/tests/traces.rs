//! Traces, in builds with the feature `otel`: what a collector is sent, and what it is not.
#![cfg(feature = "otel")]
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use common::{Running, countersign};
use serde_json::json;

/// A collector on a free port: gives the path and body of each request.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (heard, collected) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            let mut length = 0;
            stream.read_line(&mut line).unwrap();
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            loop {
                line.clear();
                if stream.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
                    break;
                }
                if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
            if heard.send((path, body)).is_err() {
                return;
            }
        }
    });
    (url, collected)
}

fn holds(heap: &[u8], needle: &[u8]) -> bool {
    heap.windows(needle.len()).any(|window| window == needle)
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn trace_id() -> Vec<u8> {
    (0..16).map(|at| u8::from_str_radix(&TRACE[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A server that sends its traces to a collector, past proxies that the environment names.
fn traced(args: &[&str], collector: &str) -> Running {
    let mut command = countersign();
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector).env("OTEL_BSP_SCHEDULE_DELAY", "200");
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    Running::start_as(args, command)
}

#[test]
fn a_collector_is_sent_routes_and_answers_within_the_callers_trace() {
    let (url, collected) = collector();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("countersign.toml");
    std::fs::write(&config, "trusted_proxies = ['127.0.0.1']\n").unwrap();
    let server = traced(&["dev", "--config", config.to_str().unwrap()], &url);
    let mut http = server.api();
    http.headers.push(("traceparent".to_owned(), format!("00-{TRACE}-00f067aa0ba902b7-01")));
    http.headers.push(("tracestate".to_owned(), "canary=canary".to_owned()));
    http.expect(200, "GET", "/api/2/users?email=canary.mail@example.com", "");
    let person = json!({ "username": "canary-username", "phone": "+14155559731" }).to_string();
    let user = http.expect(201, "POST", "/api/2/users", &person)["id"].clone();
    http.expect(200, "GET", &format!("/api/2/mfa/users/{user}/devices"), "");
    // Stopped, it sends what it has.
    assert_eq!(server.stop(), Some(0));
    let requests: Vec<_> = collected.try_iter().collect();
    assert!(!requests.is_empty(), "spans were sent");
    assert!(
        requests.iter().all(|(path, _)| path == "/v1/traces"),
        "{:?}",
        requests.iter().map(|r| &r.0).collect::<Vec<_>>()
    );
    let sent: Vec<u8> = requests.into_iter().flat_map(|(_, body)| body).collect();
    for wanted in [&b"countersign"[..], b"POST /api/2/users", b"GET /api/2/mfa/users/{user_id}/devices", b"decide"] {
        assert!(holds(&sent, wanted), "{}", String::from_utf8_lossy(wanted));
    }
    assert!(holds(&sent, &trace_id()), "the caller's trace goes on");
    for canary in [&b"canary"[..], b"9731", b"client_secret"] {
        assert!(!holds(&sent, canary), "{}", String::from_utf8_lossy(canary));
    }
}

#[test]
fn who_is_no_trusted_proxy_neither_names_a_trace_nor_stays_out_of_them() {
    let (url, collected) = collector();
    let server = traced(&["dev"], &url);
    let mut http = server.api();
    // Not to be sampled, says the caller.
    http.headers.push(("traceparent".to_owned(), format!("00-{TRACE}-00f067aa0ba902b7-00")));
    http.headers.push(("tracestate".to_owned(), "canary=canary".to_owned()));
    http.expect(200, "GET", "/api/2/users", "");
    assert_eq!(server.stop(), Some(0));
    let sent: Vec<u8> = collected.try_iter().flat_map(|(_, body)| body).collect();
    assert!(holds(&sent, b"GET /api/2/users"));
    assert!(!holds(&sent, &trace_id()) && !holds(&sent, b"canary"));
}

#[test]
fn without_a_collector_nothing_is_sent_and_a_lost_one_hinders_nobody() {
    let mut command = countersign();
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let server = Running::start_as(&["dev"], command);
    let mut http = server.api();
    for _ in 0..20 {
        http.expect(200, "GET", "/api/2/users", "");
    }
    assert_eq!(server.stop(), Some(0));
}
