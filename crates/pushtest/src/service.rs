//! The push service itself.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::open::Subscriber;
use crate::token;

/// Longest body that push services take, in bytes (RFC 8030, 7.2).
const LONGEST: usize = 4_096;

/// Where the service reads the time, in Unix seconds.
pub type UnixSeconds = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How the service answers a message that it finds nothing wrong with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushReply {
    /// This status, and `Retry-After` if one is given.
    Status(u16, Option<String>),
    /// A redirect to this address.
    RedirectTo(String),
    /// It never answers.
    Hang,
    /// A body that never ends.
    Endless,
}

/// A message that arrived, with nothing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The subscription's endpoint.
    pub endpoint: String,
    /// Seconds that the service may keep it.
    pub ttl: i64,
    pub urgency: String,
    pub topic: String,
    /// The sender's public key, base64url.
    pub public_key: String,
    /// The whole header `Authorization`.
    pub authorization: String,
    /// What the sender's token says.
    pub claims: Value,
    /// What the subscription's keys opened.
    pub content: String,
    /// All headers, as text.
    pub headers: String,
    /// The body as it came: salt, length of a record, length of a key, the sender's key of this message, and the record.
    pub body: Vec<u8>,
}

struct State {
    origin: String,
    now: UnixSeconds,
    answer: PushReply,
    subscribers: HashMap<String, Subscriber>,
    arrived: Vec<Arrived>,
    faults: Vec<String>,
    requests: usize,
}

/// A push service on a real socket.
pub struct PushService {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PushService {
    /// Listens on loopback without TLS.
    pub async fn plain(now: UnixSeconds) -> Self {
        Self::listen(now, None).await
    }

    /// Listens at `localhost` over TLS. The certificate that vouches for it is a file in `folder`.
    pub async fn over_tls(folder: &Path, now: UnixSeconds) -> (Self, PathBuf) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let ca_file = folder.join("push-service.pem");
        let text = BASE64.encode(certificate.der());
        std::fs::write(&ca_file, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
            .expect("the folder can be written to");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.expect("there are versions").with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).expect("a certificate and its key");
        (Self::listen(now, Some(TlsAcceptor::from(Arc::new(config)))).await, ca_file)
    }

    async fn listen(now: UnixSeconds, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let state = Arc::new(Mutex::new(State {
            origin: format!("{scheme}://localhost:{port}"),
            now,
            answer: PushReply::Status(201, None),
            subscribers: HashMap::new(),
            arrived: Vec::new(),
            faults: Vec::new(),
            requests: 0,
        }));
        let kept = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, state) = (tls.clone(), kept.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { state, task }
    }

    /// What its endpoints begin with.
    pub fn origin(&self) -> String {
        self.state().origin.clone()
    }

    /// A new subscription.
    pub fn subscribe(&self) -> Subscriber {
        let mut state = self.state();
        let path = format!("/push/{}", state.subscribers.len());
        let subscriber = Subscriber::at(format!("{}{path}", state.origin));
        state.subscribers.insert(path, subscriber.clone());
        subscriber
    }

    /// Ends a subscription: the service knows it no more.
    pub fn forget(&self, subscriber: &Subscriber) {
        self.state().subscribers.retain(|_, known| known.endpoint != subscriber.endpoint);
    }

    /// Answers so from now on.
    pub fn answer(&self, answer: PushReply) {
        self.state().answer = answer;
    }

    /// The messages that have arrived, whatever they were answered with.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.state().arrived.clone()
    }

    /// What was wrong with requests, which were answered with 400.
    pub fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }

    /// How many requests came, right ones and wrong ones.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: Arc<Mutex<State>>) {
    let service = service_fn(|request| answered(request, state.clone()));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Body = http_body_util::Either<Full<Bytes>, Endless>;

async fn answered(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map(http_body_util::Collected::to_bytes);
    let answer = {
        let mut state = lock(&state);
        state.requests += 1;
        match judged(&head, body.ok().as_deref(), &state) {
            Ok(arrived) => {
                state.arrived.push(arrived);
                state.answer.clone()
            }
            Err((status, why)) => {
                state.faults.push(why.to_owned());
                PushReply::Status(status, None)
            }
        }
    };
    Ok(match answer {
        PushReply::Status(status, retry_after) => response(status, retry_after.map(|wait| ("retry-after", wait))),
        PushReply::RedirectTo(url) => response(307, Some(("location", url))),
        PushReply::Hang => std::future::pending().await,
        PushReply::Endless => Response::new(Body::Right(Endless)),
    })
}

fn response(status: u16, header: Option<(&str, String)>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response.body(Body::Left(Full::default())).expect("a test's answer")
}

/// What a request carries, or the status that a push service answers it with and why.
fn judged(
    head: &hyper::http::request::Parts,
    body: Option<&[u8]>,
    state: &State,
) -> Result<Arrived, (u16, &'static str)> {
    let bad = |why| (400, why);
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if head.method != Method::POST {
        return Err((405, "this is no POST"));
    }
    let body = body.ok_or((413, "the body is too long"))?;
    let authority = Url::parse(&state.origin).ok().map(|url| url.authority().to_owned());
    if header("host") != authority.as_deref() {
        return Err(bad("another host was asked"));
    }
    let subscriber = state.subscribers.get(head.uri.path()).ok_or((404, "no such subscription"))?;
    if header("content-encoding") != Some("aes128gcm") {
        return Err(bad("the content has another encoding"));
    }
    let ttl = header("ttl").and_then(|ttl| ttl.parse().ok()).filter(|ttl| *ttl >= 0);
    let urgency = header("urgency").filter(|word| ["very-low", "low", "normal", "high"].contains(word));
    let is_topic = |topic: &&str| {
        topic.len() <= 32 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let authorization = header("authorization").ok_or((401, "the sender is not named"))?;
    let sender = token::verified(authorization, &state.origin, (state.now)()).map_err(|why| (403, why))?;
    let content = subscriber.opened(body).map_err(bad)?;
    Ok(Arrived {
        endpoint: subscriber.endpoint.clone(),
        ttl: ttl.ok_or(bad("the time to live is missing"))?,
        urgency: urgency.ok_or(bad("the urgency is unknown"))?.to_owned(),
        topic: header("topic").filter(is_topic).ok_or(bad("the topic is none"))?.to_owned(),
        public_key: sender.public_key,
        authorization: authorization.to_owned(),
        claims: sender.claims,
        content: String::from_utf8(content).map_err(|_| bad("the content is no text"))?,
        headers: format!("{:?}", head.headers),
        body: body.to_vec(),
    })
}

/// A body that goes on for as long as it is read.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))))
    }
}
