//! The token endpoints as clients see them (contract 2), and the failures all authenticated calls of `/auth` share.

mod grants;
mod quota;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Request, header};
use countersign_onelogin::CompatProfile;
use domain::Scope;
use insta::assert_snapshot;
use support::{alone, told};
use testkit::{Exchange, Script, TestServer};
use web::door::Door;

const TOKEN: &str = "/auth/oauth2/v2/token";
const OLDER: &str = "/auth/oauth2/token";
const REVOKE: &str = "/auth/oauth2/revoke";
const GRANT: &str = r#"{"grant_type":"client_credentials"}"#;

/// The header that only OneLogin has, for a client of the dev world.
fn credentials(server: &TestServer, scope: Scope) -> String {
    let client = server.client(scope);
    format!("client_id:{}, client_secret:{}", client.client_id, client.client_secret)
}

fn post(path: &str, authorization: &str, body: &str) -> Script {
    Script::post(path).header("authorization", authorization).json(body)
}

async fn grant(server: &TestServer, scope: Scope) -> Exchange {
    server.send(post(TOKEN, &credentials(server, scope), GRANT)).await
}

fn member(exchange: &Exchange, name: &str) -> String {
    exchange.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {exchange}")).to_owned()
}

async fn works(server: &TestServer, token: &str) -> bool {
    let call = Script::get("/auth/rate_limit").header("authorization", &format!("bearer:{token}"));
    server.send(call).await.status == 200
}

fn renewal_body(pair: &Exchange) -> String {
    let (access, refresh) = (member(pair, "access_token"), member(pair, "refresh_token"));
    format!(r#"{{"grant_type":"refresh_token","access_token":"{access}","refresh_token":"{refresh}"}}"#)
}

fn renewal(pair: &Exchange) -> Script {
    Script::post(TOKEN).json(&renewal_body(pair))
}

/// SEC 30: only wrong secrets are limited. The right one always passes.
#[tokio::test]
async fn wrong_secrets_are_limited_by_id_and_by_peer() {
    let server = TestServer::start().await;
    let id = &server.client(Scope::ReadAll).client_id;
    let wrong = format!("client_id:{id}, client_secret:{}", "0".repeat(64));
    for _ in 0..20 {
        assert_eq!(server.send(post(TOKEN, &wrong, GRANT)).await.status, 401);
    }
    let held = server.send(post(TOKEN, &wrong, GRANT)).await;
    assert_snapshot!(alone(&held), @r#"
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 429 Too Many Requests
    retry-after: 600
    {"status":{"error":true,"code":429,"type":"Too Many Requests","message":"Rate limit exceeded"}}
    "#);
    assert_eq!(server.send(post(REVOKE, &wrong, r#"{"access_token":"x"}"#)).await.status, 429);
    let the_owner_comes_in = async || {
        let pair = grant(&server, Scope::ReadAll).await;
        assert_eq!(pair.status, 200);
        assert_eq!(server.send(renewal(&pair)).await.status, 200);
        let revoking = post(REVOKE, &credentials(&server, Scope::ReadAll), r#"{"access_token":"x"}"#);
        assert_eq!(server.send(revoking).await.status, 200);
    };
    the_owner_comes_in().await;
    // Each counts against the address too, and so do unknown ids: 600 in ten minutes, one more every second.
    let mut waits = 0;
    for n in 0..5_000 {
        let stranger = format!("client_id:stranger{n}, client_secret:x");
        let answer = server.send(post(TOKEN, &stranger, GRANT)).await;
        if answer.status == 429 {
            assert!(n + 22 >= 600 && answer.header("retry-after").is_some(), "{n}: {answer}");
            waits += 1;
            if waits == 3 {
                break;
            }
        } else {
            assert_eq!(answer.status, 401);
        }
    }
    assert_eq!(waits, 3, "one is forgotten every second, no more");
    // Behind the same address, as behind a proxy.
    the_owner_comes_in().await;
    assert_eq!(grant(&server, Scope::ManageAll).await.status, 200);
    server.advance(600);
    assert_ne!(server.send(post(TOKEN, &wrong, GRANT)).await.header("retry-after"), Some("600"), "counted anew");
}

/// SEC 37: calls with a client's secret or its pair of tokens count in its rate, as calls with its token do.
#[tokio::test]
async fn the_token_endpoint_has_a_rate() {
    let server = TestServer::start().await;
    let call_rate = domain::CallRate { per_second: 1, burst: 10 };
    let app = countersign_onelogin::Dialect::new(
        server.world.engine().clone(),
        countersign_onelogin::DialectOptions { call_rate, ..Default::default() },
    );
    let door = countersign_onelogin::door(app);
    let ask = async |path: &str, authorization: String, body: String| {
        let request = Request::post(path).header(header::AUTHORIZATION, authorization);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Bytes::from(body)).unwrap();
        let answer = door.answer(request, None).await;
        (answer.status().as_u16(), answer.headers().contains_key(header::RETRY_AFTER))
    };
    let pair = grant(&server, Scope::ReadUsers).await;
    let all = [
        (TOKEN, credentials(&server, Scope::ReadAll), GRANT.to_owned()),
        (REVOKE, credentials(&server, Scope::ManageUsers), r#"{"access_token":"x"}"#.to_owned()),
        (TOKEN, String::new(), renewal_body(&pair)),
    ];
    for (path, authorization, body) in all {
        let mut answers = Vec::new();
        for _ in 0..100 {
            answers.push(ask(path, authorization.clone(), body.clone()).await);
        }
        answers.sort_unstable();
        answers.dedup();
        assert_eq!(answers, [(200, false), (429, true)], "{path}");
    }
    // Somebody else's wrong secrets cost the client nothing of its rate.
    let client = server.client(Scope::ManageAll);
    for _ in 0..30 {
        ask(TOKEN, format!("client_id:{}, client_secret:x", client.client_id), GRANT.to_owned()).await;
    }
    // Neither does half a pair: an access token that somebody found, with any refresh token.
    let pair = grant(&server, Scope::ManageAll).await;
    let half = renewal_body(&pair).replace(&member(&pair, "refresh_token"), &"0".repeat(64));
    for _ in 0..30 {
        assert_eq!(ask(TOKEN, String::new(), half.clone()).await, (401, false));
    }
    assert_eq!(ask(TOKEN, credentials(&server, Scope::ManageAll), GRANT.to_owned()).await, (200, false));
}

#[tokio::test]
async fn a_revoked_token_works_no_more_and_the_next_is_new() {
    let server = TestServer::start().await;
    let token = member(&grant(&server, Scope::ManageAll).await, "access_token");
    let body = format!(r#"{{"access_token":"{token}"}}"#);
    let revoke = || server.send(post(REVOKE, &credentials(&server, Scope::ManageAll), &body));
    let first = revoke().await;
    assert_snapshot!(alone(&first), @r#"
    POST /auth/oauth2/revoke
    {"access_token":"<token>"}
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"error":false,"code":200,"type":"success","message":"Success"}
    "#);
    assert!(!works(&server, &token).await);
    assert_eq!(revoke().await.text, first.text, "a token that works no longer is revoked already");
    assert_ne!(member(&grant(&server, Scope::ManageAll).await, "access_token"), token);
}

#[tokio::test]
async fn what_is_wrong_with_a_revocation_is_said_in_the_documented_words() {
    let server = TestServer::start().await;
    let good = credentials(&server, Scope::ManageAll);
    let others = member(&grant(&server, Scope::ReadUsers).await, "access_token");
    let mut exchanges = Vec::new();
    for (why, script) in [
        ("no content type", Script::post(REVOKE).header("authorization", &good).body(r#"{"access_token":"x"}"#)),
        ("an array", post(REVOKE, &good, "[]")),
        ("no token", post(REVOKE, &good, "{}")),
        ("an empty token", post(REVOKE, &good, r#"{"access_token":""}"#)),
        ("no credentials", Script::post(REVOKE).json(r#"{"access_token":"x"}"#)),
        ("bad credentials", post(REVOKE, "Basic ????", r#"{"access_token":"x"}"#)),
        ("an unknown client", post(REVOKE, "client_id:abc,client_secret:def", r#"{"access_token":"x"}"#)),
        ("another client's token", post(REVOKE, &good, &format!(r#"{{"access_token":"{others}"}}"#))),
        ("another method", Script::delete(REVOKE)),
    ] {
        exchanges.push((why, server.send(script).await));
    }
    assert_snapshot!(told(&exchanges), @r#"
    # no content type
    POST /auth/oauth2/revoke
    {"access_token":"x"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Content Type is not specified or specified incorrectly. Content-Type header must be set to application/json"}}

    # an array
    POST /auth/oauth2/revoke
    []
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}

    # no token
    POST /auth/oauth2/revoke
    {}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Access Token Missing"}}

    # an empty token
    POST /auth/oauth2/revoke
    {"access_token":""}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Access Token Missing"}}

    # no credentials
    POST /auth/oauth2/revoke
    {"access_token":"x"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"The authorization information is missing"}}

    # bad credentials
    POST /auth/oauth2/revoke
    {"access_token":"x"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"The authorization information is incorrect"}}

    # an unknown client
    POST /auth/oauth2/revoke
    {"access_token":"x"}
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

    # another client's token
    POST /auth/oauth2/revoke
    {"access_token":"<token>"}
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

    # another method
    DELETE /auth/oauth2/revoke
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}
    "#);
    assert!(works(&server, &others).await, "nobody revokes another client's token");
}

#[tokio::test]
async fn the_failures_all_calls_share_have_the_words_of_version_1() {
    let server = TestServer::start().await;
    let nobody = "0".repeat(64);
    let mut exchanges = Vec::new();
    for header in [None, Some(""), Some("bearer"), Some("Basic abc"), Some("nonsense"), Some("bearer "), Some(&nobody)]
    {
        let script = Script::get("/auth/rate_limit");
        let script = match header {
            Some(header) => script.header("authorization", header),
            None => script,
        };
        let answer = server.send(script).await;
        assert_eq!(answer.status, 400, "{header:?}: {answer}");
        exchanges.push(("no usable header", answer));
    }
    exchanges.truncate(1);
    let unknown = Script::get("/auth/rate_limit").header("authorization", &format!("bearer {nobody}"));
    exchanges.push(("an unknown token", server.send(unknown).await));
    let narrow = server.call(Scope::Authenticate, Script::get("/auth/rate_limit")).await;
    exchanges.push(("too small a scope", narrow));
    exchanges.push(("another method", server.call(Scope::ManageAll, Script::post("/auth/rate_limit")).await));
    assert_snapshot!(told(&exchanges), @r#"
    # no usable header
    GET /auth/rate_limit
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Authorization Information is incorrect"}}

    # an unknown token
    GET /auth/rate_limit
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

    # too small a scope
    GET /auth/rate_limit
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Insufficient Permission"}}

    # another method
    POST /auth/rate_limit
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}
    "#);
}

#[tokio::test]
async fn a_bearer_token_is_read_in_every_spelling() {
    let server = TestServer::start().await;
    let token = server.token(Scope::ReadAll).await;
    for header in ["bearer ", "Bearer ", "bearer:", "bearer: ", "BEARER ", "bearer:  "] {
        let call = Script::get("/auth/rate_limit").header("authorization", &format!("{header}{token}"));
        assert_eq!(server.send(call).await.status, 200, "{header}");
    }
}
