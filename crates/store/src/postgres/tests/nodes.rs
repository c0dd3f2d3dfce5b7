//! Several nodes over one database are right together.

use std::time::Duration;

use domain::model::user_patch::UserPatch;
use domain::rules::factor::prove::prove;
use domain::rules::user;
use domain::rules::verification::answer::answer;
use domain::rules::verification::find::Target;
use domain::*;
use tokio::time::timeout;

use super::*;
use crate::{Error, UniqueField};

async fn nodes(count: usize) -> Option<Vec<Store>> {
    let (first, url) = fresh_store().await?;
    let mut nodes = vec![first];
    while nodes.len() < count {
        nodes.push(open_at(&url).await);
    }
    Some(nodes)
}

async fn close(nodes: Vec<Store>) {
    for node in nodes {
        node.close().await;
    }
}

/// Everybody decides at once, on the nodes in turn.
async fn everywhere(
    nodes: &[Store],
    user: UserId,
    device: DeviceId,
    evidence: impl Fn() -> Evidence,
    count: usize,
) -> Vec<Outcome> {
    let line = std::sync::Arc::new(tokio::sync::Barrier::new(count));
    let running: Vec<_> = (0..count)
        .map(|n| {
            let (node, line, evidence) = (nodes[n % nodes.len()].clone(), line.clone(), evidence());
            let target = Target::Device { device, state_token: None };
            tokio::spawn(async move {
                line.wait().await;
                node.decide(user, move |view| answer(view, &target, &evidence, &context(), NOW)).await.unwrap()
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for one in running {
        outcomes.push(one.await.unwrap());
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_accepted_once_on_three_nodes() {
    let Some(nodes) = nodes(3).await else { return };
    let user = somebody(&nodes[0]).await;
    let mut device = device(&nodes[0], user, FactorKind::Hotp).await;
    for counter in 0..20 {
        let evidence = prove(&hotp(), &device, None, &hotp_code(counter), &keys(), NOW);
        let outcomes = everywhere(&nodes, user, device.id, || evidence.clone(), 24).await;
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count(), 1);
        device.last_counter = counter.cast_signed();
    }
    assert!(nodes[1].verify_audit_chain(user).await.unwrap());
    close(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guessers_on_three_nodes_get_five_guesses_together() {
    let Some(nodes) = nodes(3).await else { return };
    let user = somebody(&nodes[0]).await;
    let device = device(&nodes[0], user, FactorKind::Hotp).await.id;
    let outcomes = everywhere(&nodes, user, device, || Evidence::Refuted(fresh_digest()), 48).await;
    let evaluated = outcomes.iter().filter(|outcome| **outcome == Outcome::Refused(Reason::WrongCode)).count();
    assert_eq!(evaluated, 5, "{outcomes:?}");
    assert_eq!(nodes[2].view(user).await.unwrap().throttle(ThrottleKey::Device(device)).consecutive, 5);
    close(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_guess_repeated_at_three_nodes_is_counted_once() {
    let Some(nodes) = nodes(3).await else { return };
    let user = somebody(&nodes[0]).await;
    let device = device(&nodes[0], user, FactorKind::Hotp).await.id;
    let same = Evidence::Refuted(fresh_digest());
    everywhere(&nodes, user, device, || same.clone(), 48).await;
    assert_eq!(nodes[2].view(user).await.unwrap().throttle(ThrottleKey::Device(device)).consecutive, 1);
    close(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_acknowledged_change_is_seen_by_every_node() {
    let Some(nodes) = nodes(2).await else { return };
    for _ in 0..50 {
        let user = somebody(&nodes[0]).await;
        assert!(nodes[1].view(user).await.unwrap().user.is_some());
        assert!(nodes[0].next_id(crate::IdKind::User).await.unwrap() != user.0);
    }
    close(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_of_nobodys_chain_are_chained_by_all_nodes_together() {
    let Some(nodes) = nodes(3).await else { return };
    let mut running = Vec::new();
    for n in 0..30 {
        let (node, user) = (nodes[n % 3].clone(), somebody(&nodes[n % 3]).await);
        // An entry for a chain that the deciding user's lock does not protect.
        let event = AuditEvent::of_client(AuditKind::ClientRefused, ClientId(77), NOW);
        running.push(tokio::spawn(async move { put(&node, user, vec![event.into()]).await }));
    }
    let mut written = 0;
    for one in running {
        written += usize::from(one.await.unwrap().is_ok());
    }
    assert_eq!(nodes[0].audit(ClientId(77)).await.unwrap().len(), written);
    assert!(written > 0 && nodes[0].verify_audit_chain(ClientId(77)).await.unwrap());
    close(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failing_decision_undoes_nobody_elses() {
    let Some((store, _url)) = fresh_store().await else { return };
    person(&store, UserPatch { username: Some(Some("ana".into())), ..Default::default() }).await;
    let mut victims = Vec::new();
    for _ in 0..16 {
        let user = somebody(&store).await;
        victims.push((user, device(&store, user, FactorKind::Hotp).await.id));
    }
    let mut running = Vec::new();
    for (user, device) in victims.clone() {
        let (one, two) = (store.clone(), store.clone());
        running.push(tokio::spawn(async move {
            let target = Target::Device { device, state_token: None };
            let wrong = Evidence::Refuted(fresh_digest());
            let outcome = one.decide(user, move |view| answer(view, &target, &wrong, &context(), NOW)).await;
            assert_eq!(outcome, Ok(Outcome::Refused(Reason::WrongCode)));
        }));
        let id = UserId(1000 + user.0);
        running.push(tokio::spawn(async move {
            let patch = UserPatch { username: Some(Some("ANA".into())), ..Default::default() };
            let created = two.decide(id, move |_| user::create(id, &patch, &context(), NOW)).await;
            assert_eq!(created, Err(Error::Conflict(UniqueField::Username)));
        }));
    }
    for one in running {
        one.await.unwrap();
    }
    for (user, device) in victims {
        assert_eq!(store.view(user).await.unwrap().throttle(ThrottleKey::Device(device)).consecutive, 1);
        assert!(store.verify_audit_chain(user).await.unwrap());
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rule_that_panics_spoils_nobody_elses_decision() {
    let Some((store, _url)) = fresh_store().await else { return };
    let user = somebody(&store).await;
    let reply: Result<(), Error> = store.decide(user, |_| panic!("a rule is wrong")).await;
    assert_eq!(reply, Err(Error::Corrupt("a rule panicked")));
    assert!(store.ready().await);
    device(&store, user, FactorKind::Hotp).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_shares_commits() {
    let Some((store, _url)) = fresh_store().await else { return };
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(somebody(&store).await);
    }
    let before = store.stats();
    let running: Vec<_> = crowd
        .iter()
        .map(|user| {
            let (store, user) = (store.clone(), *user);
            let event = AuditEvent::of_user(AuditKind::UserUpdated, user, NOW);
            tokio::spawn(async move { put(&store, user, vec![event.into()]).await.unwrap() })
        })
        .collect();
    for one in running {
        one.await.unwrap();
    }
    let after = store.stats();
    assert_eq!(after.jobs - before.jobs, 100);
    assert!(after.commits - before.commits < 50, "{after:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_queued_message_wakes_the_other_nodes() {
    let Some(nodes) = nodes(2).await else { return };
    let wake_ups = nodes[1].wake_ups();
    let woken = async || timeout(Duration::from_secs(10), wake_ups.notified()).await.is_ok();
    assert!(woken().await, "once it listens, it looks for what it has missed");
    let user = somebody(&nodes[0]).await;
    let device = device(&nodes[0], user, FactorKind::Sms).await;
    let asked = verification(&device, sent_code("1"));
    open(&nodes[0], &asked).await;
    // The sender finds out by itself, a moment after it began to listen, that notices are taken.
    for n in 1..50 {
        put(&nodes[0], user, vec![Change::Enqueue(message(n, &asked))]).await.unwrap();
        if timeout(Duration::from_millis(200), wake_ups.notified()).await.is_ok() {
            return close(nodes).await;
        }
    }
    panic!("nobody was woken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_persons_answer_is_told_to_the_other_nodes() {
    let Some(nodes) = nodes(2).await else { return };
    let mut heard = nodes[1].answered();
    let user = somebody(&nodes[0]).await;
    let device = device(&nodes[0], user, FactorKind::Push).await;
    // The sender finds out by itself, a moment after it began to listen, that notices are taken.
    for _ in 0..50 {
        let asked = verification(&device, |_| Challenge::Own);
        open(&nodes[0], &asked).await;
        let end = VerificationEnd::Accepted { at: NOW, collected: None };
        let close = Change::CloseVerification { verification: asked.id, end };
        put(&nodes[0], user, vec![close]).await.unwrap();
        if let Ok(told) = timeout(Duration::from_millis(200), heard.recv()).await {
            assert_eq!(told, Ok(user));
            return self::close(nodes).await;
        }
    }
    panic!("nobody was told");
}

/// SEC 56.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_begun_on_another_node_at_the_end_of_its_client_does_not_survive() {
    let Some(nodes) = nodes(2).await else { return };
    crate::contract::begun::begin_and_end_at_once(&nodes[0], &nodes[1]).await;
    close(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_clean_up_at_once_leave_decisions_alone() {
    let Some(nodes) = nodes(3).await else { return };
    let mut opened = Vec::new();
    for _ in 0..30 {
        let user = somebody(&nodes[0]).await;
        let device = device(&nodes[0], user, FactorKind::Sms).await;
        let asked = verification(&device, sent_code("123456"));
        open(&nodes[0], &asked).await;
        opened.push(asked);
    }
    let sweeping: Vec<_> = nodes
        .iter()
        .cloned()
        .map(|node| {
            tokio::spawn(async move {
                for _ in 0..10 {
                    node.sweep(NOW.plus(600_000)).await.unwrap();
                }
            })
        })
        .collect();
    for asked in opened.clone() {
        let accept = Change::CloseVerification {
            verification: asked.id,
            end: VerificationEnd::Accepted { at: NOW, collected: Some(NOW) },
        };
        // A decision sees what the sweeper has closed, and so would not ask for this.
        let decide = move |view: &View| match view.verification(asked.id) {
            Some(_) => Decision::of(vec![accept.clone()], true),
            None => Decision::reply(false),
        };
        let accepted = nodes[1].decide(asked.user_id, decide).await.unwrap();
        let status = standing(&nodes[2], &asked).await;
        let is_accepted = matches!(status, Some(Status::Accepted { .. }));
        assert_eq!(is_accepted, accepted, "an end is never changed: {status:?}");
    }
    for one in sweeping {
        one.await.unwrap();
    }
    close(nodes).await;
}

/// What a position rests on (`crate::store::follow`): ids ascend within a lane's block only, and blocks lie on a grid.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_entry_with_an_id_below_those_already_told_is_told() {
    use crate::contract::webhooks::drain;
    let Some(nodes) = nodes(3).await else { return };
    let users = [somebody(&nodes[0]).await, somebody(&nodes[0]).await];
    let event = |user| AuditEvent::of_user(AuditKind::Verified, user, NOW).into();
    for node in &nodes {
        for user in users {
            put(node, user, vec![event(user)]).await.unwrap();
        }
    }
    let mut cursor = nodes[1].cursor_at_end().await.unwrap();
    let mut all = Vec::new();
    for node in nodes.iter().rev() {
        for user in users {
            put(node, user, vec![event(user)]).await.unwrap();
            let told = drain(&nodes[1], &mut cursor).await;
            assert_eq!(told.len(), 1, "{told:?} after {all:?}");
            all.extend(told);
        }
    }
    assert!(!all.is_sorted(), "the test shows something only if an id came below an earlier one: {all:?}");
    let mut blocks: Vec<_> = all.iter().map(|id| (id - 1) / crate::audit_ids::BLOCK).collect();
    blocks.dedup();
    assert_eq!(blocks.len(), 6, "each lane of each node has a block of its own: {all:?}");
    close(nodes).await;
}

/// SEC 33: a number is sent ten messages a day on all nodes together, while any of them cleans up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_number_gets_ten_messages_from_three_nodes() {
    use crate::contract::budgets::{count, recipient};
    let Some(nodes) = nodes(3).await else { return };
    for round in 0..20 {
        // Each round finds the row over and swept, or about to be.
        let (now, to) = (NOW.plus(round * domain::model::time::DAY), recipient("+14155550123"));
        let line = std::sync::Arc::new(tokio::sync::Barrier::new(49));
        let sweeper = (nodes[0].clone(), line.clone());
        let sweeping = tokio::spawn(async move {
            sweeper.1.wait().await;
            sweeper.0.sweep(now).await.unwrap()
        });
        let running: Vec<_> = (0..48)
            .map(|n| {
                let (node, line) = (nodes[n % 3].clone(), line.clone());
                tokio::spawn(async move {
                    line.wait().await;
                    count(&node, to, now).await.is_ok()
                })
            })
            .collect();
        let mut sent = 0;
        for one in running {
            sent += usize::from(one.await.unwrap());
        }
        sweeping.await.unwrap();
        assert_eq!(sent, 10, "round {round}");
    }
    close(nodes).await;
}

/// Shows the codes of these counters at a node, each once, and tells which counted. What the node cannot decide did not.
async fn shown(store: &Store, device: &Device, counters: std::ops::Range<u64>) -> Vec<u64> {
    let mut counted = Vec::new();
    for counter in counters {
        // Codes are looked for from the device's present counter on. A node that cannot be asked is shown them all the same.
        let present = store.view(device.user_id).await.ok();
        let present = present.and_then(|view| view.devices.into_iter().find(|found| found.id == device.id));
        let present = present.as_ref().unwrap_or(device);
        let evidence = prove(&hotp(), present, None, &hotp_code(counter), &keys(), NOW);
        let target = Target::Device { device: device.id, state_token: None };
        let outcome = store.decide(device.user_id, move |view| answer(view, &target, &evidence, &context(), NOW)).await;
        if matches!(outcome, Ok(Outcome::Accepted { .. })) {
            counted.push(counter);
        }
    }
    counted
}

/// Nodes of the source that a move cannot know of: one with another name, one whose connections are cut and made anew,
/// one that is started in the middle. Whatever they are shown, and whenever, no code counts at the source and at the target.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_move_holds_its_source() {
    use crate::KEY_CHECK;
    use crate::transfer::{End, carry, tests::route};
    let Some(cluster) = Cluster::shared() else { return };
    let (old, new, options) = (cluster.new_database(), cluster.new_database(), PostgresOptions::default());
    let renamed = format!("{old}&application_name=something-else");
    let node = open_at(&renamed).await;
    node.set_meta(KEY_CHECK, b"sealed").await.unwrap();
    let mut devices = Vec::new();
    for _ in 0..4 {
        let user = somebody(&node).await;
        devices.push(device(&node, user, FactorKind::Hotp).await);
    }
    assert_eq!(shown(&node, &devices[0], 0..1).await, [0]);

    // From before the move to after it, as fast as the node answers.
    let (over, mut seen) = (std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)), Vec::new());
    for device in devices.clone() {
        let (node, over) = (node.clone(), over.clone());
        seen.push(tokio::spawn(async move {
            let (mut counted, mut next) = (Vec::new(), 1);
            while !over.load(std::sync::atomic::Ordering::Acquire) {
                counted.extend(shown(&node, &device, next..next + 1).await);
                if counted.last() == Some(&next) {
                    next += 1;
                }
            }
            counted
        }));
    }
    let source = End::postgres_source(&old, &options).await.unwrap();
    let target = End::postgres_target(&new, &options).await.unwrap();
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'something-else' \
         AND datname = '{}'",
        database(&old)
    );
    cluster.sql("postgres", &cut);
    let late = timeout(Duration::from_secs(60), open_at(&renamed)).await.expect("a start reads, and reading is free");
    assert_eq!(shown(&late, &devices[0], 5..6).await, [] as [u64; 0], "it is held");
    cluster.sql("postgres", &cut);
    carry(source, target, &route(1), |_| {}).await.unwrap();
    let mut counted = Vec::new();
    for device in &devices {
        // Afterwards it is closed to those who were there all the time, too.
        assert_eq!(shown(&late, device, 1..9).await, [] as [u64; 0]);
        assert_eq!(shown(&node, device, 1..9).await, [] as [u64; 0]);
    }
    assert!(!node.ready().await && !late.ready().await);
    over.store(true, std::sync::atomic::Ordering::Release);
    for one in seen {
        counted.push(one.await.unwrap());
    }
    let refused = Store::open_postgres(&renamed, options.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("sqlite:///over/there"), "{refused}");

    let target = open_at(&new).await;
    for (device, counted) in devices.iter().zip(counted) {
        let last = target.view(device.user_id).await.unwrap().devices[0].last_counter;
        // A code may have counted though its answer was lost with the connection. It is not shown a second time.
        let known = counted.last().map_or(0, |last| last.cast_signed());
        assert!((known..=known + 1).contains(&last.max(0)), "what counted there is known here: {known}, {last}");
        let next = u64::try_from(last + 1).unwrap();
        // Those of the end alone: five wrong ones lock a device, and a code of long ago is a wrong one.
        assert_eq!(shown(&target, device, next.saturating_sub(4)..next).await, [] as [u64; 0], "nothing counts again");
        assert_eq!(shown(&target, device, next..next + 1).await, [next]);
    }
    close(vec![node, late, target]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_move_that_fails_lets_its_source_go() {
    use crate::KEY_CHECK;
    use crate::transfer::End;
    let Some((store, url)) = fresh_store().await else { return };
    let user = somebody(&store).await;
    let device = device(&store, user, FactorKind::Hotp).await;
    store.set_meta(KEY_CHECK, b"sealed").await.unwrap();
    store.close().await;
    let source = End::postgres_source(&url, &PostgresOptions::default()).await.unwrap();
    drop(source);
    let store = open_at(&url).await;
    assert!(store.ready().await);
    // The server notices the end of a connection by itself.
    let mut counted = Vec::new();
    for _ in 0..10 {
        counted.extend(shown(&store, &device, 0..1).await);
    }
    assert_eq!(counted, [0]);
    store.close().await;
}
