//! Messages counted over all users before they are queued (SEC 33, SEC 101): to a recipient, for a client, for the server, and
//! by what they cost.
//!
//! Of a day's messages and money a node takes some at a time and keeps the rest in memory, so that no row is written by every
//! message of an installation; what a node has taken and not used is lost with it. Recipients are counted one by one.

use delivery::Accounts as _;
use domain::rules::conversion;
use domain::rules::reaching::{self, Unreachable};
use domain::rules::sends::{self, Alarm};
use domain::{
    Budget, Change, Channel, Charge, ClientId, Credential, Decision, Recipient, Right, Timestamp, UserId, View,
};

use crate::challenges::message_leases::TakenOfDay;
use crate::challenges::prefixes::Destination;
use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// What one message counts for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Countable {
    pub(crate) to: Recipient,
    /// What it costs, if it goes to a telephone.
    pub(crate) charge: Option<Charge>,
    /// The prefixes that it goes to, if it goes to a telephone.
    pub(crate) destination: Option<Destination>,
    /// The client that asks, and what it may do to people.
    pub(crate) by: (Option<ClientId>, Right),
}

/// What was counted for one message.
pub(crate) struct Counted {
    days: Vec<Budget>,
    to: Vec<Recipient>,
    charge: Option<Charge>,
    trials: Vec<Budget>,
    at: Timestamp,
}

/// A day's budget, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageBudget {
    /// Whose budget it is.
    pub owner: BudgetOwner,
    /// Messages of the day (UTC) that nodes have taken, sent or not.
    pub taken: i64,
    /// The most of a day.
    pub limit: i64,
    /// What it has reached: nothing, 80 or 100, in percent.
    pub alarm: u8,
}

/// Who a budget of messages a day belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOwner {
    /// The whole server's.
    Server,
    Client(ClientId),
}

/// How a decision that may queue a message ended.
enum Counting<T> {
    /// As it should; with where a message was queued for, if one was.
    Done(T, Option<Channel>),
    /// It would have queued a message that was not counted, and changed nothing.
    Uncounted,
}

/// Why a decision that queues a message was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnsentError {
    /// No message may go there.
    #[error(transparent)]
    Unreachable(Unreachable),
    /// Too many messages; with the moment to come back.
    #[error("too many messages")]
    TooMany(Timestamp),
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(UnsentError);

/// Lets `?` turn why nothing was sent into these errors.
macro_rules! may_be_unsent {
    ($($error:ty),+ $(,)?) => {
        $(impl From<crate::challenges::message_budgets::UnsentError> for $error {
            fn from(error: crate::challenges::message_budgets::UnsentError) -> Self {
                use crate::challenges::message_budgets::UnsentError as E;
                match error {
                    E::Unreachable(why) => Self::Unreachable(why),
                    E::TooMany(at) => Self::TooMany(at),
                    E::Fault(fault) => Self::Fault(fault),
                }
            }
        })+
    };
}

pub(crate) use may_be_unsent;

/// A decision that may queue a message.
pub(crate) struct Sending<'c> {
    pub(crate) name: DecisionName,
    pub(crate) user: UserId,
    /// The credential of the device that the message goes to.
    pub(crate) target: &'c Credential,
    /// Whether its person is to answer it, as warnings are not: such a text message may be called instead (contract 18.10), and
    /// whether it is answered is judged (contract 18.12).
    pub(crate) asks: bool,
    /// The client that asks, and what it may do to people.
    pub(crate) by: (Option<ClientId>, Right),
    pub(crate) now: Timestamp,
}

impl Engine {
    /// The recipient that messages to a device with this credential count for; none while limits are off.
    pub(crate) fn recipient(&self, credential: &Credential) -> Option<Recipient> {
        let is_on = self.settings.policy.message_limits;
        if is_on { Recipient::of(credential, self.installation_key.key()) } else { None }
    }

    /// What a message to a device with this credential counts for; nothing while limits are off, or if it goes to no number
    /// and no address.
    fn countable(&self, sending: &Sending<'_>) -> Option<Countable> {
        let (target, by) = (sending.target, sending.by);
        let to = self.recipient(target)?;
        let way = target.kind().channel().zip(target.phone());
        let price = way.map(|(channel, number)| self.highest_price(channel, sending.asks, number));
        Some(self.counting(target, to, by, price.unwrap_or(0), sending.asks))
    }

    /// What a message to a device with this credential counts for. It costs so many micro-units at most.
    pub(super) fn counting(
        &self,
        target: &Credential,
        to: Recipient,
        by: (Option<ClientId>, Right),
        micros: i64,
        is_answered: bool,
    ) -> Countable {
        let key = self.installation_key.key();
        let charge = sends::charge(target, key, by.0, micros, is_answered);
        let destination = target.phone().zip(charge).map(|(number, charge)| {
            let prefixes = conversion::prefixes(charge.country, sends::thousand(number, key));
            Destination { prefixes, is_answered }
        });
        Countable { to, charge, destination, by }
    }

    /// When the first route to a device with this credential is tried again, if all of them are down: until then nothing
    /// is queued, and the caller may choose another device. A prompt is queued even then, since its phone may ask for it.
    fn down_until(&self, credential: &Credential, asks: bool, now: Timestamp) -> Option<Timestamp> {
        let channel = match credential {
            Credential::Sms { .. } => Channel::Sms,
            Credential::Voice { .. } => Channel::Voice,
            Credential::Email { .. } => Channel::Email,
            Credential::Push { .. } | Credential::Totp(_) | Credential::Hotp(_) => return None,
        };
        let routes = self.outbox.routes();
        if asks { routes.code_down_until(channel, now) } else { routes.down_until(channel, now) }
    }

    /// Makes a decision that may queue a message, and wakes who sends it if it did. Every message is judged here by where it
    /// goes, and counted before the decision. `snapshot` is the user as the caller has seen it: what it already refuses is not counted.
    pub(crate) async fn decide_to_send<T, F>(
        &self,
        sending: Sending<'_>,
        snapshot: &View,
        rule: F,
    ) -> Result<T, UnsentError>
    where
        F: Fn(&View) -> Decision<T> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let countable = self.countable(&sending);
        let charge = countable.and_then(|countable| countable.charge);
        let Sending { name, user, target, asks, now, .. } = sending;
        let reach = reaching::may_reach(target, &self.settings.policy);
        let down_until = self.down_until(target, asks, now);
        if reach.is_ok() && countable.is_none() && down_until.is_none() {
            let rule = move |view: &View| {
                let decision = rule(view);
                let queued = queued(&decision);
                decision.map(|reply| (reply, queued))
            };
            let (reply, queued) = self.decide(name, user, rule).await?;
            self.wake_outbox(queued);
            return Ok(reply);
        }
        let mut expected = queued(&rule(snapshot)).is_some();
        // The user may have changed since the snapshot, at most once in the way of this.
        loop {
            if expected {
                reach.map_err(|why| UnsentError::Unreachable(out_of_reach(why)))?;
                if let Some(at) = down_until {
                    return Err(UnsentError::TooMany(at));
                }
            }
            let counted = match countable.filter(|_| expected) {
                Some(countable) => Some(self.count_send(countable, now).await?),
                None => None,
            };
            let (rule, is_counted) = (rule.clone(), expected);
            // If this fails, it is unknown whether it committed, so what was counted stays counted.
            let ended = self
                .decide(name, user, move |view| {
                    let decision = charged(rule(view), charge);
                    let queued = queued(&decision);
                    if queued.is_some() && !is_counted {
                        return Decision::reply(Counting::Uncounted);
                    }
                    decision.map(|reply| Counting::Done(reply, queued))
                })
                .await?;
            match ended {
                Counting::Done(reply, queued) => {
                    self.wake_outbox(queued);
                    if let (Some(counted), None) = (counted, queued) {
                        self.give_back(counted).await;
                    }
                    return Ok(reply);
                }
                Counting::Uncounted => expected = true,
            }
        }
    }

    /// Counts one message against everything it counts against, or says from when on there may be one. The recipient
    /// comes first: it refuses most, and what it refuses must neither sound the alarms of the days nor be missing there
    /// for others, for as long as it takes to give it back.
    pub(crate) async fn count_send(&self, countable: Countable, now: Timestamp) -> Result<Counted, UnsentError> {
        let Countable { to, charge, destination, by: (client, right) } = countable;
        if let Some(destination) = destination {
            self.look_at_prefixes(destination, now).map_err(UnsentError::TooMany)?;
        }
        let mut counted = Counted { days: Vec::new(), to: Vec::new(), charge: None, trials: Vec::new(), at: now };
        let limits = self.settings.policy.sends;
        let part = right.only_looks().then(|| (to.of_readers(), limits.of_readers()));
        for (to, limits) in part.into_iter().chain([(to, limits)]) {
            if limits.target_per_day == 0 && (limits.block_per_hour == 0 || !to.in_block) {
                continue;
            }
            match self.store.decide_budget(to.budget, move |view| sends::count(view, &to, &limits, now)).await? {
                Ok(()) => counted.to.push(to),
                Err(at) => {
                    self.give_back(counted).await;
                    return Err(UnsentError::TooMany(at));
                }
            }
        }
        for budget in client.map(Budget::Client).into_iter().chain([Budget::Server]) {
            let Some(limit) = limits.per_day(budget) else { continue };
            match self.accounts.leases.take(budget, limit, 1, now).await? {
                TakenOfDay::Taken => counted.days.push(budget),
                TakenOfDay::NoneUntil(at) => {
                    self.give_back(counted).await;
                    return Err(UnsentError::TooMany(at));
                }
            }
        }
        if let Some(charge) = charge {
            match self.accounts.take_all(&charge, charge.micros, now).await? {
                TakenOfDay::Taken => counted.charge = Some(charge),
                TakenOfDay::NoneUntil(at) => {
                    self.give_back(counted).await;
                    return Err(UnsentError::TooMany(at));
                }
            }
        }
        if let Some(destination) = destination {
            match self.pass_prefixes(destination, now).await? {
                Ok(trials) => counted.trials = trials,
                Err(at) => {
                    self.give_back(counted).await;
                    return Err(UnsentError::TooMany(at));
                }
            }
        }
        Ok(counted)
    }

    /// Nothing was queued: it counts no more. If this fails it goes on to count.
    pub(crate) async fn give_back(&self, counted: Counted) {
        let Counted { days, to, charge, trials, at } = counted;
        self.give_back_trials(trials).await;
        for budget in days {
            self.accounts.leases.give_back(budget, 1, at);
        }
        self.accounts.give_back(charge.as_ref(), charge.map_or(0, |charge| charge.micros), at);
        for to in to {
            if let Err(error) = self.store.decide_budget(to.budget, move |view| sends::give_back(view, &to, at)).await {
                tracing::warn!(%error, "a message that was not queued stays counted");
            }
        }
    }

    /// How the budgets of the day stand, the server's first.
    pub async fn message_budgets(&self) -> Result<Vec<MessageBudget>, Fault> {
        let now = self.now();
        if !self.settings.policy.message_limits {
            return Ok(Vec::new());
        }
        let limits = self.settings.policy.sends;
        let mut spent = self.store.day_budgets().await?;
        if !spent.iter().any(|(budget, _)| *budget == Budget::Server) {
            spent.push((Budget::Server, domain::Spent::default()));
        }
        spent.reverse();
        let reading = |(budget, spent): (Budget, domain::Spent)| {
            let limit = limits.per_day(budget)?;
            let taken = sends::taken_today(&spent, now);
            let owner =
                if let Budget::Client(client) = budget { BudgetOwner::Client(client) } else { BudgetOwner::Server };
            let alarm = Alarm::of(taken, limit).map_or(0, Alarm::percent);
            Some(MessageBudget { owner, taken, limit, alarm })
        };
        Ok(spent.into_iter().filter_map(reading).collect())
    }
}

/// Tells the operator of a message that a caller has asked for and whose number is in no allowed country: the list may be
/// too short.
pub(crate) fn out_of_reach(why: Unreachable) -> Unreachable {
    if why == Unreachable::Country {
        tracing::warn!("a number is not in an allowed country: messages.countries lists them");
    }
    why
}

/// Where the message goes that a decision queues, if it queues one.
fn queued<T>(decision: &Decision<T>) -> Option<Channel> {
    decision.changes.iter().find_map(|change| match change {
        Change::Enqueue(message) => Some(message.channel),
        _ => None,
    })
}

/// The decision, with what a message of it is counted for.
fn charged<T>(mut decision: Decision<T>, charge: Option<Charge>) -> Decision<T> {
    for change in &mut decision.changes {
        if let Change::Enqueue(message) = change {
            message.charge = charge;
        }
    }
    decision
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{DeviceId, Message, MessageId, Sealed, VerificationId};

    /// No worker is woken for a decision that queues nothing, such as a prompt that waits already.
    #[test]
    fn only_a_queued_message_has_a_channel_to_wake() {
        let message = Message {
            id: MessageId(1),
            user_id: UserId(2),
            device_id: Some(DeviceId(3)),
            verification_id: VerificationId(uuid::Uuid::nil()),
            channel: Channel::Voice,
            content: Sealed(Vec::new()),
            created_at: Timestamp(0),
            not_after: Timestamp(1),
            charge: None,
        };
        let dropped = Change::DropMessages(message.verification_id);
        assert_eq!(queued(&Decision::of(vec![dropped.clone()], ())), None);
        assert_eq!(queued(&Decision::of(vec![dropped, Change::Enqueue(message)], ())), Some(Channel::Voice));
    }
}
