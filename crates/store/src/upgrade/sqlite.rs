//! The rewriting in SQLite. The database as it was stays beside the new one until the operator deletes it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Statement, TransactionBehavior, params_from_iter};

use super::{
    ASKED, COUNTS, DEVICES, DONE, LAST, OLD_ASKED, OLD_DEVICES, OLD_USERS, PIECE, Piece, Read, Rewriting, USERS,
};
use crate::error::{Error, OpenError};
use crate::value::Value;

/// Keeps the database as it is, whose schema has this version, in a file beside it. What an earlier try has kept is replaced:
/// the version before may have served since.
///
/// SQLite itself makes the copy. Opening and closing the file otherwise in this process takes away the locks that the open
/// connection has on it, and then another program may delete the log (<https://sqlite.org/howtocorrupt.html>, 2.2).
pub(crate) fn keep(conn: &Connection, database: &Path, version: i64) -> Result<PathBuf, OpenError> {
    let kept = database.with_file_name(format!("countersign-before-{}.db", version + 1));
    // Half a copy must not be taken for the whole.
    let half = kept.with_extension("part");
    let copied = copy(conn, &half).and_then(|()| Ok(std::fs::rename(&half, &kept)?));
    if copied.is_err() {
        // The version before may need the room.
        let _ = std::fs::remove_file(&half);
    }
    copied?;
    if let Some(folder) = database.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(kept)
}

fn copy(conn: &Connection, to: &Path) -> Result<(), OpenError> {
    let path = to.to_str().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    // For its owner only, and empty: SQLite writes into no other file.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    conn.execute("VACUUM INTO ?1", [path])?;
    Ok(file.sync_all()?)
}

/// Whether a rewriting was begun and is not done.
pub(crate) fn is_begun(conn: &Connection) -> Result<bool, rusqlite::Error> {
    conn.table_exists(None, "user_before")
}

/// How many users there are to write anew.
pub(crate) fn users(conn: &Connection) -> Result<u64, rusqlite::Error> {
    let table = if is_begun(conn)? { "user_before" } else { "user" };
    let count: i64 = conn.query_row(&format!("SELECT COUNT(*) FROM \"{table}\""), [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Writes users anew until all are, and takes the old tables away.
pub(crate) fn rewrite(conn: &mut Connection, rewriting: &Rewriting) -> Result<(), OpenError> {
    let (users, mut done): (i64, i64) = conn.query_row(COUNTS, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    loop {
        rewriting.report(done.unsigned_abs(), users.unsigned_abs());
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = piece(&tx)?;
        if written == 0 {
            finish(&tx)?;
            tx.commit()?;
            break;
        }
        tx.commit()?;
        done += written;
        // Otherwise the log would grow to the size of the database.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Takes the old tables away, in the transaction that has written the last of their users anew.
pub(crate) fn finish(conn: &Connection) -> Result<(), OpenError> {
    let (before, done): (i64, i64) = conn.query_row(COUNTS, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if before != done {
        return Err(Error::Corrupt("not every user was written anew").into());
    }
    Ok(conn.execute_batch(DONE)?)
}

/// Writes the next users anew. Gives how many.
fn piece(conn: &Connection) -> Result<i64, OpenError> {
    let last = conn.query_row(LAST, [], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten().unwrap_or(i64::MIN);
    let users = all(&mut *conn.prepare_cached(USERS)?, &[last.into(), PIECE.into()], OLD_USERS)?;
    let Some(upto) = users.last().map(|user| user.id.0) else { return Ok(0) };
    let span = [Value::from(last), upto.into()];
    let devices = all(&mut *conn.prepare_cached(DEVICES)?, &span, OLD_DEVICES)?;
    let asked = all(&mut *conn.prepare_cached(ASKED)?, &span, OLD_ASKED)?;
    let written = users.len();
    for ((table, columns), rows) in (Piece { users, devices, asked }).rewritten()? {
        let places = vec!["?"; columns.split(',').count()].join(", ");
        let mut insert = conn.prepare_cached(&format!("INSERT INTO {table} ({columns}) VALUES ({places})"))?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
    }
    Ok(i64::try_from(written).unwrap_or(i64::MAX))
}

fn all<T>(statement: &mut Statement<'_>, params: &[Value], decode: Read<T>) -> Result<Vec<T>, OpenError> {
    let mut rows = statement.query(params_from_iter(params))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(decode(row)?);
    }
    Ok(found)
}
