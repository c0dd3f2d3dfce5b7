//! Event streams of phones (contract 20.6): what waits at once, then every change, and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use domain::rules::factor::push::PushDecision;
use serde_json::json;

use crate::common::phone::{Events, Phone, listens, now};
use crate::phones::serving;

#[test]
fn a_stream_shows_what_waits_at_once_and_each_change() {
    let (installation, server, mut api) = serving("");
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let ben = Phone::paired(&mut api, installation.user("ben"), 2);
    let mut http = server.http();
    let mut events = Events::open(&server.address(), &[&ana]);
    assert_eq!(events.waiting(), Some(0), "at once");
    let mut both = Events::open(&server.address(), &[&ben, &ana]);
    assert_eq!((both.waiting(), both.waiting()), (Some(0), Some(0)));
    // What is forged is left out.
    let forged = Phone { key: crate::common::phone::key(9), ..ben.clone() };
    let mut one = Events::open(&server.address(), &[&forged, &ana]);
    assert_eq!(one.waiting(), Some(0));

    ana.prompt(&mut api);
    let (name, data) = events.next().unwrap();
    assert_eq!((name.as_str(), &data["device"]), ("requests", &json!(ana.device.to_string())));
    assert_eq!(data["user"], json!(ana.user.to_string()));
    assert!(data["now"].is_i64());
    assert_eq!(data["requests"].as_array(), Some(&ana.requests(&mut http)));
    assert_eq!((both.waiting(), one.waiting()), (Some(1), Some(1)));
    let [request] = ana.requests(&mut http).try_into().unwrap();
    assert_eq!(ana.answers(&mut http, &request, PushDecision::Accept, None), "accepted");
    assert_eq!((events.waiting(), both.waiting(), one.waiting()), (Some(0), Some(0), Some(0)));

    api.expect(204, "DELETE", &format!("/api/2/mfa/users/{}/devices/{}", ana.user, ana.device), "");
    for events in [&mut events, &mut both, &mut one] {
        let (name, data) = events.next().unwrap();
        let who = json!({ "user": ana.user.to_string(), "device": ana.device.to_string() });
        assert_eq!((name.as_str(), data), ("unpaired", who));
    }
    assert_eq!((events.next(), one.next()), (None, None), "no phone is left");
    ben.prompt(&mut api);
    assert_eq!(both.waiting(), Some(1), "the other phone still hears");
    // A user who is deleted has no phone either.
    api.send("DELETE", &format!("/api/2/users/{}", ben.user), "").unwrap();
    assert_eq!(both.next().map(|(name, _)| name).as_deref(), Some("unpaired"));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn streams_beyond_their_limit_are_refused_and_a_stream_that_ends_frees_its_place() {
    let (installation, server, mut api) = serving("limits.event_streams_per_peer = 1\n");
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let mut events = Events::open(&server.address(), &[&ana]);
    assert_eq!(events.waiting(), Some(0));
    let refused = server.http().send("POST", "/app/events", &listens(&[&ana])).unwrap();
    assert_eq!((refused.status, refused.json()), (503, json!({ "error": "streams" })));
    assert_eq!(refused.header("retry-after"), Some("5"));
    // Other requests are answered meanwhile: streams have a limit apart.
    assert_eq!(ana.asks(&mut server.http()).status, 200);
    drop(events);
    let freed = (0..100).any(|_| {
        crate::common::pause(50);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let body = listens(&[&ana]);
        let head = format!("POST /app/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        start.ends_with(b"200")
    });
    assert!(freed, "a stream whose phone has hung up holds its place");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_stream_ends_with_its_server_and_holds_up_no_end() {
    let (installation, server, mut api) = serving("");
    let ana = Phone::paired(&mut api, installation.user("ana"), 1);
    let mut events = Events::open(&server.address(), &[&ana]);
    assert_eq!(events.waiting(), Some(0));
    let begun = now();
    assert_eq!(server.stop(), Some(0));
    assert!(now() - begun < 3_000, "{} ms", now() - begun);
    assert_eq!(events.next(), None);
}
