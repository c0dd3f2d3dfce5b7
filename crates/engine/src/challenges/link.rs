//! Links in mail (SEC 11): drawn with a challenge, shown by a page, and confirmed from that page.
//!
//! The address of a link begins with the configured public URL, never with what a request names (SEC 64). Only the digest of
//! its token is kept. Looking at a link changes nothing, so a scanner of mail may open it as often as it likes; what confirms is
//! a form with a nonce that only the page has.

use std::net::IpAddr;

use domain::model::audit::Actor;
use domain::rules::factor::link::{LinkDecision, prove_link};
use domain::rules::verification::answer;
use domain::{
    AskedFrom, Challenge, Digest, KeyedHash, LinkChallenge, Outcome, Purpose, Timestamp, UserId, Verification,
    VerificationId, View,
};

use crate::challenges::email_mode::EmailMode;
use crate::decision_name::DecisionName;
use crate::{Engine, Fault};

/// Random bytes in a token (SEC 41).
const TOKEN: usize = 32;
/// Characters of a token: base64url without padding.
const TOKEN_LENGTH: usize = 43;
/// What a page's nonce is made for.
const NONCE_CONTEXT: &str = "page.link";

/// What a caller asks a mail to carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MailRequest {
    /// As the operator has set it.
    #[default]
    AsSet,
    /// A code: nothing waits for a link.
    Code,
    /// A link after which the browser goes on to this address, which is on a listed origin (SEC 66).
    Link { redirect_to: String },
}

/// A link about to be mailed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailedLink<'a> {
    /// What the address begins with.
    base: &'a str,
    /// Whether the mail has a code too.
    pub(crate) with_code: bool,
    redirect_to: Option<&'a str>,
}

/// What the page of a link asks.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkQuestion {
    /// The name of the client that asks, if it still exists.
    pub client: Option<String>,
    /// The person's address, as the client reported it.
    pub from: Option<String>,
    /// The address from which the client called.
    pub caller: Option<String>,
    /// What is confirmed: a log-in, or that a device is enrolled.
    pub purpose: Purpose,
    /// The account as the person knows it: their address or name.
    pub account: String,
    /// The name of the device.
    pub device: String,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    /// The language of the person, as a code such as `de` or `de-AT`.
    pub language: Option<String>,
    /// What the page hands back with the answer.
    pub nonce: String,
}

impl std::fmt::Debug for LinkQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkQuestion({:?}, …)", self.purpose)
    }
}

/// What a page hands back.
#[derive(Clone)]
pub struct LinkAnswer {
    /// As in the address of the link.
    pub token: String,
    pub nonce: String,
    pub decision: LinkDecision,
}

impl std::fmt::Debug for LinkAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkAnswer({:?}, …)", self.decision)
    }
}

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkOutcome {
    /// Confirmed by this answer, which no other can follow.
    Confirmed { redirect_to: Option<String>, language: Option<String> },
    /// The person said that it was somebody else; rejected.
    Disowned { language: Option<String> },
    /// The link is open, and the answer does not come from its page.
    NotFromPage,
    /// There is no such link, or it is over, or was answered, or nothing of its user is evaluated for the moment.
    Over,
}

/// A link that waits for its person.
struct OpenLink {
    user: UserId,
    view: View,
    verification: VerificationId,
    token: Digest,
}

impl OpenLink {
    fn asked(&self) -> Option<&Verification> {
        self.view.verification(self.verification)
    }

    fn language(&self) -> Option<String> {
        self.view.user.as_ref().and_then(|user| user.profile.language()).map(str::to_owned)
    }
}

/// From where a call asks, for its person to see. What the client reported of the person is shown if it is an address: free
/// text could speak for anybody.
pub(crate) fn asked_from(actor: &Actor) -> AskedFrom {
    let person = actor.ip.as_ref().filter(|text| text.parse::<IpAddr>().is_ok());
    AskedFrom { person: person.cloned(), caller: actor.peer.map(|caller| caller.to_string()) }
}

impl Engine {
    /// Sets what links begin with, where no public URL is configured: in a dev world, once it listens.
    pub fn set_link_base(&self, base: &str) {
        let _ = self.link_base.set(base.to_owned());
    }

    /// What links begin with, if they have an address.
    pub(crate) fn link_base(&self) -> Option<&str> {
        self.link_base.get().map(String::as_str)
    }

    /// Whether mail can carry links: they need an address to begin with.
    pub fn offers_links(&self) -> bool {
        self.link_base.get().is_some()
    }

    /// The link that a mail carries, if it carries one.
    pub(crate) fn mailed_link<'a>(&'a self, asked: &'a MailRequest) -> Option<MailedLink<'a>> {
        let base = self.link_base.get()?;
        let (with_code, redirect_to) = match (asked, self.settings.email_mode) {
            (MailRequest::Link { redirect_to }, _) => (false, Some(redirect_to.as_str())),
            (MailRequest::Code, _) | (MailRequest::AsSet, EmailMode::Code) => return None,
            (MailRequest::AsSet, EmailMode::Link) => (false, None),
            (MailRequest::AsSet, EmailMode::Both) => (true, None),
        };
        Some(MailedLink { base, with_code, redirect_to })
    }

    /// The challenge of a link, and its whole address.
    pub(crate) fn draw_link(&self, link: MailedLink<'_>, code: KeyedHash, asked: &AskedFrom) -> (Challenge, String) {
        let token = data_encoding::BASE64URL_NOPAD.encode(&self.chance.bytes::<TOKEN>());
        let challenge = Challenge::Link(LinkChallenge {
            token: Digest::of(token.as_bytes()),
            code: link.with_code.then_some(code),
            redirect_to: link.redirect_to.map(str::to_owned),
            asked: asked.clone(),
        });
        (challenge, format!("{}/link/{token}", link.base))
    }

    /// What the page of this link asks. `None` if there is no such link, or it is over, or was answered.
    pub async fn link_question(&self, token: &str) -> Result<Option<LinkQuestion>, Fault> {
        let Some(open) = self.open_link(token).await? else { return Ok(None) };
        let Some(asked) = open.asked() else { return Ok(None) };
        let (Challenge::Link(link), Some(device)) = (&asked.challenge, open.view.device(asked.device_id)) else {
            return Ok(None);
        };
        let client = match asked.client_id {
            Some(id) => self.store.client_view(id, None).await?.client.map(|client| client.name),
            None => None,
        };
        Ok(Some(LinkQuestion {
            client,
            from: link.asked.person.clone(),
            caller: link.asked.caller.clone(),
            purpose: asked.purpose,
            account: open.view.user.as_ref().map(domain::User::account_name).unwrap_or_default(),
            device: device.display_name.clone(),
            asked_at: asked.created_at,
            expires_at: asked.expires_at,
            language: open.language(),
            nonce: self.link_nonce(&open.token),
        }))
    }

    /// Judges what came from the page of a link.
    pub async fn answer_link(&self, answer: &LinkAnswer, context: Actor) -> Result<LinkOutcome, Fault> {
        let Some(open) = self.open_link(&answer.token).await? else { return Ok(LinkOutcome::Over) };
        let nonce = Digest::of(self.link_nonce(&open.token).as_bytes());
        if !nonce.matches(&Digest::of(answer.nonce.as_bytes())) {
            return Ok(LinkOutcome::NotFromPage);
        }
        let Some(asked) = open.asked() else { return Ok(LinkOutcome::Over) };
        let redirect_to = match &asked.challenge {
            Challenge::Link(link) => link.redirect_to.clone(),
            _ => None,
        };
        let heard = prove_link(asked, &open.token, answer.decision);
        let now = self.now();
        let decide = move |view: &View| answer::answer_from_device(view, &heard, None, &context, now);
        let outcome = self.decide(DecisionName::AnswerLink, open.user, decide).await?;
        Ok(match (outcome, answer.decision) {
            (Outcome::Accepted { .. }, _) => LinkOutcome::Confirmed { redirect_to, language: open.language() },
            (Outcome::Refused(domain::Reason::Denied), LinkDecision::Disown) => {
                LinkOutcome::Disowned { language: open.language() }
            }
            (Outcome::Refused(_) | Outcome::Pending { .. }, _) => LinkOutcome::Over,
        })
    }

    /// A link that waits, with its user as committed at some recent moment.
    async fn open_link(&self, token: &str) -> Result<Option<OpenLink>, Fault> {
        let is_token = token.len() == TOKEN_LENGTH
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_token {
            return Ok(None);
        }
        let digest = Digest::of(token.as_bytes());
        let Some((user, verification)) = self.store.link(digest).await? else { return Ok(None) };
        let open = OpenLink { user, view: self.store.view(user).await?, verification, token: digest };
        Ok(open.asked().is_some_and(|asked| asked.is_open(self.now())).then_some(open))
    }

    /// What shows that an answer comes from the page of this link. It lasts as long as the link, on every node.
    fn link_nonce(&self, token: &Digest) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.installation_key.key().mac(NONCE_CONTEXT, &token.0))
    }
}
