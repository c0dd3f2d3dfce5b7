//! The audit trail read across its chains, by the ids of its entries.
//!
//! The trail has no index but its key, so that entries are only ever appended: with SQLite at its end, with PostgreSQL in
//! the block of each connection that decides. A look-up goes through it in windows of ids and gives up its turn after so
//! many: what a call costs does not depend on how much has happened.

use std::time::{Duration, Instant};

use super::handle::{Store, forward};
use crate::conditions;
use crate::error::Error;
use crate::query::{AuditChain, AuditRow, EventFilter, EventPage, Events, Reading};
use crate::schema::sql;
use crate::value::Value;

/// Ids in one statement's window.
const WINDOW: i64 = 100_000;
/// Windows that one call looks through, and how long it goes on to the next one.
const WINDOWS: usize = 10;
const TIME: Duration = Duration::from_millis(500);

impl Store {
    /// A chain of the audit trail, oldest first.
    pub async fn audit(&self, chain: impl Into<AuditChain>) -> Result<Vec<AuditRow>, Error> {
        forward!(self.audit(chain.into()))
    }

    /// Entries of all chains, by id. With SQLite ids ascend in the order of commits. With PostgreSQL they do so within a
    /// block only, so an entry may appear below others that were read: who must miss none follows a [`Cursor`].
    ///
    /// [`Cursor`]: crate::Cursor
    pub async fn events(&self, filter: &EventFilter, page: EventPage) -> Result<Events, Error> {
        look(self, filter, page, Reading::Asked).await
    }

    async fn events_between(
        &self,
        (condition, params): (String, Vec<Value>),
        reading: Reading,
    ) -> Result<Vec<(i64, AuditRow)>, Error> {
        self.entries(format!("{}{condition}", sql::EVENTS), params, reading).await
    }

    pub(crate) async fn entries(
        &self,
        statement: String,
        params: Vec<Value>,
        reading: Reading,
    ) -> Result<Vec<(i64, AuditRow)>, Error> {
        forward!(self.events(statement, params, reading))
    }

    /// How the database would answer a statement, step by step.
    #[cfg(test)]
    pub(crate) async fn plan(&self, statement: &str, params: Vec<Value>) -> Result<Vec<String>, Error> {
        forward!(self.plan(statement, params))
    }

    pub(super) async fn event_bounds(&self) -> Result<Option<(i64, i64)>, Error> {
        forward!(self.event_bounds())
    }

    /// Whether a chain of the audit trail is whole: every entry binds the one before, and none is missing at the end.
    pub async fn verify_audit_chain(&self, chain: impl Into<AuditChain>) -> Result<bool, Error> {
        forward!(self.verify_audit_chain(chain.into()))
    }
}

/// The entries of a page.
pub(super) async fn look(
    store: &Store,
    filter: &EventFilter,
    page: EventPage,
    reading: Reading,
) -> Result<Events, Error> {
    let began = now();
    let none = Events { entries: Vec::new(), next: None };
    let Some((first, last)) = store.event_bounds().await? else { return Ok(none) };
    let (first, last) = match filter.id {
        Some(id) => (first.max(id), last.min(id)),
        None => (first, last),
    };
    let mut edge = match (page.beyond, page.descending) {
        (Some(id), true) => last.min(id.saturating_sub(1)),
        (Some(id), false) => first.max(id.saturating_add(1)),
        (None, true) => last,
        (None, false) => first,
    };
    let mut found = Events { entries: Vec::new(), next: None };
    for window in 0..WINDOWS {
        if window > 0 && now() - began > TIME {
            break;
        }
        let (low, high) = if page.descending {
            (first.max(edge.saturating_sub(WINDOW - 1)), edge)
        } else {
            (edge, last.min(edge.saturating_add(WINDOW - 1)))
        };
        if low > high {
            found.next = None;
            return Ok(found);
        }
        let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX) - found.entries.len();
        let entries = store
            .events_between(
                conditions::of_events(filter, (low, high), page.descending, wanted.saturating_add(1)),
                reading,
            )
            .await?;
        let more = entries.len() > wanted;
        found.entries.extend(entries.into_iter().take(wanted));
        if more {
            found.next = found.entries.last().map(|(id, _)| *id);
            return Ok(found);
        }
        edge = if page.descending { low - 1 } else { high + 1 };
        found.next = Some(if page.descending { low } else { high });
    }
    let at_end = if page.descending { edge < first } else { edge > last };
    if at_end {
        found.next = None;
    }
    Ok(found)
}

#[expect(clippy::disallowed_methods, reason = "a bound on work, on which nothing durable rests")]
fn now() -> Instant {
    Instant::now()
}
