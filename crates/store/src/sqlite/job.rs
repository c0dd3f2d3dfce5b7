//! A job for the writer, and the transaction it runs in.

use domain::Change;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::exec::{Failure, execute, first};
use crate::apply::{Step, apply};
use crate::error::Error;
use crate::query::AuditChain;
use crate::value::{Value, Write};
use crate::{rows, sql, trail};

/// Work that shares a transaction with others. It may run more than once, and is answered once.
pub(super) trait Job: Send {
    /// Does the work. What it writes counts only if its transaction commits.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure>;
    /// Tells whoever waits: what the last run found, or why it does not count.
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
    W: FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        self.reply = None;
        self.reply = Some((self.work)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), Error>) {
        let Self { reply, waiting, .. } = *self;
        // Whoever asked may have gone away; what was decided stays decided.
        let _ = waiting.send(result.and_then(|()| reply.ok_or(Error::Unavailable("not run"))));
    }
}

/// The writer's open transaction.
pub(super) struct Tx<'a> {
    pub(super) conn: &'a Connection,
    /// The id of the next audit entry. Only ever counted up, so a rolled back one leaves a gap.
    pub(super) next_audit: &'a mut i64,
}

impl Tx<'_> {
    /// Carries out a decision's changes, in order.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Result<(), Failure> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut steps = Vec::with_capacity(changes.len() + 4);
        for change in changes {
            apply(change, &mut steps);
        }
        // A decision's entries nearly always belong to one chain.
        let mut heads: Vec<(AuditChain, trail::Head)> = Vec::new();
        for step in steps {
            match step {
                Step::Write(write) => self.write(&write)?,
                Step::Record(event) => {
                    let chain = AuditChain::of(&event);
                    let known = heads.iter().position(|(other, _)| *other == chain);
                    let slot = if let Some(slot) = known {
                        slot
                    } else {
                        heads.push((chain, self.head(chain)?.unwrap_or_default()));
                        heads.len() - 1
                    };
                    let audit_id = *self.next_audit;
                    *self.next_audit += 1;
                    let (write, head) = trail::append(event, &heads[slot].1, audit_id);
                    self.write(&write)?;
                    heads[slot].1 = head;
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
        if write.must_hit && changed == 0 {
            return Err(Error::Corrupt("a change found nothing to change").into());
        }
        Ok(())
    }

    /// Runs a statement and gives the number of rows it changed.
    pub(super) fn execute(&mut self, statement: &'static str, params: &[Value]) -> Result<usize, Failure> {
        execute(self.conn, statement, params)
    }

    fn head(&self, chain: AuditChain) -> Result<Option<trail::Head>, Failure> {
        let (kind, id) = chain.numbers();
        first(self.conn, sql::AUDIT_HEAD, &[kind.into(), id.into()], rows::head)
    }
}
