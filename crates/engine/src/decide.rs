//! The log's view of what was decided: one structured line per event, after it is durable (SEC 48).
//!
//! The lines are the audit trail's entries, which name ids and never codes, tokens, numbers or addresses. They are
//! written by the task of the request that caused them, and so carry its id.

use domain::{
    AuditEvent, AuditKind, Change, ClientId, ClientView, Decision, DeviceId, Digest, UserId, VerificationId, View,
};
use tracing::{Instrument as _, Span};

use crate::{Engine, TRACES};

impl Engine {
    /// Decides about a user, and logs what was recorded once it is durable.
    pub(crate) async fn decide<T, F>(&self, user: UserId, rule: F) -> Result<T, store::Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, lines, folded) =
            self.store.decide(user, move |view| with_lines(rule(view))).instrument(deciding()).await?;
        self.held.wake(user);
        lines.iter().for_each(log);
        for event in folded {
            self.folded.count(event);
        }
        Ok(reply)
    }

    /// Decides about a client, and logs what was recorded once it is durable.
    pub(crate) async fn decide_client<T, F>(
        &self,
        client: ClientId,
        asked: Option<Digest>,
        rule: F,
    ) -> Result<T, store::Error>
    where
        F: Fn(&ClientView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, lines, _) =
            self.store.decide_client(client, asked, move |view| with_lines(rule(view))).instrument(deciding()).await?;
        lines.iter().for_each(log);
        Ok(reply)
    }
}

/// A decision's part in a trace: its wait for its turn, its judgement and its commit.
fn deciding() -> Span {
    tracing::trace_span!(target: TRACES, "decide")
}

/// What the log tells of an entry; the entry itself goes to the database.
#[derive(Clone, Copy)]
struct Line {
    kind: AuditKind,
    user: Option<UserId>,
    client: Option<ClientId>,
    device: Option<DeviceId>,
    verification: Option<VerificationId>,
    reason: Option<&'static str>,
    times: Option<u32>,
}

impl Line {
    fn of(event: &AuditEvent) -> Self {
        let &AuditEvent { kind, user, client, device, verification, reason, times, at: _, ip: _ } = event;
        Self { kind, user, client, device, verification, reason, times }
    }
}

fn with_lines<T>(decision: Decision<T>) -> Decision<(T, Vec<Line>, Vec<AuditEvent>)> {
    let lines = if tracing::enabled!(tracing::Level::INFO) {
        let recorded = decision.changes.iter();
        recorded
            .filter_map(|change| if let Change::Record(event) = change { Some(Line::of(event)) } else { None })
            .collect()
    } else {
        Vec::new()
    };
    Decision::of(decision.changes, (decision.reply, lines, decision.folded))
}

fn log(line: &Line) {
    tracing::info!(
        event = line.kind.name(),
        user = line.user.map(|id| id.0),
        client = line.client.map(|id| id.0),
        device = line.device.map(|id| id.0),
        verification = line.verification.map(tracing::field::display),
        reason = line.reason,
        times = line.times,
    );
}
