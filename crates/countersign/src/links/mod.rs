//! `/link/TOKEN`: the page of a link in mail (contract 18.13, SEC 11). It belongs to no dialect: a person's browser opens it.
//! Looking changes nothing; the form on the page, which has its nonce, confirms.

mod page;

pub(crate) use self::page::shown_until;

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use domain::rules::factor::link::LinkDecision;
use engine::{Engine, Fault, LinkAnswer, LinkOutcome};
use pages::{LinkPage, Pages, Text};
use web::door::{Answering, Door};
use web::peer::Peer;
use web::proxy::TrustedProxies;

use crate::secret_pages::{self, SecretPages};

/// What the paths begin with.
const FRONT: &str = "/link/";
/// Where the form is sent.
const FORM: &str = "/link";
/// The door of links in mail.
pub(crate) struct Links(SecretPages);

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
    /// `None` unless each field is there, and none twice.
    fn read(body: &'a [u8]) -> Option<Self> {
        let one = secret_pages::fields(body)?;
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
        Self(SecretPages::of(engine, pages, trusted))
    }

    async fn take(&self, request: &Request<Bytes>, peer: Option<Peer>) -> Response {
        let path = request.uri().path();
        // Whose link it is, is not known yet: the browser says what its person reads.
        let text = self.0.text(None, request.headers());
        let answered = match (request.method(), path.strip_prefix(FRONT)) {
            (&Method::GET | &Method::HEAD, Some(token)) => self.show(token).await,
            (&Method::POST, None) => self.judge(request, peer, text).await,
            (_, Some(_)) => return self.0.not_allowed("GET, HEAD", text),
            (_, None) => return self.0.not_allowed("POST", text),
        };
        match answered {
            Ok(Some(response)) => response,
            Ok(None) => self.0.over(&LinkPage::Over.page(text), request.headers(), peer, text),
            Err(fault) => self.0.fault(fault, text),
        }
    }

    /// The page of a link that waits.
    async fn show(&self, token: &str) -> Result<Option<Response>, Fault> {
        let SecretPages { engine, pages, .. } = &self.0;
        let question = engine.link_question(token).await?;
        Ok(question.map(|question| {
            let text = self.0.text(question.language.as_deref(), &HeaderMap::new());
            self.0.shown(&page::asks(&question, token, pages.address(FORM), engine.now()).page(text))
        }))
    }

    /// Judges the form of the page.
    async fn judge(
        &self,
        request: &Request<Bytes>,
        peer: Option<Peer>,
        text: Text<'_>,
    ) -> Result<Option<Response>, Fault> {
        let not_from_page = |status| Ok(Some(self.0.pages.response(status, &LinkPage::NotFromPage.page(text))));
        if !secret_pages::is_from_here(request.headers()) {
            return not_from_page(StatusCode::FORBIDDEN);
        }
        let Some(Form { token, nonce, decision }) = Form::read(request.body()) else {
            return not_from_page(StatusCode::BAD_REQUEST);
        };
        let answer = LinkAnswer { token: token.into_owned(), nonce: nonce.into_owned(), decision };
        let done = |language: Option<String>, page: LinkPage<'_>| {
            Ok(Some(self.0.shown(&page.page(self.0.text(language.as_deref(), &HeaderMap::new())))))
        };
        match self.0.engine.answer_link(&answer, self.0.actor(request, peer)).await? {
            LinkOutcome::Over => Ok(None),
            LinkOutcome::NotFromPage => not_from_page(StatusCode::FORBIDDEN),
            LinkOutcome::Disowned { language } => done(language, LinkPage::Disowned),
            LinkOutcome::Confirmed { redirect_to, language } => {
                done(language, LinkPage::Confirmed(redirect_to.as_deref()))
            }
        }
    }
}

impl Door for Links {
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
