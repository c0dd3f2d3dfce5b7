//! Under a service manager: sockets that it hands over (`sd_listen_fds(3)`), and what it hears (`sd_notify(3)`).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::{Running, countersign, pause, run, run_json};

/// A command that hands these sockets over, as a manager does: from descriptor 3 on, to exactly this process.
fn handing(first: &TcpListener, second: Option<&TcpListener>) -> Command {
    let plain = countersign();
    let mut command = Command::new("sh");
    let descriptors = if second.is_some() { "3<&0 4<&1" } else { "3<&0" };
    let count = if second.is_some() { 2 } else { 1 };
    command.arg("-c").arg(format!(
        "exec {descriptors}; exec </dev/null >/dev/null; LISTEN_PID=$$ LISTEN_FDS={count} exec \"$0\" \"$@\""
    ));
    command.arg(plain.get_program());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let given = |socket: &TcpListener| Stdio::from(OwnedFd::from(socket.try_clone().unwrap()));
    command.stdin(given(first));
    if let Some(second) = second {
        command.stdout(given(second));
    }
    command
}

/// Starts a server on sockets that are handed over, and waits until it is ready.
fn start(data: &Path, mut command: Command, more: &[&str]) -> Running {
    let ready = data.with_extension("ready");
    let _ = std::fs::remove_file(&ready);
    command.args(["serve", "--data-dir"]).arg(data).arg("--ready-file").arg(&ready).args(more);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..600 {
        if let Ok(text) = std::fs::read_to_string(&ready) {
            return Running { child, ready: serde_json::from_str(&text).unwrap() };
        }
        assert!(child.try_wait().unwrap().is_none(), "the server ended");
        pause(50);
    }
    panic!("the server was not ready in time");
}

fn get(address: std::net::SocketAddr, path: &str) -> std::io::Result<String> {
    let mut line = TcpStream::connect(address)?;
    write!(line, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    line.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_server_answers_on_the_sockets_that_it_is_handed() {
    let folder = tempfile::tempdir().unwrap();
    let (api, admin) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [&api, &admin].map(|socket| socket.local_addr().unwrap());
    // Other addresses in the configuration do not matter.
    let server = start(&folder.path().join("data"), handing(&api, Some(&admin)), &["--listen", "127.0.0.1:1"]);
    assert_eq!(server.ready["base_url"], format!("http://{}", addresses[0]));
    assert_eq!(server.ready["admin_url"], format!("http://{}", addresses[1]));
    assert!(get(addresses[0], "/readyz").unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(addresses[1], "/metrics").unwrap().contains("countersign_build_info"));
    assert_eq!(server.stop(), Some(0));

    // By name, the order does not matter.
    let mut named = handing(&admin, Some(&api));
    named.env("LISTEN_FDNAMES", "admin:api");
    let server = start(&folder.path().join("data"), named, &[]);
    assert_eq!(server.ready["base_url"], format!("http://{}", addresses[0]));
    assert_eq!(server.ready["admin_url"], format!("http://{}", addresses[1]));
    assert_eq!(server.stop(), Some(0));
}

/// SEC 52: a second address for callers must not become one for metrics.
#[test]
fn two_sockets_with_names_need_one_for_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    for names in ["api:api", "admin:admin", "api:metrics"] {
        let mut command = handing(&one, Some(&other));
        command.env("LISTEN_FDNAMES", names).args(["serve", "--data-dir"]).arg(folder.path().join("data"));
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains("exactly one of two is called admin"), "{names}: {said}");
    }
}

/// A stranger's connection, or one that a browser opens beforehand, holds up a stop for no longer than a caller may take to ask.
#[test]
fn connections_without_a_request_hold_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["serve", "--data-dir", folder.path().join("data").to_str().unwrap()]);
    let connections: Vec<TcpStream> = (0..20)
        .map(|n| {
            let mut line = TcpStream::connect(server.address()).unwrap();
            if n % 2 == 0 {
                line.write_all(b"GET /livez HTTP/1.1\r\nhost: h").unwrap();
            }
            line
        })
        .collect();
    pause(300);
    let began = engine::Clock::now(&engine::clock::SystemClock);
    assert_eq!(server.stop(), Some(0));
    let took = engine::Clock::now(&engine::clock::SystemClock).since(began);
    // A second to ask. The head of a request may take ten.
    assert!(took < 6_000, "{took} ms");
    drop(connections);
}

/// What the address of a socket decides is decided for the one in use: plain HTTP for other machines is refused.
#[test]
fn a_socket_that_other_machines_reach_is_judged_as_an_address_is() {
    let folder = tempfile::tempdir().unwrap();
    let open = TcpListener::bind("0.0.0.0:0").unwrap();
    let mut command = handing(&open, None);
    let ended = command.args(["serve", "--data-dir"]).arg(folder.path().join("data")).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("can be reached from other machines"), "{said}");
}

#[test]
fn what_is_no_listener_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = countersign();
    let program = command.get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("exec 3</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"").arg(program);
    command = shell;
    let ended = command.args(["serve", "--data-dir"]).arg(folder.path().join("data")).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("socket 1 of LISTEN_FDS is not a TCP listener"), "{said}");
}

/// The manager keeps the socket, so callers wait for the next server. Nothing is refused, nothing is cut off.
#[test]
fn a_restart_on_a_kept_socket_loses_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut server = start(&data, handing(&socket, None), &[]);
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let done = done.clone();
            std::thread::spawn(move || {
                let mut answered = 0;
                while !done.load(Ordering::Relaxed) {
                    let answer = get(address, "/livez").unwrap_or_else(|error| panic!("after {answered}: {error}"));
                    assert!(answer.starts_with("HTTP/1.1 200"), "after {answered}: {answer:?}");
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..3 {
        pause(300);
        assert_eq!(server.stop(), Some(0));
        server = start(&data, handing(&socket, None), &[]);
    }
    pause(300);
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.join().unwrap() > 10, "it called all the time");
    }
    assert_eq!(server.stop(), Some(0));
}

/// The next notice of this name.
fn notice(socket: &UnixDatagram, name: &str) -> String {
    for _ in 0..200 {
        let mut text = [0; 4096];
        let length = socket.recv(&mut text).unwrap_or_else(|error| panic!("{name} did not come: {error}"));
        let text = String::from_utf8_lossy(&text[..length]).into_owned();
        if text.lines().any(|line| line.starts_with(name)) {
            return text;
        }
    }
    panic!("{name} did not come");
}

#[test]
fn a_manager_hears_how_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut command = countersign();
    command.env("NOTIFY_SOCKET", &place).env("WATCHDOG_USEC", "600000");
    let data = folder.path().join("data");
    let server = Running::start_as(&["serve", "--data-dir", data.to_str().unwrap()], command);
    assert!(notice(&socket, "EXTEND_TIMEOUT_USEC=").contains("30000000"), "a start may migrate a large database");
    assert!(notice(&socket, "READY=1").contains(server.base_url()));
    for _ in 0..3 {
        notice(&socket, "WATCHDOG=1");
    }
    server.signal("HUP");
    assert!(notice(&socket, "RELOADING=1").contains("MONOTONIC_USEC="));
    notice(&socket, "READY=1");

    // The same for a person.
    let place = data.to_str().unwrap();
    let status = run_json(&["status", "--data-dir", place, "--json"]);
    assert_eq!((&status["running"], &status["listens"]), (&true.into(), &server.base_url().into()));
    let shown = String::from_utf8(run(&["status", "--data-dir", place]).stdout).unwrap();
    assert!(
        shown.contains(&format!("is answering at {}", server.base_url())) && shown.contains("Clients   0"),
        "{shown}"
    );
    assert_eq!(server.stop(), Some(0));
    notice(&socket, "STOPPING=1");
    let status = run(&["status", "--data-dir", place]);
    assert_eq!(status.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&status.stdout).contains("no server answers here"));
}
