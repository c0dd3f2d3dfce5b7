//! `countersign webhook`: receivers of events.

mod answer;
mod parse;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use delivery::webhook::shown_url;
use domain::Timestamp;
use domain::model::webhook::{DeliveryId, Headers, WebhookAnswer, WebhookId};
use engine::Engine;
use engine::webhooks::{NewWebhook, ReplayOutcome};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::answer::{advice, label};
use self::parse::{header, header_file, since, span};
use self::show::{deliveries, list, moment};
use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run, run_if_agreed};
use crate::installation::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookArgs {
    /// Create a webhook: events are posted to its address from now on; the secret that signs them is shown once
    Create {
        /// Address to post to, as `https://siem.example.com/events`
        url: String,
        /// Name for people
        #[arg(long, default_value = "")]
        name: String,
        /// Header that the receiver asks for, as `Name: value` (repeatable); stored encrypted and never shown
        #[arg(long = "header", value_parser = header, value_name = "NAME: VALUE")]
        headers: Vec<(String, String)>,
        /// Header whose value is in a file, as `Name=PATH` (repeatable); other users can read command lines
        #[arg(long = "header-file", value_parser = header_file, value_name = "NAME=PATH")]
        header_files: Vec<(String, String)>,
        /// Allow a private address, or plain http on loopback, if `allow_private` is set under `[webhooks]`
        #[arg(long)]
        allow_private: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List all webhooks
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete a webhook with its log of deliveries
    Delete {
        /// Id of the webhook
        id: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Resume deliveries to a webhook, from where they stopped
    Enable {
        /// Id of the webhook
        id: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Pause deliveries to a webhook; events meanwhile are delivered later
    Disable {
        /// Id of the webhook
        id: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new secret, shown once; the previous one signs beside it for a while
    RotateSecret {
        /// Id of the webhook
        id: i64,
        /// How long both sign, as 90s, 30m, 24h or 7d; 0 ends the previous one at once
        #[arg(long, value_parser = span, default_value = "24h", value_name = "TIME")]
        overlap: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show deliveries of the last seven days, the newest first
    Deliveries {
        /// Id of the webhook
        id: i64,
        /// Show failed deliveries only
        #[arg(long)]
        failed: bool,
        /// How many deliveries to show at most
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Repeat a delivery under its old message id, or all events since a moment
    Replay {
        /// Id of the delivery; with --since, of the webhook
        id: i64,
        /// First moment whose events are repeated, as 2026-03-01T09:30:00Z
        #[arg(long, value_parser = since, value_name = "MOMENT")]
        since: Option<Timestamp>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Post an empty, signed list of events, and show the answer
    Test {
        /// Id of the webhook
        id: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
}

impl WebhookArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        use WebhookRequest as R;
        match self {
            Self::Create { url, name, headers, header_files, allow_private, output } => {
                let headers = Headers([headers, header_files].concat());
                run(&output, R::Create { name, url, headers, allow_private })
            }
            Self::List { output } => run(&output, R::List),
            Self::Delete { id, yes, output } => {
                let question = format!("Delete webhook {id} with its log? This cannot be undone.");
                run_if_agreed(yes, &question, &output, R::Delete { id: WebhookId(id) })
            }
            Self::Enable { id, output } => run(&output, R::Enable { id: WebhookId(id), enabled: true }),
            Self::Disable { id, output } => run(&output, R::Enable { id: WebhookId(id), enabled: false }),
            Self::RotateSecret { id, overlap, output } => run(&output, R::Rotate { id: WebhookId(id), overlap }),
            Self::Deliveries { id, failed, limit, output } => {
                run(&output, R::Deliveries { id: WebhookId(id), failed, limit })
            }
            Self::Replay { id, since: Some(since), output } => {
                run(&output, R::ReplaySince { id: WebhookId(id), since })
            }
            Self::Replay { id, since: None, output } => run(&output, R::Replay { id: DeliveryId(id) }),
            Self::Test { id, output } => run(&output, R::Test { id: WebhookId(id) }),
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebhookRequest {
    Create { name: String, url: String, headers: Headers, allow_private: bool },
    List,
    Delete { id: WebhookId },
    Enable { id: WebhookId, enabled: bool },
    Rotate { id: WebhookId, overlap: i64 },
    Deliveries { id: WebhookId, failed: bool, limit: u32 },
    Replay { id: DeliveryId },
    ReplaySince { id: WebhookId, since: Timestamp },
    Test { id: WebhookId },
}

impl std::fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers hold tokens.
        f.write_str("WebhookRequest(…)")
    }
}

impl Request for WebhookRequest {
    const NOUN: &'static str = "webhook";

    fn intent(&self) -> Intent {
        match self {
            Self::List | Self::Deliveries { .. } => Intent::Read,
            Self::Create { .. }
            | Self::Delete { .. }
            | Self::Enable { .. }
            | Self::Rotate { .. }
            | Self::Replay { .. }
            | Self::ReplaySince { .. }
            | Self::Test { .. } => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Create { name, url, headers, allow_private } => {
                let made = engine.create_webhook(NewWebhook { name, url, headers, allow_private }).await;
                let (webhook, secret) = made.map_err(sentence)?;
                let url = shown_url(&webhook.url);
                let json = json!({ "id": webhook.id, "name": webhook.name, "url": url, "secret": secret });
                let mut text = vec![
                    format!("Webhook {} created; events are delivered from now on.", webhook.id.0),
                    format!("  url     {url}"),
                    format!("  secret  {secret}"),
                    "The secret is shown this once. The receiver verifies signatures with it.".to_owned(),
                ];
                if allow_private && !engine.settings().private_webhooks {
                    text.push(
                        "The server must also run with `allow_private = true` under [webhooks], or private addresses stay \
                         out of its reach."
                            .to_owned(),
                    );
                }
                Ok(Report::lines(json, text))
            }
            Self::List => Ok(list(&engine.webhooks().await.map_err(sentence)?)),
            Self::Delete { id } => {
                found(engine.delete_webhook(id).await.map_err(sentence)?, id)?;
                Ok(Report::line(
                    json!({ "id": id, "deleted": true }),
                    format!("Webhook {} is deleted with its log.", id.0),
                ))
            }
            Self::Enable { id, enabled } => {
                found(engine.enable_webhook(id, enabled).await.map_err(sentence)?, id)?;
                let said = if enabled { "is enabled; deliveries resume where they stopped" } else { "is disabled" };
                Ok(Report::line(json!({ "id": id, "enabled": enabled }), format!("Webhook {} {said}.", id.0)))
            }
            Self::Rotate { id, overlap } => {
                let secret = engine.rotate_webhook_key(id, overlap).await.map_err(sentence)?;
                let secret = secret.ok_or_else(|| missing(id))?;
                let until = engine.now().plus(overlap);
                let json = json!({ "id": id, "secret": secret, "old_secret_signs_until": moment(until) });
                let text = vec![
                    format!("Webhook {} has a new secret, shown this once:", id.0),
                    format!("  secret  {secret}"),
                    if overlap == 0 {
                        "The previous one no longer signs.".to_owned()
                    } else {
                        format!("Until {} the previous one signs beside it.", moment(until))
                    },
                ];
                Ok(Report::lines(json, text))
            }
            Self::Deliveries { id, failed, limit } => {
                let found = engine.webhook_deliveries(id, failed, limit).await.map_err(sentence)?;
                Ok(deliveries(&found.ok_or_else(|| missing(id))?))
            }
            Self::Replay { id } => replay(engine, id).await,
            Self::ReplaySince { id, since } => replay_since(engine, id, since).await,
            Self::Test { id } => {
                let answer = engine.test_webhook(id).await.map_err(sentence)?.ok_or_else(|| missing(id))?;
                match answer {
                    WebhookAnswer::Status(status @ 200..=299) => {
                        let said = format!("Webhook {} took an empty list of events: {status}.", id.0);
                        Ok(Report::line(json!({ "id": id, "http_status": status }), said))
                    }
                    other => {
                        let (id, answered, advice) = (id.0, label(Some(other)), advice(other));
                        Err(format!("webhook {id} did not take an empty list of events: {answered}; {advice}"))
                    }
                }
            }
        }
    }
}

async fn replay(engine: &Engine, id: DeliveryId) -> Result<Report, String> {
    let json = json!({ "delivery_id": id, "replayed": true });
    let text = match engine.replay_delivery(id).await.map_err(sentence)? {
        ReplayOutcome::Yes => format!("Delivery {} is repeated, under the same message id.", id.0),
        ReplayOutcome::OnceEnabled(webhook) => format!(
            "Delivery {} is repeated, under the same message id, once the webhook is enabled: `countersign webhook \
             enable {}`.",
            id.0, webhook.0
        ),
        ReplayOutcome::NotYet(webhook) => {
            return Err(format!(
                "delivery {} is still under way; `countersign webhook deliveries {}` shows when it is tried next",
                id.0, webhook.0
            ));
        }
        ReplayOutcome::Missing | ReplayOutcome::Ahead | ReplayOutcome::Busy => {
            return Err(format!(
                "there is no delivery {}; `countersign webhook deliveries ID` shows a webhook's",
                id.0
            ));
        }
    };
    Ok(Report::line(json, text))
}

async fn replay_since(engine: &Engine, id: WebhookId, since: Timestamp) -> Result<Report, String> {
    let json = json!({ "id": id, "since": moment(since), "replayed": true });
    let (number, since_when) = (id.0, moment(since));
    let text = match engine.replay_since(id, since).await.map_err(sentence)? {
        ReplayOutcome::Yes => format!("Webhook {number} gets the events since {since_when} again."),
        ReplayOutcome::OnceEnabled(_) => format!(
            "Webhook {number} gets the events since {since_when} again once it is enabled: `countersign webhook \
             enable {number}`."
        ),
        ReplayOutcome::NotYet(_) => {
            return Err(format!(
                "webhook {number} has not yet got the events before {since_when}; all later ones will follow by \
                 themselves"
            ));
        }
        ReplayOutcome::Ahead => {
            return Err(format!(
                "{since_when} is in the future, and later events are delivered by themselves; give a past moment"
            ));
        }
        ReplayOutcome::Missing => return Err(missing(id)),
        ReplayOutcome::Busy => return Err(format!("webhook {number} is at work; try again in a moment")),
    };
    Ok(Report::line(json, text))
}

fn found(found: bool, id: WebhookId) -> Result<(), String> {
    if found { Ok(()) } else { Err(missing(id)) }
}

fn missing(id: WebhookId) -> String {
    format!("there is no webhook {}; `countersign webhook list` shows all of them", id.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_not_shown_by_accident() {
        let headers = Headers(vec![("Authorization".to_owned(), "Bearer secret".to_owned())]);
        let command = WebhookRequest::Create { name: String::new(), url: String::new(), headers, allow_private: false };
        assert!(!format!("{command:?}").contains("secret"));
    }
}
