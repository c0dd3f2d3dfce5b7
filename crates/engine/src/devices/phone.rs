//! What a paired phone asks for, signed by its key (contract 20).

use domain::model::audit::Actor;
use domain::rules::factor::push::{
    PhoneAction, PushAnswer, PushDecision, REQUEST_LIFE, has_answered, has_signed, names_older_number, request_text,
};
use domain::rules::phone;
use domain::{
    Challenge, Device, DeviceId, Outcome, PushSubscription, Reason, Timestamp, UserId, Verification, VerificationId,
    View,
};

use crate::challenges::watched_users::UserWatch;
use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// A request that a phone has signed.
#[derive(Debug, Clone)]
pub struct PhoneRequest {
    pub user: UserId,
    pub device: DeviceId,
    /// By the phone's clock, in Unix milliseconds.
    pub signed_at: i64,
    /// ES256, 64 bytes r‖s, over [`request_text`].
    pub signature: Vec<u8>,
}

/// Why a phone is not answered.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// There is no such user or phone, it is not in use, or the signature is not its key's.
    #[error("this phone is not paired")]
    NotPaired,
    /// Signed too long ago, or ahead of time.
    #[error("the phone's clock is wrong")]
    Clock,
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(PhoneError);

/// A prompt that waits for its person.
#[derive(Clone, PartialEq, Eq)]
pub struct WaitingPrompt {
    pub id: VerificationId,
    /// What the answer has to sign, 32 bytes.
    pub nonce: Vec<u8>,
    /// The account as the person knows it.
    pub account: String,
    pub device_name: String,
    /// The name of the client that asks, if it still exists.
    pub client: Option<String>,
    /// The person's address, as the client reported it.
    pub from: Option<String>,
    /// The address from which the client called.
    pub caller: Option<String>,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    /// How many digits are to be typed; 0 if none.
    pub digits: usize,
}

impl std::fmt::Debug for WaitingPrompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WaitingPrompt({}, …)", self.id)
    }
}

/// What a person's answer on the phone has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptAnswer {
    Accepted,
    Denied,
    /// Denied, and no prompt is put for a while.
    Reported,
    /// The digits are not those on the screen. The prompt is rejected.
    WrongNumber,
    /// The digits were asked for before. Nothing has changed.
    OlderNumber,
    /// It was answered, replaced or is over. Nothing has changed.
    Over,
    /// Nothing of this id waits, or the signature is not the phone's. It reads as [`Self::Over`], and may be a guess.
    NotSigned,
    /// The user or the device is locked, so nothing is judged.
    Locked,
}

impl Engine {
    /// The prompts that wait for a phone which asks for them.
    pub async fn phone_prompts(&self, request: &PhoneRequest) -> Result<Vec<WaitingPrompt>, PhoneError> {
        let view = self.phone(request, PhoneAction::Requests, None).await?;
        Ok(self.prompts_of(&view, request.device).await?)
    }

    /// The prompts that wait for a phone whose request was judged before. `None` once it is no longer paired.
    pub async fn prompts_for(&self, user: UserId, device: DeviceId) -> Result<Option<Vec<WaitingPrompt>>, Fault> {
        let view = self.store.view(user).await?;
        if phone::paired(&view, device).is_none() {
            return Ok(None);
        }
        self.prompts_of(&view, device).await.map(Some)
    }

    /// Whether a phone may listen.
    pub async fn phone_may_listen(&self, request: &PhoneRequest) -> Result<(), PhoneError> {
        self.phone(request, PhoneAction::Events, None).await.map(drop)
    }

    /// Hears of decisions about these users.
    pub fn watch_users(&self, users: Vec<UserId>) -> UserWatch {
        self.held.watched().watch(users)
    }

    /// Notes where a phone is notified from now on, or that it is not.
    pub async fn subscribe_phone(
        &self,
        request: &PhoneRequest,
        subscription: Option<&PushSubscription>,
    ) -> Result<(), PhoneError> {
        let says = subscription.map(PushSubscription::text);
        self.phone(request, PhoneAction::Subscription, says.as_deref()).await?;
        self.note_subscription((request.user, request.device), subscription).await
    }

    /// The same for a phone that has just been paired.
    pub(crate) async fn note_subscription(
        &self,
        (user, device): (UserId, DeviceId),
        subscription: Option<&PushSubscription>,
    ) -> Result<(), PhoneError> {
        let sealed =
            subscription.map(|subscription| self.seal_subscription((user, device), subscription)).transpose()?;
        let rule = move |view: &View| phone::subscribe(view, device, sealed.as_ref());
        let is_paired = self.decide(DecisionName::SubscribePhone, user, rule).await?;
        if is_paired { Ok(()) } else { Err(PhoneError::NotPaired) }
    }

    /// Judges a person's answer on the phone.
    pub async fn answer_on_phone(
        &self,
        verification: VerificationId,
        answer: &PushAnswer,
        context: Actor,
    ) -> Result<PromptAnswer, Fault> {
        // What no phone has signed is not decided about: a stranger would hold up the user's other calls.
        let Some(names_older) = self.signed_answer(verification, answer).await? else {
            return Ok(PromptAnswer::NotSigned);
        };
        Ok(match (self.answer_prompt(verification, answer, context).await?, answer.decision) {
            (Outcome::Accepted { .. }, _) => PromptAnswer::Accepted,
            (Outcome::Refused(Reason::Denied), PushDecision::Report) => PromptAnswer::Reported,
            (Outcome::Refused(Reason::Denied), _) => PromptAnswer::Denied,
            (Outcome::Refused(Reason::WrongCode), _) => PromptAnswer::WrongNumber,
            (Outcome::Refused(Reason::Locked { .. }), _) => PromptAnswer::Locked,
            (Outcome::Refused(_), _) if names_older => PromptAnswer::OlderNumber,
            (Outcome::Refused(_) | Outcome::Pending { .. }, _) => PromptAnswer::Over,
        })
    }

    /// Whether the digits of this answer were asked for before by a prompt that waits. `None` if no phone that is asked has
    /// signed it. Looked for before it is judged, which may end the prompt; said only if nothing else became of the answer.
    async fn signed_answer(&self, verification: VerificationId, answer: &PushAnswer) -> Result<Option<bool>, Fault> {
        let Some((_, view)) = self.view_of(verification).await? else { return Ok(None) };
        let Some((asked, device)) = asked_of_phone(&view, verification) else { return Ok(None) };
        let credential = self.open_credential(device)?;
        let is_older = asked.is_open(self.now()) && names_older_number(&credential, asked, answer);
        Ok(has_answered(&credential, asked, answer).then_some(is_older))
    }

    /// The user of a phone that has signed a request.
    async fn phone(&self, request: &PhoneRequest, action: PhoneAction, says: Option<&str>) -> Result<View, PhoneError> {
        let view = self.store.view(request.user).await?;
        let device = phone::paired(&view, request.device).ok_or(PhoneError::NotPaired)?;
        let text = request_text(action, (request.user, request.device), says, request.signed_at);
        if !has_signed(&self.open_credential(device)?, &text, &request.signature) {
            return Err(PhoneError::NotPaired);
        }
        let is_fresh = self.now().since(Timestamp(request.signed_at)).abs() <= REQUEST_LIFE;
        if is_fresh { Ok(view) } else { Err(PhoneError::Clock) }
    }

    async fn prompts_of(&self, view: &View, device: DeviceId) -> Result<Vec<WaitingPrompt>, Fault> {
        let mut prompts = Vec::new();
        for asked in phone::prompts(view, device, self.now()) {
            let Challenge::Approval { nonce, numbers, asked: from } = &asked.challenge else { continue };
            let client = match asked.client_id {
                Some(id) => self.store.client_view(id, None).await?.client.map(|client| client.name),
                None => None,
            };
            prompts.push(WaitingPrompt {
                id: asked.id,
                nonce: nonce.expose().to_vec(),
                account: view.user.as_ref().map(domain::User::account_name).unwrap_or_default(),
                device_name: view.device(device).map(|device| device.display_name.clone()).unwrap_or_default(),
                client,
                from: from.person.clone(),
                caller: from.caller.clone(),
                asked_at: asked.created_at,
                expires_at: asked.expires_at,
                digits: numbers.last().map_or(0, String::len),
            });
        }
        Ok(prompts)
    }
}

/// A verification that was put to a device, with the device.
fn asked_of_phone(view: &View, verification: VerificationId) -> Option<(&Verification, &Device)> {
    let asked = view.verification(verification)?;
    Some((asked, view.device(asked.device_id)?))
}
