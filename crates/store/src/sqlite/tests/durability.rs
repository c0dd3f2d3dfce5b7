//! What the disk does to us, and what we promise in return (SEC 76–81).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use domain::rules::factor::prove::prove;
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::*;

use super::super::{Fatal, open};
use super::*;
use crate::{Error, OpenError};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_process_is_kept_out_until_the_first_has_closed() {
    let (store, dir) = make();
    let second = Store::open_sqlite(dir.path(), SqliteOptions::default());
    assert!(matches!(second, Err(OpenError::Locked)), "{second:?}");
    store.set_meta("key", b"value").await.unwrap();
    store.close().await;
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    assert_eq!(store.meta("key").await.unwrap().as_deref(), Some(b"value".as_slice()));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_is_an_outage_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { max_page_count: Some(250), ..SqliteOptions::default() };
    let store = Store::open_sqlite(dir.path(), options).unwrap();
    let mut written = Vec::new();
    let full = loop {
        let key = format!("key{}", written.len());
        match store.set_meta(&key, &[7; 8192]).await {
            Ok(()) => written.push(key),
            Err(error) => break error,
        }
    };
    assert_eq!(full, Error::Unavailable("the disk is full"));
    assert!(!written.is_empty());
    assert!(!store.ready().await, "readiness tells of a full disk");
    // A whole group is refused together, and each caller hears it.
    let crowd: Vec<_> = (0..20)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.set_meta(&format!("crowd{n}"), &[7; 8192]).await })
        })
        .collect();
    for one in crowd {
        assert!(matches!(one.await.unwrap(), Err(Error::Unavailable(_))));
    }
    sqlite(&store).write(|tx| Ok(open::set(tx.conn.conn, "max_page_count", 100_000)?)).await.unwrap();
    store.set_meta("after", &[7; 8192]).await.unwrap();
    assert!(store.ready().await);
    for key in written {
        assert!(store.meta(&key).await.unwrap().is_some(), "{key} was answered");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_is_folded_while_serving() {
    let (store, dir) = make();
    for n in 0..160u8 {
        store.set_meta(&format!("key{}", n % 10), &vec![n; 1 << 20]).await.unwrap();
    }
    let size = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().len();
    assert!(size("countersign.db") > 5 << 20, "the database has grown before any close");
    assert!(size("countersign.db-wal") < 80 << 20, "{}", size("countersign.db-wal"));
    store.close().await;
    assert!(!dir.path().join("countersign.db-wal").exists(), "and nothing is left behind");
}

fn alarm() -> (Fatal, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = heard.clone();
    (Arc::new(move |sentence: &str| hook.lock().unwrap().push(sentence.to_owned())), heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_damaged_database_is_not_written_to() {
    let (store, dir) = make();
    for n in 0..200 {
        store.set_meta(&format!("key{n:03}"), &[7; 3000]).await.unwrap();
    }
    store.close().await;
    let path = dir.path().join("countersign.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Every page but the first, which names the schema.
    bytes[2048..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();

    let (fatal, heard) = alarm();
    let options = SqliteOptions { fatal: Some(fatal), ..SqliteOptions::default() };
    match Store::open_sqlite(dir.path(), options) {
        Err(OpenError::Sqlite(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(store) => {
            assert!(matches!(store.set_meta("key", b"").await, Err(Error::Unavailable(_))));
            while heard.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            assert!(!store.ready().await);
            assert!(matches!(store.set_meta("key", b"").await, Err(Error::Unavailable(_))));
            assert!(matches!(store.meta("key").await, Err(Error::Unavailable(_))));
            assert_eq!(heard.lock().unwrap().len(), 1, "the process is ended once");
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_panic_of_the_writer_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let (fatal, heard) = alarm();
    let options = SqliteOptions { fatal: Some(fatal), ..SqliteOptions::default() };
    let store = Store::open_sqlite(dir.path(), options).unwrap();
    let user = somebody(&store).await;
    let reply: Result<(), Error> = store.decide(user, |_| panic!("a rule is wrong")).await;
    assert_eq!(reply, Err(Error::Unavailable("closed")));
    while heard.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*heard.lock().unwrap(), ["the writer panicked"]);
    assert!(!store.ready().await);
    assert!(store.decide(user, |_| Decision::reply(())).await.is_err());
}

// ---- a separate process, to be watched and killed

/// Serves HOTP codes one after another in the folder named by the environment, and says each that was answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the tests below as a process of its own"]
async fn child() {
    let Ok(dir) = std::env::var("STORE_TEST_DIR") else { return };
    let codes: u64 = std::env::var("STORE_TEST_CODES").unwrap().parse().unwrap();
    let fatal: Fatal = Arc::new(|_: &str| std::process::exit(70));
    let store =
        Store::open_sqlite(Path::new(&dir), SqliteOptions { fatal: Some(fatal), ..Default::default() }).unwrap();
    let user = somebody(&store).await;
    let mut device = device(&store, user, FactorKind::Hotp).await;
    for counter in 0..codes {
        let evidence = prove(&hotp(), &device, None, &hotp_code(counter), &keys(), NOW);
        let target = Target::Device { device: device.id, state_token: None };
        let outcome = store.decide(user, move |view| answer(view, &target, &evidence, &context(), NOW)).await;
        match outcome {
            Ok(Outcome::Accepted { .. }) => {}
            // The hook is about to end this process.
            Err(_) => loop {
                std::thread::park();
            },
            Ok(other) => panic!("{other:?}"),
        }
        device.last_counter = counter.cast_signed();
        let mut out = std::io::stdout().lock();
        writeln!(out, "answered {counter}").unwrap();
        out.flush().unwrap();
    }
    store.close().await;
}

fn start(dir: &Path, codes: u64, strace: &[&str]) -> Child {
    let test = std::env::current_exe().unwrap();
    let mut command = match strace {
        [] => Command::new(&test),
        options => {
            let mut command = Command::new("strace");
            command.args(options).arg(&test);
            command
        }
    };
    command
        .args(["--exact", "--ignored", "--nocapture", "sqlite::tests::durability::child"])
        .env("STORE_TEST_DIR", dir)
        .env("STORE_TEST_CODES", codes.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn answered(child: &mut Child) -> impl Iterator<Item = i64> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.filter_map(|line| line.ok()?.rsplit_once("answered ")?.1.parse().ok())
}

async fn last_counter(dir: &Path) -> i64 {
    let store = Store::open_sqlite(dir, SqliteOptions::default()).unwrap();
    let counter = store.view(UserId(1)).await.unwrap().devices[0].last_counter;
    assert!(store.verify_audit_chain(UserId(1)).await.unwrap());
    store.close().await;
    counter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answered_code_stays_spent_when_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start(dir.path(), 1_000_000, &[]);
    let last = answered(&mut child).take(200).last().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(last_counter(dir.path()).await >= last);
}

/// Says so and gives `false` where processes cannot be watched.
fn can_trace() -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        let _ = writeln!(std::io::stderr(), "skipped: strace does not work here, so that syncs were not counted");
    }
    works
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_lone_answer_follows_a_sync() {
    if !can_trace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("trace");
    let options = ["-f", "-e", "trace=fsync,fdatasync,write", "-s", "64", "-o", log.to_str().unwrap()];
    let mut child = start(&dir.path().join("db"), 50, &options);
    assert_eq!(answered(&mut child).count(), 50);
    assert!(child.wait().unwrap().success());
    let trace = std::fs::read_to_string(log).unwrap();
    let mut synced = false;
    let mut answers = 0;
    for line in trace.lines() {
        if line.contains("fsync(") || line.contains("fdatasync(") {
            synced = true;
        } else if line.contains("write(1, ") && line.contains("answered ") {
            assert!(synced, "an answer without a sync before it: {line}");
            synced = false;
            answers += 1;
        }
    }
    assert_eq!(answers, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_ends_the_process_and_is_never_tried_again() {
    if !can_trace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let inject = ["fsync", "fdatasync"].map(|call| format!("inject={call}:error=EIO:when=30+"));
    let options = ["-f", "-o", "/dev/null", "-e", &inject[0], "-e", &inject[1]];
    let mut child = start(dir.path(), 1_000_000, &options);
    let last = answered(&mut child).last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(70));
    assert!((1..40).contains(&last), "{last}");
    assert!(last_counter(dir.path()).await >= last);
}
