//! The database is away, slow or locked (SEC 79, SEC 80).

use std::time::Duration;

use domain::*;
use tokio::time::timeout;

use super::*;
use crate::Error;

/// A little more than any caller waits.
const PATIENCE: Duration = Duration::from_millis(5_500);

async fn touch(store: &Store, user: UserId) -> Result<(), Error> {
    put(store, user, vec![AuditEvent::of_user(AuditKind::UserUpdated, user, NOW).into()]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_away_is_said_to_be_away_and_comes_back() {
    let Some(cluster) = Cluster::start() else { return };
    let store = open_at(&cluster.new_database()).await;
    let user = somebody(&store).await;
    for end in [Cluster::stop, Cluster::crash] {
        end(&cluster);
        let refused = timeout(PATIENCE, touch(&store, user)).await.expect("too late");
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        let refused = timeout(PATIENCE, store.view(user)).await.expect("too late");
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert!(!store.ready().await);
        cluster.start_again();
        touch(&store, user).await.unwrap();
        assert!(store.view(user).await.unwrap().user.is_some());
        assert!(store.ready().await);
    }
    assert!(store.verify_audit_chain(user).await.unwrap());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answered_decision_survives_a_crash_of_the_server() {
    let Some(cluster) = Cluster::start() else { return };
    let store = open_at(&cluster.new_database()).await;
    let user = somebody(&store).await;
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut answered = 0;
            while touch(&store, user).await.is_ok() {
                answered += 1;
            }
            answered
        })
    };
    while store.stats().commits < 100 {
        tokio::task::yield_now().await;
    }
    cluster.crash();
    let answered: usize = writing.await.unwrap();
    cluster.start_again();
    let kept = store.audit(user).await.unwrap().len() - 1;
    assert!(kept == answered || kept == answered + 1, "{answered} answered, {kept} kept");
    assert!(store.verify_audit_chain(user).await.unwrap());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_were_cut_while_idle_are_made_anew_unnoticed() {
    let Some((store, url)) = fresh_store().await else { return };
    let user = somebody(&store).await;
    for _ in 0..5 {
        let name = database(&url);
        let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        Cluster::shared().unwrap().sql("postgres", &cut);
        touch(&store, user).await.unwrap();
        assert!(store.view(user).await.unwrap().user.is_some());
        assert_eq!(store.meta("nothing").await.unwrap(), None);
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_whom_somebody_holds_is_given_up_in_time_and_others_go_on() {
    let Some((store, url)) = fresh_store().await else { return };
    let (held, other) = (somebody(&store).await, somebody(&store).await);
    let (client, driver) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    client.batch_execute("BEGIN").await.unwrap();
    client.execute("SELECT 1 FROM \"user\" WHERE id = $1 FOR UPDATE", &[&held.0]).await.unwrap();
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { timeout(PATIENCE, touch(&store, held)).await.expect("too late") })
    };
    timeout(PATIENCE, touch(&store, other)).await.expect("too late").unwrap();
    assert!(matches!(waiting.await.unwrap(), Err(Error::Unavailable(_))));
    client.batch_execute("ROLLBACK").await.unwrap();
    touch(&store, held).await.unwrap();
    assert_eq!(store.audit(held).await.unwrap().len(), 2, "what was given up was not done after all");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_sent_before_closing_is_done() {
    let Some((store, url)) = fresh_store().await else { return };
    let mut users = Vec::new();
    for _ in 0..20 {
        users.push(somebody(&store).await);
    }
    let running: Vec<_> = users
        .iter()
        .map(|user| {
            let (store, user) = (store.clone(), *user);
            tokio::spawn(async move { touch(&store, user).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.clone().close().await;
    let mut done = 0;
    for one in running {
        match one.await.unwrap() {
            Ok(()) => done += 1,
            Err(error) => assert_eq!(error, Error::Unavailable("closed")),
        }
    }
    assert!(matches!(store.view(users[0]).await, Err(Error::Unavailable("closed"))));
    assert!(!store.ready().await);
    let again = open_at(&url).await;
    let mut kept = 0;
    for user in users {
        kept += again.audit(user).await.unwrap().len() - 1;
    }
    assert_eq!(kept, done);
    again.close().await;
}
