//! The smallest HTTP/1.1 client that will do: one kept-alive connection, one request in flight, answers with a
//! Content-Length. A generator on the same two cores as the server must cost little, and this costs two system calls
//! and a search for an empty line.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Largest answer that a load program expects.
const MAX_ANSWER: usize = 64 * 1024;

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

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; MAX_ANSWER], filled: 0 })
    }

    /// Sends a request as it stands and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let mut head = None;
        loop {
            ensure!(self.filled < self.buffer.len(), "an answer of more than {MAX_ANSWER} bytes");
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

    /// A call whose answer is JSON, for preparing a run: anything but success is an error.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Value> {
        let answer = self.exchange(request).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{} answers {}: {}", first_line(request), answer.status, String::from_utf8_lossy(answer.body));
        }
        serde_json::from_slice(answer.body).with_context(|| format!("{} answers no JSON", first_line(request)))
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
    const NAME: &[u8] = b"content-length:";
    let lines = head.split(|byte| *byte == b'\n');
    let line = lines.into_iter().find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME));
    let value = line.and_then(|line| std::str::from_utf8(&line[NAME.len()..]).ok());
    value.and_then(|value| value.trim().parse().ok()).context("an answer without a Content-Length")
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
