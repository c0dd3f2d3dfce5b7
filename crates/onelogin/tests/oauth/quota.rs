//! The hourly quota and its reserve, and the rate of a client (contract 1.8, SEC 37).

use super::*;

#[tokio::test]
async fn the_rate_limit_is_told_in_the_body_and_in_every_header() {
    let server = TestServer::start().await;
    let counted = server.call(Scope::ReadUsers, Script::get("/api/1/users?limit=1")).await;
    let told = |exchange: &Exchange| {
        let header = |name| exchange.header(name).unwrap_or_default().to_owned();
        ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"].map(header).join(" ")
    };
    assert_eq!(told(&counted), "5000 4999 1800");
    let answer = server.call(Scope::ReadUsers, Script::get("/auth/rate_limit")).await;
    assert_eq!(told(&answer), "5000 4999 1800", "asking costs nothing");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_snapshot!(alone(&answer), @r#"
    GET /auth/rate_limit
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":{"X-RateLimit-Limit":5000,"X-RateLimit-Remaining":4999,"X-RateLimit-Reset":1800}}
    "#);
    server.advance(1_800);
    let later = server.call(Scope::ReadUsers, Script::get("/auth/rate_limit/")).await;
    assert_eq!(told(&later), "5000 5000 3600");
}

#[tokio::test]
async fn calls_over_the_hourly_quota_and_over_the_rate_wait() {
    let server = TestServer::start().await;
    let token = server.token(Scope::ReadAll).await;
    let app = |options| countersign_onelogin::Dialect::new(server.world.engine().clone(), options);
    let call = |door: Arc<dyn Door>, path: &'static str| {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}")).body(Bytes::new());
        async move {
            let answer = door.answer(request.unwrap(), None).await;
            let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
            (answer.status().as_u16(), wait)
        }
    };
    let quota = countersign_onelogin::door(app(countersign_onelogin::DialectOptions {
        hourly_quota: 2,
        ..countersign_onelogin::DialectOptions::default()
    }));
    assert_eq!(call(quota.clone(), "/api/1/users").await, (200, None));
    assert_eq!(call(quota.clone(), "/api/1/users").await, (200, None));
    assert_eq!(call(quota.clone(), "/api/1/users").await, (429, Some("1800".to_owned())));
    assert_eq!(call(quota.clone(), "/api/2/users").await, (200, None), "the quota is version 1's");
    assert_eq!(call(quota, "/auth/rate_limit").await, (200, None), "asking is always allowed");
    // Two nodes over one database share one quota.
    let node = || {
        countersign_onelogin::door(app(countersign_onelogin::DialectOptions {
            hourly_quota: 9,
            ..countersign_onelogin::DialectOptions::default()
        }))
    };
    server.advance(3_600);
    let nodes = [node(), node()];
    let mut admitted = 0;
    for n in 0..30 {
        admitted += u32::from(call(nodes[n % 2].clone(), "/api/1/users").await.0 == 200);
    }
    assert_eq!(admitted, 9);
    let burst = countersign_onelogin::door(app(countersign_onelogin::DialectOptions::default()));
    let mut refused = None;
    for _ in 0..5_000 {
        let (status, wait) = call(burst.clone(), "/auth/rate_limit").await;
        if status == 429 {
            refused = wait;
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("1"));
}

/// A separate node over the server's database, with these options.
struct Node(Arc<dyn Door>);

/// What a node answered: the status, when to come back, and what is left of the hour.
#[derive(Debug, PartialEq, Eq)]
struct Answered {
    status: u16,
    wait: Option<String>,
    remaining: Option<String>,
}

impl Node {
    fn new(server: &TestServer, options: countersign_onelogin::DialectOptions) -> Self {
        Self(countersign_onelogin::door(countersign_onelogin::Dialect::new(server.world.engine().clone(), options)))
    }

    async fn call(&self, token: &str, method: &str, path: &str) -> Answered {
        let request = Request::builder().method(method).uri(path);
        let request =
            request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Bytes::new()).expect("a request");
        let answer = self.0.answer(request, None).await;
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("a text").to_owned());
        Answered {
            status: answer.status().as_u16(),
            wait: header("retry-after"),
            remaining: header("x-ratelimit-remaining"),
        }
    }
}

/// SEC 37: refused calls of one client cost the other clients nothing.
#[tokio::test]
async fn refused_calls_cost_the_account_nothing() {
    let server = TestServer::start().await;
    let [narrow, broad] = [server.token(Scope::Authenticate).await, server.token(Scope::ReadAll).await];
    let call_rate = domain::CallRate { per_second: 1, burst: 20 };
    let node = Node::new(
        &server,
        countersign_onelogin::DialectOptions {
            hourly_quota: 200,
            call_rate,
            ..countersign_onelogin::DialectOptions::default()
        },
    );
    // A list would cost its client what reading it takes, as well.
    let one = format!("/api/1/users/{}", server.user(1).id);
    let mut statuses = Vec::new();
    for _ in 0..300 {
        let answer = node.call(&narrow, "GET", &one).await;
        assert_eq!(answer.remaining.as_deref(), Some("200"), "neither its scope nor its haste costs anything");
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [401, 429]);
    let (mut admitted, mut too_fast) = (0, 0);
    for _ in 0..100 {
        let answer = node.call(&broad, "GET", &one).await;
        *(if answer.status == 200 { &mut admitted } else { &mut too_fast }) += 1;
        assert_eq!(answer.remaining, Some((200 - admitted).to_string()), "{answer:?}");
    }
    assert!(admitted >= 20 && too_fast > 0, "{admitted} and {too_fast}");
}

const LOG_IN: &str = "/api/1/login/auth";

/// Contract 1.8: log-ins and verifications go on beyond the quota, out of a reserve. No client takes all of it.
#[tokio::test]
async fn one_client_cannot_empty_the_hour() {
    let server = TestServer::start().await;
    let [one, other] = [server.token(Scope::ManageAll).await, server.token(Scope::ManageUsers).await];
    let node = || {
        Node::new(
            &server,
            countersign_onelogin::DialectOptions {
                hourly_quota: 20,
                burst_limit: false,
                ..countersign_onelogin::DialectOptions::default()
            },
        )
    };
    let nodes = [node(), node()];
    for n in 0..20 {
        assert_eq!(
            nodes[n % 2].call(&one, "GET", "/api/1/users").await.status,
            200,
            "any client may use all of the quota"
        );
    }
    let full = Answered { status: 429, wait: Some("1800".to_owned()), remaining: Some("0".to_owned()) };
    for node in &nodes {
        assert_eq!(node.call(&one, "GET", "/api/1/users").await, full);
    }
    // A fifth beyond, and half of that for one client, on whichever nodes it calls.
    for token in [&one, &other] {
        for node in &nodes {
            let answer = node.call(token, "POST", LOG_IN).await;
            assert_eq!((answer.status, answer.remaining.as_deref()), (400, Some("0")), "a call without a body");
        }
        for node in &nodes {
            assert_eq!(node.call(token, "POST", LOG_IN).await, full);
        }
    }
    assert_eq!(nodes[0].call(&other, "GET", "/api/1/users").await, full, "the reserve is for nothing else");
    server.advance(3_600);
    server.forget_tokens();
    assert_eq!(nodes[0].call(&one, "POST", LOG_IN).await.remaining.as_deref(), Some("19"));
}

/// SEC 95: clients that may only look take half of the reserve together, however many they are.
#[tokio::test]
async fn readers_leave_half_of_the_reserve_to_others() {
    let server = TestServer::start().await;
    let readers = [server.token(Scope::ReadUsers).await, server.token(Scope::ReadAll).await];
    let [logs_in, manages] = [server.token(Scope::Authenticate).await, server.token(Scope::ManageUsers).await];
    let options = countersign_onelogin::DialectOptions {
        hourly_quota: 20,
        burst_limit: false,
        ..countersign_onelogin::DialectOptions::default()
    };
    let nodes = [Node::new(&server, options.clone()), Node::new(&server, options)];
    for n in 0..20 {
        nodes[n % 2].call(&readers[0], "GET", "/api/1/users").await;
    }
    let verify = "/api/1/users/1/otp_devices/1/verify";
    let mut let_in = 0;
    for n in 0..12 {
        let_in += i32::from(nodes[n % 2].call(&readers[n / 2 % 2], "POST", verify).await.status != 429);
    }
    assert_eq!(let_in, 2, "half of a reserve of four");
    assert_ne!(nodes[0].call(&logs_in, "POST", LOG_IN).await.status, 429);
    assert_ne!(nodes[1].call(&manages, "POST", verify).await.status, 429);
}

#[tokio::test]
async fn all_that_logs_in_or_verifies_has_the_reserve() {
    let server = TestServer::start().await;
    let token = server.token(Scope::ManageAll).await;
    let node = Node::new(
        &server,
        countersign_onelogin::DialectOptions { hourly_quota: 100, ..countersign_onelogin::DialectOptions::default() },
    );
    for _ in 0..100 {
        node.call(&token, "GET", "/api/1/users/1").await;
    }
    for path in [
        LOG_IN,
        "/api/1/login/verify_factor",
        "/api/2/login/auth",
        "/api/2/login/verify_factor",
        "/api/1/saml_assertion",
        "/api/1/saml_assertion/verify_factor",
        "/api/1/users/1/otp_devices/1/trigger",
        "/api/1/users/1/otp_devices/1/verify",
    ] {
        let answer = node.call(&token, "POST", path).await;
        assert!(answer.status != 429 && answer.remaining.as_deref() == Some("0"), "{path}: {answer:?}");
    }
    for path in ["/api/1/users/1", "/api/1/users/1/auth_factors", "/api/1/events"] {
        assert_eq!(node.call(&token, "GET", path).await.status, 429, "{path}");
    }
}
