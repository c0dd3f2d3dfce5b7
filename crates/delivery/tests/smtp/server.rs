//! A mail server of tests: it speaks SMTP on a real socket, keeps what it receives, and does what its script says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a server does instead of what it usually does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Answers this, and goes on as after any answer.
    Say(&'static str),
    /// Says nothing, for ever.
    Hang,
    /// Closes the connection.
    Close,
}

/// How a server behaves.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) tls: Option<TlsAcceptor>,
    /// TLS from the first byte, and not with STARTTLS.
    pub(crate) implicit: bool,
    /// What follows `AUTH` in the answer to EHLO. Without it, there is no log-in.
    pub(crate) mechanisms: Option<&'static str>,
    pub(crate) utf8: bool,
    /// For a command, `CONNECT`, `MIDDLE` (of a mail) or `END` (of a mail): what to do instead.
    pub(crate) instead: Vec<(&'static str, Act)>,
}

/// What a server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// Commands of all connections, as they came. `TLS` marks a handshake.
    pub(crate) commands: Vec<String>,
    /// How often it has begun to say nothing.
    pub(crate) hung: usize,
    /// Mails that it has taken, without doubled dots.
    pub(crate) mails: Vec<String>,
}

/// A running server. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    closing: tokio::sync::watch::Sender<u32>,
}

impl Server {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let closing = tokio::sync::watch::Sender::new(0);
        let (shared, watched) = (seen.clone(), closing.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                let (script, seen, mut closed) = (script.clone(), shared.clone(), watched.subscribe());
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = closed.changed() => {}
                        _ = converse(socket, &script, &seen) => {}
                    }
                });
            }
        });
        Self { address, seen, closing }
    }

    /// Closes all its connections, as a server does that was idle for long.
    pub(crate) fn close_all(&self) {
        self.closing.send_modify(|times| *times += 1);
    }

    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen(|seen| seen.connections)
    }

    pub(crate) fn mails(&self) -> Vec<String> {
        self.seen(|seen| seen.mails.clone())
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.seen(|seen| seen.commands.clone())
    }

    /// Waits until it has begun so often to say nothing.
    pub(crate) async fn has_hung(&self, times: usize) {
        while self.seen(|seen| seen.hung < times) {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until it has seen a command that begins so.
    pub(crate) async fn has_seen(&self, start: &str) {
        while !self.seen(|seen| seen.commands.iter().any(|command| command.starts_with(start))) {
            tokio::task::yield_now().await;
        }
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

type Stream = BufReader<Box<dyn Duplex>>;

/// Whether the conversation goes on.
type Goes = Option<()>;

async fn say(stream: &mut Stream, text: &str) -> Goes {
    stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

/// Does what the script says for this moment, or answers `usual`. `Some(true)` means that the answer was of the usual class.
async fn act(stream: &mut Stream, (script, seen): (&Script, &Mutex<Seen>), moment: &str, usual: &str) -> Option<bool> {
    let instead = script.instead.iter().find(|(at, _)| *at == moment).map(|(_, act)| *act);
    match instead {
        None if usual.is_empty() => Some(true),
        None => say(stream, usual).await.map(|()| true),
        Some(Act::Say(text)) => say(stream, text).await.map(|()| text.get(..1) == usual.get(..1)),
        Some(Act::Hang) => {
            seen.lock().unwrap().hung += 1;
            std::future::pending().await
        }
        Some(Act::Close) => None,
    }
}

async fn line(stream: &mut Stream) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    // A line that ends otherwise is a fault of the client's.
    Some(line.strip_suffix("\r\n")?.to_owned())
}

async fn secured(stream: Box<dyn Duplex>, tls: &TlsAcceptor, seen: &Mutex<Seen>) -> Option<Stream> {
    let stream = tls.accept(stream).await.ok()?;
    seen.lock().unwrap().commands.push("TLS".to_owned());
    Some(BufReader::new(Box::new(stream)))
}

async fn converse(socket: TcpStream, script: &Script, seen: &Mutex<Seen>) -> Goes {
    let mut stream: Stream = BufReader::new(Box::new(socket));
    let mut encrypted = false;
    if let Some(tls) = script.tls.as_ref().filter(|_| script.implicit) {
        stream = secured(stream.into_inner(), tls, seen).await?;
        encrypted = true;
    }
    act(&mut stream, (script, seen), "CONNECT", "220 fake ESMTP").await?;
    // What of a mail has been accepted: 1 its sender, 2 its recipient.
    let mut state = 0;
    loop {
        let command = line(&mut stream).await?;
        seen.lock().unwrap().commands.push(command.clone());
        let word = command.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let usual = match word.as_str() {
            "EHLO" => {
                let mut lines = vec!["250-fake greets you".to_owned(), "250-PIPELINING".to_owned()];
                if script.tls.is_some() && !encrypted {
                    lines.push("250-STARTTLS".to_owned());
                }
                if let Some(mechanisms) = script.mechanisms {
                    lines.push(format!("250-AUTH {mechanisms}"));
                }
                if script.utf8 {
                    lines.push("250-SMTPUTF8".to_owned());
                }
                lines.push("250 8BITMIME".to_owned());
                lines.join("\r\n")
            }
            "STARTTLS" => "220 go ahead".to_owned(),
            "AUTH" => log_in(&mut stream, &command).await?.to_owned(),
            "RSET" => "250 2.0.0 reset".to_owned(),
            "MAIL" => "250 2.1.0 sender ok".to_owned(),
            "RCPT" if state == 1 => "250 2.1.5 recipient ok".to_owned(),
            "DATA" if state == 2 => "354 go ahead".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "503 5.5.1 bad sequence of commands".to_owned(),
        };
        let is_usual = act(&mut stream, (script, seen), &word, &usual).await? && !usual.starts_with('5');
        match (word.as_str(), is_usual) {
            ("MAIL", true) => state = 1,
            ("RCPT", true) => state = 2,
            ("RSET", true) => state = 0,
            ("STARTTLS", true) => {
                let tls = script.tls.as_ref()?;
                stream = secured(stream.into_inner(), tls, seen).await?;
                encrypted = true;
            }
            ("DATA", true) => {
                let mut mail = String::new();
                loop {
                    let line = line(&mut stream).await?;
                    act(&mut stream, (script, seen), "MIDDLE", "").await?;
                    if line == "." {
                        break;
                    }
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push_str("\r\n");
                }
                if act(&mut stream, (script, seen), "END", "250 2.0.0 taken").await? {
                    seen.lock().unwrap().mails.push(mail);
                }
                state = 0;
            }
            ("QUIT", _) => return None,
            _ => {}
        }
    }
}

/// Knows `mfa` with the password `hunter2`.
async fn log_in(stream: &mut Stream, command: &str) -> Option<&'static str> {
    let good = match command.split(' ').nth(1)? {
        "PLAIN" => command == "AUTH PLAIN AG1mYQBodW50ZXIy",
        _ => {
            say(stream, "334 VXNlcm5hbWU6").await?;
            let name = line(stream).await?;
            say(stream, "334 UGFzc3dvcmQ6").await?;
            name == "bWZh" && line(stream).await? == "aHVudGVyMg=="
        }
    };
    Some(if good { "235 2.7.0 welcome" } else { "535 5.7.8 bad credentials" })
}

/// An authority of tests, and a certificate that it gave to a name.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Authority {
    pub(crate) fn of(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(leaf.der().to_vec())],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Self { pem: pem(authority.as_ref().der()), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", data_encoding::BASE64.encode(der))
}

/// Longest that a test waits for anything.
pub(crate) const LONG: Duration = Duration::from_secs(10);
