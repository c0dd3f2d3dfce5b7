//! Random histories against the rules: enrol, trigger, answer, replay, race, lock, remove, in any order and with any
//! clock (SEC 91). An oracle keeps its own books, written from the requirements and not from the rules, and after every
//! step the two must agree: no proof counts twice, no failure and no lock is forgotten, what has ended stays ended, and
//! nothing lets a person in with less than before.
//!
//! The default run is the same every time, and longer in the gate. `PROPTEST_CASES=1000000` explores others.

mod actions;
mod judging;
mod log_ins;
mod oracle;
mod steps;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::{Database, START, context, keyed, keys, reader, seal, session_id, unseal, verification_id};
use countersign_domain::model::audit::Actor;
use countersign_domain::model::challenge::code_context;
use countersign_domain::model::code::Alphabet;
use countersign_domain::model::device::{BEFORE_FIRST_COUNTER, MAX_DEVICES};
use countersign_domain::model::hotp::{self, Algorithm, Hotp};
use countersign_domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use countersign_domain::model::totp::Totp;
use countersign_domain::model::user_patch::UserPatch;
use countersign_domain::rules::basis::Basis;
use countersign_domain::rules::enrolment::{self, Enrolled, Enrolment, MAX_REGISTRATIONS};
use countersign_domain::rules::factor::link::{LinkDecision, prove_link};
use countersign_domain::rules::factor::prove::{prove, prove_temp_token};
use countersign_domain::rules::factor::push::{self, PAIRING_CONTEXT, PushAnswer, PushDecision};
use countersign_domain::rules::temp_token;
use countersign_domain::rules::user::{self, Unlocked};
use countersign_domain::rules::verification::answer::{answer, answer_from_device};
use countersign_domain::rules::verification::find::{Target, find};
use countersign_domain::rules::verification::open::{MAX_OPEN_PER_DEVICE, Opened, Opening, open};
use countersign_domain::{
    Challenge, Credential, Device, DeviceId, DeviceStatus, Digest, Evidence, FactorKind, FactorResponse, Freshness,
    Heard, LinkChallenge, Outcome, Policy, Purpose, Reason, Sealed, Secret, SessionEnd, SessionId, SessionKind, Status,
    ThrottleKey, Timestamp, UserId, UserStatus, Verification, VerificationId,
};
use log_ins::LogIn;
use oracle::{Bar, Oracle, Spent};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use steps::{Aim, Door, Named, Said, Say, Step, Tap, steps};

/// Histories in the default run.
const CASES: u32 = 192;
/// Histories in the inner loop.
const FEW_CASES: u32 = 48;
/// Users in a history.
const USERS: usize = 2;

// The world around the rules: people with their devices, and callers with the answers they got.

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
    oracle: Oracle,
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
    log_ins: Vec<LogIn>,
    /// Whether it is a client that calls which may only look.
    reads: bool,
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
        config.cases = if crate::runs_all_cases() { CASES } else { FEW_CASES };
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
    if explores || !crate::runs_all_cases() {
        return;
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
        "accepted a link",
        "accepted a code beside a link",
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
        "let in",
        "asked for a factor",
        "asked for a token",
        "refused",
        "counted a token at a log-in",
        "counted a code at a log-in",
        "no device at a log-in",
        "logged in with a device",
        "logged in with a token",
        "disabled by command",
        "opened by a reader",
        "kept from a reader",
        "counted for a reader",
    ] {
        let times = tally.borrow().get(what).copied().unwrap_or_default();
        assert!(times > 0, "no history {what}: {:?}", tally.borrow());
    }
}
