//! Log-ins: with a password, and then with devices of every kind and state, among them unknown ones and those of other people, and with
//! temporary tokens. Whatever happened before, a log-in needs no less than what the user has, and what is compared is
//! counted.

use std::cell::Cell;
use std::convert::Infallible;

use countersign_domain::model::session::Terms;
use countersign_domain::rules::password_check::PasswordCheck;
use countersign_domain::rules::sign_in::{Drawn, DrawnGrant, Entered, LoginRefusal, Stepped, enter};
use countersign_domain::rules::verification::judge::Secrets;
use countersign_domain::{Change, MacKeys, Throttle};

use super::*;

/// The hash of everybody's password.
const HASH: &str = "$argon2id$everybodys";

/// A log-in under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogIn {
    pub(crate) user: UserId,
    pub(crate) attempt: SessionId,
    pub(crate) state_token: Digest,
}

/// Opens sealed credentials, and notes that something was compared.
struct Watched {
    keys: MacKeys,
    compared: Cell<bool>,
}

impl Secrets for Watched {
    type Error = Infallible;

    fn credential(&self, device: &Device) -> Result<Credential, Infallible> {
        Ok(unseal(device))
    }

    fn keys(&self) -> &MacKeys {
        self.compared.set(true);
        &self.keys
    }
}

impl World {
    /// The patch with which everybody is created: they can log in.
    pub(crate) fn with_password() -> UserPatch {
        UserPatch { password_hash: Some(HASH.to_owned()), ..UserPatch::default() }
    }

    fn drawn_grant(&mut self) -> DrawnGrant {
        let (session, token, browser) = (self.draw(), self.draw(), self.draw());
        DrawnGrant {
            session: session_id(session),
            session_token: crate::model::digest(token),
            browser: session_id(browser),
            origins: Vec::new(),
        }
    }

    /// Enters a right password, for a session or for an app, while only these factors are offered.
    pub(crate) fn enter(&mut self, user: UserId, for_app: bool, offered: &[FactorKind]) {
        let (attempt, token, grant) = (self.draw(), self.draw(), self.drawn_grant());
        let drawn =
            Drawn { attempt: session_id(attempt), state_token: crate::model::digest(token), ttl: 300 * SECOND, grant };
        let compared = PasswordCheck::new(Some(HASH.to_owned()), true, None);
        let terms = Terms { app: for_app.then_some(3), ..Terms::default() };
        let policy = Policy { factors: offered.to_vec(), ..self.policy.clone() };
        let view = self.db.view(user);
        let entered =
            enter(&view, &compared, &terms, &drawn, false, Basis { policy: &policy, actor: &context(), now: self.now });
        let entered = self.db.commit(entered);

        // From the requirement: all that was ever in use and was not deleted by somebody's decision.
        let mut of_user = self.devices.iter().filter(|(owner, _)| *owner == user).map(|(_, id)| *id);
        let held = of_user.any(|id| self.oracle.proven.contains(&id) && !self.oracle.removed.contains(&id));
        let in_use = |d: &Device| self.oracle.proven.contains(&d.id) && !self.oracle.disabled.contains(&d.id);
        let usable = view.devices.iter().any(|d| in_use(d) && offered.contains(&d.factor));
        let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref()).is_some_and(|t| t.is_live(self.now));
        match entered {
            Entered::Granted(_) => {
                assert!(!held, "let in with a password alone");
                self.note("let in");
            }
            Entered::NeedsFactor(_, shown) => {
                assert!(held, "a factor is asked of somebody without one");
                assert_eq!(shown.is_empty(), !usable, "what can be shown is shown");
                assert!(usable || token, "asked for what cannot be shown");
                self.note(if usable { "asked for a factor" } else { "asked for a token" });
                self.log_ins.push(LogIn { user, attempt: drawn.attempt, state_token: drawn.state_token });
            }
            Entered::Refused(LoginRefusal::NoFactor) => {
                assert!(held && !usable && !token, "refused though something could be shown");
                self.note("refused");
            }
            Entered::Refused(LoginRefusal::Locked) => {
                assert!(self.oracle.is_barred(user, self.now), "a bar out of nothing");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Takes a log-in under way one step further.
    pub(crate) fn step_of_log_in(&mut self, which: u8, named: Named, said: &Said) {
        let is_open = |at: &LogIn| {
            self.db.session(at.attempt).is_some_and(|(session, end)| end.is_none() && session.is_open(self.now))
        };
        let Some(at) = pick_useful(&self.log_ins, which, is_open) else { return };
        let own = |mine: bool| self.devices.iter().filter(move |(owner, _)| (*owner == at.user) == mine);
        let device = match named {
            Named::None => None,
            Named::Unknown => Some(DeviceId(999_999_999)),
            Named::Own(n) | Named::Others(n) => {
                let known: Vec<_> = own(matches!(named, Named::Own(_))).map(|(_, id)| *id).collect();
                let Some(device) = pick(&known, n) else { return };
                Some(device)
            }
        };
        let text = match said {
            Said::Token => self.temp_tokens.get(&at.user).cloned().unwrap_or_else(|| "10000000".to_owned()),
            Said::WrongToken(n) => format!("{}", 20_000_000 + n),
            Said::WrongCode(n) => format!("{n:06}"),
            Said::OwnCode => match device.and_then(|id| self.db.device(id)).map(|d| (unseal(d), d.last_counter)) {
                Some((Credential::Totp(totp), _)) => totp.code(self.now),
                Some((Credential::Hotp(hotp), last)) => {
                    hotp::code(&hotp.secret, Algorithm::Sha1, (last + 1).cast_unsigned(), 6)
                }
                _ => "000008".to_owned(),
            },
        };
        self.judge_step(at, device, &text);
    }

    /// Shows different wrong temporary tokens at one device after another: no more of them are looked at than the limit says.
    pub(crate) fn siege_of_log_ins(&mut self, user: UserId, rounds: u8, pause: i64) {
        let offered = self.policy.factors.clone();
        let devices: Vec<_> =
            self.devices.iter().map(|(_, id)| Some(*id)).chain([None, Some(DeviceId(999_999_999))]).collect();
        let begun = self.now;
        let before = self.oracle.tokens.get(&user).map_or(0, |g| g.in_the_last(HOUR, self.now));
        for round in 0..rounds {
            self.now = self.now.plus(pause);
            self.enter(user, round % 2 == 0, &offered);
            let Some(at) = self.log_ins.last().copied().filter(|at| at.user == user) else { return };
            let device = devices[usize::from(round) % devices.len()];
            let wrong = format!("{}", 30_000_000 + self.drawn);
            self.judge_step(at, device, &wrong);
            self.check();
        }
        if self.now.since(begun) < HOUR {
            let guessed = self.oracle.tokens.get(&user).map_or(0, |g| g.in_the_last(HOUR, self.now));
            assert!(guessed <= before.max(5), "{guessed} tokens were guessed within an hour");
        }
    }

    fn judge_step(&mut self, at: LogIn, named: Option<DeviceId>, text: &str) {
        let (view, grant) = (self.db.view(at.user), self.drawn_grant());
        let is_listed = |id: DeviceId| view.device(id).is_some_and(Device::is_listed);
        let subject = named.filter(|id| !(temp_token_form(text) && is_listed(*id)));
        let is_token = subject.is_none();
        let response = FactorResponse::typed(text);
        // What the answer is worth, worked out apart.
        let expected = match subject {
            None => {
                let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref());
                prove_temp_token(at.user, token, &response, &keys())
            }
            Some(device) => {
                let target = Target::SignIn { state_token: at.state_token, device };
                match find(&view, &target, self.now).ok().and_then(|found| found.device) {
                    Some(own) => prove(&unseal(own), own, None, &response, &keys(), self.now),
                    None => Evidence::Absent,
                }
            }
        };
        let secrets = Watched { keys: keys(), compared: Cell::new(false) };
        let (token, by) = (&at.state_token, context());
        let basis = Basis { policy: &self.policy, actor: &by, now: self.now };
        let Ok(decision) =
            countersign_domain::rules::sign_in::step(&view, token, named, &response, &secrets, &grant, basis);
        // What else a limit remembers, refusals under a lock for one, is no guess.
        let guesses = |key| matches!(key, ThrottleKey::Device(_) | ThrottleKey::User | ThrottleKey::TempToken);
        let counts = |limit: &Throttle| (limit.consecutive, limit.recent.clone());
        let counted = decision.changes.iter().any(|change| match change {
            Change::SetThrottle(_, limit) if guesses(limit.key) => counts(limit) != counts(&view.throttle(limit.key)),
            _ => false,
        });
        let is_locked = self.oracle.is_locked(at.user, subject, self.now);
        assert!(!(is_locked && secrets.compared.get()), "compared under a lock");
        match &decision.reply {
            Stepped::Granted(..) => {
                assert!(matches!(expected, Evidence::Proved(_)), "granted without a proof");
                self.granted(at, subject, &expected);
            }
            Stepped::Answered(Outcome::Refused(Reason::WrongCode)) => {
                assert!(secrets.compared.get(), "called wrong without a look");
                let Evidence::Refuted(wrong) = expected else { panic!("a right answer called wrong") };
                let doubled = self.oracle.is_doubled(at.user, subject, wrong, self.now);
                assert_eq!(counted, !doubled, "compared, wrong, and not counted");
                if counted {
                    self.note(if is_token { "counted a token at a log-in" } else { "counted a code at a log-in" });
                    self.oracle.count(at.user, subject, wrong, false, self.now);
                    *self.oracle.log_in_attempts.entry(at.attempt).or_default() += 1;
                }
            }
            // Right once: no guess.
            Stepped::Answered(Outcome::Refused(Reason::Replay)) => {
                assert!(matches!(expected, Evidence::Proved(_)), "a guess called a replay");
            }
            Stepped::Answered(other) => {
                assert!(!secrets.compared.get(), "compared and not counted: {other:?}");
                assert!(!counted, "counted and not compared: {other:?}");
                if *other == Outcome::Refused(Reason::NoDevice) {
                    self.note("no device at a log-in");
                }
            }
        }
        self.db.commit(decision);
    }

    /// Keeps the books of what a granted log-in has used up.
    fn granted(&mut self, at: LogIn, device: Option<DeviceId>, shown: &Evidence) {
        let Evidence::Proved(proved) = shown else { return };
        let is_new = self.oracle.spent.insert(Spent::LogIn(at.attempt));
        assert!(is_new, "a log-in completed twice");
        match (proved.freshness(), device) {
            (Freshness::Counter(counter), Some(device)) => {
                let last = self.oracle.counters.entry(device).or_insert(BEFORE_FIRST_COUNTER);
                assert!(counter > *last, "counter {counter} accepted after {last}");
                *last = counter;
                assert!(self.oracle.spent.insert(Spent::Counter(device, counter)), "a counter accepted twice");
                self.oracle.devices.remove(&device);
                self.note("logged in with a device");
            }
            (freshness @ (Freshness::ThisToken | Freshness::Reusable), None) => {
                let token = self.db.view(at.user).user.and_then(|u| u.temp_token).expect("there is a token");
                assert!(self.now < token.expires_at, "accepted too late");
                if freshness == Freshness::ThisToken {
                    let is_new = self.oracle.spent.insert(Spent::Token(token.hash.to_bytes()));
                    assert!(is_new, "a temporary token used twice");
                }
                self.note("logged in with a token");
            }
            (freshness, device) => panic!("{freshness:?} cannot prove {device:?}"),
        }
    }

    /// An operator puts a device out of use.
    pub(crate) fn disable(&mut self, which: u8) {
        let Some((user, device)) = self.pick_device(which) else { return };
        let decision = enrolment::disable(&self.db.view(user), device, &context(), self.now);
        if self.db.commit(decision) == enrolment::DisableOutcome::Disabled {
            if !self.oracle.disabled.insert(device) {
                // Guesses had disabled it: from now on it is the operator's.
                self.oracle.devices.remove(&device);
            }
            self.note("disabled by command");
        }
    }

    /// A new name changes nothing of what a log-in needs.
    pub(crate) fn rename(&mut self, user: UserId) {
        let name = format!("user{}", self.draw());
        let patch = UserPatch { username: Some(Some(name)), ..UserPatch::default() };
        self.db.commit(user::update(&self.db.view(user), &patch, &context(), self.now));
    }
}

fn temp_token_form(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}
