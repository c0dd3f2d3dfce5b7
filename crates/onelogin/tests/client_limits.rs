//! From where and until when a client may call (SEC 42, decision 53).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Request, header};
use countersign_onelogin::{Dialect, DialectOptions, ROUTES, door};
use domain::rules::client::{Choice, Expiry};
use domain::{Scope, Timestamp};
use testkit::TestServer;
use web::door::Door;
use web::peer::Peer;
use web::proxy::{TrustedProxies, TrustedProxy};

const INSIDE: &str = "192.0.2.7";
const OUTSIDE: &str = "198.51.100.7";

/// A server whose callers have addresses.
struct Node {
    server: TestServer,
    door: Arc<dyn Door>,
}

struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn token(&self, name: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("an answer in JSON");
        body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_owned()
    }

    fn assert_refused(&self) {
        assert_eq!(self.status, 401, "{}", self.body);
        let words = ["Authentication Failure", "Please provide valid credentials", "\"Unauthorized\""];
        assert!(words.iter().any(|words| self.body.contains(words)), "{}", self.body);
    }
}

impl Node {
    async fn start(options: DialectOptions) -> Self {
        let server = TestServer::start().await;
        let options = DialectOptions { hourly_quota: 0, burst_limit: false, ..options };
        let door = door(Dialect::new(server.engine().clone(), options));
        Self { server, door }
    }

    /// A call from an address, and what a proxy at that address says of its caller.
    async fn call(&self, from: (&str, Option<&str>), request: (&str, &str, &str), authorization: &str) -> Answer {
        let (address, forwarded) = from;
        let (method, path, body) = request;
        let peer: IpAddr = address.parse().expect("an address");
        let mut head = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, authorization);
        if !body.is_empty() {
            head = head.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(forwarded) = forwarded {
            head = head.header("x-forwarded-for", forwarded);
        }
        let request = head.body(Bytes::from(body.to_owned())).expect("a request");
        let answer = self.door.answer(request, Some(Peer(SocketAddr::new(peer, 40_000)))).await;
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("in memory");
        Answer { status, body: String::from_utf8(body.to_vec()).expect("text") }
    }

    async fn ask(&self, from: &str, path: &str, body: &str) -> Answer {
        let client = self.server.client(Scope::ManageAll);
        let pair = format!("client_id:{}, client_secret:{}", client.client_id, client.client_secret);
        self.call((from, None), ("POST", path, body), &pair).await
    }

    async fn grant(&self, from: &str) -> Answer {
        self.ask(from, "/auth/oauth2/v2/token", r#"{"grant_type":"client_credentials"}"#).await
    }

    async fn read(&self, from: (&str, Option<&str>), token: &str) -> Answer {
        self.call(from, ("GET", "/api/1/users", ""), &format!("bearer:{token}")).await
    }

    async fn choose(&self, choice: Choice) {
        let client = &self.server.client(Scope::ManageAll).client_id;
        self.server.engine().choose_for_client(client, choice).await.expect("a database").expect("the client");
    }

    async fn allow(&self, networks: &[&str]) {
        let networks = networks.iter().map(|network| network.parse().expect("a network")).collect();
        self.choose(Choice { ip_allow: Some(networks), ..Choice::default() }).await;
    }

    async fn end(&self, at: Timestamp) {
        self.choose(Choice { expiry: Some(Expiry::At(at)), ..Choice::default() }).await;
    }
}

#[tokio::test]
async fn a_client_gets_tokens_only_from_its_networks() {
    let node = Node::start(DialectOptions::default()).await;
    node.allow(&["192.0.2.0/24", "2001:db8::/32"]).await;
    let pair = node.grant(INSIDE).await;
    assert_eq!(pair.status, 200, "{}", pair.body);
    let (access, refresh) = (pair.token("access_token"), pair.token("refresh_token"));
    let renewal = format!(r#"{{"grant_type":"refresh_token","access_token":"{access}","refresh_token":"{refresh}"}}"#);
    let revocation = format!(r#"{{"access_token":"{access}"}}"#);
    for outside in [OUTSIDE, "::ffff:198.51.100.7", "2001:db9::1"] {
        node.grant(outside).await.assert_refused();
        for path in ["/auth/oauth2/v2/token", "/auth/oauth2/token"] {
            node.ask(outside, path, &renewal).await.assert_refused();
        }
        node.ask(outside, "/auth/oauth2/revoke", &revocation).await.assert_refused();
    }
    for inside in [INSIDE, "::ffff:192.0.2.7", "2001:db8::1"] {
        assert_eq!(node.grant(inside).await.status, 200, "{inside}");
    }
    assert_eq!(node.ask(INSIDE, "/auth/oauth2/v2/token", &renewal).await.status, 200);
    assert_eq!(node.ask(INSIDE, "/auth/oauth2/revoke", &revocation).await.status, 200);
}

#[tokio::test]
async fn every_call_is_refused_from_another_address() {
    let node = Node::start(DialectOptions::default()).await;
    let token = node.server.token(Scope::ManageAll).await;
    node.allow(&["192.0.2.0/24"]).await;
    for route in ROUTES.iter().filter(|route| route.scopes.is_some()) {
        let path = route.path.replace("{user_id}", "2000000000").replace("{device_id}", "1").replace("{id}", "x");
        let call =
            async |from: &str| node.call((from, None), (route.method, &path, ""), &format!("Bearer {token}")).await;
        for outside in [OUTSIDE, "::ffff:198.51.100.7"] {
            call(outside).await.assert_refused();
        }
        for inside in [INSIDE, "::ffff:192.0.2.7"] {
            let answer = call(inside).await;
            assert_ne!(answer.status, 401, "{} {path}: {}", route.method, answer.body);
        }
    }
}

#[tokio::test]
async fn an_address_behind_a_trusted_proxy_is_the_callers() {
    let proxy: TrustedProxy = "10.0.0.1".parse().expect("a proxy");
    let options = DialectOptions { trusted_proxies: TrustedProxies::new(&[proxy]), ..DialectOptions::default() };
    let node = Node::start(options).await;
    let token = node.server.token(Scope::ManageAll).await;
    node.allow(&["192.0.2.0/24"]).await;
    assert_eq!(node.read(("10.0.0.1", Some(INSIDE)), &token).await.status, 200);
    node.read(("10.0.0.1", Some(OUTSIDE)), &token).await.assert_refused();
    node.read(("10.0.0.1", None), &token).await.assert_refused();
    // No other address is believed.
    node.read((OUTSIDE, Some(INSIDE)), &token).await.assert_refused();
    assert_eq!(node.read((INSIDE, Some(OUTSIDE)), &token).await.status, 200);
}

#[tokio::test]
async fn a_token_from_before_stops_working() {
    let node = Node::start(DialectOptions::default()).await;
    let token = node.grant(OUTSIDE).await.token("access_token");
    assert_eq!(node.read((OUTSIDE, None), &token).await.status, 200);
    node.allow(&["192.0.2.0/24"]).await;
    node.read((OUTSIDE, None), &token).await.assert_refused();
    assert_eq!(node.read((INSIDE, None), &token).await.status, 200);
    node.allow(&[]).await;
    assert_eq!(node.read((OUTSIDE, None), &token).await.status, 200, "an empty list is none");
    let end = node.server.now().plus(60_000);
    node.end(end).await;
    node.server.advance(59);
    assert_eq!(node.read((OUTSIDE, None), &token).await.status, 200);
    node.server.advance(1);
    assert_eq!(node.server.now(), end);
    node.read((OUTSIDE, None), &token).await.assert_refused();
    node.grant(OUTSIDE).await.assert_refused();
    node.choose(Choice { expiry: Some(Expiry::Never), ..Choice::default() }).await;
    assert_eq!(node.read((OUTSIDE, None), &token).await.status, 200);
}
