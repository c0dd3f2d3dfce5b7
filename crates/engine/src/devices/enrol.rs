//! Enrols devices: draws their secrets, seals them, and opens the registration.

use domain::model::audit::Actor;
use domain::model::factor::SetupKind;
use domain::model::hotp::Hotp;
use domain::model::session::Begun;
use domain::model::totp::{SECRET_LENGTH, Totp};
use domain::rules::basis::Basis;
use domain::rules::enrolment::{self, Enrolled, Enrolment};
use domain::rules::reaching::{self, Unreachable};
use domain::{
    Challenge, ClientOptions, Credential, Device, DeviceId, DeviceStatus, Digest, FactorKind, Message, Purpose, Secret,
    SessionId, Status, Timestamp, User, UserId, Verification, VerificationId,
};
use store::IdKind;

use crate::challenges::draw::{Challenged, CodeStyle, DeviceSetup, Handle};
use crate::challenges::link::{MailRequest, asked_from};
use crate::challenges::message_budgets::{Sending, may_be_unsent, out_of_reach};
use crate::challenges::message_text::MessageTemplate;
use crate::challenges::open::CallStyle;
use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// When a new device is to be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// At once: a code is sent with the enrolment, and the device is not listed until it is confirmed.
    AtOnce,
    /// When the caller triggers it: nothing is sent before, and the device is listed as pending.
    WhenTriggered,
}

/// A device to enrol.
#[derive(Debug, Clone)]
pub struct EnrolRequest {
    pub user: UserId,
    pub factor: FactorKind,
    /// Its name; the given default is used where that is absent or shows nothing.
    pub display_name: Option<String>,
    /// The name when none is given.
    pub default_name: String,
    /// Number or address, where it differs from the user's own.
    pub target: Option<String>,
    /// Whether an administrator vouches for the target.
    pub trusted: bool,
    pub confirm: Confirm,
    /// How the caller refers to the registration.
    pub handle: Handle,
    /// Life of the registration in milliseconds.
    pub ttl: i64,
    /// What an operator has chosen for the client that asks.
    pub options: ClientOptions,
    /// The caller's own text for the SMS.
    pub template: Option<MessageTemplate>,
    /// What a mail carries.
    pub mail: MailRequest,
    /// The invitation that the person enrols by; none if a caller enrols.
    pub invitation: Option<SessionId>,
}

/// Why a device was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("no such user")]
    NoUser,
    /// The user is suspended or locked by an administrator.
    #[error("the user is locked")]
    Barred,
    /// The invitation was used, replaced, or is over.
    #[error("the invitation waits no longer")]
    NotInvited,
    /// The factor is switched off, or no provider carries its messages.
    #[error("this factor is not offered")]
    NotOffered,
    /// The user has an active device of this factor, which cannot repeat.
    #[error("this factor is enrolled already")]
    AlreadyEnrolled,
    /// A device of this factor always has to be confirmed.
    #[error("this factor cannot be trusted unverified")]
    NotTrustable,
    /// The name of the device is empty, too long, or holds characters that deceive.
    #[error("display_name is not acceptable")]
    BadDeviceName,
    /// No message may go to the number or address, or there is none.
    #[error(transparent)]
    Unreachable(Unreachable),
    /// The user has as many devices as one may have.
    #[error("too many devices")]
    TooManyDevices,
    /// Too many open registrations or messages; with the moment to come back.
    #[error("too many registrations or messages")]
    TooMany(Timestamp),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(EnrolError);
may_be_unsent!(EnrolError);

/// An enrolled device, for the caller that enrolled it.
#[derive(Debug, Clone)]
pub struct EnrolledDevice {
    pub device: Device,
    /// Its number, where it has one.
    pub phone: Option<String>,
    /// Whether it is now the user's default.
    pub is_default: bool,
    /// What confirms it. When an administrator vouches for it: an accepted one, or none where it has a state token.
    pub registration: Option<Verification>,
    /// The state token, where the caller refers to the registration by it.
    pub state_token: Option<String>,
    /// What is needed to set it up.
    pub setup: Option<DeviceSetup>,
}

impl Engine {
    /// Enrols a device.
    pub async fn enrol(&self, request: EnrolRequest, context: Actor) -> Result<EnrolledDevice, EnrolError> {
        let view = self.store.view(request.user).await?;
        let user = view.user.as_ref().ok_or(EnrolError::NoUser)?;
        let given = request.display_name.as_deref().and_then(domain::model::name::label);
        let name = given.unwrap_or(&request.default_name).to_owned();
        if !domain::model::name::is_label(&name) {
            return Err(EnrolError::BadDeviceName);
        }
        if request.trusted && !request.factor.may_be_trusted() {
            return Err(EnrolError::NotTrustable);
        }
        // A device that is confirmed by its first call keys digits into it.
        let is_mute = request.factor == FactorKind::Voice
            && request.confirm == Confirm::AtOnce
            && !self.takes(CallStyle::TakesDigits);
        if is_mute || !self.settings.policy.offers(request.factor) {
            return Err(EnrolError::NotOffered);
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
            status: match (request.trusted, request.confirm) {
                (true, _) => DeviceStatus::Active,
                (false, Confirm::WhenTriggered) => DeviceStatus::Pending,
                (false, Confirm::AtOnce) => DeviceStatus::Registering,
            },
            credential: kept.sealed,
            secret: kept.secret,
            last_counter: domain::model::device::BEFORE_FIRST_COUNTER,
            created_at: now,
            last_used_at: None,
            subscription: None,
        };
        let drawn = self.draw_registration(&request, user, &device, &credential, &context, now).await?;
        // What cannot repeat takes the place of those of its kind (decision 27).
        let stays = |other: &&Device| other.factor != device.factor || device.factor.may_repeat();
        let after: Vec<Device> = view.devices.iter().filter(stays).chain([&device]).cloned().collect();
        let is_default = domain::model::device::default_device(&after) == Some(device.id);
        let invitation = match (&request.invitation, &drawn.registration) {
            (Some(invitation), Some(registration)) => {
                let next = Digest::of(self.next_invitation(registration.id).as_bytes());
                Some((*invitation, Begun { registration: registration.id, next }))
            }
            (Some(_), None) => return Err(EnrolError::NotInvited),
            (None, _) => None,
        };
        let enrolment = Enrolment {
            device: device.clone(),
            registration: drawn.registration.clone(),
            message: drawn.message,
            invitation,
        };
        let policy = self.settings.policy.clone();
        let asker = (context.client, context.right);
        let (name, user, asks) = (DecisionName::Enrol, user.id, true);
        let sending = Sending { name, user, target: &credential, asks, by: asker, now };
        let enrolled = self
            .decide_to_send(sending, &view, move |view| {
                enrolment::enrol(view, &enrolment, Basis { policy: &policy, actor: &context, now })
            })
            .await?;
        match enrolled {
            Enrolled::Enrolled => {}
            Enrolled::NoUser => return Err(EnrolError::NoUser),
            Enrolled::Barred => return Err(EnrolError::Barred),
            Enrolled::NotInvited => return Err(EnrolError::NotInvited),
            Enrolled::NotOffered => return Err(EnrolError::NotOffered),
            Enrolled::AlreadyEnrolled => return Err(EnrolError::AlreadyEnrolled),
            Enrolled::TooManyDevices => return Err(EnrolError::TooManyDevices),
            Enrolled::TooManyRegistrations(at) | Enrolled::TooSoon(at) => return Err(EnrolError::TooMany(at)),
        }
        Ok(EnrolledDevice {
            phone: credential.phone().map(str::to_owned),
            is_default,
            device,
            registration: drawn.registration,
            state_token: drawn.state_token,
            setup: drawn.setup,
        })
    }

    fn draw_credential(&self, request: &EnrolRequest, user: &User) -> Result<Credential, EnrolError> {
        let reached = |own: Option<&str>| {
            let target = request.target.as_deref().or(own).ok_or(EnrolError::Unreachable(Unreachable::Target))?;
            let reached = reaching::reaching(request.factor, target, &self.settings.policy);
            reached.map_err(|why| EnrolError::Unreachable(out_of_reach(why)))
        };
        Ok(match request.factor {
            FactorKind::Totp => Credential::Totp(Totp::with_secret(self.draw_secret())),
            FactorKind::Hotp => Credential::Hotp(Hotp { secret: self.draw_secret(), digits: 6 }),
            FactorKind::Sms | FactorKind::Voice => reached(user.phone.as_deref())?,
            FactorKind::Email => reached(user.email.as_deref())?,
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
        context: &Actor,
        now: Timestamp,
    ) -> Result<Drawn, Fault> {
        let id = self.chance.verification_id();
        if request.trusted {
            return Ok(match request.handle {
                // The caller gets a state token in any case; this one opens nothing.
                Handle::StateToken => Drawn { state_token: Some(self.chance.hex::<20>()), ..Drawn::default() },
                Handle::Uuid | Handle::Digits => {
                    let accepted = self.vouched(id, request, device, context, now);
                    Drawn { registration: Some(accepted), ..Drawn::default() }
                }
            });
        }
        let (ttl, by_token) = (request.ttl, request.handle == Handle::StateToken);
        let state_token = by_token.then(|| self.chance.hex::<20>());
        let mut drawn = match (device.factor.setup(), request.confirm) {
            (SetupKind::Secret, _) => self.draw_own(credential, user),
            (SetupKind::Pairing, _) => self.draw_pairing(user),
            (SetupKind::Message, Confirm::WhenTriggered) => Challenged::plain(Challenge::Untriggered),
            (SetupKind::Message, Confirm::AtOnce) => {
                let (template, language) = (request.template.as_ref(), user.profile.language());
                let options = &request.options;
                let link = self.mailed_link(&request.mail);
                let (asked, subscription) = (asked_from(context), None);
                let style = CodeStyle {
                    alphanumeric: false,
                    keypad: true,
                    options,
                    template,
                    language,
                    link,
                    asked,
                    subscription,
                };
                self.draw_sent(id, device, credential, ttl, style)
            }
        };
        let registration = Verification {
            id,
            wire_id: self.wire_id(id, request.handle),
            user_id: user.id,
            device_id: device.id,
            purpose: Purpose::Enrol,
            challenge: drawn.challenge,
            status: Status::NEW,
            state_token: state_token.as_ref().map(|token| Digest::of(token.as_bytes())),
            client_id: context.client,
            created_at: now,
            expires_at: now.plus(ttl),
        };
        let message = match drawn.content.take() {
            Some(content) => Some(self.queue(&registration, device, content).await?),
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
        context: &Actor,
        now: Timestamp,
    ) -> Verification {
        Verification {
            id,
            wire_id: self.wire_id(id, request.handle),
            user_id: device.user_id,
            device_id: device.id,
            purpose: Purpose::Enrol,
            challenge: Challenge::Own,
            status: Status::Accepted { at: now, collected: Some(now) },
            state_token: None,
            client_id: context.client,
            created_at: now,
            expires_at: now.plus(request.ttl),
        }
    }
}

#[derive(Default)]
struct Drawn {
    registration: Option<Verification>,
    message: Option<Message>,
    state_token: Option<String>,
    setup: Option<DeviceSetup>,
}
