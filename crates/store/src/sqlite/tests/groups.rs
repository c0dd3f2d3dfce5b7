//! Jobs that share a commit do not share a fate (SEC 77), and a crowd shares one sync.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use domain::model::user_patch::UserPatch;
use domain::rules::factor::prove::prove;
use domain::rules::user;
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::*;
use tokio::task::JoinHandle;

use super::super::job::{Task, Tx};
use super::super::limits::QUEUE;
use super::*;
use crate::{Error, IdKind, UniqueField};

/// Keeps the writer busy until the test lets it go on; what is sent meanwhile forms one group.
async fn hold(store: &Store) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (go, wait) = mpsc::channel::<()>();
    let (started, starts) = tokio::sync::oneshot::channel();
    let mut started = Some(started);
    let store = store.clone();
    let held = tokio::spawn(async move {
        let busy = sqlite(&store).write(move |_| {
            started.take().map(|started| started.send(()));
            let _ = wait.recv();
            Ok(())
        });
        busy.await.unwrap();
    });
    starts.await.unwrap();
    (go, held)
}

/// Waits until this many jobs are queued behind the one that holds the writer.
async fn queued(store: &Store, jobs: usize) {
    while sqlite(store).orders.queued() < jobs {
        tokio::task::yield_now().await;
    }
}

/// Polls once, and says whether more is to come.
async fn is_waiting(mut future: Pin<&mut (impl Future + ?Sized)>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Lets a crowd wait for the writer at once, so that this runtime gathers jobs from then on.
async fn crowd(store: &Store) {
    let (go, held) = hold(store).await;
    let mut running = Vec::new();
    for n in 0..60u8 {
        let store = store.clone();
        running.push(tokio::spawn(async move { store.set_meta("crowd", &[n]).await }));
    }
    queued(store, 60).await;
    go.send(()).unwrap();
    held.await.unwrap();
    for one in running {
        one.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failing_job_undoes_nobody_elses_counted_failure() {
    let (store, _dir) = make();
    let taken = person(&store, UserPatch { username: Some(Some("ana".into())), ..Default::default() }).await;
    let mut guesses = Vec::new();
    let mut creations = Vec::new();
    let mut victims = Vec::new();
    for _ in 0..8 {
        let user = somebody(&store).await;
        victims.push((user, device(&store, user, FactorKind::Hotp).await.id));
    }
    let before = store.stats();
    let (go, held) = hold(&store).await;
    for (user, device) in victims.clone() {
        let second = store.clone();
        guesses.push(tokio::spawn(async move {
            let target = Target::Device { device, state_token: None };
            let wrong = Evidence::Refuted(fresh_digest());
            second.decide(user, move |view| answer(view, &target, &wrong, &context(), NOW)).await
        }));
        let second = store.clone();
        let id = UserId(1000 + user.0);
        creations.push(tokio::spawn(async move {
            let patch = UserPatch { username: Some(Some("ANA".into())), ..Default::default() };
            second.decide(id, move |_| user::create(id, &patch, &context(), NOW)).await
        }));
    }
    queued(&store, 16).await;
    go.send(()).unwrap();
    held.await.unwrap();
    for creation in creations {
        assert_eq!(creation.await.unwrap(), Err(Error::Conflict(UniqueField::Username)));
    }
    for guess in guesses {
        assert_eq!(guess.await.unwrap(), Ok(Outcome::Refused(Reason::WrongCode)));
    }
    for (user, device) in victims {
        let view = store.view(user).await.unwrap();
        assert_eq!(view.throttle(ThrottleKey::Device(device)).consecutive, 1);
        assert!(store.verify_audit_chain(user).await.unwrap());
    }
    let after = store.stats();
    assert_eq!(after.commits - before.commits, 2, "the holder's, and one for all");
    assert_eq!(after.rerun_groups - before.rerun_groups, 1);
    assert_eq!(after.largest_group, 16);
    assert!(store.view(taken).await.unwrap().user.is_some());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_shares_one_commit() {
    let (store, dir) = make();
    let mut crowd = Vec::new();
    for _ in 0..200 {
        let user = somebody(&store).await;
        crowd.push((user, device(&store, user, FactorKind::Hotp).await));
    }
    let before = store.stats();
    let (go, held) = hold(&store).await;
    let mut running = Vec::new();
    for (user, device) in crowd.clone() {
        let store = store.clone();
        running.push(tokio::spawn(async move {
            let evidence = prove(&hotp(), &device, None, &hotp_code(4), &keys(), NOW);
            let target = Target::Device { device: device.id, state_token: None };
            store.decide(user, move |view| answer(view, &target, &evidence, &context(), NOW)).await.unwrap()
        }));
    }
    queued(&store, 200).await;
    go.send(()).unwrap();
    held.await.unwrap();
    for one in running {
        assert!(matches!(one.await.unwrap(), Outcome::Accepted { .. }));
    }
    let after = store.stats();
    assert_eq!((after.jobs - before.jobs, after.commits - before.commits), (201, 2));
    assert_eq!(after.groups[8], 1, "{after:?}");
    store.close().await;
    // Every answered job is there for the next process.
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    for (user, _) in crowd {
        assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, 4);
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lone_job_waits_for_nobody() {
    let (store, _dir) = make();
    let before = store.stats();
    for n in 0..10u8 {
        store.set_meta("n", &[n]).await.unwrap();
    }
    let after = store.stats();
    assert_eq!((after.jobs - before.jobs, after.commits - before.commits), (10, 10));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_queued_before_closing_is_done() {
    let (store, dir) = make();
    let (go, held) = hold(&store).await;
    let mut running = Vec::new();
    for n in 0..50u8 {
        let store = store.clone();
        running.push(tokio::spawn(async move { store.set_meta(&format!("n{n}"), &[n]).await }));
    }
    queued(&store, 50).await;
    let mut closing = pin!(store.clone().close());
    assert!(is_waiting(closing.as_mut()).await);
    go.send(()).unwrap();
    held.await.unwrap();
    for one in running {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    closing.await;
    assert!(!store.ready().await);
    assert_eq!(store.set_meta("late", b"").await, Err(Error::Unavailable("closed")));
    assert_eq!(store.meta("n49").await, Err(Error::Unavailable("closed")));
    let again = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    assert_eq!(again.meta("n49").await.unwrap(), Some(vec![49]));
    again.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_id_is_not_given_again_after_a_restart() {
    let (store, dir) = make();
    let last = store.next_id(IdKind::User).await.unwrap();
    store.close().await;
    let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    assert!(store.next_id(IdKind::User).await.unwrap() > last);
    store.close().await;
}

// ---- a runtime of one thread gathers jobs

#[tokio::test]
async fn what_one_thread_gathers_is_handed_over_as_one() {
    let (store, _dir) = make();
    crowd(&store).await;
    let before = store.stats();
    let mut running = Vec::new();
    for n in 0..20u8 {
        let store = store.clone();
        running.push(tokio::spawn(async move { store.set_meta(&format!("n{n}"), &[n]).await }));
    }
    for one in running {
        one.await.unwrap().unwrap();
    }
    let after = store.stats();
    assert_eq!((after.jobs - before.jobs, after.commits - before.commits), (20, 1));
    store.close().await;
}

/// Nothing but the thread itself could hand over: there is no other job, no timer that is due, and no other thread.
#[tokio::test]
async fn no_job_waits_in_a_thread_that_sleeps() {
    let (store, _dir) = make();
    crowd(&store).await;
    let before = store.stats();
    {
        let mut lone = pin!(store.set_meta("n", b"1"));
        assert!(is_waiting(lone.as_mut()).await);
        assert_eq!(sqlite(&store).orders.queued(), 1, "gathered: the writer was not given it at once");
        lone.await.unwrap();
    }
    let after = store.stats();
    assert_eq!((after.jobs - before.jobs, after.commits - before.commits), (1, 1));
    store.close().await;
}

#[tokio::test]
async fn closing_hands_over_what_is_gathered() {
    let (store, dir) = make();
    crowd(&store).await;
    let mut lone = pin!(store.set_meta("n", b"1"));
    assert!(is_waiting(lone.as_mut()).await);
    store.clone().close().await;
    assert_eq!(lone.await, Ok(()));
    let again = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
    assert_eq!(again.meta("n").await.unwrap(), Some(b"1".to_vec()));
    again.close().await;
}

#[test]
fn a_runtime_that_ends_hands_over_what_it_has_gathered() {
    let one_thread = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (one_thread(), one_thread());
    let (store, _dir) = make();
    let answers = first.block_on(async {
        crowd(&store).await;
        let mut answers = Vec::new();
        for n in 0..3u8 {
            let (task, answer) = Task::new(move |_: &mut Tx<'_, '_>| Ok(n));
            sqlite(&store).orders.submit(Box::new(task)).await.unwrap();
            answers.push(answer);
        }
        assert_eq!(sqlite(&store).orders.queued(), 3);
        answers
    });
    drop(first);
    second.block_on(async {
        for (n, answer) in (0..).zip(answers) {
            assert_eq!(answer.await.unwrap(), Ok(n));
        }
        store.close().await;
    });
}

#[tokio::test]
async fn jobs_beyond_those_that_may_be_queued_wait_for_room() {
    let (store, _dir) = make();
    let (go, held) = hold(&store).await;
    let mut running = Vec::new();
    for n in 0..QUEUE + 50 {
        let store = store.clone();
        running.push(tokio::spawn(async move { store.set_meta("n", &n.to_be_bytes()).await }));
    }
    queued(&store, QUEUE).await;
    tokio::task::yield_now().await;
    assert_eq!(sqlite(&store).orders.queued(), QUEUE);
    go.send(()).unwrap();
    held.await.unwrap();
    for one in running {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(sqlite(&store).orders.queued(), 0);
    store.close().await;
}
