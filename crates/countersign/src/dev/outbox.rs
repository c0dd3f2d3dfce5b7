//! `GET /dev/outbox`: every message that a gateway would have carried, as JSON for scripts and as a page for people.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use domain::{Challenge, Channel, Status, UserId, VerificationId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{DevFilter, DevMessage};

use super::problem::Problem;
use super::start;
use super::world::DevWorld;

/// Longest wait, in milliseconds (decision 4).
const MAX_WAIT: i64 = 25_000;
/// Time between two looks into the database while waiting, in milliseconds: another process may write to it.
const LOOK: i64 = 250;

/// Advice on a channel that there is not.
pub(super) const CHANNELS: &str = "channel is sms, voice, email or push";

/// The query of the outbox.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Question {
    to: Option<String>,
    channel: Option<String>,
    user_id: Option<i64>,
    verification_id: Option<String>,
    after: Option<i64>,
    wait: Option<String>,
}

/// The messages that match, oldest first; with `wait`, as soon as there is one.
pub(super) async fn list(
    State(world): State<Arc<DevWorld>>,
    Query(question): Query<Question>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wants = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if wants.contains("text/html") {
        return Ok(start::outbox(&world));
    }
    let channel = match question.channel.as_deref() {
        None | Some("") => None,
        Some(name) => Some(Channel::from_name(name).ok_or(Problem::bad(CHANNELS))?),
    };
    let filter = DevFilter {
        // A bare `+` in a query means a space; telephone numbers are pasted with one all the time.
        to: question
            .to
            .filter(|to| !to.is_empty())
            .map(|to| to.strip_prefix(' ').map_or(to.clone(), |rest| format!("+{rest}")))
            .map(|to| domain::model::text::phone(&to).unwrap_or(to)),
        channel,
        user_id: question.user_id.map(UserId),
        verification_id: verification(question.verification_id.as_deref())?,
        after: question.after,
        ..DevFilter::default()
    };
    let messages = wait_for(&world, &filter, wait(question.wait.as_deref())?).await?;
    let mut shown = Vec::with_capacity(messages.len());
    for message in &messages {
        shown.push(wire(&world, message).await?);
    }
    Ok(axum::Json(shown).into_response())
}

/// The verification of which messages are wanted.
fn verification(text: Option<&str>) -> Result<Option<VerificationId>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Problem::bad("verification_id is the id that the verification was given"))
}

/// How long a caller waits, in milliseconds.
pub(super) fn wait(text: Option<&str>) -> Result<i64, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(0) };
    let wait = milliseconds(text).ok_or_else(|| Problem::bad("wait is a time such as 10s or 500ms, at most 25s"))?;
    Ok(wait.min(MAX_WAIT))
}

async fn wait_for(world: &DevWorld, filter: &DevFilter, wait: i64) -> Result<Vec<DevMessage>, Problem> {
    // Waiting is real time, whatever the world's clock says.
    let real = engine::clock::SystemClock;
    let deadline = engine::Clock::now(&real).plus(wait);
    loop {
        let arrival = world.arrivals.notified();
        let messages = world.store().dev_outbox(filter).await?;
        let left = deadline.since(engine::Clock::now(&real));
        if !messages.is_empty() || left <= 0 {
            return Ok(messages);
        }
        tokio::select! {
            () = arrival => {}
            () = engine::Clock::sleep(&real, left.min(LOOK)) => {}
        }
    }
}

/// A message as the outbox shows it. For a prompt or a call it says whether it still waits for the person and how many digits
/// the person must type.
pub(super) async fn wire(world: &DevWorld, message: &DevMessage) -> Result<Value, Problem> {
    let known = world.store().known_verifications(message.user_id).await?;
    let verification = known.into_iter().find(|known| known.id == message.verification_id);
    let answered = verification.as_ref().and_then(|verification| match verification.status {
        Status::Accepted { at, .. } => Some(("accepted", at)),
        Status::Rejected { at, .. } => Some(("rejected", at)),
        Status::Pending { .. } | Status::Expired => None,
    });
    let open = verification.as_ref().is_some_and(|asked| asked.status.is_pending() && world.now() < asked.expires_at);
    // Old results are forgotten.
    let state = match answered {
        Some((state, _)) => state,
        None if open => "waiting",
        None => "expired",
    };
    let view = world.store().view(message.user_id).await?;
    let asked = view.verification(message.verification_id).filter(|asked| asked.is_open(world.engine().now()));
    let mut shown = json!({
        "id": message.id,
        "channel": message.channel.name(),
        "to": message.to,
        "subject": message.subject,
        "body": message.body,
        "code": message.code,
        "link": message.link,
        "user_id": message.user_id,
        "username": view.user.as_ref().and_then(|user| user.username.as_deref()),
        "device_id": message.device_id,
        "verification_id": message.verification_id,
        "created_at": onelogin::wire_time::with_millis(message.created_at.0),
        "expires_at": verification.as_ref().map(|known| onelogin::wire_time::with_millis(known.expires_at.0)),
        "state": state,
        "answered_at": answered.map(|(_, at)| onelogin::wire_time::with_millis(at.0)),
    });
    if matches!(message.channel, Channel::Push | Channel::Voice) {
        shown["waits"] = asked.is_some().into();
    }
    if let Some(Challenge::Approval { numbers, .. }) = asked.map(|asked| &asked.challenge)
        && let Some(number) = numbers.last()
    {
        shown["digits"] = number.len().into();
    }
    Ok(shown)
}

/// Reads a time such as `10s`, `500ms` or `3`, in seconds.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let (number, unit) = match text {
        _ if text.ends_with("ms") => (text.strip_suffix("ms")?, 1),
        _ if text.ends_with('s') => (text.strip_suffix('s')?, 1_000),
        _ => (text, 1_000),
    };
    let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_are_read() {
        assert_eq!(milliseconds("10s"), Some(10_000));
        assert_eq!(milliseconds("500ms"), Some(500));
        assert_eq!(milliseconds("3"), Some(3_000));
        assert_eq!(milliseconds("10m"), None);
        assert_eq!(milliseconds("-1s"), None);
        assert_eq!(milliseconds("90s"), Some(90_000));
    }
}
