//! Prefixes of numbers that are closed because their messages are rarely answered (SEC 102): judged in the background, asked
//! before a message is queued.
//!
//! What is closed is kept in memory, so a message to any other prefix costs nothing here. Every node judges by itself, and reads
//! what others have decided. What is decided, trial messages included, is decided in one row for all nodes.

use domain::model::budget::Trials;
use domain::rules::conversion::{self, AskedMessage, EVERY, Passage, PrefixState, PrefixStates, REST};
use domain::{Budget, Timestamp};

use crate::Engine;

/// The prefixes that a message goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination {
    pub(crate) prefixes: [Budget; 2],
    /// Whether it asks for an answer. Only such a message can be a trial.
    pub(crate) is_answered: bool,
}

/// How many prefixes are closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClosedPrefixes {
    /// The countries that are.
    pub countries: Vec<&'static str>,
    /// How many blocks of a thousand numbers are.
    pub blocks: usize,
}

impl Engine {
    fn breaks(&self) -> bool {
        self.settings.policy.message_limits && self.settings.policy.breaker.percent > 0
    }

    /// Refuses a message to a prefix that this node knows to be closed, until some moment.
    pub(super) fn look_at_prefixes(&self, to: Destination, now: Timestamp) -> Result<(), Timestamp> {
        if !self.breaks() {
            return Ok(());
        }
        let states = self.prefixes.states();
        let closed = to.prefixes.iter().filter_map(|prefix| states.get(prefix));
        let until = closed.filter_map(|state| match state.refused_until(now) {
            None if !to.is_answered && state.is_closed() => Some(now.plus(REST)),
            until => until,
        });
        until.max().map_or(Ok(()), Err)
    }

    /// Lets one message pass to the prefixes that are closed, as a trial of each, or says from when on one may. Gives the
    /// prefixes that it is a trial of.
    pub(super) async fn pass_prefixes(
        &self,
        to: Destination,
        now: Timestamp,
    ) -> Result<Result<Vec<Budget>, Timestamp>, store::Error> {
        let mut trials = Vec::new();
        if !self.breaks() {
            return Ok(Ok(trials));
        }
        for prefix in to.prefixes {
            if !self.prefixes.states().contains_key(&prefix) {
                continue;
            }
            let passed = self.store.decide_budget(prefix, move |view| conversion::pass(view, prefix, now)).await;
            match passed? {
                Ok(Passage::Trial) => trials.push(prefix),
                Ok(Passage::Open) => {
                    self.prefixes.states().remove(&prefix);
                }
                Err(until) => {
                    self.give_back_trials(trials).await;
                    self.prefixes.states().insert(prefix, PrefixState::Closed { until, trials: Trials::default() });
                    return Ok(Err(until));
                }
            }
        }
        Ok(Ok(trials))
    }

    /// Gives back trials of messages that were not queued. If this fails they go on to count.
    pub(super) async fn give_back_trials(&self, trials: Vec<Budget>) {
        for prefix in trials {
            let given_back = self.store.decide_budget(prefix, move |view| conversion::give_back(view, prefix)).await;
            if let Err(error) = given_back {
                tracing::warn!(%error, "a trial message that was not queued stays counted");
            }
        }
    }

    /// Judges the prefixes again and again.
    pub(crate) async fn run_breaker(&self) {
        let carries = domain::Channel::ALL.into_iter().any(|channel| self.is_called(channel));
        while self.breaks() && carries {
            if let Err(error) = self.judge_prefixes().await {
                tracing::warn!(%error, "answers to messages could not be judged and will be next time");
            }
            self.clock.sleep(EVERY).await;
        }
    }

    fn is_called(&self, channel: domain::Channel) -> bool {
        matches!(channel, domain::Channel::Sms | domain::Channel::Voice) && self.routes().carry(channel)
    }

    /// Judges the prefixes by what is known of the messages to them, and learns what other nodes have decided. A server does
    /// it every five seconds.
    pub async fn judge_prefixes(&self) -> Result<(), store::Error> {
        let _turn = self.prefixes.turn.lock().await;
        let now = self.now();
        let rows = self.store.prefixes().await?;
        let mut states: PrefixStates =
            rows.into_iter().map(|(prefix, spent)| (prefix, PrefixState::of(&spent))).collect();
        let messages = self.store.sent_messages(conversion::known_from(&states, now)).await?;
        let asked = messages.into_iter().filter_map(|message| {
            let (country, block) = (message.charge.country, message.charge.block?);
            Some(AskedMessage { at: message.at, country, block, is_verified: message.is_verified })
        });
        let asked: Vec<AskedMessage> = asked.collect();
        for verdict in conversion::judge(&asked, &states, self.settings.policy.breaker, now) {
            let rule = move |view: &_| conversion::carry_out(view, &verdict, now);
            let (state, is_new) = self.store.decide_budget(verdict.prefix, rule).await?;
            states.insert(verdict.prefix, state);
            if !is_new {
                continue;
            }
            let (country, prefix) = (verdict.country, prefix_name(verdict.prefix));
            if verdict.closes {
                tracing::error!(
                    country,
                    prefix,
                    seconds = REST / 1_000,
                    "messages to this prefix are rarely answered: no more are sent for a while"
                );
            } else {
                tracing::info!(country, prefix, "messages to this prefix are answered again");
            }
        }
        states.retain(|_, state| state.is_closed());
        *self.prefixes.states() = states;
        Ok(())
    }

    /// The prefixes that are closed, as this node knows.
    pub fn closed_prefixes(&self) -> ClosedPrefixes {
        let states = self.prefixes.states();
        let mut countries: Vec<_> = states.keys().filter_map(|prefix| prefix.country()).collect();
        countries.sort_unstable();
        ClosedPrefixes { blocks: states.len() - countries.len(), countries }
    }
}

/// What a prefix is, for the log.
fn prefix_name(prefix: Budget) -> &'static str {
    if prefix.country().is_some() { "country" } else { "block" }
}
