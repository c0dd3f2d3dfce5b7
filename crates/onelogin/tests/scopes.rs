//! Every route with every scope (SEC 53): the scopes that may call pass the check, and no others.

use countersign_onelogin::{DialectOptions, ROUTES, ScopeName};
use domain::Scope;
use domain::model::time::{DAY, SECOND};
use testkit::{Script, Setup, TestServer};

mod wire;

use serde_json::json;
use wire::Wire;

/// The refusal of a scope, in the words of any family.
const REFUSALS: [&str; 3] =
    ["Insufficient Permission", "You are not authorised to perform this action or access the resource", "not allowed"];

/// What is open to one scope in part: for those whom it is logging in.
const IN_PART: [&str; 3] = [
    "/api/2/mfa/users/{user_id}/devices",
    "/api/2/mfa/users/{user_id}/verifications",
    "/api/2/mfa/users/{user_id}/verifications/{id}",
];

#[tokio::test]
async fn every_route_lets_in_exactly_the_scopes_it_declares() {
    let server = TestServer::start().await;
    for (route, scopes) in ROUTES.iter().filter_map(|route| Some((route, route.scopes?))) {
        // Ids that name nothing: a call that gets past the check changes nothing.
        let path = route.path.replace("{user_id}", "2000000000").replace("{device_id}", "1").replace("{id}", "x");
        for scope in Scope::ALL {
            let answer = server.call(scope, Script::new(route.method, &path)).await;
            let refused =
                matches!(answer.status.as_u16(), 401 | 403) && REFUSALS.iter().any(|words| answer.text.contains(words));
            // Let in only for users whom it is logging in, and there are none here: tested below.
            let in_part = scope == Scope::Authenticate && IN_PART.contains(&route.path);
            assert_eq!(!refused, scopes(scope) && !in_part, "{} for {scope:?}: {answer}", route.method);
        }
        let without = server.send(Script::new(route.method, &path)).await;
        assert!(matches!(without.status.as_u16(), 400 | 401), "{without}");
        assert!(
            ["Authorization Information is incorrect", "Please provide valid credentials", "Unauthorized"]
                .iter()
                .any(|words| without.text.contains(words)),
            "{without}"
        );
    }
}

#[tokio::test]
async fn the_table_is_the_contracts() {
    // 14 users v1, 7 users v2, 16 of what is not kept, 11 MFA v2, 8 MFA v1 with its alias, the rate limit, 4 for logging in and 6 for assertions
    // with their aliases, 3 of Smart MFA, 2 for events, and no other.
    let guarded: Vec<_> = ROUTES.iter().filter_map(|route| Some((route, route.scopes?))).collect();
    assert_eq!(guarded.len(), 72);
    let of = |method: &str, path: &str| {
        let (_, scopes) = guarded.iter().find(|(route, _)| route.method == method && route.path == path).unwrap();
        Scope::ALL.into_iter().filter(|scope| scopes(*scope)).map(ScopeName::name).collect::<Vec<_>>()
    };
    let read = ["Manage All", "Read All", "Manage users", "Read Users"];
    let manage = ["Manage All", "Manage users"];
    assert_eq!(of("GET", "/auth/rate_limit"), read);
    assert_eq!(of("GET", "/api/1/users"), read);
    assert_eq!(of("POST", "/api/1/users"), manage);
    assert_eq!(of("PUT", "/api/1/users/{user_id}/lock_user"), ["Manage All"]);
    assert_eq!(of("PUT", "/api/1/users/{user_id}/set_state"), ["Manage All"]);
    assert_eq!(of("PUT", "/api/1/users/set_password_clear_text/{user_id}"), ["Manage All"]);
    assert_eq!(of("PUT", "/api/1/users/{user_id}/logout"), ["Manage All", "Manage users", "Authentication Only"]);
    assert_eq!(of("POST", "/api/1/users/{user_id}/otp_devices/{device_id}/trigger"), read);
    for path in ["/api/1/login/auth", "/api/1/login/verify_factor", "/api/1/saml_assertion", "/api/2/saml_assertion"] {
        assert_eq!(of("POST", path), ["Manage All", "Manage users", "Authentication Only"], "{path}");
    }
    assert_eq!(of("GET", "/api/1/events"), ["Manage All", "Read All"]);
    assert!(
        guarded.iter().all(|(route, _)| route.path != "/api/1/events/types"),
        "anybody may read the types of events"
    );
    for path in ["/api/1/roles", "/api/2/roles", "/api/1/groups", "/api/2/groups/{id}"] {
        assert_eq!(of("GET", path), read, "{path}");
    }
    for path in ["/api/1/apps", "/api/2/apps", "/api/1/connectors", "/api/2/connectors/{id}"] {
        assert_eq!(of("GET", path), ["Manage All", "Read All"], "{path}");
    }
    assert_eq!(of("POST", "/api/2/users"), manage);
    let [devices, verifications, verification] = IN_PART;
    for path in [devices, verification] {
        assert_eq!(of("GET", path), [read.as_slice(), &["Authentication Only"]].concat());
    }
    for (method, path) in [("POST", verifications), ("PUT", verification)] {
        assert_eq!(of(method, path), [manage.as_slice(), &["Authentication Only"]].concat());
    }
    assert_eq!(of("POST", "/api/2/mfa/users/{user_id}/registrations"), manage);
}

/// Contract 7.5: a client that may only log people in asks for the devices of a user in the middle of that log-in.
#[tokio::test]
async fn a_log_in_under_way_may_read_its_users_devices() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let devices = |user: i64| format!("/api/2/mfa/users/{user}/devices");
    let read = async |user: i64| wire.call_as(Scope::Authenticate, "GET", &devices(user), "").await;
    let forbidden = async |user: i64, when: &str| {
        let told = read(user).await;
        assert_eq!((told.status(), &told.json()["name"]), (403, &json!("ForbiddenAction")), "{when}: {}", told.0);
    };
    let (own, other) = (wire.user, wire.server.user(0).id);
    forbidden(own, "before").await;
    for door in ["/api/1/login/auth", "/api/2/saml_assertion"] {
        let user = wire.server.user(1);
        let body = json!({
            "username_or_email": user.username, "password": user.password, "subdomain": "acme", "app_id": 1,
        });
        let told = wire.call_as(Scope::Authenticate, "POST", door, &body.to_string()).await;
        let told_devices = read(own).await;
        assert_eq!(told_devices.json()[0]["device_id"], device.to_string(), "{}", told_devices.0);
        forbidden(other, "another user's").await;
        let step = json!({
            "state_token": told.text("state_token"), "device_id": device, "app_id": 1,
            "otp_token": app.code(wire.server.now()),
        });
        let second =
            if door.contains("login") { "/api/1/login/verify_factor" } else { "/api/2/saml_assertion/verify_factor" };
        let done = wire.call_as(Scope::Authenticate, "POST", second, &step.to_string()).await;
        assert_eq!(done.status(), 200, "{}", done.0);
        forbidden(own, "once it is complete").await;
        wire.server.advance(60);
    }
    // Another client's log-in is none of its business.
    let user = wire.server.user(1);
    let body = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" });
    wire.call_as(Scope::ManageAll, "POST", "/api/1/login/auth", &body.to_string()).await;
    forbidden(own, "another client's").await;
    wire.under_way().await;
    assert_eq!(read(own).await.status(), 200);
    wire.server.advance(301);
    forbidden(own, "once it is over").await;
}

/// Contract 7.7–7.10: so it may verify a code or send a prompt over version 2, for that user only.
#[tokio::test]
async fn a_log_in_may_be_verified_over_version_2() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let path = format!("/api/2/mfa/users/{}/verifications", wire.user);
    let other = format!("/api/2/mfa/users/{}/verifications", wire.server.user(0).id);
    let scope = Scope::Authenticate;
    let right = |wire: &Wire| json!({ "otp": app.code(wire.server.now()), "device_id": device }).to_string();
    let challenge = json!({ "device_id": device }).to_string();
    let forbidden = async |method: &str, path: &str, body: &str, when: &str| {
        let told = wire.call_as(scope, method, path, body).await;
        assert_eq!((told.status(), &told.json()["name"]), (403, &json!("ForbiddenAction")), "{when}: {}", told.0);
    };
    forbidden("POST", &path, &right(&wire), "without a log-in").await;
    forbidden("GET", &format!("{path}/x"), "", "without a log-in").await;
    wire.under_way().await;
    forbidden("POST", &other, &right(&wire), "another user's").await;
    forbidden("POST", &format!("/api/2/mfa/users/{}/registrations", wire.user), "{}", "an enrolment").await;

    let verified = wire.call_as(scope, "POST", &path, &right(&wire)).await;
    assert_eq!(verified.json()["data"][0]["status"], "accepted", "{}", verified.0);
    wire.server.advance(60);
    let put = wire.call_as(scope, "POST", &path, &challenge).await;
    assert_eq!(put.status(), 201, "{}", put.0);
    let one = format!("{path}/{}", put.text("id"));
    assert_eq!(wire.call_as(scope, "GET", &one, "").await.text("status"), "pending");
    assert_eq!(wire.call_as(scope, "PUT", &one, &right(&wire)).await.text("status"), "accepted");
    wire.server.advance(301);
    forbidden("POST", &path, &right(&wire), "once it is over").await;

    let options = DialectOptions { strict_v2_scopes: true, ..DialectOptions::default() };
    let strict = Wire::start_with(Setup { options, ..Setup::default() }).await;
    strict.app().await;
    strict.under_way().await;
    assert_eq!(strict.call_as(scope, "POST", "2/verifications", &challenge).await.status(), 403);
}

const READERS: [Scope; 2] = [Scope::ReadUsers, Scope::ReadAll];

/// SEC 95, contract 4.4, 4.5: a client with a read scope does no lasting harm to a person, and none to other callers.
#[tokio::test]
async fn a_read_scope_neither_disables_nor_supersedes() {
    for scope in READERS {
        let wire = Wire::start_with(Setup { message_limits: true, ..Setup::default() }).await;
        let (device, app) = wire.app().await;
        let verify = format!("1/otp_devices/{device}/verify");
        for guess in 0..60 {
            let wrong = json!({ "otp_token": app.wrong(wire.server.now()) }).to_string();
            let told = wire.call_as(scope, "POST", &verify, &wrong).await;
            assert_eq!(told.status(), 401, "{guess}: {}", told.0);
            // Past every lock, so that each is one more; tokens live ten hours.
            wire.server.advance(2 * 3600);
            wire.server.forget_tokens();
        }
        let right = json!({ "otp_token": app.code(wire.server.now()) }).to_string();
        assert_eq!(wire.post(&verify, &right).await.status(), 200, "it is in use as before");

        let phone = wire.sms().await;
        let trigger = format!("1/otp_devices/{phone}/trigger");
        let (triggered, code) = wire.sent("sms", wire.post(&trigger, "")).await;
        wire.server.advance(60);
        let told = wire.call_as(scope, "POST", &trigger, "{}").await;
        // In the words of Decision 26, which clients know, until the other one is over.
        let words = "Rate limit exceeded";
        assert_eq!((told.status(), &told.json()["status"]["message"]), (429, &json!(words)), "{}", told.0);
        assert_eq!(told.0.header("retry-after"), Some("60"));
        let answer = json!({ "otp_token": code, "state_token": triggered.text("state_token") }).to_string();
        assert_eq!(wire.post(&format!("1/otp_devices/{phone}/verify"), &answer).await.status(), 200);

        // A verification of version 2 is as safe, and a reader has its turn once it is over.
        let body = json!({ "device_id": phone }).to_string();
        let (put, code) = wire.sent("sms", wire.post("2/verifications", &body)).await;
        wire.server.advance(30);
        assert_eq!(wire.call_as(scope, "POST", &trigger, "{}").await.status(), 429);
        let answer = json!({ "otp": code }).to_string();
        assert_eq!(wire.put(&format!("2/verifications/{}", put.text("id")), &answer).await.status(), 200);
        assert_eq!(wire.call_as(scope, "POST", &trigger, "{}").await.status(), 200);
        assert_eq!(wire.post(&trigger, "").await.status(), 429, "a message every thirty seconds, whoever asks");
        wire.server.advance(30);
        assert_eq!(wire.post(&trigger, "").await.status(), 200, "what a reader has put stands in nobody's way");
    }
}

/// SEC 95, SEC 33: the number's messages of the day are not a reader's to use up.
#[tokio::test]
async fn a_read_scope_leaves_messages_to_others() {
    let wire = Wire::start_with(Setup { message_limits: true, ..Setup::default() }).await;
    let phone = wire.sms().await;
    let trigger = format!("1/otp_devices/{phone}/trigger");
    let mut sent = 0;
    for _ in 0..30 {
        wire.server.advance(15 * 60);
        if wire.call_as(READERS[sent % 2], "POST", &trigger, "{}").await.status() == 200 {
            sent += 1;
        }
    }
    assert_eq!(sent, 5, "half of the ten");
    assert_eq!(wire.post(&trigger, "").await.status(), 200);
    wire.server.advance(DAY / SECOND);
    wire.server.forget_tokens();
    assert_eq!(wire.call_as(Scope::ReadUsers, "POST", &trigger, "{}").await.status(), 200);
}

/// SEC 95: people are sent our words, unless a client asks that may manage them.
#[tokio::test]
async fn only_whoever_manages_users_words_messages() {
    let wire = Wire::start().await;
    let phone = wire.sms().await;
    let trigger = format!("1/otp_devices/{phone}/trigger");
    let body = json!({ "sms_message": "Call +1 900 555 0100 now. Ref {{otp_code}}" }).to_string();
    let scopes = [READERS[0], READERS[1], Scope::ManageUsers, Scope::ManageAll];
    let mut seen = wire.newest_message().await;
    for (scope, theirs) in scopes.into_iter().zip([false, false, true, true]) {
        let told = wire.call_as(scope, "POST", &trigger, &body).await;
        assert_eq!(told.status(), 200, "{told}");
        let sent = wire.server.outbox(&format!("channel=sms&after={seen}")).await;
        seen = sent.last().unwrap()["id"].as_i64().unwrap();
        let text = sent.last().unwrap()["body"].as_str().unwrap();
        assert_eq!(text.contains("Call +1 900"), theirs, "{scope:?}: {text}");
        wire.server.advance(15 * 60);
    }
}

/// Contract 4.4: the switch closes both calls to read scopes.
#[tokio::test]
async fn strict_v1_scopes_leave_trigger_and_verify_to_those_who_manage() {
    let options = DialectOptions { strict_v1_scopes: true, ..DialectOptions::default() };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    let (device, app) = wire.app().await;
    for scope in READERS {
        for call in ["trigger", "verify"] {
            let told = wire.call_as(scope, "POST", &format!("1/otp_devices/{device}/{call}"), "{}").await;
            assert_eq!((told.status(), &told.json()["status"]["message"]), (401, &json!("Insufficient Permission")));
        }
    }
    let right = json!({ "otp_token": app.code(wire.server.now()) }).to_string();
    let path = format!("1/otp_devices/{device}/verify");
    assert_eq!(wire.call_as(Scope::ManageUsers, "POST", &path, &right).await.status(), 200);
}

/// SEC 95: the scope of log-ins ends what log-ins have given, and nothing that others are in the middle of.
#[tokio::test]
async fn the_scope_of_log_ins_logs_out_and_ends_nothing_of_others() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let phone = wire.sms().await;
    let body = json!({ "device_id": phone }).to_string();
    let (put, code) = wire.sent("sms", wire.post("2/verifications", &body)).await;
    let user = wire.server.user(1);
    let credentials = json!({ "username_or_email": user.username, "password": user.password, "subdomain": "acme" });
    let theirs = wire.call_as(Scope::ManageAll, "POST", "/api/1/login/auth", &credentials.to_string()).await;
    let own = wire.under_way().await;

    assert_eq!(wire.call_as(Scope::Authenticate, "PUT", "1/logout", "").await.status(), 200);
    let answer = json!({ "otp": code }).to_string();
    assert_eq!(wire.put(&format!("2/verifications/{}", put.text("id")), &answer).await.status(), 200);
    for (scope, token, status) in [(Scope::Authenticate, own, 400), (Scope::ManageAll, theirs.text("state_token"), 200)]
    {
        let step = json!({ "state_token": token, "device_id": device, "otp_token": app.code(wire.server.now()) });
        let told = wire.call_as(scope, "POST", "/api/1/login/verify_factor", &step.to_string()).await;
        assert_eq!(told.status(), status, "{scope:?}: {}", told.0);
    }
}
