//! The chains of the audit trail that a group of decisions continues.

use std::collections::HashMap;
use std::ops::Range;

use domain::AuditEvent;

use super::batch::columns;
use super::conn::Query;
use super::load::Subject;
use super::sql as own;
use super::states::States;
use crate::error::Error;
use crate::query::AuditChain;
use crate::trail::{self, Head};
use crate::user_state::Columns;
use crate::value::Value;

/// The chains of these entries that no subject is locked for.
pub(super) fn unlocked(events: &[(Subject, AuditEvent)]) -> Vec<AuditChain> {
    let mut chains: Vec<AuditChain> = Vec::new();
    for (subject, event) in events {
        let chain = AuditChain::of(event);
        if chain != subject.chain() && !chains.contains(&chain) {
            chains.push(chain);
        }
    }
    chains
}

/// The chains of a group of decisions, and the users whose rows have the heads of theirs.
pub(super) struct Trail {
    users: States,
    /// Of the chains of clients, and of users that do not exist, with what they were when they were read.
    heads: HashMap<(i64, i64), (Head, Option<i64>)>,
    entries: Vec<Vec<Value>>,
}

impl Trail {
    /// `heads` are those of all locked chains that are in no user's row and not empty.
    pub(super) fn new(users: States, heads: HashMap<(i64, i64), Head>) -> Self {
        let heads = heads.into_iter().map(|(chain, head)| {
            let before = head.audit_id;
            (chain, (head, before))
        });
        Self { users, heads: heads.collect(), entries: Vec::new() }
    }

    /// Adds an entry of a decision about `subject` to its chain.
    pub(super) fn record(
        &mut self,
        subject: Subject,
        event: AuditEvent,
        audit_ids: &mut Range<i64>,
    ) -> Result<(), Error> {
        let audit_id = audit_ids.next().ok_or(Error::Unavailable("too many entries for one transaction"))?;
        let chain = AuditChain::of(&event);
        let head = match (chain, subject) {
            (AuditChain::User(user), Subject::User(about)) if user == about => &mut self.users.of(user).head,
            (AuditChain::User(_), _) => return Err(Error::Corrupt("an entry about somebody else")),
            (AuditChain::Client(_) | AuditChain::Server, _) => &mut self.heads.entry(chain.numbers()).or_default().0,
        };
        let (write, next) = trail::append(event, head, audit_id);
        *head = next;
        self.entries.push(write.params);
        Ok(())
    }

    /// The statements that write it all, each with the number of rows it must change.
    pub(super) fn into_queries(self) -> Vec<(Query, Option<u64>)> {
        let Self { users, mut heads, entries } = self;
        let (mut rows, mut new, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for (user, state) in users.into_changed() {
            if state.exists() {
                let Columns { head, state, ends_at, factors, before } = state.columns();
                let beside = [state, ends_at.into(), factors.into(), user.0.into(), before.into()];
                rows.push(head.into_iter().chain(beside).collect());
            } else {
                // Gone, or never there: the chain goes on without a row.
                let chain = AuditChain::User(user).numbers();
                let known = heads.remove(&chain).and_then(|(_, before)| before);
                heads.insert(chain, (state.head, known));
            }
        }
        for ((kind, id), (head, before)) in heads {
            if head.audit_id == before {
                continue;
            }
            let row = vec![
                Value::Int(kind),
                Value::Int(id),
                head.audit_id.into(),
                Value::Int(head.position),
                Value::Blob(head.hash),
            ];
            match before {
                Some(before) => moved.push([row, vec![Value::Int(before)]].concat()),
                None => new.push(row),
            }
        }
        let mut queries = Vec::new();
        let mut add = |statement, rows: Vec<Vec<Value>>, all: bool| {
            if !rows.is_empty() {
                let count = rows.len() as u64;
                queries.push((columns(statement, rows.into_iter()), all.then_some(count)));
            }
        };
        add(own::SET_STATES, rows, true);
        add(own::MOVE_AUDIT_HEADS, moved, true);
        add(own::INSERT_AUDIT_HEADS, new, false);
        add(own::INSERT_AUDITS, entries, false);
        queries
    }
}
