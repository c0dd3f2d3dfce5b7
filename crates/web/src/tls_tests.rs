//! Certificates as `openssl` makes them, and clients that check them.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::*;
use crate::front::Front;
use crate::guard;
use crate::limits::Limits;
use crate::request_id::RequestIds;
use crate::threads::Turns;

/// Makes a certificate that vouches for itself.
fn make(dir: &Path, name: &str, names: &str) -> CertificateFiles {
    let files = CertificateFiles { chain: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName={names}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&files.key)
        .arg("-out")
        .arg(&files.chain)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    files
}

async fn serve(certificates: Arc<Certificates>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let router = Router::new().route("/", get(|| async { "hello" }));
    let front = Front::new(Vec::new(), router, Limits::default(), RequestIds::new("t"), guard::plain);
    tokio::spawn(crate::listen::serve_tls(listener, front, Turns::here(), certificates, std::future::pending()));
    address
}

/// Asks under a name, trusting one certificate only. Gives the answer, or why there is none.
async fn ask(address: SocketAddr, name: &str, trusted: &CertificateFiles) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    for own in CertificateDer::pem_file_iter(&trusted.chain).expect("a file of PEM") {
        roots.add(own.expect("a certificate")).expect("a certificate that can be trusted");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.expect("somebody listens");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut line = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| e.to_string())?;
    line.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("a request is sent");
    let mut text = String::new();
    // A server may close without saying so.
    let _ = line.read_to_string(&mut text).await;
    Ok(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let one = make(dir.path(), "one", "DNS:mfa.example.com");
    let two = make(dir.path(), "two", "DNS:api.us.onelogin.com,DNS:*.onelogin.com");
    let address = serve(Arc::new(Certificates::load(vec![one.clone(), two.clone()]).unwrap())).await;
    for (name, trusted) in [("mfa.example.com", &one), ("api.us.onelogin.com", &two), ("acme.onelogin.com", &two)] {
        let answer = ask(address, name, trusted).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
        assert!(answer.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{answer}");
    }
    let refused = ask(address, "other.example.com", &one).await.unwrap_err();
    assert!(refused.contains("not valid for name"), "the first certificate, and the client sees that: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_files_are_read_again_and_bad_ones_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = make(dir.path(), "one", "DNS:mfa.example.com");
    let certificates = Arc::new(Certificates::load(vec![files.clone()]).unwrap());
    let address = serve(certificates.clone()).await;
    assert!(!certificates.refresh().unwrap(), "nothing has changed");
    let old = CertificateFiles { chain: dir.path().join("old.pem"), key: files.key.clone() };
    std::fs::copy(&files.chain, &old.chain).unwrap();

    std::fs::write(&files.chain, "no certificate").unwrap();
    assert!(certificates.refresh().unwrap_err().to_string().contains("one.pem"));
    assert!(!certificates.refresh().unwrap(), "told once");
    assert!(ask(address, "mfa.example.com", &old).await.is_ok());

    make(dir.path(), "one", "DNS:mfa.example.com");
    assert!(certificates.refresh().unwrap());
    assert!(ask(address, "mfa.example.com", &files).await.is_ok());
    assert!(ask(address, "mfa.example.com", &old).await.is_err());
}

#[test]
fn a_key_of_another_certificate_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let one = make(dir.path(), "one", "DNS:mfa.example.com");
    let two = make(dir.path(), "two", "DNS:mfa.example.com");
    let mixed = CertificateFiles { chain: one.chain, key: two.key };
    let refused = Certificates::load(vec![mixed]).unwrap_err().to_string();
    assert!(refused.contains("two.key") && refused.contains("one.pem"), "{refused}");
}

#[test]
fn a_mark_in_front_of_pem_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let files = make(dir.path(), "marked", "DNS:mfa.example.com");
    for path in [&files.chain, &files.key] {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("\u{feff}{text}")).unwrap();
    }
    Certificates::load(vec![files]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_speak_tls_gets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = make(dir.path(), "one", "DNS:mfa.example.com");
    let address = serve(Arc::new(Certificates::load(vec![files]).unwrap())).await;
    let bytes = ask_anything(address).await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
}

/// A connection without a handshake has the time of a first request, and no more of it when the server stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_does_not_come_holds_up_no_stop() {
    let dir = tempfile::tempdir().unwrap();
    let files = make(dir.path(), "one", "DNS:mfa.example.com");
    let certificates = Arc::new(Certificates::load(vec![files]).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let long = Duration::from_secs(60);
    let limits = Limits { head_read: long, linger: Duration::from_millis(50), drain: long, ..Limits::default() };
    let front = Front::new(Vec::new(), Router::new(), limits, RequestIds::new("t"), guard::plain);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(crate::listen::serve_tls(listener, front, Turns::here(), certificates, async {
        let _ = stopped.await;
    }));
    let mut silent = TcpStream::connect(address).await.unwrap();
    // It is served, and not in the queue of the listener, once another one behind it is.
    let _ = ask_anything(address).await;
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), served)
        .await
        .expect("the stop does not wait for a handshake")
        .unwrap()
        .unwrap();
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

/// Says something that is not TLS, and waits until the server closes.
async fn ask_anything(address: SocketAddr) -> Vec<u8> {
    let mut line = TcpStream::connect(address).await.unwrap();
    line.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = line.read_to_end(&mut bytes).await;
    bytes
}
