//! `/link/TOKEN`: the page of a link in mail (contract 18.13, SEC 11). It belongs to no dialect: a person's browser opens it.
//! Looking changes nothing; the form on the page, which has its nonce, confirms.

mod page;

pub(crate) use self::page::shown_until;

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use domain::model::audit::Actor;
use domain::rules::factor::link::LinkDecision;
use engine::{Engine, Fault, LinkAnswer, LinkOutcome};
use pages::{LinkPage, Pages, Text, Trouble};
use web::door::{Answering, Door};
use web::peer::Peer;
use web::proxy::TrustedProxies;
use web::rate_limit::{Bucket, RetryAfter, peer_key};

/// What the paths begin with.
const FRONT: &str = "/link/";
/// Where the form is sent.
const FORM: &str = "/link";
/// Bytes of a form at most.
const BODY: usize = 2 * 1024;
/// Unknown links that one address may name in a second. Beyond it, the answer is 429. A link that waits is always answered,
/// so that strangers cannot shut its person out.
const RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Unknown links at once.
const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The door of links in mail.
pub(crate) struct Links {
    engine: Arc<Engine>,
    pages: Arc<Pages>,
    trusted: TrustedProxies,
    rate: Bucket<IpAddr>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links(…)")
    }
}

/// What the form of the page sends.
struct Form<'a> {
    token: Cow<'a, str>,
    nonce: Cow<'a, str>,
    decision: LinkDecision,
}

impl<'a> Form<'a> {
    /// `None` unless each field is there once.
    fn read(body: &'a [u8]) -> Option<Self> {
        let fields: Vec<_> = url::form_urlencoded::parse(body).collect();
        let one = |name: &str| {
            let mut named = fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
            named.next().filter(|_| named.next().is_none())
        };
        let decision = match &*one(pages::ANSWER)? {
            pages::CONFIRM => LinkDecision::Confirm,
            pages::DISOWN => LinkDecision::Disown,
            _ => return None,
        };
        Some(Self { token: one("token")?, nonce: one("nonce")?, decision })
    }
}

impl Links {
    /// The links that this engine mails, shown on these pages.
    pub(crate) fn of(engine: &Arc<Engine>, pages: Arc<Pages>, trusted: TrustedProxies) -> Self {
        Self { engine: engine.clone(), pages, trusted, rate: Bucket::per_second(RATE, BURST) }
    }

    async fn take(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Response {
        let path = request.uri().path();
        // Whose link it is, is not known yet: the browser says what its person reads.
        let text = self.text(None, Some(request.headers()));
        let answered = match (request.method(), path.strip_prefix(FRONT)) {
            (&Method::GET | &Method::HEAD, Some(token)) => self.show(token).await,
            (&Method::POST, None) => self.judge(request, peer, text).await,
            (_, Some(_)) => return self.not_allowed("GET, HEAD", text),
            (_, None) => return self.not_allowed("POST", text),
        };
        match answered {
            Ok(Some(response)) => response,
            Ok(None) => self.over(request.headers(), peer, text),
            Err(Fault::Busy | Fault::Unavailable(_)) => {
                self.later(StatusCode::SERVICE_UNAVAILABLE, 1, Trouble::Unavailable, text)
            }
            Err(fault @ Fault::Internal(_)) => {
                tracing::error!(error = format!("{:#}", anyhow::Error::from(fault)), "link not answered");
                let id: Option<Arc<str>> = web::request_id::current().map(Arc::from);
                self.pages.response(StatusCode::INTERNAL_SERVER_ERROR, &Trouble::Fault(id.as_deref()).page(text))
            }
        }
    }

    /// The texts for the person whose language is known, and otherwise for those who ask with this browser.
    fn text(&self, person: Option<&str>, headers: Option<&HeaderMap>) -> Text<'_> {
        let accepted = headers.and_then(|headers| headers.get(header::ACCEPT_LANGUAGE));
        let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let languages = person.into_iter().chain(pages::accepted_languages(accepted)).collect::<Vec<_>>();
        Text::new(self.engine.words(), &languages)
    }

    /// The page of a link that waits.
    async fn show(&self, token: &str) -> Result<Option<Response>, Fault> {
        let question = self.engine.link_question(token).await?;
        Ok(question.map(|question| {
            let text = self.text(question.language.as_deref(), None);
            self.pages.response(
                StatusCode::OK,
                &page::asks(&question, token, self.pages.address(FORM), self.engine.now()).page(text),
            )
        }))
    }

    /// Judges the form of the page.
    async fn judge(
        &self,
        request: &Request<Bytes>,
        peer: Option<Peer>,
        text: Text<'_>,
    ) -> Result<Option<Response>, Fault> {
        let not_from_page = |status| Ok(Some(self.pages.response(status, &LinkPage::NotFromPage.page(text))));
        // Browsers say from where a form comes. `Origin` is of no use: without a referrer it is `null`.
        let site = request.headers().get("sec-fetch-site");
        if site.is_some_and(|site| site != "same-origin") {
            return not_from_page(StatusCode::FORBIDDEN);
        }
        let Some(Form { token, nonce, decision }) = Form::read(request.body()) else {
            return not_from_page(StatusCode::BAD_REQUEST);
        };
        let answer = LinkAnswer { token: token.into_owned(), nonce: nonce.into_owned(), decision };
        // From where it was answered: no client reports it here, so it is the browser's own.
        let ip = self.address(request.headers(), peer).map(|address| address.to_string());
        let actor = Actor { ip, request: web::request_id::current().map(Arc::from), ..Actor::default() };
        let done = |language: Option<String>, page: LinkPage<'_>| {
            Ok(Some(self.pages.response(StatusCode::OK, &page.page(self.text(language.as_deref(), None)))))
        };
        match self.engine.answer_link(&answer, actor).await? {
            LinkOutcome::Over => Ok(None),
            LinkOutcome::NotFromPage => not_from_page(StatusCode::FORBIDDEN),
            LinkOutcome::Disowned { language } => done(language, LinkPage::Disowned),
            LinkOutcome::Confirmed { redirect_to, language } => {
                done(language, LinkPage::Confirmed(redirect_to.as_deref()))
            }
        }
    }

    /// The one answer for links that are unknown, over, or used. Somebody who names many of them waits.
    fn over(&self, headers: &HeaderMap, peer: Option<Peer>, text: Text<'_>) -> Response {
        match self.address(headers, peer).map_or(Ok(()), |address| self.rate.take(&peer_key(address))) {
            Ok(()) => self.pages.response(StatusCode::GONE, &LinkPage::Over.page(text)),
            Err(RetryAfter(seconds)) => {
                self.later(StatusCode::TOO_MANY_REQUESTS, seconds, Trouble::TooMany(seconds), text)
            }
        }
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

    fn not_allowed(&self, allowed: &'static str, text: Text<'_>) -> Response {
        let mut response = self.pages.response(StatusCode::METHOD_NOT_ALLOWED, &Trouble::NotUnderstood.page(text));
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        response
    }
}

impl Door for Links {
    fn takes(&self, path: &str) -> bool {
        path == FORM || path.starts_with(FRONT)
    }

    fn body_bytes(&self) -> usize {
        BODY
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        Some(self.pages.response(status, &Trouble::NotUnderstood.page(self.text(None, None))))
    }

    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
        Box::pin(async move { self.take(&request, peer).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_each_field_once() {
        let form = Form::read(b"token=a-b_c&nonce=n%2Bn&answer=confirm").unwrap();
        assert_eq!((&*form.token, &*form.nonce, form.decision), ("a-b_c", "n+n", LinkDecision::Confirm));
        assert_eq!(Form::read(b"answer=disown&nonce=n&token=t").unwrap().decision, LinkDecision::Disown);
        for body in
            ["", "token=a&nonce=b", "token=a&answer=confirm", "token=a&token=b&nonce=n&answer=confirm", "{\"token\":1}"]
        {
            assert!(Form::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(Form::read(b"token=a&nonce=b&answer=accept").is_none());
    }
}
