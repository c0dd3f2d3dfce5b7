//! Random histories against the rules: enrol, trigger, answer, replay, race, lock, remove, in any order and with any
//! clock (SEC 91). A ghost keeps its own books, written from the requirements and not from the rules, and after every
//! step the two must agree: no proof counts twice, no failure and no lock is forgotten, what has ended stays ended.
//!
//! The default run is the same every time. `PROPTEST_CASES=1000000` explores others.

mod model;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::device::{MAX_DEVICES, NO_COUNTER};
use domain::enrolment::{self, Enrolled, Enrolment, MAX_REGISTRATIONS};
use domain::factor::hotp::{self, Algorithm, Hotp};
use domain::factor::push::{self, PAIRING_CONTEXT};
use domain::factor::totp::Totp;
use domain::factor::{self, Alphabet, Challenge, PushAnswer, PushDecision, code_context};
use domain::time::{DAY, HOUR, MINUTE, SECOND};
use domain::user::{Unlocked, UserPatch};
use domain::verification::{self, MAX_OPEN_PER_DEVICE, Opened, Opening, Purpose, Target, Verification};
use domain::{
    Credential, Device, DeviceId, DeviceStatus, Digest, Evidence, FactorKind, Freshness, Outcome, Policy, Reason,
    Response, Sealed, Secret, Status, ThrottleKey, Timestamp, UserId, UserStatus, VerificationId, temp_token, user,
};
use model::{Database, START, context, keys, seal, unseal, verification_id};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Histories in the default run.
const CASES: u32 = 192;
/// Users in a history.
const USERS: usize = 2;

// What can happen. Small numbers choose among what exists when the step is taken, the newest first.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    V1,
    V2,
    Trusted,
}

#[derive(Debug, Clone)]
enum Aim {
    Device { device: u8 },
    StateToken { token: u8, wrong_device: Option<u8> },
    Wire { verification: u8, wrong_purpose: bool, device: Option<bool> },
    OwnCodes { device: u8 },
    Newest,
    TempToken,
}

#[derive(Debug, Clone)]
enum Say {
    Right { skew: i64, ahead: i64, number: bool },
    Replay,
    Known(u8),
    Wrong(u32),
    Nothing,
    Empty,
}

#[derive(Debug, Clone, Copy)]
struct Tap {
    accept: bool,
    own_key: bool,
    right_digits: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Lock { user: usize, minutes: i64 },
    SetStatus { user: usize, status: UserStatus },
    Unlock { user: usize },
    Authenticate { user: usize },
    Replace { user: usize },
    Enrol { user: usize, factor: FactorKind, door: Door },
    Trigger { stranger: bool, device: u8, door: Door, ttl: i64, number: bool },
    Answer { stranger: bool, aim: Aim, say: Say, held: bool },
    Phone { verification: u8, tap: Tap, held: bool },
    Keypad { verification: u8, right: bool, held: bool },
    Pair { verification: u8, right: bool, held: bool },
    Again { held: u8, aimed_as: Option<u8>, other_user: bool },
    Siege { device: u8, rounds: u8, pause: i64 },
    SiegeOfToken { user: usize, rounds: u8, pause: i64 },
    Pester { device: u8, rounds: u8, pause: i64 },
    Crowd { user: usize, door: Door, count: u8 },
    IssueToken { user: usize, reusable: bool, ttl: i64 },
    RevokeToken { user: usize },
    Remove { stranger: bool, device: u8 },
}

fn steps() -> impl Strategy<Value = Step> {
    let user = || 0..USERS;
    let door = prop_oneof![3 => Just(Door::V1), 3 => Just(Door::V2), 1 => Just(Door::Trusted)];
    let two_doors = prop_oneof![Just(Door::V1), Just(Door::V2)];
    let factor = prop::sample::select(FactorKind::ALL.to_vec());
    let wait = prop_oneof![
        6 => 0..2 * SECOND,
        4 => 5 * SECOND..40 * SECOND,
        2 => MINUTE..6 * MINUTE,
        1 => prop_oneof![4 => 10 * MINUTE..2 * HOUR, 1 => 12 * HOUR..2 * DAY],
        1 => -5 * SECOND..0,
    ];
    let aim = prop_oneof![
        2 => any::<u8>().prop_map(|device| Aim::Device { device }),
        4 => (any::<u8>(), prop::option::weighted(0.1, any::<u8>()))
            .prop_map(|(token, wrong_device)| Aim::StateToken { token, wrong_device }),
        4 => (any::<u8>(), prop::bool::weighted(0.1), prop::option::of(prop::bool::weighted(0.9)))
            .prop_map(|(verification, wrong_purpose, device)| Aim::Wire { verification, wrong_purpose, device }),
        2 => any::<u8>().prop_map(|device| Aim::OwnCodes { device }),
        1 => Just(Aim::Newest),
        1 => Just(Aim::TempToken),
    ];
    let say = prop_oneof![
        5 => (-2..=2i64, 0..12i64, any::<bool>())
            .prop_map(|(skew, ahead, number)| Say::Right { skew, ahead, number }),
        2 => Just(Say::Replay),
        2 => any::<u8>().prop_map(Say::Known),
        2 => (0..4u32).prop_map(Say::Wrong),
        1 => Just(Say::Nothing),
        1 => Just(Say::Empty),
    ];
    let held = || prop::bool::weighted(0.15);
    let stranger = || prop::bool::weighted(0.05);
    prop_oneof![
           12 => wait.prop_map(Step::Wait),
           1 => (user(), 0..10i64).prop_map(|(user, minutes)| Step::Lock { user, minutes }),
           1 => (user(), prop::sample::select(vec![UserStatus::Suspended, UserStatus::Active, UserStatus::Active]))
               .prop_map(|(user, status)| Step::SetStatus { user, status }),
           3 => user().prop_map(|user| Step::Unlock { user }),
           1 => (user(), prop::bool::weighted(0.2))
               .prop_map(|(user, really)| if really { Step::Replace { user } } else { Step::Authenticate { user } }),
           5 => (user(), factor, door).prop_map(|(user, factor, door)| Step::Enrol { user, factor, door }),
           14 => (stranger(), any::<u8>(), two_doors, 1..900 * SECOND, any::<bool>())
               .prop_map(|(stranger, device, door, ttl, number)| Step::Trigger { stranger, device, door, ttl, number }),
           36 => (stranger(), aim, say, held())
               .prop_map(|(stranger, aim, say, held)| Step::Answer { stranger, aim, say, held }),
           9 => (any::<u8>(), prop::bool::weighted(0.7), prop::bool::weighted(0.9), prop::bool::weighted(0.8), held())
               .prop_map(|(verification, accept, own_key, right_digits, held)| {
    Step::Phone { verification, tap: Tap { accept, own_key, right_digits }, held }
               }),
           3 => (any::<u8>(), prop::bool::weighted(0.7), held())
               .prop_map(|(verification, right, held)| Step::Keypad { verification, right, held }),
           6 => (any::<u8>(), prop::bool::weighted(0.8), held())
               .prop_map(|(verification, right, held)| Step::Pair { verification, right, held }),
           10 => (any::<u8>(), prop::option::weighted(0.3, any::<u8>()), prop::bool::weighted(0.2))
               .prop_map(|(held, aimed_as, other_user)| Step::Again { held, aimed_as, other_user }),
           2 => (any::<u8>(), prop_oneof![2 => 1..12u8, 1 => 50..60u8], prop_oneof![11 * SECOND..MINUTE, 2 * HOUR..3 * HOUR])
               .prop_map(|(device, rounds, pause)| Step::Siege { device, rounds, pause }),
           1 => (user(), 4..8u8, SECOND..10 * MINUTE)
               .prop_map(|(user, rounds, pause)| Step::SiegeOfToken { user, rounds, pause }),
           1 => (any::<u8>(), 3..9u8, 20 * SECOND..50 * SECOND)
               .prop_map(|(device, rounds, pause)| Step::Pester { device, rounds, pause }),
           1 => (user(), prop_oneof![Just(Door::V1), Just(Door::V2)], 2..24u8)
               .prop_map(|(user, door, count)| Step::Crowd { user, door, count }),
           2 => (user(), any::<bool>(), 120 * SECOND..4 * HOUR)
               .prop_map(|(user, reusable, ttl)| Step::IssueToken { user, reusable, ttl }),
           1 => user().prop_map(|user| Step::RevokeToken { user }),
           1 => (stranger(), any::<u8>()).prop_map(|(stranger, device)| Step::Remove { stranger, device }),
       ]
}

// The ghost: its own books.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bar {
    Locked(Option<Timestamp>),
    Suspended,
}

#[derive(Debug, Clone, Default)]
struct Guesses {
    consecutive: u32,
    moments: Vec<Timestamp>,
    until: Option<Timestamp>,
    last: Option<(Digest, Timestamp)>,
}

impl Guesses {
    fn is_locked(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    fn remember(&mut self, now: Timestamp) {
        self.moments.retain(|at| now.0 - at.0 < DAY);
        self.moments.push(now);
    }

    fn in_the_last(&self, window: i64, now: Timestamp) -> usize {
        self.moments.iter().filter(|at| now.0 - at.0 < window).count()
    }
}

fn locks<K: Ord>(guesses: &BTreeMap<K, Guesses>, key: &K, now: Timestamp) -> bool {
    guesses.get(key).is_some_and(|g| g.is_locked(now))
}

/// What a proof is known by: none may be seen twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Spent {
    Counter(DeviceId, i64),
    Challenge(VerificationId),
    Token([u8; 36]),
    Collected(VerificationId),
}

#[derive(Debug, Default)]
struct Ghost {
    bars: BTreeMap<UserId, Bar>,
    devices: BTreeMap<DeviceId, Guesses>,
    users: BTreeMap<UserId, Guesses>,
    tokens: BTreeMap<UserId, Guesses>,
    disabled: BTreeSet<DeviceId>,
    proven: BTreeSet<DeviceId>,
    counters: BTreeMap<DeviceId, i64>,
    spent: HashSet<Spent>,
    ended: HashMap<VerificationId, (Status, Option<Timestamp>)>,
    sends: HashMap<(UserId, FactorKind), Vec<Timestamp>>,
    attempts: HashMap<VerificationId, i64>,
}

impl Ghost {
    fn is_barred(&self, user: UserId, now: Timestamp) -> bool {
        match self.bars.get(&user) {
            None => false,
            Some(Bar::Suspended | Bar::Locked(None)) => true,
            Some(Bar::Locked(Some(until))) => now < *until,
        }
    }

    fn is_locked(&self, user: UserId, device: Option<DeviceId>, now: Timestamp) -> bool {
        let subject = match device {
            Some(device) => self.disabled.contains(&device) || locks(&self.devices, &device, now),
            None => locks(&self.tokens, &user, now),
        };
        subject || self.is_barred(user, now) || locks(&self.users, &user, now)
    }

    fn is_doubled(&self, user: UserId, device: Option<DeviceId>, wrong: Digest, now: Timestamp) -> bool {
        let subject = device.map_or_else(|| self.tokens.get(&user), |device| self.devices.get(&device));
        subject.and_then(|g| g.last).is_some_and(|(last, at)| last == wrong && (now.0 - at.0).abs() < 10 * SECOND)
    }

    fn count(&mut self, user: UserId, device: Option<DeviceId>, wrong: Digest, now: Timestamp) {
        match device {
            Some(device) => {
                let guesses = self.devices.entry(device).or_default();
                guesses.consecutive += 1;
                guesses.last = Some((wrong, now));
                let minutes = match guesses.consecutive {
                    5 => 1,
                    10 => 5,
                    15 => 15,
                    20 | 25 | 30 | 35 | 40 | 45 | 50 | 55 | 60 => 60,
                    _ => 0,
                };
                if minutes > 0 {
                    guesses.until = Some(Timestamp(now.0 + minutes * MINUTE));
                }
                if guesses.consecutive >= 50 {
                    self.disabled.insert(device);
                }
            }
            None => {
                let guesses = self.tokens.entry(user).or_default();
                guesses.last = Some((wrong, now));
                guesses.remember(now);
                if guesses.in_the_last(DAY, now) >= 10 {
                    guesses.until = Some(Timestamp(now.0 + DAY));
                } else if guesses.in_the_last(HOUR, now) >= 5 {
                    guesses.until = Some(Timestamp(now.0 + HOUR));
                }
            }
        }
        let budget = self.users.entry(user).or_default();
        budget.remember(now);
        if budget.in_the_last(HOUR, now) >= 20 || budget.in_the_last(DAY, now) >= 100 {
            budget.until = Some(Timestamp(now.0 + HOUR));
        }
    }
}

// The world around the rules: people with their devices, and callers with what they were told.

#[derive(Debug, Clone)]
enum Act {
    Typed(Target),
    Device(VerificationId, Option<Sealed>),
}

/// Something proved on a snapshot, to be judged now or later, once or more often.
#[derive(Debug, Clone)]
struct Held {
    user: UserId,
    act: Act,
    evidence: Evidence,
    said: Option<String>,
    is_honest: bool,
}

struct World {
    db: Database,
    ghost: Ghost,
    policy: Policy,
    now: Timestamp,
    drawn: u64,
    users: Vec<UserId>,
    devices: Vec<(UserId, DeviceId)>,
    verifications: Vec<(UserId, DeviceId, VerificationId)>,
    state_tokens: Vec<(UserId, DeviceId, Digest)>,
    codes: BTreeMap<uuid::Uuid, String>,
    phones: BTreeMap<DeviceId, SigningKey>,
    said: BTreeMap<DeviceId, String>,
    temp_tokens: BTreeMap<UserId, String>,
    held: Vec<Held>,
    tally: BTreeMap<&'static str, u32>,
}

/// The newest for every second number, the one before it for every fourth, and so on.
fn pick<T: Clone>(from: &[T], which: u8) -> Option<T> {
    let depth = which.trailing_ones() as usize % from.len().max(1);
    from.len().checked_sub(1 + depth).map(|i| from[i].clone())
}

/// Mostly one that is of use, sometimes any.
fn pick_useful<T: Clone>(from: &[T], which: u8, is_useful: impl Fn(&T) -> bool) -> Option<T> {
    let useful: Vec<T> = from.iter().filter(|one| is_useful(one)).cloned().collect();
    if which >= 224 || useful.is_empty() { pick(from, which) } else { pick(&useful, which) }
}

impl World {
    fn new(message_limits: bool) -> Self {
        let policy = Policy {
            factors: FactorKind::ALL.to_vec(),
            country_prefixes: vec!["+1".to_owned()],
            message_limits,
            sends: domain::SendLimits::default(),
            issuer: "acme".to_owned(),
            sign_in: domain::SignInPolicy::default(),
        };
        let mut world = Self {
            db: Database::default(),
            ghost: Ghost::default(),
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
            tally: BTreeMap::new(),
        };
        for _ in 0..USERS {
            let user = world.create_user();
            world.users.push(user);
        }
        world
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    /// A code nobody was given before.
    fn draw_code(&mut self, alphabet: Alphabet) -> String {
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

    fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn create_user(&mut self) -> UserId {
        let id = UserId(self.draw().cast_signed());
        self.db.commit(user::create(id, &UserPatch::default(), &context(), self.now));
        id
    }

    fn secret(&mut self) -> Secret {
        let n = self.draw();
        Secret::new(Digest::of(&n.to_be_bytes()).0[..20].to_vec())
    }

    fn take(&mut self, step: &Step) {
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
            Step::Pair { verification, right, held } => self.pair(*verification, *right, *held),
            Step::Again { held, aimed_as, other_user } => self.again(*held, *aimed_as, *other_user),
            Step::SiegeOfToken { user, rounds, pause } => {
                for round in 0..*rounds {
                    self.now = self.now.plus(*pause);
                    let user = self.users[*user];
                    let evidence = factor::temp_token::prove(user, None, &Response::Number(round.into()), &keys());
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
                let token = model::temp_token(user, &digits, *reusable, self.now.plus(*ttl));
                let issued = self.db.commit(temp_token::issue(&self.db.view(user), token, &context(), self.now));
                if issued == temp_token::Issued::Issued {
                    self.temp_tokens.insert(user, digits);
                }
            }
            Step::RevokeToken { user } => {
                let user = self.users[*user];
                self.db.commit(temp_token::revoke(&self.db.view(user), &context(), self.now));
            }
            Step::Remove { stranger, device } => {
                if let Some((owner, device)) = pick(&self.devices, *device) {
                    let user = self.somebody(owner, *stranger);
                    let owned = self.db.device(device).is_some_and(|d| d.user_id == user && d.is_listed());
                    let removed = self.db.commit(enrolment::remove(&self.db.view(user), device, &context(), self.now));
                    assert_eq!(removed, owned, "exactly one's own device is removed");
                }
            }
        }
        self.check();
    }

    fn lock(&mut self, user: UserId, minutes: i64) {
        self.db.commit(user::lock(&self.db.view(user), minutes, &context(), self.now));
        if self.ghost.bars.get(&user) != Some(&Bar::Suspended) {
            let until = (minutes > 0).then(|| self.now.plus(minutes * MINUTE));
            self.ghost.bars.insert(user, Bar::Locked(until));
        }
        let view = self.db.view(user);
        assert!(view.verifications.is_empty() && view.user.is_some_and(|u| u.temp_token.is_none()));
    }

    fn set_status(&mut self, user: UserId, status: UserStatus) {
        let patch = UserPatch { status: Some(status), ..UserPatch::default() };
        self.db.commit(user::update(&self.db.view(user), &patch, &context(), self.now));
        if status == UserStatus::Suspended {
            assert!(self.ghost.is_barred(user, self.now) || self.db.view(user).verifications.is_empty());
            self.ghost.bars.insert(user, Bar::Suspended);
        } else {
            self.ghost.bars.remove(&user);
        }
    }

    fn unlock(&mut self, user: UserId) {
        match self.db.commit(user::unlock(&self.db.view(user), &context(), self.now)) {
            Unlocked::Unlocked => {
                if matches!(self.ghost.bars.get(&user), Some(Bar::Locked(_))) {
                    self.ghost.bars.remove(&user);
                }
                self.ghost.users.remove(&user);
                self.ghost.tokens.remove(&user);
                for (_, device) in self.devices.iter().filter(|(owner, _)| *owner == user) {
                    self.ghost.devices.remove(device);
                    if self.ghost.disabled.remove(device) {
                        *self.tally.entry("enabled").or_default() += 1;
                    }
                }
            }
            Unlocked::NotLocked => assert!(!matches!(self.ghost.bars.get(&user), Some(Bar::Locked(_)))),
            Unlocked::NoUser => panic!("the user exists"),
        }
    }

    fn enrol(&mut self, user: UserId, factor: FactorKind, door: Door) {
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
            last_counter: NO_COUNTER,
            created_at: self.now,
            last_used_at: None,
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
            if matches!(registration.challenge, Challenge::Code { .. } | Challenge::Keypad { .. }) {
                message = model::message(&registration, factor);
            }
            registration
        });
        let sends = message.is_some();
        let enrolment = Enrolment { device, registration: registration.clone(), message };
        let decision = enrolment::enrol(&self.db.view(user), &enrolment, &self.policy, &context(), self.now);
        if self.db.commit(decision) != Enrolled::Enrolled {
            return;
        }
        self.note("enrolled");
        assert!(!self.ghost.is_barred(user, self.now), "nobody enrols while barred");
        if door == Door::Trusted {
            self.ghost.proven.insert(id);
        }
        self.devices.push((user, id));
        if let Some(registration) = registration {
            self.remember(&registration);
        }
        if sends {
            self.sent_message(user, factor);
        }
    }

    /// A challenge for which something is sent, and the code that goes out.
    fn sent(&mut self, factor: FactorKind, door: Door) -> (Challenge, Option<String>) {
        let code = self.draw_code(Alphabet::Digits);
        // The id is drawn next, by `verification`.
        let id = verification_id(self.drawn + 1);
        let hash = keys().hash(&code_context(id), &code);
        if factor == FactorKind::Voice && door == Door::V2 {
            return (Challenge::Keypad { hash }, Some(code));
        }
        (Challenge::Code { hash, length: 6, alphabet: Alphabet::Digits }, Some(code))
    }

    fn verification(
        &mut self,
        device: &Device,
        challenge: Challenge,
        code: Option<String>,
        door: Door,
        ttl: i64,
    ) -> Verification {
        let n = self.draw();
        let mut verification = model::pending(n, device, challenge, self.now, ttl);
        if door == Door::V1 {
            verification.state_token = Some(model::digest(n));
        }
        if let Some(code) = code {
            self.codes.insert(verification.id.0, code);
        }
        verification
    }

    fn remember(&mut self, verification: &Verification) {
        self.verifications.push((verification.user_id, verification.device_id, verification.id));
        if let Some(token) = verification.state_token {
            self.state_tokens.push((verification.user_id, verification.device_id, token));
        }
    }

    /// SEC 33, from the requirement: one in 30 s, five in 10 min.
    fn sent_message(&mut self, user: UserId, factor: FactorKind) {
        let now = self.now;
        let sends = self.ghost.sends.entry((user, factor)).or_default();
        if self.policy.message_limits {
            assert!(sends.last().is_none_or(|at| now.0 - at.0 >= 30 * SECOND), "two messages within 30 s");
            assert!(sends.iter().filter(|at| now.0 - at.0 < 10 * MINUTE).count() < 5, "six messages within 10 min");
        }
        sends.push(now);
        self.note("sent");
    }

    /// The owner, or somebody else.
    fn somebody(&self, owner: UserId, stranger: bool) -> UserId {
        self.users.iter().copied().find(|user| (*user != owner) == stranger).unwrap_or(owner)
    }

    fn pick_device(&self, which: u8) -> Option<(UserId, DeviceId)> {
        pick_useful(&self.devices, which, |(_, id)| self.db.device(*id).is_some_and(Device::is_listed))
    }

    fn trigger(&mut self, stranger: bool, device: u8, door: Door, ttl: i64, number: bool) {
        let Some((owner, id)) = self.pick_device(device) else { return };
        let user = self.somebody(owner, stranger);
        let Some(device) = self.db.device(id).cloned() else { return };
        // The other door does not challenge what is not in use yet; it may try now and then.
        let door = if device.status == DeviceStatus::Pending && ttl % 8 != 0 { Door::V1 } else { door };
        let (challenge, code) = match device.factor {
            FactorKind::Totp | FactorKind::Hotp => (Challenge::Own, None),
            FactorKind::Push => {
                let nonce = self.secret();
                (Challenge::Approval { nonce, numbers: number.then(|| "42".to_owned()).into_iter().collect() }, None)
            }
            factor => self.sent(factor, door),
        };
        let verification = self.verification(&device, challenge, code, door, ttl);
        let message = model::message(&verification, device.factor);
        let sends = message.is_some();
        let opening = Opening { verification, message, pending_devices: door == Door::V1 };
        let decision = verification::open(&self.db.view(user), &opening, &self.policy, &context(), self.now);
        let opened = self.db.commit(decision);
        let is_locked = self.ghost.is_locked(user, Some(id), self.now);
        match opened {
            Opened::Opened(verification) | Opened::Repeated(verification) if is_locked => {
                panic!("{} was challenged under a lock", verification.device_id)
            }
            Opened::Opened(verification) => {
                assert_eq!(device.user_id, user, "a challenge for somebody else's device");
                self.note("opened");
                self.remember(&verification);
                if sends {
                    self.sent_message(user, device.factor);
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
    fn target(&self, aim: &Aim) -> Option<(UserId, Target)> {
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

    /// What an act of `user` is aimed at, in the ghost's reading.
    fn aimed(&self, user: UserId, act: &Act) -> (Option<DeviceId>, Option<&Verification>) {
        let Some(rows) = self.db.users.get(&user) else { return (None, None) };
        let open_code = |v: &&Verification| {
            v.is_open(self.now) && v.purpose == Purpose::Login && matches!(v.challenge, Challenge::Code { .. })
        };
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

    fn response(&self, user: UserId, target: &Target, say: &Say) -> Response {
        let (device, verification) = self.aimed(user, &Act::Typed(target.clone()));
        let device = device.and_then(|id| self.db.device(id));
        let text = match say {
            Say::Nothing => return Response::None,
            Say::Empty => return Response::Text(String::new()),
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
            (Say::Right { number: true, .. }, Ok(number)) => Response::Number(number),
            _ => Response::Text(text),
        }
    }

    fn answer(&mut self, stranger: bool, aim: &Aim, say: &Say, held: bool) {
        let Some((owner, target)) = self.target(aim) else { return };
        let user = self.somebody(owner, stranger);
        let response = self.response(user, &target, say);
        let view = self.db.view(user);
        let evidence = match verification::find(&view, &target, self.now) {
            Err(_) => Evidence::Absent,
            Ok(found) => match found.device {
                None => {
                    let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref());
                    factor::temp_token::prove(user, token, &response, &keys())
                }
                Some(device) => {
                    let credential = unseal(device);
                    factor::prove(&credential, device, found.verification, &response, &keys(), self.now)
                }
            },
        };
        let said = match response {
            Response::None => None,
            Response::Text(text) => Some(text.to_ascii_uppercase()),
            Response::Number(number) => Some(format!("{number:06}")),
        };
        let proof = Held { user, act: Act::Typed(target), evidence, said, is_honest: true };
        self.judge_or_hold(proof, held);
    }

    fn phone(&mut self, which: u8, tap: Tap, held: bool) {
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
        let evidence = push::prove_answer(&unseal(&device), &device, &verification, &answer, &keys());
        let is_honest = tap.own_key && tap.accept && tap.right_digits;
        self.judge_or_hold(Held { user, act: Act::Device(id, None), evidence, said: None, is_honest }, held);
    }

    fn keypad(&mut self, which: u8, right: bool, held: bool) {
        let Some((user, device, id)) = self.pick_challenge(which, |c| matches!(c, Challenge::Keypad { .. })) else {
            return;
        };
        let Some(verification) = self.db.verification(id).cloned() else { return };
        let Some(device) = self.db.device(device).cloned() else { return };
        let digits = if right { self.codes[&id.0].clone() } else { "000007".to_owned() };
        let evidence = factor::prove_keypad(&device, &verification, &digits, &keys());
        let proof = Held { user, act: Act::Device(id, None), evidence, said: Some(digits), is_honest: right };
        self.judge_or_hold(proof, held);
    }

    fn pair(&mut self, which: u8, right: bool, held: bool) {
        let Some((user, device, id)) = self.pick_challenge(which, |c| matches!(c, Challenge::Pairing { .. })) else {
            return;
        };
        let Some(verification) = self.db.verification(id).cloned() else { return };
        let Some(device) = self.db.device(device).cloned() else { return };
        let code = if right { self.codes[&id.0].clone() } else { "00000000".to_owned() };
        let key = signing_key(device.id.0.cast_unsigned());
        let public_key = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let signature: Signature = key.sign(push::pairing_text(&code, &public_key).as_bytes());
        let evidence = push::prove_pairing(&device, &verification, &code, &public_key, &signature.to_bytes(), &keys());
        self.phones.insert(device.id, key);
        let sealed = seal(&Credential::Push { public_key: Some(public_key) });
        let act = Act::Device(id, Some(sealed));
        self.judge_or_hold(Held { user, act, evidence, said: Some(code), is_honest: right }, held);
    }

    fn pick_challenge(
        &self,
        which: u8,
        is_right: impl Fn(&Challenge) -> bool,
    ) -> Option<(UserId, DeviceId, VerificationId)> {
        let of_kind = |id| self.db.verification(id).is_some_and(|v| is_right(&v.challenge));
        let known: Vec<_> = self.verifications.iter().filter(|(_, _, id)| of_kind(*id)).copied().collect();
        pick_useful(&known, which, |(.., id)| self.db.verification(*id).is_some_and(|v| v.is_open(self.now)))
    }

    fn judge_or_hold(&mut self, proof: Held, held: bool) {
        if !held {
            self.judge(&proof, proof.user, true);
        }
        self.held.push(proof);
    }

    /// A snapshot's evidence, judged late, twice, at another target, or for another user.
    fn again(&mut self, held: u8, aimed_as: Option<u8>, other_user: bool) {
        let Some(mut proof) = pick(&self.held, held) else { return };
        if let Some(other) = aimed_as.and_then(|other| pick(&self.held, other)) {
            proof.act = other.act;
        }
        let others = self.users.iter().copied().find(|user| *user != proof.user);
        let user = if other_user { others.unwrap_or(proof.user) } else { proof.user };
        self.judge(&proof, user, false);
    }

    fn siege(&mut self, device: u8, rounds: u8, pause: i64) {
        let Some((user, device)) = self.pick_device(device) else { return };
        for round in 0..rounds {
            self.now = self.now.plus(pause);
            let target = Target::Device { device, state_token: None };
            let view = self.db.view(user);
            let Ok(found) = verification::find(&view, &target, self.now) else { continue };
            let Some(found) = found.device else { continue };
            let response = Response::Text(format!("{round:06}"));
            let evidence = factor::prove(&unseal(found), found, None, &response, &keys(), self.now);
            let said = Some(format!("{round:06}"));
            let proof = Held { user, act: Act::Typed(target), evidence, said, is_honest: true };
            self.judge(&proof, user, true);
            self.check();
        }
    }

    /// Has the rules judge a proof for `user`, and checks what they say against the books.
    fn judge(&mut self, proof: &Held, user: UserId, is_fresh: bool) {
        let view = self.db.view(user);
        let decision = match &proof.act {
            Act::Typed(target) => verification::answer(&view, target, &proof.evidence, &context(), self.now),
            Act::Device(id, credential) => {
                let against = view.verification(*id).map_or(Challenge::Own, |asked| asked.challenge.clone());
                let shown = (&proof.evidence, &against);
                verification::answer_from_device(&view, *id, shown, credential.as_ref(), &context(), self.now)
            }
        };
        let (device, verification) = self.aimed(user, &proof.act);
        let verification = verification.cloned();
        let held_device = device.and_then(|id| self.db.device(id)).filter(|d| d.user_id == user).cloned();
        let was_locked = self.ghost.is_locked(user, device, self.now);
        match &decision.reply {
            Outcome::Accepted { device: by, .. } => {
                assert!(!was_locked, "accepted under a lock");
                assert_eq!(*by, device, "accepted with another device");
                assert_eq!(*by, held_device.as_ref().map(|d| d.id), "accepted with a device that is gone");
                self.accepted(proof, user, held_device.as_ref(), verification.as_ref());
            }
            Outcome::Refused(Reason::WrongCode) => {
                assert!(!was_locked, "evaluated under a lock");
                let is_untriggered = verification.as_ref().is_some_and(|v| v.challenge == Challenge::Untriggered);
                let wrong = match proof.evidence {
                    Evidence::Refuted(wrong) => wrong,
                    _ if is_untriggered => Digest::of(&[]),
                    _ => panic!("a right answer called wrong"),
                };
                if is_untriggered {
                    self.note("untriggered");
                } else if self.ghost.is_doubled(user, device, wrong, self.now) {
                    self.note("doubled");
                } else {
                    self.note("counted");
                    self.ghost.count(user, device, wrong, self.now);
                    if let Some(verification) = &verification {
                        *self.ghost.attempts.entry(verification.id).or_default() += 1;
                    }
                    if let Some(device) = held_device.filter(|d| self.ghost.disabled.contains(&d.id)) {
                        self.note(if device.status == DeviceStatus::Active { "disabled" } else { "discarded" });
                    }
                }
            }
            Outcome::Refused(Reason::Locked(_)) => {
                self.note("locked");
                // Of an ended verification only the device its caller names is left to be judged.
                let named = match &proof.act {
                    Act::Typed(Target::Wire { device, .. }) => *device,
                    _ => None,
                };
                let by_name = named.is_some() && self.ghost.is_locked(user, named, self.now);
                assert!(was_locked || by_name, "a lock out of nothing");
            }
            Outcome::Refused(Reason::Replay) => {
                self.note("replayed");
                assert!(matches!(proof.evidence, Evidence::Proved(_)));
            }
            Outcome::Refused(Reason::Denied) => self.note("denied"),
            Outcome::Refused(Reason::NotOpen) => self.note("not open"),
            Outcome::Refused(_) | Outcome::Pending(_) => {}
        }
        if is_fresh && proof.is_honest && !matches!(decision.reply, Outcome::Accepted { .. }) {
            self.assert_refusable(proof, user, device);
        }
        let reply = self.db.commit(decision);
        if let (Outcome::Refused(Reason::WrongCode | Reason::Denied), Act::Device(id, _)) = (reply, &proof.act) {
            let status = self.db.verification(*id).map(|v| v.status);
            assert!(matches!(status, Some(Status::Rejected { .. })), "no from the phone must be the end");
        }
    }

    fn accepted(&mut self, proof: &Held, user: UserId, device: Option<&Device>, verification: Option<&Verification>) {
        if let (Some(verification), Act::Typed(_)) = (verification, &proof.act)
            && matches!(verification.status, Status::Accepted { .. })
        {
            assert!(self.now < verification.expires_at, "collected too late");
            let is_new = self.ghost.spent.insert(Spent::Collected(verification.id));
            assert!(is_new, "a result collected twice");
            self.note("collected");
            return;
        }
        assert_eq!(proof.user, user, "evidence of one user accepted for another");
        assert!(proof.is_honest, "accepted what nobody answered");
        let Evidence::Proved(proved) = &proof.evidence else { panic!("accepted without a proof") };
        if let Some(verification) = verification {
            assert_eq!(verification.status, Status::Pending, "accepted after the end");
            assert!(self.now < verification.expires_at, "accepted too late");
            let is_new = self.ghost.spent.insert(Spent::Challenge(verification.id));
            assert!(is_new, "a challenge answered twice");
            if matches!(proof.act, Act::Typed(_)) {
                assert!(verification.challenge.takes_code(), "typed what is answered elsewhere");
                self.ghost.spent.insert(Spent::Collected(verification.id));
            }
        }
        match (proved.freshness(), device) {
            (Freshness::Counter(counter), Some(device)) => {
                let last = self.ghost.counters.entry(device.id).or_insert(NO_COUNTER);
                assert!(counter > *last, "counter {counter} accepted after {last}");
                *last = counter;
                assert!(self.ghost.spent.insert(Spent::Counter(device.id, counter)), "a counter accepted twice");
                let secret = match unseal(device) {
                    Credential::Totp(totp) => totp.secret,
                    Credential::Hotp(hotp) => hotp.secret,
                    _ => panic!("no such device has a counter"),
                };
                let code = hotp::code(&secret, Algorithm::Sha1, counter.cast_unsigned(), 6);
                assert_eq!(proof.said.as_ref(), Some(&code), "accepted a code of another counter");
                self.said.insert(device.id, code);
                self.note("accepted a counter");
            }
            (Freshness::ThisChallenge, Some(device)) => {
                let verification = verification.expect("a sent challenge has a verification");
                match verification.challenge {
                    Challenge::Approval { .. } => self.note("accepted an approval"),
                    Challenge::Code { .. } | Challenge::Keypad { .. } | Challenge::Pairing { .. } => {
                        let sent = self.codes.get(&verification.id.0);
                        assert_eq!(proof.said.as_ref(), sent, "accepted a code that was not sent");
                        self.note(match verification.challenge {
                            Challenge::Code { .. } => "accepted a code",
                            Challenge::Keypad { .. } => "accepted keyed digits",
                            _ => "accepted a pairing",
                        });
                    }
                    Challenge::Own | Challenge::Untriggered | Challenge::Terms(_) => panic!("nothing was sent"),
                }
                if let Some(code) = &proof.said {
                    self.said.insert(device.id, code.clone());
                }
            }
            (freshness @ (Freshness::ThisToken | Freshness::Reusable), None) => {
                let token = self.db.view(user).user.and_then(|u| u.temp_token).expect("there is a token");
                assert!(self.now < token.expires_at, "accepted too late");
                assert_eq!(proof.said, self.temp_tokens.get(&user).cloned(), "accepted a token that is gone");
                assert_eq!(token.reusable, freshness == Freshness::Reusable);
                if !token.reusable {
                    let is_new = self.ghost.spent.insert(Spent::Token(token.hash.to_bytes()));
                    assert!(is_new, "a temporary token used twice");
                }
                self.note("accepted a temporary token");
            }
            (freshness, device) => panic!("{freshness:?} cannot prove {device:?}"),
        }
        if let Some(device) = device {
            self.ghost.proven.insert(device.id);
            self.ghost.devices.remove(&device.id);
        }
    }

    /// Fail-closed must not become closed: what was proved this very moment may be refused only for a reason.
    fn assert_refusable(&self, proof: &Held, user: UserId, device: Option<DeviceId>) {
        let Evidence::Proved(proved) = &proof.evidence else { return };
        let is_spent = match proved.freshness() {
            Freshness::Counter(counter) => {
                device.is_some_and(|id| self.ghost.counters.get(&id).is_some_and(|last| counter <= *last))
            }
            Freshness::ThisChallenge => !self.aimed(user, &proof.act).1.is_some_and(|v| v.is_open(self.now)),
            Freshness::ThisToken | Freshness::Reusable => {
                let token = self.db.view(user).user.and_then(|u| u.temp_token);
                token.is_some_and(|t| self.now >= t.expires_at || t.used_at.is_some())
            }
        };
        assert!(is_spent || self.ghost.is_locked(user, device, self.now), "a good proof was refused");
    }

    /// What must hold at any moment.
    fn check(&mut self) {
        let now = self.now;
        for (id, rows) in &self.db.users {
            let Some(user) = &rows.user else { continue };
            assert_eq!(user.is_barred(now), self.ghost.is_barred(*id, now), "a lock was forgotten or invented");
            assert!(rows.devices.len() <= MAX_DEVICES);
            let is_open = |v: &&Verification| v.is_open(now);
            let registering = |v: &&Verification| {
                let status = rows.devices.iter().find(|d| d.id == v.device_id).map(|d| d.status);
                v.purpose == Purpose::Enrol && status == Some(DeviceStatus::Registering)
            };
            assert!(rows.verifications.iter().filter(is_open).filter(registering).count() <= MAX_REGISTRATIONS);

            for device in &rows.devices {
                let of_device = || rows.verifications.iter().filter(|v| v.device_id == device.id && v.is_open(now));
                assert!(of_device().count() <= MAX_OPEN_PER_DEVICE);
                assert!(
                    of_device().filter(|v| v.challenge != Challenge::Own).count() <= 1,
                    "two challenges sent to one device"
                );
                if matches!(device.status, DeviceStatus::Active | DeviceStatus::Disabled) {
                    assert!(self.ghost.proven.contains(&device.id), "in use without a proof");
                }
                let disabled = self.ghost.disabled.contains(&device.id);
                assert_eq!(device.status == DeviceStatus::Disabled, disabled, "{device:?}");
                let counter = self.ghost.counters.get(&device.id).copied().unwrap_or(NO_COUNTER);
                assert_eq!(device.last_counter, counter, "the last counter is what was accepted last");
                let unique = device.factor.may_repeat()
                    || rows.devices.iter().filter(|d| d.factor == device.factor).count() == 1;
                assert!(unique, "two devices of a factor that cannot repeat");

                let throttle = self.db.throttle(*id, ThrottleKey::Device(device.id));
                let books = self.ghost.devices.get(&device.id).cloned().unwrap_or_default();
                assert_eq!(throttle.consecutive, books.consecutive, "a failure was forgotten or counted twice");
                assert_eq!(throttle.locked_until, books.until, "a lock was forgotten or invented");
            }
            for (key, books) in
                [(ThrottleKey::User, self.ghost.users.get(id)), (ThrottleKey::TempToken, self.ghost.tokens.get(id))]
            {
                let throttle = self.db.throttle(*id, key);
                let books = books.cloned().unwrap_or_default();
                assert_eq!(throttle.recent, books.moments, "a failure was forgotten or counted twice");
                assert_eq!(throttle.locked_until, books.until, "a lock was forgotten or invented");
            }
            for v in &rows.verifications {
                assert_eq!(v.attempts, self.ghost.attempts.get(&v.id).copied().unwrap_or_default());
                if v.status == Status::Pending {
                    assert!(v.attempts < 5, "open after five wrong answers");
                    assert!(!self.ghost.ended.contains_key(&v.id), "what has ended was opened again");
                    continue;
                }
                if matches!(v.status, Status::Accepted { .. }) {
                    assert!(self.ghost.spent.contains(&Spent::Challenge(v.id)), "accepted by itself");
                }
                let (status, consumed_at) = self.ghost.ended.entry(v.id).or_insert((v.status, v.consumed_at));
                assert_eq!(*status, v.status, "an end was changed");
                if consumed_at.is_some() {
                    assert_eq!(*consumed_at, v.consumed_at, "a result was consumed again");
                }
                *consumed_at = v.consumed_at;
            }
        }
        for message in &self.db.outbox {
            let status = self.db.verification(message.verification_id).map(|v| v.status);
            assert!(status.is_some_and(|s| s != Status::Expired), "a message about what was withdrawn");
        }
    }
}

fn signing_key(n: u64) -> SigningKey {
    let bytes = Digest::of(&n.to_be_bytes()).0;
    SigningKey::from_slice(&bytes).expect("a digest is below the order of the curve but for bad luck")
}

#[test]
fn no_history_makes_a_proof_count_twice_or_a_failure_be_forgotten() {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let explores = std::env::var_os("PROPTEST_CASES").is_some();
    let mut runner = if explores {
        TestRunner::new(config)
    } else {
        config.cases = CASES;
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let tally = RefCell::new(BTreeMap::<&str, u32>::new());
    let histories = (any::<bool>(), prop::collection::vec(steps(), 1..200));
    let result = runner.run(&histories, |(message_limits, steps)| {
        let mut world = World::new(message_limits);
        for step in &steps {
            world.take(step);
        }
        for (what, times) in world.tally {
            *tally.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    // A test that never gets anywhere proves nothing.
    for what in [
        "enrolled",
        "opened",
        "repeated",
        "sent",
        "accepted a counter",
        "accepted a code",
        "accepted keyed digits",
        "accepted an approval",
        "accepted a pairing",
        "accepted a temporary token",
        "collected",
        "replayed",
        "doubled",
        "counted",
        "untriggered",
        "locked",
        "disabled",
        "discarded",
        "enabled",
        "denied",
        "not open",
    ] {
        let times = tally.borrow().get(what).copied().unwrap_or_default();
        assert!(explores || times > 0, "no history {what}: {:?}", tally.borrow());
    }
}
