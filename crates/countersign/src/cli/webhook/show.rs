//! Prints webhooks and their deliveries.

use delivery::webhook::shown_url;
use domain::Timestamp;
use domain::model::webhook::{Webhook, WebhookAnswer};
use serde_json::{Value, json};
use store::{DeliveryStatus, WebhookDelivery};

use super::answer::label;
use crate::cli::report::{Report, or_dash};

pub(super) fn list(webhooks: &[Webhook]) -> Report {
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
    Report::table(json.collect(), ["id", "name", "url", "private", "state"], rows.collect())
}

pub(super) fn deliveries(deliveries: &[WebhookDelivery]) -> Report {
    let rows = deliveries.iter().map(|delivery| {
        let next = (delivery.status == DeliveryStatus::Waiting).then(|| moment(delivery.next_attempt_at));
        vec![
            delivery.id.0.to_string(),
            moment(delivery.created_at),
            events(delivery),
            status(delivery.status).to_owned(),
            delivery.attempts.to_string(),
            label(delivery.answer),
            or_dash(next.as_deref()),
        ]
    });
    let json: Value = deliveries.iter().map(delivery_json).collect();
    Report::table(json, ["id", "created", "events", "status", "attempts", "answer", "next"], rows.collect())
}

/// The first and the last event.
fn events(delivery: &WebhookDelivery) -> String {
    match delivery.events[..] {
        [] => "–".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}–{last} ({})", delivery.events.len()),
    }
}

fn delivery_json(delivery: &WebhookDelivery) -> Value {
    let waiting = delivery.status == DeliveryStatus::Waiting;
    let (http_status, fault) = match delivery.answer {
        None => (None, None),
        Some(WebhookAnswer::Status(status)) => (Some(status), None),
        Some(WebhookAnswer::Fault(fault)) => (None, Some(fault.name())),
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

pub(super) fn moment(at: Timestamp) -> String {
    onelogin::wire_time::with_seconds(at.0)
}
