//! The bytes of a state, and what is derived from it.

use domain::model::code::Alphabet;
use domain::model::session::{Begun, Terms};
use domain::*;
use uuid::Uuid;

use super::bytes::CORRUPT;
use super::found_by::Keys;
use super::pack::{pack, unpack};
use super::parts::{KnownVerification, Parts};
use super::state::UserState;
use crate::error::Error;
use crate::value::Value;

const USER: UserId = UserId(7);
const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Chance that comes out the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| make(self))
    }

    fn list<T>(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    fn text(&mut self) -> String {
        self.of(&["", "Pocket", "電話 \"1\"\n", "a longer name that somebody gave to a device of theirs"]).to_owned()
    }

    fn time(&mut self) -> Timestamp {
        self.of(&[NOW, Timestamp(0), Timestamp(i64::MIN), Timestamp(i64::MAX), NOW.plus(61_000)])
    }

    fn hash(&mut self) -> KeyedHash {
        KeyedHash::from_bytes(&self.bytes::<36>()).unwrap()
    }

    fn device(&mut self) -> Device {
        Device {
            id: DeviceId(self.next().cast_signed() >> 33),
            user_id: USER,
            factor: self.of(&FactorKind::ALL),
            display_name: self.text(),
            status: self.of(&[
                DeviceStatus::Registering,
                DeviceStatus::Pending,
                DeviceStatus::Active,
                DeviceStatus::Disabled,
            ]),
            credential: Sealed(self.list(200, |dice| dice.bytes::<1>()[0])),
            secret: self.maybe(|dice| SecretMark {
                mac: SecretMac(dice.bytes()),
                counts: dice.of(&[Counts::Codes, Counts::Seconds(30), Counts::Seconds(u32::MAX)]),
            }),
            last_counter: self.of(&[-1, 0, 57_000_000, i64::MAX]),
            created_at: self.time(),
            last_used_at: self.maybe(Self::time),
            subscription: None,
        }
    }

    fn subscribed(&mut self) -> Subscribed {
        Subscribed { mark: Digest(self.bytes()), sealed: Sealed(self.list(9, |dice| dice.bytes::<1>()[0])) }
    }

    fn challenge(&mut self) -> Challenge {
        let alphabets = [Alphabet::Digits, Alphabet::Alphanumeric, Alphabet::Crockford];
        match self.below(6) {
            0 => Challenge::Own,
            1 => Challenge::Untriggered,
            2 => Challenge::Code { hash: self.hash(), length: 8, alphabet: self.of(&alphabets) },
            3 => Challenge::Keypad { hash: self.hash() },
            4 => Challenge::Approval {
                nonce: Secret::new(self.bytes::<32>().to_vec()),
                numbers: self.list(3, |dice| format!("{:02}", dice.below(100))),
                asked: AskedFrom::default(),
            },
            _ => Challenge::Pairing { hash: self.hash() },
        }
    }

    fn link(&mut self) -> Challenge {
        Challenge::Link(LinkChallenge {
            token: Digest(self.bytes()),
            code: self.maybe(Self::hash),
            redirect_to: self.maybe(Self::text),
            asked: self.asked(),
        })
    }

    fn asked(&mut self) -> AskedFrom {
        AskedFrom { person: self.maybe(Self::text), caller: self.maybe(Self::text) }
    }

    fn status(&mut self) -> Status {
        let (at, collected) = (self.time(), self.maybe(Self::time));
        self.of(&[
            Status::NEW,
            Status::Pending { attempts: 4 },
            Status::Accepted { at, collected },
            Status::Rejected { at, collected },
            Status::Expired,
        ])
    }

    fn verification(&mut self) -> Verification {
        let id = VerificationId(Uuid::from_bytes(self.bytes()));
        Verification {
            id,
            wire_id: self.of(&[id.to_string(), "1234567890".to_owned(), id.to_string().to_uppercase()]),
            user_id: USER,
            device_id: DeviceId(self.below(3).cast_signed()),
            purpose: self.of(&Purpose::ALL),
            challenge: self.challenge(),
            status: self.status(),
            state_token: self.maybe(|dice| Digest(dice.bytes())),
            client_id: self.maybe(|dice| ClientId(dice.next().cast_signed())),
            created_at: self.time(),
            expires_at: self.time(),
        }
    }

    fn session(&mut self) -> Session {
        let terms = Terms {
            app: self.maybe(|_| 3),
            origins: self.list(2, |dice| format!("https://{}.example", dice.below(9))),
            ip: self.maybe(Self::text),
            prompted: self.list(2, |_| DeviceId(5)),
            ..Terms::default()
        };
        Session {
            id: SessionId(Uuid::from_bytes(self.bytes())),
            user_id: USER,
            kind: self.of(&[
                SessionKind::LogIn { terms: terms.clone(), attempts: 2 },
                SessionKind::SessionToken { terms },
                SessionKind::Browsing,
                SessionKind::RememberedBrowser,
            ]),
            token: Digest(self.bytes()),
            client_id: self.maybe(|_| ClientId(1)),
            created_at: self.time(),
            expires_at: self.time(),
        }
    }

    fn invitation(&mut self) -> SessionKind {
        let begun = self.list(2, |dice| Begun {
            registration: VerificationId(Uuid::from_bytes(dice.bytes())),
            next: Digest(dice.bytes()),
        });
        SessionKind::Invitation { replaces: self.of(&[true, false]), leads_on: self.of(&[true, false]), begun }
    }

    fn prompt(&mut self) -> Challenge {
        let nonce = Secret::new(self.bytes::<32>().to_vec());
        Challenge::Approval { nonce, numbers: self.list(3, |_| "42".to_owned()), asked: self.asked() }
    }

    /// A state with something of phones and invitations, now and then.
    fn with_phones(&mut self, mut parts: Parts) -> Parts {
        for device in &mut parts.devices {
            device.subscription = self.maybe(Self::subscribed);
        }
        for asked in &mut parts.verifications {
            if let Some(prompt) = self.maybe(Self::prompt) {
                asked.challenge = prompt;
            }
        }
        for session in &mut parts.sessions {
            if let Some(invitation) = self.maybe(Self::invitation) {
                session.kind = invitation;
            }
        }
        parts
    }

    fn throttle(&mut self) -> Throttle {
        Throttle {
            key: self.of(&[
                ThrottleKey::Device(DeviceId(9)),
                ThrottleKey::User,
                ThrottleKey::Send(FactorKind::Sms),
                ThrottleKey::PromptsOfReaders,
            ]),
            consecutive: self.of(&[0, 7, u32::MAX]),
            recent: self.list(30, Self::time),
            locked_until: self.maybe(Self::time),
            last_wrong: self.maybe(|dice| (Digest(dice.bytes()), dice.time())),
        }
    }

    fn known(&mut self) -> KnownVerification {
        let Verification { id, wire_id, device_id, purpose, status, expires_at, .. } = self.verification();
        KnownVerification { id, wire_id, device_id, purpose, status, expires_at }
    }

    fn parts(&mut self) -> Parts {
        Parts {
            devices: self.list(4, Self::device),
            verifications: self.list(4, |dice| match dice.maybe(Self::link) {
                Some(challenge) => Verification { challenge, ..dice.verification() },
                None => dice.verification(),
            }),
            ended: self.list(4, Self::known),
            sessions: self.list(3, Self::session),
            throttles: self.list(3, Self::throttle),
            clients: self.list(2, |dice| ClientId(dice.next().cast_signed())),
        }
    }
}

fn packed(parts: &Parts) -> Option<Vec<u8>> {
    let Parts { devices, verifications, ended, sessions, throttles, clients } = parts.clone();
    pack(&View { user: None, devices, verifications, sessions, throttles }, &ended, &clients)
}

#[test]
fn every_state_survives_its_bytes() {
    let mut dice = Dice(1);
    for _ in 0..2_000 {
        let parts = dice.parts();
        let parts = match dice.maybe(|_| ()) {
            Some(()) => dice.with_phones(parts),
            None => parts,
        };
        assert_eq!(unpack(packed(&parts).as_deref(), USER), Ok(parts));
    }
    assert_eq!(packed(&Parts::default()), None);
    assert_eq!(unpack(None, USER), Ok(Parts::default()));
}

#[test]
fn no_damage_is_read_as_something_else() {
    let mut dice = Dice(2);
    for _ in 0..20 {
        let parts = dice.parts();
        let Some(bytes) = packed(&dice.with_phones(parts)) else { continue };
        for place in 0..bytes.len() {
            assert_eq!(unpack(Some(&bytes[..place]), USER), Err(CORRUPT), "cut off at {place}");
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                assert_eq!(unpack(Some(&damaged), USER), Err(CORRUPT), "bit {bit} of byte {place}");
            }
        }
    }
}

/// What is well summed up and still makes no sense: it must end in an error, whatever it says.
#[test]
fn bytes_of_any_kind_are_read_or_refused() {
    let mut dice = Dice(3);
    for _ in 0..20_000 {
        let mut bytes = vec![dice.of(&[1, 2, 3])];
        bytes.extend(dice.list(60, |dice| dice.of(&[0, 1, 2, 4, 5, 6, 7, 0x7f, 0x80, 0xff])));
        let sum = crc32fast::hash(&bytes).to_be_bytes();
        bytes.extend_from_slice(&sum);
        if let Ok(parts) = unpack(Some(&bytes), USER) {
            assert_eq!(unpack(packed(&parts).as_deref(), USER), Ok(parts));
        }
    }
}

#[test]
fn a_form_that_is_not_known_is_refused_as_such() {
    let bytes = [4];
    let sum = crc32fast::hash(&bytes).to_be_bytes();
    let refused = unpack(Some(&[&bytes[..], &sum].concat()), USER).unwrap_err();
    assert_eq!(refused, Error::Unavailable("a newer server has written this user"), "which is no damage");
}

/// Servers before links read every user for whom no link is open (SEC 85).
#[test]
fn only_a_state_with_a_link_has_the_newer_version() {
    let mut dice = Dice(8);
    let plain = Verification { status: Status::NEW, ..dice.verification() };
    let link = Verification { challenge: dice.link(), state_token: None, ..plain.clone() };
    let version = |verifications| packed(&Parts { verifications, ..Parts::default() }).unwrap()[0];
    assert_eq!((version(vec![plain.clone()]), version(vec![plain, link.clone()])), (1, 2));
    let mut state = state_of(Parts { verifications: vec![link.clone()], ..Parts::default() });
    state.close_verification(link.id, VerificationEnd::Accepted { at: NOW, collected: None }).unwrap();
    let Value::Blob(bytes) = state.columns().state else { panic!("a result is kept") };
    assert_eq!(bytes[0], 1, "not once it was answered");
}

/// Servers before phones and invitations read every user who has nothing of them (SEC 85).
#[test]
fn only_a_state_with_a_phone_or_an_invitation_has_the_newest_version() {
    let mut dice = Dice(9);
    let (device, asked, session) = (dice.device(), dice.verification(), dice.session());
    let plain = Verification { challenge: Challenge::Own, ..asked };
    let link = Verification { challenge: dice.link(), ..plain.clone() };
    let parts =
        Parts { devices: vec![device], verifications: vec![plain], sessions: vec![session], ..Parts::default() };
    let version = |change: &mut dyn FnMut(&mut Parts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        packed(&parts).unwrap()[0]
    };
    assert_eq!((version(&mut |_| {}), version(&mut |parts| parts.verifications.push(link.clone()))), (1, 2));
    let prompt = |asked: AskedFrom| Challenge::Approval { nonce: Secret::new(vec![1; 32]), numbers: vec![], asked };
    assert_eq!(version(&mut |parts| parts.verifications[0].challenge = prompt(AskedFrom::default())), 1);
    let from = AskedFrom { person: None, caller: Some("192.0.2.7".to_owned()) };
    assert_eq!(version(&mut |parts| parts.verifications[0].challenge = prompt(from.clone())), 3);
    let subscribed = dice.subscribed();
    assert_eq!(version(&mut |parts| parts.devices[0].subscription = Some(subscribed.clone())), 3);
    let invitation = dice.invitation();
    assert_eq!(version(&mut |parts| parts.sessions[0].kind = invitation.clone()), 3);
}

/// Bytes that are in databases: their form never changes.
#[test]
fn the_form_is_as_it_was() {
    let mut dice = Dice(4);
    let parts = Parts {
        devices: vec![Device { last_counter: 9, ..dice.device() }],
        verifications: vec![dice.verification()],
        ended: vec![dice.known()],
        sessions: vec![dice.session()],
        throttles: vec![dice.throttle()],
        clients: vec![ClientId(300)],
    };
    let sum = |parts: &Parts| data_encoding::HEXLOWER.encode(&Digest::of(&packed(parts).unwrap()).0[..8]);
    assert_eq!(sum(&parts), "b9eeee3f02ab837a", "write another version of the form, and read both");
    let verifications = vec![Verification { challenge: dice.link(), ..dice.verification() }];
    assert_eq!(sum(&Parts { verifications, ..parts }), "84401042a51883c3", "the same of the form with links");
}

/// A user with as much as anybody may have.
#[test]
fn a_full_state_is_small() {
    let mut dice = Dice(5);
    let credential = Sealed(vec![7; 110]);
    let devices: Vec<Device> = (0..20).map(|_| Device { credential: credential.clone(), ..dice.device() }).collect();
    let asked = |dice: &mut Dice| Verification {
        challenge: Challenge::Code { hash: dice.hash(), length: 6, alphabet: Alphabet::Digits },
        state_token: Some(Digest([1; 32])),
        client_id: Some(ClientId(1)),
        ..dice.verification()
    };
    let parts = Parts {
        devices,
        verifications: (0..20).map(|_| asked(&mut dice)).collect(),
        ended: (0..32).map(|_| dice.known()).collect(),
        ..Parts::default()
    };
    let bytes = packed(&parts).unwrap().len();
    assert!(bytes < 16 << 10, "{bytes}");
}

fn state_of(parts: Parts) -> UserState {
    let Parts { devices, verifications, ended, sessions, throttles, clients } = parts;
    let mut state = UserState::without_row(crate::trail::Head::default());
    state.create();
    state.view = View { user: None, devices, verifications, sessions, throttles };
    state.ended = ended;
    state.clients = clients;
    state
}

/// The clean-up must not come too late.
#[test]
fn the_end_that_is_kept_is_never_after_the_first_end() {
    let mut dice = Dice(6);
    for _ in 0..500 {
        let mut state = state_of(dice.parts());
        let first = state.columns().ends_at;
        let over = NOW.plus(1);
        state.before.ends_at = first;
        state.view.verifications.push(Verification { status: Status::NEW, expires_at: over, ..dice.verification() });
        let later = state.columns().ends_at.unwrap();
        assert!(later <= over && first.is_none_or(|first| later <= first));
        let tidied = state.tidy(over);
        assert!(tidied.closed >= 1);
        assert!(state.columns().ends_at.is_none_or(|next| next > over), "nothing that is over is left");
    }
}

#[test]
fn what_is_found_by_a_key_is_found_once_and_until_its_end() {
    let mut dice = Dice(7);
    let token = Digest([9; 32]);
    let log_in = Session { kind: SessionKind::LogIn { terms: Terms::default(), attempts: 0 }, token, ..dice.session() };
    let prompt = Challenge::Approval { nonce: Secret::new(vec![1]), numbers: Vec::new(), asked: AskedFrom::default() };
    let asked = Verification {
        purpose: Purpose::SignIn,
        challenge: prompt,
        status: Status::NEW,
        state_token: Some(token),
        ..dice.verification()
    };
    let own = Verification { purpose: Purpose::Login, challenge: Challenge::Own, ..asked.clone() };
    let view = View { sessions: vec![log_in], verifications: vec![asked, own], ..View::default() };
    let (mut made, mut gone) = (Vec::new(), Vec::new());
    Keys::of(&view, &[]).follow(&Keys::default(), USER, &mut made);
    Keys::default().follow(&Keys::of(&view, &[]), USER, &mut gone);
    assert_eq!((made.len(), gone.len()), (2, 2), "the log-in by its token, the prompt by its id");
    let without = View { sessions: Vec::new(), ..view.clone() };
    let mut writes = Vec::new();
    Keys::of(&without, &[]).follow(&Keys::of(&view, &[]), USER, &mut writes);
    assert!(writes.is_empty(), "its challenge still carries the token");
}

fn secret(n: u8, counts: Counts) -> SecretMark {
    SecretMark { mac: SecretMac([n; 16]), counts }
}

fn token(id: i64, secret: SecretMark, last_counter: i64) -> Device {
    Device {
        id: DeviceId(id),
        user_id: USER,
        factor: if secret.counts == Counts::Codes { FactorKind::Hotp } else { FactorKind::Totp },
        display_name: String::new(),
        status: DeviceStatus::Active,
        credential: Sealed(vec![1]),
        secret: Some(secret),
        last_counter,
        created_at: NOW,
        last_used_at: None,
        subscription: None,
    }
}

#[test]
fn a_counter_only_goes_forward() {
    let mut state = state_of(Parts::default());
    state.create_device(token(1, secret(1, Counts::Codes), -1), None).unwrap();
    state.advance_counter(DeviceId(1), 5, NOW).unwrap();
    for behind in [5, 4, -1] {
        assert!(state.advance_counter(DeviceId(1), behind, NOW).is_err(), "{behind}");
    }
    assert_eq!(state.view.devices[0].last_counter, 5);
    assert!(state.advance_counter(DeviceId(2), 9, NOW).is_err(), "there is no such device");
}

#[test]
fn whatever_ends_a_counter_its_secret_is_remembered() {
    let (one, other) = (secret(1, Counts::Codes), secret(2, Counts::Seconds(30)));
    let mut state = state_of(Parts::default());
    state.create_device(token(1, one, 4), None).unwrap();
    state.create_device(token(2, other, 9), None).unwrap();
    let left = |end: &dyn Fn(&mut UserState)| {
        let mut state = state.clone();
        state.advance_counter(DeviceId(1), 5, NOW).unwrap();
        end(&mut state);
        state.used
    };
    let revised = |device, secret| {
        move |state: &mut UserState| {
            state.revise_device(DeviceId(device), Sealed(vec![2]), secret, String::new(), 5).unwrap();
        }
    };
    assert_eq!(left(&|state| state.delete_device(DeviceId(1))), [(one.mac, 5)]);
    assert_eq!(left(&UserState::delete), [(one.mac, 5), (other.mac, 299)]);
    assert_eq!(left(&revised(1, None)), [(one.mac, 5)]);
    assert_eq!(left(&revised(1, Some(other))), [(one.mac, 5)]);
    assert_eq!(left(&revised(1, Some(one))), [], "it is the same one");
    assert_eq!(left(&revised(2, Some(secret(2, Counts::Seconds(60))))), [], "and so is this");
    let unused = |state: &mut UserState| {
        state.create_device(token(3, secret(3, Counts::Codes), -1), None).unwrap();
        state.delete_device(DeviceId(3));
    };
    assert_eq!(left(&unused), [], "nothing was used of it");
}

#[test]
fn a_device_begins_where_its_secret_was_left() {
    let (one, long) = (secret(1, Counts::Seconds(30)), secret(1, Counts::Seconds(60)));
    let mut state = state_of(Parts::default());
    state.create_device(token(1, one, 9), None).unwrap();
    state.delete_device(DeviceId(1));
    for (device, secret, found, last) in [(2, one, None, 9), (3, long, None, 4), (4, one, Some(450), 15)] {
        state.create_device(token(device, secret, -1), found).unwrap();
        assert_eq!(state.view.device(DeviceId(device)).unwrap().last_counter, last, "{device}");
    }
    state.create_device(token(5, secret(2, Counts::Codes), 7), Some(3)).unwrap();
    assert_eq!(state.view.device(DeviceId(5)).unwrap().last_counter, 7, "what the list says is further");
    let unmarked = Device { secret: None, ..token(6, one, -1) };
    assert!(state.create_device(unmarked, None).is_err(), "what is used of it would be forgotten with it");
}

/// SEC 56: a client that ends finds all that it has begun.
#[test]
fn a_client_is_known_for_as_long_as_something_of_it_lives() {
    let mut dice = Dice(8);
    let mut state = state_of(Parts::default());
    let asked = |dice: &mut Dice, client, end| Verification {
        status: Status::NEW,
        client_id: Some(ClientId(client)),
        expires_at: NOW.plus(end),
        ..dice.verification()
    };
    for (client, end) in [(1, 10), (2, 20), (2, 30)] {
        state.open_verification(asked(&mut dice, client, end)).unwrap();
    }
    assert_eq!(state.clients, [ClientId(1), ClientId(2)]);
    state.tidy(NOW.plus(25));
    assert_eq!(state.clients, [ClientId(2)]);
    state.open_session(Session { client_id: Some(ClientId(3)), expires_at: NOW.plus(40), ..dice.session() }).unwrap();
    assert_eq!(state.end_client(ClientId(3)), [], "which had begun a session only");
    assert_eq!((state.clients.clone(), state.view.sessions.len()), (vec![ClientId(2)], 0));
    assert_eq!(state.end_client(ClientId(2)).len(), 1);
    assert!(state.clients.is_empty() && state.view.verifications.is_empty());
}
