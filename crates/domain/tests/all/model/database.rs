//! A database in a few lines: what every [`Change`] means, as `decision.rs` documents it, and nothing more.
//!
//! It is strict where a real store may be forgiving: a change that would be without effect (a counter that does not
//! move forwards, a device activated twice) is an error here, since a rule that emits it has not looked.

use super::*;

/// All that is stored of one user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// The user, until deleted.
    pub(crate) user: Option<User>,
    /// In the order of their creation.
    pub(crate) devices: Vec<Device>,
    /// All that ever were, oldest first.
    pub(crate) verifications: Vec<Verification>,
    /// All that ever were, oldest first, and how they ended.
    pub(crate) sessions: Vec<(Session, Option<SessionEnd>)>,
    /// In no particular order.
    pub(crate) throttles: Vec<Throttle>,
}

/// The rows of a database, without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Database {
    pub(crate) users: BTreeMap<UserId, Rows>,
    /// Messages not wiped.
    pub(crate) outbox: Vec<Message>,
    pub(crate) clients: Vec<countersign_domain::Client>,
    /// Token sets, oldest first.
    pub(crate) tokens: Vec<TokenSet>,
    pub(crate) audit: Vec<AuditEvent>,
    /// What was used of secrets whose devices are gone.
    pub(crate) used: BTreeMap<SecretMac, i64>,
    /// What is recorded later.
    pub(crate) folded: Vec<AuditEvent>,
}

impl Database {
    /// Remembers what was used of a device that goes, or gets another secret.
    fn remember(&mut self, gone: &Device) {
        let used = gone.secret.and_then(|secret| Some((secret.mac, secret.counts.used(gone.last_counter)?)));
        if let Some((mac, used)) = used {
            let known = self.used.entry(mac).or_insert(used);
            *known = used.max(*known);
        }
    }

    /// What was ever used of a secret, by any user.
    fn recall(&self, secret: &SecretMark) -> Option<i64> {
        let alike = |device: &&Device| device.secret.is_some_and(|other| other.mac == secret.mac);
        let living = self.users.values().flat_map(|rows| &rows.devices).filter(alike);
        let living = living.filter_map(|device| device.secret?.counts.used(device.last_counter));
        living.chain(self.used.get(&secret.mac).copied()).max()
    }

    /// What a decision about `user` sees.
    pub(crate) fn view(&self, user: UserId) -> View {
        let Some(rows) = self.users.get(&user) else { return View::default() };
        View {
            user: rows.user.clone(),
            devices: rows.devices.clone(),
            verifications: rows.verifications.iter().filter(|v| v.is_kept()).cloned().collect(),
            sessions: rows
                .sessions
                .iter()
                .filter(|(_, end)| end.is_none())
                .map(|(session, _)| session.clone())
                .collect(),
            throttles: rows.throttles.clone(),
        }
    }

    /// Any session that ever was, and how it ended.
    pub(crate) fn session(&self, id: SessionId) -> Option<&(Session, Option<SessionEnd>)> {
        self.users.values().flat_map(|rows| &rows.sessions).find(|(session, _)| session.id == id)
    }

    /// Whether there is such a session and it has not ended.
    pub(crate) fn is_open(&self, id: SessionId) -> bool {
        self.session(id).is_some_and(|(_, end)| end.is_none())
    }

    /// Any verification that ever was.
    pub(crate) fn verification(&self, id: VerificationId) -> Option<&Verification> {
        self.users.values().flat_map(|rows| &rows.verifications).find(|v| v.id == id)
    }

    /// A device that was not removed.
    pub(crate) fn device(&self, id: DeviceId) -> Option<&Device> {
        self.users.values().flat_map(|rows| &rows.devices).find(|d| d.id == id)
    }

    fn device_mut(&mut self, id: DeviceId) -> &mut Device {
        let device = self.users.values_mut().flat_map(|rows| &mut rows.devices).find(|d| d.id == id);
        device.unwrap_or_else(|| panic!("a change to device {id}, which does not exist"))
    }

    fn verification_mut(&mut self, id: VerificationId) -> &mut Verification {
        let found = self.users.values_mut().flat_map(|rows| &mut rows.verifications).find(|v| v.id == id);
        found.unwrap_or_else(|| panic!("a change to verification {id}, which does not exist"))
    }

    fn session_mut(&mut self, id: SessionId) -> &mut (Session, Option<SessionEnd>) {
        let found = self.users.values_mut().flat_map(|rows| &mut rows.sessions).find(|(session, _)| session.id == id);
        found.unwrap_or_else(|| panic!("a change to session {id}, which does not exist"))
    }

    fn token_sets(&mut self, which: impl Fn(&TokenSet) -> bool, at: Timestamp) {
        for set in self.tokens.iter_mut().filter(|set| set.ended_at.is_none() && which(set)) {
            set.ended_at = Some(at);
            set.sealed = None;
        }
    }

    /// Applies a decision and gives its reply.
    pub(crate) fn commit<T>(&mut self, decision: Decision<T>) -> T {
        for change in decision.changes {
            self.apply(change);
        }
        self.folded.extend(decision.folded);
        decision.reply
    }

    /// Applies one change.
    #[expect(clippy::too_many_lines, reason = "one arm for each change")]
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::CreateUser(user) => {
                let old = self.users.insert(user.id, Rows { user: Some(user), ..Rows::default() });
                assert!(old.is_none(), "a user id was drawn twice");
            }
            Change::UpdateUser(user) => {
                let row = self.users.get_mut(&user.id).and_then(|rows| rows.user.as_mut()).expect("the user exists");
                let (username, email) = (row.username.take(), row.email.take());
                *row = User { temp_token: row.temp_token.take(), username, email, ..user };
            }
            Change::ForgetVisits(user) => {
                let row = self.users.get_mut(&user).and_then(|rows| rows.user.as_mut()).expect("the user exists");
                row.profile.visits.clear();
            }
            Change::RenameUser { user, from, to } => {
                let row = self.users.get_mut(&user).and_then(|rows| rows.user.as_mut()).expect("the user exists");
                assert_eq!(row.login_names(), from, "a user is renamed from the names they have");
                (row.username, row.email) = (to.username, to.email);
            }
            Change::DeleteUser { user, .. } => {
                let gone = self.users.insert(user, Rows::default()).expect("the user exists");
                gone.devices.iter().for_each(|device| self.remember(device));
                self.outbox.retain(|m| m.user_id != user);
            }
            Change::SetTempToken(user, token) => {
                self.users.get_mut(&user).and_then(|rows| rows.user.as_mut()).expect("the user exists").temp_token =
                    token;
            }
            Change::CreateDevice(mut device) => {
                assert!(self.device(device.id).is_none(), "a device id was drawn twice");
                assert_eq!(device.secret.is_some(), device.factor.makes_codes(), "a secret comes with its mark");
                if let Some((secret, used)) = device.secret.and_then(|secret| Some((secret, self.recall(&secret)?))) {
                    device.last_counter = device.last_counter.max(secret.counts.last_counter(used));
                }
                self.users.get_mut(&device.user_id).expect("the user exists").devices.push(device);
            }
            Change::ActivateDevice { device, counter, credential, at } => {
                let row = self.device_mut(device);
                assert!(
                    matches!(row.status, DeviceStatus::Registering | DeviceStatus::Pending),
                    "device {device} activated from {:?}",
                    row.status
                );
                row.status = DeviceStatus::Active;
                row.last_used_at = Some(at);
                if let Some(counter) = counter {
                    assert!(counter > row.last_counter, "a counter must move forwards");
                    row.last_counter = counter;
                }
                if let Some(credential) = credential {
                    row.credential = credential;
                }
            }
            Change::AdvanceCounter { device, counter, at } => {
                let row = self.device_mut(device);
                assert!(counter > row.last_counter, "a counter must move forwards");
                row.last_counter = counter;
                row.last_used_at = Some(at);
            }
            Change::ReviseDevice { device, credential, secret, display_name, last_counter } => {
                let row = self.device_mut(device);
                assert_eq!(row.secret.map(|s| s.mac), secret.map(|s| s.mac), "the secret stays");
                (row.credential, row.secret) = (credential, secret);
                (row.display_name, row.last_counter) = (display_name, last_counter);
            }
            Change::MarkSecret { device, secret } => self.device_mut(device).secret = Some(secret),
            Change::LowerCounter { device, counter } => {
                let row = self.device_mut(device);
                row.last_counter = row.last_counter.min(counter);
            }
            Change::TouchDevice { device, at } => self.device_mut(device).last_used_at = Some(at),
            Change::Subscribe { device, subscription } => self.device_mut(device).subscription = subscription,
            Change::DisableDevice(device) => {
                let row = self.device_mut(device);
                assert_eq!(row.status, DeviceStatus::Active, "only what is in use can be disabled and enabled again");
                row.status = DeviceStatus::Disabled;
            }
            Change::EnableDevice(device) => {
                let row = self.device_mut(device);
                assert_eq!(row.status, DeviceStatus::Disabled);
                row.status = DeviceStatus::Active;
            }
            Change::DeleteDevice(device) => {
                let gone = self.device_mut(device).clone();
                self.remember(&gone);
                for rows in self.users.values_mut() {
                    rows.devices.retain(|d| d.id != device);
                    for v in rows.verifications.iter_mut().filter(|v| v.device_id == device) {
                        if v.status.is_pending() {
                            v.status = Status::Expired;
                        }
                    }
                }
            }
            Change::OpenVerification(verification) => {
                let rows = self.users.get_mut(&verification.user_id).expect("the user exists");
                let exists = rows.devices.iter().any(|d| d.id == verification.device_id);
                assert!(exists, "its device exists");
                rows.verifications.push(verification);
            }
            Change::CloseVerification { verification, end } => {
                let row = self.verification_mut(verification);
                if row.status.is_pending() {
                    row.status = end.into();
                }
            }
            Change::ConsumeVerification { verification, at } => match &mut self.verification_mut(verification).status {
                Status::Accepted { collected, .. } | Status::Rejected { collected, .. } => {
                    assert_eq!(*collected, None, "a result consumed twice");
                    *collected = Some(at);
                }
                status => panic!("consumed as {status:?}"),
            },
            Change::CountAttempt(verification) => match &mut self.verification_mut(verification).status {
                Status::Pending { attempts } => *attempts += 1,
                status => panic!("a wrong answer to what is {status:?}"),
            },
            Change::ReplaceStateToken { verification, hash } => {
                let row = self.verification_mut(verification);
                assert!(row.status.is_pending(), "a state token for what is over");
                row.state_token = Some(hash);
            }
            Change::ReplaceChallenge { verification, wire_id, challenge } => {
                let row = self.verification_mut(verification);
                assert!(row.status.is_pending(), "a new challenge for what is over");
                (row.wire_id, row.challenge) = (wire_id, challenge);
            }
            Change::OpenSession(session) => {
                self.users.get_mut(&session.user_id).expect("the user exists").sessions.push((session, None));
            }
            Change::CloseSession { session, end } => {
                let (_, ended) = self.session_mut(session);
                assert_eq!(*ended, None, "a session ended twice");
                *ended = Some(end);
            }
            Change::CountLogInAttempt(session) => match &mut self.session_mut(session).0.kind {
                SessionKind::LogIn { attempts, .. } => *attempts += 1,
                kind => panic!("a wrong answer to {kind:?}"),
            },
            Change::SetBegun { session, begun: new } => match &mut self.session_mut(session).0.kind {
                SessionKind::Invitation { begun, .. } => *begun = new,
                other => panic!("{other:?} is no invitation"),
            },
            Change::SetTerms { session, terms: said } => match &mut self.session_mut(session).0.kind {
                SessionKind::LogIn { terms, .. } => *terms = said,
                kind => panic!("a prompt for {kind:?}"),
            },
            Change::SetThrottle(user, throttle) => {
                let throttles = &mut self.users.get_mut(&user).expect("the user exists").throttles;
                throttles.retain(|t| t.key != throttle.key);
                throttles.push(throttle);
            }
            Change::ClearThrottle(user, key) => {
                self.users.get_mut(&user).expect("the user exists").throttles.retain(|t| t.key != key);
            }
            Change::Enqueue(message) => self.outbox.push(message),
            Change::DropMessages(verification) => self.outbox.retain(|m| m.verification_id != verification),
            // What is remembered of sent messages decides over no user.
            Change::MarkAnswered { .. } => {}
            Change::GiveUpMessage { message, .. } | Change::SettleMessage { message, .. } => {
                self.outbox.retain(|m| m.id != message);
            }
            Change::CreateClient(client) => self.clients.push(client),
            Change::UpdateClient(client) => {
                let row = self.clients.iter_mut().find(|c| c.id == client.id).expect("the client exists");
                *row = countersign_domain::Client { wrong_secrets: std::mem::take(&mut row.wrong_secrets), ..client };
            }
            Change::SetWrongSecrets { client, at } => {
                self.clients.iter_mut().find(|c| c.id == client).expect("the client exists").wrong_secrets = at;
            }
            Change::CreateTokenSet(set) => self.tokens.push(set),
            Change::ReplaceTokenSet { access } => {
                let replaced = self.tokens.iter_mut().find(|set| set.access == access && set.ended_at.is_none());
                replaced.expect("the pair lives").sealed = None;
            }
            Change::EndTokenFamily { client, family, at } => {
                self.token_sets(|set| set.client_id == client && set.family == family, at);
            }
            Change::EndTokens { client, at } => self.token_sets(|set| set.client_id == client, at),
            Change::EndBegun(client) => {
                let begun = self.users.values_mut().flat_map(|rows| &mut rows.verifications);
                for v in begun.filter(|v| v.client_id == Some(client) && v.status.is_pending()) {
                    v.status = Status::Expired;
                }
                for (session, end) in self.users.values_mut().flat_map(|rows| &mut rows.sessions) {
                    if session.client_id == Some(client) && end.is_none() {
                        *end = Some(SessionEnd::Expired);
                    }
                }
            }
            Change::SetSpent(..) => panic!("no decision about a user changes a budget"),
            Change::Record(event) => {
                use AuditKind::{ChallengeRefused, ClientRefused, Refused, SignInRefused};
                let refuses = matches!(event.kind, Refused | ChallengeRefused | SignInRefused | ClientRefused);
                assert_eq!(event.rule.is_some(), refuses, "a refusal names its rule, and nothing else does: {event:?}");
                self.audit.push(event);
            }
        }
    }

    /// How often `kind` is in the trail.
    pub(crate) fn recorded(&self, kind: AuditKind) -> usize {
        self.audit.iter().filter(|event| event.kind == kind).count()
    }

    /// What is remembered under `key`.
    pub(crate) fn throttle(&self, user: UserId, key: ThrottleKey) -> Throttle {
        self.view(user).throttle(key)
    }
}
