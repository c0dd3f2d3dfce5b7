//! What goes wrong with messages, and what has gone wrong. The gateway asks here about every message; testers set each channel
//! and see what was played.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use delivery::{OutgoingMessage, SendError};
use domain::model::time::SECOND;
use domain::{Channel, Timestamp, UserId, VerificationId};
use engine::Chance;
use serde_json::{Value, json};

use super::chance::DevChance;
use super::recipients::{LATE, Rule};

/// How many played faults are shown.
const PLAYED: usize = 100;
/// How many messages are remembered between two tries.
const REMEMBERED: usize = 1_000;
/// Sets the draws of faults apart from those of secrets, which the same number repeats.
const APART: u64 = 1 << 62;

/// What goes wrong in this process's gateway.
pub(super) struct Faults {
    state: Mutex<State>,
    chance: Arc<dyn Chance>,
    /// Number from which failures are drawn.
    seed: Option<u64>,
}

/// What a gateway makes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives so many milliseconds after the gateway took it.
    Arrives { after: i64 },
    /// The gateway takes it, and it never arrives.
    Lost,
    /// The gateway does not take it.
    Fails(SendError),
}

impl Fate {
    const AT_ONCE: Self = Self::Arrives { after: 0 };
}

#[derive(Default)]
struct State {
    channels: HashMap<Channel, Setting>,
    /// What was drawn for a message, so that each of its tries ends alike.
    drawn: BTreeMap<i64, f64>,
    /// Messages whose first try has failed by rule.
    tried: BTreeSet<i64>,
    played: VecDeque<PlayedFault>,
    /// How often all was forgotten: what is under way then does not arrive.
    resets: u64,
}

/// What goes wrong on a channel.
struct Setting {
    /// How much later messages arrive, in milliseconds.
    delay: i64,
    /// The share of messages that fail, from 0 to 1.
    fail: f64,
    chance: DevChance,
}

/// A fault that was played.
struct PlayedFault {
    at: Timestamp,
    channel: Channel,
    to: String,
    about: Option<(UserId, VerificationId)>,
    word: &'static str,
}

impl Faults {
    /// No faults. Failures are drawn from this number if there is one, and from `chance` otherwise.
    pub(super) fn none(chance: Arc<dyn Chance>, seed: Option<u64>) -> Self {
        Self { state: Mutex::default(), chance, seed }
    }

    /// What becomes of a message, which is handed over now: the channel's faults come first, then the recipient's rule.
    pub(super) fn judge(&self, message: &OutgoingMessage, now: Timestamp) -> Fate {
        let mut state = self.state();
        let (fate, word) = state.fate(message);
        if let Some(word) = word {
            state.played.push_back(PlayedFault {
                at: now,
                channel: message.channel,
                to: message.content.to.clone(),
                about: message.about.map(|about| (about.user_id, about.verification_id)),
                word,
            });
            if state.played.len() > PLAYED {
                state.played.pop_front();
            }
        }
        fate
    }

    /// How often all was forgotten.
    pub(super) fn resets(&self) -> u64 {
        self.state().resets
    }

    /// Ends all faults and forgets what was played.
    pub(super) fn reset(&self) {
        let mut state = self.state();
        *state = State { resets: state.resets + 1, ..State::default() };
    }

    /// Sets a channel; what is absent keeps its value.
    pub(super) fn set(&self, channel: Channel, delay: Option<i64>, fail: Option<f64>) {
        let mut state = self.state();
        let setting = state.channels.entry(channel).or_insert_with(|| Setting {
            delay: 0,
            fail: 0.0,
            chance: DevChance::new(self.chance.clone()),
        });
        setting.delay = delay.unwrap_or(setting.delay);
        if let Some(fail) = fail {
            setting.fail = fail;
            // No two channels draw the same.
            let place = Channel::ALL.iter().take_while(|other| **other != channel).count() as u64;
            setting.chance.repeat(self.seed.map(|seed| seed ^ APART ^ place));
        }
    }

    /// How each channel is set, and what was played.
    pub(super) fn shown(&self) -> Value {
        let state = self.state();
        let setting = |channel: Channel| {
            let (delay, fail) = state.channels.get(&channel).map_or((0, 0.0), |setting| (setting.delay, setting.fail));
            let delay = if delay % SECOND == 0 { format!("{}s", delay / SECOND) } else { format!("{delay}ms") };
            (channel.name().to_owned(), json!({ "delay": delay, "fail": fail }))
        };
        let channels: serde_json::Map<_, _> = Channel::ALL.into_iter().map(setting).collect();
        json!({ "channels": channels, "played": state.played.iter().map(PlayedFault::shown).collect::<Vec<_>>() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What becomes of a message, and the word for it if something goes wrong.
    fn fate(&mut self, message: &OutgoingMessage) -> (Fate, Option<&'static str>) {
        if self.drawn.len() > REMEMBERED {
            self.drawn.pop_first();
        }
        if self.tried.len() > REMEMBERED {
            self.tried.pop_first();
        }
        let id = message.id.0;
        let mut delay = 0;
        if let Some(setting) = self.channels.get(&message.channel) {
            if setting.fail > 0.0 && *self.drawn.entry(id).or_insert_with(|| setting.draw()) < setting.fail {
                return (Fate::Fails(SendError::Unavailable), Some("fail"));
            }
            delay = setting.delay;
        }
        // A prompt goes to a device, whose name may be anything.
        let rule = Rule::of(&message.content.to).filter(|_| message.channel != Channel::Push);
        let word = rule.map(Rule::word);
        match rule {
            Some(Rule::Unreachable | Rule::FullMailbox) => (Fate::Fails(SendError::Unreachable), word),
            Some(Rule::SecondTry) if self.tried.insert(id) => (Fate::Fails(SendError::Unavailable), word),
            Some(Rule::Lost) => (Fate::Lost, word),
            Some(Rule::Late) => (Fate::Arrives { after: delay + LATE }, word),
            Some(Rule::KnownCode | Rule::SecondTry) | None if delay > 0 => {
                (Fate::Arrives { after: delay }, Some("delay"))
            }
            Some(Rule::KnownCode | Rule::SecondTry) | None => (Fate::AT_ONCE, None),
        }
    }
}

impl Setting {
    /// A number from 0 to below 1.
    fn draw(&self) -> f64 {
        let chance: &dyn Chance = &self.chance;
        f64::from(u32::from_be_bytes(chance.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

impl PlayedFault {
    fn shown(&self) -> Value {
        json!({
            "at": onelogin::wire_time::with_millis(self.at.0),
            "channel": self.channel.name(),
            "to": self.to,
            "user_id": self.about.map(|(user, _)| user),
            "verification_id": self.about.map(|(_, verification)| verification),
            "fault": self.word,
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Content, MessageId};
    use engine::chance::SystemChance;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn faults(seed: Option<u64>) -> Faults {
        Faults::none(Arc::new(SystemChance), seed)
    }

    fn message(id: i64, channel: Channel, to: &str) -> OutgoingMessage {
        let content = Content::of(to.to_owned(), "code 123456".to_owned());
        OutgoingMessage { id: MessageId(id), channel, about: None, content, created_at: NOW }
    }

    /// Which of a hundred text messages fail.
    fn failing(faults: &Faults, first: i64) -> Vec<bool> {
        let sms = |id| message(id, Channel::Sms, "+14155550123");
        (first..first + 100).map(|id| faults.judge(&sms(id), NOW) != Fate::AT_ONCE).collect()
    }

    #[test]
    fn a_recipient_decides_what_becomes_of_a_message() {
        let unavailable = Fate::Fails(SendError::Unavailable);
        let unreachable = Fate::Fails(SendError::Unreachable);
        for (to, fates) in [
            ("+14155550101", [Fate::AT_ONCE, Fate::AT_ONCE]),
            ("+12025550191", [Fate::AT_ONCE, Fate::AT_ONCE]),
            ("+12025550192", [unreachable, unreachable]),
            ("+12025550193", [unavailable, Fate::AT_ONCE]),
            ("+12025550194", [Fate::Arrives { after: 8_000 }; 2]),
            ("ana+lost@example.com", [Fate::Lost, Fate::Lost]),
            ("full-mailbox@example.com", [unreachable, unreachable]),
        ] {
            let faults = faults(None);
            let tries = [(); 2].map(|()| faults.judge(&message(7, Channel::Email, to), NOW));
            assert_eq!(tries, fates, "{to}");
            let prompt = faults.judge(&message(8, Channel::Push, to), NOW);
            assert_eq!(prompt, Fate::AT_ONCE, "a device may be called {to}");
        }
    }

    #[test]
    fn a_share_of_a_channels_messages_fails_and_no_other_channels() {
        let faults = faults(None);
        for (share, expected) in [(1.0, 100..=100), (0.5, 20..=80), (0.0, 0..=0)] {
            faults.set(Channel::Sms, None, Some(share));
            let failed = failing(&faults, 1_000).into_iter().filter(|failed| *failed).count();
            assert!(expected.contains(&failed), "{share}: {failed}");
            assert_eq!(faults.judge(&message(1, Channel::Email, "ana@example.com"), NOW), Fate::AT_ONCE);
        }
    }

    #[test]
    fn every_try_of_a_message_ends_alike_while_the_share_stays() {
        let faults = faults(None);
        faults.set(Channel::Sms, None, Some(0.5));
        assert_eq!(failing(&faults, 1), failing(&faults, 1));
    }

    #[test]
    fn a_seed_repeats_which_messages_fail() {
        let drawn = |seed| {
            let faults = faults(seed);
            faults.set(Channel::Sms, None, Some(0.5));
            let first = failing(&faults, 1);
            faults.set(Channel::Sms, None, Some(0.5));
            assert_eq!(failing(&faults, 101) == first, seed.is_some(), "{seed:?}");
            first
        };
        assert_eq!(drawn(Some(7)), drawn(Some(7)));
        assert_ne!(drawn(Some(7)), drawn(Some(8)));
        drawn(None);
    }

    #[test]
    fn a_delay_adds_to_the_recipients_and_a_reset_ends_it() {
        let faults = faults(None);
        faults.set(Channel::Sms, Some(500), None);
        let fate = |to| faults.judge(&message(1, Channel::Sms, to), NOW);
        assert_eq!(fate("+14155550101"), Fate::Arrives { after: 500 });
        assert_eq!(fate("+12025550194"), Fate::Arrives { after: 8_500 });
        let shown = faults.shown();
        assert_eq!(shown["channels"]["sms"], json!({ "delay": "500ms", "fail": 0.0 }));
        assert_eq!((&shown["played"][0]["fault"], &shown["played"][1]["fault"]), (&json!("delay"), &json!("late")));
        faults.reset();
        assert_eq!(fate("+14155550101"), Fate::AT_ONCE);
        assert_eq!((faults.resets(), &faults.shown()["played"]), (1, &json!([])));
    }

    #[test]
    fn what_was_played_is_bounded() {
        let faults = faults(None);
        faults.set(Channel::Email, None, Some(1.0));
        for id in 0..5_000 {
            faults.judge(&message(id, Channel::Sms, "+12025550193"), NOW);
            faults.judge(&message(id, Channel::Email, "ana@example.com"), NOW);
        }
        assert_eq!(faults.shown()["played"].as_array().unwrap().len(), PLAYED);
        let state = faults.state();
        assert!(state.tried.len() <= REMEMBERED + 1 && state.drawn.len() <= REMEMBERED + 1);
    }
}
