//! `countersign webhook` as it is written.

use std::process::ExitCode;

use clap::Subcommand;
use domain::Timestamp;
use domain::model::webhook::{DeliveryId, Headers, WebhookId};

use super::{WebhookCommand, header, header_file, since, span};
use crate::cli::OutputArgs;
use crate::terminal;

/// What can be done with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookArgs {
    /// Post events to an address from now on; the secret that signs them is shown once
    Create {
        /// Where to, as `https://siem.example.com/events`
        url: String,
        /// A name for people
        #[arg(long, default_value = "")]
        name: String,
        /// A header that the receiver asks for, as `Name: value` (repeatable); kept sealed and never shown
        #[arg(long = "header", value_parser = header, value_name = "NAME: VALUE")]
        headers: Vec<(String, String)>,
        /// The same with the value in a file, as `Name=PATH` (repeatable): a command line shows in lists of processes
        #[arg(long = "header-file", value_parser = header_file, value_name = "NAME=PATH")]
        header_files: Vec<(String, String)>,
        /// Let the address be private, or plain http on loopback, if `allow_private` is set under `[webhooks]`
        #[arg(long)]
        allow_private: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List webhooks
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete a webhook with its log of deliveries
    Delete {
        /// The webhook's id
        id: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Go on telling a webhook, from where it stopped
    Enable {
        /// The webhook's id
        id: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Tell a webhook nothing for now; what happens meanwhile is told later
    Disable {
        /// The webhook's id
        id: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new secret, shown once; the one before signs beside it for a while
    RotateSecret {
        /// The webhook's id
        id: i64,
        /// How long both sign, as 90s, 30m, 24h or 7d; 0 ends the one before at once
        #[arg(long, value_parser = span, default_value = "24h", value_name = "TIME")]
        overlap: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show what a webhook was told in the last seven days, the newest first
    Deliveries {
        /// The webhook's id
        id: i64,
        /// Only what was given up
        #[arg(long)]
        failed: bool,
        /// Most of them
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Tell something again: a delivery, under its old message id, or all that happened since a moment
    Replay {
        /// The delivery's id; with --since, the webhook's
        id: i64,
        /// Since when, as 2026-03-01T09:30:00Z
        #[arg(long, value_parser = since, value_name = "MOMENT")]
        since: Option<Timestamp>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Post an empty list of events, signed as all are, and show the answer
    Test {
        /// The webhook's id
        id: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
}

impl WebhookArgs {
    /// The command, and where it goes; or the exit code, if nobody has agreed to it.
    pub(crate) fn command(self) -> (OutputArgs, Result<WebhookCommand, ExitCode>) {
        use WebhookCommand as C;
        let (output, command) = match self {
            Self::Create { url, name, headers, header_files, allow_private, output } => {
                let headers = Headers([headers, header_files].concat());
                (output, C::Create { name, url, headers, allow_private })
            }
            Self::List { output } => (output, C::List),
            Self::Delete { id, yes, output } => {
                let question = format!("Delete webhook {id} with its log? This cannot be undone.");
                if let Err(code) = terminal::agreed(yes, &question) {
                    return (output, Err(code));
                }
                (output, C::Delete { id: WebhookId(id) })
            }
            Self::Enable { id, output } => (output, C::Enable { id: WebhookId(id), enabled: true }),
            Self::Disable { id, output } => (output, C::Enable { id: WebhookId(id), enabled: false }),
            Self::RotateSecret { id, overlap, output } => (output, C::Rotate { id: WebhookId(id), overlap }),
            Self::Deliveries { id, failed, limit, output } => {
                (output, C::Deliveries { id: WebhookId(id), failed, limit })
            }
            Self::Replay { id, since: Some(since), output } => (output, C::ReplaySince { id: WebhookId(id), since }),
            Self::Replay { id, since: None, output } => (output, C::Replay { id: DeliveryId(id) }),
            Self::Test { id, output } => (output, C::Test { id: WebhookId(id) }),
        };
        (output, Ok(command))
    }
}
