//! `/app`: the app on a person's phone, and what it asks for (contract 20). It belongs to no dialect. What a phone signs is
//! judged by the engine; here words are read and written.

mod events;
mod wire;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use config::Config;
use delivery::{BadSubscription, PushEndpoints};
use domain::model::audit::Actor;
use engine::{Engine, Fault, PhoneError, PhoneRequest, PromptAnswer};
use pages::{AppPage, Pages, Text, Trouble, accepted_languages};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use web::door::{Answering, Door};
use web::peer::Peer;
use web::proxy::TrustedProxies;
use web::rate_limit::{Bucket, RetryAfter, peer_key};
use web::slots::Slots;

use crate::installation::Installation;

use self::wire::{AnswerBody, PairBody, RequestBody, SubscriptionBody, shown};

/// The path of the app.
pub(crate) const APP: &str = "/app";
/// Bytes of a body at most.
const BODY: usize = 8 * 1024;
/// Refused signatures of one address in a second. Beyond it, the answer is 429. A phone that is paired is always answered, so
/// that strangers cannot shut it out.
const RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// The same at once.
const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Attempts to pair of one address in a second, the right ones included: a code is short enough to be guessed (decision 33).
const PAIRINGS: NonZeroU32 = NonZeroU32::new(1).unwrap();
/// The same at once: a class that pairs its phones behind one address.
const PAIRINGS_AT_ONCE: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Subscriptions that phones of one address may note in a second: each that is new is written to the disk.
const WRITES: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// The same at once.
const WRITES_AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// Attempts to pair of all addresses together in a second.
const ALL_PAIRINGS: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// The same at once.
const ALL_PAIRINGS_AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// What the door needs beyond the engine.
#[derive(Debug, Clone)]
pub(crate) struct PhoneSettings {
    /// Where subscriptions may point.
    pub(crate) endpoints: PushEndpoints,
    /// The key by which browsers know our messages; none where nothing is sent to them.
    pub(crate) push_key: Option<String>,
    /// Event streams, in all and of one address.
    pub(crate) streams: (usize, usize),
    /// Whether the app may be shown in a frame of this server: in a dev world.
    pub(crate) framed: bool,
}

/// The door of phones.
pub(crate) struct Phones {
    engine: Arc<Engine>,
    pages: Arc<Pages>,
    trusted: TrustedProxies,
    settings: PhoneSettings,
    rate: Bucket<IpAddr>,
    pairings: Bucket<IpAddr>,
    writes: Bucket<IpAddr>,
    all_pairings: Bucket<()>,
    streams: Arc<Slots>,
}

impl std::fmt::Debug for Phones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phones(…)")
    }
}

/// Why a phone gets no answer.
enum Refused {
    /// The request says nothing that can be understood.
    NotUnderstood,
    /// It comes from a page of another server.
    Foreign,
    /// A signature that is not the phone's.
    NotPaired,
    UnknownCode,
    /// Too many attempts to pair.
    TooMany(RetryAfter),
    /// Signed by a clock that is off.
    Clock,
    Subscription(&'static str),
    /// All streams are taken.
    Streams,
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<PhoneError> for Refused {
    fn from(error: PhoneError) -> Self {
        match error {
            PhoneError::NotPaired => Self::NotPaired,
            PhoneError::Clock => Self::Clock,
            PhoneError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<BadSubscription> for Refused {
    fn from(bad: BadSubscription) -> Self {
        Self::Subscription(match bad {
            BadSubscription::Endpoint => "endpoint",
            BadSubscription::Keys => "keys",
        })
    }
}

/// The phones of an installation. `framed` as in [`PhoneSettings`].
pub(crate) fn of(installation: &Installation, config: &Config, trusted: TrustedProxies, framed: bool) -> Phones {
    let settings = PhoneSettings {
        endpoints: config.push.endpoints.clone(),
        push_key: installation.push_key().map(str::to_owned),
        streams: config.limits.event_streams,
        framed,
    };
    Phones::of(&installation.engine, installation.pages.clone(), trusted, settings)
}

impl Phones {
    /// The phones of this engine, whose app is one of these pages.
    pub(crate) fn of(
        engine: &Arc<Engine>,
        pages: Arc<Pages>,
        trusted: TrustedProxies,
        settings: PhoneSettings,
    ) -> Self {
        let (all, per_peer) = settings.streams;
        let streams = Slots::new(all, per_peer);
        Self {
            engine: engine.clone(),
            pages,
            trusted,
            settings,
            rate: Bucket::per_second(RATE, BURST),
            pairings: Bucket::per_second(PAIRINGS, PAIRINGS_AT_ONCE),
            writes: Bucket::per_second(WRITES, WRITES_AT_ONCE),
            all_pairings: Bucket::per_second(ALL_PAIRINGS, ALL_PAIRINGS_AT_ONCE),
            streams,
        }
    }

    async fn take(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Response {
        let path = request.uri().path();
        let below = path.strip_prefix(APP).unwrap_or_default().trim_end_matches('/');
        let answered = match (request.method(), below) {
            (&Method::GET | &Method::HEAD, "" | "/worker.js" | "/manifest.webmanifest") => {
                return self.file(below, request);
            }
            (&Method::POST, "/pair" | "/requests" | "/answer" | "/subscription" | "/events") => {
                self.asked(below, request, peer).await
            }
            (_, "" | "/worker.js" | "/manifest.webmanifest") => return not_allowed("GET, HEAD"),
            (_, "/pair" | "/requests" | "/answer" | "/subscription" | "/events") => return not_allowed("POST"),
            _ => {
                return self
                    .pages
                    .response(StatusCode::NOT_FOUND, &Trouble::NotFound.page(self.text(request.headers())));
            }
        };
        answered.unwrap_or_else(|refused| self.refuse(refused, request.headers(), peer))
    }

    /// The app itself: all of it is for anybody to see.
    fn file(&self, below: &str, request: &Request<Bytes>) -> Response {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let code = url::form_urlencoded::parse(query).find(|(name, _)| name == "pair").map(|(_, code)| code);
        let push_key = self.settings.push_key.as_deref();
        match below {
            "" => self.pages.app(AppPage {
                text: self.text(request.headers()),
                issuer: &self.engine.settings().policy.issuer,
                push_key,
                code: code.as_deref(),
                framed: self.settings.framed,
            }),
            "/worker.js" => self.pages.app_worker(self.engine.words(), push_key),
            _ => self.pages.app_manifest(code.as_deref()),
        }
    }

    async fn asked(&self, below: &str, request: &Request<Bytes>, peer: Option<Peer>) -> Result<Response, Refused> {
        // Apps that are no browsers do not say from where they ask.
        if request.headers().get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return Err(Refused::Foreign);
        }
        match below {
            "/pair" => {
                let body = read(request)?;
                self.may_guess(self.address(request.headers(), peer))?;
                self.pair(body, self.actor(request.headers(), peer)).await
            }
            "/requests" => self.requests(read::<RequestBody>(request)?.request).await,
            "/answer" => {
                let address = self.address(request.headers(), peer);
                self.answer_prompt(read(request)?, address, self.actor(request.headers(), peer)).await
            }
            "/subscription" => {
                let body = read(request)?;
                let address = self.address(request.headers(), peer);
                address.map_or(Ok(()), |peer| self.writes.take(&peer_key(peer))).map_err(Refused::TooMany)?;
                self.subscribe(body).await
            }
            _ => self.listen(read(request)?, self.address(request.headers(), peer)).await,
        }
    }

    /// Counts an attempt to pair before its code is looked up: a limit on what is refused alone would not limit guesses.
    fn may_guess(&self, peer: Option<IpAddr>) -> Result<(), Refused> {
        let of_peer = peer.map_or(Ok(()), |peer| self.pairings.take(&peer_key(peer)));
        of_peer.and_then(|()| self.all_pairings.take(&())).map_err(Refused::TooMany)
    }

    async fn pair(&self, body: PairBody, actor: Actor) -> Result<Response, Refused> {
        let (Some(key), Some(signature)) = (wire::bytes(&body.public_key), wire::bytes(&body.signature)) else {
            return Err(Refused::NotUnderstood);
        };
        if let Some(subscription) = &body.subscription {
            self.settings.endpoints.accepts(subscription)?;
        }
        let engine = self.engine.clone();
        let pairing = async move {
            let subscription = body.subscription.as_ref();
            engine.pair_phone(&body.code, &key, &signature, subscription, actor).await
        };
        let paired = web::door::to_its_end(pairing).await?;
        let paired = paired.ok_or(Refused::UnknownCode)?;
        Ok(answer(&json!({
            "user": paired.user.to_string(),
            "device": paired.device.to_string(),
            "account": paired.account,
            "issuer": self.engine.settings().policy.issuer,
            "device_name": paired.device_name,
            "now": self.engine.now().0,
        })))
    }

    async fn requests(&self, request: PhoneRequest) -> Result<Response, Refused> {
        let prompts = self.engine.phone_prompts(&request).await?;
        let requests = prompts.iter().map(shown).collect::<Vec<_>>();
        Ok(answer(&json!({ "now": self.engine.now().0, "requests": requests })))
    }

    async fn answer_prompt(&self, body: AnswerBody, peer: Option<IpAddr>, actor: Actor) -> Result<Response, Refused> {
        let state = self.engine.answer_on_phone(body.id, &body.answer, actor).await?;
        if state == PromptAnswer::NotSigned {
            // A guess, as a request is that the phone has not signed.
            peer.map_or(Ok(()), |peer| self.rate.take(&peer_key(peer))).map_err(Refused::TooMany)?;
        }
        Ok(answer(&json!({ "state": wire::state(state) })))
    }

    async fn subscribe(&self, body: SubscriptionBody) -> Result<Response, Refused> {
        if let Some(subscription) = &body.subscription {
            self.settings.endpoints.accepts(subscription)?;
        }
        self.engine.subscribe_phone(&body.request, body.subscription.as_ref()).await?;
        Ok(answer(&json!({ "subscribed": body.subscription.is_some() })))
    }

    fn refuse(&self, refused: Refused, headers: &HeaderMap, peer: Option<Peer>) -> Response {
        match refused {
            Refused::NotUnderstood => refusal(StatusCode::BAD_REQUEST, "not_understood"),
            Refused::Foreign => refusal(StatusCode::FORBIDDEN, "foreign"),
            Refused::Subscription(word) => refusal(StatusCode::UNPROCESSABLE_ENTITY, word),
            Refused::Clock => {
                let said = json!({ "error": "clock", "now": self.engine.now().0 });
                with_status(StatusCode::CONFLICT, &said)
            }
            Refused::Streams => later(StatusCode::SERVICE_UNAVAILABLE, 5, "streams"),
            Refused::UnknownCode => refusal(StatusCode::NOT_FOUND, "unknown_code"),
            Refused::TooMany(RetryAfter(seconds)) => later(StatusCode::TOO_MANY_REQUESTS, seconds, "too_many"),
            Refused::NotPaired => {
                let taken = self.address(headers, peer).map_or(Ok(()), |peer| self.rate.take(&peer_key(peer)));
                match taken {
                    Ok(()) => refusal(StatusCode::FORBIDDEN, "not_paired"),
                    Err(RetryAfter(seconds)) => later(StatusCode::TOO_MANY_REQUESTS, seconds, "too_many"),
                }
            }
            Refused::Fault(Fault::Busy | Fault::Unavailable(_)) => {
                later(StatusCode::SERVICE_UNAVAILABLE, 1, "unavailable")
            }
            Refused::Fault(fault @ Fault::Internal(_)) => {
                tracing::error!(error = format!("{:#}", anyhow::Error::from(fault)), "phone not answered");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "fault")
            }
        }
    }

    fn text(&self, headers: &HeaderMap) -> Text<'_> {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Text::new(self.engine.words(), &accepted_languages(accepted))
    }

    /// Who asks: the address is the phone's own.
    fn actor(&self, headers: &HeaderMap, peer: Option<Peer>) -> Actor {
        let ip = self.address(headers, peer).map(|address| address.to_string());
        Actor { ip, request: web::request_id::current().map(Arc::from), ..Actor::default() }
    }

    /// The address of the phone, as trusted proxies report it.
    fn address(&self, headers: &HeaderMap, peer: Option<Peer>) -> Option<IpAddr> {
        peer.map(|Peer(socket)| web::proxy::client_ip(socket.ip(), headers, &self.trusted))
    }
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refused> {
    web::json::parse_json(request.body()).map_err(|_| Refused::NotUnderstood)
}

fn answer(said: &Value) -> Response {
    with_status(StatusCode::OK, said)
}

fn refusal(status: StatusCode, word: &'static str) -> Response {
    with_status(status, &json!({ "error": word }))
}

fn with_status(status: StatusCode, said: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, said.to_string()).into_response()
}

fn later(status: StatusCode, seconds: u64, word: &'static str) -> Response {
    let mut response = refusal(status, word);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn not_allowed(allowed: &'static str) -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allowed)], Body::empty()).into_response()
}

impl Door for Phones {
    fn takes(&self, path: &str) -> bool {
        path.strip_prefix(APP).is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    fn body_bytes(&self) -> usize {
        BODY
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        Some(refusal(status, "not_understood"))
    }

    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
        Box::pin(async move { self.take(&request, peer).await })
    }
}
