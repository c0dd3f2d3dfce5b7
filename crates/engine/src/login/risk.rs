//! Smart MFA (contract 8): a visit is judged, and only one that is risky costs a code.

use std::net::IpAddr;

use domain::model::audit::Actor;
use domain::model::time::SECOND;
use domain::model::user_patch::UserPatch;
use domain::model::visit::Visit;
use domain::model::{name, text};
use domain::rules::risk::{self, Risk};
use domain::rules::user::remember_visits;
use domain::rules::verification::answer::refuse_typed;
use domain::rules::verification::find::Target;
use domain::{
    ClientOptions, DeviceId, FactorKind, FactorResponse, Outcome, Purpose, Reason, User, UserField, UserId,
    VerificationId, View,
};

use crate::challenges::answer::AnswerRequest;
use crate::challenges::draw::Handle;
use crate::challenges::link::MailRequest;
use crate::challenges::open::{CallStyle, ChallengeError, OpenRequest};
use crate::decision_name::DecisionName;
use crate::devices::enrol::{Confirm, EnrolError, EnrolRequest};
use crate::fault::faults_of_the_store;
use crate::users::error::{CreateUserError, UpdateUserError};
use crate::{Engine, Fault};

/// A visit to judge.
#[derive(Debug, Clone)]
pub struct VisitRequest {
    /// The name to log in with; a user of that name is created if there is none.
    pub username: String,
    /// Where a code goes.
    pub channel: CodeChannel,
    pub ip: IpAddr,
    pub user_agent: String,
    /// A score of at least this costs a code.
    pub threshold: i64,
    /// Life of the code, in seconds.
    pub life: i64,
    /// What an operator has chosen for the client that asks.
    pub options: ClientOptions,
    /// Profile texts of a user who is created.
    pub texts: Vec<(String, Option<String>)>,
}

/// Where codes go. It stays the same for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeChannel {
    /// To this address.
    Email(String),
    /// To this number, in any spelling.
    Phone(String),
}

impl CodeChannel {
    fn factor(&self) -> FactorKind {
        match self {
            Self::Email(_) => FactorKind::Email,
            Self::Phone(_) => FactorKind::Sms,
        }
    }

    /// Whether the user is reached so. `None` if nothing is known of how to reach them.
    fn is_of(&self, user: &User) -> Option<bool> {
        let known = match self {
            Self::Email(address) => user.email.as_ref().map(|known| name::key(known) == name::key(address)),
            Self::Phone(number) => {
                let number = text::phone(number);
                user.phone.as_ref().map(|known| number.is_some() && text::phone(known) == number)
            }
        };
        known.or((user.email.is_some() || user.phone.is_some()).then_some(false))
    }

    fn patch(&self) -> UserPatch {
        match self {
            Self::Email(address) => UserPatch { email: Some(Some(address.clone())), ..UserPatch::default() },
            Self::Phone(number) => UserPatch { phone: Some(Some(number.clone())), ..UserPatch::default() },
        }
    }
}

/// A visit, judged.
#[derive(Debug, Clone)]
pub struct JudgedVisit {
    pub user: UserId,
    pub risk: Risk,
    /// The challenge, if a code was sent.
    pub sent: Option<VerificationId>,
}

/// Why a visit was not judged.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// The user is reached in another way.
    #[error("the user is reached in another way")]
    Channel,
    /// The user is suspended or locked by an administrator.
    #[error("the user is locked")]
    Barred,
    /// The user could not be found, created or given the channel.
    #[error(transparent)]
    User(UpdateUserError),
    /// The channel could not be enrolled.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// No code could be sent.
    #[error(transparent)]
    Challenge(#[from] ChallengeError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(VisitError);

impl Engine {
    /// Judges a visit, and sends a code if it is risky.
    pub async fn visit(&self, request: VisitRequest, context: Actor) -> Result<JudgedVisit, VisitError> {
        let context = Actor { ip: Some(request.ip.to_string()), ..context };
        let user = self.visitor(&request, &context).await?;
        if user.is_barred(self.now()) {
            return Err(VisitError::Barred);
        }
        let visit = Visit::of(request.ip, &request.user_agent);
        let risk = risk::assess(&user.profile.visits, visit, self.now());
        if i64::from(risk.score) < request.threshold {
            return Ok(JudgedVisit { user: user.id, risk, sent: None });
        }
        let device = self.way_to(&user, &request.channel, &context).await?;
        let opened = self
            .open_verification(
                OpenRequest {
                    user: user.id,
                    device,
                    handle: Handle::Uuid,
                    confirms: false,
                    ttl: request.life * SECOND,
                    mail_ttl: request.life * SECOND,
                    numeric: true,
                    call: CallStyle::TakesDigits,
                    options: request.options.clone(),
                    template: None,
                    // Its answer is a code (contract 8).
                    mail: MailRequest::Code,
                },
                context,
            )
            .await?;
        let (id, now) = (opened.verification.id, self.now());
        self.decide(DecisionName::RememberVisit, user.id, move |view| {
            remember_visits(view, |known| Some(risk::remember(known, visit, Some(id), now)))
        })
        .await?;
        Ok(JudgedVisit { user: user.id, risk, sent: Some(id) })
    }

    /// Judges the code of a visit. A visit whose code was right is known from then on.
    pub async fn prove_visit(
        &self,
        asked: VerificationId,
        code: FactorResponse,
        context: Actor,
    ) -> Result<Outcome, Fault> {
        let Some(user) = self.store.whose_verification(asked).await? else {
            self.note_refused(DecisionName::ProveVisit, Reason::NotOpen, Some(asked), &context).await?;
            return Ok(Outcome::Refused(Reason::NotOpen));
        };
        let awaits = |view: &View| {
            view.user.as_ref().is_some_and(|user| user.profile.visits.iter().any(|visit| visit.awaits == Some(asked)))
        };
        // Other challenges are answered by other calls.
        let view = self.store.view(user).await?;
        let Some(verification) = view.verification(asked).filter(|_| awaits(&view)) else {
            let now = self.now();
            let refuse = move |view: &View| refuse_typed(view, &code, Some(asked), &context, now);
            return Ok(self.decide(DecisionName::ProveVisit, user, refuse).await?);
        };
        let target = Target::Wire {
            wire_id: verification.wire_id.clone(),
            purpose: Purpose::Login,
            device: Some(verification.device_id),
        };
        let outcome = self.verify(AnswerRequest { user, target, response: code }, context).await?;
        if matches!(outcome, Outcome::Accepted { .. }) {
            let now = self.now();
            self.decide(DecisionName::ProveVisit, user, move |view| {
                remember_visits(view, |known| risk::prove(known, asked, now))
            })
            .await?;
        }
        Ok(outcome)
    }

    /// The user who visits, created if need be.
    async fn visitor(&self, request: &VisitRequest, context: &Actor) -> Result<User, VisitError> {
        // Another call may create the same user at the same moment: the second one finds them.
        for attempt in 0..2 {
            // By its key, not as a list: a log-in never waits for its turn at a list.
            if let Some(id) = self.store.user_by_username(&request.username).await? {
                let user = self.user(id).await.map_err(|error| VisitError::User(error.into()))?;
                return match request.channel.is_of(&user) {
                    Some(true) => Ok(user),
                    Some(false) => Err(VisitError::Channel),
                    None => {
                        let updated = self.update_user(user.id, request.channel.patch(), None, context.clone()).await;
                        updated.map_err(VisitError::User)
                    }
                };
            }
            let patch = UserPatch {
                username: Some(Some(request.username.clone())),
                texts: request.texts.clone(),
                ..request.channel.patch()
            };
            match self.create_user(patch, None, context.clone()).await {
                Err(CreateUserError::Taken(UserField::Username)) if attempt == 0 => {}
                created => return created.map_err(|error| VisitError::User(error.into())),
            }
        }
        Err(Fault::Busy.into())
    }

    /// The device that codes go to, enrolled if need be.
    async fn way_to(&self, user: &User, channel: &CodeChannel, context: &Actor) -> Result<DeviceId, EnrolError> {
        let factor = channel.factor();
        // One that is disabled is found too, and refuses to be challenged: it is not replaced by another (SEC 92).
        let known = |view: &View| {
            let device = view.devices.iter().find(|d| d.factor == factor && d.status.was_ever_active());
            device.map(|device| device.id)
        };
        if let Some(device) = known(&self.store.view(user.id).await?) {
            return Ok(device);
        }
        let request = EnrolRequest {
            user: user.id,
            factor,
            display_name: None,
            default_name: if factor == FactorKind::Email { "Email" } else { "SMS" }.to_owned(),
            target: None,
            trusted: true,
            confirm: Confirm::WhenTriggered,
            handle: Handle::StateToken,
            ttl: 0,
            // Nothing is sent to enrol it.
            options: ClientOptions::default(),
            template: None,
            mail: MailRequest::Code,
            invitation: None,
        };
        match self.enrol(request, context.clone()).await {
            Ok(enrolled) => Ok(enrolled.device.id),
            // By somebody else, at the same moment.
            Err(EnrolError::AlreadyEnrolled) => Ok(known(&self.store.view(user.id).await?).ok_or(Fault::Busy)?),
            Err(error) => Err(error),
        }
    }
}
