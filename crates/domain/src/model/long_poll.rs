//! For how long a poll that waits for a person is held before it is answered as pending, where the call itself does not
//! say: adaptive by default, or off, or fixed, as an operator has set it for the client.
//!
//! Adaptive learns what the client's own timeout allows. It begins short and doubles as long as the client sits holds
//! through; a client that hangs up is never held that long again.

use serde::{Deserialize, Serialize};

use crate::model::time::SECOND;

/// Longest time for which a poll is held, in milliseconds: well below the time in which a request must be answered.
pub const LONGEST: i64 = 25 * SECOND;
/// The first hold of a client of which nothing is known, in milliseconds: below any timeout that clients ship with.
pub const FIRST: i64 = 2 * SECOND;
/// A shorter hold saves a client nothing, in milliseconds.
const SHORTEST: i64 = SECOND;

/// For how long a client's polls are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongPoll {
    /// Not at all.
    Off,
    /// For so many milliseconds.
    Fixed(i64),
    /// For as long as the client lets itself be held.
    Adaptive {
        /// It has hung up on longer holds, in milliseconds.
        ceiling: Option<i64>,
    },
}

/// Adaptive: a client that polls without a pause would otherwise give up before anybody can answer.
impl Default for LongPoll {
    fn default() -> Self {
        Self::ADAPTIVE
    }
}

impl LongPoll {
    /// Nothing learnt yet.
    pub const ADAPTIVE: Self = Self::Adaptive { ceiling: None };

    /// Reads `off`, `adaptive` or a number of seconds up to 25. The error says what there is.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let longest = u8::try_from(LONGEST / SECOND).unwrap_or(u8::MAX);
        match text {
            "off" => Ok(Self::Off),
            "adaptive" => Ok(Self::ADAPTIVE),
            seconds => match seconds.parse::<u8>() {
                Ok(seconds) if (1..=longest).contains(&seconds) => Ok(Self::Fixed(i64::from(seconds) * SECOND)),
                _ => Err("a hold is off, adaptive, or 1 to 25 seconds"),
            },
        }
    }
}

impl std::fmt::Display for LongPoll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Fixed(span) => write!(f, "{} s", span / SECOND),
            Self::Adaptive { ceiling: None } => f.write_str("adaptive"),
            Self::Adaptive { ceiling: Some(0) } => f.write_str("adaptive, has hung up at once"),
            Self::Adaptive { ceiling: Some(most) } => write!(f, "adaptive, at most {} s", most / SECOND),
        }
    }
}

/// What has been learnt of an adaptive client while this process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnedHold {
    reach: i64,
}

impl Default for LearnedHold {
    fn default() -> Self {
        Self { reach: FIRST }
    }
}

impl LearnedHold {
    /// For how long the next poll is held, in milliseconds; 0 is not at all.
    pub fn span(self, ceiling: Option<i64>) -> i64 {
        ceiling.map_or(self.reach, |most| most.min(self.reach)).min(LONGEST)
    }

    /// The client sat a hold of `span` milliseconds through: the next may be twice as long.
    #[must_use]
    pub fn sat_through(self, span: i64) -> Self {
        Self { reach: self.reach.max(span.saturating_mul(2)).min(LONGEST) }
    }
}

/// The longest hold that a client is put to from now on, having hung up after `after` milliseconds: clearly shorter, and
/// in whole seconds, since clients' timeouts are. 0 is none.
pub fn ceiling_after(known: Option<i64>, after: i64) -> i64 {
    let most = after.max(0) / 4 * 3;
    let most = if most < SHORTEST { 0 } else { most / SECOND * SECOND };
    known.map_or(most, |known| known.min(most))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_setting_is_read_and_shown() {
        for (text, holding, shown) in [
            ("off", LongPoll::Off, "off"),
            ("20", LongPoll::Fixed(20_000), "20 s"),
            ("25", LongPoll::Fixed(25_000), "25 s"),
            ("adaptive", LongPoll::ADAPTIVE, "adaptive"),
        ] {
            assert_eq!(LongPoll::parse(text), Ok(holding));
            assert_eq!(holding.to_string(), shown);
        }
        for other in ["", "0", "26", "-1", "1.5", "on", "20s", "300"] {
            assert!(LongPoll::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn an_adaptive_client_is_held_longer_step_by_step() {
        let mut patience = LearnedHold::default();
        let mut spans = Vec::new();
        for _ in 0..5 {
            spans.push(patience.span(None));
            patience = patience.sat_through(patience.span(None));
        }
        assert_eq!(spans, [2_000, 4_000, 8_000, 16_000, 25_000]);
    }

    #[test]
    fn a_hang_up_leaves_a_ceiling() {
        assert_eq!(ceiling_after(None, 10_000), 7_000);
        assert_eq!(ceiling_after(Some(3_000), 10_000), 3_000);
        assert_eq!(ceiling_after(Some(9_000), 5_000), 3_000);
        assert_eq!(ceiling_after(None, 900), 0, "it cannot be held at all");
    }

    proptest! {
        /// Whatever a client does afterwards, it is never again held as long as it once hung up on.
        #[test]
        fn nobody_is_held_again_as_long_as_they_hung_up_on(
            history in prop::collection::vec((any::<bool>(), 0..=LONGEST), 1..60),
        ) {
            let (mut patience, mut ceiling, mut hung_up_on) = (LearnedHold::default(), None, i64::MAX);
            for (hangs_up, at) in history {
                let span = patience.span(ceiling);
                prop_assert!(span < hung_up_on.max(1) && (0..=LONGEST).contains(&span));
                if span > 0 && hangs_up {
                    let after = at.min(span);
                    hung_up_on = hung_up_on.min(after);
                    ceiling = Some(ceiling_after(ceiling, after));
                } else if span > 0 {
                    patience = patience.sat_through(span);
                }
            }
        }
    }
}
