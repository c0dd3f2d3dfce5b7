//! What no decision relies on: ids, the outbox, clean-up, the server's own values, and the dev world.

use domain::model::client::REFRESH_TTL;
use domain::{Channel, MessageId, Timestamp};

use super::conn::{BEGIN, Query, decode};
use super::database::Postgres;
use super::failure::Failure;
use super::limits::in_time;
use super::value::Param;
use super::{load, sql};
use crate::apply;
use crate::error::Error;
use crate::query::{BATCH, DevFilter, DevMessage, IdKind, KEEP, MessageOutcome, QueuedMessage, Swept, USERS};
use crate::schema::sql as shared;
use crate::turn::Turn;
use crate::user_state::log_damage;
use crate::value::{Value, Write};
use crate::{calls, conditions, ids, rows};

/// The dev world's own tables.
const DEV_TABLES: &str = include_str!("../../migrations/postgres/dev.sql");

impl Postgres {
    pub(crate) async fn next_id(&self, kind: IdKind) -> Result<i64, Error> {
        let reserve = Query::new(shared::RESERVE_IDS, [Value::Int(kind.number()), Value::Int(ids::BLOCK)]);
        self.ids.next(kind, self.one(reserve, rows::number)).await
    }

    /// Runs a statement that changes something and answers with a number. It may run twice.
    pub(crate) async fn write_number(&self, statement: &'static str, params: Vec<Value>) -> Result<i64, Error> {
        self.one(Query::new(statement, params), rows::number).await
    }

    /// The number in the first row, if there is one.
    pub(crate) async fn find_number(&self, statement: &'static str, params: Vec<Value>) -> Result<Option<i64>, Error> {
        self.first(Query::new(statement, params), rows::number).await
    }

    // ---- the outbox

    /// Two nodes are never handed the same message: what one has locked, the other passes over.
    pub(crate) async fn claim_messages(
        &self,
        channel: Channel,
        turn: Turn,
        now: Timestamp,
        limit: usize,
        lease_ms: i64,
    ) -> Result<Vec<QueuedMessage>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        in_time(async {
            let mut conn = self.pool.lend().await?;
            let mut params = vec![channel.name().into(), now.into()];
            params.extend(turn.values());
            params.push(limit.into());
            let rows = conn.begin(BEGIN, &[Query::new(sql::CLAIM_DUE_MESSAGES, params)]).await?.pop();
            let mut due = decode(&rows.unwrap_or_default(), rows::queued_message)?;
            if due.is_empty() {
                conn.roll_back().await?;
                return Ok(due);
            }
            for queued in &mut due {
                (queued.passed, queued.claimed_until) = (turn.passed(queued.passed), now.plus(lease_ms));
            }
            let ids = due.iter().map(|queued| Value::Int(queued.message.id.0)).collect();
            let passed = due.iter().map(|queued| Value::Int(queued.passed.into())).collect();
            let params = vec![Param::One(now.plus(lease_ms).into()), Param::Many(ids), Param::Many(passed)];
            conn.execute(&[Query { statement: sql::CLAIM_MESSAGES, params }]).await?;
            conn.commit().await?;
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
        self.write(apply::settle(id, outcome, now).into()).await
    }

    pub(crate) async fn next_message_at(&self, channel: Channel, turn: Turn) -> Result<Option<Timestamp>, Error> {
        let mut params = vec![channel.name().into()];
        params.extend(turn.values());
        let next = self.first(Query::new(shared::NEXT_MESSAGE_AT, params), rows::number).await?;
        Ok(next.map(Timestamp))
    }

    // ---- clean-up

    /// Several nodes may clean up at once. What decisions see is changed under their own lock, and a user whom somebody
    /// else has locked is left for the next time.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<Swept, Error> {
        let (mut swept, users) = in_time(self.sweep_users(now)).await?;
        let old = |statement, before: Timestamp| Query::new(statement, [before.into(), Value::Int(BATCH)]);
        let deletions = [
            old(sql::SWEEP_OLD_TOKENS, now.plus(-REFRESH_TTL)),
            old(sql::SWEEP_OLD_MESSAGES, now.plus(-KEEP)),
            old(sql::SWEEP_OLD_BUDGETS, now),
            Query::new(shared::SWEEP_CALLS, calls::kept(now)),
        ];
        let deleted = in_time(async {
            let mut conn = self.pool.lend().await?;
            conn.execute(&deletions).await
        })
        .await?;
        let [tokens, messages, budgets, _] = deleted[..] else {
            return Err(Error::Corrupt("an answer is missing"));
        };
        (swept.tokens, swept.messages, swept.budgets) = (tokens, messages, budgets);
        let most = tokens.max(messages).max(budgets);
        swept.more = most >= BATCH.unsigned_abs() || users >= USERS.unsigned_abs();
        Ok(swept)
    }

    /// Ends what is over in the states of users. Gives what was removed, and of how many users. A user whose row is damaged
    /// is left as it is, and does not come up again.
    async fn sweep_users(&self, now: Timestamp) -> Result<(Swept, u64), Failure> {
        let mut conn = self.pool.lend().await?;
        let over = Query::new(shared::USERS_WITH_OVER, [now.into(), Value::Int(USERS)]);
        let over = decode(&conn.begin(BEGIN, &[over]).await?.pop().unwrap_or_default(), rows::number)?;
        let mut swept = Swept::default();
        // Whether there is one of them who does not come up again: else another piece would find the same ones.
        let (mut writes, mut done) = (Vec::new(), false);
        if !over.is_empty() {
            for (user, state) in load::free_users(&mut conn, &over, now).await? {
                match state {
                    Ok(mut state) => {
                        let tidied = state.tidy(now);
                        writes.extend(tidied.devices.iter().map(|id| apply::wipe_messages_of_device(user, *id)));
                        writes.extend(state.writes(user));
                        tidied.add_to(&mut swept);
                        done = true;
                    }
                    Err(error @ Error::Corrupt(_)) => {
                        log_damage(user, error);
                        writes.push(Write::new(shared::LEAVE_DAMAGED, vec![user.0.into()]));
                        done = true;
                    }
                    // What a newer server has written, it cleans up.
                    Err(_) => {}
                }
            }
        }
        if writes.is_empty() {
            conn.roll_back().await?;
        } else {
            conn.execute(&writes.into_iter().map(Query::from).collect::<Vec<_>>()).await?;
            conn.commit().await?;
        }
        // Those that another node has locked, it cleans up.
        Ok((swept, if done { over.len() as u64 } else { 0 }))
    }

    // ---- the server's own values

    pub(crate) async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.first(Query::new(shared::META, [key.into()]), rows::bytes).await
    }

    pub(crate) async fn set_meta_if_absent(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        // Waits for a transaction that sets it at the same moment, so the value read then is the one that holds.
        self.write(Query::new(shared::SET_META_IF_ABSENT, [key.into(), value.to_vec().into()])).await?;
        self.one(Query::new(shared::META, [key.into()]), rows::bytes).await
    }

    pub(crate) async fn raise_meta(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        self.write(Query::new(shared::RAISE_META, [key.into(), value.to_vec().into()])).await?;
        self.one(Query::new(shared::META, [key.into()]), rows::bytes).await
    }

    pub(crate) async fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.write(Query::new(shared::SET_META, [key.into(), value.to_vec().into()])).await
    }

    // ---- the dev world

    pub(crate) async fn dev_prepare(&self) -> Result<(), Error> {
        in_time(async {
            let mut conn = self.pool.lend().await?;
            // Nodes that start at once take turns.
            conn.begin(BEGIN, &[Query::new(sql::LOCK_SCHEMA, [])]).await?;
            conn.command(DEV_TABLES).await?;
            conn.commit().await
        })
        .await
    }

    pub(crate) async fn has_dev_tables(&self) -> Result<bool, Error> {
        self.one(Query::new(sql::HAS_DEV_TABLES, []), rows::is_some).await
    }

    pub(crate) async fn dev_record(&self, message: DevMessage) -> Result<i64, Error> {
        let record = Query::new(shared::DEV_RECORD, apply::dev_message(message));
        in_time(async {
            let mut conn = self.pool.lend().await?;
            // One at a time, so that no id appears after a greater one has been seen.
            let rows = conn.begin(BEGIN, &[Query::new(sql::LOCK_SCHEMA, []), record]).await?.pop().unwrap_or_default();
            conn.commit().await?;
            decode(&rows, rows::number)?.pop().ok_or(Failure::Job(Error::Corrupt("an answer without a row")))
        })
        .await
    }

    pub(crate) async fn dev_outbox(&self, filter: &DevFilter) -> Result<Vec<DevMessage>, Error> {
        let (conditions, params) = conditions::of_dev_messages(filter);
        let statement = format!("{}{conditions} ORDER BY id", shared::DEV_OUTBOX);
        in_time(async {
            let conn = self.pool.lend().await?;
            Ok(decode(&conn.fetch_text(&statement, &params).await?, rows::dev_message)?)
        })
        .await
    }

    pub(crate) async fn dev_reset(&self) -> Result<(), Error> {
        let writes: Vec<_> = apply::dev_reset().into_iter().map(Query::from).collect();
        in_time(async {
            let mut conn = self.pool.lend().await?;
            // No decision runs meanwhile.
            conn.begin(BEGIN, &[Query::new(sql::LOCK_SCHEMA, []), Query::new(sql::DEV_LOCK_USERS, [])]).await?;
            conn.execute(&writes).await?;
            conn.commit().await
        })
        .await
    }
}
