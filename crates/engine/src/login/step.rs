//! The steps of a log-in under way: a code, a request to send one, or a poll (contract 5).

use domain::model::audit::Actor;
use domain::model::time::SECOND;
use domain::rules::basis::Basis;
use domain::rules::reaching::Unreachable;
use domain::rules::sign_in::{self, SESSION_TOKEN_TTL, Stepped};
use domain::rules::verification::answer::refuse_typed;
use domain::rules::verification::open::{self, Opened, Opening};
use domain::{
    Challenge, ClientOptions, Decision, Device, DeviceId, Digest, FactorKind, FactorResponse, LinkChallenge, Outcome,
    Purpose, Reason, Status, Timestamp, UserId, Verification, View,
};

use crate::challenges::answer::Opener;
use crate::challenges::draw::{Challenged, CodeStyle};
use crate::challenges::link::{MailRequest, asked_from};
use crate::challenges::message_budgets::{Sending, may_be_unsent};
use crate::challenges::poll_error::PollError;
use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::login::session::{CompletedLogin, ShownFactor};
use crate::{Engine, Fault};

/// Life of a challenge in a log-in, in milliseconds; never longer than the log-in's own.
const CHALLENGE_TTL: i64 = 120 * SECOND;

/// A step of a log-in under way: a code, a request to send one, or a poll.
#[derive(Debug, Clone)]
pub struct LoginStep {
    /// Digest of the log-in's state token.
    pub state_token: Digest,
    /// Which device; `None` for the temporary token.
    pub device: Option<DeviceId>,
    /// What was said.
    pub response: FactorResponse,
    /// Whether a prompt may be put where none waits for an answer, and a code sent where one was.
    pub notify: bool,
    /// What an operator has chosen for the client that asks.
    pub options: ClientOptions,
    /// For which app; the log-in must be for the same.
    pub app: Option<i64>,
    /// Origins named with this step: if it completes the log-in, they may hand in the session token beside those named
    /// with the password (contract 5.4).
    pub origins: Vec<String>,
}

/// A number that the person reads on the caller's screen and types on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptNumber(pub String);

impl PromptNumber {
    /// The digits to show.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// How a step ends.
#[derive(Debug)]
pub enum LoginStepAnswer {
    /// The log-in is complete.
    Granted(CompletedLogin),
    /// A code or prompt is on its way.
    Sent(FactorKind, Option<PromptNumber>),
    /// The person has not answered yet.
    Pending(FactorKind, Option<PromptNumber>),
    Refused(Reason),
}

/// Why a step of a log-in was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LoginStepError {
    /// Locked by wrong answers, with the end where there is one: nothing is sent.
    #[error("locked")]
    Locked(Option<Timestamp>),
    /// No message may go to the device's number or address any more.
    #[error(transparent)]
    Unreachable(Unreachable),
    /// Too many open challenges or messages, or the next one must wait; with the moment to come back.
    #[error("too many challenges or messages")]
    TooMany(Timestamp),
    /// The caller's token was revoked or has run out while the call was held, or its address may not call any more.
    #[error("the token is no longer live")]
    Revoked,
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(LoginStepError);
may_be_unsent!(LoginStepError);

impl From<PollError> for LoginStepError {
    fn from(error: PollError) -> Self {
        match error {
            PollError::Revoked => Self::Revoked,
            PollError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Engine {
    /// Takes a log-in one step further: sends, polls, or judges a code.
    pub(crate) async fn log_in_step(&self, step: LoginStep, context: Actor) -> Result<LoginStepAnswer, LoginStepError> {
        let is_typed = !step.response.is_absent();
        let Some(user) = self.store.user_logging_in(step.state_token).await? else {
            if is_typed {
                self.note_refused(DecisionName::LogInStep, Reason::NotOpen, None, &context).await?;
            }
            return Ok(LoginStepAnswer::Refused(Reason::NotOpen));
        };
        let now = self.now();
        let snapshot = self.store.view(user).await?;
        let attempt = sign_in::attempt(&snapshot, &step.state_token, now);
        let Some(attempt) = attempt.filter(|attempt| attempt.terms.app == step.app) else {
            if is_typed {
                let refuse = move |view: &View| refuse_typed(view, &step.response, None, &context, now);
                self.decide(DecisionName::LogInStep, user, refuse).await?;
            }
            return Ok(LoginStepAnswer::Refused(Reason::NotOpen));
        };
        let terms = attempt.terms;
        let context = Actor { ip: context.ip.or_else(|| terms.ip.clone()), ..context };
        if !is_typed {
            let Some(named) = step.device else {
                // A temporary token is neither sent nor waited for.
                return Ok(LoginStepAnswer::Refused(Reason::CodeMissing));
            };
            let Some(device) = snapshot.device(named).filter(|d| d.status.was_ever_active()) else {
                return Ok(LoginStepAnswer::Refused(Reason::NoDevice));
            };
            if !device.factor.needs_trigger() {
                return Ok(LoginStepAnswer::Refused(Reason::CodeMissing));
            }
            match waiting(&snapshot, &step, now) {
                Waiting::Person(shown) => return Ok(LoginStepAnswer::Pending(device.factor, shown)),
                Waiting::Code if !step.notify => return Ok(LoginStepAnswer::Pending(device.factor, None)),
                // "Do not notify" is said of pushes (contract 5.2): tools that ask for the first code say it too. A link that
                // was mailed is as a prompt that was put.
                Waiting::Nothing
                    if !step.notify && (device.factor == FactorKind::Push || terms.prompted.contains(&device.id)) =>
                {
                    // A prompt that was put and is over can end well no more; before one was put, nothing has failed.
                    let is_dead = terms.prompted.contains(&device.id);
                    return Ok(if is_dead {
                        LoginStepAnswer::Refused(Reason::Denied)
                    } else {
                        LoginStepAnswer::Pending(device.factor, None)
                    });
                }
                Waiting::Code | Waiting::Nothing => {
                    let until = attempt.expires_at.min(now.plus(CHALLENGE_TTL));
                    return self.challenge(&snapshot, user, device, &step, until, context).await;
                }
                // The person has answered: collected below, once.
                Waiting::Collection => {}
            }
        }
        let device = step.device;
        let (mut grant, session_token) = self.draw_grant();
        grant.origins.clone_from(&step.origins);
        let (keys, policy, for_codes) = (self.keys.clone(), self.settings.policy.clone(), self.time.for_codes());
        let stepped = self
            .decide(DecisionName::LogInStep, user, move |view| {
                let (token, response, secrets) = (&step.state_token, &step.response, Opener(&keys, for_codes));
                let basis = Basis { policy: &policy, actor: &context, now };
                match sign_in::step(view, token, step.device, response, &secrets, &grant, basis) {
                    Ok(stepped) => stepped.map(Ok),
                    Err(error) => Decision::reply(Err(error)),
                }
            })
            .await?
            .map_err(Fault::internal)?;
        let factor = device.and_then(|id| snapshot.device(id)).map(|device| device.factor);
        match &stepped {
            Stepped::Granted(..) => self.answers.granted(factor),
            Stepped::Answered(outcome) => self.answers.count(factor, outcome),
        }
        Ok(match stepped {
            Stepped::Granted(user, terms, by) => {
                let shown = match (by, factor) {
                    (Some(_), Some(kind)) => ShownFactor::Device(kind),
                    _ => ShownFactor::Token,
                };
                let expires_at = now.plus(SESSION_TOKEN_TTL);
                LoginStepAnswer::Granted(CompletedLogin { user, terms, session_token, expires_at, shown })
            }
            Stepped::Answered(Outcome::Pending { factor, number }) => {
                LoginStepAnswer::Pending(factor, number.map(PromptNumber))
            }
            Stepped::Answered(Outcome::Refused(reason)) => LoginStepAnswer::Refused(reason),
            Stepped::Answered(Outcome::Accepted { .. }) => {
                return Err(Fault::internal("an accepted step that grants nothing").into());
            }
        })
    }

    /// Puts a challenge to a device of a log-in under way.
    async fn challenge(
        &self,
        snapshot: &View,
        user: UserId,
        device: &Device,
        step: &LoginStep,
        expires_at: Timestamp,
        context: Actor,
    ) -> Result<LoginStepAnswer, LoginStepError> {
        let (now, id) = (self.now(), self.chance.verification_id());
        let credential = self.open_credential(device)?;
        let language = snapshot.user.as_ref().and_then(|user| user.profile.language());
        let options = &step.options;
        let asked = MailRequest::AsSet;
        let link = self.mailed_link(&asked);
        let (asked, subscription) = (asked_from(&context), self.open_subscription(device)?);
        let style = CodeStyle {
            alphanumeric: false,
            keypad: false,
            options,
            template: None,
            language,
            link,
            asked,
            subscription,
        };
        let ttl = expires_at.since(now);
        let Challenged { challenge, content, .. } = self.draw_sent(id, device, &credential, ttl, style);
        let verification = Verification {
            id,
            wire_id: id.to_string(),
            user_id: user,
            device_id: device.id,
            purpose: Purpose::SignIn,
            challenge,
            status: Status::NEW,
            state_token: Some(step.state_token),
            client_id: context.client,
            created_at: now,
            expires_at,
        };
        let message = match content {
            Some(content) => Some(self.queue(&verification, device, content).await?),
            None => None,
        };
        let prompts = device.factor == FactorKind::Push || matches!(verification.challenge, Challenge::Link(_));
        let opening = Opening { verification, message, pending_devices: false };
        let by = context.clone();
        let policy = self.settings.policy.clone();
        let state_token = step.state_token;
        let asker = (context.client, context.right);
        let name = DecisionName::LogInChallenge;
        let sending = Sending { name, user, target: &credential, asks: true, by: asker, now };
        let opened = self
            .decide_to_send(sending, snapshot, move |view| {
                let decision = open::open(view, &opening, Basis { policy: &policy, actor: &context, now });
                let put = prompts && matches!(decision.reply, Opened::Opened(_));
                let noted = put.then(|| sign_in::note_prompt(view, &state_token, opening.verification.device_id, now));
                decision.with_all(noted.flatten())
            })
            .await?;
        match opened {
            Opened::Opened(put) => {
                self.warn_if_last_prompt(snapshot, device, by, now).await;
                Ok(LoginStepAnswer::Sent(device.factor, put.challenge.number().map(PromptNumber)))
            }
            Opened::Repeated(put) => {
                Ok(LoginStepAnswer::Pending(device.factor, put.challenge.number().map(PromptNumber)))
            }
            Opened::NoUser | Opened::NoDevice => Ok(LoginStepAnswer::Refused(Reason::NoDevice)),
            Opened::Locked(until) => Err(LoginStepError::Locked(until)),
            Opened::TooSoon(at) => {
                self.send_prompt_warning(snapshot, device, by, now).await;
                Err(LoginStepError::TooMany(at))
            }
            Opened::TooMany(at) => Err(LoginStepError::TooMany(at)),
        }
    }
}

impl Engine {
    /// Whether the person may answer a step of a log-in apart from its caller: a prompt, or a link in a mail.
    pub(crate) async fn awaits_person(&self, user: UserId, step: &LoginStep) -> Result<bool, Fault> {
        let view = self.store.view(user).await?;
        let put = put(&view, step, self.now());
        Ok(put.is_some_and(|v| matches!(v.challenge, Challenge::Approval { .. } | Challenge::Link(_))))
    }
}

/// What a poll finds.
enum Waiting {
    /// A prompt that only the person can answer: it is not put again while it lives (decision 26).
    Person(Option<PromptNumber>),
    /// An answer to collect.
    Collection,
    /// A code that was sent: asked for again, it is sent anew as soon as the limits allow.
    Code,
    /// Nothing was sent to this device yet.
    Nothing,
}

/// What was put to the device of this step, if it lives.
fn put<'v>(view: &'v View, step: &LoginStep, now: Timestamp) -> Option<&'v Verification> {
    view.verifications.iter().rfind(|v| {
        v.purpose == Purpose::SignIn
            && Some(v.device_id) == step.device
            && v.is_live()
            && now < v.expires_at
            && v.state_token.as_ref().is_some_and(|token| token.matches(&step.state_token))
    })
}

fn waiting(view: &View, step: &LoginStep, now: Timestamp) -> Waiting {
    match put(view, step, now).map(|v| (&v.challenge, v.status)) {
        None => Waiting::Nothing,
        // A mail with a code is sent anew when it is asked for; the person may confirm its link meanwhile.
        Some(
            (Challenge::Code { .. }, _)
            | (Challenge::Link(LinkChallenge { code: Some(_), .. }), Status::Pending { .. }),
        ) => Waiting::Code,
        Some((challenge, Status::Pending { .. })) => Waiting::Person(challenge.number().map(PromptNumber)),
        Some(_) => Waiting::Collection,
    }
}
