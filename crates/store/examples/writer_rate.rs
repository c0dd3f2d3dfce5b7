//! How many HOTP codes a second a store accepts: `cargo run --release -p countersign-store --example writer_rate [tasks] [users]
//! [place]`. The place is a folder for SQLite, the URL of an empty PostgreSQL database, or `postgres` for a private
//! server. Each task proves and decides one code after another, each on a user that it chooses.
//!
//! On PostgreSQL it also measures what that server can do at best on one connection: 64 guarded updates and 64 entries
//! a statement, with nothing around them. `LANES` in the environment sets how many lanes decide.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_store::{PostgresOptions, SqliteOptions, Store};
use domain::model::audit::Actor;
use domain::model::user_patch::UserPatch;
use domain::model::{device, hotp};
use domain::rules::factor::prove;
use domain::rules::user;
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::{
    Change, Counts, Credential, Decision, Device, DeviceId, DeviceStatus, FactorKind, FactorResponse, MacKeys, Outcome,
    Sealed, Secret, SecretMac, SecretMark, Timestamp, UserId,
};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const SECONDS: u64 = 3;

fn secret() -> Secret {
    Secret::new(b"12345678901234567890".to_vec())
}

async fn enrol(store: &Store, id: i64) -> Result<(), countersign_store::Error> {
    let patch = UserPatch { username: Some(Some(format!("user{id}"))), ..UserPatch::default() };
    let token = Device {
        id: DeviceId(id),
        user_id: UserId(id),
        factor: FactorKind::Hotp,
        display_name: "Pocket".to_owned(),
        status: DeviceStatus::Active,
        credential: Sealed(vec![7; 150]),
        secret: Some(SecretMark { mac: SecretMac(i128::from(id).to_be_bytes()), counts: Counts::Codes }),
        last_counter: device::BEFORE_FIRST_COUNTER,
        created_at: NOW,
        last_used_at: None,
        subscription: None,
    };
    let decide = move |_: &domain::View| -> Decision<domain::User> {
        user::create(UserId(id), &patch, &Actor::default(), NOW).with(Change::CreateDevice(token.clone()))
    };
    store.decide(UserId(id), decide).await.map(|_| ())
}

/// Accepts codes of the users `first`, `first + lanes`, … in turn.
async fn work(store: Store, first: i64, lanes: i64, users: i64, done: Arc<AtomicU64>, stop: Arc<AtomicU64>) {
    let keys = MacKeys::new(vec![(1, Secret::new(vec![1; 32]))]);
    let credential = Credential::Hotp(hotp::Hotp { secret: secret(), digits: 6 });
    let mut id = first;
    while stop.load(Ordering::Relaxed) == 0 {
        let Ok(view) = store.view(UserId(id)).await else { return };
        let Some(device) = view.devices.first() else { return };
        let next = (device.last_counter + 1).unsigned_abs();
        let code = hotp::code(&secret(), hotp::Algorithm::Sha1, next, 6);
        let evidence = prove::prove(&credential, device, None, &FactorResponse::typed(&code), &keys, NOW);
        let target = Target::Device { device: device.id, state_token: None };
        let decide = move |view: &domain::View| answer(view, &target, &evidence, &Actor::default(), NOW);
        if let Ok(Outcome::Accepted { .. }) = store.decide(UserId(id), decide).await {
            done.fetch_add(1, Ordering::Relaxed);
        }
        id = if id + lanes > users { first } else { id + lanes };
    }
}

/// Enrols `users` users, some at a time.
async fn enrol_all(store: &Store, users: i64) -> Result<(), Box<dyn std::error::Error>> {
    let enrolling: Vec<_> = (0..64)
        .map(|lane| {
            let store = store.clone();
            tokio::spawn(async move {
                for id in (1 + lane..=users).step_by(64) {
                    enrol(&store, id).await?;
                }
                Ok::<_, countersign_store::Error>(())
            })
        })
        .collect();
    for lane in enrolling {
        lane.await??;
    }
    Ok(())
}

/// Codes accepted a second by `tasks` tasks at once.
async fn measure(store: &Store, tasks: i64, users: i64) -> Result<u64, Box<dyn std::error::Error>> {
    let before = store.stats();
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let running: Vec<_> = (1..=tasks)
        .map(|first| tokio::spawn(work(store.clone(), first, tasks, users, done.clone(), stop.clone())))
        .collect();
    #[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
    tokio::time::sleep(std::time::Duration::from_secs(SECONDS)).await;
    stop.store(1, Ordering::Relaxed);
    for task in running {
        task.await?;
    }
    let after = store.stats();
    let (accepted, commits) = (done.load(Ordering::Relaxed), after.commits - before.commits);
    writeln!(
        std::io::stdout(),
        "{tasks} tasks, {users} users: {} accepted/s, {} commits/s, {} a commit",
        accepted / SECONDS,
        commits / SECONDS,
        (after.jobs - before.jobs) / commits.max(1),
    )?;
    Ok(accepted / SECONDS)
}

/// What the server does at best: rows a second in guarded batches of 64 on one connection.
async fn ceiling(url: &str, users: i64) -> Result<u64, Box<dyn std::error::Error>> {
    let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(driver);
    client
        .batch_execute(
            "DROP TABLE IF EXISTS bench_device, bench_audit; \
             CREATE TABLE bench_device (id BIGINT PRIMARY KEY, credential BYTEA NOT NULL, last_step BIGINT NOT NULL); \
             CREATE TABLE bench_audit (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device BIGINT NOT NULL, \
             step BIGINT NOT NULL, kind TEXT NOT NULL, hash BYTEA NOT NULL)",
        )
        .await?;
    client
        .execute(
            "INSERT INTO bench_device SELECT n, decode(repeat('07', 150), 'hex'), 0 FROM generate_series(1, $1::bigint) n",
            &[&users],
        )
        .await?;
    client.batch_execute("ANALYZE bench_device").await?;
    let batch = client
        .prepare(
            "WITH spent AS (UPDATE bench_device SET last_step = $1 WHERE id = ANY($2) AND last_step < $1 RETURNING id) \
             INSERT INTO bench_audit (device, step, kind, hash) SELECT id, $1, 'verification.accepted', $3 FROM spent",
        )
        .await?;
    let (mut rows, mut step, mut first) = (0, 1i64, 1i64);
    let hash = vec![7u8; 32];
    #[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
    let deadline = tokio::time::sleep(std::time::Duration::from_secs(SECONDS));
    tokio::pin!(deadline);
    loop {
        // Scattered, as users who log in are; 7919 is prime, so no batch holds one twice.
        let ids: Vec<i64> = (first..first + 64).map(|n| n * 7919 % users + 1).collect();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&step, &ids, &hash];
        tokio::select! {
            changed = client.execute(&batch, &params) => rows += changed?,
            () = &mut deadline => break,
        }
        first += 64;
        if first + 64 > users {
            (first, step) = (1, step + 1);
        }
    }
    Ok(rows / SECONDS)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks: i64 = arguments.next().map_or(Ok(64), |n| n.parse())?;
    let users: i64 = arguments.next().map_or(Ok(10_000), |n| n.parse())?;
    let lanes = std::env::var("LANES").ok().and_then(|n| n.parse().ok());
    let place = arguments.next();
    let mut cluster = None;
    let url = match place.as_deref() {
        Some("postgres") => {
            let started = cluster.insert(pgtest::Cluster::start().ok_or("PostgreSQL is not installed")?);
            Some(started.new_database())
        }
        Some(url) if url.starts_with("postgres") => Some(url.to_owned()),
        _ => None,
    };
    if let Some(url) = url {
        let mut options = PostgresOptions::default();
        options.lanes = lanes.unwrap_or(options.lanes);
        let store = Store::open_postgres(&url, options).await?;
        enrol_all(&store, users).await?;
        for _ in 0..3 {
            let accepted = measure(&store, tasks, users).await?;
            let best = ceiling(&url, users).await?;
            let percent = accepted * 100 / best.max(1);
            writeln!(std::io::stdout(), "{best} rows/s in batches of 64 on one connection: {percent} % of it")?;
        }
        store.close().await;
        return Ok(());
    }
    let dir = match place {
        Some(dir) => dir.into(),
        None => tempfile::tempdir()?.keep(),
    };
    let store = Store::open_sqlite(&dir, SqliteOptions::default())?;
    enrol_all(&store, users).await?;
    for _ in 0..3 {
        measure(&store, tasks, users).await?;
    }
    store.close().await;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
