//! A server on a real socket that gives every request the same answer, and keeps what it heard.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Whole {
        status: u16,
        headers: Vec<&'static str>,
        body: String,
    },
    /// These bytes, and the end.
    Raw(&'static [u8]),
    /// Says more than it sends, and ends.
    Half,
    /// Reads the request, and ends.
    Nothing,
    /// Reads the request, and is silent.
    Never,
}

impl Answer {
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self::Whole { status, headers: Vec::new(), body: body.to_owned() }
    }

    pub(crate) fn with(mut self, header: &'static str) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push(header);
        }
        self
    }

    /// What is sent, and whether the connection lives on.
    fn bytes(&self) -> (Vec<u8>, bool) {
        match self {
            Self::Whole { status, headers, body } => {
                let headers = headers.iter().flat_map(|header| [*header, "\r\n"]).collect::<String>();
                let length = body.len();
                (format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\n\r\n{body}").into(), true)
            }
            Self::Raw(bytes) => (bytes.to_vec(), false),
            Self::Half => (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":".to_vec(), false),
            Self::Nothing | Self::Never => (Vec::new(), false),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Seen {
    heard: Mutex<Vec<Heard>>,
    connections: AtomicUsize,
}

pub(crate) struct Server {
    /// Host and port.
    pub(crate) address: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(answer: Answer) -> Self {
        Self::listen(answer, None).await
    }

    pub(crate) async fn over_tls(answer: Answer, chain: &Path, key: &Path) -> Self {
        let chain = CertificateDer::pem_file_iter(chain).expect("a file").map(|one| one.expect("PEM")).collect();
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.expect("there are versions").with_no_client_auth().with_single_cert(chain, key);
        let config = config.expect("a certificate and its key");
        Self::listen(answer, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let seen = Arc::new(Seen::default());
        let (kept, answer) = (seen.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, tls.clone(), answer.clone(), kept.clone()));
            }
        });
        Self { address, seen, task }
    }

    /// Stops listening, and gives the address, at which there is no server now.
    pub(crate) async fn stop(self) -> String {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
        self.address.clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.seen.heard.lock().expect("no holder panicked").clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, answer: Arc<Answer>, seen: Arc<Seen>) {
    seen.connections.fetch_add(1, Ordering::SeqCst);
    match tls {
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                converse(stream, &answer, &seen).await;
            }
        }
        None => converse(stream, &answer, &seen).await,
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &Answer, seen: &Seen) {
    while let Some(heard) = read(&mut stream).await {
        seen.heard.lock().expect("no holder panicked").push(heard);
        if let Answer::Never = answer {
            std::future::pending::<()>().await;
        }
        let (bytes, goes_on) = answer.bytes();
        if stream.write_all(&bytes).await.is_err() || !goes_on {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

/// Reads one request, with a body as long as it says.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Heard> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.trim_end().split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().expect("a length"));
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Heard { line, headers, body: String::from_utf8(bytes[head..].to_vec()).ok()? })
}

/// Makes a certificate of this machine that vouches for itself, and its key.
pub(crate) fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (chain, key) = (folder.join("own.pem"), folder.join("own.key"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (chain, key)
}

/// Where log lines go.
pub(crate) struct Buffer(pub(crate) Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no holder panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
