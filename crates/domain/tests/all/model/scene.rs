//! A user, what they have, and calls about them.

use super::*;

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
            subscription: None,
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

    /// Judges and applies, and looks that a refusal of something typed leaves an entry (SEC 49).
    pub(crate) fn answer(&mut self, target: &Target, response: &FactorResponse) -> Outcome {
        let (view, secrets) = (self.view(), Legible(keys()));
        let Ok(decision) = countersign_domain::rules::verification::judge::judge(
            &view, target, response, &secrets, &self.by, self.now,
        );
        let outcome = decision.reply.outcome.clone();
        if matches!(outcome, Outcome::Refused(_)) && view.user.is_some() {
            let is_entry = |change: &Change| matches!(change, Change::Record(event) if event.rule.is_some());
            let entries = decision.changes.iter().filter(|change| is_entry(change)).count() + decision.folded.len();
            assert_eq!(entries, usize::from(!response.is_absent() || is_locked(&outcome)), "{target:?}: {outcome:?}");
        }
        self.db.commit(decision);
        outcome
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
        if let Some(until) = crate::model::locked_until(&self.view(), Some(device), self.now) {
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

/// A poll under a lock is recorded too (SEC 26).
fn is_locked(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(Reason::Locked { .. }))
}
