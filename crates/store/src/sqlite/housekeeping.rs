//! What no decision relies on: ids, the outbox, clean-up, the server's own values, and the dev world.

use domain::model::client::REFRESH_TTL;
use domain::{Channel, MessageId, Timestamp, UserId};

use super::database::Sqlite;
use super::exec::Failure;
use super::exec::{all, all_of, first, one};
use super::job::Tx;
use super::{load, open};
use crate::error::Error;
use crate::query::{BATCH, DevFilter, DevMessage, IdKind, KEEP, MessageOutcome, QueuedMessage, Swept, USERS};
use crate::schema::sql;
use crate::turn::Turn;
use crate::user_state::{Tidied, log_damage};
use crate::value::Value;
use crate::{apply, calls, conditions, ids, rows};

#[expect(clippy::unused_async, reason = "the same methods as those of PostgreSQL, which wait for an answer")]
impl Sqlite {
    pub(crate) async fn next_id(&self, kind: IdKind) -> Result<i64, Error> {
        let params = [Value::Int(kind.number()), Value::Int(ids::BLOCK)];
        let reserve = self.write(move |tx| one(tx.conn, sql::RESERVE_IDS, &params, rows::number));
        self.ids.next(kind, reserve).await
    }

    // ---- the outbox

    pub(crate) async fn claim_messages(
        &self,
        channel: Channel,
        turn: Turn,
        now: Timestamp,
        limit: usize,
        lease_ms: i64,
    ) -> Result<Vec<QueuedMessage>, Error> {
        // Asked often and mostly in vain: that need not bother the writer.
        if self.next_message_at(channel, turn).await?.is_none_or(|due| now < due) {
            return Ok(Vec::new());
        }
        let limit = Value::Int(i64::try_from(limit).unwrap_or(i64::MAX));
        self.write(move |tx| {
            let mut params = vec![channel.name().into(), now.into()];
            params.extend(turn.values());
            params.push(limit.clone());
            let mut due = all(tx.conn, sql::DUE_MESSAGES, &params, rows::queued_message)?;
            for queued in &mut due {
                (queued.passed, queued.claimed_until) = (turn.passed(queued.passed), now.plus(lease_ms));
                let passed = i64::from(queued.passed);
                let params = [passed.into(), queued.claimed_until.into(), queued.message.id.0.into()];
                tx.execute(sql::CLAIM_MESSAGE, &params)?;
            }
            Ok(due)
        })
        .await
    }

    pub(crate) async fn settle_message(
        &self,
        id: MessageId,
        outcome: MessageOutcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        let write = apply::settle(id, outcome, now);
        self.write(move |tx| tx.write(&write)).await
    }

    pub(crate) async fn next_message_at(&self, channel: Channel, turn: Turn) -> Result<Option<Timestamp>, Error> {
        let mut params = vec![channel.name().into()];
        params.extend(turn.values());
        let next = self.readers.read(|conn| first(conn, sql::NEXT_MESSAGE_AT, &params, rows::number))?;
        Ok(next.map(Timestamp))
    }

    // ---- clean-up

    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<Swept, Error> {
        self.write(move |tx| {
            let mut delete = |statement, before: Timestamp| {
                tx.execute(statement, &[before.into(), Value::Int(BATCH)]).map(|rows| rows as u64)
            };
            let tokens = delete(sql::SWEEP_TOKENS, now.plus(-REFRESH_TTL))?;
            let messages = delete(sql::SWEEP_MESSAGES, now.plus(-KEEP))?;
            let budgets = delete(sql::SWEEP_BUDGETS, now)?;
            tx.execute(sql::SWEEP_CALLS, &calls::kept(now))?;
            let over = all(tx.conn, sql::USERS_WITH_OVER, &[now.into(), Value::Int(USERS)], rows::number)?;
            let mut swept = Swept { tokens, messages, budgets, ..Swept::default() };
            // Whether there is one of them who does not come up again: else another piece would find the same ones.
            let mut done = false;
            for user in over.iter().copied().map(UserId) {
                if let Some(tidied) = tidy(tx, user, now)? {
                    tidied.add_to(&mut swept);
                    done = true;
                }
            }
            let most = tokens.max(messages).max(budgets);
            swept.more = most >= BATCH.unsigned_abs() || (done && over.len() as u64 >= USERS.unsigned_abs());
            Ok(swept)
        })
        .await
    }

    // ---- the server's own values

    pub(crate) async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.readers.read(|conn| first(conn, sql::META, &[key.into()], rows::bytes))
    }

    pub(crate) async fn set_meta_if_absent(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        let params = [Value::from(key), value.to_vec().into()];
        self.write(move |tx| {
            tx.execute(sql::SET_META_IF_ABSENT, &params)?;
            one(tx.conn, sql::META, &params[..1], rows::bytes)
        })
        .await
    }

    pub(crate) async fn raise_meta(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        let params = [Value::from(key), value.to_vec().into()];
        self.write(move |tx| {
            tx.execute(sql::RAISE_META, &params)?;
            one(tx.conn, sql::META, &params[..1], rows::bytes)
        })
        .await
    }

    pub(crate) async fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        let params = [Value::from(key), value.to_vec().into()];
        self.write(move |tx| tx.execute(sql::SET_META, &params).map(|_| ())).await
    }

    // ---- the dev world

    pub(crate) async fn dev_prepare(&self) -> Result<(), Error> {
        self.write(|tx| Ok(tx.conn.conn.execute_batch(open::DEV_TABLES)?)).await
    }

    pub(crate) async fn has_dev_tables(&self) -> Result<bool, Error> {
        self.readers.read(|conn| one(conn, open::HAS_DEV_TABLES, &[], rows::is_some))
    }

    pub(crate) async fn dev_record(&self, message: DevMessage) -> Result<i64, Error> {
        let params = apply::dev_message(message);
        self.write(move |tx| one(tx.conn, sql::DEV_RECORD, &params, rows::number)).await
    }

    pub(crate) async fn dev_outbox(&self, filter: &DevFilter) -> Result<Vec<DevMessage>, Error> {
        let (conditions, params) = conditions::of_dev_messages(filter);
        let statement = format!("{}{conditions} ORDER BY id", sql::DEV_OUTBOX);
        self.readers.read(|conn| all_of(conn, &statement, &params, rows::dev_message))
    }

    pub(crate) async fn dev_reset(&self) -> Result<(), Error> {
        self.write(|tx| {
            for write in apply::dev_reset() {
                tx.write(&write)?;
            }
            Ok(())
        })
        .await
    }
}

/// Ends what is over in a user's state. One that is damaged is left as it is, and does not come up again. `None` of one who does.
fn tidy(tx: &mut Tx<'_, '_>, user: UserId, now: Timestamp) -> Result<Option<Tidied>, Failure> {
    let mut state = match load::user(tx.conn, user) {
        Ok(state) => state,
        Err(Failure::Job(error @ Error::Corrupt(_))) => {
            log_damage(user, error);
            tx.execute(sql::LEAVE_DAMAGED, &[Value::Int(user.0)])?;
            return Ok(Some(Tidied::default()));
        }
        // What a newer server has written, it cleans up.
        Err(Failure::Job(_)) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let tidied = state.tidy(now);
    for device in &tidied.devices {
        tx.write(&apply::wipe_messages_of_device(user, *device))?;
    }
    tx.write_user(user, state)?;
    Ok(Some(tidied))
}
