//! Decisions by name: each is made in one transaction, then counted and logged.
//!
//! A log line is written for each event once it is durable (SEC 48). The lines are the audit trail's entries, which name
//! ids and never codes, tokens, numbers or addresses. The task of the request that caused them writes them, so they carry
//! its id.

use domain::{
    AuditEvent, AuditKind, Change, ClientId, ClientView, Decision, DeviceId, Digest, Rule, UserId, VerificationId, View,
};
use tracing::{Instrument as _, Span};

use crate::decision_name::DecisionName;
use crate::{Engine, TRACES};

impl Engine {
    /// Decides about a user.
    pub(crate) async fn decide<T, F>(&self, name: DecisionName, user: UserId, rule: F) -> Result<T, store::Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let decided = self.store.decide(user, move |view| with_lines(name, rule(view))).instrument(span(name)).await;
        self.decisions.count(name, decided.is_ok());
        Ok(self.made(user, decided?))
    }

    /// The same where the view may show that the decision is to be prepared first. Then the rule gives `None`, nothing was
    /// decided, and the caller has the view.
    pub(crate) async fn decide_if_ready<T, F>(
        &self,
        name: DecisionName,
        user: UserId,
        rule: F,
    ) -> Result<Result<T, Box<View>>, store::Error>
    where
        F: Fn(&View) -> Option<Decision<T>> + Send + 'static,
        T: Send + 'static,
    {
        let decide = move |view: &View| match rule(view) {
            Some(decision) => with_lines(name, decision).map(Ok),
            None => Decision::reply(Err(Box::new(view.clone()))),
        };
        let decided = self.store.decide(user, decide).instrument(span(name)).await;
        match decided {
            Ok(Err(view)) => Ok(Err(view)),
            Ok(Ok(decided)) => {
                self.decisions.count(name, true);
                Ok(Ok(self.made(user, decided)))
            }
            Err(error) => {
                self.decisions.count(name, false);
                Err(error)
            }
        }
    }

    /// What follows from a decision once it is durable.
    fn made<T>(&self, user: UserId, (reply, lines, folded): Decided<T>) -> T {
        self.held.watched().wake(user);
        lines.iter().for_each(log);
        for event in folded {
            self.folded.count(event);
        }
        reply
    }

    /// Decides about a client.
    pub(crate) async fn decide_client<T, F>(
        &self,
        name: DecisionName,
        client: ClientId,
        asked: Option<Digest>,
        rule: F,
    ) -> Result<T, store::Error>
    where
        F: Fn(&ClientView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let decided = self.store.decide_client(client, asked, move |view| with_lines(name, rule(view)));
        let decided = decided.instrument(span(name)).await;
        self.decisions.count(name, decided.is_ok());
        let (reply, lines, _) = decided?;
        lines.iter().for_each(log);
        Ok(reply)
    }
}

/// A decision in a trace: its wait for its turn, its rule and its commit.
fn span(name: DecisionName) -> Span {
    tracing::trace_span!(target: TRACES, "decide", name = name.name())
}

/// What the log shows of an audit entry.
#[derive(Clone, Copy)]
struct Line {
    kind: AuditKind,
    user: Option<UserId>,
    client: Option<ClientId>,
    device: Option<DeviceId>,
    verification: Option<VerificationId>,
    reason: Option<&'static str>,
    country: Option<&'static str>,
    rule: Option<&'static str>,
    times: Option<u32>,
}

impl Line {
    fn of(event: &AuditEvent) -> Self {
        // The request's id is in every line of the log anyway.
        let &AuditEvent { kind, user, client, device, verification, reason, country, rule, times, .. } = event;
        Self { kind, user, client, device, verification, reason, country, rule: rule.map(Rule::name), times }
    }
}

/// A reply, the lines to log, and the refusals to count.
type Decided<T> = (T, Vec<Line>, Vec<AuditEvent>);

fn with_lines<T>(name: DecisionName, decision: Decision<T>) -> Decision<Decided<T>> {
    // An import of a large list would fill the log; its entries are in the audit trail.
    let is_logged = name != DecisionName::Import && tracing::enabled!(tracing::Level::INFO);
    let lines = if is_logged {
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
        country = line.country,
        rule = line.rule,
        times = line.times,
    );
}
