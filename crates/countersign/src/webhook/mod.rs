//! `countersign webhook`: who is told what happens here.

mod answer;
pub(crate) mod args;

use delivery::webhook::shown_url;
use domain::Timestamp;
use domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use domain::model::webhook::{Answer, DeliveryId, Headers, Webhook, WebhookId};
use engine::Engine;
use engine::webhooks::{NewWebhook, ReplayOutcome, WebhookError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Delivery, DeliveryStatus};

use self::answer::{advice, said};
use crate::command::{Report, Text, lines, or_dash, sentence};

/// A command about webhooks.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookCommand {
    /// `webhook create`
    Create {
        /// For people.
        name: String,
        /// Where events are posted.
        url: String,
        /// What the receiver asks for besides.
        headers: Headers,
        /// Whether it may be in the installation's own network.
        allow_private: bool,
    },
    /// `webhook list`
    List,
    /// `webhook delete`
    Delete {
        /// Which one.
        id: WebhookId,
    },
    /// `webhook enable` and `webhook disable`
    Enable {
        /// Which one.
        id: WebhookId,
        /// Whether it is told.
        enabled: bool,
    },
    /// `webhook rotate-secret`
    Rotate {
        /// Which one.
        id: WebhookId,
        /// How long the secret before goes on signing, in milliseconds.
        overlap: i64,
    },
    /// `webhook deliveries`
    Deliveries {
        /// Which one's.
        id: WebhookId,
        /// Only those given up.
        failed: bool,
        /// Most of them.
        limit: u32,
    },
    /// `webhook replay`
    Replay {
        /// Which delivery.
        id: DeliveryId,
    },
    /// `webhook replay --since`
    ReplaySince {
        /// Which webhook.
        id: WebhookId,
        /// What happened since then.
        since: Timestamp,
    },
    /// `webhook test`
    Test {
        /// Which one.
        id: WebhookId,
    },
}

impl std::fmt::Debug for WebhookCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers hold tokens.
        f.write_str("WebhookCommand(…)")
    }
}

/// Executes a command about webhooks.
pub(crate) async fn execute(engine: &Engine, command: WebhookCommand) -> Result<Report, String> {
    match command {
        WebhookCommand::Create { name, url, headers, allow_private } => {
            let made = engine.create_webhook(NewWebhook { name, url, headers, allow_private }).await;
            let (webhook, secret) = made.map_err(|error| match error {
                WebhookError::Other(error) => sentence(error),
                told @ WebhookError::Field(_) => told.to_string(),
            })?;
            let url = shown_url(&webhook.url);
            let json = json!({ "id": webhook.id, "name": webhook.name, "url": url, "secret": secret });
            let mut text = vec![
                format!("Webhook {} created; it is told what happens from now on.", webhook.id.0),
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
            Ok(lines(json, text))
        }
        WebhookCommand::List => Ok(list(&engine.webhooks().await.map_err(sentence)?)),
        WebhookCommand::Delete { id } => {
            found(engine.delete_webhook(id).await.map_err(sentence)?, id)?;
            Ok(lines(json!({ "id": id, "deleted": true }), vec![format!("Webhook {} is deleted with its log.", id.0)]))
        }
        WebhookCommand::Enable { id, enabled } => {
            found(engine.enable_webhook(id, enabled).await.map_err(sentence)?, id)?;
            let said = if enabled { "is told again, from where it stopped" } else { "is told nothing any more" };
            Ok(lines(json!({ "id": id, "enabled": enabled }), vec![format!("Webhook {} {said}.", id.0)]))
        }
        WebhookCommand::Rotate { id, overlap } => {
            let secret = engine.rotate_webhook_key(id, overlap).await.map_err(sentence)?;
            let secret = secret.ok_or_else(|| missing(id))?;
            let until = engine.now().plus(overlap);
            let json = json!({ "id": id, "secret": secret, "old_secret_signs_until": moment(until) });
            let text = vec![
                format!("Webhook {} has a new secret, shown this once:", id.0),
                format!("  secret  {secret}"),
                if overlap == 0 {
                    "The one before signs nothing any more.".to_owned()
                } else {
                    format!("Until {} the one before signs beside it.", moment(until))
                },
            ];
            Ok(lines(json, text))
        }
        WebhookCommand::Deliveries { id, failed, limit } => {
            let found = engine.webhook_deliveries(id, failed, limit).await.map_err(sentence)?;
            Ok(deliveries(&found.ok_or_else(|| missing(id))?))
        }
        WebhookCommand::Replay { id } => replay(engine, id).await,
        WebhookCommand::ReplaySince { id, since } => replay_since(engine, id, since).await,
        WebhookCommand::Test { id } => {
            let answer = engine.test_webhook(id).await.map_err(sentence)?.ok_or_else(|| missing(id))?;
            match answer {
                Answer::Status(status @ 200..=299) => {
                    let said = format!("Webhook {} took an empty list of events: {status}.", id.0);
                    Ok(lines(json!({ "id": id, "http_status": status }), vec![said]))
                }
                other => {
                    let (id, said, advice) = (id.0, said(Some(other)), advice(other));
                    Err(format!("webhook {id} did not take an empty list of events: {said}; {advice}"))
                }
            }
        }
    }
}

async fn replay(engine: &Engine, id: DeliveryId) -> Result<Report, String> {
    let json = json!({ "delivery_id": id, "replayed": true });
    let text = match engine.replay_delivery(id).await.map_err(sentence)? {
        ReplayOutcome::Yes => format!("Delivery {} is told again, under the same message id.", id.0),
        ReplayOutcome::OnceEnabled(webhook) => format!(
            "Delivery {} is told again, under the same message id, once the webhook is enabled: `countersign webhook \
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
    Ok(lines(json, vec![text]))
}

async fn replay_since(engine: &Engine, id: WebhookId, since: Timestamp) -> Result<Report, String> {
    let json = json!({ "id": id, "since": moment(since), "replayed": true });
    let (number, since_when) = (id.0, moment(since));
    let text = match engine.replay_since(id, since).await.map_err(sentence)? {
        ReplayOutcome::Yes => format!("Webhook {number} is told again what happened since {since_when}."),
        ReplayOutcome::OnceEnabled(_) => format!(
            "Webhook {number} is told again what happened since {since_when} once it is enabled: `countersign webhook \
             enable {number}`."
        ),
        ReplayOutcome::NotYet(_) => {
            return Err(format!(
                "webhook {number} has not been told yet what happened before {since_when}; all that follows will come by \
                 itself"
            ));
        }
        ReplayOutcome::Ahead => {
            return Err(format!(
                "{since_when} is still to come, and what happens from now on is told by itself; give a moment that is past"
            ));
        }
        ReplayOutcome::Missing => return Err(missing(id)),
        ReplayOutcome::Busy => return Err(format!("webhook {number} is at work; try again in a moment")),
    };
    Ok(lines(json, vec![text]))
}

fn found(found: bool, id: WebhookId) -> Result<(), String> {
    if found { Ok(()) } else { Err(missing(id)) }
}

fn missing(id: WebhookId) -> String {
    format!("there is no webhook {}; `countersign webhook list` shows all of them", id.0)
}

fn moment(at: Timestamp) -> String {
    onelogin::wire_time::with_seconds(at.0)
}

fn list(webhooks: &[Webhook]) -> Report {
    let state = |webhook: &Webhook| match webhook.disabled {
        None => "enabled".to_owned(),
        Some((at, reason)) => format!("disabled {} ({})", moment(at), reason.name()),
    };
    let rows = webhooks.iter().map(|webhook| {
        let private = if webhook.allow_private { "yes" } else { "no" };
        vec![
            webhook.id.0.to_string(),
            webhook.name.clone(),
            shown_url(&webhook.url),
            private.to_owned(),
            state(webhook),
        ]
    });
    let json = webhooks.iter().map(|webhook| {
        json!({
            "id": webhook.id,
            "name": webhook.name,
            "url": shown_url(&webhook.url),
            "allow_private": webhook.allow_private,
            "enabled": webhook.disabled.is_none(),
            "disabled_reason": webhook.disabled.map(|(_, reason)| reason.name()),
            "disabled_at": webhook.disabled.map(|(at, _)| moment(at)),
            "created_at": moment(webhook.created_at),
        })
    });
    let header = ["id", "name", "url", "private", "state"].map(str::to_owned).to_vec();
    Report { json: json.collect(), text: Text::Table(header, rows.collect()) }
}

fn deliveries(deliveries: &[Delivery]) -> Report {
    let rows = deliveries.iter().map(|delivery| {
        let next = (delivery.status == DeliveryStatus::Waiting).then(|| moment(delivery.next_attempt_at));
        vec![
            delivery.id.0.to_string(),
            moment(delivery.created_at),
            events(delivery),
            status(delivery.status).to_owned(),
            delivery.attempts.to_string(),
            said(delivery.answer),
            or_dash(next.as_deref()),
        ]
    });
    let json: Value = deliveries.iter().map(delivery_json).collect();
    let header = ["id", "created", "events", "status", "attempts", "answer", "next"].map(str::to_owned).to_vec();
    Report { json, text: Text::Table(header, rows.collect()) }
}

/// The first and the last event.
fn events(delivery: &Delivery) -> String {
    match delivery.events[..] {
        [] => "–".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}–{last} ({})", delivery.events.len()),
    }
}

fn delivery_json(delivery: &Delivery) -> Value {
    let waiting = delivery.status == DeliveryStatus::Waiting;
    let (http_status, fault) = match delivery.answer {
        None => (None, None),
        Some(Answer::Status(status)) => (Some(status), None),
        Some(Answer::Fault(fault)) => (None, Some(fault.name())),
    };
    json!({
        "id": delivery.id,
        "webhook_id": delivery.message,
        "first_event": delivery.events.first(),
        "last_event": delivery.events.last(),
        "events": delivery.events.len(),
        "status": status(delivery.status),
        "replay": delivery.replay,
        "attempts": delivery.attempts,
        "http_status": http_status,
        "error": fault,
        "created_at": moment(delivery.created_at),
        "next_attempt_at": waiting.then(|| moment(delivery.next_attempt_at)),
        "settled_at": delivery.settled_at.map(moment),
    })
}

fn status(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Waiting => "waiting",
        DeliveryStatus::Delivered => "delivered",
        DeliveryStatus::Failed => "failed",
    }
}

/// Reads a header as `Name: value`.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `Name: value`")?;
    let header = (name.trim().to_owned(), value.trim().to_owned());
    match Headers(vec![header.clone()]).fault() {
        Some(fault) => Err(fault.to_owned()),
        None => Ok(header),
    }
}

/// Reads a header as `Name=PATH`: its value is in a file, where neither a list of processes nor a shell's history shows it.
pub(crate) fn header_file(text: &str) -> Result<(String, String), String> {
    let (name, path) = text.split_once('=').ok_or("write it as `Name=PATH`")?;
    let value = crate::config::text_of(path.as_ref()).map_err(|error| format!("{error:#}"))?;
    header(&format!("{name}:{value}"))
}

/// Reads a time such as `90s`, `30m`, `24h` or `7d`, at most 30 days, in milliseconds.
pub(crate) fn span(text: &str) -> Result<i64, String> {
    let wrong = || "write a time as 90s, 30m, 24h or 7d, at most 30 days".to_owned();
    if text == "0" {
        return Ok(0);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let span = i64::from(number) * unit;
    if span <= 30 * DAY { Ok(span) } else { Err(wrong()) }
}

/// Reads a moment.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    let read = onelogin::wire_time::read(text).map(Timestamp);
    read.ok_or_else(|| "write a moment as 2026-03-01T09:30:00Z, or a date".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_line_says_is_read_or_refused_with_a_hint() {
        assert_eq!(span("24h"), Ok(DAY));
        assert_eq!((span("0"), span("90s"), span("30d")), (Ok(0), Ok(90 * SECOND), Ok(30 * DAY)));
        for wrong in ["", "h", "24", "-1h", "31d", "1.5h", "9999999999d", "é"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(header("Authorization:  Bearer x:y "), Ok(("Authorization".to_owned(), "Bearer x:y".to_owned())));
        assert!(header("Authorization").is_err() && header("Host: x").is_err());
        assert_eq!(since("2016-01-26T02:21:47Z"), Ok(Timestamp(1_453_774_907_000)));
        assert!(since("yesterday").is_err());
    }

    #[test]
    fn headers_are_not_shown_by_accident() {
        let headers = Headers(vec![("Authorization".to_owned(), "Bearer secret".to_owned())]);
        let command = WebhookCommand::Create { name: String::new(), url: String::new(), headers, allow_private: false };
        assert!(!format!("{command:?}").contains("secret"));
    }
}
