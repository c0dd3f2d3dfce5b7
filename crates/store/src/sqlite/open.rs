//! Opening: the folder and its files, the lock that keeps other processes out, the settings that durability rests on,
//! and the schema.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::dev_clock::DEV_CLOCK;
use crate::error::OpenError;
use crate::login_names::{self, Filling};
use crate::schema::migrations::{self, Migration, Work};
use crate::schema::sql;
use crate::transfer::mark::TransferMarks;
use crate::upgrade::{Rewriting, sqlite as upgrade};
use crate::world::{KEY_CHECK, Known, Looked, MARK};

/// Before this version, resetting the log could lose a commit (SEC 76).
const OLDEST_LIBRARY: i32 = 3_051_003;
/// Statements kept prepared per connection: more than there are.
const PREPARED: usize = 160;
/// Bytes of a page of a new database. A decision changes a few rows on different pages, and each page goes to the disk
/// whole: smaller ones make a group smaller. But the smaller they are, the deeper are the trees of a large database. Of
/// 1024, 2048 and 4096 this is nearly as fast as the first with few devices, and faster than either with 5,000,000. A
/// database that exists keeps the size it was made with.
pub(super) const PAGE: i64 = 2048;
/// How long a connection waits for another's lock, in milliseconds (SEC 79).
const BUSY_TIMEOUT: i64 = 2_000;
/// The writer's page cache, in KiB.
const WRITER_CACHE: i64 = 16 * 1024;
/// A reader's page cache, in KiB. Readers are many and the operating system caches the file anyway.
const READER_CACHE: i64 = 2 * 1024;

/// The dev world's own tables.
pub(super) const DEV_TABLES: &str = include_str!("../../migrations/sqlite/dev.sql");
/// How many of them there are.
pub(super) const HAS_DEV_TABLES: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'dev_outbox'";

/// The files of a database folder.
pub(super) struct Files {
    pub(super) database: PathBuf,
    /// Locked for as long as it is open.
    pub(super) lock: File,
}

/// Makes the folder and its files, for their owner only, and takes the lock.
pub(super) fn take(dir: &Path) -> Result<Files, OpenError> {
    if rusqlite::version_number() < OLDEST_LIBRARY {
        return Err(OpenError::OldLibrary(rusqlite::version()));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let private =
        |path: &Path| OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let lock = private(&dir.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    // SQLite gives its log and its shared memory the mode of the database file, so this one call decides for all.
    let database = dir.join("countersign.db");
    // A file that was there already keeps its mode otherwise: restored by hand, for example.
    private(&database)?.set_permissions(Permissions::from_mode(0o600))?;
    Ok(Files { database, lock })
}

/// The one connection that writes, to a database that is in use here (see [`crate::transfer`]).
pub(super) fn writer(
    database: &Path,
    max_page_count: Option<u32>,
    rewriting: &Rewriting,
) -> Result<Connection, OpenError> {
    let mut conn = claimed(database)?;
    marks(&conn)?.refuse()?;
    migrate(&mut conn, database, rewriting)?;
    if let Some(pages) = max_page_count {
        set(&conn, "max_page_count", pages.into())?;
    }
    Ok(conn)
}

/// The marks that a move has left.
pub(super) fn marks(conn: &Connection) -> Result<TransferMarks, OpenError> {
    let mut marks = TransferMarks::default();
    if conn.table_exists(None, "meta")? {
        let mut statement = conn.prepare(crate::schema::sql::MARKS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            marks.take(&row.get::<_, String>(0)?, &row.get::<_, Vec<u8>>(1)?);
        }
    }
    Ok(marks)
}

/// A connection that writes, to a database as it was found.
pub(super) fn claimed(database: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags)?;
    set(&conn, "busy_timeout", BUSY_TIMEOUT)?;
    set(&conn, "page_size", PAGE)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Setting("journal_mode = WAL"));
    }
    set(&conn, "synchronous", 2)?;
    set(&conn, "foreign_keys", 1)?;
    common(&conn, WRITER_CACHE)?;
    // The writer requests checkpoints itself, between groups, where it can see whether one failed.
    set(&conn, "wal_autocheckpoint", 0)?;
    set(&conn, "journal_size_limit", 64 << 20)?;
    for (name, wanted) in [("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0)] {
        if get(&conn, name)? != Some(wanted) {
            return Err(OpenError::Setting("synchronous, foreign_keys or trusted_schema"));
        }
    }
    Ok(conn)
}

/// The connection of the checkpointer.
pub(super) fn checkpointer(database: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags)?;
    set(&conn, "busy_timeout", 0)?;
    set(&conn, "synchronous", 2)?;
    common(&conn, READER_CACHE)?;
    set(&conn, "wal_autocheckpoint", 0)?;
    Ok(conn)
}

/// A connection that only reads.
pub(super) fn reader(database: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags)?;
    set(&conn, "busy_timeout", BUSY_TIMEOUT)?;
    common(&conn, READER_CACHE)?;
    set(&conn, "query_only", 1)?;
    Ok(conn)
}

fn common(conn: &Connection, cache_kib: i64) -> Result<(), rusqlite::Error> {
    set(conn, "trusted_schema", 0)?;
    // A mapped file turns an I/O error into a signal that ends the process without a word.
    set(conn, "mmap_size", 0)?;
    set(conn, "temp_store", 2)?;
    set(conn, "cache_size", -cache_kib)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A misspelt column must be an error, not a text.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // Otherwise the partial indexes make SQLite look at a statement's parameters and prepare it anew for each value.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(PREPARED);
    Ok(())
}

/// Sets a PRAGMA.
pub(super) fn set(conn: &Connection, name: &str, value: i64) -> Result<(), rusqlite::Error> {
    conn.pragma_update(None, name, value)
}

/// Reads a PRAGMA back; `None` if this SQLite does not have it.
pub(super) fn get(conn: &Connection, name: &str) -> Result<Option<i64>, rusqlite::Error> {
    conn.pragma_query_value(None, name, |row| row.get(0)).optional()
}

/// What is in `dir`. Changes nothing, leaves nothing behind, and needs no lock.
pub(super) fn look(dir: &Path, traces: bool) -> Result<Looked, OpenError> {
    let database = dir.join("countersign.db");
    if !database.try_exists()? {
        let known = Known::judge(None, traces, false)?;
        return Ok(Looked { known, key_check: None, pending: migrations::MIGRATIONS.to_vec() });
    }
    let conn = still(&database)?;
    let mut pending: Vec<Migration> = migrations::after(version(&conn)?).copied().collect();
    if pending.iter().all(|migration| !migration.rewrites_users()) && upgrade::is_begun(&conn)? {
        pending.splice(..0, migrations::of_user_rows().copied());
    }
    let (known, key_check) = if pending.len() == migrations::MIGRATIONS.len() {
        (Known::judge(None, traces, false)?, None)
    } else {
        known(&conn, traces)?
    };
    Ok(Looked { known, key_check, pending })
}

/// The log beside a database.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// A connection that leaves no file behind. Only a database that no process has open has no log beside it, and it can be read
/// as it is.
pub(super) fn still(database: &Path) -> Result<Connection, rusqlite::Error> {
    let (Some(path), false) = (database.to_str(), log_of(database).exists()) else { return reader(database) };
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    common(&conn, READER_CACHE)?;
    Ok(conn)
}

/// What is known of the world of a database that has a schema, and its key check.
pub(super) fn known(conn: &Connection, traces: bool) -> Result<(Known, Option<Vec<u8>>), OpenError> {
    let meta = |key: &str| -> Result<Option<Vec<u8>>, rusqlite::Error> {
        conn.query_row(sql::META, [key], |row| row.get(0)).optional()
    };
    let tables: i64 = conn.query_row(HAS_DEV_TABLES, [], |row| row.get(0))?;
    let (mark, clock, key_check) = (meta(MARK)?, meta(DEV_CLOCK)?, meta(KEY_CHECK)?);
    let dev = traces || tables > 0 || clock.is_some();
    Ok((Known::judge(mark.as_deref(), dev, key_check.is_some())?, key_check))
}

/// The schema's version, unless it is one that this server does not know.
fn version(conn: &Connection) -> Result<i64, OpenError> {
    let found = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = migrations::newest();
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(found) }
}

/// Brings the schema up to date (SEC 85): all pending steps in one transaction, so that a step that fails leaves the version
/// that was there; then the users that must be written anew, piece by piece.
pub(super) fn migrate(conn: &mut Connection, database: &Path, rewriting: &Rewriting) -> Result<(), OpenError> {
    let found = version(conn)?;
    let is_begun = upgrade::is_begun(conn)?;
    let rewrites = is_begun || migrations::after(found).any(Migration::rewrites_users);
    // A database without a schema has no users either.
    let users = if found > 0 && rewrites { upgrade::users(conn)? } else { 0 };
    if users > rewriting.most_users {
        return Err(OpenError::ManyUsers(users));
    }
    if is_begun {
        // It must end before anything else changes.
        upgrade::rewrite(conn, rewriting)?;
    }
    if found < migrations::newest() {
        if users > 0 && !is_begun {
            let kept = upgrade::keep(conn, database, found)?;
            let kept = kept.display();
            tracing::info!(%kept, "the database as it was is kept; delete it once you do not need it");
        }
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for migration in migrations::after(found) {
            tx.execute_batch(migration.sqlite)?;
            match migration.work {
                Some(Work::LoginNames) => fill_login_names(&tx)?,
                Some(Work::UserRows) if users == 0 => upgrade::finish(&tx)?,
                Some(Work::UserRows) | None => {}
            }
        }
        tx.pragma_update(None, "user_version", migrations::newest())?;
        tx.commit()?;
    }
    if upgrade::is_begun(conn)? { upgrade::rewrite(conn, rewriting) } else { Ok(()) }
}

/// Gives every user the names that they have already.
fn fill_login_names(conn: &Connection) -> Result<(), rusqlite::Error> {
    let mut filling = Filling::default();
    let mut statement = conn.prepare("SELECT id, username, email FROM \"user\"")?;
    let mut users = statement.query([])?;
    let mut read = 0;
    while let Some(user) = users.next()? {
        let text = |column| user.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
        filling.add(user.get(0)?, text(1)?, text(2)?);
        login_names::log_progress(read, read + 1);
        read += 1;
    }
    let mut insert = conn
        .prepare("INSERT INTO login_name (key, place, user_id, is_username, is_email) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for row in filling.rows() {
        insert.execute(rusqlite::params_from_iter(row))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_settings_that_durability_rests_on_are_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let files = take(dir.path()).unwrap();
        let conn = writer(&files.database, None, &Rewriting::default()).unwrap();
        let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        for (name, value) in [("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0), ("wal_autocheckpoint", 0)]
        {
            assert_eq!(get(&conn, name).unwrap(), Some(value), "{name}");
        }
        assert!(get(&conn, "mmap_size").unwrap().is_none_or(|size| size == 0));
        assert_eq!(get(&conn, "page_size").unwrap(), Some(PAGE));
        let reader = reader(&files.database).unwrap();
        assert_eq!(get(&reader, "query_only").unwrap(), Some(1));
        assert!(reader.execute("DELETE FROM meta", []).is_err());
    }

    #[test]
    fn a_database_keeps_the_page_size_it_was_made_with() {
        let dir = tempfile::tempdir().unwrap();
        let files = take(dir.path()).unwrap();
        let old = Connection::open(&files.database).unwrap();
        set(&old, "page_size", 4096).unwrap();
        old.execute_batch("CREATE TABLE of_old (a); INSERT INTO of_old VALUES (1)").unwrap();
        drop(old);
        let conn = writer(&files.database, None, &Rewriting::default()).unwrap();
        assert_eq!(get(&conn, "page_size").unwrap(), Some(4096));
    }

    #[test]
    fn the_files_are_their_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("db");
        let files = take(&folder).unwrap();
        let conn = writer(&files.database, None, &Rewriting::default()).unwrap();
        conn.execute("INSERT INTO meta (key, value) VALUES ('a', x'00')", []).unwrap();
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let mut seen = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
            seen += 1;
        }
        assert_eq!(seen, 4, "lock, database, log, shared memory");
    }

    #[test]
    fn a_newer_schema_is_refused_in_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let files = take(dir.path()).unwrap();
        set(&writer(&files.database, None, &Rewriting::default()).unwrap(), "user_version", 99).unwrap();
        let refused = writer(&files.database, None, &Rewriting::default()).unwrap_err();
        assert!(refused.to_string().contains("schema version 99"), "{refused}");
    }

    #[test]
    fn every_statement_can_be_prepared() {
        let dir = tempfile::tempdir().unwrap();
        let files = take(dir.path()).unwrap();
        let conn = writer(&files.database, None, &Rewriting::default()).unwrap();
        conn.execute_batch(DEV_TABLES).unwrap();
        for (name, statement) in crate::schema::sql::ALL {
            let prepared = conn.prepare(statement);
            assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
        }
        assert!(crate::schema::sql::ALL.len() < PREPARED);
    }

    #[test]
    fn a_statement_is_prepared_once_whatever_its_parameters() {
        let dir = tempfile::tempdir().unwrap();
        let files = take(dir.path()).unwrap();
        let conn = writer(&files.database, None, &Rewriting::default()).unwrap();
        for (name, statement) in crate::schema::sql::ALL.iter().filter(|(_, statement)| statement.starts_with("SELECT"))
        {
            let mut prepared = conn.prepare(statement).unwrap();
            for value in 0..5i64 {
                let params = vec![value; prepared.parameter_count()];
                let mut rows = prepared.query(rusqlite::params_from_iter(params)).unwrap();
                while rows.next().unwrap().is_some() {}
            }
            assert_eq!(prepared.get_status(rusqlite::StatementStatus::RePrepare), 0, "{name}");
        }
    }

    #[test]
    fn hot_statements_use_their_indexes() {
        let dir = tempfile::tempdir().unwrap();
        let files = take(dir.path()).unwrap();
        let conn = writer(&files.database, None, &Rewriting::default()).unwrap();
        let scans = [
            "AUDIT_TRAIL",
            "CLIENTS",
            "COLLIDING_NAMES",
            "COUNT_UNMARKED",
            "FIRST_AUDIT_ID",
            "LAST_AUDIT_ID",
            "REVOKED_WITH_BEGUN",
            "SIZES",
            "SWEEP_REGISTERING",
            "SWEEP_MESSAGES",
            "SWEEP_DELIVERIES",
            "WEBHOOKS",
        ];
        for (name, statement) in crate::schema::sql::ALL {
            if name.starts_with("DEV_") || scans.contains(name) {
                continue;
            }
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let count = plan.parameter_count();
            let params = rusqlite::params_from_iter(vec![1i64; count]);
            let steps: Vec<String> = plan.query_map(params, |row| row.get(3)).unwrap().map(Result::unwrap).collect();
            for step in steps {
                let fine = !step.starts_with("SCAN") || step.contains("INDEX") || step.contains("CONSTANT ROW");
                assert!(fine, "{name}: {step}");
                // A part of an order is read from an index that has it, and not sorted out of all there is.
                let sorted = statement.contains("LIMIT") && step.contains("TEMP B-TREE FOR ORDER BY");
                assert!(!sorted, "{name}: {step}");
            }
        }
    }
}
