//! The time that decisions trust (SEC 74, SEC 75). The wall clock of a machine can be set: ahead, and everything would be
//! over; back, and what was over would begin again. So it is compared with a clock that only measures how much time
//! passes, and with the highest time ever seen, which outlives the process.
//!
//! Trusted time never goes back. Where the wall clock is behind it, trusted time goes on by itself. Where the wall clock
//! leaps ahead, it is followed only once it has stood by its new time for a while.

use crate::model::time::{MINUTE, SECOND, Timestamp};

/// How far ahead the wall clock may be of the time that has passed, in milliseconds, before it is doubted.
pub const LEAP: i64 = 30 * SECOND;
/// How long a clock that has leapt must go on evenly before it is believed, in milliseconds.
pub const DOUBT: i64 = 60 * SECOND;
/// How far behind the highest time seen a clock may be at a start without a warning, in milliseconds.
pub const BEHIND: i64 = MINUTE;

/// Trusted time, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    now: Timestamp,
    /// What the measuring clock showed then, in milliseconds since whenever.
    measured: i64,
    /// How far the wall clock was ahead of the measuring one when it leapt, and when that was by the measuring one.
    leapt: Option<(i64, i64)>,
}

/// What is to be said of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The wall clock leapt ahead by so many milliseconds and is not believed yet.
    Leapt(i64),
    /// It has stood by that, and is believed from now on.
    Believed(i64),
}

impl Trusted {
    /// At a start nothing but the highest time `seen` can contradict the wall clock.
    pub fn start(seen: Option<Timestamp>, wall: Timestamp, measured: i64) -> Self {
        Self { now: seen.map_or(wall, |seen| seen.max(wall)), measured, leapt: None }
    }

    /// Looks at both clocks. Gives what is trusted, and what is to be said, once for each leap.
    pub fn look(&mut self, wall: Timestamp, measured: i64) -> (Timestamp, Option<Doubt>) {
        let expected = self.now.plus((measured - self.measured).max(0));
        self.measured = measured;
        let ahead = wall.since(expected);
        if ahead <= LEAP {
            self.leapt = None;
            self.now = expected.max(wall);
            return (self.now, None);
        }
        self.now = expected;
        let offset = wall.0.saturating_sub(measured);
        match self.leapt {
            Some((leapt, since)) if (offset - leapt).abs() <= SECOND => {
                if measured - since < DOUBT {
                    return (self.now, None);
                }
                self.leapt = None;
                self.now = wall;
                (self.now, Some(Doubt::Believed(ahead)))
            }
            _ => {
                self.leapt = Some((offset, measured));
                (self.now, Some(Doubt::Leapt(ahead)))
            }
        }
    }

    /// Somebody vouches for the wall clock: trusted time is what it shows, even if that is earlier.
    pub fn accept(&mut self, wall: Timestamp, measured: i64) {
        *self = Self { now: wall, measured, leapt: None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::DAY;

    const NOW: Timestamp = Timestamp(1_772_357_400_000);

    #[test]
    fn trusted_time_follows_a_clock_that_goes_evenly() {
        let mut trusted = Trusted::start(None, NOW, 5);
        for step in [0, 1, 1_000, DAY, DAY + 20_000] {
            assert_eq!(trusted.look(NOW.plus(step), 5 + step), (NOW.plus(step), None));
        }
        let adjusted = NOW.plus(DAY + 30_000);
        assert_eq!(trusted.look(adjusted, 5 + DAY + 20_001), (adjusted, None), "a small correction is no leap");
    }

    #[test]
    fn trusted_time_never_goes_back_and_goes_on_by_itself() {
        let mut trusted = Trusted::start(Some(NOW.plus(DAY)), NOW, 0);
        assert_eq!(trusted.look(NOW, 0).0, NOW.plus(DAY));
        assert_eq!(trusted.look(NOW.plus(-DAY), 7_000).0, NOW.plus(DAY + 7_000));
        assert_eq!(trusted.look(NOW, 6_000).0, NOW.plus(DAY + 7_000), "nor does a measuring clock that fails");
        assert_eq!(trusted.look(NOW.plus(DAY + 9_000), 7_000).0, NOW.plus(DAY + 9_000));
    }

    #[test]
    fn a_leap_is_believed_once_the_clock_has_stood_by_it() {
        let mut trusted = Trusted::start(None, NOW, 0);
        assert_eq!(trusted.look(NOW.plus(DAY), 0), (NOW, Some(Doubt::Leapt(DAY))));
        assert_eq!(trusted.look(NOW.plus(DAY + 59_999), 59_999), (NOW.plus(59_999), None));
        assert_eq!(trusted.look(NOW.plus(DAY + 60_000), 60_000), (NOW.plus(DAY + 60_000), Some(Doubt::Believed(DAY))));
        let mut wild = Trusted::start(None, NOW, 0);
        for n in 1..10 {
            let (at, doubt) = wild.look(NOW.plus(n * DAY + n * 30_000), n * 30_000);
            assert_eq!((at, doubt.is_some()), (NOW.plus(n * 30_000), true), "one that leaps again and again never is");
        }
        assert_eq!(wild.look(NOW.plus(300_000), 300_000), (NOW.plus(300_000), None), "and one that comes back is");
    }

    #[test]
    fn an_accepted_clock_is_trusted_at_once() {
        let mut trusted = Trusted::start(Some(NOW.plus(DAY)), NOW, 0);
        trusted.accept(NOW, 0);
        assert_eq!(trusted.look(NOW.plus(1), 1), (NOW.plus(1), None));
    }
}
