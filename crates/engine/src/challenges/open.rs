//! Challenging a device.

use domain::model::audit::Actor;
use domain::rules::basis::Basis;
use domain::rules::reaching::Unreachable;
use domain::rules::verification::open::{self, Opened, Opening};
use domain::{
    Challenge, ClientId, ClientOptions, Device, DeviceId, DeviceStatus, Digest, FactorKind, Purpose, Status, Timestamp,
    UserId, Verification, VerificationId, View,
};

use crate::challenges::draw::{Challenged, CodeStyle, DeviceSetup, Handle};
use crate::challenges::link::{MailRequest, asked_from};
use crate::challenges::message_budgets::{Sending, may_be_unsent};
use crate::challenges::message_text::MessageTemplate;
use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// What a telephone call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStyle {
    /// It speaks a code, which is typed elsewhere.
    SpeaksCode,
    /// It takes digits that the caller shows.
    TakesDigits,
}

/// A challenge to put to a device.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    pub user: UserId,
    pub device: DeviceId,
    /// How the caller refers to the challenge.
    pub handle: Handle,
    /// Whether a device that is not confirmed yet may be challenged; the answer then confirms it.
    pub confirms: bool,
    /// Life in milliseconds.
    pub ttl: i64,
    /// The same of a challenge that is sent by mail.
    pub mail_ttl: i64,
    /// Whether an SMS code has only digits.
    pub numeric: bool,
    pub call: CallStyle,
    /// What an operator has chosen for the client that asks.
    pub options: ClientOptions,
    /// The caller's own text for the SMS.
    pub template: Option<MessageTemplate>,
    /// What a mail carries.
    pub mail: MailRequest,
}

/// Why a challenge was not put to a device.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    #[error("no such user")]
    NoUser,
    /// No such device of this user, or not one that can be challenged.
    #[error("no such device")]
    NoDevice,
    /// Locked by wrong answers, with the end where there is one.
    #[error("locked")]
    Locked(Option<Timestamp>),
    /// No message may go to the device's number or address any more.
    #[error(transparent)]
    Unreachable(Unreachable),
    /// Too many open verifications or messages, or the next one must wait; with the moment to come back.
    #[error("too many verifications or messages")]
    TooMany(Timestamp),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(ChallengeError);
may_be_unsent!(ChallengeError);

/// A challenge that was put.
#[derive(Debug, Clone)]
pub struct OpenedVerification {
    pub verification: Verification,
    pub device: Device,
    /// Whether it is the user's default.
    pub is_default: bool,
    /// The state token, where the caller refers to the challenge by it.
    pub state_token: Option<String>,
    /// Digits to show on the screen, for a call.
    pub setup: Option<DeviceSetup>,
}

/// What is drawn for a verification, whatever device it is of.
#[derive(Clone)]
struct DrawnVerification {
    id: VerificationId,
    wire_id: String,
    state_token: Option<Digest>,
    client: Option<ClientId>,
    ttl: i64,
    now: Timestamp,
}

impl DrawnVerification {
    fn of(&self, device: &Device, challenge: Challenge) -> Verification {
        Verification {
            id: self.id,
            wire_id: self.wire_id.clone(),
            user_id: device.user_id,
            device_id: device.id,
            purpose: if device.status == DeviceStatus::Pending { Purpose::Enrol } else { Purpose::Login },
            challenge,
            status: Status::NEW,
            state_token: self.state_token,
            client_id: self.client,
            created_at: self.now,
            expires_at: self.now.plus(self.ttl),
        }
    }
}

/// A device with its place among those of its user.
struct Challengeable {
    device: Device,
    is_default: bool,
}

impl Challengeable {
    fn find(view: &View, device: DeviceId) -> Option<Self> {
        let device = view.device(device)?.clone();
        let is_default = domain::model::device::default_device(&view.devices) == Some(device.id);
        Some(Self { device, is_default })
    }
}

impl Engine {
    /// Whether anybody can answer calls of this style: digits need providers that bring them back (contract 18.9).
    pub(crate) fn takes(&self, call: CallStyle) -> bool {
        match call {
            CallStyle::SpeaksCode => true,
            CallStyle::TakesDigits => self.routes().take_digits(),
        }
    }

    /// Puts a challenge to a device.
    pub async fn open_verification(
        &self,
        request: OpenRequest,
        context: Actor,
    ) -> Result<OpenedVerification, ChallengeError> {
        let (id, now) = (self.chance.verification_id(), self.now());
        let state_token = (request.handle == Handle::StateToken).then(|| self.chance.hex::<20>());
        let drawn = DrawnVerification {
            id,
            wire_id: self.wire_id(id, request.handle),
            state_token: state_token.as_ref().map(|token| Digest::of(token.as_bytes())),
            client: context.client,
            ttl: request.ttl,
            now,
        };
        let (asked, opened, setup) = match self.open_unsent(&request, &drawn, &context).await? {
            Ok((asked, opened)) => (asked, opened, None),
            Err(view) => self.open_sent(&request, drawn, &view, context).await?,
        };
        let (verification, setup) = match opened {
            Opened::Opened(verification) => (verification, setup),
            Opened::Repeated(verification) => {
                let setup = verification.challenge.number().map(DeviceSetup::to_show);
                (verification, setup)
            }
            Opened::NoUser => return Err(ChallengeError::NoUser),
            Opened::NoDevice => return Err(ChallengeError::NoDevice),
            Opened::Locked(until) => return Err(ChallengeError::Locked(until)),
            Opened::TooSoon(at) | Opened::TooMany(at) => return Err(ChallengeError::TooMany(at)),
        };
        let Challengeable { device, is_default } = asked;
        Ok(OpenedVerification { verification, device, is_default, state_token, setup })
    }

    /// Opens a verification of a device that makes its codes itself: there is nothing to draw for it, nothing of it to unseal
    /// and nothing to send, so one look at the user is enough. Gives the view back for any other device.
    async fn open_unsent(
        &self,
        request: &OpenRequest,
        drawn: &DrawnVerification,
        context: &Actor,
    ) -> Result<Result<(Challengeable, Opened), Box<View>>, Fault> {
        let (id, confirms, user) = (request.device, request.confirms, request.user);
        let (drawn, context, policy) = (drawn.clone(), context.clone(), self.settings.policy.clone());
        let rule = move |view: &View| {
            let asked = Challengeable::find(view, id).filter(|asked| asked.device.factor.makes_codes())?;
            let verification = drawn.of(&asked.device, Challenge::Own);
            let opening = Opening { verification, message: None, pending_devices: confirms };
            let opened = open::open(view, &opening, Basis { policy: &policy, actor: &context, now: drawn.now });
            Some(opened.map(|opened| (asked, opened)))
        };
        Ok(self.decide_if_ready(DecisionName::OpenVerification, user, rule).await?)
    }

    /// Opens a verification for which something is sent. What is random is drawn before the decision, since a rule may run
    /// again, and with it the message is written, for the device as `view` has it.
    async fn open_sent(
        &self,
        request: &OpenRequest,
        drawn: DrawnVerification,
        view: &View,
        context: Actor,
    ) -> Result<(Challengeable, Opened, Option<DeviceSetup>), ChallengeError> {
        let now = drawn.now;
        let user = view.user.as_ref().ok_or(ChallengeError::NoUser)?;
        let asked = Challengeable::find(view, request.device).ok_or(ChallengeError::NoDevice)?;
        let device = &asked.device;
        let ttl = if device.factor == FactorKind::Email { request.mail_ttl } else { drawn.ttl };
        let drawn = DrawnVerification { ttl, ..drawn };
        if device.factor == FactorKind::Voice && !self.takes(request.call) {
            return Err(ChallengeError::NoDevice);
        }
        let credential = self.open_credential(device)?;
        let style = CodeStyle {
            alphanumeric: !request.numeric && device.factor == FactorKind::Sms,
            keypad: request.call == CallStyle::TakesDigits,
            options: &request.options,
            template: request.template.as_ref().filter(|_| context.right.words_messages()),
            language: user.profile.language(),
            link: self.mailed_link(&request.mail),
            asked: asked_from(&context),
            subscription: self.open_subscription(device)?,
        };
        let Challenged { challenge, content, setup } = self.draw_sent(drawn.id, device, &credential, ttl, style);
        let verification = drawn.of(device, challenge);
        let message = match content {
            Some(content) => Some(self.queue(&verification, device, content).await?),
            None => None,
        };
        let asker = (context.client, context.right);
        let name = DecisionName::OpenVerification;
        let sending = Sending { name, user: request.user, target: &credential, asks: true, by: asker, now };
        let opening = Opening { verification, message, pending_devices: request.confirms };
        let by = context.clone();
        let policy = self.settings.policy.clone();
        let opened = self
            .decide_to_send(sending, view, move |view| {
                open::open(view, &opening, Basis { policy: &policy, actor: &context, now })
            })
            .await?;
        match opened {
            Opened::Opened(_) => self.warn_if_last_prompt(view, device, by, now).await,
            Opened::TooSoon(_) => self.send_prompt_warning(view, device, by, now).await,
            _ => {}
        }
        Ok((asked, opened, setup))
    }
}
