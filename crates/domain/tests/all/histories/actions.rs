//! The steps, carried out.

use countersign_domain::AskedFrom;

use super::*;

impl World {
    pub(crate) fn new(message_limits: bool) -> Self {
        let policy = Policy {
            factors: FactorKind::ALL.to_vec(),
            countries: countersign_domain::Countries::of(["+1"]).expect("a prefix"),
            message_limits,
            sends: countersign_domain::SendLimits::default(),
            issuer: "acme".to_owned(),
            sign_in: countersign_domain::SignInPolicy::default(),
            ..Policy::default()
        };
        let mut world = Self {
            db: Database::default(),
            oracle: Oracle::default(),
            policy,
            now: START,
            drawn: 0,
            users: Vec::new(),
            devices: Vec::new(),
            verifications: Vec::new(),
            state_tokens: Vec::new(),
            codes: BTreeMap::new(),
            phones: BTreeMap::new(),
            said: BTreeMap::new(),
            temp_tokens: BTreeMap::new(),
            held: Vec::new(),
            log_ins: Vec::new(),
            reads: false,
            tally: BTreeMap::new(),
        };
        for _ in 0..USERS {
            let user = world.create_user();
            world.users.push(user);
        }
        world
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    /// A code that was never given before.
    pub(crate) fn draw_code(&mut self, alphabet: Alphabet) -> String {
        let n = self.draw();
        let characters = alphabet.characters();
        let base = characters.len() as u64;
        let mut rest = n * 7919 + 12_345;
        let mut code = String::new();
        for _ in 0..6 {
            code.push(char::from(characters[usize::try_from(rest % base).expect("small")]));
            rest /= base;
        }
        code
    }

    /// The actor in whose name the action is taken.
    pub(crate) fn by(&self) -> Actor {
        if self.reads { reader() } else { context() }
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub(crate) fn create_user(&mut self) -> UserId {
        let id = UserId(self.draw().cast_signed());
        self.db.commit(user::create(id, &Self::with_password(), &context(), self.now));
        id
    }

    pub(crate) fn secret(&mut self) -> Secret {
        let n = self.draw();
        Secret::new(Digest::of(&n.to_be_bytes()).0[..20].to_vec())
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(milliseconds) => self.now = self.now.plus(*milliseconds),
            Step::Lock { user, minutes } => self.lock(self.users[*user], *minutes),
            Step::SetStatus { user, status } => self.set_status(self.users[*user], *status),
            Step::Unlock { user } => self.unlock(self.users[*user]),
            Step::Authenticate { user } => {
                let user = self.users[*user];
                self.db.commit(user::log_out(&self.db.view(user), &context(), self.now));
                assert!(self.db.view(user).verifications.is_empty(), "a log-out ends all that waits");
            }
            Step::Replace { user } => {
                let old = self.users[*user];
                self.db.commit(user::delete(&self.db.view(old), &context(), self.now));
                self.users[*user] = self.create_user();
            }
            Step::Enrol { user, factor, door } => self.enrol(self.users[*user], *factor, *door),
            Step::Trigger { stranger, device, door, ttl, number } => {
                self.trigger(*stranger, *device, *door, *ttl, *number);
            }
            Step::Answer { stranger, aim, say, held } => self.answer(*stranger, aim, say, *held),
            Step::Phone { verification, tap, held } => self.phone(*verification, *tap, *held),
            Step::Keypad { verification, right, held } => self.keypad(*verification, *right, *held),
            Step::Link { verification, decision, right, held } => self.link(*verification, *decision, *right, *held),
            Step::Pair { verification, right, held } => self.pair(*verification, *right, *held),
            Step::Again { held, aimed_as, other_user } => self.again(*held, *aimed_as, *other_user),
            Step::SiegeOfToken { user, rounds, pause } => {
                for round in 0..*rounds {
                    self.now = self.now.plus(*pause);
                    let user = self.users[*user];
                    let evidence = prove_temp_token(user, None, &FactorResponse::number(round.into()), &keys());
                    let act = Act::Typed(Target::TempToken);
                    self.judge(&Held { user, act, evidence, said: None, is_honest: false }, user, true);
                }
            }
            Step::Pester { device, rounds, pause } => {
                for _ in 0..*rounds {
                    self.now = self.now.plus(*pause);
                    self.trigger(false, *device, Door::V1, MINUTE, false);
                }
            }
            Step::Crowd { user, door, count } => {
                for _ in 0..*count {
                    self.enrol(self.users[*user], FactorKind::Totp, *door);
                }
            }
            Step::Siege { device, rounds, pause } => self.siege(*device, *rounds, *pause),
            Step::IssueToken { user, reusable, ttl } => {
                let user = self.users[*user];
                let digits = format!("{}", 10_000_000 + self.draw() * 7919);
                let token = crate::model::temp_token(user, &digits, *reusable, self.now.plus(*ttl));
                let issued = self.db.commit(temp_token::issue(&self.db.view(user), token, &context(), self.now));
                if issued == temp_token::Issued::Issued {
                    self.temp_tokens.insert(user, digits);
                }
            }
            Step::RevokeToken { user } => {
                let user = self.users[*user];
                self.db.commit(temp_token::revoke(&self.db.view(user), &context(), self.now));
            }
            Step::Enter { user, for_app, offered } => self.enter(self.users[*user], *for_app, offered),
            Step::LogIn { log_in, named, said } => self.step_of_log_in(*log_in, *named, said),
            Step::SiegeOfLogIns { user, rounds, pause } => self.siege_of_log_ins(self.users[*user], *rounds, *pause),
            Step::Disable { device } => self.disable(*device),
            Step::Call { reads } => self.reads = *reads,
            Step::Rename { user } => self.rename(self.users[*user]),
            Step::Remove { stranger, device } => {
                if let Some((owner, device)) = pick(&self.devices, *device) {
                    let user = self.somebody(owner, *stranger);
                    let owned = self.db.device(device).is_some_and(|d| d.user_id == user && d.is_listed());
                    let removed = self.db.commit(enrolment::remove(&self.db.view(user), device, &context(), self.now));
                    assert_eq!(removed, owned, "exactly one's own device is removed");
                    if removed {
                        self.oracle.removed.insert(device);
                    }
                }
            }
        }
        self.check();
    }

    pub(crate) fn lock(&mut self, user: UserId, minutes: i64) {
        self.db.commit(user::lock(&self.db.view(user), minutes, &context(), self.now));
        if self.oracle.bars.get(&user) != Some(&Bar::Suspended) {
            let until = (minutes > 0).then(|| self.now.plus(minutes * MINUTE));
            self.oracle.bars.insert(user, Bar::Locked(until));
        }
        let view = self.db.view(user);
        assert!(view.verifications.is_empty() && view.user.is_some_and(|u| u.temp_token.is_none()));
    }

    pub(crate) fn set_status(&mut self, user: UserId, status: UserStatus) {
        let patch = UserPatch { status: Some(status.into()), ..UserPatch::default() };
        self.db.commit(user::update(&self.db.view(user), &patch, &context(), self.now));
        if status == UserStatus::Suspended {
            assert!(self.oracle.is_barred(user, self.now) || self.db.view(user).verifications.is_empty());
            self.oracle.bars.insert(user, Bar::Suspended);
        } else {
            self.oracle.bars.remove(&user);
        }
    }

    pub(crate) fn unlock(&mut self, user: UserId) {
        match self.db.commit(user::unlock(&self.db.view(user), &[], &Actor::default(), self.now)) {
            Unlocked::Unlocked => {
                if matches!(self.oracle.bars.get(&user), Some(Bar::Locked(_))) {
                    self.oracle.bars.remove(&user);
                }
                self.oracle.users.remove(&user);
                self.oracle.tokens.remove(&user);
                for (_, device) in self.devices.iter().filter(|(owner, _)| *owner == user) {
                    self.oracle.devices.remove(device);
                    if self.oracle.disabled.remove(device) {
                        *self.tally.entry("enabled").or_default() += 1;
                    }
                }
            }
            Unlocked::NotLocked => assert!(!matches!(self.oracle.bars.get(&user), Some(Bar::Locked(_)))),
            Unlocked::NoUser => panic!("the user exists"),
        }
    }

    pub(crate) fn enrol(&mut self, user: UserId, factor: FactorKind, door: Door) {
        let door = if door == Door::Trusted && !factor.may_be_trusted() { Door::V2 } else { door };
        let credential = match factor {
            FactorKind::Totp => Credential::Totp(Totp::with_secret(self.secret())),
            FactorKind::Hotp => Credential::Hotp(Hotp { secret: self.secret(), digits: 6 }),
            FactorKind::Sms => Credential::Sms { phone: "+14155550123".to_owned() },
            FactorKind::Voice => Credential::Voice { phone: "+14155550123".to_owned() },
            FactorKind::Email => Credential::Email { address: "ana@example.com".to_owned() },
            FactorKind::Push => Credential::Push { public_key: None },
        };
        let id = DeviceId(self.draw().cast_signed());
        let device = Device {
            id,
            user_id: user,
            factor,
            display_name: "a device".to_owned(),
            status: match door {
                Door::V1 => DeviceStatus::Pending,
                Door::V2 => DeviceStatus::Registering,
                Door::Trusted => DeviceStatus::Active,
            },
            credential: seal(&credential),
            secret: countersign_domain::SecretMark::of(&credential, &crate::model::own_key()),
            last_counter: BEFORE_FIRST_COUNTER,
            created_at: self.now,
            last_used_at: None,
            subscription: None,
        };
        let challenge = match (factor, door) {
            (_, Door::Trusted) => None,
            (FactorKind::Totp | FactorKind::Hotp, _) => Some((Challenge::Own, None)),
            (FactorKind::Push, _) => {
                let code = self.draw_code(Alphabet::Crockford);
                Some((Challenge::Pairing { hash: keys().hash(PAIRING_CONTEXT, &code) }, Some(code)))
            }
            (_, Door::V1) => Some((Challenge::Untriggered, None)),
            (_, Door::V2) => Some(self.sent(factor, Door::V2)),
        };
        let mut message = None;
        let registration = challenge.map(|(challenge, code)| {
            let mut registration = self.verification(&device, challenge, code, door, 120 * SECOND);
            registration.purpose = Purpose::Enrol;
            if matches!(registration.challenge, Challenge::Code { .. } | Challenge::Keypad { .. } | Challenge::Link(_))
            {
                message = crate::model::message(&registration, factor);
            }
            registration
        });
        let sends = message.is_some();
        let enrolment = Enrolment { device, registration: registration.clone(), message, invitation: None };
        let decision = enrolment::enrol(
            &self.db.view(user),
            &enrolment,
            Basis { policy: &self.policy, actor: &context(), now: self.now },
        );
        if self.db.commit(decision) != Enrolled::Enrolled {
            return;
        }
        self.note("enrolled");
        assert!(!self.oracle.is_barred(user, self.now), "a barred user cannot enrol");
        if door == Door::Trusted {
            self.oracle.proven.insert(id);
        }
        self.devices.push((user, id));
        if let Some(registration) = registration {
            self.remember(&registration);
        }
        if sends {
            self.sent_message(user, factor, false);
        }
    }

    /// A challenge for which something is sent, and the code that goes out.
    pub(crate) fn sent(&mut self, factor: FactorKind, door: Door) -> (Challenge, Option<String>) {
        let code = self.draw_code(Alphabet::Digits);
        // The id is drawn next, by `verification`.
        let id = verification_id(self.drawn + 1);
        let hash = keys().hash(&code_context(id), &code);
        if factor == FactorKind::Voice && door == Door::V2 {
            return (Challenge::Keypad { hash }, Some(code));
        }
        // Some mail carries a link, some of it beside a code.
        let link = |code| LinkChallenge {
            token: crate::model::digest(self.drawn + 1),
            code,
            redirect_to: None,
            asked: AskedFrom::default(),
        };
        match code.as_bytes().last() {
            Some(b'0'..=b'3') if factor == FactorKind::Email => (Challenge::Link(link(None)), None),
            Some(b'4'..=b'6') if factor == FactorKind::Email => (Challenge::Link(link(Some(hash))), Some(code)),
            _ => (Challenge::Code { hash, length: 6, alphabet: Alphabet::Digits }, Some(code)),
        }
    }

    pub(crate) fn verification(
        &mut self,
        device: &Device,
        challenge: Challenge,
        code: Option<String>,
        door: Door,
        ttl: i64,
    ) -> Verification {
        let n = self.draw();
        let mut verification = crate::model::pending(n, device, challenge, self.now, ttl);
        if door == Door::V1 {
            verification.state_token = Some(crate::model::digest(n));
        }
        if let Some(code) = code {
            self.codes.insert(verification.id.0, code);
        }
        verification
    }

    pub(crate) fn remember(&mut self, verification: &Verification) {
        self.verifications.push((verification.user_id, verification.device_id, verification.id));
        if let Some(token) = verification.state_token {
            self.state_tokens.push((verification.user_id, verification.device_id, token));
        }
    }

    /// SEC 33, from the requirement: one in 30 s, five in 10 min, of which readers have three (SEC 95). Prompts have other
    /// limits, which are held where they are put.
    pub(crate) fn sent_message(&mut self, user: UserId, factor: FactorKind, reads: bool) {
        if factor == FactorKind::Push {
            return self.note("sent");
        }
        let now = self.now;
        if reads {
            let sends = self.oracle.sends_of_readers.entry((user, factor)).or_default();
            let lately = sends.iter().filter(|at| now.0 - at.0 < 10 * MINUTE).count();
            assert!(lately < 3 || !self.policy.message_limits, "a reader takes what is left to others");
            sends.push(now);
        }
        let sends = self.oracle.sends.entry((user, factor)).or_default();
        if self.policy.message_limits {
            assert!(sends.last().is_none_or(|at| now.0 - at.0 >= 30 * SECOND), "two messages within 30 s");
            assert!(sends.iter().filter(|at| now.0 - at.0 < 10 * MINUTE).count() < 5, "six messages within 10 min");
        }
        sends.push(now);
        self.note("sent");
    }

    /// The owner, or somebody else.
    pub(crate) fn somebody(&self, owner: UserId, stranger: bool) -> UserId {
        self.users.iter().copied().find(|user| (*user != owner) == stranger).unwrap_or(owner)
    }

    pub(crate) fn pick_device(&self, which: u8) -> Option<(UserId, DeviceId)> {
        pick_useful(&self.devices, which, |(_, id)| self.db.device(*id).is_some_and(Device::is_listed))
    }

    pub(crate) fn trigger(&mut self, stranger: bool, device: u8, door: Door, ttl: i64, number: bool) {
        let Some((owner, id)) = self.pick_device(device) else { return };
        let user = self.somebody(owner, stranger);
        let Some(device) = self.db.device(id).cloned() else { return };
        // The other door does not challenge what is not in use yet; it may try now and then.
        let door = if device.status == DeviceStatus::Pending && ttl % 8 != 0 { Door::V1 } else { door };
        let (challenge, code) = match device.factor {
            FactorKind::Totp | FactorKind::Hotp => (Challenge::Own, None),
            FactorKind::Push => {
                let nonce = self.secret();
                (
                    Challenge::Approval {
                        nonce,
                        numbers: number.then(|| "42".to_owned()).into_iter().collect(),
                        asked: AskedFrom::default(),
                    },
                    None,
                )
            }
            factor => self.sent(factor, door),
        };
        // A reader is let in over v1 alone.
        let (by, door) = (self.by(), if self.reads { Door::V1 } else { door });
        let mut verification = self.verification(&device, challenge, code, door, ttl);
        verification.client_id = by.client;
        let message = crate::model::message(&verification, device.factor);
        let sends = message.is_some();
        let opening = Opening { verification, message, pending_devices: door == Door::V1 };
        // SEC 95: what others have put and can be answered is as it was, whatever a reader triggers.
        let view = self.db.view(user);
        let of_others = |v: &&Verification| {
            self.reads && v.client_id != by.client && v.is_open(self.now) && v.challenge != Challenge::Untriggered
        };
        let kept: Vec<_> = view.verifications.iter().filter(of_others).cloned().collect();
        let decision = open(&view, &opening, Basis { policy: &self.policy, actor: &by, now: self.now });
        let opened = self.db.commit(decision);
        for others in &kept {
            assert_eq!(self.db.verification(others.id), Some(others), "taken by a reader");
        }
        if self.reads {
            let of_device = kept.iter().any(|v| v.device_id == device.id);
            self.note(if of_device { "kept from a reader" } else { "opened by a reader" });
        }
        let is_locked = self.oracle.is_locked(user, Some(id), self.now);
        match opened {
            Opened::Opened(verification) | Opened::Repeated(verification) if is_locked => {
                panic!("{} was challenged under a lock", verification.device_id)
            }
            Opened::Opened(verification) => {
                assert_eq!(device.user_id, user, "a challenge for somebody else's device");
                self.note("opened");
                self.remember(&verification);
                if sends {
                    self.sent_message(user, device.factor, self.reads);
                }
            }
            Opened::Repeated(verification) => {
                assert_eq!(device.user_id, user, "a challenge for somebody else's device");
                assert_eq!(device.factor, FactorKind::Push);
                let stored = self.db.verification(verification.id);
                assert_eq!(stored, Some(&verification), "the answer tells of what is not stored");
                self.note("repeated");
                self.remember(&verification);
            }
            Opened::Locked(_) => assert!(is_locked, "a lock out of nothing"),
            Opened::NoUser | Opened::NoDevice | Opened::TooSoon(_) | Opened::TooMany(_) => {}
        }
    }

    /// What is aimed at, and whose it is.
    pub(crate) fn target(&self, aim: &Aim) -> Option<(UserId, Target)> {
        Some(match aim {
            Aim::Device { device } => {
                let (owner, device) = self.pick_device(*device)?;
                (owner, Target::Device { device, state_token: None })
            }
            Aim::StateToken { token, wrong_device } => {
                let is_live = |token: &Digest| {
                    let all = self.db.users.values().flat_map(|rows| &rows.verifications);
                    all.filter(|v| v.state_token == Some(*token)).any(Verification::is_live)
                };
                let (owner, device, token) = pick_useful(&self.state_tokens, *token, |(.., token)| is_live(token))?;
                let device = match wrong_device {
                    Some(other) => pick(&self.devices, *other)?.1,
                    None => device,
                };
                (owner, Target::Device { device, state_token: Some(token) })
            }
            Aim::Wire { verification, wrong_purpose, device } => {
                let is_open = |id| self.db.verification(id).is_some_and(|v| v.is_open(self.now));
                let (owner, its_device, id) = pick_useful(&self.verifications, *verification, |(.., id)| is_open(*id))?;
                let purpose = self.db.verification(id).map_or(Purpose::Login, |v| v.purpose);
                let purpose = match (purpose, wrong_purpose) {
                    (Purpose::Enrol, false) | (Purpose::Login, true) => Purpose::Enrol,
                    (Purpose::Login, false) | (Purpose::Enrol, true) => Purpose::Login,
                    (other, _) => other,
                };
                let device = match device {
                    None => None,
                    Some(true) => Some(its_device),
                    Some(false) => Some(self.devices.first()?.1),
                };
                (owner, Target::Wire { wire_id: id.to_string(), purpose, device })
            }
            Aim::OwnCodes { device } => {
                let (owner, device) = self.pick_device(*device)?;
                (owner, Target::OwnCodes(device))
            }
            Aim::Newest => (self.users[0], Target::Newest),
            Aim::TempToken => (self.users[1], Target::TempToken),
        })
    }

    /// What an act of `user` is aimed at, in the oracle's reading.
    pub(crate) fn aimed(&self, user: UserId, act: &Act) -> (Option<DeviceId>, Option<&Verification>) {
        let Some(rows) = self.db.users.get(&user) else { return (None, None) };
        let open_code =
            |v: &&Verification| v.is_open(self.now) && v.purpose == Purpose::Login && v.challenge.sent_code().is_some();
        match act {
            Act::Typed(Target::Device { device, state_token }) => {
                let token = state_token.as_ref();
                let found = rows
                    .verifications
                    .iter()
                    .rfind(|v| v.device_id == *device && token.is_some() && v.state_token.as_ref() == token);
                (Some(*device), found)
            }
            Act::Typed(Target::Wire { wire_id, device, purpose }) => {
                let found = rows.verifications.iter().find(|v| v.wire_id == *wire_id && v.purpose == *purpose);
                (found.map(|v| v.device_id).or(*device), found)
            }
            Act::Typed(Target::SignIn { state_token, device }) => {
                let token = Some(state_token);
                let put = |v: &&Verification| v.purpose == Purpose::SignIn && v.state_token.as_ref() == token;
                (Some(*device), rows.verifications.iter().filter(put).rfind(|v| v.device_id == *device))
            }
            Act::Typed(Target::OwnCodes(device)) => {
                let sent = self.db.device(*device).is_some_and(|d| d.factor.needs_trigger());
                let newest = rows.verifications.iter().filter(open_code).rfind(|v| v.device_id == *device);
                (Some(*device), newest.filter(|_| sent))
            }
            Act::Typed(Target::Newest) => {
                let newest = rows.verifications.iter().rfind(open_code);
                (newest.map(|v| v.device_id), newest)
            }
            Act::Typed(Target::TempToken) => (None, None),
            Act::Device(id, _) => {
                let found = rows.verifications.iter().find(|v| v.id == *id);
                (found.map(|v| v.device_id), found)
            }
        }
    }

    pub(crate) fn response(&self, user: UserId, target: &Target, say: &Say) -> FactorResponse {
        let (device, verification) = self.aimed(user, &Act::Typed(target.clone()));
        let device = device.and_then(|id| self.db.device(id));
        let text = match say {
            Say::Nothing => return FactorResponse::none(),
            Say::Empty => return FactorResponse::typed(""),
            Say::Wrong(n) => format!("{n:06}"),
            Say::Replay => device.and_then(|d| self.said.get(&d.id)).cloned().unwrap_or_else(|| "000009".to_owned()),
            Say::Known(n) => {
                let known: Vec<_> = self.codes.values().chain(self.said.values()).collect();
                pick(&known, *n).cloned().unwrap_or_default()
            }
            Say::Right { skew, ahead, .. } => {
                let sent = verification.and_then(|v| self.codes.get(&v.id.0));
                match (device, sent) {
                    (None, _) => self.temp_tokens.get(&user).cloned().unwrap_or_default(),
                    (_, Some(code)) => code.to_ascii_lowercase(),
                    (Some(device), None) => match unseal(device) {
                        Credential::Totp(totp) => totp.code(self.now.plus(skew * 30 * SECOND)),
                        Credential::Hotp(hotp) => {
                            let counter = (device.last_counter + 1 + ahead).cast_unsigned();
                            hotp::code(&hotp.secret, Algorithm::Sha1, counter, 6)
                        }
                        _ => "000008".to_owned(),
                    },
                }
            }
        };
        match (say, text.parse()) {
            (Say::Right { number: true, .. }, Ok(number)) => FactorResponse::number(number),
            _ => FactorResponse::typed(&text),
        }
    }

    pub(crate) fn answer(&mut self, stranger: bool, aim: &Aim, say: &Say, held: bool) {
        let Some((owner, target)) = self.target(aim) else { return };
        let user = self.somebody(owner, stranger);
        let response = self.response(user, &target, say);
        let view = self.db.view(user);
        let evidence = match find(&view, &target, self.now) {
            Err(_) => Evidence::Absent,
            Ok(found) => match found.device {
                None => {
                    let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref());
                    prove_temp_token(user, token, &response, &keys())
                }
                Some(device) => {
                    let credential = unseal(device);
                    prove(&credential, device, found.verification, &response, &keys(), self.now)
                }
            },
        };
        // The model remembers a guess by what it says, however it was spelt.
        let said = (!response.is_absent()).then(|| format!("{:0>6}", response.expose().to_ascii_uppercase()));
        let proof = Held { user, act: Act::Typed(target), evidence, said, is_honest: true };
        self.judge_or_hold(proof, held);
    }

    pub(crate) fn phone(&mut self, which: u8, tap: Tap, held: bool) {
        let Some((user, device, id)) = self.pick_challenge(which, |c| matches!(c, Challenge::Approval { .. })) else {
            return;
        };
        let Some(verification) = self.db.verification(id).cloned() else { return };
        let Some(device) = self.db.device(device).cloned() else { return };
        let Challenge::Approval { nonce, .. } = &verification.challenge else { return };
        let stranger = signing_key(999);
        let key = self.phones.get(&device.id).filter(|_| tap.own_key).unwrap_or(&stranger);
        let decision = match (tap.accept, tap.right_digits) {
            (true, _) => PushDecision::Accept,
            (false, true) => PushDecision::Deny,
            (false, false) => PushDecision::Report,
        };
        let digits = if tap.right_digits { verification.challenge.number() } else { Some("24".to_owned()) };
        let text = push::answer_text(id, nonce.expose(), decision, digits.as_deref(), 0);
        let signature: Signature = key.sign(text.as_bytes());
        let answer = PushAnswer { decision, digits, signed_at: 0, signature: signature.to_bytes().to_vec() };
        let evidence = push::prove_answer(&unseal(&device), &verification, &answer, &keys()).evidence();
        let is_honest = tap.own_key && tap.accept && tap.right_digits;
        self.judge_or_hold(Held { user, act: Act::Device(id, None), evidence, said: None, is_honest }, held);
    }

    pub(crate) fn keypad(&mut self, which: u8, right: bool, held: bool) {
        let Some((user, _, id)) = self.pick_challenge(which, |c| matches!(c, Challenge::Keypad { .. })) else {
            return;
        };
        let Some(verification) = self.db.verification(id).cloned() else { return };
        let digits = if right { self.codes[&id.0].clone() } else { "000007".to_owned() };
        let evidence = keyed(&verification, &digits);
        let proof = Held { user, act: Act::Device(id, None), evidence, said: Some(digits), is_honest: right };
        self.judge_or_hold(proof, held);
    }

    pub(crate) fn link(&mut self, which: u8, decision: LinkDecision, right: bool, held: bool) {
        let Some((user, _, id)) = self.pick_challenge(which, |c| matches!(c, Challenge::Link(_))) else { return };
        let Some(verification) = self.db.verification(id).cloned() else { return };
        let Challenge::Link(link) = &verification.challenge else { return };
        let token = if right { link.token } else { crate::model::digest(0) };
        let evidence = prove_link(&verification, &token, decision).evidence();
        let is_honest = right && decision == LinkDecision::Confirm;
        self.judge_or_hold(Held { user, act: Act::Device(id, None), evidence, said: None, is_honest }, held);
    }

    pub(crate) fn pair(&mut self, which: u8, right: bool, held: bool) {
        let Some((user, device, id)) = self.pick_challenge(which, |c| matches!(c, Challenge::Pairing { .. })) else {
            return;
        };
        let Some(verification) = self.db.verification(id).cloned() else { return };
        let code = if right { self.codes[&id.0].clone() } else { "00000000".to_owned() };
        let key = signing_key(device.0.cast_unsigned());
        let public_key = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let signature: Signature = key.sign(push::pairing_text(&code, &public_key).as_bytes());
        let evidence =
            push::prove_pairing(&verification, &code, &public_key, &signature.to_bytes(), &keys()).evidence();
        self.phones.insert(device, key);
        let sealed = seal(&Credential::Push { public_key: Some(public_key) });
        let act = Act::Device(id, Some(sealed));
        self.judge_or_hold(Held { user, act, evidence, said: Some(code), is_honest: right }, held);
    }

    pub(crate) fn pick_challenge(
        &self,
        which: u8,
        is_right: impl Fn(&Challenge) -> bool,
    ) -> Option<(UserId, DeviceId, VerificationId)> {
        let of_kind = |id| self.db.verification(id).is_some_and(|v| is_right(&v.challenge));
        let known: Vec<_> = self.verifications.iter().filter(|(_, _, id)| of_kind(*id)).copied().collect();
        pick_useful(&known, which, |(.., id)| self.db.verification(*id).is_some_and(|v| v.is_open(self.now)))
    }

    pub(crate) fn judge_or_hold(&mut self, proof: Held, held: bool) {
        if !held {
            self.judge(&proof, proof.user, true);
        }
        self.held.push(proof);
    }

    /// A snapshot's evidence, judged late, twice, at another target, or for another user.
    pub(crate) fn again(&mut self, held: u8, aimed_as: Option<u8>, other_user: bool) {
        let Some(mut proof) = pick(&self.held, held) else { return };
        if let Some(other) = aimed_as.and_then(|other| pick(&self.held, other)) {
            proof.act = other.act;
        }
        let others = self.users.iter().copied().find(|user| *user != proof.user);
        let user = if other_user { others.unwrap_or(proof.user) } else { proof.user };
        self.judge(&proof, user, false);
    }

    pub(crate) fn siege(&mut self, device: u8, rounds: u8, pause: i64) {
        let Some((user, device)) = self.pick_device(device) else { return };
        for round in 0..rounds {
            self.now = self.now.plus(pause);
            let target = Target::Device { device, state_token: None };
            let view = self.db.view(user);
            let Ok(found) = find(&view, &target, self.now) else { continue };
            let Some(found) = found.device else { continue };
            let response = FactorResponse::typed(&format!("{round:06}"));
            let evidence = prove(&unseal(found), found, None, &response, &keys(), self.now);
            let said = Some(format!("{round:06}"));
            let proof = Held { user, act: Act::Typed(target), evidence, said, is_honest: true };
            self.judge(&proof, user, true);
            self.check();
        }
    }
}
