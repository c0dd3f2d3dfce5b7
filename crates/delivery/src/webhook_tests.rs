use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::outbound::LONGEST_ANSWER;

#[test]
fn an_address_is_judged_when_it_is_given() {
    let fault = |url| checked_url(url, false).is_err();
    assert!(!fault("https://siem.example.com/events?token=1"));
    assert!(!fault("https://93.184.216.34:8443/"));
    for url in [
        "http://siem.example.com/",
        "ftp://siem.example.com/",
        "siem.example.com",
        "https://ana@siem.example.com/",
        "https://:secret@siem.example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/",
    ] {
        assert!(fault(url), "{url}");
    }
    let private = |url| checked_url(url, true).is_err();
    for url in ["https://10.1.2.3/", "http://127.0.0.1:9000/hook", "http://localhost/", "https://siem.internal/"] {
        assert!(!private(url), "{url}");
    }
    for url in ["http://10.1.2.3/", "http://93.184.216.34/", "https://169.254.169.254/", "https://[fd00:ec2::254]/"] {
        assert!(private(url), "{url}");
    }
}

#[test]
fn what_is_kept_is_what_is_called() {
    for (given, kept) in [
        ("https:1.1.1.1", "https://1.1.1.1/"),
        ("HTTPS://SIEM.example.com:443/a/../b?c=d#e", "https://siem.example.com/b?c=d"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
    ] {
        assert_eq!(checked_url(given, false).as_deref(), Ok(kept));
    }
    let long = format!("https://siem.example.com/{}", "x".repeat(LONGEST_URL));
    for bad in [
        "https://1.1.1.1\\@127.0.0.1/",
        "https://siem.example.com/\r\nX: y",
        "https://siem.example.com/\tx",
        " https://siem.example.com/",
        "https://siem.example.com:0/",
        &long,
    ] {
        assert!(checked_url(bad, false).is_err(), "{bad:?}");
        assert!(checked_url(bad, true).is_err(), "{bad:?}");
    }
}

#[test]
fn a_shown_url_shows_no_token() {
    for (url, shown) in [
        ("https://siem.example.com/events", "https://siem.example.com/events"),
        ("https://siem.example.com/e?token=a=b&x&y=", "https://siem.example.com/e?token=***&***&y=***"),
        ("https://ana:word@siem.example.com/?", "https://***@siem.example.com/?***"),
        ("nonsense", "***"),
    ] {
        assert_eq!(shown_url(url), shown);
    }
}

/// A receiver that answers one connection with these bytes, and gives what it was sent.
async fn receiver(answer: impl Into<Vec<u8>>) -> (u16, tokio::task::JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
        while !heard.ends_with(b"[1]") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&buffer[..read]);
        }
        // The caller may have heard enough.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(heard).unwrap()
    });
    (port, task)
}

async fn post(url: String, reach: Reach) -> WebhookAnswer {
    let headers = vec![("x-own".to_owned(), "one".to_owned())];
    Caller::new(None).unwrap().post(Call { url, reach, headers, body: Bytes::from_static(b"[1]") }).await
}

#[tokio::test]
async fn a_call_is_one_post_and_its_status_counts() {
    let (port, heard) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
    let answer = post(format!("http://127.0.0.1:{port}/a/b?c=d#e"), Reach::Private).await;
    assert_eq!(answer, WebhookAnswer::Status(204));
    let heard = heard.await.unwrap();
    assert!(heard.starts_with("POST /a/b?c=d HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains(&format!("\r\nhost: 127.0.0.1:{port}\r\n")), "{heard}");
    assert!(heard.contains("\r\nx-own: one\r\n") && heard.contains("\r\ncontent-length: 3\r\n"), "{heard}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_a_way() {
    let (elsewhere, never) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let (port, _) = receiver(format!("HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:{elsewhere}/\r\n\r\n")).await;
    assert_eq!(post(format!("http://127.0.0.1:{port}/"), Reach::Private).await, WebhookAnswer::Status(307));
    assert!(!never.is_finished());
    never.abort();
}

/// How long a call took is a matter of this machine's clock.
#[expect(clippy::disallowed_methods, reason = "a test measures how long something takes")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endless = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut sent = stream.write(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while let Ok(more) = stream.write(&[b'x'; 16 * 1024]).await {
            sent += more;
        }
        sent
    });
    let began = now();
    assert_eq!(post(format!("http://127.0.0.1:{port}/"), Reach::Private).await, WebhookAnswer::Status(200));
    // Read on, it would go on until the call is given up.
    assert!(began.elapsed() < TIMEOUT / 2, "{:?}", began.elapsed());
    let sent = endless.await.unwrap();
    assert!(sent >= LONGEST_ANSWER, "{sent}");
}

#[tokio::test]
async fn what_is_no_answer_has_a_name() {
    let fault = async |url: String, reach| match post(url, reach).await {
        WebhookAnswer::Fault(fault) => fault,
        WebhookAnswer::Status(status) => panic!("answered {status}"),
    };
    let (port, heard) = receiver("SSH-2.0-OpenSSH\r\n").await;
    let here = format!("http://127.0.0.1:{port}/");
    // What is refused is not even connected to.
    assert_eq!(fault(here.clone(), Reach::Public).await, OutboundFault::Forbidden);
    assert_eq!(fault(format!("https://127.0.0.1:{port}/"), Reach::Public).await, OutboundFault::Forbidden);
    assert_eq!(fault(format!("https://localhost:{port}/"), Reach::Public).await, OutboundFault::Forbidden);
    assert!(!heard.is_finished());
    assert_eq!(fault(here, Reach::Private).await, OutboundFault::Broken);
    assert_eq!(fault("https://nowhere.invalid/".to_owned(), Reach::Public).await, OutboundFault::Unresolved);
    assert_eq!(fault("http://ana@127.0.0.1/".to_owned(), Reach::Private).await, OutboundFault::Unusable);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(fault(format!("http://127.0.0.1:{free}/"), Reach::Private).await, OutboundFault::Unreachable);
    // A receiver that takes the connection and says nothing; and one that does not speak TLS.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = now();
    assert_eq!(fault(format!("http://127.0.0.1:{port}/"), Reach::Private).await, OutboundFault::Late);
    assert!((4..7).contains(&began.elapsed().as_secs()), "five seconds: {:?}", began.elapsed());
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    assert_eq!(fault(format!("https://127.0.0.1:{port}/"), Reach::Private).await, OutboundFault::Tls);
}

/// Makes a certificate that vouches for itself.
fn certificate(folder: &Path, name: &str, names: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let (chain, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName={names}")])
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

/// A receiver over TLS that takes all calls, and counts those whose request it could read.
async fn receiver_over_tls((chain, key): (&Path, &Path)) -> (u16, Arc<std::sync::atomic::AtomicUsize>) {
    let chain: Vec<_> = CertificateDer::pem_file_iter(chain).expect("a file").map(|one| one.expect("PEM")).collect();
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(key).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there are versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate and its key");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("a listener has an address").port();
    let heard = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    });
    (port, heard)
}

/// Nothing is said to a receiver that cannot show who it is: the call carries tokens.
#[tokio::test]
async fn a_receiver_is_told_only_if_a_trusted_authority_vouches_for_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (own, own_key) = certificate(folder.path(), "own", "DNS:localhost,IP:127.0.0.1");
    let (other, other_key) = certificate(folder.path(), "other", "DNS:siem.example.com");
    let call = |port, host: &str| Call {
        url: format!("https://{host}:{port}/"),
        reach: Reach::Private,
        headers: vec![("authorization".to_owned(), "Bearer x".to_owned())],
        body: Bytes::from_static(b"[1]"),
    };
    let trusting = |file: Option<&Path>| Caller::new(file).unwrap();
    let (port, heard) = receiver_over_tls((&own, &own_key)).await;
    let heard = || heard.load(std::sync::atomic::Ordering::SeqCst);
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(trusting(Some(&own)).post(call(port, host)).await, WebhookAnswer::Status(202), "{host}");
    }
    assert_eq!(heard(), 2);
    for trusted in [None, Some(&*other)] {
        assert_eq!(
            trusting(trusted).post(call(port, "localhost")).await,
            WebhookAnswer::Fault(OutboundFault::Tls),
            "{trusted:?}"
        );
    }
    assert_eq!(heard(), 2);
    // Trusted, and somebody else's.
    let (port, heard) = receiver_over_tls((&other, &other_key)).await;
    assert_eq!(trusting(Some(&other)).post(call(port, "localhost")).await, WebhookAnswer::Fault(OutboundFault::Tls));
    assert_eq!(heard.load(std::sync::atomic::Ordering::SeqCst), 0);
    // A file of none, or of something else, is not taken for the public authorities.
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    for bad in [folder.path().join("empty.pem"), folder.path().join("missing.pem"), own_key] {
        assert!(Caller::new(Some(&bad)).is_err(), "{}", bad.display());
    }
}
