//! What a group of decisions moves besides what it writes: the users' marks, and the chains of the audit trail.

use std::collections::HashMap;
use std::ops::Range;

use domain::{AuditEvent, DeviceId, SecretMac, SecretMark, UserId};

use super::batch::columns;
use super::conn::Query;
use super::load::Subject;
use super::sql as own;
use crate::error::Error;
use crate::hot_state::{CounterChange, UserCounters};
use crate::query::AuditChain;
use crate::step::Step;
use crate::trail::{self, Head};
use crate::value::Value;

/// The chains of these steps' entries that no subject is locked for.
pub(super) fn unlocked(steps: &[(Subject, Step)]) -> Vec<AuditChain> {
    let mut chains: Vec<AuditChain> = Vec::new();
    for (subject, step) in steps {
        if let Step::Record(event) = step {
            let chain = AuditChain::of(event);
            if chain != subject.chain() && !chains.contains(&chain) {
                chains.push(chain);
            }
        }
    }
    chains
}

/// The secrets that begin with these steps.
pub(super) fn secrets(steps: &[(Subject, Step)]) -> Vec<SecretMac> {
    let begins = |(_, step): &(Subject, Step)| if let Step::Recall(_, secret) = step { Some(secret.mac) } else { None };
    steps.iter().filter_map(begins).collect()
}

/// Counters and heads in a transaction, with what they were when it read them.
pub(super) struct Trail {
    users: HashMap<UserId, (UserCounters, Option<i64>)>,
    /// Of the chains of clients, and of users that do not exist.
    heads: HashMap<(i64, i64), (Head, Option<i64>)>,
    entries: Vec<Vec<Value>>,
    /// What is recalled of secrets that begin here.
    recalled: HashMap<SecretMac, i64>,
}

impl Trail {
    /// `marks` are those of the locked users that exist, `heads` those of all other locked chains that are not empty,
    /// `recalled` is what was used of the secrets in [`secrets`].
    pub(super) fn new(
        marks: HashMap<UserId, UserCounters>,
        heads: HashMap<(i64, i64), Head>,
        recalled: HashMap<SecretMac, i64>,
    ) -> Self {
        let users = marks.into_iter().map(|(user, marks)| {
            let before = marks.head.audit_id;
            (user, (marks, before))
        });
        let heads = heads.into_iter().map(|(chain, head)| {
            let before = head.audit_id;
            (chain, (head, before))
        });
        Self { users: users.collect(), heads: heads.collect(), entries: Vec::new(), recalled }
    }

    /// Carries out what a decision about `subject` moves.
    pub(super) fn step(&mut self, subject: Subject, step: CounterChange) -> Result<(), Error> {
        match subject {
            Subject::User(user) => self.marks(user).carry_out(step),
            Subject::Client(..) | Subject::Budget(_) => Err(Error::Corrupt("a counter without a user")),
        }
    }

    /// A new device begins where its secret was left.
    pub(super) fn recall(&mut self, subject: Subject, device: DeviceId, secret: &SecretMark) -> Result<(), Error> {
        let user = subject.user().ok_or(Error::Corrupt("a counter without a user"))?;
        let found = self.recalled.get(&secret.mac).copied();
        self.marks(user).recall(device, secret, found);
        Ok(())
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
            (AuditChain::User(user), Subject::User(about)) if user == about => &mut self.marks(user).head,
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
        let Self { mut users, mut heads, entries, .. } = self;
        let (mut rows, mut new, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        let used = users.values_mut().flat_map(|(marks, _)| marks.take_used());
        let used: Vec<Vec<Value>> = used.map(|(mac, used)| vec![mac.into(), used.into()]).collect();
        for (user, (marks, before)) in users.into_iter().filter(|(_, (marks, before))| marks.is_moved(*before)) {
            if marks.in_row {
                let mut row = marks.params(user);
                row.push(before.into());
                rows.push(row);
            } else {
                // Gone, or never there: the chain goes on without a row.
                let chain = AuditChain::User(user).numbers();
                let known = heads.remove(&chain).and_then(|(_, before)| before);
                heads.insert(chain, (marks.head, known));
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
        // In the order of ids, as they were locked.
        rows.sort_unstable_by_key(|row| match row.get(5) {
            Some(Value::Int(user)) => *user,
            _ => 0,
        });
        let mut queries = Vec::new();
        let mut add = |statement, rows: Vec<Vec<Value>>, all: bool| {
            if !rows.is_empty() {
                let count = rows.len() as u64;
                queries.push((columns(statement, rows.into_iter()), all.then_some(count)));
            }
        };
        add(own::SET_MARKS_OF, rows, true);
        add(own::MOVE_AUDIT_HEADS, moved, true);
        add(own::INSERT_AUDIT_HEADS, new, false);
        add(own::INSERT_AUDITS, entries, false);
        add(own::REMEMBER_ALL_USED, used, false);
        queries
    }

    /// The marks of a user that is locked. One that does not exist may have left a chain.
    fn marks(&mut self, user: UserId) -> &mut UserCounters {
        let heads = &self.heads;
        let (marks, _) = self.users.entry(user).or_insert_with(|| {
            let left = heads.get(&AuditChain::User(user).numbers()).cloned();
            let (head, before) = left.unwrap_or_default();
            (UserCounters::without_row(head), before)
        });
        marks
    }
}
