//! Which providers carry which channel, in which order, and how each of them does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Channel, Timestamp};
use store::Turn;
use tokio::sync::Notify;

use crate::breaker::{Breaker, RouteState};
use crate::provider::{Fitness, Provider, SendError};

/// A channel with a provider that carries it.
pub struct Route {
    /// The channel whose messages it takes. It is another than the one that it carries where text messages are called.
    queue: Channel,
    channel: Channel,
    /// Its place in the order of its queue, from 0.
    position: u32,
    provider: Arc<dyn Provider>,
    /// Shared by the routes that make the calls of one provider, whatever queue they take them from.
    health: Arc<Mutex<Health>>,
    pub(crate) queued: Notify,
}

#[derive(Default)]
struct Health {
    breaker: Breaker,
    endings: BTreeMap<Ending, u64>,
    receipts: BTreeMap<Ending, u64>,
    last_failure: Option<(SendError, Timestamp)>,
}

/// How a route does on this node since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteHealth {
    pub channel: Channel,
    /// Its place in the order of its channel, from 0.
    pub position: u32,
    /// The provider's name.
    pub provider: String,
    pub state: RouteState,
    /// How sendings ended, and how many did.
    pub endings: BTreeMap<Ending, u64>,
    /// What receipts said, and how many did. Empty as long as none came.
    pub receipts: BTreeMap<Ending, u64>,
    /// Whether the provider signs receipts that we can check.
    pub signs_receipts: bool,
    /// The newest failure, and when it was.
    pub last_failure: Option<(SendError, Timestamp)>,
}

/// How a sending ended, and where it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ending {
    /// The country of the number, as ISO 3166 code: the first of those that share it, and nothing for mail and prompts.
    pub country: Option<&'static str>,
    /// `sent`, or [`SendError::word`]. Of a receipt `delivered`, `undelivered` or, without a country, `not_taken`.
    pub outcome: &'static str,
}

impl Ending {
    const SENT: &'static str = "sent";
    pub(crate) const DELIVERED: &'static str = "delivered";
    pub(crate) const UNDELIVERED: &'static str = "undelivered";
    pub(crate) const NOT_TAKEN: &'static str = "not_taken";
}

impl RouteHealth {
    /// Messages that the provider has taken.
    pub fn sent(&self) -> u64 {
        count(&self.endings, |outcome| outcome == Ending::SENT)
    }

    /// Sendings that have failed.
    pub fn failed(&self) -> u64 {
        count(&self.endings, |outcome| outcome != Ending::SENT)
    }

    /// Messages that reached their recipients by the provider's receipts; nothing if it signs none.
    pub fn delivered(&self) -> Option<u64> {
        self.signs_receipts.then(|| count(&self.receipts, |outcome| outcome == Ending::DELIVERED))
    }

    /// Messages that did not, by its receipts.
    pub fn undelivered(&self) -> Option<u64> {
        self.signs_receipts.then(|| count(&self.receipts, |outcome| outcome == Ending::UNDELIVERED))
    }
}

fn count(endings: &BTreeMap<Ending, u64>, which: impl Fn(&str) -> bool) -> u64 {
    endings.iter().filter(|(ending, _)| which(ending.outcome)).map(|(_, count)| count).sum()
}

impl Route {
    /// The channel that it carries.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// The channel whose messages it takes.
    pub(crate) fn queue(&self) -> Channel {
        self.queue
    }

    /// Whether it carries messages of another channel than its own: it calls instead of sending a text message.
    pub(crate) fn stands_in(&self) -> bool {
        self.queue != self.channel
    }

    /// What carries it.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// Whether it may be used now.
    pub fn state(&self, now: Timestamp) -> RouteState {
        self.health().breaker.state(now)
    }

    /// Notes how a sending to a number of this country ended.
    pub(crate) fn note(&self, country: Option<&'static str>, ended: Result<(), SendError>, now: Timestamp) {
        let mut health = self.health();
        let before = health.breaker.state(now);
        let (outcome, fitness) = match ended {
            Ok(()) => (Ending::SENT, Fitness::Fit),
            Err(error) => {
                health.last_failure = Some((error, now));
                (error.word(), error.fitness())
            }
        };
        *health.endings.entry(Ending { country, outcome }).or_default() += 1;
        health.breaker = health.breaker.after(fitness, now);
        let after = health.breaker.state(now);
        drop(health);
        self.tell(before, after, now);
    }

    /// Counts a receipt. That is all it does: what a recipient's phone does says nothing about the provider.
    pub(crate) fn hear(&self, said: Ending) {
        *self.health().receipts.entry(said).or_default() += 1;
    }

    /// Counts digits of a call that were not taken.
    pub fn count_not_taken(&self) {
        self.hear(Ending { country: None, outcome: Ending::NOT_TAKEN });
    }

    /// Forgets the failures: an operator says that the provider works again.
    pub(crate) fn trust(&self) {
        self.health().breaker = Breaker::default();
        self.queued.notify_one();
    }

    /// Says once that a route went down or came back.
    fn tell(&self, before: RouteState, after: RouteState, now: Timestamp) {
        let (channel, provider) = (self.channel.name(), self.provider.name());
        match (before, after) {
            (RouteState::Up | RouteState::OnTrial, RouteState::DownUntil(until)) => {
                let seconds = until.since(now) / 1_000;
                tracing::error!(
                    channel,
                    provider,
                    seconds,
                    "this route is down: others carry its messages if there are any"
                );
            }
            (RouteState::OnTrial | RouteState::DownUntil(_), RouteState::Up) => {
                tracing::info!(channel, provider, "this route works again");
            }
            _ => {}
        }
    }

    fn reading(&self, now: Timestamp) -> RouteHealth {
        let health = self.health();
        RouteHealth {
            channel: self.channel,
            position: self.position,
            provider: self.provider.name().to_owned(),
            state: health.breaker.state(now),
            endings: health.endings.clone(),
            receipts: health.receipts.clone(),
            signs_receipts: self.provider.signs_receipts(),
            last_failure: health.last_failure,
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of an installation. Those of a channel have an order.
#[derive(Clone, Default)]
pub struct Routes {
    own: Vec<Arc<Route>>,
    /// Routes that call instead of sending a text message, in the order of calls. They come behind those of text messages.
    stand_ins: Vec<Arc<Route>>,
}

impl Routes {
    /// Routes over these providers: each carries all its channels, and comes before those behind it.
    pub fn over(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        let mut routes = Self::default();
        for provider in providers {
            for channel in provider.channels().to_vec() {
                routes.add(channel, provider.clone());
            }
        }
        routes
    }

    /// Adds a route behind the others of its channel.
    pub fn add(&mut self, channel: Channel, provider: Arc<dyn Provider>) {
        let position = u32::try_from(self.of(channel).count()).unwrap_or(u32::MAX);
        let (health, queued) = (Arc::default(), Notify::new());
        self.own.push(Arc::new(Route { queue: channel, channel, position, provider, health, queued }));
    }

    /// Lets the routes of calls carry text messages too while no route of these works (contract 18.10). To be used once all
    /// routes are added.
    #[must_use]
    pub fn with_texts_called(mut self) -> Self {
        let texts = self.of(Channel::Sms).count();
        let stand_in = |(n, voice): (usize, &Arc<Route>)| {
            Arc::new(Route {
                queue: Channel::Sms,
                channel: Channel::Voice,
                position: u32::try_from(texts + n).unwrap_or(u32::MAX),
                provider: voice.provider.clone(),
                health: voice.health.clone(),
                queued: Notify::new(),
            })
        };
        // What is not texted is not called either.
        self.stand_ins = self.of(Channel::Voice).enumerate().filter(|_| texts > 0).map(stand_in).collect();
        self
    }

    /// Whether a text message may become a call.
    pub fn call_texts(&self) -> bool {
        !self.stand_ins.is_empty()
    }

    /// The routes of a channel, in order.
    pub fn of(&self, channel: Channel) -> impl Iterator<Item = &Arc<Route>> {
        self.own.iter().filter(move |route| route.channel == channel)
    }

    /// The routes that take messages of this channel, in order: its own, and behind them those that stand in.
    fn taking(&self, queue: Channel) -> impl Iterator<Item = &Arc<Route>> {
        self.all().filter(move |route| route.queue == queue)
    }

    /// Every route: for each there is a worker.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.own.iter().chain(&self.stand_ins)
    }

    /// What carries anything, each once.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        let is_first = |(n, route): &(usize, &Arc<Route>)| {
            self.own.iter().take(*n).all(|earlier| !Arc::ptr_eq(&earlier.provider, &route.provider))
        };
        self.own.iter().enumerate().filter(is_first).map(|(_, route)| &route.provider)
    }

    /// Where the digits are to be sent that a person keys into a provider's call, below the public URL.
    pub fn digits_path(provider: &str) -> String {
        format!("/callbacks/{provider}/digits")
    }

    /// The route of calls whose digits are sent to this path.
    pub fn digits_at(&self, path: &str) -> Option<&Arc<Route>> {
        let name = path.strip_prefix("/callbacks/")?.strip_suffix("/digits")?;
        self.of(Channel::Voice).find(|route| route.provider.name() == name && route.provider.signs_digits())
    }

    /// Whether calls can ask for digits: each provider that may carry one brings them back.
    pub fn take_digits(&self) -> bool {
        self.carry(Channel::Voice) && self.of(Channel::Voice).all(|route| route.provider.takes_digits())
    }

    /// Whether prompts reach only phones that are subscribed: each provider that may carry one needs a subscription.
    pub fn wake_subscribers_only(&self) -> bool {
        self.carry(Channel::Push) && self.of(Channel::Push).all(|route| route.provider.needs_subscription())
    }

    /// The routes that may carry a message queued for this channel. Only one with a code may be called instead of sent as a
    /// text message.
    pub fn may_carry(&self, channel: Channel, has_code: bool) -> impl Iterator<Item = &Arc<Route>> {
        self.taking(channel).filter(move |route| has_code || !route.stands_in())
    }

    /// Whether messages over this channel have a route.
    pub fn carry(&self, channel: Channel) -> bool {
        self.of(channel).next().is_some()
    }

    /// How all of them do, by channel and in order.
    pub fn health(&self, now: Timestamp) -> Vec<RouteHealth> {
        Channel::ALL.iter().flat_map(|channel| self.of(*channel)).map(|route| route.reading(now)).collect()
    }

    /// When the first route of a channel is tried again, if all of them are down.
    pub fn down_until(&self, channel: Channel, now: Timestamp) -> Option<Timestamp> {
        earliest(self.of(channel), now)
    }

    /// The same of a message with a code. It may be called instead of sent as a text message, so it can be carried as long as
    /// a route of calls works.
    pub fn code_down_until(&self, channel: Channel, now: Timestamp) -> Option<Timestamp> {
        earliest(self.taking(channel), now)
    }

    /// Whether this route may take messages now, apart from how its own provider does: a route that calls instead of texts
    /// takes none as long as any route of text messages is up or on trial (SEC 99).
    pub(crate) fn is_asked(&self, route: &Route, now: Timestamp) -> bool {
        !route.stands_in() || self.down_until(route.queue, now).is_some()
    }

    /// Which messages are this route's: those for which it is the next that is up. A route on trial takes the part that it
    /// would have if it were up, while the others share this part too.
    pub(crate) fn turn(&self, route: &Route, now: Timestamp) -> Turn {
        let is_up = |other: &&Arc<Route>| {
            let is_itself = other.position == route.position;
            is_itself || (other.state(now) == RouteState::Up && self.is_asked(other, now))
        };
        let up: Vec<u32> = self.taking(route.queue).filter(is_up).map(|other| other.position).collect();
        let before = up.iter().copied().filter(|position| *position < route.position).max();
        let last = up.into_iter().max().unwrap_or(route.position);
        let of = u32::try_from(self.taking(route.queue).count()).unwrap_or(u32::MAX);
        Turn { position: route.position, before, last, of }
    }

    /// Whether another route than this one may carry what this one has refused. What a route for text messages has refused is
    /// not called for that (contract 18.10).
    pub(crate) fn has_others(&self, route: &Route, now: Timestamp) -> bool {
        let may_follow = |other: &Route| route.stands_in() || !other.stands_in();
        let is_another =
            |other: &&Arc<Route>| other.position != route.position && may_follow(other) && self.is_asked(other, now);
        self.taking(route.queue).any(|other| is_another(&other))
    }

    /// Wakes the workers of the routes that take messages of a channel.
    pub(crate) fn wake(&self, channel: Channel) {
        self.taking(channel).for_each(|route| route.queued.notify_one());
    }
}

/// When the first of these routes is tried again, if all of them are down.
fn earliest<'a>(routes: impl Iterator<Item = &'a Arc<Route>>, now: Timestamp) -> Option<Timestamp> {
    let until = routes.map(|route| match route.state(now) {
        RouteState::DownUntil(until) => Some(until),
        RouteState::Up | RouteState::OnTrial => None,
    });
    until.collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::OutgoingMessage;
    use crate::provider::Sending;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    struct Over(&'static str, &'static [Channel]);

    impl Provider for Over {
        fn name(&self) -> &'static str {
            self.0
        }

        fn channels(&self) -> &[Channel] {
            self.1
        }

        fn send<'a>(&'a self, _: &'a OutgoingMessage) -> Sending<'a> {
            Box::pin(async { Ok(()) })
        }
    }

    fn three() -> Routes {
        let over = |name| Arc::new(Over(name, &[Channel::Sms])) as Arc<dyn Provider>;
        Routes::over(["a", "b", "c"].map(over))
    }

    fn fail(routes: &Routes, position: usize) {
        let route = routes.of(Channel::Sms).nth(position).unwrap();
        (0..5).for_each(|_| route.note(None, Err(SendError::TimedOut), NOW));
    }

    fn turns(routes: &Routes, now: Timestamp) -> Vec<(Option<u32>, u32, u32)> {
        let turn = |route: &Arc<Route>| routes.turn(route, now);
        routes.of(Channel::Sms).map(turn).map(|turn| (turn.before, turn.position, turn.last)).collect()
    }

    #[test]
    fn a_provider_carries_all_its_channels_and_comes_before_those_behind_it() {
        let first: Arc<dyn Provider> = Arc::new(Over("first", &[Channel::Sms]));
        let second: Arc<dyn Provider> = Arc::new(Over("second", &[Channel::Sms, Channel::Email]));
        let routes = Routes::over([first, second]);
        let names = |channel| routes.of(channel).map(|route| route.provider().name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(Channel::Sms), ["first", "second"]);
        assert_eq!(names(Channel::Email), ["second"]);
        assert!(!routes.carry(Channel::Voice));
    }

    #[test]
    fn what_waits_for_a_route_that_is_down_is_the_next_ones() {
        let routes = three();
        assert_eq!(turns(&routes, NOW), [(None, 0, 2), (Some(0), 1, 2), (Some(1), 2, 2)]);
        fail(&routes, 1);
        assert_eq!(turns(&routes, NOW)[2], (Some(0), 2, 2), "c takes what b had");
        fail(&routes, 2);
        assert_eq!(turns(&routes, NOW)[0], (None, 0, 0), "a takes what b and c had");
    }

    #[test]
    fn a_channel_is_down_once_all_its_routes_are() {
        let routes = three();
        fail(&routes, 0);
        fail(&routes, 1);
        assert_eq!(routes.down_until(Channel::Sms, NOW), None);
        fail(&routes, 2);
        assert_eq!(routes.down_until(Channel::Sms, NOW), Some(NOW.plus(30_000)));
        assert_eq!(routes.down_until(Channel::Sms, NOW.plus(30_000)), None, "one message may try");
        assert_eq!(
            routes.down_until(Channel::Email, NOW),
            None,
            "without routes it is not offered, which is something else"
        );
    }

    #[test]
    fn an_operator_can_say_that_a_provider_works_again() {
        let routes = three();
        fail(&routes, 0);
        let route = routes.of(Channel::Sms).next().unwrap();
        route.trust();
        assert_eq!(route.state(NOW), RouteState::Up);
        let health = &routes.health(NOW)[0];
        assert_eq!((health.sent(), health.failed()), (0, 5), "the counts stay");
    }
}
