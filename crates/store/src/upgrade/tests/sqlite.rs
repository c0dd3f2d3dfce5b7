use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::*;
use crate::{OpenError, SqliteOptions};

/// An installation of the version before, with these rows besides its own.
fn installation(rows: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/schema/sqlite-0014.sql");
    let mut conn = Connection::open(dir.path().join("countersign.db")).unwrap();
    conn.execute_batch(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    let tx = conn.transaction().unwrap();
    tx.execute_batch(rows).unwrap();
    tx.commit().unwrap();
    dir
}

fn open(dir: &Path, rewriting: Rewriting) -> Result<Store, OpenError> {
    Store::open_sqlite(dir, SqliteOptions { rewriting, ..SqliteOptions::default() })
}

fn pending(dir: &Path) -> Vec<i64> {
    Store::look_sqlite(dir, false).unwrap().pending.iter().map(|migration| migration.version).collect()
}

fn number(file: &Path, statement: &str) -> i64 {
    Connection::open(file).unwrap().query_row(statement, [], |row| row.get(0)).unwrap()
}

fn kept(dir: &Path) -> PathBuf {
    dir.join("countersign-before-15.db")
}

const USERS: &str = "SELECT COUNT(*) FROM \"user\"";
const VERSION: &str = "SELECT user_version FROM pragma_user_version";

#[tokio::test]
async fn nothing_is_missing_and_everything_is_found() {
    let dir = installation(&old::everything());
    let store = open(dir.path(), Rewriting::default()).unwrap();
    everything_is_there(&store).await;
    store.close().await;
}

#[tokio::test]
async fn what_is_broken_off_goes_on_where_it_was() {
    let dir = installation(&old::crowd(CROWD));
    catch_unwind(AssertUnwindSafe(|| open(dir.path(), broken_off()))).unwrap_err();
    let database = dir.path().join("countersign.db");
    assert_eq!(number(&database, USERS), PIECE, "a piece is done");
    assert_eq!(pending(dir.path()), [16], "and it is still to be done");
    assert!(matches!(open(dir.path(), at_most(2)), Err(OpenError::ManyUsers(_))), "nothing serves meanwhile");
    let store = open(dir.path(), Rewriting::default()).unwrap();
    assert!(pending(dir.path()).is_empty());
    assert_eq!(number(&database, USERS), CROWD + 4, "those of the fixture too");
    the_crowd_is_whole(&store).await;
    store.close().await;
    let old = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('user_before', 'device', 'verification')";
    assert_eq!(number(&database, old), 0);
}

#[tokio::test]
async fn too_many_users_are_refused_in_words_and_nothing_changes() {
    let dir = installation("");
    let refused = open(dir.path(), at_most(2)).unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, OpenError::ManyUsers(4)), "{said}");
    assert!(said.contains("4 users") && said.contains("countersign migrate"), "{said}");
    assert_eq!(number(&dir.path().join("countersign.db"), VERSION), 14);
    assert_eq!(pending(dir.path()), [15, 16, 17]);
    assert!(!kept(dir.path()).exists());
    open(dir.path(), at_most(4)).unwrap().close().await;
}

#[tokio::test]
async fn the_database_as_it_was_is_kept_until_somebody_deletes_it() {
    let dir = installation(&old::everything());
    // Half a copy of an earlier start, and the whole one of a rewriting that was given up.
    std::fs::write(kept(dir.path()).with_extension("part"), b"half").unwrap();
    std::fs::write(kept(dir.path()), b"what was then").unwrap();
    open(dir.path(), Rewriting::default()).unwrap().close().await;
    let kept = kept(dir.path());
    assert!(!kept.with_extension("part").exists());
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&kept).unwrap();

    open(dir.path(), Rewriting::default()).unwrap().close().await;
    assert!(std::fs::read(&kept).unwrap() == bytes, "a second start leaves it alone");
    assert_eq!((number(&kept, VERSION), number(&kept, USERS)), (14, 8));
    let was = installation(&old::everything());
    let was = was.path().join("countersign.db");
    for table in ["device", "verification", "login_name", "audit", "meta"] {
        let rows = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(number(&kept, &rows), number(&was, &rows), "{table}");
    }
    // The version before is rolled back to by serving this file.
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(&kept, other.path().join("countersign.db")).unwrap();
    let store = open(other.path(), Rewriting::default()).unwrap();
    everything_is_there(&store).await;
    store.close().await;
}

#[tokio::test]
async fn a_database_that_is_being_read_is_kept_whole() {
    let dir = installation("");
    let database = dir.path().join("countersign.db");
    let writer = Connection::open(&database).unwrap();
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    let reader = Connection::open(&database).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM meta;").unwrap();
    writer.execute("INSERT INTO meta (key, value) VALUES ('late', x'01')", []).unwrap();
    let store = open(dir.path(), Rewriting::default()).unwrap();
    assert_eq!(number(&kept(dir.path()), "SELECT COUNT(*) FROM meta WHERE key = 'late'"), 1);
    drop(reader);
    store.close().await;
}

/// Opening and closing the database file by hand in this process takes its locks away. Then the next program that reads it takes
/// itself for the last, and deletes the log with all that is in it.
#[tokio::test]
async fn a_program_that_reads_the_database_afterwards_leaves_its_log_alone() {
    let dir = installation("");
    let store = open(dir.path(), Rewriting::default()).unwrap();
    store.set_meta("key", b"1").await.unwrap();
    let read = std::process::Command::new("sqlite3")
        .arg(dir.path().join("countersign.db"))
        .arg("SELECT COUNT(*) FROM meta WHERE key = 'key'")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), "1", "{}", String::from_utf8_lossy(&read.stderr));
    assert!(dir.path().join("countersign.db-wal").exists());
    store.set_meta("key", b"2").await.unwrap();
    store.close().await;
    assert_eq!(number(&dir.path().join("countersign.db"), "SELECT COUNT(*) FROM meta WHERE value = x'32'"), 1);
}

#[tokio::test]
async fn a_user_that_cannot_be_read_is_named_and_nothing_is_lost() {
    for damage in [
        "UPDATE device SET factor = 77 WHERE user_id = 103",
        "UPDATE \"user\" SET counters = x'01' WHERE id = 103",
        "UPDATE \"user\" SET throttles = x'01' WHERE id = 103",
        "UPDATE verification SET challenge = 'x' WHERE user_id = 104; UPDATE verification SET user_id = 103 WHERE user_id = 104",
    ] {
        let dir = installation(&format!("{} {damage}", old::everything()));
        for _ in 0..2 {
            let refused = open(dir.path(), Rewriting::default()).unwrap_err();
            let said = refused.to_string();
            assert!(matches!(refused, OpenError::Unreadable(_)) && said.contains("user 103"), "{damage}: {said}");
        }
        assert_eq!(pending(dir.path()), [16]);
        let kept = kept(dir.path());
        assert_eq!((number(&kept, VERSION), number(&kept, USERS)), (14, 8), "{damage}");
        assert_eq!(number(&kept, "SELECT COUNT(*) FROM device WHERE user_id = 101"), 6);
    }
}
