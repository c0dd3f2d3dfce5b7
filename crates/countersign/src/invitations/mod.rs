//! `/enroll/TOKEN`: the pages by which an invited person enrols (contract 21.2, SEC 105). They belong to no dialect: a person's
//! browser opens them. Looking changes nothing; every step is a form of the page before it.

mod page;

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use domain::model::audit::Actor;
use engine::{Engine, EnrolError, EnrolmentAnswer, EnrolmentWait, Fault, InvitationError, InvitationForm};
use pages::{EnrolFactor, EnrolPage, Pages, Text, Trouble};
use web::door::{Answering, Door};
use web::peer::Peer;
use web::proxy::TrustedProxies;
use web::rate_limit::{Bucket, RetryAfter, peer_key};

use self::page::Place;

/// What the paths begin with.
const FRONT: &str = "/enroll/";
/// Where forms are sent.
const FORM: &str = "/enroll";
/// Where the page looks that waits for a phone.
const WAIT: &str = "/enroll/wait/";
/// Bytes of a form at most.
const BODY: usize = 2 * 1024;
/// Unknown links that one address may name in a second. Beyond it, the answer is 429. A link that waits is always answered.
const RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Unknown links at once.
const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The door of invitations.
pub(crate) struct Invitations {
    engine: Arc<Engine>,
    pages: Arc<Pages>,
    trusted: TrustedProxies,
    rate: Bucket<IpAddr>,
}

impl std::fmt::Debug for Invitations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invitations(…)")
    }
}

/// What a form of these pages says.
struct Form<'a> {
    form: InvitationForm,
    step: Step<'a>,
}

enum Step<'a> {
    Begin { factor: EnrolFactor, target: Option<Cow<'a, str>> },
    Finish { registration: Cow<'a, str>, code: Cow<'a, str>, target: Option<Cow<'a, str>> },
}

impl<'a> Form<'a> {
    /// `None` unless each field is there once, and the fields are those of one step.
    fn read(body: &'a [u8]) -> Option<Self> {
        let fields: Vec<_> = url::form_urlencoded::parse(body).collect();
        if fields.iter().enumerate().any(|(n, (key, _))| fields[..n].iter().any(|(other, _)| other == key)) {
            return None;
        }
        let one = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let form = InvitationForm { token: one("token")?.into_owned(), nonce: one("nonce")?.into_owned() };
        let target = one(pages::TARGET).filter(|target| !target.trim().is_empty());
        let step = match one(pages::BEGIN) {
            Some(factor) => Step::Begin { factor: EnrolFactor::from_value(&factor)?, target },
            None => Step::Finish { registration: one("registration")?, code: one(pages::ENROL_CODE)?, target },
        };
        Some(Self { form, step })
    }
}

/// Why a request gets no page of its own.
enum Refused {
    /// The invitation was used, replaced, is over, or never was.
    Over,
    NotFromPage(StatusCode),
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Invitations {
    /// The invitations of this engine, shown on these pages.
    pub(crate) fn of(engine: &Arc<Engine>, pages: Arc<Pages>, trusted: TrustedProxies) -> Self {
        Self { engine: engine.clone(), pages, trusted, rate: Bucket::per_second(RATE, BURST) }
    }

    async fn take(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Response {
        let path = request.uri().path();
        // Whose invitation it is, is not known yet: the browser says what its person reads.
        let text = self.text(None, request.headers());
        let answered = match (request.method(), path.strip_prefix(WAIT), path.strip_prefix(FRONT)) {
            (&Method::GET | &Method::HEAD, Some(handle), _) => self.wait(handle, request.headers()).await,
            (&Method::GET | &Method::HEAD, None, Some(token)) => self.show(token, request.headers()).await,
            (&Method::POST, None, None) => self.step(request, peer).await,
            (_, _, Some(_)) => return self.not_allowed("GET, HEAD", text),
            (_, _, None) => return self.not_allowed("POST", text),
        };
        match answered {
            Ok(response) => response,
            Err(Refused::Over) => self.over(request.headers(), peer, text),
            Err(Refused::NotFromPage(status)) => self.pages.response(status, &EnrolPage::NotFromPage.page(text)),
            Err(Refused::Fault(Fault::Busy | Fault::Unavailable(_))) => {
                self.later(StatusCode::SERVICE_UNAVAILABLE, 1, Trouble::Unavailable, text)
            }
            Err(Refused::Fault(fault @ Fault::Internal(_))) => {
                tracing::error!(error = format!("{:#}", anyhow::Error::from(fault)), "invitation not answered");
                let id: Option<Arc<str>> = web::request_id::current().map(Arc::from);
                self.pages.response(StatusCode::INTERNAL_SERVER_ERROR, &Trouble::Fault(id.as_deref()).page(text))
            }
        }
    }

    /// The page of an invitation that waits.
    async fn show(&self, token: &str, headers: &HeaderMap) -> Result<Response, Refused> {
        let question = self.engine.invitation(token).await?.ok_or(Refused::Over)?;
        let place = self.place(token, &question.nonce);
        let text = self.text(question.language.as_deref(), headers);
        Ok(self.pages.response(StatusCode::OK, &place.choose(&question, self.engine.now()).page(text)))
    }

    /// The page that waits for a phone.
    async fn wait(&self, handle: &str, headers: &HeaderMap) -> Result<Response, Refused> {
        match self.engine.invited_phone(handle).await? {
            EnrolmentWait::Waits(waiting) => {
                let place = self.place(&waiting.token, "");
                let page = place.waits(&waiting, handle, self.engine.now());
                Ok(self.pages.response(StatusCode::OK, &page.page(self.text(waiting.language.as_deref(), headers))))
            }
            EnrolmentWait::Finished(finished) => {
                let text = self.text(finished.language.as_deref(), headers);
                let page = page::done(&finished, |path| self.pages.address(path), self.engine.now());
                Ok(self.pages.response(StatusCode::OK, &page.page(text)))
            }
            EnrolmentWait::Ended => Err(Refused::Over),
        }
    }

    /// Carries out what a form says.
    async fn step(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Result<Response, Refused> {
        // Browsers say from where a form comes. `Origin` is of no use: without a referrer it is `null`.
        if request.headers().get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return Err(Refused::NotFromPage(StatusCode::FORBIDDEN));
        }
        let form = Form::read(request.body()).ok_or(Refused::NotFromPage(StatusCode::BAD_REQUEST))?;
        let Form { form, step } = form;
        let question = self.engine.invitation(&form.token).await?.ok_or(Refused::Over)?;
        let text = self.text(question.language.as_deref(), request.headers());
        let place = self.place(&form.token, &form.nonce);
        let ip = self.address(request.headers(), peer).map(|address| address.to_string());
        let actor = Actor { ip, request: web::request_id::current().map(Arc::from), ..Actor::default() };
        match step {
            Step::Begin { factor, target } => {
                let kind = page::kind(factor);
                let name = factor.title(text);
                let given = target.as_deref().map(str::to_owned);
                match self.engine.begin_invited(&form, kind, given, &name, actor).await {
                    Ok(begun) => {
                        let page = place.begun(factor, &begun, target.as_deref(), &question, self.engine.now());
                        Ok(self.pages.response(StatusCode::OK, &page.page(text)))
                    }
                    Err(InvitationError::Enrol(error)) => Ok(self.not_begun(&error, &place, &question, factor, text)),
                    Err(error) => Err(refused(error)),
                }
            }
            Step::Finish { registration, code, target } => {
                let given = target.as_deref();
                let code: String = code.chars().filter(|mark| !mark.is_whitespace()).collect();
                let answer = self.engine.finish_invited(&form, &registration, &code, actor).await.map_err(refused)?;
                let now = self.engine.now();
                let page = match answer {
                    EnrolmentAnswer::Finished(finished) => {
                        let page = page::done(&finished, |path| self.pages.address(path), now);
                        return Ok(self.pages.response(StatusCode::OK, &page.page(text)));
                    }
                    EnrolmentAnswer::Wrong { factor, minutes_ahead } => {
                        place.again(factor, &registration, given, page::fault(minutes_ahead), &question)
                    }
                    EnrolmentAnswer::Used(factor) => {
                        place.again(factor, &registration, given, pages::EnrolFault::Used, &question)
                    }
                    EnrolmentAnswer::Locked(until) => place.locked(until, now),
                    EnrolmentAnswer::Ended => EnrolPage::TooLate { start: place.start.clone() },
                };
                Ok(self.pages.response(StatusCode::OK, &page.page(text)))
            }
        }
    }

    /// The page where a device could not be begun: what was wrong is said beside the choice.
    fn not_begun(
        &self,
        error: &EnrolError,
        place: &Place,
        question: &engine::InvitationQuestion,
        factor: EnrolFactor,
        text: Text<'_>,
    ) -> Response {
        let now = self.engine.now();
        match error {
            EnrolError::TooMany(until) => {
                let seconds = u64::try_from(until.retry_after(now)).unwrap_or(1);
                self.later(StatusCode::TOO_MANY_REQUESTS, seconds, Trouble::TooMany(seconds), text)
            }
            EnrolError::Barred | EnrolError::NotInvited | EnrolError::NoUser => {
                self.pages.response(StatusCode::GONE, &EnrolPage::Over.page(text))
            }
            EnrolError::Unreachable(_)
            | EnrolError::NotOffered
            | EnrolError::AlreadyEnrolled
            | EnrolError::NotTrustable
            | EnrolError::BadDeviceName
            | EnrolError::TooManyDevices
            | EnrolError::Fault(_) => {
                let page = place.choose_again(question, factor, now);
                self.pages.response(StatusCode::OK, &page.page(text))
            }
        }
    }

    fn place(&self, token: &str, nonce: &str) -> Place {
        Place {
            token: token.to_owned(),
            nonce: nonce.to_owned(),
            action: self.pages.address(FORM),
            start: self.pages.address(&format!("{FRONT}{token}")),
            wait: self.pages.address(WAIT),
        }
    }

    /// The texts for the person whose language is known, and otherwise for those who ask with this browser.
    fn text(&self, person: Option<&str>, headers: &HeaderMap) -> Text<'_> {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let languages = person.into_iter().chain(pages::accepted_languages(accepted)).collect::<Vec<_>>();
        Text::new(self.engine.words(), &languages)
    }

    /// The one answer for invitations that are unknown, over, or used. Somebody who names many of them waits.
    fn over(&self, headers: &HeaderMap, peer: Option<Peer>, text: Text<'_>) -> Response {
        match self.address(headers, peer).map_or(Ok(()), |address| self.rate.take(&peer_key(address))) {
            Ok(()) => self.pages.response(StatusCode::GONE, &EnrolPage::Over.page(text)),
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

fn refused(error: InvitationError) -> Refused {
    match error {
        InvitationError::Over | InvitationError::Enrol(_) => Refused::Over,
        InvitationError::NotFromPage => Refused::NotFromPage(StatusCode::FORBIDDEN),
        InvitationError::Fault(fault) => Refused::Fault(fault),
    }
}

impl Door for Invitations {
    fn takes(&self, path: &str) -> bool {
        path == FORM || path.starts_with(FRONT)
    }

    fn body_bytes(&self) -> usize {
        BODY
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        let text = self.text(None, &HeaderMap::new());
        Some(self.pages.response(status, &Trouble::NotUnderstood.page(text)))
    }

    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
        Box::pin(async move { self.take(&request, peer).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_the_fields_of_one_step_and_each_once() {
        let begin = Form::read(b"token=t&nonce=n&begin=sms&target=%2B49").unwrap();
        assert!(matches!(begin.step, Step::Begin { factor: EnrolFactor::Sms, target: Some(ref to) } if to == "+49"));
        let blank = Form::read(b"token=t&nonce=n&begin=totp&target=+").unwrap();
        assert!(matches!(blank.step, Step::Begin { factor: EnrolFactor::Authenticator, target: None }));
        let finish = Form::read(b"token=t&nonce=n&registration=r&code=123+456").unwrap();
        assert!(matches!(finish.step, Step::Finish { ref code, target: None, .. } if code == "123 456"));
        let given = Form::read(b"token=t&nonce=n&target=%2B49&registration=r&code=1").unwrap();
        assert!(matches!(given.step, Step::Finish { target: Some(ref to), .. } if to == "+49"));
        for body in [
            "",
            "token=t&nonce=n",
            "token=t&nonce=n&begin=voice",
            "token=t&token=u&nonce=n&begin=sms",
            "nonce=n&begin=sms",
        ] {
            assert!(Form::read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
