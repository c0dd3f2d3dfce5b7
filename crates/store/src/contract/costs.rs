//! What messages cost, and which were answered (SEC 101, SEC 102).

use domain::rules::message_end;
use domain::*;

use super::world::*;
use crate::{MessageOutcome, Spending, Store, Turn};

fn block() -> KeyedHash {
    OwnKey::new([1; 32]).hash("block", "+4915112345")
}

/// A message to a German number of a challenge with a code, with so much set aside.
async fn sent(store: &Store, id: i64, charge: Charge) -> Verification {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let asked = verification(&device, sent_code("1"));
    open(store, &asked).await;
    let message = Message { charge: Some(charge), ..message(id, &asked) };
    put(store, user, vec![Change::Enqueue(message)]).await.unwrap();
    asked
}

fn accepted(asked: &Verification) -> Vec<Change> {
    let end = VerificationEnd::Accepted { at: NOW, collected: Some(NOW) };
    let close = Change::CloseVerification { verification: asked.id, end };
    vec![close, Change::MarkAnswered { verification: asked.id, at: NOW }]
}

pub(crate) async fn what_messages_cost_is_summed_and_what_is_set_aside_is_not_spent(store: &Store) {
    let of = |client: Option<i64>, micros| Charge {
        client: client.map(ClientId),
        country: "DE",
        block: Some(block()),
        micros,
    };
    for (id, charge) in [(1, of(Some(3), 90)), (2, of(Some(3), 80)), (3, of(None, 70)), (4, of(None, 60))] {
        sent(store, id, charge).await;
    }
    assert_eq!(store.spending(NOW).await.unwrap(), [], "nothing was handed over yet");
    let claimed = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1_000).await.unwrap();
    sent(store, 5, of(None, 50)).await;
    let mut free: Vec<_> = claimed.iter().map(|queued| (queued.message.id.0, queued.free)).collect();
    free.sort_unstable();
    assert_eq!(free, [(1, 90), (2, 80), (3, 70), (4, 60)]);
    assert!(claimed.iter().all(|one| one.message.charge.is_some_and(|charge| charge.block == Some(block()))));
    let settle = |id, outcome| store.settle_message(MessageId(id), outcome, NOW);
    settle(1, sent_by("twilio", 15)).await.unwrap();
    settle(2, sent_by("twilio", 0)).await.unwrap();
    store.pay_message(MessageId(3), 5).await.unwrap();
    settle(3, MessageOutcome::Retry { at: NOW, free: 10, claimed_until: NOW.plus(1_000) }).await.unwrap();
    let row = |provider: Option<&str>, client: Option<i64>, messages, micros| Spending {
        provider: provider.map(str::to_owned),
        channel: Channel::Sms,
        country: "DE".to_owned(),
        client: client.map(ClientId),
        messages,
        verified: 0,
        micros,
    };
    // The fourth is claimed and may be sent; the fifth waits.
    let mut spent = store.spending(NOW).await.unwrap();
    spent.sort_by_key(|one| one.provider.is_none());
    assert_eq!(spent, [row(Some("twilio"), Some(3), 2, 155), row(None, None, 2, 65 + 60)]);
    assert_eq!(store.spending(NOW.plus(1)).await.unwrap(), []);
    let again = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1_000).await.unwrap();
    let third = again.iter().find(|queued| queued.message.id == MessageId(3)).map(|queued| queued.free);
    assert_eq!(third, Some(10), "a sender that dies has spent it");
}

pub(crate) async fn a_message_that_is_put_back_keeps_what_is_set_aside(store: &Store) {
    sent(store, 1, Charge { client: None, country: "DE", block: Some(block()), micros: 90 }).await;
    let claim = |now| store.claim_messages(Channel::Sms, Turn::ONLY, now, 9, 1_000);
    for _ in 0..2 {
        let claimed = claim(NOW).await.unwrap().remove(0);
        assert_eq!((claimed.passed_before, claimed.free), (0, 90));
        let (passed, free, claimed_until) = (claimed.passed_before, claimed.free, claimed.claimed_until);
        let put_back = MessageOutcome::PutBack { at: NOW, passed, free, claimed_until };
        store.settle_message(MessageId(1), put_back, NOW).await.unwrap();
        assert_eq!(store.spending(NOW).await.unwrap(), [], "nothing was tried");
    }
}

pub(crate) async fn a_text_that_was_called_costs_what_the_call_does(store: &Store) {
    let asked = sent(store, 1, Charge { client: None, country: "DE", block: Some(block()), micros: 90 }).await;
    let claimed = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1_000).await.unwrap().remove(0);
    let call = move |view: &View| message_end::called(view, &claimed.message, "vonage", 30, NOW);
    store.decide(asked.user_id, call).await.unwrap();
    let spent = store.spending(NOW).await.unwrap();
    let [one] = &spent[..] else { panic!("{spent:?}") };
    assert_eq!((one.provider.as_deref(), one.messages, one.micros), (Some("vonage"), 1, 60));
    put(store, asked.user_id, accepted(&asked)).await.unwrap();
    assert_eq!(store.spending(NOW).await.unwrap()[0].verified, 1);
}

pub(crate) async fn an_answer_marks_the_message_that_asked_for_it_and_no_other(store: &Store) {
    let charge = |block| Charge { client: None, country: "DE", block, micros: 0 };
    let asked = sent(store, 1, charge(Some(block()))).await;
    let other = sent(store, 2, charge(Some(block()))).await;
    let warning = sent(store, 3, charge(None)).await;
    for id in 1..=3 {
        store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 1, 1_000).await.unwrap();
        store.settle_message(MessageId(id), sent_by("a", 0), NOW).await.unwrap();
    }
    let verified = || async { store.spending(NOW).await.unwrap().iter().map(|one| one.verified).sum::<u64>() };
    let rejected = VerificationEnd::Rejected { at: NOW, collected: None };
    let reject = Change::CloseVerification { verification: other.id, end: rejected };
    put(store, other.user_id, vec![reject]).await.unwrap();
    assert_eq!(verified().await, 0);
    put(store, asked.user_id, accepted(&asked)).await.unwrap();
    put(store, warning.user_id, accepted(&warning)).await.unwrap();
    assert_eq!(verified().await, 1, "what asks for no answer has none");
    // A decision that fails leaves no mark.
    let late = sent(store, 4, charge(Some(block()))).await;
    store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 1, 1_000).await.unwrap();
    store.settle_message(MessageId(4), sent_by("a", 0), NOW).await.unwrap();
    let missing = Change::ConsumeVerification { verification: VerificationId(uuid::Uuid::nil()), at: NOW };
    assert!(put(store, late.user_id, accepted(&late).into_iter().chain([missing]).collect()).await.is_err());
    assert_eq!(verified().await, 1);
}
