//! The rewriting in PostgreSQL. Nodes that start at once take turns, piece by piece.

use tokio_postgres::Client;

use super::{
    ASKED, COUNTS, DEVICES, DONE, LAST, OLD_ASKED, OLD_DEVICES, OLD_USERS, PIECE, Piece, Read, Rewriting, USERS,
};
use crate::error::{Error, OpenError};
use crate::postgres::conn::BEGIN;
use crate::postgres::copy::copy_in;
use crate::postgres::sql::LOCK_SCHEMA;

/// Reading `pg_class` makes the session see what other nodes have dropped while it
/// waited for the lock; the function alone answers from before.
const IS_BEGUN: &str = "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('user_before'))";

/// Whether a rewriting was begun and is not done.
pub(crate) async fn is_begun(client: &Client) -> Result<bool, OpenError> {
    Ok(client.query_one(IS_BEGUN, &[]).await?.try_get(0)?)
}

/// How many users there are to write anew. To be asked with the schema locked, or the answer may be of another moment.
pub(crate) async fn users(client: &Client) -> Result<u64, OpenError> {
    let table = if is_begun(client).await? { "user_before" } else { "user" };
    let count: i64 = client.query_one(&format!("SELECT COUNT(*) FROM \"{table}\""), &[]).await?.try_get(0)?;
    Ok(count.unsigned_abs())
}

/// Takes the old tables away, in the transaction that has written the last of their users anew.
pub(crate) async fn finish(client: &Client) -> Result<(), OpenError> {
    let row = client.query_one(COUNTS, &[]).await?;
    if row.try_get::<_, i64>(0)? != row.try_get::<_, i64>(1)? {
        return Err(Error::Corrupt("not every user was written anew").into());
    }
    client.batch_execute(DONE).await?;
    // Its triggers went with their tables.
    Ok(client.batch_execute("DROP FUNCTION IF EXISTS user_rows_are_moving()").await?)
}

/// A server of the version before must not change what is being read.
const FENCE: &str = "
    CREATE FUNCTION user_rows_are_moving() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'a newer version of Countersign keeps users in one row: stop this server'; END $$;
    CREATE TRIGGER device_is_moving BEFORE INSERT OR UPDATE OR DELETE ON device
        FOR EACH STATEMENT EXECUTE FUNCTION user_rows_are_moving();
    CREATE TRIGGER verification_is_moving BEFORE INSERT OR UPDATE OR DELETE ON verification
        FOR EACH STATEMENT EXECUTE FUNCTION user_rows_are_moving()";

/// What follows the new tables in their transaction: without users the old ones go at once.
pub(crate) async fn begin(client: &Client) -> Result<(), OpenError> {
    if users(client).await? == 0 { finish(client).await } else { Ok(client.batch_execute(FENCE).await?) }
}

/// Writes users anew until all are, and takes the old tables away.
pub(crate) async fn rewrite(client: &Client, rewriting: &Rewriting) -> Result<(), OpenError> {
    let (mut all, mut done) = (None, 0);
    loop {
        client.batch_execute(BEGIN).await?;
        client.query_one(LOCK_SCHEMA, &[]).await?;
        if !is_begun(client).await? {
            // Another node was faster.
            client.batch_execute("ROLLBACK").await?;
            return Ok(());
        }
        let users = match all {
            Some(users) => users,
            None => *all.insert(users(client).await?),
        };
        let written = piece(client).await?;
        if written == 0 {
            finish(client).await?;
        }
        client.batch_execute("COMMIT").await?;
        if written == 0 {
            return Ok(());
        }
        done += written as u64;
        rewriting.report(done.min(users), users);
    }
}

/// Writes the next users anew. Gives how many.
async fn piece(client: &Client) -> Result<usize, OpenError> {
    let last = client.query_one(LAST, &[]).await?.try_get::<_, Option<i64>>(0)?.unwrap_or(i64::MIN);
    let users = decoded(&client.query(USERS, &[&last, &PIECE]).await?, OLD_USERS)?;
    let Some(upto) = users.last().map(|user| user.id.0) else { return Ok(0) };
    let devices = decoded(&client.query(DEVICES, &[&last, &upto]).await?, OLD_DEVICES)?;
    let asked = decoded(&client.query(ASKED, &[&last, &upto]).await?, OLD_ASKED)?;
    let written = users.len();
    for (target, rows) in (Piece { users, devices, asked }).rewritten()? {
        if !rows.is_empty() {
            copy_in(client, target, rows).await?;
        }
    }
    Ok(written)
}

fn decoded<T>(rows: &[tokio_postgres::Row], decode: Read<T>) -> Result<Vec<T>, OpenError> {
    rows.iter().map(|row| decode(row)).collect()
}
