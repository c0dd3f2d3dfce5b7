//! A private PostgreSQL server for tests: made with the machine's own `initdb` and `postgres`, reached over a socket in
//! a private folder, and gone with the process that asked for it.
//!
//! `initdb` refuses to run as root (decision 41), so a root process starts it as an unprivileged user. A small shell
//! is between the two: it holds the server, obeys lines on its standard input, and when that ends, however the test ended,
//! it stops the server and removes the folder.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Set to make a missing PostgreSQL a failure rather than a skipped test.
pub const REQUIRE: &str = "COUNTERSIGN_REQUIRE_POSTGRES";

/// `$1` is the folder of the programs, `$2` the folder of the server; what follows are options of the server.
const KEEPER: &str = r#"
bin=$1 home=$2; shift 2
start() {
    "$bin/postgres" -D "$home/data" "$@" >>"$home/log" 2>&1 </dev/null &
    server=$!
    for _ in $(seq 1 600); do
        "$bin/pg_isready" -q -h "$home" -U postgres && return 0
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
stop() { kill -"$1" "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
trap '' INT TERM HUP
export LC_ALL=C
"$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$home/log" 2>&1 </dev/null \
    && start "$@" && echo ready || { echo failed; cat "$home/log" >&2; }
while read -r order; do
    case $order in
        stop) stop INT; echo ready ;;
        crash) stop QUIT; echo ready ;;
        start) start "$@" && echo ready || echo failed ;;
    esac
done
stop QUIT
rm -rf "$home"
"#;

/// A running server. Dropping it stops it and removes its files.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    home: PathBuf,
    port: String,
    keeper: Mutex<Keeper>,
    databases: AtomicU64,
}

#[derive(Debug)]
struct Keeper {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Cluster {
    /// Starts a server, or gives `None`, with one line on standard error, where PostgreSQL is not installed.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is there and cannot be started, and if it is not there although [`REQUIRE`] is set.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with options of the server, such as `-c`, `max_connections=10`.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn start_with(options: &[&str]) -> Option<Self> {
        let Some(bin) = programs() else {
            assert!(
                std::env::var_os(REQUIRE).is_none_or(|value| value == "0"),
                "{REQUIRE} is set, and neither PATH nor /usr/lib/postgresql holds initdb and postgres"
            );
            let mut err = std::io::stderr();
            let _ = writeln!(err, "skipped: PostgreSQL is not installed, so its tests did not run");
            return None;
        };
        Some(Self::launch(bin, options))
    }

    /// The one server that all tests of this process share, started when the first asks. It goes with the process.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    #[expect(clippy::expect_used, reason = "test support: what cannot be started is a failed test")]
    fn launch(bin: PathBuf, options: &[&str]) -> Self {
        let home = tempfile::Builder::new().prefix("pgtest-").tempdir().expect("no folder").keep();
        let port = free_port();
        let mut command = as_unprivileged(&home);
        // The name of a socket has room for about a hundred bytes, so it is in the folder itself.
        command.args(["sh", "-c", KEEPER, "sh"]).arg(&bin).arg(&home);
        command.arg("-k").arg(&home).args(["-c", "listen_addresses=", "-c", "max_connections=200"]).args(options);
        // The server, and the programs that ask for it, take their port from here.
        command.env("PGPORT", &port).stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        let mut process = command.spawn().expect("no shell");
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        let mut keeper = Keeper { process, orders, answers };
        keeper.wait_until_ready();
        Self { bin, home, port, keeper: Mutex::new(keeper), databases: AtomicU64::new(0) }
    }

    /// The URL of a fresh, empty database.
    pub fn new_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of the database `name`.
    pub fn url(&self, name: &str) -> String {
        format!("postgres:///{name}?host={}&port={}&user=postgres", self.home.display(), self.port)
    }

    /// The port, for a server that listens beyond its socket (`-c`, `listen_addresses=127.0.0.1`).
    pub fn port(&self) -> &str {
        &self.port
    }

    /// Runs statements on the database `name` and gives what they print, without headings.
    ///
    /// # Panics
    ///
    /// If a statement fails.
    pub fn sql(&self, name: &str, statements: &str) -> String {
        #[expect(clippy::expect_used, reason = "test support")]
        let run = Command::new(self.bin.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", name, "-c", statements])
            .arg("-h")
            .arg(&self.home)
            .args(["-p", &self.port])
            .output()
            .expect("no psql");
        assert!(run.status.success(), "{statements}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).trim().to_owned()
    }

    /// Where a program of the same PostgreSQL is, such as `pg_receivewal`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The folder of the server's socket and log.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Stops the server in order.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Ends the server at once, as a crash would; it recovers at the next start.
    pub fn crash(&self) {
        self.order("crash");
    }

    /// Starts the server after [`Cluster::stop`] or [`Cluster::crash`].
    pub fn start_again(&self) {
        self.order("start");
    }

    fn order(&self, order: &str) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = keeper.orders.as_mut().map(|orders| writeln!(orders, "{order}"));
        assert!(matches!(sent, Some(Ok(()))), "the server's keeper is gone");
        keeper.wait_until_ready();
    }
}

impl Keeper {
    fn wait_until_ready(&mut self) {
        let mut answer = String::new();
        let read = self.answers.read_line(&mut answer);
        assert!(read.is_ok() && answer == "ready\n", "PostgreSQL could not be started");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        keeper.orders = None;
        let _ = keeper.process.wait();
    }
}

/// The folder that holds `initdb` and `postgres`: of `PATH`, or the newest where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let folders = std::env::split_paths(&path).chain(versions.into_iter().rev().map(|(_, bin)| bin));
    let mut complete = folders
        .filter(|bin| ["initdb", "postgres", "pg_isready", "psql"].iter().all(|program| bin.join(program).is_file()));
    complete.next()
}

/// A port on which no process listens at the moment of the call.
#[expect(clippy::expect_used, reason = "test support")]
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("no port");
    listener.local_addr().expect("bound").port().to_string()
}

/// Gives a file of ours to the user who runs servers, where that is somebody else.
///
/// # Panics
///
/// If it cannot be given away.
pub fn give_away(path: &Path) {
    use std::os::unix::fs::MetadataExt;
    if path.metadata().is_ok_and(|file| file.uid() == 0) {
        // The unprivileged user and group, by the numbers that every distribution gives them.
        let given = std::os::unix::fs::chown(path, Some(65534), Some(65534));
        assert!(given.is_ok(), "cannot give {} away: {given:?}", path.display());
    }
}

/// A command that a root process runs as the unprivileged user, to whom the folder belongs.
fn as_unprivileged(home: &Path) -> Command {
    use std::os::unix::fs::MetadataExt;
    let root = home.metadata().is_ok_and(|folder| folder.uid() == 0);
    if !root {
        return Command::new("env");
    }
    give_away(home);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_its_data_over_a_restart_and_leaves_nothing_behind() {
        let Some(cluster) = Cluster::start() else { return };
        let home = cluster.home().to_owned();
        let (one, two) = (cluster.new_database(), cluster.new_database());
        assert_ne!(one, two);
        cluster.sql("test0", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
        for end in [Cluster::stop, Cluster::crash] {
            end(&cluster);
            cluster.start_again();
            assert_eq!(cluster.sql("test0", "SELECT n FROM kept"), "7");
        }
        drop(cluster);
        assert!(!home.exists());
    }
}
