//! Drawing challenges: the code, what to send, and what to show.

use domain::model::challenge::code_context;
use domain::model::code::{Alphabet, CODE_LENGTH};
use domain::model::totp::base32;
use domain::rules::factor::push::{NUMBER_LENGTH, PAIRING_CODE_LENGTH, PAIRING_CONTEXT};
use domain::{
    AskedFrom, Challenge, ClientOptions, Content, Credential, Device, FactorKind, Message, MessageId, PushSubscription,
    Secret, SpokenWords, User, Verification, VerificationId,
};
use store::IdKind;
use words::{Filling, MessageKind};

use crate::challenges::link::MailedLink;
use crate::challenges::message_text::{MessageTemplate, bound_to, minutes, otpauth};
use crate::{Engine, Fault};

/// How the caller refers to what was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    /// By an id that is a UUID.
    Uuid,
    /// By an id of digits, for clients that accept only integers.
    Digits,
    /// By a state token.
    StateToken,
}

/// What an app or a person needs to set the device up. Answered once, by the call that made it (SEC 46).
#[derive(Clone)]
pub struct DeviceSetup {
    /// The Base32 secret, the pairing code, or the digits to show for a call or a prompt.
    pub verification_token: String,
    /// The address for a QR code, where the factor has one.
    pub url: Option<String>,
}

impl std::fmt::Debug for DeviceSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSetup(…)")
    }
}

impl DeviceSetup {
    /// Digits for the person to read and to enter elsewhere.
    pub(crate) fn to_show(digits: String) -> Self {
        Self { verification_token: digits, url: None }
    }
}

impl Engine {
    pub(crate) fn draw_own(&self, credential: &Credential, user: &User) -> Challenged {
        let issuer = &self.settings.policy.issuer;
        let account = user.account_name();
        let setup = match credential {
            Credential::Totp(totp) => {
                let secret = base32(&totp.secret);
                Some(DeviceSetup {
                    url: Some(otpauth("totp", issuer, &account, &secret, "")),
                    verification_token: secret,
                })
            }
            Credential::Hotp(hotp) => {
                let secret = base32(&hotp.secret);
                let url = otpauth("hotp", issuer, &account, &secret, "&counter=0");
                Some(DeviceSetup { url: Some(url), verification_token: secret })
            }
            _ => None,
        };
        Challenged { setup, ..Challenged::plain(Challenge::Own) }
    }

    pub(crate) fn draw_pairing(&self, user: &User) -> Challenged {
        let code = self.chance.code(Alphabet::Crockford, PAIRING_CODE_LENGTH);
        let hash = self.keys.mac_keys().hash(PAIRING_CONTEXT, &code);
        // The camera of any phone opens the app by it (contract 20.7).
        let url = match self.app_address(&code) {
            Some(address) => address,
            None => otpauth("totp", &self.settings.policy.issuer, &user.account_name(), &code, ""),
        };
        let setup = DeviceSetup { verification_token: code, url: Some(url) };
        Challenged { setup: Some(setup), ..Challenged::plain(Challenge::Pairing { hash }) }
    }

    /// Where the app takes this pairing code, if links have an address.
    pub(crate) fn app_address(&self, code: &str) -> Option<String> {
        self.link_base().map(|base| format!("{base}/app#{code}"))
    }

    /// Draws the challenge of a factor that sends something, with the words to send.
    pub(crate) fn draw_sent(
        &self,
        id: VerificationId,
        device: &Device,
        credential: &Credential,
        ttl: i64,
        style: CodeStyle<'_>,
    ) -> Challenged {
        let minutes = minutes(ttl);
        let known = match credential {
            Credential::Sms { phone: to } | Credential::Voice { phone: to } | Credential::Email { address: to } => {
                self.chance.code_for(to)
            }
            Credential::Push { .. } | Credential::Totp(_) | Credential::Hotp(_) => None,
        };
        let alphabet = if style.alphanumeric && known.is_none() { Alphabet::Alphanumeric } else { Alphabet::Digits };
        let code = known.map_or_else(|| self.chance.code(alphabet, CODE_LENGTH), str::to_owned);
        let hash = self.keys.mac_keys().hash(&code_context(id), &code);
        let challenge = Challenge::Code { hash, length: 6, alphabet };
        let filling = Filling { code: &code, minutes, ..Filling::NOTHING };
        let say = |kind, to: &str| self.say(kind, to.to_owned(), style.language, filling);
        match credential {
            Credential::Sms { phone } => {
                let mut content = match style.template {
                    Some(template) => {
                        let body = template.fill(&code, minutes);
                        Content { code: Some(code.clone()), ..Content::of(phone.clone(), body) }
                    }
                    None => say(MessageKind::Sms, phone),
                };
                if let Some(host) = &style.options.webotp_host {
                    content.body = bound_to(host, content.body, &code);
                }
                if self.routes().call_texts() {
                    // In our own words, whatever the caller's text says: a call speaks the code and nothing of others.
                    let said = say(MessageKind::Voice, phone);
                    let language = said.language.unwrap_or_default();
                    content.call = Some(SpokenWords { body: said.body, language });
                }
                Challenged { content: Some(content), ..Challenged::plain(challenge) }
            }
            Credential::Voice { phone } if style.keypad => Challenged {
                challenge: Challenge::Keypad { hash },
                content: Some(say(MessageKind::Keypad, phone)),
                setup: Some(DeviceSetup { verification_token: code.clone(), url: None }),
            },
            Credential::Voice { phone } => {
                Challenged { content: Some(say(MessageKind::Voice, phone)), ..Challenged::plain(challenge) }
            }
            Credential::Email { address } => match style.link {
                None => Challenged { content: Some(say(MessageKind::Email, address)), ..Challenged::plain(challenge) },
                Some(link) => {
                    let (challenge, url) = self.draw_link(link, hash, &style.asked);
                    let kind = if link.with_code { MessageKind::EmailBoth } else { MessageKind::EmailLink };
                    let filling = Filling { link: &url, ..filling };
                    let said = self.say(kind, address.clone(), style.language, filling);
                    Challenged { content: Some(said), ..Challenged::plain(challenge) }
                }
            },
            Credential::Push { .. } => {
                let nonce = self.chance.bytes::<32>();
                let encoded = data_encoding::BASE64URL_NOPAD.encode(&nonce);
                let number = style.options.number_matching.then(|| self.chance.code(Alphabet::Digits, NUMBER_LENGTH));
                let kind = if number.is_some() { MessageKind::PushNumber } else { MessageKind::Push };
                let setup = number.clone().map(DeviceSetup::to_show);
                let numbers = number.into_iter().collect();
                let nonce = Secret::new(nonce.to_vec());
                let challenge = Challenge::Approval { nonce, numbers, asked: style.asked };
                // A phone that has no subscription asks by itself, and one that has one is woken.
                let is_sent = style.subscription.is_some() || !self.routes().wake_subscribers_only();
                let said = || Content {
                    nonce: Some(encoded),
                    subscription: style.subscription,
                    ..say(kind, &device.display_name)
                };
                Challenged { challenge, content: is_sent.then(said), setup }
            }
            Credential::Totp(_) | Credential::Hotp(_) => Challenged::plain(Challenge::Own),
        }
    }

    /// A message ready to be queued, its words sealed for its row.
    pub(crate) async fn queue(
        &self,
        verification: &Verification,
        device: &Device,
        content: Content,
    ) -> Result<Message, Fault> {
        let ends_at = (device.factor == FactorKind::Push).then_some(verification.expires_at);
        let content = Content { ends_at, ..content };
        let channel = device.factor.channel().ok_or_else(|| Fault::internal("this factor sends nothing"))?;
        let id = MessageId(self.store.next_id(IdKind::Message).await?);
        Ok(Message {
            id,
            user_id: device.user_id,
            device_id: Some(device.id),
            verification_id: verification.id,
            channel,
            content: self.seal_content(id, device.user_id, &content)?,
            created_at: verification.created_at,
            not_after: verification.expires_at,
            charge: None,
        })
    }

    /// A fresh id, for an answer that needs one although no verification was open.
    pub fn fresh_wire_id(&self, handle: Handle) -> String {
        self.wire_id(self.chance.verification_id(), handle)
    }

    pub(crate) fn wire_id(&self, id: VerificationId, handle: Handle) -> String {
        match handle {
            Handle::Digits => self.chance.numeric_id(),
            Handle::Uuid | Handle::StateToken => id.to_string(),
        }
    }
}

/// How a code is made and carried.
#[derive(Debug, Clone)]
pub(crate) struct CodeStyle<'a> {
    /// Letters and digits, not digits only.
    pub(crate) alphanumeric: bool,
    /// Calls ask for digits shown on a screen rather than speak a code.
    pub(crate) keypad: bool,
    /// What an operator has chosen for the client that asks.
    pub(crate) options: &'a ClientOptions,
    /// The caller's own text.
    pub(crate) template: Option<&'a MessageTemplate>,
    /// The person's language.
    pub(crate) language: Option<&'a str>,
    /// The link that a mail carries, if it carries one.
    pub(crate) link: Option<MailedLink<'a>>,
    /// From where it is asked, for the person to see.
    pub(crate) asked: AskedFrom,
    /// Where a phone is notified.
    pub(crate) subscription: Option<PushSubscription>,
}

/// A drawn challenge, what to send, and what to show.
pub(crate) struct Challenged {
    pub(crate) challenge: Challenge,
    pub(crate) content: Option<Content>,
    pub(crate) setup: Option<DeviceSetup>,
}

impl Challenged {
    pub(crate) fn plain(challenge: Challenge) -> Self {
        Self { challenge, content: None, setup: None }
    }
}
