//! How likely it is that somebody else is signing in (contract 8), from two signs: the network and the browser.
//!
//! Travel that is too fast is left out on purpose: it needs a table of places for addresses, which is wrong about mobile
//! networks and VPNs so often that people learn to expect false alarms.

use crate::model::id::VerificationId;
use crate::model::time::{DAY, Timestamp};
use crate::model::visit::{Remembered, Visit};

/// Most visits that are remembered of a user; the oldest makes room.
pub const MAX_VISITS: usize = 20;
/// How long a visit is remembered after it was last made, in milliseconds.
pub const VISIT_LIFE: i64 = 180 * DAY;
/// The score of a visit that is new in any way.
pub const NEW: u8 = 100;

/// How likely it is to be somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// 0 to 100.
    pub score: u8,
    /// Why, for people.
    pub reasons: Vec<&'static str>,
}

/// Judges a visit by those that are remembered.
pub fn assess(known: &[Remembered], visit: Visit, now: Timestamp) -> Risk {
    let proved: Vec<_> = known.iter().filter(|past| past.awaits.is_none() && lives(past, now)).collect();
    if proved.iter().any(|past| past.visit == visit) {
        return Risk { score: 0, reasons: Vec::new() };
    }
    let mut reasons = Vec::new();
    if !proved.iter().any(|past| past.visit.ip == visit.ip) {
        reasons.push("Accessed from a new IP address");
    }
    if !proved.iter().any(|past| past.visit.agent == visit.agent) {
        reasons.push("Accessed with a new user agent");
    }
    if reasons.is_empty() {
        reasons.push("Accessed from a known IP address with another of the known user agents");
    }
    Risk { score: NEW, reasons }
}

/// The memory once `visit` was made: it counts at once, or when the challenge `awaits` is answered.
pub fn remember(known: &[Remembered], visit: Visit, awaits: Option<VerificationId>, now: Timestamp) -> Vec<Remembered> {
    let mut kept: Vec<_> = known
        .iter()
        .filter(|past| lives(past, now) && (past.visit != visit || (awaits.is_some() && past.awaits.is_none())))
        .cloned()
        .collect();
    kept.push(Remembered { visit, at: now, awaits });
    let surplus = kept.len().saturating_sub(MAX_VISITS);
    kept.drain(..surplus);
    kept
}

/// What is still remembered at `now` of what was seen by `from`.
pub fn living(known: &[Remembered], now: Timestamp, from: Timestamp) -> Vec<Remembered> {
    known.iter().filter(|past| lives(past, now) && past.at <= from).cloned().collect()
}

/// The memory once the challenge was answered. `None` if no visit awaits it.
pub fn prove(known: &[Remembered], answered: VerificationId, now: Timestamp) -> Option<Vec<Remembered>> {
    let awaiting = known.iter().find(|past| past.awaits == Some(answered))?;
    Some(remember(known, awaiting.visit, None, now))
}

fn lives(past: &Remembered, now: Timestamp) -> bool {
    now.since(past.at) < VISIT_LIFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn visit(ip: &str, agent: &str) -> Visit {
        Visit::of(ip.parse().unwrap(), agent)
    }

    #[test]
    fn what_was_proved_is_known_and_everything_else_is_new() {
        let home = visit("192.0.2.1", "Firefox");
        assert_eq!(assess(&[], home, NOW).reasons.len(), 2);
        let asked = VerificationId(Uuid::from_u128(7));
        let memory = remember(&[], home, Some(asked), NOW);
        assert_eq!(assess(&memory, home, NOW).score, NEW, "asked is not answered");
        assert_eq!(prove(&memory, VerificationId(Uuid::from_u128(8)), NOW), None);
        let memory = prove(&memory, asked, NOW).unwrap();
        assert_eq!(assess(&memory, home, NOW), Risk { score: 0, reasons: vec![] });
        let why = |ip, agent| assess(&memory, visit(ip, agent), NOW).reasons;
        assert_eq!(why("192.0.2.2", "Firefox"), ["Accessed from a new IP address"]);
        assert_eq!(why("192.0.2.1", "curl"), ["Accessed with a new user agent"]);
        assert_eq!(prove(&memory, asked, NOW), None, "an answer counts once");
    }

    #[test]
    fn a_known_network_with_another_known_browser_is_still_new() {
        let memory = remember(&[], visit("192.0.2.1", "Firefox"), None, NOW);
        let memory = remember(&memory, visit("192.0.2.2", "curl"), None, NOW);
        let risk = assess(&memory, visit("192.0.2.1", "curl"), NOW);
        assert_eq!((risk.score, risk.reasons.len()), (NEW, 1));
    }

    #[test]
    fn a_challenge_that_nobody_answers_costs_no_earlier_proof() {
        let home = visit("192.0.2.1", "Firefox");
        let memory = remember(&[], home, None, NOW);
        let memory = remember(&memory, home, Some(VerificationId(Uuid::from_u128(7))), NOW);
        assert_eq!(assess(&memory, home, NOW).score, 0);
    }

    #[test]
    fn memory_is_bounded_and_fades() {
        let mut memory = Vec::new();
        for n in 0..30u8 {
            memory = remember(&memory, visit(&format!("192.0.2.{n}"), "Firefox"), None, NOW);
        }
        assert_eq!(memory.len(), MAX_VISITS);
        assert_eq!(assess(&memory, visit("192.0.2.29", "Firefox"), NOW.plus(VISIT_LIFE - 1)).score, 0);
        assert_eq!(assess(&memory, visit("192.0.2.29", "Firefox"), NOW.plus(VISIT_LIFE)).score, NEW);
    }

    #[test]
    fn an_ipv6_network_is_64_bits_and_a_mapped_address_is_its_ipv4() {
        assert_eq!(visit("2001:db8::1", "x"), visit("2001:db8::ffff:2", "x"));
        assert_ne!(visit("2001:db8::1", "x"), visit("2001:db8:0:1::1", "x"));
        assert_eq!(visit("::ffff:192.0.2.1", "x"), visit("192.0.2.1", "x"));
    }
}
