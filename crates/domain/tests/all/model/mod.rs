//! A database in a few lines: what every [`Change`] means, as `decision.rs` documents it, and nothing more.
//!
//! It is strict where a real store may be forgiving: a change that would be without effect (a counter that does not
//! move forwards, a device activated twice) is an error here, since a rule that emits it has not looked.

use std::collections::BTreeMap;

use countersign_domain::model::audit::Actor;
use countersign_domain::model::hotp;
use countersign_domain::rules::factor::prove::{prove, prove_temp_token};
use countersign_domain::rules::verification::answer::{answer, answer_from_device};
use countersign_domain::rules::verification::find::{Target, find};
use countersign_domain::{
    AuditEvent, AuditKind, Challenge, Change, ClientId, Credential, Decision, Device, DeviceId, DeviceStatus, Digest,
    Evidence, FactorKind, FactorResponse, Heard, KeyedHash, MacKeys, Message, MessageId, Outcome, OwnKey, Purpose,
    Reason, Sealed, Secret, SecretMac, SecretMark, Session, SessionEnd, SessionId, SessionKind, Status, TempToken,
    Throttle, ThrottleKey, Timestamp, TokenSet, User, UserId, Verification, VerificationId, View,
};

/// A Tuesday in 2025.
pub(crate) const START: Timestamp = Timestamp(1_750_000_000_000);

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
            verifications: rows.verifications.iter().filter(|v| v.is_live()).cloned().collect(),
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
            Change::LowerCounter { device, counter } => {
                let row = self.device_mut(device);
                row.last_counter = row.last_counter.min(counter);
            }
            Change::TouchDevice { device, at } => self.device_mut(device).last_used_at = Some(at),
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
            Change::EndClient { client, at } => {
                self.token_sets(|set| set.client_id == client, at);
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
            Change::Record(event) => self.audit.push(event),
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

/// The server's key for short codes.
pub(crate) fn keys() -> MacKeys {
    MacKeys::new(vec![(1, Secret::new(vec![7; 32]))])
}

/// The installation's own key.
pub(crate) fn own_key() -> OwnKey {
    OwnKey::new([8; 32])
}

/// A caller without a name.
pub(crate) fn context() -> Actor {
    Actor { client: Some(ClientId(1)), ..Actor::default() }
}

/// A caller that may only look (SEC 95).
pub(crate) fn reader() -> Actor {
    Actor { client: Some(ClientId(2)), right: countersign_domain::Right::Look, ..Actor::default() }
}

/// "Sealed": legible, since nothing here judges sealing.
pub(crate) fn seal(credential: &Credential) -> Sealed {
    Sealed(serde_json::to_vec(credential).expect("a credential is JSON"))
}

/// The inverse of [`seal`].
pub(crate) fn unseal(device: &Device) -> Credential {
    serde_json::from_slice(&device.credential.0).expect("a credential is JSON")
}

/// What typed answers are compared with, kept as [`seal`] has left it.
pub(crate) struct Legible(pub(crate) MacKeys);

impl countersign_domain::rules::verification::judge::Secrets for Legible {
    type Error = std::convert::Infallible;

    fn credential(&self, device: &Device) -> Result<Credential, Self::Error> {
        Ok(unseal(device))
    }

    fn keys(&self) -> &MacKeys {
        &self.0
    }
}

/// A verification id drawn as number `n`.
pub(crate) fn verification_id(n: u64) -> VerificationId {
    VerificationId(uuid::Uuid::from_u128(u128::from(n) | 0x4000_8000_0000_0000_0000))
}

/// A session id drawn as number `n`.
pub(crate) fn session_id(n: u64) -> SessionId {
    SessionId(verification_id(n).0)
}

/// A digest of something long and random.
pub(crate) fn digest(n: u64) -> Digest {
    Digest::of(&n.to_be_bytes())
}

/// A pending verification of one device.
pub(crate) fn pending(n: u64, device: &Device, challenge: Challenge, now: Timestamp, ttl: i64) -> Verification {
    let id = verification_id(n);
    let purpose = match device.status {
        DeviceStatus::Registering | DeviceStatus::Pending => Purpose::Enrol,
        DeviceStatus::Active | DeviceStatus::Disabled => Purpose::Login,
    };
    Verification {
        id,
        wire_id: id.to_string(),
        user_id: device.user_id,
        device_id: device.id,
        purpose,
        challenge,
        status: Status::NEW,
        state_token: None,
        client_id: None,
        created_at: now,
        expires_at: now.plus(ttl),
    }
}

/// A queued message about a verification.
pub(crate) fn message(verification: &Verification, factor: FactorKind) -> Option<Message> {
    factor.channel().map(|channel| Message {
        id: MessageId(1),
        user_id: verification.user_id,
        device_id: verification.device_id,
        verification_id: verification.id,
        channel,
        content: Sealed(vec![1]),
        created_at: verification.created_at,
        not_after: verification.expires_at,
    })
}

/// A live temporary token and its hash.
pub(crate) fn temp_token(user: UserId, digits: &str, reusable: bool, expires_at: Timestamp) -> TempToken {
    let hash: KeyedHash = keys().hash(&countersign_domain::model::temp_token::context(user), digits);
    TempToken { hash, expires_at, reusable, used_at: None }
}

/// One user, some devices, and an engine as thin as it can be: prove on a view, decide on a view, apply.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// What is stored.
    pub(crate) db: Database,
    pub(crate) now: Timestamp,
    /// Whose scene it is.
    pub(crate) user: UserId,
    /// The actor of the calls to come.
    pub(crate) by: Actor,
    drawn: u64,
}

impl Scene {
    /// A user and nothing else.
    pub(crate) fn new() -> Self {
        let mut scene = Self { db: Database::default(), now: START, user: UserId(1), by: context(), drawn: 100 };
        scene.add_user(UserId(1));
        scene
    }

    /// Adds a user without devices.
    pub(crate) fn add_user(&mut self, id: UserId) {
        self.db.commit(countersign_domain::rules::user::create(
            id,
            &countersign_domain::model::user_patch::UserPatch::default(),
            &context(),
            self.now,
        ));
    }

    /// A number that was never drawn before.
    pub(crate) fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, milliseconds: i64) {
        self.now = self.now.plus(milliseconds);
    }

    /// What a decision sees now.
    pub(crate) fn view(&self) -> View {
        self.db.view(self.user)
    }

    /// Stores a device as it is, without asking the rules.
    pub(crate) fn device(&mut self, credential: &Credential, status: DeviceStatus) -> DeviceId {
        let device = self.new_device(credential, status);
        self.db.apply(Change::CreateDevice(device.clone()));
        device.id
    }

    /// A device that is not stored yet.
    pub(crate) fn new_device(&mut self, credential: &Credential, status: DeviceStatus) -> Device {
        Device {
            id: DeviceId(self.draw().cast_signed()),
            user_id: self.user,
            factor: credential.kind(),
            display_name: "a device".to_owned(),
            status,
            credential: seal(credential),
            secret: SecretMark::of(credential, &own_key()),
            last_counter: countersign_domain::model::device::BEFORE_FIRST_COUNTER,
            created_at: self.now,
            last_used_at: None,
        }
    }

    /// Stores a pending verification, without asking the rules; with a state token if `state_token`.
    pub(crate) fn verification(&mut self, device: DeviceId, challenge: Challenge, state_token: bool) -> Verification {
        let verification = self.new_verification(device, challenge, state_token);
        self.db.apply(Change::OpenVerification(verification.clone()));
        verification
    }

    /// A verification that is not stored yet.
    pub(crate) fn new_verification(
        &mut self,
        device: DeviceId,
        challenge: Challenge,
        state_token: bool,
    ) -> Verification {
        let n = self.draw();
        let device = self.db.device(device).expect("the device exists").clone();
        let mut verification = pending(n, &device, challenge, self.now, 120_000);
        verification.state_token = state_token.then(|| digest(n));
        verification
    }

    /// Stores a session of the scene's user that lasts `ttl`. Its token is drawn as the number of its id.
    pub(crate) fn session(&mut self, kind: SessionKind, ttl: i64) -> SessionId {
        let n = self.draw();
        let session = Session {
            id: session_id(n),
            user_id: self.user,
            kind,
            token: digest(n),
            client_id: None,
            created_at: self.now,
            expires_at: self.now.plus(ttl),
        };
        self.db.apply(Change::OpenSession(session));
        session_id(n)
    }

    /// A challenge with a six-digit code for the next verification drawn.
    pub(crate) fn code(&self, code: &str) -> Challenge {
        let hash =
            keys().hash(&countersign_domain::model::challenge::code_context(verification_id(self.drawn + 1)), code);
        Challenge::Code { hash, length: 6, alphabet: countersign_domain::model::code::Alphabet::Digits }
    }

    /// A challenge with digits to key into a telephone, for the next verification drawn.
    pub(crate) fn keypad(&self, digits: &str) -> Challenge {
        let hash =
            keys().hash(&countersign_domain::model::challenge::code_context(verification_id(self.drawn + 1)), digits);
        Challenge::Keypad { hash }
    }

    /// What is typed at a step of a log-in under way, judged and applied as the engine does it.
    pub(crate) fn step(
        &mut self,
        state_token: &Digest,
        device: impl Into<Option<DeviceId>>,
        response: &FactorResponse,
        policy: &countersign_domain::Policy,
    ) -> (countersign_domain::rules::sign_in::Stepped, countersign_domain::rules::sign_in::DrawnGrant) {
        let grant = countersign_domain::rules::sign_in::DrawnGrant {
            session: session_id(self.draw()),
            session_token: digest(self.draw()),
            browser: session_id(self.draw()),
            origins: Vec::new(),
        };
        let (view, secrets, by) = (self.view(), Legible(keys()), self.by.clone());
        let basis = countersign_domain::rules::basis::Basis { policy, actor: &by, now: self.now };
        let Ok(decision) = countersign_domain::rules::sign_in::step(
            &view,
            state_token,
            device.into(),
            response,
            &secrets,
            &grant,
            basis,
        );
        (self.db.commit(decision), grant)
    }

    /// What could be proved on this view, held apart from what is decided by it.
    pub(crate) fn prove(&self, target: &Target, response: &FactorResponse) -> Evidence {
        let view = self.view();
        match find(&view, target, self.now) {
            Err(_) => Evidence::Absent,
            Ok(found) => match found.device {
                None => {
                    let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref());
                    prove_temp_token(self.user, token, response, &keys())
                }
                Some(device) => prove(&unseal(device), device, found.verification, response, &keys(), self.now),
            },
        }
    }

    /// Judges evidence and applies what follows.
    pub(crate) fn judge(&mut self, target: &Target, evidence: &Evidence) -> Outcome {
        let decision = answer(&self.view(), target, evidence, &self.by, self.now);
        self.db.commit(decision)
    }

    /// Proves, judges and applies.
    pub(crate) fn answer(&mut self, target: &Target, response: &FactorResponse) -> Outcome {
        let evidence = self.prove(target, response);
        self.judge(target, &evidence)
    }

    /// Types `text` at `target`.
    pub(crate) fn typed(&mut self, target: &Target, text: &str) -> Outcome {
        self.answer(target, &FactorResponse::typed(text))
    }

    /// Polls `target` without a code.
    pub(crate) fn polled(&mut self, target: &Target) -> Outcome {
        self.answer(target, &FactorResponse::none())
    }

    /// The phone or the telephone answers.
    pub(crate) fn phoned(&mut self, verification: VerificationId, evidence: &Evidence) -> Outcome {
        let against = self.db.verification(verification).map_or(Challenge::Own, |asked| asked.challenge.clone());
        self.phoned_against(verification, evidence, &against)
    }

    /// [`Self::phoned`] with evidence made against this challenge.
    pub(crate) fn phoned_against(
        &mut self,
        verification: VerificationId,
        evidence: &Evidence,
        against: &Challenge,
    ) -> Outcome {
        let heard = Heard::claimed(verification, against.clone(), evidence.clone());
        let decision = answer_from_device(&self.view(), &heard, None, &context(), self.now);
        self.db.commit(decision)
    }

    /// Types `times` different wrong codes at `target`, a second apart.
    pub(crate) fn guess(&mut self, target: &Target, times: usize) {
        for _ in 0..times {
            let wrong = format!("{:06}", self.draw());
            let outcome = self.typed(target, &wrong);
            assert_eq!(outcome, Outcome::Refused(Reason::WrongCode));
            self.wait(1000);
        }
    }

    /// Waits until the lock of `device` is over, if it has one.
    pub(crate) fn outwait(&mut self, device: DeviceId) {
        if let Some(until) = countersign_domain::rules::throttle::locked_until(&self.view(), Some(device), self.now) {
            self.now = until;
        }
    }

    /// Wrong answers of `device` in a row.
    pub(crate) fn failures(&self, device: DeviceId) -> u32 {
        self.db.throttle(self.user, ThrottleKey::Device(device)).consecutive
    }

    /// The status of a device; `None` if it is gone.
    pub(crate) fn status(&self, device: DeviceId) -> Option<DeviceStatus> {
        self.db.device(device).map(|d| d.status)
    }

    /// The next code of a device that makes its own.
    pub(crate) fn own_code(&self, device: DeviceId) -> String {
        let device = self.db.device(device).expect("the device exists");
        match unseal(device) {
            Credential::Totp(totp) => totp.code(self.now),
            Credential::Hotp(hotp) => {
                let counter = (device.last_counter + 1).cast_unsigned();
                hotp::code(&hotp.secret, hotp::Algorithm::Sha1, counter, 6)
            }
            _ => panic!("this device is sent its codes"),
        }
    }
}

/// A TOTP credential; different for each `n`.
pub(crate) fn totp(n: u8) -> Credential {
    Credential::Totp(countersign_domain::model::totp::Totp::with_secret(Secret::new(vec![n; 20])))
}

/// A HOTP credential.
pub(crate) fn hotp(n: u8) -> Credential {
    Credential::Hotp(hotp::Hotp { secret: Secret::new(vec![n; 20]), digits: 6 })
}

/// A telephone that takes text messages.
pub(crate) fn sms() -> Credential {
    Credential::Sms { phone: "+14155550123".to_owned() }
}

/// A telephone that takes calls.
pub(crate) fn voice() -> Credential {
    Credential::Voice { phone: "+14155550123".to_owned() }
}

pub(crate) fn email() -> Credential {
    Credential::Email { address: "ana@example.com".to_owned() }
}

/// The v1 door to a device, without a state token.
pub(crate) fn device_door(device: DeviceId) -> Target {
    Target::Device { device, state_token: None }
}

/// The v1 door with the state token of a verification.
pub(crate) fn token_door(verification: &Verification) -> Target {
    Target::Device { device: verification.device_id, state_token: verification.state_token }
}

/// The v2 door to a verification.
pub(crate) fn wire_door(verification: &Verification) -> Target {
    Target::Wire { wire_id: verification.wire_id.clone(), purpose: verification.purpose, device: None }
}

/// Everything is offered and message limits are on.
pub(crate) fn policy() -> countersign_domain::Policy {
    countersign_domain::Policy {
        sign_in: countersign_domain::SignInPolicy::default(),
        factors: FactorKind::ALL.to_vec(),
        countries: countersign_domain::Countries::of(["+1"]).expect("a prefix"),
        message_limits: true,
        sends: countersign_domain::SendLimits::default(),
        issuer: "acme".to_owned(),
    }
}

/// Accepted, whatever the details.
pub(crate) fn is_accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { .. })
}

/// A push key.
pub(crate) fn signing_key(n: u64) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&Digest::of(&n.to_be_bytes()).0).expect("a scalar, but for bad luck")
}

/// The public half as a phone sends it.
pub(crate) fn public_key(key: &p256::ecdsa::SigningKey) -> Vec<u8> {
    key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

/// An ES256 signature as a phone makes it.
pub(crate) fn sign(key: &p256::ecdsa::SigningKey, text: &str) -> Vec<u8> {
    use p256::ecdsa::signature::Signer;
    let signature: p256::ecdsa::Signature = key.sign(text.as_bytes());
    signature.to_bytes().to_vec()
}

/// A paired phone.
pub(crate) fn push(key: &p256::ecdsa::SigningKey) -> Credential {
    Credential::Push { public_key: Some(public_key(key)) }
}
