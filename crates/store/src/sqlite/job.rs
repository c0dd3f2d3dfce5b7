//! A job for the writer, and the transaction it runs in.

use domain::{Change, UserId};
use tokio::sync::oneshot;

use super::exec::{Failure, Session, all, execute, first};
use crate::apply;
use crate::error::Error;
use crate::hot_state::{CounterChange, UserCounters, recalled};
use crate::query::AuditChain;
use crate::schema::sql;
use crate::step::Step;
use crate::value::{Value, Write};
use crate::{rows, trail};

/// Work that shares a transaction with others. It may run more than once, and is answered once.
pub(super) trait Job: Send {
    /// Does the work. What it writes counts only if its transaction commits.
    fn run(&mut self, tx: &mut Tx<'_, '_>) -> Result<(), Failure>;
    /// Answers the caller: what the last run found, or why it does not count.
    fn answer(self: Box<Self>, result: Result<(), Error>);
}

/// A job made of a function.
pub(super) struct Task<T, W> {
    work: W,
    reply: Option<T>,
    waiting: oneshot::Sender<Result<T, Error>>,
}

impl<T, W> Task<T, W> {
    pub(super) fn new(work: W) -> (Self, oneshot::Receiver<Result<T, Error>>) {
        let (waiting, answer) = oneshot::channel();
        (Self { work, reply: None, waiting }, answer)
    }
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnMut(&mut Tx<'_, '_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_, '_>) -> Result<(), Failure> {
        self.reply = None;
        // A caller that gave up got the answer that what was not begun is not done.
        if self.waiting.is_closed() {
            return Ok(());
        }
        self.reply = Some((self.work)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), Error>) {
        let Self { reply, waiting, .. } = *self;
        // The caller may have gone; the decision holds.
        let _ = waiting.send(result.and_then(|()| reply.ok_or(Error::Unavailable("not run"))));
    }
}

/// The writer's open transaction.
pub(super) struct Tx<'a, 'c> {
    pub(super) conn: &'a Session<'c>,
    /// The id of the next audit entry. Only ever counted up, so a rolled back one leaves a gap.
    pub(super) next_audit: &'a mut i64,
}

impl Tx<'_, '_> {
    /// Carries out what was decided about a user, in order, and moves the user's marks once.
    pub(super) fn apply_to_user(
        &mut self,
        user: UserId,
        marks: UserCounters,
        changes: Vec<Change>,
    ) -> Result<(), Failure> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut about = About { user, marks };
        if !about.marks.in_row
            && let Some(head) = self.head(AuditChain::User(user))?
        {
            about.marks.head = head;
        }
        let before = about.marks.head.audit_id;
        self.carry_out(changes, Some(&mut about))?;
        let About { mut marks, .. } = about;
        for used in marks.take_used() {
            self.write(&apply::remember(used))?;
        }
        if !marks.is_moved(before) {
            return Ok(());
        }
        if marks.in_row {
            return self.write(&Write::new(sql::SET_MARKS, marks.params(user)).must_hit());
        }
        match marks.head.audit_id {
            Some(_) => self.write(&trail::set_head(AuditChain::User(user), marks.head)),
            None => Ok(()),
        }
    }

    /// Carries out changes that are about no one user.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Result<(), Failure> {
        self.carry_out(changes, None)
    }

    fn carry_out(&mut self, changes: Vec<Change>, mut about: Option<&mut About>) -> Result<(), Failure> {
        let mut steps = Vec::with_capacity(changes.len() + 4);
        for change in changes {
            apply::apply(change, &mut steps);
        }
        // A decision's entries nearly always belong to one chain.
        let mut heads: Vec<(AuditChain, trail::Head)> = Vec::new();
        for step in steps {
            match (step, about.as_deref_mut()) {
                (Step::Write(write), _) => self.write(&write)?,
                (Step::Count(step), Some(about)) => about.marks.carry_out(step)?,
                // What the clean-up takes away was never activated, and has left no mark.
                (Step::Count(CounterChange::Forget(_)), None) => {}
                (Step::Count(_) | Step::Recall(..), None) => {
                    return Err(Error::Corrupt("a counter without a user").into());
                }
                (Step::Recall(device, secret), Some(about)) => {
                    let found = all(self.conn, sql::RECALL_USED, &[secret.mac.into()], recalled)?;
                    let used = found.into_iter().filter_map(|(_, used)| used).max();
                    about.marks.recall(device, &secret, used);
                }
                (Step::Record(event), about) => {
                    let audit_id = *self.next_audit;
                    *self.next_audit += 1;
                    let chain = AuditChain::of(&event);
                    let head = match (chain, about) {
                        (AuditChain::User(user), Some(about)) if user == about.user => &mut about.marks.head,
                        (AuditChain::User(_), _) => {
                            return Err(Error::Corrupt("an entry about somebody else").into());
                        }
                        (AuditChain::Client(_) | AuditChain::Server, _) => {
                            let known = heads.iter().position(|(other, _)| *other == chain);
                            let slot = if let Some(slot) = known {
                                slot
                            } else {
                                heads.push((chain, self.head(chain)?.unwrap_or_default()));
                                heads.len() - 1
                            };
                            &mut heads[slot].1
                        }
                    };
                    let (write, next) = trail::append(event, head, audit_id);
                    *head = next;
                    self.write(&write)?;
                }
            }
        }
        for (chain, head) in heads {
            self.write(&trail::set_head(chain, head))?;
        }
        Ok(())
    }

    pub(super) fn write(&mut self, write: &Write) -> Result<(), Failure> {
        let changed = execute(self.conn, write.statement, &write.params)?;
        match write.must_hit {
            Some(missed) if changed == 0 => Err(missed.into()),
            _ => Ok(()),
        }
    }

    /// Runs a statement and gives the number of rows it changed.
    pub(super) fn execute(&mut self, statement: &'static str, params: &[Value]) -> Result<usize, Failure> {
        execute(self.conn, statement, params)
    }

    /// The head of a chain that belongs to no user that exists.
    fn head(&self, chain: AuditChain) -> Result<Option<trail::Head>, Failure> {
        let (kind, id) = chain.numbers();
        first(self.conn, sql::AUDIT_HEAD, &[kind.into(), id.into()], rows::head)
    }
}

/// Whom a decision is about.
struct About {
    user: UserId,
    marks: UserCounters,
}
