//! What can happen. Small numbers choose among what exists when the step is taken, the newest first.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    V1,
    V2,
    Trusted,
}

#[derive(Debug, Clone)]
pub(crate) enum Aim {
    Device { device: u8 },
    StateToken { token: u8, wrong_device: Option<u8> },
    Wire { verification: u8, wrong_purpose: bool, device: Option<bool> },
    OwnCodes { device: u8 },
    Newest,
    TempToken,
}

#[derive(Debug, Clone)]
pub(crate) enum Say {
    Right { skew: i64, ahead: i64, number: bool },
    Replay,
    Known(u8),
    Wrong(u32),
    Nothing,
    Empty,
}

/// Which device a step of a log-in names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    None,
    Unknown,
    Own(u8),
    Others(u8),
}

/// What is said at it.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    OwnCode,
    Token,
    WrongToken(u32),
    WrongCode(u32),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    pub(crate) accept: bool,
    pub(crate) own_key: bool,
    pub(crate) right_digits: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Wait(i64),
    Lock {
        user: usize,
        minutes: i64,
    },
    SetStatus {
        user: usize,
        status: UserStatus,
    },
    Unlock {
        user: usize,
    },
    Authenticate {
        user: usize,
    },
    Replace {
        user: usize,
    },
    Enrol {
        user: usize,
        factor: FactorKind,
        door: Door,
    },
    Trigger {
        stranger: bool,
        device: u8,
        door: Door,
        ttl: i64,
        number: bool,
    },
    Answer {
        stranger: bool,
        aim: Aim,
        say: Say,
        held: bool,
    },
    Phone {
        verification: u8,
        tap: Tap,
        held: bool,
    },
    Keypad {
        verification: u8,
        right: bool,
        held: bool,
    },
    Link {
        verification: u8,
        decision: LinkDecision,
        right: bool,
        held: bool,
    },
    Pair {
        verification: u8,
        right: bool,
        held: bool,
    },
    Again {
        held: u8,
        aimed_as: Option<u8>,
        other_user: bool,
    },
    Siege {
        device: u8,
        rounds: u8,
        pause: i64,
    },
    SiegeOfToken {
        user: usize,
        rounds: u8,
        pause: i64,
    },
    Pester {
        device: u8,
        rounds: u8,
        pause: i64,
    },
    Crowd {
        user: usize,
        door: Door,
        count: u8,
    },
    IssueToken {
        user: usize,
        reusable: bool,
        ttl: i64,
    },
    RevokeToken {
        user: usize,
    },
    Remove {
        stranger: bool,
        device: u8,
    },
    Enter {
        user: usize,
        for_app: bool,
        offered: Vec<FactorKind>,
    },
    LogIn {
        log_in: u8,
        named: Named,
        said: Said,
    },
    SiegeOfLogIns {
        user: usize,
        rounds: u8,
        pause: i64,
    },
    Disable {
        device: u8,
    },
    /// From now on calls come from a client that may only look, or from one that manages.
    Call {
        reads: bool,
    },
    Rename {
        user: usize,
    },
}

pub(crate) fn steps() -> impl Strategy<Value = Step> {
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
    let offered = prop_oneof![
        4 => Just(FactorKind::ALL.to_vec()),
        1 => prop::collection::vec(prop::sample::select(FactorKind::ALL.to_vec()), 0..4),
    ];
    let named = prop_oneof![
        1 => Just(Named::None),
        1 => Just(Named::Unknown),
        6 => any::<u8>().prop_map(Named::Own),
        1 => any::<u8>().prop_map(Named::Others),
    ];
    let said = prop_oneof![
        3 => Just(Said::OwnCode),
        2 => Just(Said::Token),
        2 => (0..3u32).prop_map(Said::WrongToken),
        1 => (0..4u32).prop_map(Said::WrongCode),
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
           5 => (any::<u8>(), prop::bool::weighted(0.8), prop::bool::weighted(0.9), held())
               .prop_map(|(verification, confirms, right, held)| {
                   let decision = if confirms { LinkDecision::Confirm } else { LinkDecision::Disown };
                   Step::Link { verification, decision, right, held }
               }),
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
           6 => (user(), any::<bool>(), offered).prop_map(|(user, for_app, offered)| Step::Enter { user, for_app, offered }),
           12 => (any::<u8>(), named, said).prop_map(|(log_in, named, said)| Step::LogIn { log_in, named, said }),
           1 => (user(), 4..16u8, SECOND..10 * MINUTE)
               .prop_map(|(user, rounds, pause)| Step::SiegeOfLogIns { user, rounds, pause }),
           1 => any::<u8>().prop_map(|device| Step::Disable { device }),
           8 => prop::bool::weighted(0.3).prop_map(|reads| Step::Call { reads }),
           1 => user().prop_map(|user| Step::Rename { user }),
       ]
}
