//! Challenging a device.

use domain::model::audit::Actor;
use domain::rules::basis::Basis;
use domain::rules::reaching::Unreachable;
use domain::rules::verification::open::{self, Opened, Opening};
use domain::{ClientOptions, Device, DeviceId, DeviceStatus, Digest, Purpose, Status, Timestamp, UserId, Verification};

use crate::challenges::draw::{Challenged, CodeStyle, DeviceSetup, Handle};
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
    /// Whether an SMS code has only digits.
    pub numeric: bool,
    pub call: CallStyle,
    /// What an operator has chosen for the client that asks.
    pub options: ClientOptions,
    /// The caller's own text for the SMS.
    pub template: Option<MessageTemplate>,
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

impl Engine {
    /// Puts a challenge to a device.
    pub async fn open_verification(
        &self,
        request: OpenRequest,
        context: Actor,
    ) -> Result<OpenedVerification, ChallengeError> {
        let view = self.store.view(request.user).await?;
        let Some(user) = &view.user else { return Err(ChallengeError::NoUser) };
        let device = view.device(request.device).cloned().ok_or(ChallengeError::NoDevice)?;
        let now = self.now();
        let id = self.chance.verification_id();
        let credential = self.open_credential(&device)?;
        let style = CodeStyle {
            alphanumeric: !request.numeric && device.factor == domain::FactorKind::Sms,
            keypad: request.call == CallStyle::TakesDigits,
            options: &request.options,
            template: request.template.as_ref().filter(|_| context.right.words_messages()),
            language: user.profile.language(),
        };
        let Challenged { challenge, content, setup } = self.draw_sent(id, &device, &credential, request.ttl, style);
        let state_token = (request.handle == Handle::StateToken).then(|| self.chance.hex::<20>());
        let purpose = if device.status == DeviceStatus::Pending { Purpose::Enrol } else { Purpose::Login };
        let verification = Verification {
            id,
            wire_id: self.wire_id(id, request.handle),
            user_id: request.user,
            device_id: device.id,
            purpose,
            challenge,
            status: Status::NEW,
            state_token: state_token.as_ref().map(|token| Digest::of(token.as_bytes())),
            client_id: context.client,
            created_at: now,
            expires_at: now.plus(request.ttl),
        };
        let message = match content {
            Some(content) => Some(self.queue(&verification, &device, &content).await?),
            None => None,
        };
        let asker = (context.client, context.right);
        let name = DecisionName::OpenVerification;
        let sending = Sending { name, user: request.user, target: &credential, by: asker, now };
        let opening = Opening { verification, message, pending_devices: request.confirms };
        let by = context.clone();
        let policy = self.settings.policy.clone();
        let opened = self
            .decide_to_send(sending, &view, move |view| {
                open::open(view, &opening, Basis { policy: &policy, actor: &context, now })
            })
            .await?;
        self.wake_outbox(device.factor.channel());
        let (verification, setup) = match opened {
            Opened::Opened(verification) => {
                self.warn_if_last_prompt(&view, &device, by, now).await;
                (verification, setup)
            }
            Opened::Repeated(verification) => {
                let setup = verification.challenge.number().map(DeviceSetup::to_show);
                (verification, setup)
            }
            Opened::NoUser => return Err(ChallengeError::NoUser),
            Opened::NoDevice => return Err(ChallengeError::NoDevice),
            Opened::Locked(until) => return Err(ChallengeError::Locked(until)),
            Opened::TooSoon(at) => {
                self.send_prompt_warning(&view, &device, by, now).await;
                return Err(ChallengeError::TooMany(at));
            }
            Opened::TooMany(at) => return Err(ChallengeError::TooMany(at)),
        };
        let is_default = domain::model::device::default_device(&view.devices) == Some(device.id);
        Ok(OpenedVerification { verification, device, is_default, state_token, setup })
    }
}
