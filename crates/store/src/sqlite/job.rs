//! A job for the writer, and the transaction it runs in.

use std::collections::HashMap;

use domain::{Change, SecretMac, UserId};
use tokio::sync::oneshot;

use super::exec::{Failure, Session, all, execute, first};
use super::load;
use crate::apply::{self, About, apply};
use crate::error::Error;
use crate::query::AuditChain;
use crate::schema::sql;
use crate::step::Step;
use crate::user_state::{UserState, log_unreadable_holder, used_of};
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
    /// Carries out what was decided about a user, in order, and writes the user's row once.
    pub(super) fn apply_to_user(
        &mut self,
        user: UserId,
        mut state: UserState,
        changes: Vec<Change>,
    ) -> Result<(), Failure> {
        if changes.is_empty() {
            return Ok(());
        }
        if !state.exists()
            && let Some(head) = self.head(AuditChain::User(user))?
        {
            state = UserState::without_row(head);
        }
        let recalled = self.recall(apply::beginning(&changes))?;
        let mut steps = Vec::with_capacity(changes.len() + 4);
        let mut about = About { user, state: &mut state, recalled: &recalled };
        for change in changes {
            apply(change, Some(&mut about), &mut steps)?;
        }
        self.carry_out(steps, Some((user, &mut state)))?;
        self.write_user(user, state)
    }

    /// Carries out changes that are about no one user.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Result<(), Failure> {
        let mut steps = Vec::with_capacity(changes.len() + 4);
        for change in changes {
            apply(change, None, &mut steps)?;
        }
        self.carry_out(steps, None)
    }

    /// Writes what has changed of a user.
    pub(super) fn write_user(&mut self, user: UserId, mut state: UserState) -> Result<(), Failure> {
        if state.is_changed() {
            for write in state.writes(user) {
                self.write(&write)?;
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, steps: Vec<Step>, mut about: Option<(UserId, &mut UserState)>) -> Result<(), Failure> {
        // A decision's entries nearly always belong to one chain.
        let mut heads: Vec<(AuditChain, trail::Head)> = Vec::new();
        for step in steps {
            match step {
                Step::Write(write) => self.write(&write)?,
                Step::Record(event) => {
                    let audit_id = *self.next_audit;
                    *self.next_audit += 1;
                    let chain = AuditChain::of(&event);
                    let head = match (chain, about.as_mut()) {
                        (AuditChain::User(user), Some((about, state))) if user == *about => &mut state.head,
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

    /// What was used of these secrets: by devices that are gone, and by those that have them.
    fn recall(&self, secrets: impl Iterator<Item = SecretMac>) -> Result<HashMap<SecretMac, i64>, Failure> {
        let mut recalled = HashMap::new();
        for secret in secrets {
            let key = [Value::from(secret)];
            let mut used = first(self.conn, sql::USED_SECRET, &key, rows::used_secret)?.map(|(_, used)| used);
            for (_, holder) in all(self.conn, sql::SECRET_HOLDERS, &key, rows::secret_holder)? {
                // What the holder has used must not be used again, so nothing can go on without it.
                let seen = load::seen(self.conn, holder).inspect_err(|_| log_unreadable_holder(holder))?;
                used = used.max(used_of(&seen.view.devices, secret));
            }
            recalled.extend(used.map(|used| (secret, used)));
        }
        Ok(recalled)
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
