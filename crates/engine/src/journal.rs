//! The log's view of what was decided: one structured line per event, after it is durable (SEC 48).
//!
//! The lines are the audit trail's entries, which name ids and never codes, tokens, numbers or addresses. They stand in
//! the span of the request that caused them, and so carry its id.

use domain::{AuditEvent, Change, ClientId, ClientView, Decision, Digest, UserId, View};

use crate::Engine;

impl Engine {
    /// Decides about a user, and logs what was recorded once it is durable.
    pub(crate) async fn decide<T, F>(&self, user: UserId, rule: F) -> Result<T, store::Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, events) = self.store.decide(user, move |view| with_events(rule(view))).await?;
        events.iter().for_each(log);
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
        let (reply, events) = self.store.decide_client(client, asked, move |view| with_events(rule(view))).await?;
        events.iter().for_each(log);
        Ok(reply)
    }
}

fn with_events<T>(decision: Decision<T>) -> Decision<(T, Vec<AuditEvent>)> {
    let events = if tracing::enabled!(tracing::Level::INFO) {
        let recorded = decision.changes.iter();
        recorded
            .filter_map(|change| if let Change::Record(event) = change { Some(event.clone()) } else { None })
            .collect()
    } else {
        Vec::new()
    };
    Decision { changes: decision.changes, reply: (decision.reply, events) }
}

fn log(event: &AuditEvent) {
    tracing::info!(
        event = event.kind.name(),
        user = event.user.map(|id| id.0),
        client = event.client.map(|id| id.0),
        device = event.device.map(|id| id.0),
        verification = event.verification.map(tracing::field::display),
        reason = event.reason,
    );
}
