//! A disk that fails for a while: it hangs (SEC 79), or it is full (SEC 78). The faults are put into a running
//! server's system calls by strace; where that does not work, nothing is tested, and that is said.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Http, Running, pause};

#[expect(clippy::disallowed_methods, reason = "a test of a deadline measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Faults in the system calls of a server, until it is dropped.
struct Fault(Child);

impl Fault {
    /// Injects `fault` in calls of `server` that concern these files. `None` where processes cannot be watched.
    fn inject(server: &Running, files: &[&Path], fault: &str) -> Option<Self> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", fault, "-p"]).arg(server.child.id().to_string());
        for file in files {
            strace.arg("-P").arg(file);
        }
        let Ok(mut child) = strace.stdin(Stdio::null()).stderr(Stdio::null()).spawn() else {
            let _ = writeln!(std::io::stderr(), "skipped: strace does not work here, so that no disk fails");
            return None;
        };
        let status = format!("/proc/{}/status", server.child.id());
        for _ in 0..500 {
            if child.try_wait().unwrap().is_some() {
                let _ = writeln!(std::io::stderr(), "skipped: strace may not watch processes here");
                return None;
            }
            if std::fs::read_to_string(&status)
                .unwrap()
                .lines()
                .any(|l| l.starts_with("TracerPid") && !l.ends_with("\t0"))
            {
                // Its threads are taken one after another.
                pause(500);
                return Some(Self(child));
            }
            pause(20);
        }
        panic!("strace does not come");
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A change that must reach the disk. Gives the answer's status.
fn write(api: &mut Http, name: &str) -> u16 {
    let answer = api.send("POST", "/api/2/users", &format!(r#"{{"username":"{name}"}}"#)).unwrap();
    assert_eq!(answer.status == 503, answer.header("retry-after").is_some(), "{}", answer.body);
    answer.status
}

fn comes_back(mut is_back: impl FnMut() -> bool) {
    let came = (0..600).any(|_| {
        let back = is_back();
        if !back {
            pause(100);
        }
        back
    });
    assert!(came, "it does not come back");
}

#[test]
fn a_stuck_disk_is_a_503_in_five_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let world = Running::dev(folder.path());
    let (mut api, mut probe) = (world.api(), world.http());
    assert_eq!(write(&mut api, "before"), 201);
    let stuck = "inject=fdatasync,fsync:delay_enter=45000000";
    let Some(fault) = Fault::inject(&world, &[], stuck) else { return };
    let began = now();
    assert_eq!(write(&mut api, "during"), 503);
    // The handler's own limit would take thirty.
    assert!(now() - began < Duration::from_secs(25), "{:?}", now() - began);
    comes_back(|| probe.send("GET", "/readyz", "").unwrap().status == 503);
    assert_eq!(probe.send("GET", "/livez", "").unwrap().status, 200);
    api.expect(200, "GET", "/api/2/users?username=before", "");
    drop(fault);
    comes_back(|| write(&mut api, "after") == 201);
    comes_back(|| probe.send("GET", "/readyz", "").unwrap().status == 200);
}

#[test]
fn a_full_disk_is_told_once() {
    // The system says it in either way, and a quota is no broken disk.
    for full in ["ENOSPC", "EDQUOT"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let log = folder.path().join("log");
        let args = ["dev", "--data-dir", data.to_str().unwrap()];
        let mut world = Running::start_logging(&args, std::fs::File::create(&log).unwrap());
        let mut api = world.api();
        assert_eq!(write(&mut api, "before"), 201);
        let db = data.canonicalize().unwrap().join("db");
        let files = [db.join("countersign.db-wal"), db.join("probe")];
        let files: Vec<_> = files.iter().map(std::path::PathBuf::as_path).collect();
        let fault = format!("inject=pwrite64,write:error={full}");
        let Some(fault) = Fault::inject(&world, &files, &fault) else { return };
        for n in 0..200 {
            assert_eq!(write(&mut api, &format!("during{n}")), 503, "{full}");
        }
        assert!(world.child.try_wait().unwrap().is_none(), "{full} ended the process");
        drop(fault);
        comes_back(|| write(&mut api, "after") == 201);
        api.expect(200, "GET", "/api/2/users?username=before", "");
        assert_eq!(world.stop(), Some(0));
        let log = std::fs::read_to_string(&log).unwrap();
        let told = |words: &str| log.lines().filter(|line| line.contains(words)).count();
        assert_eq!(told("the database cannot be written"), 1, "{full}");
        assert_eq!(told("the database can be written again"), 1, "{full}");
        assert!(told("checkpoint failed") <= 1, "{full}");
    }
}

#[test]
fn a_damaged_user_is_refused_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = folder.path().join("log");
    let args = ["dev", "--data-dir", data.to_str().unwrap()];
    let mut world = Running::start_logging(&args, std::fs::File::create(&log).unwrap());
    let mut api = world.api();
    let [damaged, other] = ["damaged", "other"].map(|name| {
        let user = api.expect(201, "POST", "/api/2/users", &format!(r#"{{"username":"{name}"}}"#));
        let devices = format!("/api/1/users/{}/otp_devices", user["id"]);
        api.expect(200, "POST", &devices, r#"{"factor_id":6,"display_name":"token"}"#);
        devices
    });
    let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
    database.pragma_update(None, "busy_timeout", 5_000).unwrap();
    let row = "SELECT state FROM \"user\" WHERE username = 'damaged'";
    let mut state: Vec<u8> = database.query_row(row, [], |row| row.get(0)).unwrap();
    let middle = state.len() / 2;
    state[middle] ^= 0x10;
    assert_eq!(database.execute("UPDATE \"user\" SET state = ?1 WHERE username = 'damaged'", [&state]), Ok(1));

    let refused = api.send("GET", &damaged, "").unwrap();
    assert_eq!(refused.status, 500, "{}", refused.body);
    let request = refused.header("x-request-id").unwrap().to_owned();
    let enrolled = api.send("POST", &damaged, r#"{"factor_id":6,"display_name":"another"}"#).unwrap();
    assert_eq!(enrolled.status, 500, "{}", enrolled.body);
    api.expect(200, "GET", &other, "");
    api.expect(200, "POST", &other, r#"{"factor_id":6,"display_name":"another"}"#);
    api.expect(200, "GET", "/api/2/users?username=damaged", "");
    assert!(world.child.try_wait().unwrap().is_none());
    assert_eq!(world.stop(), Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    let told = log.lines().filter(|line| line.contains("ERROR") && line.contains(&request)).count();
    assert_eq!(told, 1, "once for each call");
}
