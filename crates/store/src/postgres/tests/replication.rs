//! Standbys, and commits that wait for them (SEC 84).

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::*;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::*;
use crate::Error;
use crate::postgres::replication::is_asynchronous;

/// How long something of the server may take.
const PATIENCE: Duration = Duration::from_secs(10);

async fn touch(store: &Store, user: UserId) -> Result<(), Error> {
    put(store, user, vec![AuditEvent::of_user(AuditKind::UserUpdated, user, NOW).into()]).await
}

/// Makes commits wait for these standbys.
async fn wait_for(client: &Client, standbys: &str) {
    client.batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")).await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    until(client, &format!("SELECT current_setting('synchronous_standby_names') = '{standbys}'")).await;
}

/// Asks until the answer is yes.
async fn until(client: &Client, question: &str) {
    let asking = async {
        while !client.query_one(question, &[]).await.unwrap().get::<_, bool>(0) {
            client.batch_execute("SELECT pg_sleep(0.01)").await.unwrap();
        }
    };
    timeout(PATIENCE, asking).await.expect(question);
}

async fn client(url: &str) -> Client {
    let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    client
}

/// Somebody who is fed like a standby.
struct Standby(Child);

impl Standby {
    fn start(cluster: &Cluster, folder: &std::path::Path) -> Self {
        let mut receiver = Command::new(cluster.program("pg_receivewal"));
        receiver.arg("-h").arg(cluster.home()).args(["-p", cluster.port(), "-U", "postgres", "-D"]).arg(folder);
        Self(receiver.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replication_that_nobody_waits_for_is_noticed() {
    let Some(cluster) = Cluster::start() else { return };
    let client = client(&cluster.url("postgres")).await;
    assert!(!is_asynchronous(&client).await.unwrap(), "a server alone replicates to nobody");
    let folder = tempfile::tempdir().unwrap();
    let _standby = Standby::start(&cluster, folder.path());
    until(&client, "SELECT count(*) > 0 FROM pg_stat_replication").await;
    assert!(is_asynchronous(&client).await.unwrap());
    // As the role that an operator makes for Countersign, too.
    client.batch_execute("CREATE ROLE countersign LOGIN; SET ROLE countersign").await.unwrap();
    assert!(is_asynchronous(&client).await.unwrap());
    client.batch_execute("RESET ROLE").await.unwrap();
    wait_for(&client, "*").await;
    assert!(!is_asynchronous(&client).await.unwrap());
    client.batch_execute("SET synchronous_commit = local").await.unwrap();
    assert!(is_asynchronous(&client).await.unwrap(), "such commits wait for the own disk only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_no_standby_confirms_is_not_answered() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.new_database();
    let client = client(&url).await;
    let store = open_at(&url).await;
    let user = somebody(&store).await;
    let before = store.audit(user).await.unwrap().len();
    wait_for(&client, "nobody").await;
    // Cancelled by somebody who takes it for stuck: PostgreSQL says that it is committed, and warns.
    let touching = {
        let store = store.clone();
        // Until every process of the server has read the setting, commits do not wait.
        tokio::spawn(async move {
            loop {
                touch(&store, user).await?;
            }
        })
    };
    let waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    until(&client, &format!("SELECT count(*) > 0 {waiting}")).await;
    client.batch_execute(&format!("SELECT pg_cancel_backend(pid) {waiting}")).await.unwrap();
    let answer = timeout(Duration::from_secs(3), touching).await.expect("the cancelled commit is not answered");
    let answer: Result<(), Error> = answer.unwrap();
    assert!(matches!(answer, Err(Error::Unavailable(_))));

    // Left alone it waits on, longer than anybody is let wait.
    assert!(matches!(touch(&store, user).await, Err(Error::Unavailable(_))));
    wait_for(&client, "").await;
    touch(&store, user).await.unwrap();
    assert!(store.audit(user).await.unwrap().len() > before);
    assert!(store.verify_audit_chain(user).await.unwrap());
    store.close().await;
}
