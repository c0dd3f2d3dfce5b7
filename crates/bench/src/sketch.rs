//! The second yardstick: a sketch of a server that does what a durable verification cannot do without, and nothing else. It
//! looks the token up, reads the JSON, finds the code's counter, moves the device's counter on only if it is lower, writes a
//! chained audit entry, and answers once the disk has both. Its devices are in memory, one thread answers requests, another
//! writes, and what waits is written in one transaction. It shows how fast SQLite lets a server be on this machine.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::compare::Load;
use crate::device::Token;
use crate::echo::AnswerSize;
use crate::helper::{self, Helper};
use crate::population::ImportedDevice;
use crate::workload::Workload;

const DEVICES: &str = "devices.jsonl";
const TOKENS: &str = "tokens";
const AUDIT_KIND: &str = "verification.accepted";

/// As Countersign keeps its database: a commit is on the disk, and pages are small because a verification changes few
/// bytes of two. The log is written back after 16 MiB.
const SETTINGS: &str = "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 8192";
/// Rows as wide as those that Countersign reads and writes for a verification.
const TABLES: &str = "
    CREATE TABLE device (id INTEGER PRIMARY KEY, credential BLOB NOT NULL, counter INTEGER NOT NULL) STRICT;
    CREATE TABLE audit (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, device_id INTEGER NOT NULL,
        counter INTEGER NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL) STRICT";
const CREDENTIAL: [u8; 150] = [7; 150];
const SPEND: &str = "UPDATE device SET counter = ?1 WHERE id = ?2 AND counter < ?1";
const RECORD: &str = "INSERT INTO audit (user_id, device_id, counter, kind, hash) VALUES (?1, ?2, ?3, ?4, ?5)";

/// The arguments of the hidden program.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder with the devices and the tokens, and of the database
    #[arg(long)]
    folder: PathBuf,
    #[command(flatten)]
    size: AnswerSize,
}

/// The sketch in a separate process.
pub(crate) struct Sketch {
    helper: Helper,
    _folder: TempDir,
}

impl Sketch {
    /// A sketch that knows these devices and this `Authorization`, with answers of this size.
    pub(crate) fn start(
        folder: TempDir,
        devices: &[ImportedDevice],
        authorization: &str,
        size: AnswerSize,
    ) -> Result<Self> {
        let mut list = BufWriter::new(File::create(folder.path().join(DEVICES))?);
        for device in devices {
            writeln!(list, "{}", serde_json::to_string(device)?)?;
        }
        list.flush()?;
        std::fs::write(folder.path().join(TOKENS), authorization)?;
        let mut args = vec!["--folder".to_owned(), folder.path().display().to_string()];
        args.extend(size.args());
        Ok(Self { helper: Helper::start("sketch-server", &args)?, _folder: folder })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.helper.address
    }

    /// Load of these workloads.
    pub(crate) fn load<E: Workload>(&self, workloads: Vec<E>) -> Load<E> {
        Load::yardstick(&self.helper, workloads)
    }
}

/// The hidden program: serves until standard input closes.
pub(crate) fn run(args: &Args) -> Result<()> {
    helper::end_with_parent();
    let devices = read_devices(&args.folder.join(DEVICES))?;
    let authorization = std::fs::read_to_string(args.folder.join(TOKENS))?;
    let database = database(&args.folder.join("sketch.db"), devices.keys().copied())?;
    let (orders, ordered) = mpsc::channel();
    let (answers, mut answered) = unbounded_channel();
    std::thread::spawn(move || write(database, &ordered, &answers));

    let tokens = HashSet::from([authorization]);
    let server = Arc::new(SketchServer { tokens, devices: Mutex::new(devices), waiting: Mutex::default() });
    let parking = server.clone();
    // What has gathered goes to the writer when the thread has nothing else to do.
    let hand_over = move || parking.hand_over(&orders);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().on_thread_park(hand_over).build()?;
    runtime.block_on(async {
        tokio::spawn(async move {
            while let Some(group) = answered.recv().await {
                for Answered { caller, was_fresh } in group {
                    // A caller that hung up needs no answer.
                    let _ = caller.send(was_fresh);
                }
            }
        });
        serve(server, args.size).await
    })
}

/// A device in memory.
struct Known {
    user: i64,
    token: Token,
}

/// A code's counter, on its way to the writer.
struct Spending {
    user: i64,
    device: i64,
    counter: u64,
    caller: oneshot::Sender<bool>,
}

/// Whether a counter was above the last one.
struct Answered {
    caller: oneshot::Sender<bool>,
    was_fresh: bool,
}

struct SketchServer {
    tokens: HashSet<String>,
    devices: Mutex<HashMap<i64, Known>>,
    waiting: Mutex<Vec<Spending>>,
}

#[derive(Deserialize)]
struct Typed {
    otp_token: String,
}

impl SketchServer {
    fn hand_over(&self, orders: &Sender<Vec<Spending>>) {
        let group = std::mem::take(&mut *locked(&self.waiting));
        if !group.is_empty() {
            // Without the writer all its callers are gone.
            let _ = orders.send(group);
        }
    }

    async fn verify(&self, request: Request<Incoming>) -> StatusCode {
        let told = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if !told.is_some_and(|token| self.tokens.contains(token)) {
            return StatusCode::UNAUTHORIZED;
        }
        let Some((user, device)) = target(request.uri().path()) else { return StatusCode::NOT_FOUND };
        let Ok(body) = request.into_body().collect().await else { return StatusCode::BAD_REQUEST };
        let Ok(typed) = serde_json::from_slice::<Typed>(&body.to_bytes()) else { return StatusCode::BAD_REQUEST };
        let Ok(code) = typed.otp_token.parse() else { return StatusCode::BAD_REQUEST };
        let counter = locked(&self.devices)
            .get(&device)
            .filter(|known| known.user == user)
            .and_then(|known| known.token.counter_of(code));
        let Some(counter) = counter else { return StatusCode::UNAUTHORIZED };
        let (caller, answer) = oneshot::channel();
        locked(&self.waiting).push(Spending { user, device, counter, caller });
        if !answer.await.unwrap_or(false) {
            return StatusCode::UNAUTHORIZED;
        }
        if let Some(known) = locked(&self.devices).get_mut(&device) {
            known.token.move_past(counter);
        }
        StatusCode::OK
    }
}

async fn serve(server: Arc<SketchServer>, size: AnswerSize) -> Result<()> {
    let listener = helper::listen().await?;
    let answer: Response<Full<Bytes>> = size.answer()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (server, answer) = (server.clone(), answer.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (server, mut answer) = (server.clone(), answer.clone());
            async move {
                *answer.status_mut() = server.verify(request).await;
                Ok::<_, Infallible>(answer)
            }
        });
        tokio::spawn(async move {
            // The load program notices a broken connection.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// User and device of `/api/1/users/USER/otp_devices/DEVICE/verify`.
fn target(path: &str) -> Option<(i64, i64)> {
    let (user, rest) = path.strip_prefix("/api/1/users/")?.split_once("/otp_devices/")?;
    Some((user.parse().ok()?, rest.strip_suffix("/verify")?.parse().ok()?))
}

fn read_devices(path: &Path) -> Result<HashMap<i64, Known>> {
    let mut devices = HashMap::new();
    for line in BufReader::new(File::open(path)?).lines() {
        let device: ImportedDevice = serde_json::from_str(&line?)?;
        devices.insert(device.device, Known { user: device.user, token: device.token()? });
    }
    Ok(devices)
}

/// An empty database with a row for each device.
fn database(path: &Path, devices: impl Iterator<Item = i64>) -> Result<Connection> {
    let mut database = Connection::open(path).context("cannot make a database")?;
    database.execute_batch(SETTINGS)?;
    database.execute_batch(TABLES)?;
    let filling = database.transaction()?;
    for device in devices {
        filling.execute("INSERT INTO device VALUES (?1, ?2, -1)", params![device, CREDENTIAL])?;
    }
    filling.commit()?;
    Ok(database)
}

/// Writes what was handed over, all of it in one transaction, and answers once it is on the disk. Ends with the process, or
/// with a failure, which leaves the callers without an answer.
fn write(
    mut database: Connection,
    ordered: &Receiver<Vec<Spending>>,
    answers: &UnboundedSender<Vec<Answered>>,
) -> Result<()> {
    let mut last = [0; 32];
    while let Ok(mut group) = ordered.recv() {
        group.extend(ordered.try_iter().flatten());
        let mut done = Vec::with_capacity(group.len());
        let writing = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let (mut spend, mut record) = (writing.prepare_cached(SPEND)?, writing.prepare_cached(RECORD)?);
            for Spending { user, device, counter, caller } in group {
                let was_fresh = spend.execute(params![counter.cast_signed(), device])? == 1;
                if was_fresh {
                    last = chained(&last, user, device, counter);
                    record.execute(params![user, device, counter.cast_signed(), AUDIT_KIND, last])?;
                }
                done.push(Answered { caller, was_fresh });
            }
        }
        writing.commit()?;
        // Without a receiver the process is about to end.
        let _ = answers.send(done);
    }
    Ok(())
}

/// The hash of an entry, given that of the one before it.
fn chained(last: &[u8; 32], user: i64, device: i64, counter: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(last);
    hash.update(user.to_be_bytes());
    hash.update(device.to_be_bytes());
    hash.update(counter.to_be_bytes());
    hash.update(AUDIT_KIND);
    hash.finalize().into()
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_user_and_a_device() {
        assert_eq!(target("/api/1/users/7/otp_devices/9/verify"), Some((7, 9)));
        for other in ["/api/1/users/7/otp_devices/9", "/api/1/users/x/otp_devices/9/verify", "/api/1/users/7"] {
            assert_eq!(target(other), None, "{other}");
        }
    }

    /// Otherwise it would be no yardstick for a server that accepts a code once.
    #[test]
    fn a_counter_is_written_once_and_chained() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sketch.db");
        let database = database(&path, [9].into_iter()).unwrap();
        let ((orders, ordered), (answers, mut answered)) = (mpsc::channel(), unbounded_channel());
        let spending = |counter| Spending { user: 7, device: 9, counter, caller: oneshot::channel().0 };
        orders.send(vec![spending(3), spending(3), spending(2)]).unwrap();
        orders.send(vec![spending(4)]).unwrap();
        drop(orders);
        write(database, &ordered, &answers).unwrap();
        let fresh: Vec<bool> = answered.blocking_recv().unwrap().iter().map(|answer| answer.was_fresh).collect();
        assert_eq!(fresh, [true, false, false, true]);
        let reader = Connection::open(path).unwrap();
        let entries: Vec<(i64, [u8; 32])> = {
            let mut entries = reader.prepare("SELECT counter, hash FROM audit ORDER BY id").unwrap();
            let rows = entries.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let first = chained(&[0; 32], 7, 9, 3);
        assert_eq!(entries, [(3, first), (4, chained(&first, 7, 9, 4))]);
    }
}
