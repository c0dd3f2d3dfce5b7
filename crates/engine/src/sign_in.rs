//! Logging in: a password, a factor where one is needed, and what is granted for both (contract 5).

use std::net::IpAddr;

use domain::factor::{Challenge, Response};
use domain::sign_in::{
    self, Compared, Drawn, DrawnGrant, Entered, Exchanged, NO_DEVICE, Refusal, SESSION_TOKEN_TTL, Stepped, Terms,
};
use domain::time::SECOND;
use domain::verification::{self, Context, Opened, Opening, Purpose};
use domain::{
    AuditEvent, AuditKind, ClientId, Decision, Device, DeviceId, Digest, FactorKind, Outcome, Reason, Status,
    Timestamp, User, UserId, Verification, View, throttle,
};
use zeroize::Zeroizing;

use crate::enrol::{Challenged, CodeStyle};
use crate::password::Kind;
use crate::verify::Opener;
use crate::{Engine, Error};

/// Life of a challenge in a log-in, in milliseconds; never longer than the log-in's own.
const CHALLENGE_TTL: i64 = 120 * SECOND;
/// How often a password is compared again because it was changed meanwhile.
const COMPARISONS: usize = 3;

/// A log-in with a password.
pub struct SignIn {
    /// User name or mail address.
    pub name: String,
    /// The password as it was typed.
    pub password: Zeroizing<String>,
    /// What it is for.
    pub terms: Terms,
    /// The end user's address, as the caller reports it.
    pub ip: Option<IpAddr>,
}

/// How a log-in with a password ends.
#[derive(Debug)]
pub enum SignInAnswer {
    /// No factor was needed.
    Granted(Granted),
    /// One of these devices, oldest first, or a temporary token must be shown under the state token.
    NeedsFactor {
        /// Who.
        user: Box<User>,
        /// Usable devices; none where only a temporary token can be shown.
        devices: Vec<Device>,
        /// 40 hexadecimal characters.
        state_token: String,
    },
    /// No.
    Refused(Refusal),
}

/// What a log-in came to.
pub struct Granted {
    /// Who logged in.
    pub user: Box<User>,
    /// What it was for.
    pub terms: Terms,
    /// 40 hexadecimal characters; of no use where an app asked.
    pub session_token: String,
    /// When the session token ends.
    pub expires_at: Timestamp,
    /// What was shown besides the password.
    pub shown: Factor,
}

/// What a completed log-in has shown besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// Nothing: none was needed, or a browser was remembered, or the network is trusted.
    None,
    /// A temporary token.
    Token,
    /// A device of this kind.
    Device(FactorKind),
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Granted(user {})", self.user.id)
    }
}

/// A step of a log-in under way: a code, a request to send one, or a poll.
#[derive(Debug, Clone)]
pub struct Step {
    /// Digest of the log-in's state token.
    pub state_token: Digest,
    /// Which device; 0 for a temporary token.
    pub device: DeviceId,
    /// What was said.
    pub response: Response,
    /// Whether a prompt may be put where none waits for an answer, and a code sent where one was.
    pub notify: bool,
    /// Whether a prompt asks for a number that the caller shows (SEC 12).
    pub number: bool,
    /// For which app; the log-in must be for the same.
    pub app: Option<i64>,
    /// Origins named with this step: if it completes the log-in, they may hand in the session token beside those named
    /// with the password (contract 5.4).
    pub origins: Vec<String>,
}

/// A number that the person reads on the caller's screen and types on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(pub String);

/// How a step ends.
#[derive(Debug)]
pub enum StepAnswer {
    /// The log-in is complete.
    Granted(Granted),
    /// A code or prompt is on its way.
    Sent(FactorKind, Option<Shown>),
    /// The person has not answered yet.
    Pending(FactorKind, Option<Shown>),
    /// No.
    Refused(Reason),
}

/// What a session token was exchanged for.
pub struct Session {
    /// What the log-in was for.
    pub terms: Terms,
    /// The cookie's value: 64 hexadecimal characters.
    pub cookie: String,
}

impl Engine {
    /// Judges a name and a password. Unknown users cost and say the same as wrong passwords (SEC 31), and every refusal
    /// takes as long as the longest comparison that anybody's hash may need.
    pub async fn sign_in(&self, request: SignIn, context: Context) -> Result<SignInAnswer, Error> {
        let named = self.hasher.named(&request.name)?;
        let (answer, kind) = self.judge_sign_in(request, context).await?;
        drop(named);
        if matches!(answer, SignInAnswer::Refused(_)) {
            self.clock.sleep(self.hasher.wait(kind)).await;
        }
        Ok(answer)
    }

    async fn judge_sign_in(&self, request: SignIn, context: Context) -> Result<(SignInAnswer, Kind), Error> {
        let mut kind = Kind::Nothing;
        let known = self.store.user_by_login(&request.name).await?;
        // Stored, so that a help desk sees from where; trusted only as far as policy says (contract 5.1).
        let context = Context { ip: request.ip.map(|ip| ip.to_string()).or(context.ip), ..context };
        let request = SignIn { terms: Terms { ip: context.ip.clone(), ..request.terms }, ..request };
        let trusted = request.ip.is_some_and(|ip| self.settings.trusted_networks.iter().any(|net| net.contains(ip)));
        for _ in 0..COMPARISONS {
            let stored = match known {
                Some(user) => {
                    let view = self.store.view(user).await?;
                    // Nothing costly is computed for a name that is held off.
                    if let Some(refusal) = self.held_off(&view, user, &context).await? {
                        return Ok((SignInAnswer::Refused(refusal), Kind::Nothing));
                    }
                    view.user.and_then(|user| user.profile.password_hash)
                }
                None => None,
            };
            let (compared, compared_as) = self.compare(context.client, stored, request.password.clone()).await?;
            kind = compared_as;
            let Some(user) = known else {
                self.note_unknown(&context).await?;
                break;
            };
            let (drawn, state_token, session_token) = self.draw_sign_in();
            let now = self.now();
            let (terms, policy, by) = (request.terms.clone(), self.settings.policy.clone(), context.clone());
            let entered = self
                .decide(user, move |view| sign_in::enter(view, &compared, &terms, &drawn, &policy, trusted, &by, now))
                .await?;
            let answer = match entered {
                Entered::Stale => continue,
                Entered::Refused(why) => SignInAnswer::Refused(why),
                Entered::NeedsFactor(user, devices) => SignInAnswer::NeedsFactor { user, devices, state_token },
                Entered::Granted(user) => SignInAnswer::Granted(Granted {
                    user,
                    terms: request.terms,
                    session_token,
                    expires_at: now.plus(SESSION_TOKEN_TTL),
                    shown: Factor::None,
                }),
            };
            return Ok((answer, kind));
        }
        Ok((SignInAnswer::Refused(Refusal::Credentials), kind))
    }

    /// The refusal of somebody whose passwords are held off, recorded; decided on a fresh view.
    async fn held_off(&self, snapshot: &View, user: UserId, by: &Context) -> Result<Option<Refusal>, Error> {
        let now = self.now();
        if throttle::password_locked(snapshot, now).is_none() {
            return Ok(None);
        }
        let by = by.clone();
        Ok(self.decide(user, move |view| sign_in::held_off(view, &by, now)).await?)
    }

    /// Takes a log-in one step further: sends, polls, or judges a code.
    pub async fn sign_in_step(&self, step: Step, context: Context) -> Result<StepAnswer, Error> {
        let Some(user) = self.store.holder(step.state_token, Purpose::SignIn).await? else {
            return Ok(StepAnswer::Refused(Reason::NotOpen));
        };
        let now = self.now();
        let snapshot = self.store.view(user).await?;
        let Some((attempt, terms)) = sign_in::attempt(&snapshot, &step.state_token, now) else {
            return Ok(StepAnswer::Refused(Reason::NotOpen));
        };
        if terms.app != step.app {
            return Ok(StepAnswer::Refused(Reason::NotOpen));
        }
        let context = Context { ip: context.ip.or_else(|| terms.ip.clone()), ..context };
        if step.response.is_absent() {
            if step.device == NO_DEVICE {
                // A temporary token is neither sent nor waited for.
                return Ok(StepAnswer::Refused(Reason::CodeMissing));
            }
            let Some(device) = snapshot.device(step.device).filter(|d| d.status.was_ever_active()) else {
                return Ok(StepAnswer::Refused(Reason::NoDevice));
            };
            if !device.factor.needs_trigger() {
                return Ok(StepAnswer::Refused(Reason::CodeMissing));
            }
            match waiting(&snapshot, &step, now) {
                Waiting::Person(shown) => return Ok(StepAnswer::Pending(device.factor, shown)),
                Waiting::Code if !step.notify => return Ok(StepAnswer::Pending(device.factor, None)),
                // "Do not notify" is said of pushes (contract 5.2): tools that ask for the first code say it too.
                Waiting::Nobody if !step.notify && device.factor == FactorKind::Push => {
                    // A prompt that was put and is over can end well no more; before one was put, nothing has failed.
                    let is_dead = terms.prompted.contains(&device.id);
                    return Ok(if is_dead {
                        StepAnswer::Refused(Reason::Denied)
                    } else {
                        StepAnswer::Pending(device.factor, None)
                    });
                }
                Waiting::Code | Waiting::Nobody => {
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
            .decide(user, move |view| {
                let (token, response, secrets) = (&step.state_token, &step.response, Opener(&keys, for_codes));
                match sign_in::step(view, token, step.device, response, &secrets, &grant, &policy, &context, now) {
                    Ok(stepped) => stepped.map(Ok),
                    Err(error) => Decision::reply(Err(error)),
                }
            })
            .await?
            .map_err(Error::internal)?;
        let factor = snapshot.device(device).map(|device| device.factor);
        match &stepped {
            Stepped::Granted(..) => self.tally.granted(factor),
            Stepped::Answered(outcome) => self.tally.count(factor, outcome),
        }
        Ok(match stepped {
            Stepped::Granted(user, terms, by) => {
                let shown = match (by, factor) {
                    (Some(_), Some(kind)) => Factor::Device(kind),
                    _ => Factor::Token,
                };
                let expires_at = now.plus(SESSION_TOKEN_TTL);
                StepAnswer::Granted(Granted { user, terms, session_token, expires_at, shown })
            }
            Stepped::Answered(Outcome::Pending(factor)) => StepAnswer::Pending(factor, None),
            Stepped::Answered(Outcome::Refused(reason)) => StepAnswer::Refused(reason),
            Stepped::Answered(Outcome::Accepted { .. }) => {
                return Err(Error::internal("an accepted step that grants nothing"));
            }
        })
    }

    /// Whether this very client is logging this user in at the moment: the password was right, and a factor is awaited.
    pub async fn is_logging_in(&self, user: UserId, client: Option<ClientId>) -> Result<bool, Error> {
        Ok(client.is_some() && sign_in::is_under_way(&self.store.view(user).await?, client, self.now()))
    }

    /// Exchanges a session token, once, for a session. `origin` is the page's, where a script hands it in.
    pub async fn exchange_session(&self, token: &str, origin: Option<String>) -> Result<Option<Session>, Error> {
        let token = Digest::of(token.as_bytes());
        let Some(user) = self.store.holder(token, Purpose::SessionToken).await? else { return Ok(None) };
        let (id, cookie, now) = (self.chance.verification_id(), self.chance.hex::<32>(), self.now());
        let digest = Digest::of(cookie.as_bytes());
        let exchanged = self
            .decide(user, move |view| {
                sign_in::exchange(view, &token, origin.as_deref(), id, digest, &Context::default(), now)
            })
            .await?;
        Ok(match exchanged {
            Exchanged::Opened(terms) => Some(Session { terms, cookie }),
            Exchanged::Refused => None,
        })
    }

    /// Whether a session token that lives lists this origin (contract 5.3, preflight).
    pub async fn is_listed_origin(&self, origin: &str) -> Result<bool, Error> {
        Ok(self.store.lists_origin(origin, self.now()).await?)
    }

    /// Puts a challenge to a device of a log-in under way.
    async fn challenge(
        &self,
        snapshot: &View,
        user: UserId,
        device: &Device,
        step: &Step,
        expires_at: Timestamp,
        context: Context,
    ) -> Result<StepAnswer, Error> {
        let (now, id) = (self.now(), self.chance.verification_id());
        let credential = self.open_credential(device)?;
        let style = CodeStyle { alphanumeric: false, keypad: false, number: step.number, template: None };
        let ttl = expires_at.since(now);
        let Challenged { challenge, content, .. } = self.draw_sent(id, device, &credential, ttl, style);
        let verification = Verification {
            id,
            wire_id: id.to_string(),
            user_id: user,
            device_id: device.id,
            purpose: Purpose::SignIn,
            challenge,
            status: Status::Pending,
            attempts: 0,
            state_token: Some(step.state_token),
            consumed_at: None,
            client_id: context.client,
            created_at: now,
            expires_at,
        };
        let message = match content {
            Some(content) => Some(self.queue(&verification, device, &content).await?),
            None => None,
        };
        let opening = Opening { verification, message, pending_devices: false };
        let by = context.clone();
        let policy = self.settings.policy.clone();
        let (state_token, prompts) = (step.state_token, device.factor == FactorKind::Push);
        let asker = (context.client, context.right);
        let opened = self
            .decide_to_send(snapshot, user, &credential, asker, now, move |view| {
                let decision = verification::open(view, &opening, &policy, &context, now);
                let put = prompts && matches!(decision.reply, Opened::Opened(_));
                let noted = put.then(|| sign_in::note_prompt(view, &state_token, opening.verification.device_id, now));
                decision.with_all(noted.flatten())
            })
            .await?;
        self.wake_outbox();
        match opened {
            Opened::Opened(put) => {
                self.warn_of_prompt(snapshot, device, by, now).await;
                Ok(StepAnswer::Sent(device.factor, put.challenge.number().map(Shown)))
            }
            Opened::Repeated(put) => Ok(StepAnswer::Pending(device.factor, put.challenge.number().map(Shown))),
            Opened::NoUser | Opened::NoDevice => Ok(StepAnswer::Refused(Reason::NoDevice)),
            Opened::Locked(until) => Err(Error::Locked(until)),
            Opened::TooSoon(at) => {
                self.warn_of_prompts(snapshot, device, by, now).await;
                Err(Error::TooMany(Some(at)))
            }
            Opened::TooMany(at) => Err(Error::TooMany(Some(at))),
        }
    }

    /// Compares a password with a stored hash, or with one that nobody has: both take as long.
    async fn compare(
        &self,
        client: Option<ClientId>,
        stored: Option<String>,
        password: Zeroizing<String>,
    ) -> Result<(Compared, Kind), Error> {
        let (right, kind) = self.hasher.matches(client, password.clone(), stored.clone()).await?;
        let renewed = match &stored {
            Some(hash) if right && crate::password::is_old(hash) => {
                Some(self.hasher.hash(client, password, self.chance.bytes()).await?)
            }
            _ => None,
        };
        Ok((Compared { with: stored, right, renewed }, kind))
    }

    /// Records a log-in of nobody in its client's chain. It costs what counting a wrong password costs, so the time an
    /// answer takes does not tell who exists (SEC 31).
    async fn note_unknown(&self, context: &Context) -> Result<(), Error> {
        let Some(client) = context.client else { return Ok(()) };
        let event = AuditEvent::of_client(AuditKind::SignInRefused, client, self.now());
        let event = AuditEvent { reason: Some("no_user"), ip: context.ip.clone(), ..event };
        self.decide_client(client, None, move |_| Decision::reply(()).with(event.clone().into())).await?;
        Ok(())
    }

    fn draw_sign_in(&self) -> (Drawn, String, String) {
        let (grant, session_token) = self.draw_grant();
        let state_token = self.chance.hex::<20>();
        let drawn = Drawn {
            attempt: self.chance.verification_id(),
            state_token: Digest::of(state_token.as_bytes()),
            ttl: self.settings.policy.sign_in.ttl,
            grant,
        };
        (drawn, state_token, session_token)
    }

    fn draw_grant(&self) -> (DrawnGrant, String) {
        let session_token = self.chance.hex::<20>();
        let grant = DrawnGrant {
            session: self.chance.verification_id(),
            session_token: Digest::of(session_token.as_bytes()),
            browser: self.chance.verification_id(),
            origins: Vec::new(),
        };
        (grant, session_token)
    }
}

/// What a poll finds.
enum Waiting {
    /// A prompt that only the person can answer: it is not put again while it lives (rulings 26).
    Person(Option<Shown>),
    /// An answer to collect.
    Collection,
    /// A code that was sent: asked for again, it is sent anew as soon as the limits allow.
    Code,
    /// Nothing has been put to this device yet.
    Nobody,
}

fn waiting(view: &View, step: &Step, now: Timestamp) -> Waiting {
    let put = view.verifications.iter().rfind(|v| {
        v.purpose == Purpose::SignIn
            && v.device_id == step.device
            && v.is_live()
            && now < v.expires_at
            && v.state_token.as_ref().is_some_and(|token| token.matches(&step.state_token))
    });
    match put.map(|v| (&v.challenge, v.status)) {
        None => Waiting::Nobody,
        Some((Challenge::Code { .. }, _)) => Waiting::Code,
        Some((challenge, Status::Pending)) => Waiting::Person(challenge.number().map(Shown)),
        Some(_) => Waiting::Collection,
    }
}
