//! Databases as earlier versions left them, kept as text in `testdata/schema`. Each must open, be brought up to date,
//! and be the same installation afterwards. Whoever adds a migration first writes down the version before it:
//! `cargo test -p store --lib -- --ignored write_the_fixture`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::tests::{goes_on, settle_in};
use super::{TABLES, Table};
use crate::{Known, MIGRATIONS, SqliteOptions, Store, World};

/// The newest schema that a release has. Those behind it are not history yet, and need no fixture.
const RELEASED: i64 = 7;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/schema")
}

fn fixture(version: i64) -> PathBuf {
    folder().join(format!("sqlite-{version:04}.sql"))
}

/// A whole database as statements that make it.
fn dump(conn: &Connection) -> String {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let mut text = format!("PRAGMA user_version = {version};\n");
    let mut schema = conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").unwrap();
    let statements = schema.query_map([], |row| row.get::<_, String>(0)).unwrap();
    statements.for_each(|statement| writeln!(text, "{};", statement.unwrap()).unwrap());
    for table in TABLES {
        let columns = table.column_list();
        let mut statement = conn.prepare(&format!("SELECT {columns} FROM {}", table.quoted())).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..table.columns.len()).map(|n| literal(row.get_ref(n).unwrap())).collect();
            writeln!(text, "INSERT INTO {} ({columns}) VALUES ({});", table.quoted(), values.join(", ")).unwrap();
        }
    }
    text
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(_) => panic!("no column holds fractions"),
        ValueRef::Text(text) => format!("'{}'", std::str::from_utf8(text).unwrap().replace('\'', "''")),
        ValueRef::Blob(bytes) => format!("x'{}'", data_encoding::HEXLOWER.encode(bytes)),
    }
}

fn rows(conn: &Connection, table: &str) -> i64 {
    conn.query_row(&format!("SELECT COUNT(*) FROM \"{table}\""), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
#[ignore = "writes the fixture of the newest schema, once"]
async fn write_the_fixture() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    settle_in(&store, 3).await;
    store.close().await;
    let text = dump(&Connection::open(dir.path().join("countersign.db")).unwrap());
    let path = fixture(MIGRATIONS.last().unwrap().version);
    assert!(!path.exists(), "{} is history, and history is not rewritten", path.display());
    std::fs::create_dir_all(folder()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn a_database_of_every_version_opens_and_is_the_same_installation() {
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= RELEASED) {
        let path = fixture(migration.version);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        let dir = tempfile::tempdir().unwrap();
        let before = Connection::open(dir.path().join("countersign.db")).unwrap();
        before.execute_batch(&text).unwrap();
        let known = |table: &&Table| before.table_exists(None, table.name).unwrap();
        let counted: Vec<_> = TABLES.iter().filter(known).map(|table| (table, rows(&before, table.name))).collect();
        assert!(counted.len() >= 10 && counted.iter().all(|(_, rows)| *rows > 0), "{counted:?}");
        drop(before);

        let looked = Store::look_sqlite(dir.path(), false).unwrap();
        assert!(looked.sealed && looked.known == Known::Unmarked(World::Serve), "{looked:?}");
        let pending: Vec<i64> = looked.pending.iter().map(|m| m.version).collect();
        assert_eq!(pending, (migration.version + 1..=MIGRATIONS.last().unwrap().version).collect::<Vec<_>>());
        let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
        let after = Connection::open(dir.path().join("countersign.db")).unwrap();
        for (table, before) in counted {
            // Since version 2 the heads of users' chains lie with the users.
            if table.name != "audit_head" {
                assert_eq!(rows(&after, table.name), before, "{}", table.name);
            }
        }
        assert_eq!(Store::look_sqlite(dir.path(), false).unwrap().pending, []);
        let user = store.find_user(Some("x-1"), "").await.unwrap().unwrap();
        goes_on(&store, user).await;
        store.close().await;
    }
}

#[tokio::test]
async fn counters_go_on_where_an_older_schema_left_them() {
    let dir = tempfile::tempdir().unwrap();
    let before = Connection::open(dir.path().join("countersign.db")).unwrap();
    before.execute_batch(&std::fs::read_to_string(fixture(1)).unwrap()).unwrap();
    before
        .execute_batch(
            "INSERT INTO device (id, user_id, factor, display_name, status, credential, last_counter, created_at) \
             VALUES (90, 1, 6, 'Token', 2, x'00', -1, 1700000000001); \
             INSERT INTO device VALUES (91, 1, 6, 'Token', 2, x'00', 41, 1700000000002, 1700000000777); \
             INSERT INTO device VALUES (92, 1, 6, 'Token', 2, x'00', 0, 1700000000003, NULL)",
        )
        .unwrap();
    drop(before);
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    let devices = store.view(domain::UserId(1)).await.unwrap().devices;
    let marks = |id| {
        let device = devices.iter().find(|device| device.id.0 == id).unwrap();
        (device.last_counter, device.last_used_at.map(|at| at.0))
    };
    assert_eq!((marks(90), marks(91), marks(92)), ((-1, None), (41, Some(1_700_000_000_777)), (0, None)));
    assert!(store.verify_audit_chain(domain::UserId(1)).await.unwrap());
    store.close().await;
}
