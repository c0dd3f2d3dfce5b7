//! A running binary and a small HTTP client for it, for tests that need a server process.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a helper of tests")]
#![allow(unreachable_pub, missing_docs, reason = "a helper of tests")]

pub mod browser;
pub mod installation;
pub mod phone;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

pub fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end.
pub fn run(args: &[&str]) -> Output {
    countersign().args(args).output().unwrap()
}

/// Runs a command that must succeed and answer in JSON.
pub fn run_json(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stdout)))
}

/// A server process and what its ready file says.
pub struct Running {
    pub child: Child,
    pub ready: Value,
}

impl Running {
    /// Starts `countersign ARGS` and waits until it answers.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, countersign(), Stdio::piped())
    }

    /// The same from a command that is prepared.
    pub fn start_as(args: &[&str], command: Command) -> Self {
        Self::start_with(args, command, Stdio::piped())
    }

    /// The same, with everything it can log going into a file.
    pub fn start_logging(args: &[&str], log: std::fs::File) -> Self {
        let mut command = countersign();
        // A part with a span lets through all that happens in it.
        command.env("COUNTERSIGN_LOG", "trace,[request]=trace");
        Self::start_with(args, command, log.into())
    }

    fn start_with(args: &[&str], command: Command, log: Stdio) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_at(args, command, log, &folder.path().join("ready.json"))
    }

    /// The same from a command that is prepared, with its log going somewhere.
    pub fn start_into(args: &[&str], command: Command, log: Stdio) -> Self {
        Self::start_with(args, command, log)
    }

    /// The same with a ready file of the caller's.
    pub fn start_as_at(args: &[&str], command: Command, file: &Path) -> Self {
        Self::start_at(args, command, Stdio::piped(), file)
    }

    fn start_at(args: &[&str], mut command: Command, log: Stdio, file: &Path) -> Self {
        let _ = std::fs::remove_file(file);
        command.args(args).arg("--ready-file").arg(file);
        if !args.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        for _ in 0..600 {
            if let Ok(text) = std::fs::read_to_string(file) {
                // The log of a server that runs well is not read.
                if let Some(mut stderr) = child.stderr.take() {
                    std::thread::spawn(move || {
                        let mut rest = Vec::new();
                        let _ = stderr.read_to_end(&mut rest);
                    });
                }
                return Self { child, ready: serde_json::from_str(&text).unwrap() };
            }
            if child.try_wait().unwrap().is_some() {
                let mut log = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    stderr.read_to_string(&mut log).unwrap();
                }
                panic!("the server ended: {log}");
            }
            pause(50);
        }
        child.kill().unwrap();
        panic!("the server was not ready in time");
    }

    pub fn dev(folder: &Path) -> Self {
        Self::start(&["dev", "--data-dir", folder.to_str().unwrap()])
    }

    pub fn base_url(&self) -> &str {
        self.ready["base_url"].as_str().unwrap()
    }

    pub fn address(&self) -> String {
        self.base_url().strip_prefix("http://").unwrap().to_owned()
    }

    pub fn http(&self) -> Http {
        Http { address: self.address(), stream: None, token: None, headers: Vec::new() }
    }

    /// A client that shows a token of the dev world's `Manage All` client.
    pub fn api(&self) -> Http {
        let mut http = self.http();
        let client = &self.ready["clients"][0];
        let body = serde_json::json!({
            "grant_type": "client_credentials",
            "client_id": client["client_id"],
            "client_secret": client["client_secret"],
        });
        let answer = http.send("POST", "/auth/oauth2/v2/token", &body.to_string()).unwrap();
        http.token = Some(answer.json()["access_token"].as_str().unwrap().to_owned());
        http
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Ends the process as an operator would; gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is at a path of a listener, as text.
pub fn get(address: &str, path: &str) -> String {
    let mut http = Http { address: address.to_owned(), stream: None, token: None, headers: Vec::new() };
    http.send("GET", path, "").unwrap().body
}

/// Waits in real time.
pub fn pause(milliseconds: u64) {
    #[expect(clippy::disallowed_methods, reason = "a test of processes waits for one")]
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One keep-alive connection.
pub struct Http {
    pub address: String,
    stream: Option<BufReader<TcpStream>>,
    pub token: Option<String>,
    /// Headers of every request besides.
    pub headers: Vec<(String, String)>,
}

impl Http {
    /// Sends a request; an error means that no whole answer arrived.
    pub fn send(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
        let answer = self.try_send(method, path, body);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn try_send(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(40)))?;
                self.stream.insert(BufReader::new(stream))
            }
        };
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", self.address, body.len());
        if !body.is_empty() {
            head.push_str("content-type: application/json\r\n");
        }
        if let Some(token) = &self.token {
            head = format!("{head}authorization: Bearer {token}\r\n");
        }
        for (name, value) in &self.headers {
            head = format!("{head}{name}: {value}\r\n");
        }
        stream.get_mut().write_all(format!("{head}\r\n{body}").as_bytes())?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status =
            line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        let length =
            headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes)?;
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// Gets an access token for a client as `client create --json` shows one, and uses it from now on.
    pub fn authorize(&mut self, client: &Value) {
        let body = serde_json::json!({
            "grant_type": "client_credentials",
            "client_id": client["client_id"],
            "client_secret": client["client_secret"],
        });
        let token = self.expect(200, "POST", "/auth/oauth2/v2/token", &body.to_string());
        self.token = Some(token["access_token"].as_str().unwrap().to_owned());
    }

    /// Sends a request that must be answered with this status.
    pub fn expect(&mut self, status: u16, method: &str, path: &str, body: &str) -> Value {
        let answer = self.send(method, path, body).unwrap();
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
        answer.json()
    }
}
