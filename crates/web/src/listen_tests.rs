//! Tests over raw sockets: what a client can write and what comes back, byte for byte where it matters.

use super::*;
use crate::guard;
use crate::limits::Limits;
use crate::request_id::RequestIds;
use crate::threads::Threads;
use axum::Router;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A server for one test.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

async fn pause(time: Duration) {
    TokioTimer::new().sleep(time).await;
}

fn shaped(status: StatusCode, message: &str, path: &str) -> Response {
    (status, format!("{} {message} {path}", status.as_u16())).into_response()
}

fn router() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/peer", get(|Extension(peer): Extension<Peer>| async move { peer.0.ip().to_string() }))
        .route("/panic", get(|| async { panic!("boom") as &'static str }))
        .route(
            "/slow",
            get(|| async {
                pause(Duration::from_millis(300)).await;
                "slow"
            }),
        )
        .route("/large", get(|| async { "x".repeat(1 << 20) }))
        .route("/thread", get(|| async { std::thread::current().name().unwrap_or_default().to_owned() }))
        .route("/stuck", get(|| async { std::future::pending::<&'static str>().await }))
        .route("/none", get(|| async { StatusCode::NO_CONTENT }))
}

fn front(limits: Limits) -> Front {
    Front::new(Vec::new(), router(), limits, RequestIds::new("t-"), shaped)
}

async fn server(limits: Limits) -> Server {
    server_on(Turns::here(), limits).await
}

async fn server_on(turns: Turns, limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, front(limits), turns, async {
        let _ = stopped.await;
    }));
    Server { address, stop: Some(stop), task }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes `request`, reads until the server closes.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        read_to_close(&mut stream).await
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        timeout(Duration::from_secs(5), self.task).await.unwrap().unwrap().unwrap();
    }
}

async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.expect("the server closes").unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads one response whose body ends with `end`.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    timeout(Duration::from_secs(5), async {
        while !answer.ends_with(end) {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {answer:?}");
            answer.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
    })
    .await
    .expect("a whole response");
    answer
}

fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).map_or(0, |code| code.parse().unwrap())
}

#[tokio::test]
async fn a_connection_is_kept_and_every_response_carries_its_headers() {
    let server = server(Limits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n").await.unwrap();
        let answer = read_until(&mut stream, "hello").await;
        assert_eq!(status(&answer), 200);
        assert!(answer.contains("\r\nx-request-id: mine\r\n"), "{answer}");
        assert!(answer.contains("\r\ncache-control: no-cache, must-revalidate, no-store\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{answer}");
        assert!(!answer.to_lowercase().contains("\r\nserver:"), "{answer}");
    }
    stream.write_all(b"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert_eq!(status(&answer), 204);
    assert!(!answer.contains("content-type:"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = server(Limits::default()).await;
    let answer = server
        .exchange(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none\
             POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n\
             GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
    let bodies: Vec<_> =
        ["one", "two", "127.0.0.1"].iter().map(|body| answer.find(&format!("\r\n\r\n{body}"))).collect();
    assert!(bodies.iter().all(Option::is_some) && bodies.is_sorted(), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn the_second_of_two_pipelined_requests_may_be_the_bad_one() {
    let server = server(Limits::default()).await;
    let answer = server
        .exchange(
            "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n\
             POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
             GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        )
        .await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    assert!(answer.ends_with("400 Content-Length and Transfer-Encoding exclude each other /echo"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn what_could_mean_two_things_is_refused_and_the_connection_closed() {
    let server = server(Limits::default()).await;
    for (request, expected) in [
        ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "400"),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "400"),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "400"),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400"),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
        ("GET /hello HTTP/1.1\r\nHost: x\r\nbad\r\n\r\n", "400"),
        ("GET /hello HTTP/1.1\r\nHost : x\r\n\r\n", "400"),
        ("GET /hello HTTP/3\r\n\r\n", "400"),
        ("nonsense\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}\u{0}\n", "400"),
    ] {
        let answer = server.exchange(request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{request:?}: {answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{request:?}: {answer}");
        assert!(answer.contains("\r\nx-request-id: t-"), "{request:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{request:?}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_guard_refuses_before_any_handler() {
    let server = server(Limits::default()).await;
    for (request, expected) in [
        ("GET /hello HTTP/1.1\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: x\r\nHost: x\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: x y\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: x\r\nAuthorization: bearer a\r\nAuthorization: bearer b\r\n", 400),
        ("TRACE /hello HTTP/1.1\r\nHost: x\r\n", 405),
        ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n", 405),
        ("GET /hello HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: TRACE\r\n", 200),
        ("POST /hello HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: GET\r\nX-Method-Override: GET\r\n", 405),
    ] {
        let answer = server.exchange(format!("{request}Connection: close\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{request:?}: {answer}");
    }
    server.stop().await;
}

/// Whatever the HTTP library would not read, the screen refuses first: with our headers and in our words.
#[tokio::test]
async fn every_refusal_is_ours() {
    let server = server(Limits::default()).await;
    let controls = (0..0x20u8).chain([0x7f]).filter(|byte| *byte != b'\n');
    for byte in controls {
        let control = char::from(byte);
        for (field, is_value) in [
            (format!("X: {control}a"), true),
            (format!("X: a{control}"), true),
            (format!("X:{control}"), true),
            (format!("{control}X: a"), false),
            (format!("X{control}: a"), false),
            (format!("Transfer-Encoding: {control}chunked"), true),
            (format!("Content-Length: 0{control}"), true),
        ] {
            let request = format!("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{field}\r\n\r\n");
            let request = if field.contains("chunked") { format!("{request}0\r\n\r\n") } else { request };
            let answer = server.exchange(&request).await;
            let expected = if byte == b'\t' && is_value { 200 } else { 400 };
            assert_eq!(status(&answer), expected, "{field:?}: {answer}");
            for header in ["x-request-id: t-", "cache-control: "] {
                assert!(answer.contains(&format!("\r\n{header}")), "{field:?}: {answer}");
            }
            assert!(!answer.ends_with("\r\n\r\n"), "it says why: {field:?}: {answer}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn health_checks_in_http_1_0_are_answered() {
    let server = server(Limits::default()).await;
    for request in [
        "GET /hello HTTP/1.0\r\n\r\n",
        "GET /hello HTTP/1.0\r\nUser-Agent: check_http\r\nConnection: close\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    ] {
        let answer = server.exchange(request).await;
        assert!(answer.split(' ').nth(1) == Some("200"), "{request:?}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn heads_over_the_limits_are_refused() {
    let server = server(Limits::default()).await;
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8 * 1024));
    let endless_target = format!("GET /api/{}", "a".repeat(20 * 1024));
    let many_fields = format!("GET /hello HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(100));
    let long_head = format!("GET /hello HTTP/1.1\r\nHost: x\r\na: {}\r\n\r\n", "b".repeat(33 * 1024));
    let endless_head = format!("GET /hello HTTP/1.1\r\nHost: x\r\na: {}", "b".repeat(33 * 1024));
    for (request, expected) in
        [(long_target, 414), (endless_target, 414), (many_fields, 431), (long_head, 431), (endless_head, 431)]
    {
        let answer = server.exchange(&request).await;
        assert_eq!(status(&answer), expected, "{:?}: {answer}", &request[..40]);
        assert!(answer.contains("\r\nx-request-id: t-"), "{answer}");
    }
    let largest = format!(
        "GET /hello?{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n",
        "a".repeat(8 * 1024 - 7),
        format!("b: {}\r\n", "c".repeat(240)).repeat(97)
    );
    assert_eq!(status(&server.exchange(&largest).await), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_declared_body_over_the_limit_is_refused_before_it_is_sent() {
    let server = server(Limits::default()).await;
    let answer = server
        .exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_eq!(status(&answer), 413, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_can_be_read_although_the_body_is_still_coming() {
    let server = server(Limits::default()).await;
    let mut request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n".to_vec();
    request.resize(request.len() + 500_000, b'a');
    assert_eq!(status(&server.exchange(&request).await), 413);
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_grows_over_the_limit_is_refused() {
    let server = server(Limits::default()).await;
    let mut request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for _ in 0..17 {
        request.push_str("1000\r\n");
        request.push_str(&"a".repeat(0x1000));
        request.push_str("\r\n");
    }
    let answer = server.exchange(&request).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn broken_chunks_are_refused() {
    let server = server(Limits::default()).await;
    let answer = server.exchange("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
    assert_eq!(status(&answer), 400, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_slow_body_is_408() {
    let server = server(Limits { body_read: Duration::from_millis(50), ..Limits::default() }).await;
    let answer = server.exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!(status(&answer), 408, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_slow_head_and_a_silent_connection_are_closed() {
    let server = server(Limits { head_read: Duration::from_millis(100), ..Limits::default() }).await;
    assert_eq!(server.exchange("").await, "");
    let mut stream = server.connect().await;
    for byte in b"GET /hello HTTP/1.1\r\nHost: x" {
        pause(Duration::from_millis(10)).await;
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("the server closes");
    assert!(rest.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn rest_between_requests_is_longer_than_the_time_for_a_head_but_ends() {
    let limits = Limits { head_read: Duration::from_millis(100), idle: Duration::from_secs(2), ..Limits::default() };
    let server = server(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut stream, "hello").await;
    pause(Duration::from_millis(250)).await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut stream, "hello").await;
    // A second head, begun and left, has only the time of a head.
    stream.write_all(b"GET /").await.unwrap();
    timeout(Duration::from_millis(1_500), read_to_close(&mut stream)).await.expect("closed by the head's deadline");

    let mut stream = server.connect().await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut stream, "hello").await;
    assert_eq!(read_to_close(&mut stream).await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_handler_may_take_longer_than_head_and_rest() {
    let limits = Limits { head_read: Duration::from_millis(50), idle: Duration::from_millis(50), ..Limits::default() };
    let server = server(limits).await;
    let answer = server.exchange("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.ends_with("slow"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_panic_is_one_500_and_the_connection_lives_on() {
    let server = server(Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = read_until(&mut stream, "/panic").await;
    assert_eq!(status(&answer), 500);
    assert!(!answer.contains("boom"), "{answer}");
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&read_until(&mut stream, "hello").await), 200);
    server.stop().await;
}

/// Asks for far more than any buffer holds, and reads none of it.
async fn asks_and_never_reads(server: &Server) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100).as_bytes()).await.unwrap();
    stream
}

/// Waits until the server has no connection any more.
async fn is_alone(server: &Server, limits: Limits) {
    timeout(Duration::from_secs(20), async {
        // All open are one peer's, so a connection is served only once those before it are gone.
        for _ in 0..limits.per_peer {
            loop {
                let mut stream = server.connect().await;
                let asked = stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
                let mut answer = Vec::new();
                if asked.is_ok() && stream.read_to_end(&mut answer).await.is_ok() && answer.ends_with(b"hello") {
                    break;
                }
                pause(Duration::from_millis(20)).await;
            }
        }
    })
    .await
    .expect("open are free again");
}

#[tokio::test]
async fn pipelined_and_unread_is_ended() {
    let limits = Limits { idle: Duration::from_millis(200), per_peer: 3, ..Limits::default() };
    let server = server(limits).await;
    let unread = [asks_and_never_reads(&server).await, asks_and_never_reads(&server).await];
    let mut half = asks_and_never_reads(&server).await;
    half.write_all(b"GET /hello HTTP/1.1\r\nHost").await.unwrap();
    is_alone(&server, limits).await;
    drop((unread, half));
    server.stop().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_for_those_who_do_not_read() {
    let limits = Limits { linger: Duration::from_millis(100), ..Limits::default() };
    let server = server(limits).await;
    let unread = asks_and_never_reads(&server).await;
    pause(Duration::from_millis(100)).await;
    server.stop().await;
    drop(unread);
}

#[tokio::test]
async fn one_peer_cannot_take_every_seat() {
    let server = server(Limits { per_peer: 2, ..Limits::default() }).await;
    let hello = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut seated = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(hello).await.unwrap();
        read_until(&mut stream, "hello").await;
        seated.push(stream);
    }
    let mut third = server.connect().await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(5), third.read_to_end(&mut answer)).await.expect("closed at once");
    assert!(answer.is_empty());
    seated.clear();
    // The server notices in its own time.
    let seated_again = async {
        loop {
            let mut again = server.connect().await;
            let mut answer = Vec::new();
            let _ = again.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
            let _ = again.read_to_end(&mut answer).await;
            if answer.ends_with(b"hello") {
                return;
            }
        }
    };
    timeout(Duration::from_secs(5), seated_again).await.expect("a slot is free again");
    server.stop().await;
}

#[tokio::test]
async fn shutdown_lets_a_request_in_flight_finish_and_closes_the_rest() {
    let server = server(Limits::default()).await;
    let mut resting = server.connect().await;
    resting.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut resting, "hello").await;
    let mut working = server.connect().await;
    working.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    pause(Duration::from_millis(200)).await;
    let address = server.address;
    server.stop().await;
    assert!(read_to_close(&mut working).await.ends_with("slow"));
    assert_eq!(read_to_close(&mut resting).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let server = server(Limits { drain: Duration::from_millis(50), ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    pause(Duration::from_millis(50)).await;
    server.stop().await;
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("dropped");
    assert!(rest.is_empty());
}

#[tokio::test]
async fn connections_go_to_the_threads_in_turn() {
    let threads = Threads::start(2).unwrap();
    let server = server_on(threads.turns(), Limits::default()).await;
    let mut names = Vec::new();
    for _ in 0..4 {
        let answer = server.exchange("GET /thread HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        names.push(answer.rsplit("\r\n").next().unwrap().to_owned());
    }
    assert_eq!(names, ["serve-0", "serve-1", "serve-0", "serve-1"]);
    server.stop().await;
}

#[tokio::test]
async fn shutdown_drains_the_connections_of_all_threads() {
    let threads = Threads::start(2).unwrap();
    let limits = Limits { drain: Duration::from_secs(2), ..Limits::default() };
    let server = server_on(threads.turns(), limits).await;
    let mut busy = [server.connect().await, server.connect().await];
    let idle = [server.connect().await, server.connect().await];
    for stream in &mut busy {
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    }
    pause(Duration::from_millis(100)).await;
    server.stop().await;
    for mut stream in busy {
        assert_eq!(status(&read_to_close(&mut stream).await), 200);
    }
    for mut stream in idle {
        assert_eq!(read_to_close(&mut stream).await, "");
    }
}

/// A listener that is out of descriptors for its first calls.
struct Exhausted {
    listener: TcpListener,
    failures: AtomicUsize,
}

impl Source for Exhausted {
    async fn accept(&self) -> io::Result<(StdTcpStream, SocketAddr)> {
        const CODES: [i32; 4] = [24, 23, 103, 104]; // EMFILE, ENFILE, ECONNABORTED, ECONNRESET
        match CODES.get(self.failures.fetch_add(1, Ordering::Relaxed)) {
            Some(&code) => Err(io::Error::from_raw_os_error(code)),
            None => Source::accept(&self.listener).await,
        }
    }
}

#[tokio::test]
async fn running_out_of_descriptors_does_not_end_the_loop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let source = Exhausted { listener, failures: AtomicUsize::new(0) };
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve_from(source, front(Limits::default()), Turns::here(), None, async {
        let _ = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    assert_eq!(status(&read_to_close(&mut stream).await), 200);
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
}

#[test]
fn only_a_dead_listener_ends_the_loop() {
    let after = |code| after_failed_accept(&io::Error::from_raw_os_error(code));
    assert_eq!(after(24), AfterFailure::Pause);
    assert_eq!(after(23), AfterFailure::Pause);
    assert_eq!(after(12), AfterFailure::Pause);
    assert_eq!(after(103), AfterFailure::GoOn);
    assert_eq!(after(9), AfterFailure::End);
    assert_eq!(after(22), AfterFailure::End);
}

#[tokio::test]
async fn the_plain_shape_is_the_words_as_text() {
    let response = guard::plain(StatusCode::BAD_REQUEST, "no", "/");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
}
