//! An upgrade that writes every user anew, killed wherever it is (SEC 85).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::path::Path;
use std::process::Stdio;

use common::{countersign, pause, run, run_json};
use rusqlite::{Connection, OpenFlags};

/// Users besides the fixture's four.
const USERS: i64 = 60_000;
/// The schema before, and the one that has a row for each user.
const BEFORE: i64 = 14;
const AFTER: i64 = 17;
/// The step between that writes every user anew. All steps are made first, so the schema is the newest meanwhile.
const REWRITES: i64 = 16;

/// An installation of the version before. Every user has an authenticator app with a secret that no other has.
fn installation(database: &Path) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/testdata/schema/sqlite-0014.sql");
    std::fs::create_dir_all(database.parent().unwrap()).unwrap();
    let mut conn = Connection::open(database).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.execute_batch(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    let numbers =
        format!("WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < {})", 999 + USERS);
    let tx = conn.transaction().unwrap();
    tx.execute_batch(&format!(
        "INSERT INTO \"user\" (id, status, profile, created_at, updated_at) {numbers} SELECT i, 1, '{{}}', 1, 1 FROM n; \
         INSERT INTO device (id, user_id, factor, display_name, status, credential, created_at, secret_mac, secret_counts) \
         {numbers} SELECT i, i, 5, 'App', 2, zeroblob(80), 1, CAST(printf('%016d', i) AS BLOB), 30 FROM n;"
    ))
    .unwrap();
    tx.commit().unwrap();
}

/// A number that the database answers with, unless it is busy.
fn ask(database: &Path, question: &str) -> Option<i64> {
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    conn.query_row(question, [], |row| row.get(0)).ok()
}

const SCHEMA: &str = "SELECT user_version FROM pragma_user_version";
const WRITTEN: &str = "SELECT COUNT(*) FROM \"user\"";

#[test]
fn a_migration_that_is_killed_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = data.join("db/countersign.db");
    installation(&database);
    let data = data.to_str().unwrap();
    let mut killed_within = 0;
    // The first is killed when it has hardly begun, the next ones after so many users.
    for users in [None, Some(1), Some(15_000), Some(30_000), Some(45_000)] {
        let mut migrating = countersign();
        migrating.args(["migrate", "--data-dir", data]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut migrating = migrating.spawn().unwrap();
        let is_reached = |users| {
            ask(&database, SCHEMA) == Some(AFTER) && ask(&database, WRITTEN).is_some_and(|written| written >= users)
        };
        while let Some(users) = users
            && !is_reached(users)
        {
            assert_eq!(migrating.try_wait().unwrap(), None, "it ended before it was killed");
            pause(1);
        }
        migrating.kill().unwrap();
        migrating.wait().unwrap();

        let pending = run_json(&["migrate", "--dry-run", "--data-dir", data, "--json"])["pending"].clone();
        let is_pending = pending.as_array().unwrap().iter().any(|migration| migration["version"] == REWRITES);
        assert!(is_pending, "{users:?}: {pending}");
        let refused = run(&["user", "list", "--data-dir", data]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("countersign migrate"), "nothing uses it meanwhile: {said}");
        if users.is_some() {
            // A server of the version before knows no such schema, and says so.
            assert_eq!(ask(&database, SCHEMA), Some(AFTER));
            killed_within += 1;
        }
    }
    assert_eq!(killed_within, 4);

    assert_eq!(run_json(&["migrate", "--data-dir", data, "--json"])["migrated"], true);
    let again = run(&["migrate", "--data-dir", data]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("is up to date"), "{again:?}");
    let count = |question: &str| ask(&database, question).unwrap();
    assert_eq!(count(WRITTEN), USERS + 4);
    assert_eq!(count("SELECT COUNT(*) FROM \"user\" WHERE id >= 1000 AND factors = 32 AND state IS NOT NULL"), USERS);
    assert_eq!(count("SELECT COUNT(DISTINCT user_id) FROM secret_device WHERE user_id = device_id"), USERS);
    let old = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('user_before', 'device', 'verification')";
    assert_eq!(count(old), 0);

    // What is kept is the whole of what there was.
    let kept = database.with_file_name(format!("countersign-before-{}.db", BEFORE + 1));
    assert_eq!(ask(&kept, SCHEMA), Some(BEFORE));
    for table in ["user", "device"] {
        let rows = ask(&kept, &format!("SELECT COUNT(*) FROM \"{table}\" WHERE id >= 1000"));
        assert_eq!(rows, Some(USERS), "{table}");
    }
    assert_eq!(ask(&kept, "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), Some(1));
}
