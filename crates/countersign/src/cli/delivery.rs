//! `countersign delivery`: which channels carry messages to people, and a test of one.

use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use delivery::SendError;
use domain::Channel;
use engine::{Engine, TestMessageError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::report::{Report, or_dash, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run};
use crate::installation::Intent;
use crate::installation::providers::{CONFIGURABLE, setting};

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryArgs {
    /// Show each channel: whether it is offered, by which provider, from which setting, and what to do if it is not
    Show {
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
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// The channels that a test can go over. A push is answered on a paired phone, so there is nothing to address.
fn channel() -> impl clap::builder::TypedValueParser<Value = Channel> {
    let names = Channel::ALL.into_iter().filter(|channel| *channel != Channel::Push).map(Channel::name);
    PossibleValuesParser::new(names)
        .try_map(|name| Channel::from_name(&name).ok_or_else(|| format!("there is no channel {name}")))
}

impl DeliveryArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (Self::Show { output } | Self::Test { output, .. }) = &self;
        // No server starts with such settings, so there is nothing to show yet.
        output.config()?.delivery.check()?;
        match self {
            Self::Show { output } => run(&output, DeliveryRequest::Show),
            Self::Test { channel, address, output } => run(&output, DeliveryRequest::Test { channel, address }),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryRequest {
    Show,
    Test { channel: Channel, address: String },
}

impl Request for DeliveryRequest {
    const NOUN: &'static str = "delivery";

    fn intent(&self) -> Intent {
        match self {
            Self::Show => Intent::Read,
            // It draws the id of a message.
            Self::Test { .. } => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Show => Ok(show(engine)),
            Self::Test { channel, address } => test(engine, channel, &address).await,
        }
    }
}

fn show(engine: &Engine) -> Report {
    let shown = Channel::ALL.map(|channel| Shown::of(channel, engine));
    let row = |one: &Shown<'_>| {
        vec![
            one.channel.name().to_owned(),
            if one.offered { "yes" } else { "no" }.to_owned(),
            or_dash(one.provider),
            or_dash(one.setting),
            or_dash(one.reason),
            or_dash(one.advice.as_deref()),
        ]
    };
    let header = ["channel", "offered", "provider", "setting", "reason", "what to do"];
    Report::table(json!(shown), header, shown.iter().map(row).collect())
}

/// A channel, and how it is carried.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    channel: Channel,
    offered: bool,
    provider: Option<&'a str>,
    /// The key that configures the provider.
    setting: Option<&'static str>,
    /// Why it is not offered.
    reason: Option<&'static str>,
    advice: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(channel: Channel, engine: &'a Engine) -> Self {
        let provider = engine.routes().of(channel).next().map(|route| route.provider().name());
        let mut kinds = engine.settings().policy.offered().into_iter();
        let offered = kinds.any(|kind| kind.channel() == Some(channel));
        let missing = match provider {
            _ if offered => None,
            None => Some(("no provider is configured", advice(channel))),
            // A channel with a provider that is not offered lacks a country (`Policy::offers`).
            Some(_) => Some(("no country is allowed", "list countries in messages.countries".to_owned())),
        };
        let (reason, advice) = missing.unzip();
        Self { channel, offered, provider, setting: provider.and_then(setting), reason, advice }
    }
}

/// What to do about a channel without a provider.
fn advice(channel: Channel) -> String {
    let fitting = CONFIGURABLE.iter().filter(|provider| provider.channels.contains(&channel));
    let settings: Vec<String> =
        fitting.map(|provider| format!("set {} ({})", provider.setting, provider.caveat)).collect();
    if settings.is_empty() { "nothing: this version has no provider for it".to_owned() } else { settings.join(", or ") }
}

async fn test(engine: &Engine, channel: Channel, address: &str) -> Result<Report, String> {
    let provider = engine.send_test_message(channel, address).await.map_err(|error| match error {
        TestMessageError::NoProvider(_) => {
            format!("nothing was sent: {error}; countersign delivery show says what to do")
        }
        TestMessageError::NotSent(SendError::TimedOut) => {
            format!("it may have been sent: {error}; look for the message before another try")
        }
        TestMessageError::TooMany(at) => {
            let at = onelogin::wire_time::with_seconds(at.0);
            format!("nothing was sent: {error} to this number or address, or on this day; one may be sent from {at}")
        }
        TestMessageError::NotSent(error) if error.is_temporary() && !error.is_unsent() => {
            format!("nothing was sent: {error}; the log may say more, and another try may succeed")
        }
        TestMessageError::Fault(error) => sentence(error),
        other => format!("nothing was sent: {other}"),
    })?;
    let json = json!({ "channel": channel, "provider": provider, "sent": true });
    Ok(Report::line(json, format!("The provider {provider} took a test message over {}.", channel.name())))
}
