//! Signing in: a password was right, and a second factor may stand between it and what the caller asked for
//! (contract 5, 6).
//!
//! A log-in under way is a [`Session`] that its state token names. Each challenge put under it is an ordinary verification
//! of a device that carries the same state token; what the log-in grants is written in the decision that accepts the
//! factor, so one proof opens one session.

use crate::model::audit::{Actor, AuditKind};
use crate::model::change::{Change, Decision, View};
use crate::model::device::Device;
use crate::model::digest::Digest;
use crate::model::id::{ClientId, DeviceId, SessionId};
use crate::model::policy::Policy;
use crate::model::refusal::{Reason, Rule};
use crate::model::response::FactorResponse;
use crate::model::session::{Session, SessionEnd, SessionKind, Terms};
use crate::model::time::{DAY, HOUR, SECOND, Timestamp};
use crate::model::user::{APPROVED, User};
use crate::model::verification::{MAX_ATTEMPTS, Purpose};
use crate::rules::basis::Basis;
use crate::rules::need::{self, Need};
use crate::rules::password_check::PasswordCheck;
use crate::rules::throttle;
use crate::rules::verification::answer::refuse_typed;
use crate::rules::verification::end::{close_expired, close_over, end_session};
use crate::rules::verification::judge::{Secrets, judge_at_log_in};
use crate::rules::verification::outcome::Outcome;

/// Life of a session token, in milliseconds (contract 12).
pub const SESSION_TOKEN_TTL: i64 = 120 * SECOND;
/// Longest life of a session in a browser, in milliseconds (SEC 58).
pub const SESSION_TTL: i64 = 12 * HOUR;
/// Most log-ins of one user under way, sessions and remembered browsers; the oldest gives way.
const MOST: usize = 10;

/// Everything random that a log-in may need, drawn before the decision.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The id of the log-in under way.
    pub attempt: SessionId,
    /// Digest of its state token.
    pub state_token: Digest,
    /// Life of the state token, in milliseconds.
    pub ttl: i64,
    /// What a grant needs.
    pub grant: DrawnGrant,
}

/// What a grant needs.
#[derive(Debug, Clone)]
pub struct DrawnGrant {
    /// The id of the session token.
    pub session: SessionId,
    /// Digest of the session token.
    pub session_token: Digest,
    /// The id under which the browser is remembered.
    pub browser: SessionId,
    /// Origins named with the step that completes the log-in; those of its terms hold as well (contract 5.4).
    pub origins: Vec<String>,
}

/// How entering a password ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// No factor is needed.
    Granted(Box<User>),
    /// The state token is good for one of these devices, oldest first, or for a temporary token. There are none where only
    /// a temporary token can be shown.
    NeedsFactor(Box<User>, Vec<Device>),
    Refused(LoginRefusal),
    /// The password was changed meanwhile: compare again.
    Stale,
}

/// Why a password does not let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginRefusal {
    /// Unknown user, wrong password, or too many wrong ones: the answer is the same (SEC 31).
    Credentials,
    /// An administrator's lock, or a suspended user. Shown only to a caller that knows the password.
    Locked,
    /// Not active, or not approved.
    Inactive,
    /// A factor is needed and none can be shown: no device is in use, and no temporary token lives.
    NoFactor,
}

/// The refusal of somebody whose passwords are held off, if they are: nothing is compared then (SEC 31).
pub fn held_off(view: &View, context: &Actor, now: Timestamp) -> Decision<Option<LoginRefusal>> {
    let Some(user) = view.user.as_ref().filter(|_| throttle::password_locked(view, now).is_some()) else {
        return Decision::reply(None);
    };
    let reply = Decision::reply(Some(LoginRefusal::Credentials));
    // Repeated refusals under one lock are one entry (SEC 26).
    let event = context.event(AuditKind::SignInRefused, user.id, now).refused(Rule::PasswordThrottle, "locked");
    throttle::refused_under_lock(view, reply, user.id, event, now)
}

/// Judges a log-in with a password. `trusted_network` is whether it comes from where no factor is asked for.
pub fn enter(
    view: &View,
    compared: &PasswordCheck,
    terms: &Terms,
    drawn: &Drawn,
    trusted_network: bool,
    basis: Basis<'_>,
) -> Decision<Entered> {
    let Basis { policy, actor: context, now } = basis;
    let Some(user) = &view.user else { return Decision::reply(Entered::Refused(LoginRefusal::Credentials)) };
    if user.profile.password_hash != compared.with {
        return Decision::reply(Entered::Stale);
    }
    let event = |rule, why| context.event(AuditKind::SignInRefused, user.id, now).refused(rule, why);
    let refused = |refusal, rule, why| Decision::reply(Entered::Refused(refusal)).with(event(rule, why).into());
    // Repeated refusals under one lock are one entry, also for callers who know the password (SEC 26).
    let under_lock = |refusal, rule, why| {
        throttle::refused_under_lock(view, Decision::reply(Entered::Refused(refusal)), user.id, event(rule, why), now)
    };
    if throttle::password_locked(view, now).is_some() {
        return under_lock(LoginRefusal::Credentials, Rule::PasswordThrottle, "locked")
            .with_all(throttle::shortened(view, user.id, now));
    }
    if !compared.is_right {
        return refused(LoginRefusal::Credentials, Rule::WrongPassword, "wrong_password")
            .with(throttle::count_password(view, user.id, now));
    }
    if user.is_barred(now) {
        return under_lock(LoginRefusal::Locked, Rule::UserBarred, "barred");
    }
    if !user.may_log_in(now) {
        let approved = user.profile.state == APPROVED;
        let (rule, why) =
            if approved { (Rule::UserInactive, "not_active") } else { (Rule::UserNotApproved, "not_approved") };
        return refused(LoginRefusal::Inactive, rule, why);
    }
    let exempt = trusted_network || is_remembered(view, terms, policy, now);
    let forgiven = throttle::reset_password_failures(view, user.id);
    let devices = match need::of(view, user, policy, exempt, now) {
        Need::Nothing => {
            let grant = grant(view, user, terms, &drawn.grant, compared.renewed.clone(), None, basis);
            return Decision::of(grant, Entered::Granted(Box::new(user.clone()))).with_all(forgiven);
        }
        Need::Unmet(why) => return refused(LoginRefusal::NoFactor, Rule::NoFactor, why.name()),
        Need::Factor(devices) => devices,
    };
    let mut changes = Vec::new();
    if let Some(hash) = compared.renewed.clone() {
        let mut renewed = user.clone();
        renewed.profile.password_hash = Some(hash);
        changes.push(Change::UpdateUser(renewed));
    }
    changes.extend(begin(
        view,
        Session {
            id: drawn.attempt,
            user_id: user.id,
            kind: SessionKind::LogIn { terms: terms.clone(), attempts: 0 },
            token: drawn.state_token,
            client_id: context.client,
            created_at: now,
            expires_at: now.plus(drawn.ttl),
        },
    ));
    changes.push(context.event(AuditKind::SignInStarted, user.id, now).session(drawn.attempt).into());
    Decision::of(changes, Entered::NeedsFactor(Box::new(user.clone()), devices)).with_all(forgiven)
}

/// How a step with a factor ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    /// The log-in is complete, with this device, or with a temporary token.
    Granted(Box<User>, Terms, Option<DeviceId>),
    /// Waiting, or refused, as for any verification.
    Answered(Outcome),
}

/// A log-in under way.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub id: SessionId,
    pub terms: &'a Terms,
    /// Wrong answers so far.
    pub attempts: i64,
    pub client_id: Option<ClientId>,
    pub expires_at: Timestamp,
}

fn under_way(view: &View, now: Timestamp) -> impl Iterator<Item = (&Session, Attempt<'_>)> {
    view.sessions.iter().filter(move |session| session.is_open(now)).filter_map(|session| match &session.kind {
        SessionKind::LogIn { terms, attempts } => {
            let &Session { id, client_id, expires_at, .. } = session;
            Some((session, Attempt { id, terms, attempts: *attempts, client_id, expires_at }))
        }
        _ => None,
    })
}

/// The log-in under way that a state token names.
pub fn attempt<'a>(view: &'a View, state_token: &Digest, now: Timestamp) -> Option<Attempt<'a>> {
    under_way(view, now).find(|(session, _)| session.token.matches(state_token)).map(|(_, attempt)| attempt)
}

/// Notes in a log-in under way that a prompt is put to this device: should it end without an answer, nothing waits for one
/// any more.
pub fn note_prompt(view: &View, state_token: &Digest, device: DeviceId, now: Timestamp) -> Option<Change> {
    let attempt = attempt(view, state_token, now)?;
    if attempt.terms.prompted.contains(&device) {
        return None;
    }
    let mut terms = attempt.terms.clone();
    terms.prompted.push(device);
    Some(Change::SetTerms { session: attempt.id, terms })
}

/// Whether a log-in or an assertion that this client has begun is under way.
pub fn is_under_way(view: &View, client: Option<ClientId>, now: Timestamp) -> bool {
    under_way(view, now).any(|(_, attempt)| attempt.client_id == client)
}

/// Judges an answer for a log-in under way, and grants what it is for once it is right. `device` is what the answer is said
/// to be of, `None` for the temporary token.
///
/// # Errors
/// If the credential of the device concerned does not open.
pub fn step<S: Secrets>(
    view: &View,
    state_token: &Digest,
    device: Option<DeviceId>,
    response: &FactorResponse,
    secrets: &S,
    drawn: &DrawnGrant,
    basis: Basis<'_>,
) -> Result<Decision<Stepped>, S::Error> {
    let Basis { actor: context, now, .. } = basis;
    let not_open = || Ok(refuse_typed(view, response, None, context, now).map(Stepped::Answered));
    let Some(user) = view.user.as_ref().filter(|user| user.is_barred(now) || user.may_log_in(now)) else {
        return not_open();
    };
    let Some(attempt) = attempt(view, state_token, now) else { return not_open() };
    let judged = judge_at_log_in(view, (state_token, device), response, secrets, context, now)?;
    let Decision { mut changes, folded, reply } = judged;
    Ok(match reply {
        Outcome::Accepted { device, .. } => {
            let terms = &attempt.terms.with_origins(&drawn.origins);
            changes.push(close(attempt.id, SessionEnd::Used { at: now }));
            changes.extend(end_siblings(view, state_token, device));
            changes.extend(grant(view, user, terms, drawn, None, terms.browser, basis));
            Decision::of(changes, Stepped::Granted(Box::new(user.clone()), terms.clone(), device))
        }
        Outcome::Refused(Reason::WrongCode) if changes.iter().any(|c| matches!(c, Change::SetThrottle(..))) => {
            changes.push(Change::CountLogInAttempt(attempt.id));
            if attempt.attempts + 1 >= MAX_ATTEMPTS {
                changes.push(close(attempt.id, SessionEnd::Refused { at: now }));
            }
            Decision::of(changes, Stepped::Answered(reply))
        }
        reply => Decision { changes, folded, reply: Stepped::Answered(reply) },
    })
}

/// How handing in a session token ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchanged {
    /// A session is open; the terms say where the browser goes.
    Opened(Terms),
    /// The token is unknown, over or used, or this origin may not hand it in.
    Refused,
}

/// Exchanges a session token, once, for a session. `origin` is the page's, where a script hands it in.
pub fn exchange(
    view: &View,
    session_token: &Digest,
    origin: Option<&str>,
    session: SessionId,
    cookie: Digest,
    context: &Actor,
    now: Timestamp,
) -> Decision<Exchanged> {
    let refused = Decision::reply(Exchanged::Refused).with_all(close_over(view, now));
    let Some(user) = view.user.as_ref().filter(|user| user.may_log_in(now)) else { return refused };
    let found = view.sessions.iter().find_map(|session| match &session.kind {
        SessionKind::SessionToken { terms } if session.is_open(now) && session.token.matches(session_token) => {
            Some((session, terms))
        }
        _ => None,
    });
    let Some((token, terms)) = found else { return refused };
    if origin.is_some_and(|origin| !terms.origins.iter().any(|allowed| allowed == origin)) {
        return refused;
    }
    let opened = Session {
        id: session,
        user_id: user.id,
        kind: SessionKind::Browsing,
        token: cookie,
        // The browser that hands the token in names no client: the session is of the client whose log-in led to it.
        client_id: token.client_id,
        created_at: now,
        expires_at: now.plus(SESSION_TTL),
    };
    let mut changes = vec![close(token.id, SessionEnd::Used { at: now })];
    changes.extend(begin(view, opened));
    changes.push(context.event(AuditKind::SessionOpened, user.id, now).session(token.id).into());
    Decision::of(changes, Exchanged::Opened(terms.clone()))
}

/// What a completed log-in leaves behind: the session token, unless an app asked, and the browser if it is remembered.
fn grant(
    view: &View,
    user: &User,
    terms: &Terms,
    drawn: &DrawnGrant,
    renewed: Option<String>,
    browser: Option<Digest>,
    basis: Basis<'_>,
) -> Vec<Change> {
    let Basis { policy, actor: context, now } = basis;
    let mut changes = Vec::new();
    let mut logged_in = user.clone();
    logged_in.profile.last_login = Some(now);
    if renewed.is_some() {
        logged_in.profile.password_hash = renewed;
    }
    changes.push(Change::UpdateUser(logged_in));
    let granted = |id, kind, token, ttl| Session {
        id,
        user_id: user.id,
        kind,
        token,
        client_id: context.client,
        created_at: now,
        expires_at: now.plus(ttl),
    };
    if terms.app.is_none() {
        let kind = SessionKind::SessionToken { terms: terms.clone() };
        changes.extend(begin(view, granted(drawn.session, kind, drawn.session_token, SESSION_TOKEN_TTL)));
    }
    if let Some(browser) = browser.filter(|_| policy.sign_in.remember_days > 0) {
        let ttl = i64::from(policy.sign_in.remember_days) * DAY;
        changes.extend(begin(view, granted(drawn.browser, SessionKind::RememberedBrowser, browser, ttl)));
    }
    changes.push(context.event(AuditKind::SignedIn, user.id, now).into());
    changes
}

fn close(session: SessionId, end: SessionEnd) -> Change {
    Change::CloseSession { session, end }
}

/// Opens a session. The oldest of its kind ends, if there are as many as may be.
fn begin(view: &View, session: Session) -> Vec<Change> {
    let alike: Vec<_> = view.sessions.iter().filter(|other| other.kind.is_like(&session.kind)).collect();
    let over = (alike.len() + 1).saturating_sub(MOST);
    let ends = alike.into_iter().take(over).flat_map(|session| end_session(view, session));
    ends.chain([Change::OpenSession(session)]).collect()
}

/// Ends the other challenges of a log-in that is complete.
fn end_siblings<'a>(
    view: &'a View,
    state_token: &'a Digest,
    answered: Option<DeviceId>,
) -> impl Iterator<Item = Change> + 'a {
    view.verifications
        .iter()
        .filter(move |v| {
            v.purpose == Purpose::SignIn
                && Some(v.device_id) != answered
                && v.status.is_pending()
                && v.state_token.as_ref().is_some_and(|token| token.matches(state_token))
        })
        .flat_map(|v| [close_expired(v), Change::DropMessages(v.id)])
}

/// Whether a factor was shown in this browser, no longer ago than policy says today.
fn is_remembered(view: &View, terms: &Terms, policy: &Policy, now: Timestamp) -> bool {
    let Some(browser) = terms.browser else { return false };
    let days = i64::from(policy.sign_in.remember_days) * DAY;
    view.sessions.iter().any(|session| {
        session.kind == SessionKind::RememberedBrowser
            && session.is_open(now)
            && now < session.created_at.plus(days)
            && session.token.matches(&browser)
    })
}
