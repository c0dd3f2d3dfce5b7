//! What a server looks at in its database before it is ready, with a pooler before it and without.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::OpenError;
use crate::postgres::demands::{AFTER, BEFORE, TO_MIGRATE};

async fn refusal(url: &str) -> String {
    let refused = Store::open_postgres(url, PostgresOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unsafe(_)), "{refused:?}");
    refused.to_string()
}

/// A pooler before the shared server, which ends with the test.
struct Pooler {
    process: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Pooler {
    /// `None` where it is not installed.
    fn start(cluster: &Cluster, mode: &str, more: &str) -> Option<Self> {
        let quiet = Stdio::null;
        let program = ["pgbouncer", "/usr/sbin/pgbouncer"]
            .into_iter()
            .find(|program| Command::new(program).arg("--version").stdout(quiet()).stderr(quiet()).status().is_ok());
        let Some(program) = program else {
            let _ = writeln!(std::io::stderr(), "skipped: PgBouncer is not installed, so no pooler was tried");
            assert!(std::env::var_os(pgtest::REQUIRE).is_none_or(|value| value == "0"), "PgBouncer is needed here");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (home, behind) = (cluster.home().display(), cluster.port());
        let file = dir.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={home} port={behind} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n{more}\n"
        );
        std::fs::write(&file, settings).unwrap();
        // It refuses to be root.
        let mut command = if dir.path().metadata().unwrap().uid() == 0 {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
            command
        } else {
            Command::new(program)
        };
        let process = command.arg(&file).stdout(quiet()).stderr(quiet()).spawn().unwrap();
        let started = Self { process, port, _dir: dir };
        for _ in 0..300 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(started);
            }
            Command::new("sleep").arg("0.1").status().unwrap();
        }
        panic!("PgBouncer does not start");
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_forgets_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    for (mode, more) in [("transaction", ""), ("transaction", "min_pool_size = 4"), ("statement", "")] {
        let url = cluster.new_database();
        let Some(pooler) = Pooler::start(cluster, mode, more) else { return };
        let refused = refusal(&pooler.url(database(&url))).await;
        assert!(refused.contains("pool_mode = session"), "{mode} {more}: {refused}");
        let made = cluster.sql(database(&url), "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'");
        assert_eq!(made, "0", "and nothing was made there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_keeps_sessions_serves() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.new_database();
    let Some(pooler) = Pooler::start(cluster, "session", "") else { return };
    let store = Store::open_postgres(&pooler.url(database(&url)), PostgresOptions::default()).await.unwrap();
    let user = somebody(&store).await;
    assert!(store.view(user).await.unwrap().user.is_some());
    store.close().await;
}

/// One line for each that the lists have: what breaks it, and what is said then. `ROLE` and `NAME` are the role that opens
/// the database, and the database.
const BROKEN: &[(&str, &str, &str)] = &[
    ("schema", "ALTER DATABASE NAME SET search_path = nowhere", "search_path"),
    ("triggers", "ALTER DATABASE NAME SET session_replication_role = replica", "session_replication_role"),
    ("connections", "ALTER ROLE ROLE CONNECTION LIMIT 10", "allow eleven"),
    ("connections", "ALTER DATABASE NAME CONNECTION LIMIT 10", "allow eleven"),
    (
        "migrating",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO ROLE",
        "GRANT CREATE",
    ),
    ("rights", "REVOKE UPDATE ON outbox FROM ROLE", "GRANT SELECT, INSERT, UPDATE, DELETE"),
    ("row security", "ALTER TABLE outbox ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
    ("unlogged", "ALTER TABLE meta SET UNLOGGED", "SET LOGGED"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_relied_on_is_looked_at_before_a_server_is_ready() {
    let Some(cluster) = Cluster::shared() else { return };
    for demand in BEFORE.iter().chain(TO_MIGRATE).chain(AFTER) {
        assert!(BROKEN.iter().any(|(name, ..)| *name == demand.name), "nothing breaks {}", demand.name);
    }
    for (what, breaking, said) in BROKEN {
        let Some((store, url)) = fresh_store().await else { return };
        store.close().await;
        let name = database(&url);
        let role = format!("limited_{name}");
        cluster.sql(name, &format!("CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"));
        let as_role = url.replace("user=postgres", &format!("user={role}"));
        open_at(&as_role).await.close().await;
        cluster.sql(
            name,
            &breaking
                .replace("ROLE ROLE", &format!("ROLE {role}"))
                .replace("TO ROLE", &format!("TO {role}"))
                .replace("FROM ROLE", &format!("FROM {role}"))
                .replace("NAME", name),
        );
        let refused = refusal(&as_role).await;
        assert!(refused.contains(said), "{what}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_another_encoding_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    cluster.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let refused = refusal(&cluster.url("latin")).await;
    assert!(refused.contains("ENCODING 'UTF8'"), "{refused}");
}
