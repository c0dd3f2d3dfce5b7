//! A minimal HTTP/1.1 client: one kept-alive connection, one request in flight, answers with a Content-Length. A load
//! program on the server's cores must be cheap; this one costs two system calls and a search for an empty line.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Largest answer that a load program expects.
const MAX_ANSWER: usize = 64 * 1024;
/// First size of the buffer. It is small, because thousands of connections may be idle.
const ROOM: usize = 4 * 1024;

/// A kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// An answer in the connection's buffer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// Status and body, for messages.
    pub(crate) fn shown(&self) -> String {
        format!("{}: {}", self.status, String::from_utf8_lossy(self.body))
    }

    /// Whether the body contains this text.
    pub(crate) fn holds(&self, words: &str) -> bool {
        words.is_empty() || self.body.windows(words.len()).any(|window| window == words.as_bytes())
    }

    /// Whether the head has a field with this name.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        field(self.head, name).is_some()
    }

    /// The body, which is JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(self.body).context("an answer that is no JSON")
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0 })
    }

    /// Connects from this address of loopback, as one of many peers.
    pub(crate) async fn open_from(local: Ipv4Addr, address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((local, 0).into())?;
        let stream = socket.connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0 })
    }

    /// Sends the bytes of a request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let mut head = None;
        loop {
            if self.filled == self.buffer.len() {
                ensure!(self.filled < MAX_ANSWER, "an answer of more than {MAX_ANSWER} bytes");
                self.buffer.resize(2 * self.filled, 0);
            }
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            ensure!(read > 0, "the server closed the connection instead of answering");
            let searched = self.filled.saturating_sub(3);
            self.filled += read;
            if head.is_none() {
                let found = self.buffer[searched..self.filled].windows(4).position(|window| window == b"\r\n\r\n");
                head = found.map(|at| searched + at + 4);
            }
            if let Some(head) = head {
                let end = head + content_length(&self.buffer[..head])?;
                ensure!(self.filled <= end, "more bytes than one answer has");
                if self.filled == end {
                    let status = status(&self.buffer)?;
                    return Ok(Answer { status, head: &self.buffer[..head], body: &self.buffer[head..end] });
                }
            }
        }
    }

    /// A call whose answer is JSON, to prepare a run. Fails unless it succeeds.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Value> {
        let answer = self.exchange(request).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{} answers {}", first_line(request), answer.shown());
        }
        answer.json().with_context(|| first_line(request))
    }
}

/// The bytes of a request with a JSON body.
pub(crate) fn request(method: &str, path: &str, authorization: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    (head + body).into_bytes()
}

fn first_line(request: &[u8]) -> String {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

fn status(answer: &[u8]) -> Result<u16> {
    let digits = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    text.and_then(|text| text.parse().ok()).context("an answer without a status")
}

fn content_length(head: &[u8]) -> Result<usize> {
    let value = field(head, "content-length");
    value.and_then(|value| value.parse().ok()).context("an answer without a Content-Length")
}

/// The value of a field of the head.
fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let (start, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        if start.eq_ignore_ascii_case(name.as_bytes()) { std::str::from_utf8(value).ok().map(str::trim) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let head = b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(status(head).unwrap(), 401);
        assert_eq!(content_length(head).unwrap(), 12);
        assert!(content_length(b"HTTP/1.1 204 No Content\r\n\r\n").is_err());
        assert!(status(b"HTTP/1.0 200 OK").is_err());
    }
}
