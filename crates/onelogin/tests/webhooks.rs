//! A webhook that is set back to a time: no event that is still to be sent is left out (contract 9, SEC 71).

use domain::model::webhook::{Headers, WebhookId};
use engine::webhooks::{NewWebhook, ReplayOutcome};
use testkit::{BEGINNING, Script, TestServer};

/// A server without a receiver, with a webhook.
async fn started() -> (TestServer, WebhookId) {
    let server = TestServer::start().await;
    let new = NewWebhook {
        name: "siem".to_owned(),
        url: "https://siem.example.com/".to_owned(),
        headers: Headers::default(),
        allow_private: false,
    };
    let made = server.world.engine().create_webhook(new).await.expect("a good webhook");
    (server, made.0.id)
}

async fn happens(server: &TestServer, name: &str) {
    let script = Script::post("/api/2/users").json(&serde_json::json!({ "username": name }).to_string());
    assert_eq!(server.call(domain::Scope::ManageAll, script).await.status, 201);
}

/// Sets the clock back as somebody does who knows that it is right: trusted time follows.
async fn set_back(server: &TestServer, seconds: i64) {
    server.advance(-seconds);
    server.engine().accept_clock().await.expect("a database");
}

#[tokio::test]
async fn what_is_untold_is_not_passed_over_though_it_was_decided_before_the_moment() {
    let (server, id) = started().await;
    let engine = server.world.engine();
    let back = async |moment| engine.replay_since(id, moment).await.expect("a database");
    let untold = async || {
        let held = engine.store().webhook(id).await.expect("a database").expect("a webhook");
        let entries = engine.store().follow(&held.cursor, 100).await.expect("a database").entries;
        let made = entries.into_iter().filter(|(_, entry)| entry.kind == "user.created");
        made.map(|(_, entry)| entry.at).collect::<Vec<_>>()
    };
    server.advance(100);
    happens(&server, "later").await;
    // Decided before the one above and recorded after it, as a slow request is.
    set_back(&server, 60).await;
    happens(&server, "slow").await;
    server.advance(60);
    assert_eq!(back(BEGINNING.plus(50_000)).await, ReplayOutcome::Yes);
    set_back(&server, 70).await;
    happens(&server, "slower").await;
    server.advance(70);
    let all: Vec<_> = [100_000, 40_000, 30_000].map(|after| BEGINNING.plus(after)).to_vec();
    assert_eq!(untold().await, all);
    assert_eq!(back(BEGINNING.plus(100_000)).await, ReplayOutcome::Yes);
    assert_eq!(untold().await, all);
    server.advance(5);
    assert_eq!(back(server.now()).await, ReplayOutcome::NotYet(id), "all of that comes first");
    assert_eq!(untold().await, all);
}

#[tokio::test]
async fn a_moment_to_come_changes_nothing_and_a_disabled_webhook_is_said_to_be_one() {
    let (server, id) = started().await;
    let engine = server.world.engine();
    assert_eq!(engine.replay_since(id, BEGINNING.plus(1)).await.expect("a database"), ReplayOutcome::Ahead);
    assert_eq!(engine.replay_since(id, BEGINNING).await.expect("a database"), ReplayOutcome::Yes);
    assert!(engine.enable_webhook(id, false).await.expect("a database"));
    assert_eq!(engine.replay_since(id, BEGINNING).await.expect("a database"), ReplayOutcome::OnceEnabled(id));
    assert_eq!(engine.replay_since(WebhookId(99), BEGINNING).await.expect("a database"), ReplayOutcome::Missing);
}
