//! What each change does, and what it refuses to do.

use domain::model::user_patch::UserPatch;
use domain::model::visit::Visit;
use domain::rules::client::{self, Grant, Revocation};
use domain::rules::{risk, user};
use domain::*;

use super::world::*;
use crate::{Error, IdKind, Store, Turn, UniqueField};

pub(crate) async fn what_is_written_is_read_back(store: &Store) {
    let patch = UserPatch {
        username: Some(Some("Ana".to_owned())),
        email: Some(Some("Ana@Example.com".to_owned())),
        phone: Some(Some("+14155550123".to_owned())),
        texts: vec![("external_id".to_owned(), Some("x-1".to_owned()))],
        integers: vec![("group_id".to_owned(), Some(7))],
        custom_attributes: vec![("floor".to_owned(), Some("3".to_owned())), ("desk".to_owned(), None)],
        password_hash: Some("$argon2id$…".to_owned()),
        ..UserPatch::default()
    };
    let id = UserId(store.next_id(IdKind::User).await.unwrap());
    let decide = move |_: &View| user::create(id, &patch, &context(), NOW);
    let mut user = store.decide(id, decide).await.unwrap();
    let token = TempToken { hash: keys().hash("a", "b"), expires_at: NOW.plus(9), reusable: true, used_at: Some(NOW) };
    put(store, id, vec![Change::SetTempToken(id, Some(token.clone()))]).await.unwrap();
    user.temp_token = Some(token);
    let device = device(store, id, FactorKind::Voice).await;
    let verification = Verification {
        status: Status::Pending { attempts: 2 },
        state_token: Some(fresh_digest()),
        client_id: Some(ClientId(4)),
        ..verification(&device, sent_code("123456"))
    };
    open(store, &verification).await;
    let throttle = Throttle {
        key: ThrottleKey::Send(FactorKind::Voice),
        consecutive: 3,
        recent: vec![NOW, NOW.plus(1)],
        locked_until: Some(NOW.plus(2)),
        last_wrong: Some((fresh_digest(), NOW.plus(3))),
    };
    put(store, id, vec![Change::SetThrottle(id, throttle.clone())]).await.unwrap();

    let view = store.view(id).await.unwrap();
    assert_eq!(view.user, Some(user.clone()));
    assert_eq!(view.devices, [device]);
    assert_eq!(view.verifications, std::slice::from_ref(&verification));
    assert_eq!(view.throttles, [throttle]);
    assert_eq!(store.whose_verification(verification.id).await.unwrap(), Some(id));
    assert_eq!(standing(store, &verification).await, Some(verification.status));

    let from = user.login_names();
    user.username = Some("Bea".to_owned());
    let renamed = Change::RenameUser { user: id, from, to: user.login_names() };
    user.lock = Some(UserLock::Until(NOW.plus(5)));
    put(store, id, vec![Change::UpdateUser(user.clone()), renamed, Change::SetTempToken(id, None)]).await.unwrap();
    user.temp_token = None;
    assert_eq!(store.view(id).await.unwrap().user, Some(user.clone()));
    for status in UserStatus::ALL {
        for lock in [Some(UserLock::UntilLifted), Some(UserLock::Until(NOW)), None] {
            user = User { status, lock, ..user };
            put(store, id, vec![Change::UpdateUser(user.clone())]).await.unwrap();
            assert_eq!(store.view(id).await.unwrap().user.as_ref(), Some(&user), "a lock overwrites no status");
        }
    }

    let client = client(store).await;
    assert_eq!(store.client_view(client.id, None).await.unwrap().client, Some(client.clone()));
    let wrong = vec![NOW, NOW.plus(1)];
    let revoked = Client { revoked_at: Some(NOW), wrong_secrets: wrong.clone(), ..client.clone() };
    let changes = [Change::SetWrongSecrets { client: client.id, at: wrong }, Change::UpdateClient(revoked.clone())];
    store.decide_client(client.id, None, move |_| Decision::of(changes.to_vec(), ())).await.unwrap();
    assert_eq!(store.clients().await.unwrap(), std::slice::from_ref(&revoked));
    assert_eq!(store.client_by_public_id(&client.client_id).await.unwrap(), Some(revoked));
}

/// SEC 56: the visits alone go, and behind another change of the same user they go all the same.
pub(crate) async fn visits_are_forgotten(store: &Store) {
    let id = somebody(store).await;
    let mut user = store.view(id).await.unwrap().user.unwrap();
    user.profile.texts.insert("title".to_owned(), "\"quoted\" \\ é\n".to_owned());
    user.profile.custom_attributes.insert("visits".to_owned(), None);
    let visit = Visit::of("192.0.2.1".parse().unwrap(), "Firefox");
    user.profile.visits = risk::remember(&[], visit, None, NOW);
    put(store, id, vec![Change::UpdateUser(user.clone())]).await.unwrap();
    assert_eq!(store.view(id).await.unwrap().user.as_ref(), Some(&user));
    put(store, id, vec![Change::ForgetVisits(id)]).await.unwrap();
    let without = User { profile: Profile { visits: Vec::new(), ..user.profile.clone() }, ..user.clone() };
    assert_eq!(store.view(id).await.unwrap().user.as_ref(), Some(&without));
    for lock in [None, Some(UserLock::UntilLifted)] {
        let user = User { lock, ..user.clone() };
        put(store, id, vec![Change::UpdateUser(user), Change::ForgetVisits(id)]).await.unwrap();
        let without = User { lock, ..without.clone() };
        assert_eq!(store.view(id).await.unwrap().user.as_ref(), Some(&without));
    }
    put(store, id, vec![Change::ForgetVisits(id)]).await.unwrap();
}

pub(crate) async fn a_counter_never_goes_back(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Hotp).await.id;
    let advance = |counter| vec![Change::AdvanceCounter { device, counter, at: NOW }];
    put(store, user, advance(5)).await.unwrap();
    for behind in [5, 4, -1] {
        assert!(matches!(put(store, user, advance(behind)).await, Err(Error::Corrupt(_))), "{behind}");
    }
    assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, 5);
    // Except for a step in the future, which an administrator lowers.
    for (lower, left) in [(7, 5), (3, 3)] {
        put(store, user, vec![Change::LowerCounter { device, counter: lower }]).await.unwrap();
        assert_eq!(store.view(user).await.unwrap().devices[0].last_counter, left);
    }
}

pub(crate) async fn a_revised_device_keeps_its_id_and_counts_as_it_is_told(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Totp).await;
    put(store, user, vec![Change::AdvanceCounter { device: device.id, counter: 100, at: NOW }]).await.unwrap();
    let revise = |last_counter| Change::ReviseDevice {
        device: device.id,
        credential: Sealed(vec![7, 7]),
        secret: device.secret,
        display_name: "Another".to_owned(),
        last_counter,
    };
    // Steps of twice the length are half as many.
    put(store, user, vec![revise(50)]).await.unwrap();
    let revised = store.view(user).await.unwrap().devices.remove(0);
    assert_eq!((revised.id, revised.last_counter, revised.last_used_at), (device.id, 50, Some(NOW)));
    assert_eq!((revised.credential, revised.display_name.as_str()), (Sealed(vec![7, 7]), "Another"));
    let gone = Change::ReviseDevice {
        device: DeviceId(i64::from(i32::MAX)),
        credential: Sealed(vec![1]),
        secret: None,
        display_name: String::new(),
        last_counter: 1,
    };
    assert!(matches!(put(store, user, vec![gone]).await, Err(Error::Corrupt(_))), "nobody's device");
}

pub(crate) async fn a_decision_that_changes_nothing_it_should_is_void(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let asked = verification(&device, sent_code("123456"));
    open(store, &asked).await;
    let accept = Change::CloseVerification {
        verification: asked.id,
        end: VerificationEnd::Accepted { at: NOW, collected: Some(NOW) },
    };
    put(store, user, vec![accept.clone()]).await.unwrap();
    let touch = Change::TouchDevice { device: device.id, at: NOW };
    for void in [
        accept,
        Change::ConsumeVerification { verification: asked.id, at: NOW },
        Change::ActivateDevice { device: device.id, counter: None, credential: None, at: NOW },
        Change::ReplaceTokenSet { access: fresh_digest() },
    ] {
        assert!(matches!(put(store, user, vec![touch.clone(), void]).await, Err(Error::Corrupt(_))));
    }
    assert_eq!(store.view(user).await.unwrap().devices[0].last_used_at, None, "all or none");
}

pub(crate) async fn terminal_states_never_change(store: &Store) {
    use VerificationEnd::{Accepted, Expired, Rejected};
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    for end in [Accepted { at: NOW, collected: None }, Rejected { at: NOW, collected: None }, Expired] {
        let asked = verification(&device, sent_code("123456"));
        open(store, &asked).await;
        let close = |end| Change::CloseVerification { verification: asked.id, end };
        put(store, user, vec![close(end)]).await.unwrap();
        let later = Rejected { at: NOW.plus(9), collected: None };
        put(store, user, vec![close(later), close(Expired), Change::CountAttempt(asked.id)]).await.unwrap();
        let result = Some(Status::from(end)).filter(|end| *end != Status::Expired);
        assert_eq!(standing(store, &asked).await, result, "what ends without a result leaves none");
    }
}

pub(crate) async fn live_agrees_with_the_domain(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Push).await;
    let ends = [
        VerificationEnd::Accepted { at: NOW, collected: None },
        VerificationEnd::Accepted { at: NOW, collected: Some(NOW) },
        VerificationEnd::Rejected { at: NOW, collected: None },
        VerificationEnd::Rejected { at: NOW, collected: Some(NOW) },
        VerificationEnd::Expired,
    ];
    for state_token in [None, Some(fresh_digest())] {
        for born in [Status::NEW].into_iter().chain(ends.map(Status::from)) {
            for end in ends {
                let asked =
                    Verification { state_token, status: born, ..verification(&device, |_| Challenge::Untriggered) };
                open(store, &asked).await;
                assert_live(store, &asked).await;
                let close = Change::CloseVerification { verification: asked.id, end };
                let closed = put(store, user, vec![close]).await;
                assert_eq!(closed.is_ok(), born.is_pending() || !matches!(end, VerificationEnd::Accepted { .. }));
                assert_live(store, &asked).await;
                let hash = fresh_digest();
                put(store, user, vec![Change::ReplaceStateToken { verification: asked.id, hash }]).await.unwrap();
                assert_live(store, &asked).await;
                let renumbered = prompt_of(&asked, "43");
                put(store, user, vec![renumbered]).await.unwrap();
                let view = store.view(user).await.unwrap();
                let asks = view.verification(asked.id).and_then(|kept| kept.challenge.number());
                assert_eq!(asks, None, "what is over is not asked anew");
                let _ = put(store, user, vec![Change::ConsumeVerification { verification: asked.id, at: NOW }]).await;
                assert_live(store, &asked).await;
            }
        }
    }
}

fn prompt_of(asked: &Verification, number: &str) -> Change {
    let challenge = Challenge::Approval {
        nonce: Secret::new(vec![5; 32]),
        numbers: vec![number.to_owned()],
        asked: AskedFrom::default(),
    };
    Change::ReplaceChallenge { verification: asked.id, wire_id: format!("{}-{number}", asked.wire_id), challenge }
}

pub(crate) async fn a_prompt_that_waits_gets_another_number(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Push).await;
    let asked = verification(&device, |_| Challenge::Untriggered);
    open(store, &asked).await;
    for number in ["42", "07"] {
        put(store, user, vec![prompt_of(&asked, number)]).await.unwrap();
        let view = store.view(user).await.unwrap();
        let stored = view.verification(asked.id).unwrap().clone();
        let wanted = Challenge::Approval {
            nonce: Secret::new(vec![5; 32]),
            numbers: vec![number.to_owned()],
            asked: AskedFrom::default(),
        };
        assert_eq!((stored.challenge, stored.wire_id), (wanted, format!("{}-{number}", asked.wire_id)));
    }
}

/// Decisions see what is pending or still to be collected. Of the rest, a result is all that is left.
async fn assert_live(store: &Store, asked: &Verification) {
    let view = store.view(asked.user_id).await.unwrap();
    match view.verification(asked.id) {
        Some(seen) => assert!(seen.is_kept(), "{seen:?}"),
        None => {
            let left = standing(store, asked).await;
            assert!(left.is_none_or(|status| !status.is_pending()), "{left:?}");
            assert_eq!(store.whose_verification(asked.id).await.unwrap(), None);
        }
    }
}

pub(crate) async fn an_end_wipes_the_code(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let asked = Verification { state_token: Some(fresh_digest()), ..verification(&device, sent_code("123456")) };
    open(store, &asked).await;
    let end = VerificationEnd::Accepted { at: NOW, collected: None };
    put(store, user, vec![Change::CloseVerification { verification: asked.id, end }]).await.unwrap();
    let view = store.view(user).await.unwrap();
    let collectable = view.verification(asked.id).unwrap();
    let Challenge::Code { hash, length: 6, .. } = collectable.challenge else { panic!("the form is kept") };
    assert_eq!(hash.to_bytes(), [0; 36]);
}

/// Lists of results do not grow without end.
pub(crate) async fn the_newest_results_are_kept(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Totp).await;
    let mut all = Vec::new();
    for _ in 0..40 {
        let asked = verification(&device, |_| Challenge::Own);
        open(store, &asked).await;
        let end = VerificationEnd::Accepted { at: NOW, collected: None };
        put(store, user, vec![Change::CloseVerification { verification: asked.id, end }]).await.unwrap();
        all.push(asked);
    }
    for (number, asked) in all.iter().enumerate() {
        assert_eq!(standing(store, asked).await.is_some(), number >= 8, "{number}");
    }
}

pub(crate) async fn a_deleted_device_takes_its_traces_along(store: &Store) {
    let user = somebody(store).await;
    let (gone, kept) = (device(store, user, FactorKind::Sms).await, device(store, user, FactorKind::Email).await);
    let (of_gone, of_kept) = (verification(&gone, sent_code("1")), verification(&kept, sent_code("2")));
    let collectable = Verification {
        status: Status::Accepted { at: NOW, collected: None },
        state_token: Some(fresh_digest()),
        ..verification(&gone, sent_code("3"))
    };
    let mut changes: Vec<_> =
        [&of_gone, &of_kept, &collectable].into_iter().map(|v| Change::OpenVerification(v.clone())).collect();
    changes.extend([Change::Enqueue(message(1, &of_gone)), Change::Enqueue(message(2, &of_kept))]);
    for device in [&gone, &kept] {
        changes.push(Change::SetThrottle(user, Throttle::new(ThrottleKey::Device(device.id))));
    }
    changes.push(Change::DeleteDevice(gone.id));
    put(store, user, changes).await.unwrap();
    let view = store.view(user).await.unwrap();
    assert_eq!(view.devices, std::slice::from_ref(&kept));
    assert_eq!(view.verifications, std::slice::from_ref(&of_kept));
    assert_eq!(view.throttles, [Throttle::new(ThrottleKey::Device(kept.id))]);
    assert_eq!(store.whose_verification(of_gone.id).await.unwrap(), None);
    let result = standing(store, &collectable).await;
    assert_eq!(result, Some(Status::Accepted { at: NOW, collected: None }), "a result stays what it is");
    let queued = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1).await.unwrap();
    assert_eq!(queued.iter().map(|q| q.message.id).collect::<Vec<_>>(), [MessageId(2)]);
}

/// SEC 56: and nothing of anybody else's.
pub(crate) async fn a_revoked_client_takes_along_what_it_has_begun(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let (gone, kept) = (client(store).await.id, client(store).await.id);
    let of = |client, code| Verification { client_id: Some(client), ..verification(&device, sent_code(code)) };
    let (of_gone, of_kept) = (of(gone, "1"), of(kept, "2"));
    let collectable = Verification {
        status: Status::Accepted { at: NOW, collected: None },
        state_token: Some(fresh_digest()),
        ..of(gone, "3")
    };
    let mut changes: Vec<_> =
        [&of_gone, &of_kept, &collectable].into_iter().map(|v| Change::OpenVerification(v.clone())).collect();
    changes.extend([Change::Enqueue(message(1, &of_gone)), Change::Enqueue(message(2, &of_kept))]);
    put(store, user, changes).await.unwrap();
    store.end_begun(gone).await.unwrap();
    assert_eq!(
        store.view(user).await.unwrap().verifications.len(),
        3,
        "a client that is not revoked keeps what it has"
    );
    store.decide_client(gone, None, |view| client::revoke_client(view, NOW)).await.unwrap().unwrap();
    store.end_begun(gone).await.unwrap();
    let view = store.view(user).await.unwrap();
    assert_eq!(view.verifications, std::slice::from_ref(&of_kept));
    assert_eq!(standing(store, &of_gone).await, None);
    assert_eq!(store.whose_verification(of_gone.id).await.unwrap(), None);
    let queued = store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1).await.unwrap();
    assert_eq!(queued.iter().map(|q| q.message.id).collect::<Vec<_>>(), [MessageId(2)]);
}

pub(crate) async fn a_deleted_user_takes_everything_along(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Sms).await;
    let asked = verification(&device, sent_code("1"));
    put(
        store,
        user,
        vec![
            Change::OpenVerification(asked.clone()),
            Change::Enqueue(message(1, &asked)),
            Change::SetThrottle(user, Throttle::new(ThrottleKey::User)),
        ],
    )
    .await
    .unwrap();
    assert!(store.decide(user, |view| user::delete(view, &context(), NOW)).await.unwrap());
    let view = store.view(user).await.unwrap();
    assert!(view.user.is_none() && view.devices.is_empty() && view.throttles.is_empty());
    assert_eq!(store.whose_verification(asked.id).await.unwrap(), None);
    assert!(store.claim_messages(Channel::Sms, Turn::ONLY, NOW, 9, 1).await.unwrap().is_empty());
    store.settle_message(MessageId(1), sent_by("twilio", 0), NOW).await.unwrap();
}

pub(crate) async fn a_username_is_unique_without_regard_to_case(store: &Store) {
    let named = |name: &str, email: &str| UserPatch {
        username: Some(Some(name.to_owned())),
        email: Some(Some(email.to_owned())),
        ..UserPatch::default()
    };
    let create = async |patch: UserPatch| {
        let id = UserId(store.next_id(IdKind::User).await.unwrap());
        store.decide(id, move |_| user::create(id, &patch, &context(), NOW)).await.map(|user| user.id)
    };
    let first = create(named("Zoë", "zoe@example.com")).await.unwrap();
    assert_eq!(create(named("ZOË", "other@example.com")).await, Err(Error::Conflict(UniqueField::Username)));
    assert_eq!(create(named("other", "ZOE@EXAMPLE.COM")).await, Err(Error::Conflict(UniqueField::Email)));
    assert_eq!(
        store.decide(first, move |_| user::create(first, &UserPatch::default(), &context(), NOW)).await.unwrap_err(),
        Error::Conflict(UniqueField::Id)
    );
    somebody(store).await;
    somebody(store).await; // without a name there is nothing to collide
}

pub(crate) async fn a_name_is_free_once_nobody_has_it(store: &Store) {
    let named = |username: &str, email: &str| UserPatch {
        username: Some(Some(username.to_owned()).filter(|text| !text.is_empty())),
        email: Some(Some(email.to_owned()).filter(|text| !text.is_empty())),
        ..UserPatch::default()
    };
    let create = async |patch: UserPatch| {
        let id = UserId(store.next_id(IdKind::User).await.unwrap());
        store.decide(id, move |_| user::create(id, &patch, &context(), NOW)).await.map(|user| user.id)
    };
    let rename = async |id: UserId, patch: UserPatch| {
        store.decide(id, move |view| user::update(view, &patch, &context(), NOW)).await.map(|_| ())
    };
    let found = async |name: &str| store.user_by_login(name).await.unwrap();
    let username = Err(Error::Conflict(UniqueField::Username));
    let email = Err(Error::Conflict(UniqueField::Email));

    let ceo = create(named("boss", "CEO@corp.example")).await.unwrap();
    let bob = create(named("bob", "")).await.unwrap();
    // Either way round, and however it is spelt.
    assert_eq!(rename(bob, named("ceo@corp.example", "")).await, username);
    assert_eq!(rename(bob, named("bob", "ceo@CORP.example")).await, email);
    assert_eq!(create(named(" ceo@corp.example", "")).await, username.map(|()| bob));
    assert_eq!(create(named("", "ceo@corp.example")).await, email.map(|()| bob));
    assert_eq!(create(named("B\u{200b}ob", "")).await, username.map(|()| bob));
    assert_eq!(found("ceo@corp.example").await, Some(ceo));
    // A user's own two may be equal, may change places, and may be spelt anew.
    rename(bob, named("bob@corp.example", "bob@corp.example")).await.unwrap();
    rename(bob, named("Bob@corp.example", "")).await.unwrap();
    rename(bob, named("bobby", "BOB@corp.example")).await.unwrap();
    assert_eq!(
        (found("bobby").await, found("bob@corp.example").await, found("bob").await),
        (Some(bob), Some(bob), None)
    );
    assert_eq!(store.user_by_username("bob@corp.example").await.unwrap(), None);
    // What is given up is free, and so is all that a deleted user had.
    rename(ceo, named("boss", "")).await.unwrap();
    rename(bob, named("ceo@corp.example", "bob@corp.example")).await.unwrap();
    store.decide(bob, |view| user::delete(view, &context(), NOW)).await.unwrap();
    assert_eq!(found("bob@corp.example").await, None);
    let newcomer = create(named("bob@corp.example", "ceo@corp.example")).await.unwrap();
    assert_eq!(found("ceo@corp.example").await, Some(newcomer));
    assert_eq!((store.colliding_names().await, store.collisions(9).await), (Ok(0), Ok(vec![])));
}

pub(crate) async fn a_failed_decision_leaves_nothing_behind(store: &Store) {
    let user = somebody(store).await;
    let before = store.audit(user).await.unwrap();
    let device = device(store, user, FactorKind::Hotp).await;
    let failed = put(
        store,
        user,
        vec![
            AuditEvent::of_user(AuditKind::Verified, user, NOW).into(),
            Change::SetThrottle(user, Throttle::new(ThrottleKey::User)),
            Change::CreateDevice(device),
        ],
    )
    .await;
    assert_eq!(failed, Err(Error::Conflict(UniqueField::Id)));
    assert!(store.view(user).await.unwrap().throttles.is_empty());
    assert_eq!(store.audit(user).await.unwrap(), before);
    put(store, user, vec![AuditEvent::of_user(AuditKind::Verified, user, NOW).into()]).await.unwrap();
    assert!(store.verify_audit_chain(user).await.unwrap(), "the chain goes on where it was");
}

/// Nodes draw the numbers of rows from blocks, so a successor may have a lower one than the pair it replaces.
pub(crate) async fn a_pair_has_one_successor_whatever_the_numbers_of_their_rows(store: &Store) {
    let client = client(store).await.id;
    let (low, first) = (token_set(store, client).await, token_set(store, client).await);
    assert!(low.row < first.row);
    let granted = first.clone();
    let granted =
        store.decide_client(client, None, move |view| client::grant(view, "secret", HERE, &granted, &context(), NOW));
    assert_eq!(granted.await.unwrap(), Grant::Granted(first.clone()));
    let mut fresh = low.clone();
    for _ in 0..3 {
        let (old, drawn) = (first.clone(), fresh);
        let decide = move |view: &ClientView| client::refresh(view, &old.refresh, HERE, &drawn, &context(), NOW);
        let answered = store.decide_client(client, Some(first.access), decide).await.unwrap();
        assert!(matches!(answered, Grant::Granted(set) if set.access == low.access), "one pair replaces one pair");
        fresh = token_set(store, client).await;
    }
    let again = store
        .decide_client(client, None, move |view| client::grant(view, "secret", HERE, &fresh, &context(), NOW))
        .await;
    assert!(matches!(again.unwrap(), Grant::Granted(set) if set.access == low.access), "and is the one that lives");
}

pub(crate) async fn a_refreshed_pair_is_answered_with_the_newest_of_its_line(store: &Store) {
    let client = client(store).await.id;
    let (first, second) = (token_set(store, client).await, token_set(store, client).await);
    let secret = first.clone();
    let granted = store
        .decide_client(client, None, move |view| client::grant(view, "secret", HERE, &secret, &context(), NOW))
        .await;
    assert_eq!(granted.unwrap(), Grant::Granted(first.clone()));
    let other = token_set(store, client).await;
    let again = store
        .decide_client(client, None, move |view| client::grant(view, "secret", HERE, &other, &context(), NOW))
        .await;
    assert_eq!(again.unwrap(), Grant::Granted(first.clone()), "the live set is answered again");
    let refresh = |fresh: TokenSet| {
        let (old, store) = (first.clone(), store.clone());
        async move {
            let decide = move |view: &ClientView| client::refresh(view, &old.refresh, HERE, &fresh, &context(), NOW);
            store.decide_client(client, Some(first.access), decide).await.unwrap()
        }
    };
    let Grant::Granted(current) = refresh(second.clone()).await else { panic!("refused") };
    assert_eq!(current.family, first.family);
    assert_eq!(store.client_view(client, None).await.unwrap().newest, Some(current.clone()));
    assert_eq!(
        refresh(token_set(store, client).await).await,
        Grant::Granted(current.clone()),
        "the old pair, once more"
    );
    let old = store.token(first.access).await.unwrap().unwrap().0;
    assert_eq!((old.ended_at, old.sealed), (None, None), "it lives on, and its clear text is not needed");
    let revoke = |view: &ClientView| client::revoke(view, "secret", HERE, &context(), NOW);
    assert_eq!(store.decide_client(client, Some(first.access), revoke).await.unwrap(), Revocation::Done);
    assert_eq!(refresh(token_set(store, client).await).await, Grant::Refused);
    assert_eq!(store.client_view(client, None).await.unwrap().newest, None);
    let ended = store.token(current.access).await.unwrap().unwrap().0;
    assert_eq!((ended.ended_at, ended.sealed), (Some(NOW), None), "with all of its line");
}
