//! Enrolling and removing devices.

use domain::enrolment::{self, Disabled, Enrolled, Enrolment};
use domain::factor::push::{NUMBER_LENGTH, PAIRING_CODE_LENGTH, PAIRING_CONTEXT};
use domain::factor::totp::{SECRET_LENGTH, Totp, base32};
use domain::factor::{Alphabet, CODE_LENGTH, Challenge, code_context, hotp::Hotp};
use domain::time::MINUTE;
use domain::verification::{Context, Purpose, Status, Verification};
use domain::{
    Content, Credential, Device, DeviceId, DeviceStatus, Digest, FactorKind, Message, MessageId, Secret, Timestamp,
    User, UserId, VerificationId,
};
use store::IdKind;

use crate::sends::out_of_reach;
use crate::words::{self, Template};
use crate::{Engine, Error};

/// Life of a v1 enrolment's state token and pairing code, in milliseconds. The v1 call has no field for it, and
/// pairing a phone takes a person a while.
const V1_ENROL_TTL: i64 = 15 * MINUTE;

/// Which kind of door an enrolment comes through: v1 lists pending devices and sends nothing until triggered; v2 hides
/// them behind a registration and sends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `otp_devices`, with state tokens.
    V1,
    /// `registrations` and `verifications`.
    V2 {
        /// Whether ids must be digits (profile `numeric_ids`).
        numeric_ids: bool,
    },
}

/// A device to enrol.
#[derive(Debug, Clone)]
pub struct EnrolRequest {
    /// For whom.
    pub user: UserId,
    /// What kind.
    pub factor: FactorKind,
    /// Its name; the given default is used where that is absent or shows nothing.
    pub display_name: Option<String>,
    /// The name when none is given.
    pub default_name: String,
    /// Number or address, where it differs from the user's own.
    pub target: Option<String>,
    /// Whether an administrator vouches for the target.
    pub trusted: bool,
    /// Through which door.
    pub door: Door,
    /// Life of the registration in milliseconds; v1 ignores it.
    pub ttl: i64,
    /// The caller's own text for the SMS.
    pub template: Option<Template>,
}

/// What an app or a person needs to set the device up. Answered once, by the call that made it (SEC 46).
#[derive(Debug, Clone)]
pub struct Setup {
    /// The Base32 secret, the pairing code, or the digits to show for a call or a prompt.
    pub verification_token: String,
    /// The address for a QR code, where the factor has one.
    pub url: Option<String>,
}

impl Setup {
    /// Digits for the person to read and to enter elsewhere.
    pub(crate) fn to_show(digits: String) -> Self {
        Self { verification_token: digits, url: None }
    }
}

/// An enrolled device, for the caller that enrolled it.
#[derive(Debug, Clone)]
pub struct EnrolledDevice {
    /// The device.
    pub device: Device,
    /// Its number, where it has one.
    pub phone: Option<String>,
    /// Whether it is now the user's default.
    pub is_default: bool,
    /// What confirms it. When an administrator vouches for it: over v2 an accepted one, over v1 none.
    pub registration: Option<Verification>,
    /// The v1 state token.
    pub state_token: Option<String>,
    /// What is needed to set it up.
    pub setup: Option<Setup>,
}

impl Engine {
    /// Enrols a device.
    pub async fn enrol(&self, request: EnrolRequest, context: Context) -> Result<EnrolledDevice, Error> {
        let view = self.store.view(request.user).await?;
        let user = view.user.as_ref().ok_or(Error::NoUser)?;
        let given = request.display_name.as_deref().and_then(domain::name::label);
        let name = given.unwrap_or(&request.default_name).to_owned();
        if !domain::name::is_label(&name) {
            return Err(Error::BadText("display_name"));
        }
        if request.trusted && !request.factor.may_be_trusted() {
            return Err(Error::NotTrustable);
        }
        if !self.settings.policy.offers(request.factor) {
            return Err(Error::NotOffered);
        }
        let credential = self.draw_credential(&request, user)?;
        let now = self.now();
        let device_id = DeviceId(self.store.next_id(IdKind::Device).await?);
        let kept = self.seal_credential(device_id, user.id, &credential)?;
        let device = Device {
            id: device_id,
            user_id: user.id,
            factor: request.factor,
            display_name: name,
            status: match (request.trusted, request.door) {
                (true, _) => DeviceStatus::Active,
                (false, Door::V1) => DeviceStatus::Pending,
                (false, Door::V2 { .. }) => DeviceStatus::Registering,
            },
            credential: kept.sealed,
            secret: kept.secret,
            last_counter: domain::device::NO_COUNTER,
            created_at: now,
            last_used_at: None,
        };
        let drawn = self.draw_registration(&request, user, &device, &credential, &context, now).await?;
        // What cannot repeat takes the place of those of its kind (rulings 27).
        let stays = |other: &&Device| other.factor != device.factor || device.factor.may_repeat();
        let after: Vec<Device> = view.devices.iter().filter(stays).chain([&device]).cloned().collect();
        let is_default = domain::device::default_device(&after) == Some(device.id);
        let enrolment =
            Enrolment { device: device.clone(), registration: drawn.registration.clone(), message: drawn.message };
        let policy = self.settings.policy.clone();
        let asker = (context.client, context.right);
        let enrolled = self
            .decide_to_send(&view, user.id, &credential, asker, now, move |view| {
                enrolment::enrol(view, &enrolment, &policy, &context, now)
            })
            .await?;
        match enrolled {
            Enrolled::Enrolled => {}
            Enrolled::NoUser => return Err(Error::NoUser),
            Enrolled::Barred => return Err(Error::Barred),
            Enrolled::NotOffered => return Err(Error::NotOffered),
            Enrolled::AlreadyEnrolled => return Err(Error::AlreadyEnrolled),
            Enrolled::TooManyDevices => return Err(Error::TooMany(None)),
            Enrolled::TooManyRegistrations(at) | Enrolled::TooSoon(at) => return Err(Error::TooMany(Some(at))),
        }
        self.wake_outbox();
        Ok(EnrolledDevice {
            phone: credential.phone().map(str::to_owned),
            is_default,
            device,
            registration: drawn.registration,
            state_token: drawn.state_token,
            setup: drawn.setup,
        })
    }

    /// Removes a device. Says whether there was one; an unknown user is an error of its own.
    pub async fn remove_device(&self, user: UserId, device: DeviceId, context: Context) -> Result<bool, Error> {
        let now = self.now();
        let removed = self
            .decide(user, move |view| {
                let decision = enrolment::remove(view, device, &context, now);
                decision.map(|removed| view.user.is_some().then_some(removed))
            })
            .await?;
        removed.ok_or(Error::NoUser)
    }

    /// Puts a device out of use until its user is unlocked.
    pub async fn disable_device(&self, user: UserId, device: DeviceId, context: Context) -> Result<Disabled, Error> {
        let now = self.now();
        Ok(self.decide(user, move |view| enrolment::disable(view, device, &context, now)).await?)
    }

    fn draw_credential(&self, request: &EnrolRequest, user: &User) -> Result<Credential, Error> {
        let reaching = |own: Option<&str>| {
            let target = request.target.as_deref().or(own).ok_or(Error::BadTarget)?;
            Credential::reaching(request.factor, target, &self.settings.policy).map_err(out_of_reach)
        };
        Ok(match request.factor {
            FactorKind::Totp => Credential::Totp(Totp::with_secret(self.draw_secret())),
            FactorKind::Hotp => Credential::Hotp(Hotp { secret: self.draw_secret(), digits: 6 }),
            FactorKind::Sms | FactorKind::Voice => reaching(user.phone.as_deref())?,
            FactorKind::Email => reaching(user.email.as_deref())?,
            FactorKind::Push => Credential::Push { public_key: None },
        })
    }

    fn draw_secret(&self) -> Secret {
        Secret::new(self.chance.bytes::<SECRET_LENGTH>().to_vec())
    }

    async fn draw_registration(
        &self,
        request: &EnrolRequest,
        user: &User,
        device: &Device,
        credential: &Credential,
        context: &Context,
        now: Timestamp,
    ) -> Result<Drawn, Error> {
        let id = self.chance.verification_id();
        if request.trusted {
            return Ok(match request.door {
                // v1 shows a state token whatever the device's state; this one belongs to nothing and opens nothing.
                Door::V1 => Drawn { state_token: Some(self.chance.hex::<20>()), ..Drawn::default() },
                Door::V2 { .. } => {
                    let accepted = self.vouched(id, request, device, context, now);
                    Drawn { registration: Some(accepted), ..Drawn::default() }
                }
            });
        }
        let (ttl, state_token) = match request.door {
            Door::V1 => (V1_ENROL_TTL, Some(self.chance.hex::<20>())),
            Door::V2 { .. } => (request.ttl, None),
        };
        let mut drawn = match (credential, request.door) {
            (Credential::Totp(_) | Credential::Hotp(_), _) => self.draw_own(credential, user),
            (Credential::Push { .. }, _) => self.draw_pairing(user),
            (_, Door::V1) => Challenged::plain(Challenge::Untriggered),
            (_, Door::V2 { .. }) => {
                let style =
                    CodeStyle { alphanumeric: false, keypad: true, number: false, template: request.template.as_ref() };
                self.draw_sent(id, device, credential, ttl, style)
            }
        };
        let registration = Verification {
            id,
            wire_id: self.wire_id(id, request.door),
            user_id: user.id,
            device_id: device.id,
            purpose: Purpose::Enrol,
            challenge: drawn.challenge,
            status: Status::Pending,
            attempts: 0,
            state_token: state_token.as_ref().map(|token| Digest::of(token.as_bytes())),
            consumed_at: None,
            client_id: context.client,
            created_at: now,
            expires_at: now.plus(ttl),
        };
        let message = match drawn.content.take() {
            Some(content) => Some(self.queue(&registration, device, &content).await?),
            None => None,
        };
        Ok(Drawn { registration: Some(registration), message, state_token, setup: drawn.setup })
    }

    /// A registration that starts at its end (contract 11): callers find the device by its id like by any other.
    fn vouched(
        &self,
        id: VerificationId,
        request: &EnrolRequest,
        device: &Device,
        context: &Context,
        now: Timestamp,
    ) -> Verification {
        Verification {
            id,
            wire_id: self.wire_id(id, request.door),
            user_id: device.user_id,
            device_id: device.id,
            purpose: Purpose::Enrol,
            challenge: Challenge::Own,
            status: Status::Accepted { at: now },
            attempts: 0,
            state_token: None,
            consumed_at: Some(now),
            client_id: context.client,
            created_at: now,
            expires_at: now.plus(request.ttl),
        }
    }

    fn draw_own(&self, credential: &Credential, user: &User) -> Challenged {
        let issuer = &self.settings.policy.issuer;
        let account = account_name(user);
        let setup = match credential {
            Credential::Totp(totp) => {
                let secret = base32(&totp.secret);
                Some(Setup {
                    url: Some(words::otpauth("totp", issuer, &account, &secret, "")),
                    verification_token: secret,
                })
            }
            Credential::Hotp(hotp) => {
                let secret = base32(&hotp.secret);
                let url = words::otpauth("hotp", issuer, &account, &secret, "&counter=0");
                Some(Setup { url: Some(url), verification_token: secret })
            }
            _ => None,
        };
        Challenged { setup, ..Challenged::plain(Challenge::Own) }
    }

    fn draw_pairing(&self, user: &User) -> Challenged {
        let code = self.chance.code(Alphabet::Crockford, PAIRING_CODE_LENGTH);
        let hash = self.keys.mac_keys().hash(PAIRING_CONTEXT, &code);
        let url = words::otpauth("totp", &self.settings.policy.issuer, &account_name(user), &code, "");
        let setup = Setup { verification_token: code, url: Some(url) };
        Challenged { setup: Some(setup), ..Challenged::plain(Challenge::Pairing { hash }) }
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
        let issuer = &self.settings.policy.issuer;
        let minutes = words::minutes(ttl);
        let alphabet = if style.alphanumeric { Alphabet::Alphanumeric } else { Alphabet::Digits };
        let code = self.chance.code(alphabet, CODE_LENGTH);
        let hash = self.keys.mac_keys().hash(&code_context(id), &code);
        let challenge = Challenge::Code { hash, length: 6, alphabet };
        let content = |to: &str, body: String, code: Option<String>| Content {
            to: to.to_owned(),
            body,
            subject: None,
            code,
            link: None,
            nonce: None,
        };
        match credential {
            Credential::Sms { phone } => {
                let body =
                    style.template.map_or_else(|| words::sms(issuer, &code, minutes), |t| t.fill(&code, minutes));
                Challenged { content: Some(content(phone, body, Some(code))), ..Challenged::plain(challenge) }
            }
            Credential::Voice { phone } if style.keypad => Challenged {
                challenge: Challenge::Keypad { hash },
                content: Some(content(phone, words::keypad_call(issuer), None)),
                setup: Some(Setup { verification_token: code, url: None }),
            },
            Credential::Voice { phone } => {
                let body = words::spoken_code(issuer, &code);
                Challenged { content: Some(content(phone, body, Some(code))), ..Challenged::plain(challenge) }
            }
            Credential::Email { address } => {
                let (subject, body) = words::email(issuer, &code, minutes);
                let content = Content { subject: Some(subject), ..content(address, body, Some(code)) };
                Challenged { content: Some(content), ..Challenged::plain(challenge) }
            }
            Credential::Push { .. } => {
                let nonce = self.chance.bytes::<32>();
                let encoded = data_encoding::BASE64URL_NOPAD.encode(&nonce);
                let number = style.number.then(|| self.chance.code(Alphabet::Digits, NUMBER_LENGTH));
                let words = words::prompt(issuer, number.is_some());
                let content = Content { nonce: Some(encoded), ..content(&device.display_name, words, None) };
                let setup = number.clone().map(Setup::to_show);
                let numbers = number.into_iter().collect();
                let challenge = Challenge::Approval { nonce: Secret::new(nonce.to_vec()), numbers };
                Challenged { challenge, content: Some(content), setup }
            }
            Credential::Totp(_) | Credential::Hotp(_) => Challenged::plain(Challenge::Own),
        }
    }

    /// A message ready to be queued, its words sealed for its row.
    pub(crate) async fn queue(
        &self,
        verification: &Verification,
        device: &Device,
        content: &Content,
    ) -> Result<Message, Error> {
        let channel = device.factor.channel().ok_or_else(|| Error::internal("this factor sends nothing"))?;
        let id = MessageId(self.store.next_id(IdKind::Message).await?);
        Ok(Message {
            id,
            user_id: device.user_id,
            device_id: device.id,
            verification_id: verification.id,
            channel,
            content: self.seal_content(id, device.user_id, content)?,
            created_at: verification.created_at,
            not_after: verification.expires_at,
        })
    }

    /// An id as a verification through this door would have, for an answer that needs one where there was none.
    pub fn fresh_wire_id(&self, door: Door) -> String {
        self.wire_id(self.chance.verification_id(), door)
    }

    pub(crate) fn wire_id(&self, id: VerificationId, door: Door) -> String {
        match door {
            Door::V2 { numeric_ids: true } => self.chance.numeric_id(),
            Door::V1 | Door::V2 { numeric_ids: false } => id.to_string(),
        }
    }
}

/// How a code is made and carried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeStyle<'a> {
    /// Letters too (v1 SMS without `numeric_sms_otp`).
    pub(crate) alphanumeric: bool,
    /// Calls ask for digits shown on a screen rather than speak a code.
    pub(crate) keypad: bool,
    /// Prompts ask for a number shown on a screen.
    pub(crate) number: bool,
    /// The caller's own text.
    pub(crate) template: Option<&'a Template>,
}

/// A drawn challenge, what to send, and what to show.
pub(crate) struct Challenged {
    pub(crate) challenge: Challenge,
    pub(crate) content: Option<Content>,
    pub(crate) setup: Option<Setup>,
}

impl Challenged {
    pub(crate) fn plain(challenge: Challenge) -> Self {
        Self { challenge, content: None, setup: None }
    }
}

#[derive(Default)]
struct Drawn {
    registration: Option<Verification>,
    message: Option<Message>,
    state_token: Option<String>,
    setup: Option<Setup>,
}

fn account_name(user: &User) -> String {
    user.email.clone().or_else(|| user.username.clone()).unwrap_or_else(|| user.id.to_string())
}
