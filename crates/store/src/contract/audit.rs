//! The trail: in order, chained, and never cut.

use domain::model::user_patch::UserPatch;
use domain::rules::{client, user};
use domain::*;

use super::world::*;
use crate::{EventFilter, EventPage, Span, Store};

pub(crate) async fn entries_of_a_user_form_a_chain_in_order(store: &Store) {
    let (user, other) = (somebody(store).await, somebody(store).await);
    for n in 0..5 {
        for user in [user, other] {
            let event = AuditEvent {
                ip: Some("192.0.2.7".to_owned()),
                ..AuditEvent::of_user(AuditKind::Refused, user, NOW.plus(n))
                    .by(Some(ClientId(3)))
                    .device(DeviceId(4))
                    .verification(Some(VerificationId(uuid::Uuid::from_u128(5))))
                    .in_request(Some(&"request-6".into()))
                    .refused(Rule::WrongCode, "wrong_code")
            };
            // Two in one decision, too.
            put(store, user, vec![event.clone().into(), event.into()]).await.unwrap();
        }
    }
    let rows = store.audit(user).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
    assert_eq!((rows[0].kind.as_str(), rows[1].kind.as_str()), ("user.created", "verification.refused"));
    assert_eq!((rows[10].at, rows[10].reason.as_deref()), (NOW.plus(4), Some("wrong_code")));
    assert_eq!((rows[10].device, rows[10].ip.as_deref()), (Some(DeviceId(4)), Some("192.0.2.7")));
    assert_eq!((rows[10].request.as_deref(), rows[10].rule.as_deref()), (Some("request-6"), Some("answer.wrong")));
    assert_eq!((&rows[0].request, &rows[0].rule, rows[0].format), (&None, &None, AuditEvent::FORMAT));
    assert!(store.verify_audit_chain(user).await.unwrap());
    assert!(store.verify_audit_chain(other).await.unwrap());
}

pub(crate) async fn a_client_has_a_chain_of_its_own(store: &Store) {
    let client = client(store).await;
    store.decide_client(client.id, None, |view| client::revoke_client(view, NOW)).await.unwrap();
    let rows = store.audit(client.id).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["client.created", "client.revoked"]);
    assert!(store.verify_audit_chain(client.id).await.unwrap());
    assert!(store.audit(UserId(client.id.0)).await.unwrap().is_empty(), "a user of the same number is somebody else");
    assert!(store.verify_audit_chain(UserId(client.id.0)).await.unwrap());
}

pub(crate) async fn the_trail_of_a_deleted_user_remains(store: &Store) {
    let user = person(store, UserPatch::default()).await;
    store.decide(user, |view| user::delete(view, &context(), NOW)).await.unwrap();
    let rows = store.audit(user).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["user.created", "user.deleted"]);
    assert!(store.verify_audit_chain(user).await.unwrap());
}

pub(crate) async fn entries_are_found_over_all_chains(store: &Store) {
    let page = |beyond, descending, limit| EventPage { beyond, descending, limit };
    let none = store.events(&EventFilter::default(), page(None, false, 5)).await.unwrap();
    assert_eq!((none.entries.len(), none.next), (0, None));
    let (user, other) = (somebody(store).await, somebody(store).await);
    let caller = client(store).await.id;
    for n in 0..3 {
        let event = AuditEvent::of_user(AuditKind::Verified, user, NOW.plus(n)).by(Some(caller));
        put(store, user, vec![event.into()]).await.unwrap();
    }
    // Ids ascend only roughly where several writers share a database, so what counts is what is found, and in pages that
    // neither overlap nor leave anything out.
    let kinds = async |filter: EventFilter, page: EventPage| {
        let found = store.events(&filter, page).await.unwrap();
        assert!(found.entries.is_sorted_by(|a, b| (a.0 < b.0) != page.descending));
        let mut kinds: Vec<_> = found.entries.iter().map(|(_, entry)| entry.kind.clone()).collect();
        kinds.sort_unstable();
        (kinds.join(" "), found.next)
    };
    let all =
        "client.created user.created user.created verification.accepted verification.accepted verification.accepted";
    for descending in [false, true] {
        assert_eq!(kinds(EventFilter::default(), page(None, descending, 50)).await, (all.to_owned(), None));
        let (mut beyond, mut seen) = (None, Vec::new());
        loop {
            let found = store.events(&EventFilter::default(), page(beyond, descending, 4)).await.unwrap();
            seen.extend(found.entries.iter().map(|(id, _)| *id));
            beyond = found.next;
            if beyond.is_none() {
                break;
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }
    let of = |user| EventFilter { user: Some(user), ..EventFilter::default() };
    assert_eq!(kinds(of(other), page(None, false, 50)).await, ("user.created".to_owned(), None));
    let by = EventFilter { client: Some(caller), kinds: Some(vec!["verification.accepted"]), ..EventFilter::default() };
    let two = kinds(by.clone(), page(None, false, 2)).await;
    assert_eq!(two.0, "verification.accepted verification.accepted");
    assert_eq!(kinds(by, page(two.1, false, 2)).await, ("verification.accepted".to_owned(), None));
    let late =
        EventFilter { at: Span { since: Some(NOW.plus(1)), until: Some(NOW.plus(1)) }, ..EventFilter::default() };
    assert_eq!(kinds(late, page(None, false, 50)).await.0, "verification.accepted");
    let one = store.events(&of(other), page(None, false, 1)).await.unwrap().entries[0].0;
    let named = EventFilter { id: Some(one), ..EventFilter::default() };
    assert_eq!(kinds(named, page(None, false, 1)).await, ("user.created".to_owned(), None));
    let nothing = EventFilter { id: Some(i64::MAX), ..EventFilter::default() };
    assert_eq!(kinds(nothing, page(None, false, 1)).await, (String::new(), None));
}
