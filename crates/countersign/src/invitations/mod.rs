//! `/enroll/TOKEN`: the pages by which an invited person enrols (contract 21.2, SEC 105). They belong to no dialect: a person's
//! browser opens them. Looking changes nothing; every step is a form of the page before it.

mod page;

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use engine::{Engine, EnrolError, EnrolmentAnswer, EnrolmentWait, Fault, InvitationError, InvitationForm};
use pages::{EnrolFactor, EnrolPage, Pages, Text};
use web::door::{Answering, Door};
use web::peer::Peer;
use web::proxy::TrustedProxies;

use self::page::Place;
use crate::secret_pages::{self, SecretPages};

/// What the paths begin with.
const FRONT: &str = "/enroll/";
/// Where forms are sent.
const FORM: &str = "/enroll";
/// Where the page looks that waits for a phone.
const WAIT: &str = "/enroll/wait/";
/// The door of invitations.
pub(crate) struct Invitations(SecretPages);

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
    Finish { registration: Cow<'a, str>, code: Cow<'a, str> },
}

impl<'a> Form<'a> {
    /// `None` if a field is there twice, or unless the fields are those of one step.
    fn read(body: &'a [u8]) -> Option<Self> {
        let one = secret_pages::fields(body)?;
        let form = InvitationForm { token: one("token")?.into_owned(), nonce: one("nonce")?.into_owned() };
        let step = match one(pages::BEGIN) {
            Some(factor) => {
                let target = one(pages::TARGET).filter(|target| !target.trim().is_empty());
                Step::Begin { factor: EnrolFactor::from_value(&factor)?, target }
            }
            None => Step::Finish { registration: one("registration")?, code: one(pages::ENROL_CODE)? },
        };
        Some(Self { form, step })
    }
}

/// Why a request is answered with one of the pages for all.
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
        Self(SecretPages::of(engine, pages, trusted))
    }

    async fn take(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Response {
        let path = request.uri().path();
        // Whose invitation it is, is not known yet: the browser says what its person reads.
        let text = self.0.text(None, request.headers());
        let answered = match (request.method(), path.strip_prefix(WAIT), path.strip_prefix(FRONT)) {
            (&Method::GET | &Method::HEAD, Some(handle), _) => self.wait(handle, request.headers()).await,
            (&Method::GET | &Method::HEAD, None, Some(token)) => self.show(token, request.headers()).await,
            (&Method::POST, None, None) => self.step(request, peer).await,
            (_, _, Some(_)) => return self.0.not_allowed("GET, HEAD", text),
            (_, _, None) => return self.0.not_allowed("POST", text),
        };
        match answered {
            Ok(response) => response,
            Err(Refused::Over) => self.0.over(&EnrolPage::Over.page(text), request.headers(), peer, text),
            Err(Refused::NotFromPage(status)) => self.0.pages.response(status, &EnrolPage::NotFromPage.page(text)),
            Err(Refused::Fault(fault)) => self.0.fault(fault, text),
        }
    }

    /// The page of an invitation that waits.
    async fn show(&self, token: &str, headers: &HeaderMap) -> Result<Response, Refused> {
        let question = self.0.engine.invitation(token).await?.ok_or(Refused::Over)?;
        let place = self.place(token, &question.nonce);
        let text = self.0.text(question.language.as_deref(), headers);
        Ok(self.0.shown(&place.choose(&question, self.0.engine.now()).page(text)))
    }

    /// The page that waits for a phone.
    async fn wait(&self, handle: &str, headers: &HeaderMap) -> Result<Response, Refused> {
        match self.0.engine.invited_phone(handle).await? {
            EnrolmentWait::Waits(waiting) => {
                let place = self.place(&waiting.token, "");
                let page = place.waits(&waiting, handle, self.0.engine.now());
                Ok(self.0.shown(&page.page(self.0.text(waiting.language.as_deref(), headers))))
            }
            EnrolmentWait::Finished(finished) => {
                let text = self.0.text(finished.language.as_deref(), headers);
                let page = page::done(&finished, |path| self.0.pages.address(path), self.0.engine.now());
                Ok(self.0.shown(&page.page(text)))
            }
            EnrolmentWait::Ended => Err(Refused::Over),
        }
    }

    /// Carries out what a form says.
    async fn step(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Result<Response, Refused> {
        if !secret_pages::is_from_here(request.headers()) {
            return Err(Refused::NotFromPage(StatusCode::FORBIDDEN));
        }
        let form = Form::read(request.body()).ok_or(Refused::NotFromPage(StatusCode::BAD_REQUEST))?;
        let Form { form, step } = form;
        let question = self.0.engine.invitation(&form.token).await?.ok_or(Refused::Over)?;
        let text = self.0.text(question.language.as_deref(), request.headers());
        let place = self.place(&form.token, &form.nonce);
        let actor = self.0.actor(request, peer);
        match step {
            Step::Begin { factor, target } => {
                let kind = page::kind(factor);
                let name = factor.title(text);
                match self.0.engine.begin_invited(&form, kind, target.map(Cow::into_owned), &name, actor).await {
                    Ok(begun) => {
                        let page = place.begun(factor, &begun, &question, self.0.engine.now());
                        Ok(self.0.shown(&page.page(text)))
                    }
                    Err(InvitationError::Enrol(error)) => Ok(self.not_begun(&error, &place, &question, factor, text)),
                    Err(error) => Err(refused(error)),
                }
            }
            Step::Finish { registration, code } => {
                let code: String = code.chars().filter(|mark| !mark.is_whitespace()).collect();
                let (engine, named) = (self.0.engine.clone(), registration.clone().into_owned());
                let finishing = async move { engine.finish_invited(&form, &named, &code, actor).await };
                let answer = web::door::to_its_end(finishing).await.map_err(refused)?;
                let now = self.0.engine.now();
                let page = match answer {
                    EnrolmentAnswer::Finished(finished) => {
                        let page = page::done(&finished, |path| self.0.pages.address(path), now);
                        return Ok(self.0.shown(&page.page(text)));
                    }
                    EnrolmentAnswer::Wrong { factor, ref sent, minutes_ahead } => {
                        place.again((factor, sent.as_ref()), &registration, page::fault(minutes_ahead), &question)
                    }
                    EnrolmentAnswer::Used { factor, ref sent } => {
                        place.again((factor, sent.as_ref()), &registration, pages::EnrolFault::Used, &question)
                    }
                    EnrolmentAnswer::Locked(until) => place.locked(until, now),
                    EnrolmentAnswer::Ended => EnrolPage::TooLate { start: place.start.clone() },
                };
                Ok(self.0.shown(&page.page(text)))
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
        let now = self.0.engine.now();
        match error {
            EnrolError::TooMany(until) => {
                let seconds = u64::try_from(until.retry_after(now)).unwrap_or(1);
                self.0.too_many(seconds, text)
            }
            EnrolError::Barred | EnrolError::NotInvited | EnrolError::NoUser => {
                self.0.pages.response(StatusCode::GONE, &EnrolPage::Over.page(text))
            }
            EnrolError::Unreachable(_)
            | EnrolError::NotOffered
            | EnrolError::AlreadyEnrolled
            | EnrolError::NotTrustable
            | EnrolError::BadDeviceName
            | EnrolError::TooManyDevices
            | EnrolError::Fault(_) => {
                let page = place.choose_again(question, factor, now);
                self.0.shown(&page.page(text))
            }
        }
    }

    fn place(&self, token: &str, nonce: &str) -> Place {
        Place {
            token: token.to_owned(),
            nonce: nonce.to_owned(),
            action: self.0.pages.address(FORM),
            start: self.0.pages.address(&format!("{FRONT}{token}")),
            wait: self.0.pages.address(WAIT),
        }
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
        secret_pages::BODY
    }

    fn refusal(&self, status: StatusCode) -> Option<Response> {
        Some(self.0.not_understood(status))
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
        assert!(matches!(finish.step, Step::Finish { ref code, .. } if code == "123 456"));
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
