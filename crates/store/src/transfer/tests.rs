//! An installation carried over is the installation.

use std::path::Path;

use domain::model::session::Terms;
use domain::model::user_patch::UserPatch;
use domain::{
    AuditEvent, AuditKind, Challenge, Change, Decision, Digest, FactorKind, SessionKind, ThrottleKey, UserId,
};

use super::carry::carry_rows;
use super::mark::TransferMark;
use super::{Carried, End, PIECE, TABLES, TransferError, TransferRoute, carry};
use crate::contract::budgets;
use crate::contract::world::{self, NOW};
use crate::world::World;
use crate::{Cursor, IdKind, OpenError, PostgresOptions, SqliteOptions, Store, WebhookLease};

/// Columns of a table by name, as SQLite knows them.
fn schema(dir: &Path) -> Vec<(String, Vec<String>)> {
    let conn = rusqlite::Connection::open(dir.join("countersign.db")).unwrap();
    let mut tables = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let columns = |name: &str| -> Vec<String> {
        let mut info = conn.prepare(&format!("PRAGMA table_info(\"{name}\")")).unwrap();
        let mut columns: Vec<String> = info.query_map([], |row| row.get(1)).unwrap().map(Result::unwrap).collect();
        columns.sort();
        columns
    };
    names.into_iter().map(|name| (name.clone(), columns(&name))).collect()
}

#[tokio::test]
async fn every_table_and_every_column_is_carried() {
    let dir = tempfile::tempdir().unwrap();
    Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap().close().await;
    let mut listed: Vec<(String, Vec<String>)> = TABLES
        .iter()
        .map(|table| {
            let mut columns: Vec<String> = table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
            columns.sort();
            (table.name.to_owned(), columns)
        })
        .collect();
    listed.sort();
    assert_eq!(listed, schema(dir.path()));
}

/// Something in every table, and so many users besides.
pub(super) async fn settle_in(store: &Store, neighbours: usize) -> UserId {
    store.set_meta("key_check", &[1, 2, 3]).await.unwrap();
    store.mark_world(World::Serve).await.unwrap();
    let client = world::client(store).await;
    let set = world::token_set(store, client.id).await;
    let given = move |_: &domain::ClientView| Decision::of(vec![Change::CreateTokenSet(set.clone())], ());
    store.decide_client(client.id, None, given).await.unwrap();
    let patch = UserPatch {
        username: Some(Some("Zoë".to_owned())),
        email: Some(Some("zoe@example.com".to_owned())),
        texts: vec![
            ("external_id".to_owned(), Some("x-1".to_owned())),
            ("title".to_owned(), Some("\"电\"\n".to_owned())),
        ],
        integers: vec![("group_id".to_owned(), Some(7))],
        custom_attributes: vec![("b".to_owned(), None), ("a".to_owned(), Some("1".to_owned()))],
        ..UserPatch::default()
    };
    let user = world::person(store, patch).await;
    let device = world::device(store, user, FactorKind::Sms).await;
    let verification = world::verification(&device, world::sent_code("123456"));
    let verification = domain::Verification { client_id: Some(client.id), ..verification };
    world::open(store, &verification).await;
    let wrong = domain::rules::throttle::count_failure(
        &store.view(user).await.unwrap(),
        user,
        Some(device.id),
        Digest::of(b"x"),
        &world::context(),
        NOW,
    );
    let mut changes = wrong;
    changes.push(Change::Enqueue(world::message(store.next_id(IdKind::Message).await.unwrap(), &verification)));
    world::put(store, user, changes).await.unwrap();
    store.create_app(&world::app(store.next_id(IdKind::App).await.unwrap())).await.unwrap();
    let webhook = world::webhook(store).await;
    let delivery = world::delivery(store, webhook.id, vec![1, 2]).await;
    let hold = WebhookLease { holder: "node", until: NOW };
    store.hold_webhook(webhook.id, hold, NOW).await.unwrap().unwrap();
    assert!(store.move_webhook(webhook.id, hold, &Cursor::default(), Some(&delivery)).await.unwrap());
    assert_eq!(budgets::count(store, budgets::recipient("+14155550123"), NOW).await, Ok(()));
    let used = token(store, user).await;
    let advance = Change::AdvanceCounter { device: used.id, counter: 5, at: NOW };
    world::put(store, user, vec![Change::CreateDevice(used.clone()), advance, Change::DeleteDevice(used.id)])
        .await
        .unwrap();
    let other = world::somebody(store).await;
    world::device(store, other, FactorKind::Totp).await;
    let terms = Terms { origins: vec!["https://app.example".to_owned()], ..Terms::default() };
    world::session(store, other, SessionKind::SessionToken { terms }).await;
    for _ in 1..neighbours {
        world::somebody(store).await;
    }
    user
}

/// A device with a secret that is brought again and again.
async fn token(store: &Store, user: UserId) -> domain::Device {
    domain::Device {
        id: domain::DeviceId(store.next_id(IdKind::Device).await.unwrap()),
        user_id: user,
        factor: FactorKind::Hotp,
        display_name: "Pocket".to_owned(),
        status: domain::DeviceStatus::Active,
        credential: domain::Sealed(vec![1]),
        secret: Some(domain::SecretMark { mac: domain::SecretMac([7; 16]), counts: domain::Counts::Codes }),
        last_counter: domain::model::device::BEFORE_FIRST_COUNTER,
        created_at: NOW,
        last_used_at: None,
        subscription: None,
    }
}

/// What was used before a move is used after it.
async fn remembers(store: &Store) {
    let user = world::somebody(store).await;
    let device = token(store, user).await;
    world::put(store, user, vec![Change::CreateDevice(device)]).await.unwrap();
    assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, 5);
}

/// Everything goes on in an installation as it was left.
pub(super) async fn goes_on(store: &Store, user: UserId) {
    assert!(store.verify_audit_chain(user).await.unwrap());
    let event = AuditEvent::of_user(AuditKind::UserUpdated, user, NOW);
    world::put(store, user, vec![event.into()]).await.unwrap();
    assert!(store.verify_audit_chain(user).await.unwrap(), "entries of any format and of this one");
    assert_eq!(store.find_user(Some("x-1"), "").await.unwrap(), Some(user));
    let view = store.view(user).await.unwrap();
    let known = view.user.clone().unwrap();
    assert_eq!(known.profile.texts["title"], "\"电\"\n");
    assert_eq!(view.verifications.len(), 1);
    assert_eq!(view.throttle(ThrottleKey::User).recent, [NOW]);
    let first = view.throttle(ThrottleKey::Device(view.devices[0].id));
    assert_eq!((first.consecutive, first.last_wrong), (1, Some((Digest::of(b"x"), NOW))));
    let newcomer = world::somebody(store).await;
    assert!(newcomer > user);
    let device = world::device(store, user, FactorKind::Hotp).await;
    world::open(store, &world::verification(&device, |_| Challenge::Own)).await;
    assert_eq!(store.view(user).await.unwrap().verifications.len(), 2);
    assert!(store.verify_audit_chain(user).await.unwrap());
    assert!(store.verify_audit_chain(newcomer).await.unwrap());
}

/// Of a move to a place with a password in it nowhere.
pub(crate) fn route(id: u8) -> TransferRoute {
    TransferRoute { id: [id; 16], from: "here".to_owned(), to: "sqlite:///over/there".to_owned() }
}

async fn carried(from: End, to: End) -> Vec<Carried> {
    let expected = from.rows().await.unwrap();
    let mut heard = 0;
    let carried = carry(from, to, &route(1), |done| heard = done).await.unwrap();
    assert_eq!(carried.iter().map(|table| table.rows).sum::<u64>(), expected);
    assert_eq!(heard, 2 * expected, "written and read back");
    let empty: Vec<_> = carried.iter().filter(|table| table.rows == 0).map(|table| table.table).collect();
    assert_eq!(empty, ["unmarked_device"], "which is empty once the server is ready");
    carried
}

#[tokio::test]
async fn a_file_is_carried_to_another_and_goes_on_there() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open_sqlite(old.path(), SqliteOptions::default()).unwrap();
    let user = settle_in(&store, PIECE + 5).await;
    assert!(matches!(End::sqlite_source(old.path()), Err(TransferError::Open(OpenError::Locked))));
    store.close().await;

    carried(End::sqlite_source(old.path()).unwrap(), End::sqlite_target(new.path()).unwrap()).await;
    let ends = || (End::sqlite_source(old.path()).unwrap(), End::sqlite_target(new.path()).unwrap());
    let (source, target) = ends();
    let again = carry(source, target, &route(2), |_| {}).await;
    assert!(
        matches!(&again, Err(TransferError::Open(OpenError::Moved(to))) if to == "sqlite:///over/there"),
        "{again:?}"
    );
    let refused = Store::open_sqlite(old.path(), SqliteOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("sqlite:///over/there"), "{refused}");
    assert_eq!(Store::look_sqlite(old.path(), false).unwrap().pending, [], "and it is read as before");
    let store = Store::open_sqlite(new.path(), SqliteOptions::default()).unwrap();
    remembers(&store).await;
    goes_on(&store, user).await;
    store.close().await;
}

#[tokio::test]
async fn a_place_without_a_database_has_nothing_to_carry() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(End::sqlite_source(dir.path()), Err(TransferError::Missing)));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "and nothing is made there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_postgresql_and_back_unchanged() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (url, options) = (cluster.new_database(), PostgresOptions::default());
    let store = Store::open_sqlite(old.path(), SqliteOptions::default()).unwrap();
    let user = settle_in(&store, PIECE + 5).await;
    store.close().await;

    assert!(matches!(End::postgres_source(&url, &options).await, Err(TransferError::Missing)));
    let there =
        carried(End::sqlite_source(old.path()).unwrap(), End::postgres_target(&url, &options).await.unwrap()).await;
    let back =
        carried(End::postgres_source(&url, &options).await.unwrap(), End::sqlite_target(new.path()).unwrap()).await;
    assert_eq!(there, back);
    let store = Store::open_sqlite(new.path(), SqliteOptions::default()).unwrap();
    remembers(&store).await;
    goes_on(&store, user).await;
    store.close().await;

    let refused = Store::open_postgres(&url, options).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Moved(to) if to == "sqlite:///over/there"), "{refused}");
}

#[tokio::test]
async fn a_target_that_holds_something_takes_nothing_in() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&old, &new] {
        let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
        store.set_meta("key_check", b"x").await.unwrap();
        store.close().await;
    }
    let (source, target) = (End::sqlite_source(old.path()).unwrap(), End::sqlite_target(new.path()).unwrap());
    let refused = carry(source, target, &route(1), |_| {}).await;
    assert!(matches!(refused, Err(TransferError::NotEmpty("meta"))), "{refused:?}");
    for dir in [&old, &new] {
        Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap().close().await;
    }
}

/// The steps of a move up to one that is broken off after it.
async fn broken_off(from: End, to: End, departed: bool) {
    carry_rows(&from, &to, &mut |_| {}).await.unwrap();
    to.arrive(&TransferMark { id: [1; 16], place: "here".to_owned() }).await.unwrap();
    if departed {
        from.depart(&TransferMark { id: [1; 16], place: "sqlite:///over/there".to_owned() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_move_broken_off_anywhere_leaves_at_most_one_place_open_and_is_finished_by_the_next() {
    for departed in [false, true] {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Store::open_sqlite(old.path(), SqliteOptions::default()).unwrap();
        let user = settle_in(&store, 3).await;
        store.close().await;
        let ends = || (End::sqlite_source(old.path()).unwrap(), End::sqlite_target(new.path()).unwrap());
        let (source, target) = ends();
        broken_off(source, target, departed).await;

        let open = |dir: &Path| Store::open_sqlite(dir, SqliteOptions::default());
        assert!(matches!(open(new.path()), Err(OpenError::Arriving(from)) if from == "here"));
        match open(old.path()) {
            Ok(store) if !departed => store.close().await,
            Err(OpenError::Moved(_)) if departed => {}
            other => panic!("{other:?}"),
        }
        let (source, target) = ends();
        carry(source, target, &route(2), |_| {}).await.unwrap();
        assert!(matches!(open(old.path()), Err(OpenError::Moved(_))));
        let store = open(new.path()).unwrap();
        goes_on(&store, user).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_between_servers_broken_off_anywhere_is_finished_by_the_next() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    for departed in [false, true] {
        let (old, new, options) = (cluster.new_database(), cluster.new_database(), PostgresOptions::default());
        let store = Store::open_postgres(&old, options.clone()).await.unwrap();
        let user = settle_in(&store, 3).await;
        store.close().await;
        let ends = async || {
            (End::postgres_source(&old, &options).await.unwrap(), End::postgres_target(&new, &options).await.unwrap())
        };
        let (source, target) = ends().await;
        broken_off(source, target, departed).await;
        let open = async |url: &str| Store::open_postgres(url, options.clone()).await;
        assert!(matches!(open(&new).await, Err(OpenError::Arriving(from)) if from == "here"));
        match open(&old).await {
            Ok(store) if !departed => store.close().await,
            Err(OpenError::Moved(_)) if departed => {}
            other => panic!("{other:?}"),
        }
        let (source, target) = ends().await;
        carry(source, target, &route(2), |_| {}).await.unwrap();
        assert!(matches!(open(&old).await, Err(OpenError::Moved(_))));
        let store = open(&new).await.unwrap();
        goes_on(&store, user).await;
        store.close().await;
    }
}
