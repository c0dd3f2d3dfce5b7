//! The trail: in order, chained, and never cut.

use domain::user::UserPatch;
use domain::*;

use super::world::*;
use crate::Store;

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
                    .because(&Reason::WrongCode)
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
