//! How many HOTP codes a second the SQLite writer accepts: `cargo run --release -p store --example writer_rate [tasks]
//! [users] [folder]`. Each task proves and decides one code after another, each on a user of its own choosing.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::factor::{self, hotp};
use domain::user::UserPatch;
use domain::verification::{Context, Outcome, Target, answer};
use domain::{
    Change, Credential, Decision, Device, DeviceId, DeviceStatus, FactorKind, MacKeys, Response, Sealed, Secret,
    Timestamp, UserId, device, user,
};
use store::{SqliteOptions, Store};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const SECONDS: u64 = 3;

fn secret() -> Secret {
    Secret::new(b"12345678901234567890".to_vec())
}

async fn enrol(store: &Store, id: i64) -> Result<(), store::Error> {
    let patch = UserPatch { username: Some(Some(format!("user{id}"))), ..UserPatch::default() };
    let token = Device {
        id: DeviceId(id),
        user_id: UserId(id),
        factor: FactorKind::Hotp,
        display_name: "Pocket".to_owned(),
        status: DeviceStatus::Active,
        credential: Sealed(vec![7; 150]),
        last_counter: device::NO_COUNTER,
        created_at: NOW,
        last_used_at: None,
    };
    let decide = move |_: &domain::View| -> Decision<domain::User> {
        user::create(UserId(id), &patch, &Context::default(), NOW).with(Change::CreateDevice(token.clone()))
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
        let evidence = factor::prove(&credential, device, None, &Response::Text(code), &keys, NOW);
        let target = Target::Device { device: device.id, state_token: None };
        let decide = move |view: &domain::View| answer(view, &target, &evidence, &Context::default(), NOW);
        if let Ok(Outcome::Accepted { .. }) = store.decide(UserId(id), decide).await {
            done.fetch_add(1, Ordering::Relaxed);
        }
        id = if id + lanes > users { first } else { id + lanes };
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks: i64 = arguments.next().map_or(Ok(64), |n| n.parse())?;
    let users: i64 = arguments.next().map_or(Ok(10_000), |n| n.parse())?;
    let dir = match arguments.next() {
        Some(dir) => PathBuf::from(dir),
        None => tempfile::tempdir()?.keep(),
    };
    let store = Store::open_sqlite(&dir, SqliteOptions::default())?;
    let enrolling: Vec<_> = (0..64)
        .map(|lane| {
            let store = store.clone();
            tokio::spawn(async move {
                for id in (1 + lane..=users).step_by(64) {
                    enrol(&store, id).await?;
                }
                Ok::<_, store::Error>(())
            })
        })
        .collect();
    for lane in enrolling {
        lane.await??;
    }
    let mut out = std::io::stdout();
    for _ in 0..3 {
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
            out,
            "{tasks} tasks, {users} users: {} accepted/s, {} commits/s, {} a commit",
            accepted / SECONDS,
            commits / SECONDS,
            (after.jobs - before.jobs) / commits.max(1),
        )?;
    }
    store.close().await;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
