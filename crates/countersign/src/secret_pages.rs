//! What the doors share whose pages a person opens with a secret in the address: links in mail, and invitations.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use domain::model::audit::Actor;
use engine::{Engine, Fault};
use pages::{Pages, Text, Trouble, WebPage};
use web::peer::Peer;
use web::proxy::TrustedProxies;
use web::rate_limit::{Bucket, RetryAfter, peer_key};

/// Bytes of a form at most.
pub(crate) const BODY: usize = 2 * 1024;
/// Unknown secrets that one address may name in a second. Beyond it, the answer is 429. A secret that waits is always
/// answered, so that strangers cannot shut its person out.
const RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Unknown secrets at once.
const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The pages of one door, and the limit on unknown secrets.
pub(crate) struct SecretPages {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pages: Arc<Pages>,
    trusted: TrustedProxies,
    rate: Bucket<IpAddr>,
}

impl SecretPages {
    /// What this engine asks, shown on these pages.
    pub(crate) fn of(engine: &Arc<Engine>, pages: Arc<Pages>, trusted: TrustedProxies) -> Self {
        Self { engine: engine.clone(), pages, trusted, rate: Bucket::per_second(RATE, BURST) }
    }

    /// The texts for the person whose language is known, and otherwise for those who ask with this browser.
    pub(crate) fn text(&self, person: Option<&str>, headers: &HeaderMap) -> Text<'_> {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let languages = person.into_iter().chain(pages::accepted_languages(accepted)).collect::<Vec<_>>();
        Text::new(self.engine.words(), &languages)
    }

    /// The person who sends a form. No client reports the address here, so it is the browser's own.
    pub(crate) fn actor<B>(&self, request: &Request<B>, peer: Option<Peer>) -> Actor {
        let ip = self.address(request.headers(), peer).map(|address| address.to_string());
        Actor { ip, request: web::request_id::current().map(Arc::from), ..Actor::default() }
    }

    /// The response that shows a page.
    pub(crate) fn shown(&self, page: &WebPage) -> Response {
        self.pages.response(StatusCode::OK, page)
    }

    /// The one answer for secrets that are unknown, over, or used. Somebody who names many of them waits.
    pub(crate) fn over(&self, page: &WebPage, headers: &HeaderMap, peer: Option<Peer>, text: Text<'_>) -> Response {
        match self.address(headers, peer).map_or(Ok(()), |address| self.rate.take(&peer_key(address))) {
            Ok(()) => self.pages.response(StatusCode::GONE, page),
            Err(RetryAfter(seconds)) => self.too_many(seconds, text),
        }
    }

    /// Asks to come again after so many seconds.
    pub(crate) fn too_many(&self, seconds: u64, text: Text<'_>) -> Response {
        self.later(StatusCode::TOO_MANY_REQUESTS, seconds, Trouble::TooMany(seconds), text)
    }

    /// The page where the server fails. What has failed goes to the log.
    pub(crate) fn fault(&self, fault: Fault, text: Text<'_>) -> Response {
        match fault {
            Fault::Busy | Fault::Unavailable(_) => {
                self.later(StatusCode::SERVICE_UNAVAILABLE, 1, Trouble::Unavailable, text)
            }
            Fault::Internal(_) => {
                tracing::error!(error = format!("{:#}", anyhow::Error::from(fault)), "page not answered");
                let id: Option<Arc<str>> = web::request_id::current().map(Arc::from);
                self.pages.response(StatusCode::INTERNAL_SERVER_ERROR, &Trouble::Fault(id.as_deref()).page(text))
            }
        }
    }

    /// The page where a path has other methods.
    pub(crate) fn not_allowed(&self, allowed: &'static str, text: Text<'_>) -> Response {
        let mut response = self.pages.response(StatusCode::METHOD_NOT_ALLOWED, &Trouble::NotUnderstood.page(text));
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        response
    }

    /// The page for a request that HTTP itself refuses.
    pub(crate) fn not_understood(&self, status: StatusCode) -> Response {
        self.pages.response(status, &Trouble::NotUnderstood.page(self.text(None, &HeaderMap::new())))
    }

    /// The address of the browser, as trusted proxies report it.
    fn address(&self, headers: &HeaderMap, peer: Option<Peer>) -> Option<IpAddr> {
        peer.map(|Peer(socket)| web::proxy::client_ip(socket.ip(), headers, &self.trusted))
    }

    fn later(&self, status: StatusCode, seconds: u64, trouble: Trouble<'_>, text: Text<'_>) -> Response {
        let mut response = self.pages.response(status, &trouble.page(text));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

/// Whether a form may come from one of our pages. Browsers say from where a form comes. `Origin` is of no use: without a
/// referrer it is `null`.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

/// The fields of a form. `None` if one is there twice.
pub(crate) fn fields<'a>(body: &'a [u8]) -> Option<impl Fn(&str) -> Option<Cow<'a, str>>> {
    let fields: Vec<_> = url::form_urlencoded::parse(body).collect();
    let is_twice = fields.iter().enumerate().any(|(n, (key, _))| fields[..n].iter().any(|(other, _)| other == key));
    (!is_twice).then_some(move |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
}
