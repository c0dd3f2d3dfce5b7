//! A small HTTP client that distinguishes an answer from a broken connection: one keep-alive connection, plain HTTP/1.1. A
//! library's client retries and pools by itself, and here each attempt counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::Timestamp;
use engine::Clock as _;
use engine::clock::SystemClock;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the server takes for anything (SEC 61).
const TIMEOUT: Duration = Duration::from_secs(40);
/// How long a node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection that was idle for this time is reopened, in milliseconds: the server closes idle ones after a minute, and a
/// request at that moment would look like a fault.
const MAX_IDLE: i64 = 20_000;
/// Time after which a line that moved to another node tries its home node again, in milliseconds.
const RETURN_AFTER: i64 = 3_000;
/// The longest `Retry-After` that is waited for, in seconds. A longer one is an hourly quota.
pub(super) const MAX_WAIT: i64 = 60;
/// How often a call is repeated after a `Retry-After`.
const WAITS: usize = 100;
/// The longest body that is read.
const MAX_BODY: usize = 4 << 20;

/// A node of the installation.
#[derive(Debug)]
pub(super) struct Node {
    /// The URL as it was given.
    pub(super) url: String,
    host: String,
    port: u16,
    prefix: String,
    /// Number of its answers.
    pub(super) answers: AtomicU64,
    /// Number of its answers with `Retry-After`.
    pub(super) waits: AtomicU64,
}

impl Node {
    /// The node at this URL.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let url = url::Url::parse(text).with_context(|| format!("{text} is not a URL"))?;
        if url.scheme() != "http" {
            bail!("{text}: this version speaks plain http only; name the nodes behind the proxy that ends TLS");
        }
        let host = url.host_str().with_context(|| format!("{text} names no host"))?;
        Ok(Self {
            url: text.trim_end_matches('/').to_owned(),
            host: host.to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            prefix: url.path().trim_end_matches('/').to_owned(),
            answers: AtomicU64::new(0),
            waits: AtomicU64::new(0),
        })
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let host = self.host.trim_matches(['[', ']']);
        let stream = timeout(CONNECT, TcpStream::connect((host, self.port))).await??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// A request, ready to be sent to any node.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    /// Path and query.
    pub(super) path: String,
    /// JSON, or empty.
    pub(super) body: String,
    /// Bearer token, if the request has one.
    pub(super) token: Option<Arc<str>>,
}

impl Request {
    fn text(&self, node: &Node) -> String {
        let mut text = format!(
            "{} {}{} HTTP/1.1\r\nhost: {}:{}\r\ncontent-length: {}\r\n",
            self.method,
            node.prefix,
            self.path,
            node.host,
            node.port,
            self.body.len()
        );
        if !self.body.is_empty() {
            text.push_str("content-type: application/json\r\n");
        }
        if let Some(token) = &self.token {
            text.push_str("authorization: bearer ");
            text.push_str(token);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text
    }
}

/// The answer to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `Retry-After` in seconds.
    pub(super) retry_after: Option<i64>,
    body: Vec<u8>,
    closes: bool,
}

impl Answer {
    /// The body as JSON; `null` if it is not JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The beginning of the body, for an error message.
    pub(super) fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(200).filter(|c| !c.is_control()).collect()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// No node was reached: nothing was sent.
    Unreached,
    /// The request was sent, wholly or in part, and no whole answer came back: it may have been executed.
    Lost,
}

/// One keep-alive connection to its home node. Where faults are expected it moves to another node while that one is down.
#[derive(Debug)]
pub(super) struct Line {
    nodes: Arc<[Node]>,
    home: usize,
    at: usize,
    roams: bool,
    stream: Option<BufReader<TcpStream>>,
    used_at: Timestamp,
    home_tried_at: Timestamp,
}

impl Line {
    /// A line to the node at `home`.
    pub(super) fn new(nodes: Arc<[Node]>, home: usize, roams: bool) -> Self {
        let (home, never) = (home % nodes.len().max(1), Timestamp(0));
        Self { nodes, home, at: home, roams, stream: None, used_at: never, home_tried_at: never }
    }

    /// Connects, unless there is a connection.
    pub(super) async fn connect(&mut self) -> Result<(), Dropped> {
        let now = SystemClock.now();
        if now.since(self.used_at) >= MAX_IDLE {
            self.stream = None;
        }
        let returns = self.at != self.home && now.since(self.home_tried_at) >= RETURN_AFTER;
        if self.stream.is_some() && !returns {
            return Ok(());
        }
        let tries = if self.roams { self.nodes.len() } else { 1 };
        for step in 0..tries {
            if step == 0 {
                self.home_tried_at = now;
            } else if self.stream.is_some() {
                break;
            }
            let index = (self.home + step) % self.nodes.len();
            if let Ok(stream) = self.nodes[index].connect().await {
                self.stream = Some(BufReader::new(stream));
                self.at = index;
                self.used_at = now;
                return Ok(());
            }
        }
        if self.stream.is_some() { Ok(()) } else { Err(Dropped::Unreached) }
    }

    /// Sends a request once.
    pub(super) async fn send(&mut self, request: &Request) -> Result<Answer, Dropped> {
        self.connect().await?;
        let Some(mut stream) = self.stream.take() else { return Err(Dropped::Unreached) };
        let node = &self.nodes[self.at];
        match timeout(TIMEOUT, exchange(&mut stream, &request.text(node))).await {
            Ok(Ok(answer)) => {
                node.answers.fetch_add(1, Ordering::Relaxed);
                self.used_at = SystemClock.now();
                if !answer.closes {
                    self.stream = Some(stream);
                }
                Ok(answer)
            }
            Ok(Err(_)) | Err(_) => Err(Dropped::Lost),
        }
    }

    /// Sends a request, and repeats it as long as it was refused for too many calls: such an answer judges nothing.
    pub(super) async fn send_patiently(&mut self, request: &Request) -> Result<Answer, Dropped> {
        for _ in 0..WAITS {
            let answer = self.send(request).await?;
            let wait = answer.retry_after.unwrap_or(1);
            if answer.status != 429 || wait > MAX_WAIT {
                return Ok(answer);
            }
            self.nodes[self.at].waits.fetch_add(1, Ordering::Relaxed);
            SystemClock.sleep(wait.max(1) * domain::model::time::SECOND).await;
        }
        self.send(request).await
    }
}

async fn exchange(stream: &mut BufReader<TcpStream>, request: &str) -> std::io::Result<Answer> {
    stream.get_mut().write_all(request.as_bytes()).await?;
    let line = line(stream).await?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    let mut answer = Answer { status, retry_after: None, body: Vec::new(), closes: false };
    let (mut length, mut chunked) = (0, false);
    loop {
        let line = self::line(stream).await?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { return Err(std::io::ErrorKind::InvalidData.into()) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().map_err(|_| std::io::ErrorKind::InvalidData)?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "retry-after" => answer.retry_after = value.parse().ok(),
            "connection" => answer.closes = value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    if chunked {
        loop {
            let size = self::line(stream).await?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16);
            let size = size.map_err(|_| std::io::ErrorKind::InvalidData)?;
            read(stream, size, &mut answer.body).await?;
            self::line(stream).await?;
            if size == 0 {
                break;
            }
        }
    } else {
        read(stream, length, &mut answer.body).await?;
    }
    Ok(answer)
}

async fn read(stream: &mut BufReader<TcpStream>, length: usize, body: &mut Vec<u8>) -> std::io::Result<()> {
    let old = body.len();
    if old + length > MAX_BODY {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    body.resize(old + length, 0);
    stream.read_exact(&mut body[old..]).await?;
    Ok(())
}

/// A line without its end.
async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn get() -> Request {
        Request { method: "GET", path: "/a".to_owned(), body: String::new(), token: Some(Arc::from("t")) }
    }

    /// A node that sends `text` to the first connection and closes it.
    async fn node_saying(text: &'static str) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        Line::new(Arc::from([Node::parse(&url).unwrap()]), 0, false)
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_in_either_framing() {
        for text in [
            "HTTP/1.1 401 Unauthorized\r\nretry-after: 60\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
            "HTTP/1.1 401 Unauthorized\r\nRetry-After: 60\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
        ] {
            let answer = node_saying(text).await.send(&get()).await.unwrap();
            assert_eq!((answer.status, answer.retry_after), (401, Some(60)));
            assert_eq!(answer.json()["a"], 1, "{}", answer.excerpt());
        }
    }

    #[tokio::test]
    async fn a_torn_answer_is_lost_and_a_closed_port_is_not_reached() {
        for torn in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"] {
            assert_eq!(node_saying(torn).await.send(&get()).await.unwrap_err(), Dropped::Lost, "{torn}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let mut line = Line::new(Arc::from([Node::parse(&url).unwrap()]), 0, false);
        assert_eq!(line.send(&get()).await.unwrap_err(), Dropped::Unreached);
    }

    #[tokio::test]
    async fn a_line_moves_to_another_node_only_where_faults_are_expected() {
        let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = |address: std::net::SocketAddr| Node::parse(&format!("http://{address}")).unwrap();
        let nodes: Arc<[Node]> = Arc::from([url(away), url(there.local_addr().unwrap())]);
        assert!(Line::new(nodes.clone(), 0, true).connect().await.is_ok());
        assert_eq!(Line::new(nodes, 0, false).connect().await, Err(Dropped::Unreached));
    }

    #[test]
    fn a_node_is_a_plain_http_url() {
        assert_eq!(Node::parse("http://127.0.0.1:8080/").unwrap().url, "http://127.0.0.1:8080");
        for bad in ["127.0.0.1:8080", "https://mfa.example.com", "http://"] {
            assert!(Node::parse(bad).is_err(), "{bad}");
        }
    }
}
