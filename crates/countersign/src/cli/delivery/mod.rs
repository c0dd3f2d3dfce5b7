//! `countersign delivery`: which channels carry messages to people, what they cost, and a test of one.

mod price;
mod simulate;
mod spend;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use delivery::{RouteHealth, RouteState};
use domain::{Channel, Timestamp};
use engine::{Engine, TestMessageError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::simulate::TriedRules;
use crate::cli::report::{Report, or_dash, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run};
use crate::installation::Intent;
use crate::installation::prices::PRICED;
use crate::installation::providers::{CONFIGURABLE, setting};

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryArgs {
    /// Show each channel and its routes: whether it is offered, how each provider does, and what to do if it is not
    #[command(visible_alias = "show")]
    Status {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Send one test message over a channel, with the configured provider and no verification
    Test {
        /// Channel to test
        #[arg(value_parser = channel())]
        channel: Channel,
        /// Telephone number as +14155550123, or e-mail address
        address: String,
        /// Provider to test, if it is not the first of the channel
        #[arg(long)]
        provider: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show what a message to a number costs, over each route that may carry it
    Price {
        /// Telephone number as +14155550123
        number: String,
        /// Only text messages, or only calls
        #[arg(long, value_parser = priced_channel())]
        channel: Option<Channel>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show what messages to telephones cost, by provider, country and client, and how the caps of today stand
    Spend {
        /// Time that it covers, back from now: hours or minutes up to a day
        #[arg(long, default_value = "24h", value_parser = spend::span)]
        since: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show what other caps and another breaker would have done to the messages that were sent
    Simulate {
        /// Rules to try: a TOML file with settings of [messages]; what it does not name stays as it is
        rules: PathBuf,
        /// Time that it covers, back from now: hours or minutes up to a day
        #[arg(long, default_value = "24h", value_parser = spend::span)]
        since: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Use every route again, also those that are down: a provider is known to work again
    Retry {
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// The channels that a test can go over. A push is answered on a paired phone, so there is nothing to address.
fn channel() -> impl clap::builder::TypedValueParser<Value = Channel> {
    one_of(Channel::ALL.into_iter().filter(|channel| *channel != Channel::Push).collect())
}

/// The channels whose messages have a price.
fn priced_channel() -> impl clap::builder::TypedValueParser<Value = Channel> {
    one_of(PRICED.to_vec())
}

fn one_of(channels: Vec<Channel>) -> impl clap::builder::TypedValueParser<Value = Channel> {
    PossibleValuesParser::new(channels.into_iter().map(Channel::name))
        .try_map(|name| Channel::from_name(&name).ok_or_else(|| format!("there is no channel {name}")))
}

impl DeliveryArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (Self::Status { output }
        | Self::Test { output, .. }
        | Self::Price { output, .. }
        | Self::Spend { output, .. }
        | Self::Simulate { output, .. }
        | Self::Retry { output }) = &self;
        // No server starts with such settings, so there is nothing to show yet.
        output.config()?.delivery.check()?;
        match self {
            Self::Status { output } => run(&output, DeliveryRequest::Status),
            Self::Test { channel, address, provider, output } => {
                run(&output, DeliveryRequest::Test { channel, address, provider })
            }
            Self::Price { number, channel, output } => run(&output, DeliveryRequest::Price { number, channel }),
            Self::Spend { since, output } => run(&output, DeliveryRequest::Spend { since }),
            Self::Simulate { rules, since, output } => {
                run(&output, DeliveryRequest::Simulate { rules: TriedRules::read(&rules)?, since })
            }
            Self::Retry { output } => run(&output, DeliveryRequest::Retry),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryRequest {
    Status,
    Test {
        channel: Channel,
        address: String,
        provider: Option<String>,
    },
    Price {
        number: String,
        channel: Option<Channel>,
    },
    Spend {
        /// How long ago the first message was queued that counts, in milliseconds.
        since: i64,
    },
    Simulate {
        rules: TriedRules,
        /// As for [`Self::Spend`].
        since: i64,
    },
    Retry,
}

impl Request for DeliveryRequest {
    const NOUN: &'static str = "delivery";

    fn intent(&self) -> Intent {
        match self {
            Self::Status | Self::Price { .. } | Self::Spend { .. } | Self::Simulate { .. } | Self::Retry => {
                Intent::Read
            }
            // It draws the id of a message.
            Self::Test { .. } => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Status => Ok(status(engine)),
            Self::Test { channel, address, provider } => test(engine, channel, &address, provider.as_deref()).await,
            Self::Price { number, channel } => price::price(engine, &number, channel),
            Self::Spend { since } => spend::spend(engine, since).await,
            Self::Simulate { rules, since } => simulate::simulated(engine, rules, since).await,
            Self::Retry if !engine.sends_messages() => {
                Err("no server of this installation takes commands here: with SQLite start it; with PostgreSQL, where commands \
                     go to the database, each node tries a route again by itself after 30 seconds, or after up to five minutes if its provider asks"
                    .to_owned())
            }
            Self::Retry => {
                engine.trust_routes();
                Ok(Report::line(json!({ "retried": true }), "Every route is used again."))
            }
        }
    }
}

fn status(engine: &Engine) -> Report {
    let health = engine.route_health();
    let shown = Channel::ALL.map(|channel| Shown::of(channel, engine, &health));
    let rows = shown.iter().flat_map(Shown::rows).collect();
    let header = [
        "channel",
        "offered",
        "provider",
        "state",
        "sent",
        "failed",
        "delivered",
        "undelivered",
        "last failure",
        "what to do",
    ];
    Report::table(json!(shown), header, rows)
}

/// A channel, and how it is carried.
#[derive(Debug, Serialize)]
struct Shown {
    channel: Channel,
    offered: bool,
    /// Why it is not offered.
    reason: Option<&'static str>,
    advice: Option<String>,
    /// In the order in which they are tried.
    routes: Vec<ShownRoute>,
}

/// A route, and how it does since the start of the process that answers.
#[derive(Debug, Serialize)]
struct ShownRoute {
    provider: String,
    /// The key that configures the provider.
    setting: Option<&'static str>,
    /// `up`, `on trial` or `down`; nothing where no server answers, since only it knows.
    state: Option<&'static str>,
    /// When it is tried again, if it is down.
    down_until: Option<String>,
    sent: Option<u64>,
    failed: Option<u64>,
    /// What the provider's receipts say of the messages that it took; nothing if it signs none.
    delivered: Option<u64>,
    undelivered: Option<u64>,
    last_failure: Option<String>,
    last_failure_at: Option<String>,
}

impl Shown {
    fn of(channel: Channel, engine: &Engine, health: &[RouteHealth]) -> Self {
        let is_known = engine.sends_messages();
        let routes: Vec<ShownRoute> = health
            .iter()
            .filter(|route| route.channel == channel)
            .map(|route| ShownRoute::of(route, is_known))
            .collect();
        let mut kinds = engine.settings().policy.offered().into_iter();
        let offered = kinds.any(|kind| kind.channel() == Some(channel));
        let missing = match routes.first() {
            _ if offered => None,
            None => Some(("no provider is configured", advice(channel))),
            // A channel with a provider that is not offered lacks a country (`Policy::offers`).
            Some(_) => Some(("no country is allowed", "list countries in messages.countries".to_owned())),
        };
        let (reason, advice) = missing.unzip();
        Self { channel, offered, reason, advice, routes }
    }

    /// A line for each route, and one for a channel without any.
    fn rows(&self) -> Vec<Vec<String>> {
        let head = || vec![self.channel.name().to_owned(), if self.offered { "yes" } else { "no" }.to_owned()];
        let advice = or_dash(self.advice.as_deref());
        if self.routes.is_empty() {
            let dashes = std::iter::repeat_n(or_dash(None), 7);
            return vec![head().into_iter().chain(dashes).chain([advice]).collect()];
        }
        let row = |route: &ShownRoute| {
            let state = match &route.down_until {
                Some(until) => format!("down until {until}"),
                None => or_dash(route.state),
            };
            let failure = route.last_failure.as_ref().zip(route.last_failure_at.as_ref());
            let failure = failure.map_or_else(|| or_dash(None), |(why, at)| format!("{at}: {why}"));
            let count = |count: Option<u64>| or_dash(count.map(|count| count.to_string()).as_deref());
            let counts = [route.sent, route.failed, route.delivered, route.undelivered].map(count);
            let cells = [route.provider.clone(), state].into_iter().chain(counts).chain([failure, advice.clone()]);
            head().into_iter().chain(cells).collect()
        };
        self.routes.iter().map(row).collect()
    }
}

impl ShownRoute {
    fn of(health: &RouteHealth, is_known: bool) -> Self {
        let (state, until) = match health.state {
            _ if !is_known => (None, None),
            RouteState::Up => (Some("up"), None),
            RouteState::OnTrial => (Some("on trial"), None),
            RouteState::DownUntil(until) => (Some("down"), Some(until)),
        };
        let moment = |at: Timestamp| onelogin::wire_time::with_seconds(at.0);
        Self {
            provider: health.provider.clone(),
            setting: setting(&health.provider),
            state,
            down_until: until.map(moment),
            sent: is_known.then(|| health.sent()),
            failed: is_known.then(|| health.failed()),
            delivered: health.delivered().filter(|_| is_known),
            undelivered: health.undelivered().filter(|_| is_known),
            last_failure: health.last_failure.map(|(error, _)| error.to_string()),
            last_failure_at: health.last_failure.map(|(_, at)| moment(at)),
        }
    }
}

/// What to do about a channel without a provider.
fn advice(channel: Channel) -> String {
    let fitting = CONFIGURABLE.iter().filter(|provider| provider.channels.contains(&channel));
    let settings: Vec<String> =
        fitting.map(|provider| format!("set {} ({})", provider.setting, provider.caveat)).collect();
    if settings.is_empty() { "nothing: this version has no provider for it".to_owned() } else { settings.join(", or ") }
}

async fn test(engine: &Engine, channel: Channel, address: &str, provider: Option<&str>) -> Result<Report, String> {
    let sent = engine.send_test_message(channel, address, provider).await;
    let provider = sent.map_err(|error| match error {
        TestMessageError::NoProvider(_) => {
            format!("nothing was sent: {error}; countersign delivery status says what to do")
        }
        TestMessageError::NotSent(error) if !error.is_unsent() => {
            format!("it may have been sent: {error}; look for the message before another try")
        }
        TestMessageError::TooMany(at) => {
            let at = onelogin::wire_time::with_seconds(at.0);
            format!("nothing was sent: {error} to this number or address, or on this day; one may be sent from {at}")
        }
        TestMessageError::Fault(error) => sentence(error),
        other => format!("nothing was sent: {other}"),
    })?;
    let json = json!({ "channel": channel, "provider": provider, "sent": true });
    Ok(Report::line(json, format!("The provider {provider} took a test message over {}.", channel.name())))
}
