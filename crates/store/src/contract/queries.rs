//! What is asked outside decisions.

use std::time::Duration;

use domain::model::session::Terms;
use domain::model::user_patch::UserPatch;
use domain::rules::factor::push::PAIRING_CONTEXT;
use domain::*;

use super::world::*;
use crate::query::{LISTS, Reading};
use crate::{Error, IdKind, Page, Span, Store, TextFilter, UniqueField, UserFilter};

const ALL: Page = Page { limit: 50, offset: 0 };

pub(crate) async fn a_users_devices_are_listed_oldest_first(store: &Store) {
    let user = somebody(store).await;
    assert_eq!(store.devices(user).await.unwrap(), Some(vec![]));
    let first = device(store, user, FactorKind::Sms).await;
    let second = device(store, user, FactorKind::Totp).await;
    let other = somebody(store).await;
    device(store, other, FactorKind::Totp).await;
    assert_eq!(store.devices(user).await.unwrap(), Some(vec![first, second]));
    assert_eq!(store.devices(UserId(i64::MAX)).await.unwrap(), None);
}

pub(crate) async fn users_are_found_by_each_field(store: &Store) {
    let named = |n: i64| UserPatch {
        username: Some(Some(format!("User{n}"))),
        email: Some(Some(format!("User{n}@Example.com"))),
        texts: ["external_id", "samaccountname", "firstname", "lastname"]
            .map(|field| (field.to_owned(), Some(format!("{field}{n}"))))
            .to_vec(),
        integers: vec![("directory_id".to_owned(), Some(n)), ("group_id".to_owned(), Some(n + 10))],
        custom_attributes: vec![("a \"b\" $.c".to_owned(), Some(format!("v{n}")))],
        ..UserPatch::default()
    };
    let one = person(store, named(1)).await;
    let two = person(store, named(2)).await;
    let other = somebody(store).await;
    let mut logged_in = store.view(two).await.unwrap().user.unwrap();
    logged_in.profile.last_login = Some(NOW.plus(5));
    put(store, two, vec![Change::UpdateUser(logged_in)]).await.unwrap();
    let filter = UserFilter::default;
    let exactly = |text: &str| TextFilter::exactly(text);
    let like = |text: &str| Some(TextFilter { wildcards: true, ..exactly(text) });
    let but = |text: &str| Some(TextFilter { negated: true, wildcards: true, ..exactly(text) });
    for (found, expected) in [
        (UserFilter { id: Some(two), ..filter() }, vec![two]),
        (UserFilter { user_ids: Some(vec![two, one, UserId(999)]), ..filter() }, vec![one, two]),
        (UserFilter { user_ids: Some(vec![]), ..filter() }, vec![]),
        (UserFilter { username: Some(exactly("uSER2")), ..filter() }, vec![two]),
        (UserFilter { email: Some(exactly("user2@EXAMPLE.com")), ..filter() }, vec![two]),
        (UserFilter { external_id: Some(exactly("external_id2")), ..filter() }, vec![two]),
        (UserFilter { samaccountname: Some(exactly("samaccountname2")), ..filter() }, vec![two]),
        (UserFilter { firstname: Some(exactly("firstname2")), ..filter() }, vec![two]),
        (UserFilter { lastname: Some(exactly("lastname2")), ..filter() }, vec![two]),
        (UserFilter { directory_id: Some(2), ..filter() }, vec![two]),
        (UserFilter { group_id: Some(12), ..filter() }, vec![two]),
        (UserFilter { custom_attributes: vec![("a \"b\" $.c".into(), exactly("v2"))], ..filter() }, vec![two]),
        (UserFilter { custom_attributes: vec![("other".into(), exactly("v2"))], ..filter() }, vec![]),
        (UserFilter { firstname: Some(exactly("firstname2")), group_id: Some(11), ..filter() }, vec![]),
        (UserFilter { username: Some(exactly("user%")), ..filter() }, vec![]),
        (UserFilter { username: Some(exactly("user*")), ..filter() }, vec![]),
        (UserFilter { username: like("*SER*"), ..filter() }, vec![one, two]),
        (UserFilter { email: like("*2@example.com"), ..filter() }, vec![two]),
        (UserFilter { email: like("user_@*"), ..filter() }, vec![]),
        (UserFilter { external_id: like("external?id2*"), ..filter() }, vec![]),
        (UserFilter { external_id: like("external_id[2]*"), ..filter() }, vec![]),
        (UserFilter { firstname: like("FIRST*"), ..filter() }, vec![]),
        (UserFilter { firstname: like("first*"), ..filter() }, vec![one, two]),
        (UserFilter { firstname: but("firstname2"), ..filter() }, vec![one, other]),
        (UserFilter { username: but("*1"), ..filter() }, vec![two, other]),
        (
            UserFilter { custom_attributes: vec![("a \"b\" $.c".into(), like("v*").unwrap())], ..filter() },
            vec![one, two],
        ),
        (
            UserFilter { custom_attributes: vec![("a \"b\" $.c".into(), but("v2").unwrap())], ..filter() },
            vec![one, other],
        ),
        (UserFilter { created: Span { since: Some(NOW), until: Some(NOW) }, ..filter() }, vec![one, two, other]),
        (UserFilter { created: Span { since: Some(NOW.plus(1)), until: None }, ..filter() }, vec![]),
        (UserFilter { updated: Span { since: None, until: Some(NOW.plus(-1)) }, ..filter() }, vec![]),
        (UserFilter { last_login: Span { since: Some(NOW), until: None }, ..filter() }, vec![two]),
    ] {
        let page = store.users(&found, ALL).await.unwrap();
        assert_eq!(page.users.iter().map(|user| user.id).collect::<Vec<_>>(), expected, "{found:?}");
        assert_eq!(page.total, expected.len() as u64);
    }
}

/// SEC 92: those who are refused at a log-in since nothing that they have can be used.
pub(crate) async fn users_without_a_usable_device_are_found(store: &Store) {
    use DeviceStatus::{Active, Disabled, Pending};
    use FactorKind::{Hotp, Sms, Totp};
    let of = async |devices: &[(FactorKind, DeviceStatus)]| {
        let user = somebody(store).await;
        for (factor, status) in devices {
            device_in(store, user, *factor, *status).await;
        }
        user
    };
    let disabled = of(&[(Totp, Disabled), (Hotp, Disabled), (Hotp, Pending)]).await;
    let unoffered = of(&[(Sms, Active)]).await;
    let both = of(&[(Sms, Active), (Totp, Disabled)]).await;
    for usable in [&[][..], &[(Totp, Pending)], &[(Totp, Active)], &[(Sms, Active), (Totp, Disabled), (Hotp, Active)]] {
        of(usable).await;
    }
    let free = of(&[(Totp, Disabled)]).await;
    let mut freed = store.view(free).await.unwrap().user.unwrap();
    freed.profile.mfa_policy = Some(MfaPolicy::Off);
    put(store, free, vec![Change::UpdateUser(freed)]).await.unwrap();
    let found = async |offered: &[FactorKind]| {
        let filter = UserFilter { without_usable: Some(offered.to_vec()), ..UserFilter::default() };
        let page = store.users(&filter, ALL).await.unwrap();
        assert_eq!(page.total, page.users.len() as u64);
        page.users.into_iter().map(|user| user.id).collect::<Vec<_>>()
    };
    assert_eq!(found(&[Totp, Hotp]).await, [disabled, unoffered, both]);
    assert_eq!(found(&FactorKind::ALL).await, [disabled]);
    assert_eq!(found(&[]).await.len(), 5, "nothing is offered");
}

pub(crate) async fn users_come_in_pages(store: &Store) {
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(somebody(store).await);
    }
    let mut seen = Vec::new();
    for offset in [0, 3, 6, 9] {
        let page = store.users(&UserFilter::default(), Page { limit: 3, offset }).await.unwrap();
        assert_eq!(page.total, 7);
        seen.extend(page.users.into_iter().map(|user| user.id));
    }
    assert_eq!(seen, ids);
}

pub(crate) async fn a_verification_is_found_by_user_and_wire_id_together(store: &Store) {
    let (user, other) = (somebody(store).await, somebody(store).await);
    let device = device(store, user, FactorKind::Sms).await;
    let asked = Verification { wire_id: "12345".to_owned(), ..verification(&device, sent_code("1")) };
    open(store, &asked).await;
    let find = async |user, purpose| store.verification_by_wire_id(user, "12345", purpose).await.unwrap();
    let known = find(user, Purpose::Login).await.unwrap();
    assert_eq!((known.device_id, known.status, known.expires_at), (device.id, asked.status, asked.expires_at));
    assert_eq!(find(user, Purpose::Enrol).await, None);
    assert_eq!(find(other, Purpose::Login).await, None);
    let again = Verification { id: VerificationId(uuid::Uuid::from_u128(fresh().into())), ..asked.clone() };
    let taken = Err(Error::Conflict(UniqueField::WireId));
    assert_eq!(put(store, user, vec![Change::OpenVerification(again.clone())]).await, taken);
    let end = VerificationEnd::Rejected { at: NOW, collected: None };
    put(store, user, vec![Change::CloseVerification { verification: asked.id, end }]).await.unwrap();
    assert_eq!(find(user, Purpose::Login).await.unwrap().status, end.into(), "an ended one is found too");
    assert_eq!(put(store, user, vec![Change::OpenVerification(again)]).await, taken, "and keeps its id");
}

pub(crate) async fn a_pairing_is_found_by_its_code_while_it_waits(store: &Store) {
    let user = somebody(store).await;
    let device = device_in(store, user, FactorKind::Push, DeviceStatus::Registering).await;
    let hash = keys().hash(PAIRING_CONTEXT, "ABCD2345");
    let asked = Verification { purpose: Purpose::Enrol, ..verification(&device, |_| Challenge::Pairing { hash }) };
    open(store, &asked).await;
    assert_eq!(store.pairing(hash).await.unwrap(), Some((user, asked.id)));
    assert_eq!(store.pairing(keys().hash(PAIRING_CONTEXT, "ABCD2346")).await.unwrap(), None);
    let close = Change::CloseVerification { verification: asked.id, end: VerificationEnd::Expired };
    put(store, user, vec![close]).await.unwrap();
    assert_eq!(store.pairing(hash).await.unwrap(), None);
}

pub(crate) async fn a_link_is_found_by_its_token_while_it_waits(store: &Store) {
    let user = somebody(store).await;
    let device = device(store, user, FactorKind::Email).await;
    let (token, other) = (fresh_digest(), fresh_digest());
    let link = |token| {
        move |_| Challenge::Link(LinkChallenge { token, code: None, redirect_to: None, asked: AskedFrom::default() })
    };
    let asked = verification(&device, link(token));
    open(store, &asked).await;
    assert_eq!(store.link(token).await.unwrap(), Some((user, asked.id)));
    assert_eq!(store.link(other).await.unwrap(), None);
    assert_eq!(store.whose_verification(asked.id).await.unwrap(), Some(user));
    let newer = verification(&device, link(other));
    let end = VerificationEnd::Accepted { at: NOW, collected: None };
    let close = Change::CloseVerification { verification: asked.id, end };
    put(store, user, vec![close, Change::OpenVerification(newer.clone())]).await.unwrap();
    assert_eq!(store.link(token).await.unwrap(), None);
    assert_eq!(store.link(other).await.unwrap(), Some((user, newer.id)));
}

pub(crate) async fn a_token_is_found_with_its_client(store: &Store) {
    let client = client(store).await;
    let set = token_set(store, client.id).await;
    let stored = set.clone();
    let decide = move |_: &ClientView| Decision::reply(()).with(Change::CreateTokenSet(stored.clone()));
    store.decide_client(client.id, None, decide).await.unwrap();
    assert_eq!(store.token(set.access).await.unwrap(), Some((set.clone(), client.clone())));
    assert_eq!(store.token(set.refresh).await.unwrap(), None, "a refresh token opens nothing");
    let view = store.client_view(client.id, Some(set.access)).await.unwrap();
    assert_eq!((view.client, view.newest, view.asked), (Some(client), Some(set.clone()), Some(set)));
}

pub(crate) async fn a_user_is_found_by_another_systems_id_before_the_name(store: &Store) {
    let named = |name: &str, external_id: Option<&str>| UserPatch {
        username: Some(Some(name.to_owned())),
        texts: external_id.map(|id| ("external_id".to_owned(), Some(id.to_owned()))).into_iter().collect(),
        ..UserPatch::default()
    };
    let ana = person(store, named("Ana", Some("x1"))).await;
    let ben = person(store, named("ben", None)).await;
    // Another system's ids are not ours to keep unique.
    person(store, named("twin", Some("x1"))).await;
    let asked = [(Some("x1"), "ben"), (Some("x2"), "BEN"), (None, "aNA"), (Some("x2"), "nobody"), (None, "x1")];
    let expected = [Some(ana), Some(ben), Some(ana), None, None];
    assert_eq!(store.find_users(&asked).await.unwrap(), expected);
    for ((external_id, username), expected) in asked.into_iter().zip(expected) {
        assert_eq!(store.find_user(external_id, username).await.unwrap(), expected);
    }
    assert_eq!(store.find_users(&[]).await.unwrap(), []);
}

pub(crate) async fn a_person_is_found_by_either_name_for_the_log_in(store: &Store) {
    let patch = UserPatch {
        username: Some(Some("Log-In".to_owned())),
        email: Some(Some("Log.In@example.com".to_owned())),
        ..UserPatch::default()
    };
    let user = person(store, patch).await;
    for name in ["log-in", "LOG-IN", "log.in@EXAMPLE.com"] {
        assert_eq!(store.user_by_login(name).await.unwrap(), Some(user), "{name}");
    }
    assert_eq!(store.user_by_login("nobody").await.unwrap(), None);
}

pub(crate) async fn a_holder_is_found_while_the_token_lives(store: &Store) {
    let user = somebody(store).await;
    let granted = session(store, user, SessionKind::SessionToken { terms: terms() }).await;
    let begun = session(store, user, SessionKind::LogIn { terms: terms(), attempts: 0 }).await;
    assert_eq!(store.holder_of_session_token(granted.token).await.unwrap(), Some(user));
    assert_eq!(store.user_logging_in(begun.token).await.unwrap(), Some(user));
    assert_eq!(store.user_logging_in(granted.token).await.unwrap(), None, "another kind");
    assert_eq!(store.holder_of_session_token(begun.token).await.unwrap(), None, "another kind");
    let used = Change::CloseSession { session: granted.id, end: SessionEnd::Used { at: NOW } };
    put(store, user, vec![used]).await.unwrap();
    assert_eq!(store.holder_of_session_token(granted.token).await.unwrap(), None);
}

pub(crate) async fn a_session_is_as_it_was_opened_until_it_ends(store: &Store) {
    let ends = [SessionEnd::Used { at: NOW }, SessionEnd::Refused { at: NOW }, SessionEnd::Expired];
    for end in ends {
        let user = somebody(store).await;
        let device = device(store, user, FactorKind::Totp).await;
        let asked = verification(&device, |_| Challenge::Own);
        open(store, &asked).await;
        let mut opened = Vec::new();
        for kind in [
            SessionKind::LogIn { terms: terms(), attempts: 0 },
            SessionKind::SessionToken { terms: terms() },
            SessionKind::Browsing,
            SessionKind::RememberedBrowser,
        ] {
            opened.push(session(store, user, kind).await);
        }
        let view = store.view(user).await.unwrap();
        assert_eq!((&view.sessions, &view.verifications[..]), (&opened, &[asked.clone()][..]));
        for session in &opened {
            let is_verification = store.whose_verification(VerificationId(session.id.0)).await.unwrap();
            assert_eq!(is_verification, None, "a session is no verification");
        }

        let id = opened[0].id;
        let changed = Terms { prompted: vec![device.id], ..terms() };
        let changes = vec![Change::CountLogInAttempt(id), Change::SetTerms { session: id, terms: changed.clone() }];
        put(store, user, changes).await.unwrap();
        opened[0].kind = SessionKind::LogIn { terms: changed, attempts: 1 };
        assert_eq!(store.view(user).await.unwrap().sessions, opened);

        for session in &opened {
            put(store, user, vec![Change::CloseSession { session: session.id, end }]).await.unwrap();
        }
        let view = store.view(user).await.unwrap();
        assert_eq!((view.sessions, view.verifications), (Vec::new(), vec![asked]), "{end:?}");
        // What has ended ends in no other way, and nothing is granted by it any more.
        let again = |end| Change::CloseSession { session: id, end };
        put(store, user, vec![again(SessionEnd::Expired)]).await.unwrap();
        assert!(put(store, user, vec![again(SessionEnd::Used { at: NOW })]).await.is_err());
    }
}

fn terms() -> Terms {
    Terms { return_to_url: Some("https://a.example".to_owned()), ..Terms::default() }
}

pub(crate) async fn apps_are_kept_by_name_and_forgotten(store: &Store) {
    let app = app(store.next_id(IdKind::App).await.unwrap());
    store.create_app(&app).await.unwrap();
    assert_eq!(store.app(app.id).await.unwrap(), Some(app.clone()));
    let again = domain::model::app::SamlApp { id: domain::model::app::AppId(app.id.0 + 1), ..app.clone() };
    assert_eq!(store.create_app(&again).await, Err(Error::Conflict(crate::UniqueField::AppName)));
    assert_eq!(store.apps().await.unwrap(), std::slice::from_ref(&app));
    assert!(store.delete_app(app.id).await.unwrap());
    assert!(!store.delete_app(app.id).await.unwrap());
    assert_eq!(store.app(app.id).await.unwrap(), None);
}

pub(crate) async fn names_of_custom_attributes_are_listed_once(store: &Store) {
    assert_eq!(store.attribute_names(10).await.unwrap(), Vec::<String>::new());
    for names in [["a \"b\" $.c", "team"], ["team", "z"]] {
        let custom_attributes = names.map(|name| (name.to_owned(), Some("v".to_owned()))).to_vec();
        person(store, UserPatch { custom_attributes, ..UserPatch::default() }).await;
    }
    let mut names = store.attribute_names(10).await.unwrap();
    names.sort();
    assert_eq!(names, ["a \"b\" $.c", "team", "z"]);
    let mut first = store.attribute_names(1).await.unwrap();
    first.sort();
    assert_eq!(first, ["a \"b\" $.c", "team"], "of so many users and no more");
}

/// A statement that never ends.
async fn endless(store: &Store) -> Result<(), Error> {
    let statement = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT COUNT(*) FROM n";
    store.entries(statement.to_owned(), Vec::new(), Reading::Asked).await.map(|_| ())
}

pub(crate) async fn a_long_read_is_interrupted(store: &Store) {
    let user = somebody(store).await;
    let reading: Vec<_> = (0..LISTS)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { endless(&store).await })
        })
        .collect();
    // As many as may run at once are running, and nothing else waits for them.
    assert!(store.view(user).await.unwrap().user.is_some());
    assert_eq!(store.user_by_login("nobody").await.unwrap(), None);
    put(store, user, vec![]).await.unwrap();
    assert!(store.ready().await);
    for list in reading {
        let refused = list.await.unwrap();
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(store.users(&UserFilter::default(), ALL).await.unwrap().total, 1, "and the next list is read");
}

/// With a store whose lists may take as long as they like.
pub(crate) async fn a_list_that_nobody_waits_for_is_ended(store: &Store) {
    somebody(store).await;
    for _ in 0..4 * LISTS {
        assert!(tokio::time::timeout(Duration::from_millis(50), endless(store)).await.is_err());
    }
    assert_eq!(store.users(&UserFilter::default(), ALL).await.unwrap().total, 1);
}

pub(crate) async fn a_preflight_reads_no_browsers(store: &Store) {
    let plan =
        store.plan(crate::schema::sql::LISTS_ORIGIN, vec!["https://a.example".into(), NOW.into()]).await.unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("session_origin") && (plan.contains("Index") || plan.contains("PRIMARY KEY")), "{plan}");
}
