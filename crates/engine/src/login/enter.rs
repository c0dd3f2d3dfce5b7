//! Logging in with a password (contract 5).

use std::net::IpAddr;

use domain::model::audit::Actor;
use domain::model::session::Terms;
use domain::rules::basis::Basis;
use domain::rules::sign_in::{self, Drawn, Entered, LoginRefusal, SESSION_TOKEN_TTL};
use domain::rules::throttle;
use domain::{AuditEvent, AuditKind, Decision, Device, Digest, Reason, Rule, User, UserId, View};
use zeroize::Zeroizing;

use crate::decision_name::DecisionName;
use crate::login::password::Comparison;
use crate::login::session::{CompletedLogin, ShownFactor};
use crate::{Engine, Fault};

/// How often a password is compared again because it was changed meanwhile.
const COMPARISONS: usize = 3;

/// A log-in with a password.
pub struct LoginRequest {
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
pub enum LoginAnswer {
    /// No factor was needed.
    Granted(CompletedLogin),
    /// One of these devices, oldest first, or a temporary token must be shown under the state token.
    NeedsFactor {
        user: Box<User>,
        /// Usable devices; none where only a temporary token can be shown.
        devices: Vec<Device>,
        /// 40 hexadecimal characters.
        state_token: String,
    },
    Refused(LoginRefusal),
}

impl Engine {
    /// Judges a name and a password. Unknown users cost and say the same as wrong passwords (SEC 31), and every refusal
    /// takes as long as the longest comparison that anybody's hash may need.
    pub async fn log_in(&self, request: LoginRequest, context: Actor) -> Result<LoginAnswer, Fault> {
        let named = self.hasher.named(&request.name)?;
        let (answer, kind) = self.judge_log_in(request, context).await?;
        drop(named);
        if matches!(answer, LoginAnswer::Refused(_)) {
            self.clock.sleep(self.hasher.wait(kind)).await;
        }
        Ok(answer)
    }

    async fn judge_log_in(&self, request: LoginRequest, context: Actor) -> Result<(LoginAnswer, Comparison), Fault> {
        let mut kind = Comparison::Nothing;
        let known = self.store.user_by_login(&request.name).await?;
        // Stored, so that a help desk sees from where; trusted only as far as policy says (contract 5.1).
        let context = Actor { ip: request.ip.map(|ip| ip.to_string()).or(context.ip), ..context };
        let request = LoginRequest { terms: Terms { ip: context.ip.clone(), ..request.terms }, ..request };
        let trusted = request.ip.is_some_and(|ip| self.settings.trusted_networks.iter().any(|net| net.contains(ip)));
        for _ in 0..COMPARISONS {
            let stored = match known {
                Some(user) => {
                    let view = self.store.view(user).await?;
                    // Nothing costly is computed for a name that is held off.
                    if let Some(refusal) = self.held_off(&view, user, &context).await? {
                        return Ok((LoginAnswer::Refused(refusal), Comparison::Nothing));
                    }
                    view.user.and_then(|user| user.profile.password_hash)
                }
                None => None,
            };
            let checking = self.hasher.check(context.client, request.password.clone(), stored, self.chance.bytes());
            let (check, compared_as) = checking.await?;
            kind = compared_as;
            let Some(user) = known else {
                self.note_unknown(&context).await?;
                break;
            };
            let (drawn, state_token, session_token) = self.draw_sign_in();
            let now = self.now();
            let (terms, policy, by) = (request.terms.clone(), self.settings.policy.clone(), context.clone());
            let entered = self
                .decide(DecisionName::LogIn, user, move |view| {
                    sign_in::enter(view, &check, &terms, &drawn, trusted, Basis { policy: &policy, actor: &by, now })
                })
                .await?;
            let answer = match entered {
                Entered::Stale => continue,
                Entered::Refused(why) => LoginAnswer::Refused(why),
                Entered::NeedsFactor(user, devices) => LoginAnswer::NeedsFactor { user, devices, state_token },
                Entered::Granted(user) => LoginAnswer::Granted(CompletedLogin {
                    user,
                    terms: request.terms,
                    session_token,
                    expires_at: now.plus(SESSION_TOKEN_TTL),
                    shown: ShownFactor::None,
                }),
            };
            return Ok((answer, kind));
        }
        Ok((LoginAnswer::Refused(LoginRefusal::Credentials), kind))
    }

    /// The refusal of somebody whose passwords are held off, recorded; decided on a fresh view.
    async fn held_off(&self, snapshot: &View, user: UserId, by: &Actor) -> Result<Option<LoginRefusal>, Fault> {
        let now = self.now();
        if throttle::password_locked(snapshot, now).is_none() {
            return Ok(None);
        }
        let by = by.clone();
        Ok(self.decide(DecisionName::RefuseLogIn, user, move |view| sign_in::held_off(view, &by, now)).await?)
    }

    /// Records a log-in with an unknown name in its client's chain. It costs what counting a wrong password costs, so the time an
    /// answer takes does not tell who exists (SEC 31).
    async fn note_unknown(&self, context: &Actor) -> Result<(), Fault> {
        let Some(client) = context.client else { return Ok(()) };
        let event = context.client_event(AuditKind::SignInRefused, client, self.now());
        let event = AuditEvent { ip: context.ip.clone(), ..event.refused(Rule::UserUnknown, Reason::NoUser.name()) };
        self.decide_client(DecisionName::RefuseLogIn, client, None, move |_| {
            Decision::reply(()).with(event.clone().into())
        })
        .await?;
        Ok(())
    }

    fn draw_sign_in(&self) -> (Drawn, String, String) {
        let (grant, session_token) = self.draw_grant();
        let state_token = self.chance.hex::<20>();
        let drawn = Drawn {
            attempt: self.chance.session_id(),
            state_token: Digest::of(state_token.as_bytes()),
            ttl: self.settings.policy.sign_in.ttl,
            grant,
        };
        (drawn, state_token, session_token)
    }
}
