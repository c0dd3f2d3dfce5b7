//! Databases as earlier versions left them, kept as text in `testdata/schema`. Each must open, be brought up to date,
//! and be the same installation afterwards. Before adding a migration, write down the version before it:
//! `cargo test -p countersign-store --lib -- --ignored write_the_fixture`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::tests::{goes_on, settle_in};
use super::{TABLES, Table};
use crate::contract::world::fresh;
use crate::{Known, MIGRATIONS, SqliteOptions, Store, World};

/// The newest schema that a release has. Those behind it are not history yet: few have a fixture, and only where it shows more.
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
    // What is in the fixtures was fresh when they were written.
    (0..1_000).for_each(|_| _ = fresh());
    for migration in MIGRATIONS {
        let path = fixture(migration.version);
        if migration.version > RELEASED && !path.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        let dir = tempfile::tempdir().unwrap();
        let before = Connection::open(dir.path().join("countersign.db")).unwrap();
        before.execute_batch(&text).unwrap();
        let known = |table: &&Table| before.table_exists(None, table.name).unwrap();
        let counted: Vec<_> = TABLES.iter().filter(known).map(|table| (table, rows(&before, table.name))).collect();
        assert!(counted.len() >= 8 && counted.iter().all(|(_, rows)| *rows > 0), "{counted:?}");
        drop(before);

        let looked = Store::look_sqlite(dir.path(), false).unwrap();
        assert!(
            looked.is_sealed() && matches!(looked.known, Known::Unmarked(World::Serve) | Known::Marked(World::Serve)),
            "{looked:?}"
        );
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

/// The same rows for both databases: names that earlier versions kept apart.
pub(crate) const COLLIDING: &str = "INSERT INTO \"user\" (id, username, email, status, profile, created_at, updated_at) \
    VALUES (101, 'bob', NULL, 1, '{}', 1, 1), (102, 'Bob ', NULL, 1, '{}', 1, 1), (103, 'ceo@corp.example', NULL, 1, \
    '{}', 1, 1), (104, NULL, 'CEO@corp.example', 1, '{}', 1, 1), (105, 'eve@corp.example', 'Eve@corp.example', 1, '{}', \
    1, 1)";

/// What holds of them once the schema knows better.
pub(crate) async fn colliding_rows_stay_and_get_no_worse(store: &Store) {
    use domain::model::audit::Actor;
    use domain::model::user_patch::UserPatch;
    use domain::rules::user;
    use domain::{Timestamp, UserId};

    use crate::{Error, UniqueField};

    let found = async |name: &str| store.user_by_login(name).await.unwrap().map(|user| user.0);
    let rename = async |id: i64, username: Option<&str>, email: Option<&str>| {
        let patch = UserPatch {
            username: username.map(|name| Some(name.to_owned()).filter(|name| !name.is_empty())),
            email: email.map(|name| Some(name.to_owned()).filter(|name| !name.is_empty())),
            ..UserPatch::default()
        };
        let decide = move |view: &domain::View| user::update(view, &patch, &Actor::default(), Timestamp(5));
        store.decide(UserId(id), decide).await.map(|_| ())
    };
    let ids = |collisions: Vec<crate::Collision>| -> Vec<Vec<i64>> {
        collisions.iter().map(|names| names.holders.iter().map(|holder| holder.user.0).collect()).collect()
    };
    assert_eq!(store.colliding_names().await, Ok(2));
    assert_eq!(ids(store.collisions(100).await.unwrap()), [vec![101, 102], vec![103, 104]]);
    // Only an exact spelling opens; an address before a user name.
    assert_eq!((found("bob").await, found("Bob ").await, found("BOB").await), (Some(101), Some(102), None));
    assert_eq!(found("CEO@corp.example").await, Some(104));
    assert_eq!(found("ceo@corp.example").await, Some(103));
    assert_eq!(found("Ceo@corp.example").await, None);
    assert_eq!(found("EVE@corp.example").await, Some(105));
    // Nothing makes it worse.
    let taken = Err(Error::Conflict(UniqueField::Username));
    assert_eq!(rename(102, Some("bob"), None).await, taken);
    assert_eq!(rename(105, Some("BOB"), None).await, taken);
    assert_eq!(rename(103, None, Some("ceo@corp.example")).await, Err(Error::Conflict(UniqueField::Email)));
    rename(102, None, Some("bob2@corp.example")).await.unwrap();
    rename(102, None, Some("")).await.unwrap();
    // Once one of them is gone or renamed, every spelling means the other, and no other user can take its name.
    rename(101, Some("robert"), None).await.unwrap();
    assert_eq!(found("BOB").await, Some(102));
    assert_eq!(rename(101, Some("bob"), None).await, taken);
    rename(102, Some("bob"), None).await.unwrap();
    store.decide(UserId(104), |view| user::delete(view, &Actor::default(), Timestamp(5))).await.unwrap();
    assert_eq!(found("CEO@corp.example").await, Some(103));
    assert_eq!((store.colliding_names().await, store.collisions(100).await), (Ok(0), Ok(vec![])));
}

#[tokio::test]
async fn names_that_collide_are_kept_and_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let before = Connection::open(dir.path().join("countersign.db")).unwrap();
    before.execute_batch(&std::fs::read_to_string(fixture(7)).unwrap()).unwrap();
    before.execute_batch(COLLIDING).unwrap();
    drop(before);
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    colliding_rows_stay_and_get_no_worse(&store).await;
    store.close().await;
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_schema_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("countersign.db");
    let before = Connection::open(&path).unwrap();
    before.execute_batch(&std::fs::read_to_string(fixture(7)).unwrap()).unwrap();
    // A column that holds what it should not: the filling stops in the middle.
    before.execute_batch("ALTER TABLE \"user\" RENAME TO kept; CREATE VIEW \"user\" AS SELECT 'x' AS id, 'a' AS username, 'b' AS email").unwrap();
    drop(before);
    Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap_err();
    let after = Connection::open(&path).unwrap();
    let version: i64 = after.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!((version, after.table_exists(None, "login_name").unwrap()), (7, false));
}

/// `cargo test --release -p countersign-store --lib -- --ignored --nocapture a_million`
#[tokio::test]
#[ignore = "measures the migration of a million users"]
async fn a_million_users_get_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut before = Connection::open(dir.path().join("countersign.db")).unwrap();
    before.execute_batch(&std::fs::read_to_string(fixture(7)).unwrap()).unwrap();
    before.pragma_update(None, "journal_mode", "WAL").unwrap();
    let tx = before.transaction().unwrap();
    let profile = format!(r#"{{"texts":{{"firstname":"Ana"}},"password_hash":"{}"}}"#, "x".repeat(110));
    {
        let mut insert = tx
            .prepare(
                "INSERT INTO \"user\" (id, username, username_key, email, email_key, status, profile, created_at, updated_at) \
                 VALUES (?1, ?2, lower(?2), ?3, lower(?3), 1, ?4, 1, 1)",
            )
            .unwrap();
        for n in 0..1_000_000_i64 {
            let (name, email) = (format!("User{}", n * 7919 % 1_000_003), format!("First.Last{n}@Example.com"));
            insert.execute(rusqlite::params![n + 1000, name, email, profile]).unwrap();
        }
    }
    tx.commit().unwrap();
    drop(before);
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    assert_eq!(store.user_by_login("FIRST.last999999@example.com").await.unwrap(), Some(domain::UserId(1_000_999)));
    assert_eq!(store.colliding_names().await, Ok(0));
    store.close().await;
}
