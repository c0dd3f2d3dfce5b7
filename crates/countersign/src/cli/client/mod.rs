//! `countersign client`: API clients.

mod find;
mod parse;
mod show;

use std::process::ExitCode;

use clap::{ArgAction, Args, Subcommand};
use domain::model::long_poll::LongPoll;
use domain::rules::client::{Choice, Expiry, WebOtp};
use domain::{ClientOptions, Network, Scope, Timestamp, WebOtpHost};
use engine::{ClientLimits, Engine};
use onelogin::{CompatProfile, ScopeName as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::find::{ClientSelector, SelectorArgs, find, live_of_name, missing};
use self::parse::{Allowed, networks, on_or_off, parse_allowed, parse_expiry, parse_sent_type, parse_webotp};
use self::show::{changed, kept, list, new_secret, show};
use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run, run_as, run_if_agreed, writing};
use crate::installation::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum ClientArgs {
    /// Create an API client; its secret is shown once
    Create {
        /// "Manage All", "Read All", "Manage users", "Read Users" or "Authentication Only"
        #[arg(long, value_parser = Scope::parse)]
        scope: Scope,
        /// `default`, `python4`, `numeric_ids` or `docs_literal`
        #[arg(long, value_parser = CompatProfile::parse, default_value = "default")]
        profile: CompatProfile,
        /// Name for people
        #[arg(long, default_value = "")]
        name: String,
        /// Change nothing if there is a live client of this --name; fail if its scope, profile, networks or expiry differ
        #[arg(long, requires = "name")]
        if_missing: bool,
        /// How long polls are held until the person answers: `off`, `adaptive`, or a number of seconds up to 25
        #[arg(long, value_parser = LongPoll::parse, default_value = "adaptive")]
        hold: LongPoll,
        /// `on` or `off`: whether people type a number that this client shows them before they accept a prompt
        #[arg(
            long, value_name = "ON|OFF", value_parser = on_or_off, action = ArgAction::Set,
            default_value = "off", num_args = 0..=1, default_missing_value = "on"
        )]
        number_matching: bool,
        /// Name that `login/verify_factor` gives a text message that was sent: `success`, as documented, or `pending`
        #[arg(long, value_name = "TYPE", value_parser = parse_sent_type, default_value = "success", action = ArgAction::Set)]
        sent_type: bool,
        /// Bind codes in text messages to this host, such as `login.example.com`: browsers on phones offer them on its pages only
        #[arg(long, value_name = "HOST", value_parser = WebOtpHost::parse)]
        webotp_host: Option<WebOtpHost>,
        #[command(flatten)]
        limits: LimitArgs,
        /// Create the installation if there is none, for `countersign serve` to start on
        #[arg(long)]
        init: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List API clients
    List {
        /// Show whole ids, however wide the table becomes
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show an API client
    Show {
        #[command(flatten)]
        which: SelectorArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Revoke an API client and all its tokens
    Revoke {
        #[command(flatten)]
        which: SelectorArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Change a client's profile, hold, number matching, sent type, WebOTP host, networks or expiry
    Set {
        #[command(flatten)]
        which: SelectorArgs,
        /// `default`, `python4`, `numeric_ids` or `docs_literal`
        #[arg(long, value_parser = CompatProfile::parse, required_unless_present_any = ["number_matching", "hold", "sent_type", "webotp_host", "allow_ip", "expires"])]
        profile: Option<CompatProfile>,
        /// `off`, `adaptive`, or a number of seconds up to 25; `adaptive` forgets what was learnt
        #[arg(long, value_parser = LongPoll::parse)]
        hold: Option<LongPoll>,
        /// `on` or `off`: whether people type a number that this client shows them before they accept a prompt
        #[arg(long, value_name = "ON|OFF", value_parser = on_or_off)]
        number_matching: Option<bool>,
        /// Name that `login/verify_factor` gives a text message that was sent: `success`, as documented, or `pending`
        #[arg(long, value_name = "TYPE", value_parser = parse_sent_type)]
        sent_type: Option<bool>,
        /// Bind codes in text messages to this host, such as `login.example.com`: browsers on phones offer them on its pages only; `none` removes it
        #[arg(long, value_name = "HOST", value_parser = parse_webotp)]
        webotp_host: Option<WebOtp>,
        #[command(flatten)]
        limits: LimitArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new secret; the previous one works until the next rotation
    Rotate {
        #[command(flatten)]
        which: SelectorArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Limits on where and until when a client may call.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Refuse calls from other addresses than these networks, such as `10.0.0.0/8` or `2001:db8::1`; `none` allows all
    #[arg(long, value_name = "NETWORK", num_args = 1.., value_delimiter = ',', value_parser = parse_allowed)]
    allow_ip: Option<Vec<Allowed>>,
    /// Refuse calls from this time on, such as 2027-01-01 or 2027-01-01T09:00:00+01:00; `none` sets no end
    #[arg(long, value_name = "TIME", value_parser = parse_expiry)]
    expires: Option<Expiry>,
}

impl ClientArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create {
                scope,
                profile,
                name,
                if_missing,
                hold,
                number_matching,
                sent_type,
                webotp_host,
                limits,
                init,
                output,
            } => {
                let ip_allow = networks(limits.allow_ip.as_deref().unwrap_or_default())?;
                let expires_at = limits.expires.and_then(Expiry::at);
                let options = ClientOptions { holding: hold, number_matching, sent_is_pending: sent_type, webotp_host };
                let request = ClientRequest::Create { name, scope, profile, options, ip_allow, expires_at, if_missing };
                run_as(writing(init), &output, request, false)
            }
            Self::Set { which, profile, hold, number_matching, sent_type, webotp_host, limits, output } => {
                let choice = Choice {
                    holding: hold,
                    number_matching,
                    sent_is_pending: sent_type,
                    webotp: webotp_host,
                    profile: profile.map(Into::into),
                    ip_allow: limits.allow_ip.as_deref().map(networks).transpose()?,
                    expiry: limits.expires,
                };
                run(&output, ClientRequest::Set(which.into(), choice))
            }
            Self::List { full, output } => run_as(Intent::Read, &output, ClientRequest::List, full),
            Self::Show { which, output } => run(&output, ClientRequest::Show(which.into())),
            Self::Revoke { which, yes, output } => {
                let which = ClientSelector::from(which);
                let question = format!("Revoke client {which}? Everything that uses it stops working.");
                run_if_agreed(yes, &question, &output, ClientRequest::Revoke(which))
            }
            Self::Rotate { which, output } => run(&output, ClientRequest::Rotate(which.into())),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientRequest {
    Create {
        name: String,
        scope: Scope,
        profile: CompatProfile,
        options: ClientOptions,
        /// Empty means any.
        ip_allow: Vec<Network>,
        expires_at: Option<Timestamp>,
        /// Keep a live client of this name.
        if_missing: bool,
    },
    List,
    Show(ClientSelector),
    Revoke(ClientSelector),
    Rotate(ClientSelector),
    Set(ClientSelector, Choice),
}

impl Request for ClientRequest {
    const NOUN: &'static str = "client";

    fn intent(&self) -> Intent {
        match self {
            Self::List | Self::Show(_) => Intent::Read,
            Self::Create { .. } | Self::Revoke(_) | Self::Rotate(_) | Self::Set(..) => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Create { name, scope, profile, options, ip_allow, expires_at, if_missing } => {
                let limits = ClientLimits { ip_allow, expires_at };
                if if_missing && let Some(known) = live_of_name(engine, &name).await? {
                    return kept(&known, scope, profile, &limits);
                }
                let made =
                    engine.create_client(&name, scope, profile.into(), options, limits).await.map_err(sentence)?;
                Ok(new_secret(&made.client, &made.secret, "Client created."))
            }
            Self::List => Ok(list(&engine.clients().await.map_err(sentence)?, engine.now())),
            Self::Show(which) => Ok(show(&find(engine, &which).await?, engine.now())),
            Self::Revoke(which) => {
                let id = find(engine, &which).await?.client_id;
                let revoked = engine.revoke_client(&id).await.map_err(sentence)?.ok_or_else(|| missing(&which))?;
                let json = json!({ "client_id": revoked.client_id, "revoked": true });
                Ok(Report::line(json, format!("Client {} is revoked; its tokens no longer work.", revoked.client_id)))
            }
            Self::Rotate(which) => {
                let id = find(engine, &which).await?.client_id;
                let made = engine.rotate_client(&id).await.map_err(sentence)?.ok_or_else(|| {
                    format!("client {which} is revoked or has expired; make another with `countersign client create`")
                })?;
                Ok(new_secret(
                    &made.client,
                    &made.secret,
                    "New secret made; the one before works until the next rotation.",
                ))
            }
            Self::Set(which, choice) => {
                // A program of another version may name a profile that this one does not have.
                if let Some(profile) = &choice.profile {
                    CompatProfile::parse(profile.name())?;
                }
                let id = find(engine, &which).await?.client_id;
                let set = engine.choose_for_client(&id, choice).await.map_err(sentence)?;
                Ok(changed(&set.ok_or_else(|| missing(&which))?))
            }
        }
    }
}
