//! The token endpoints as clients see them (contract 2), and the failures all authenticated calls of `/auth` share.

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

/// The header of OneLogin's own making, for a client of the dev world.
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

#[tokio::test]
async fn a_token_has_the_shape_of_rfc_6749_and_at_the_older_address_an_envelope() {
    let server = TestServer::start().await;
    let authorization = credentials(&server, Scope::ManageAll);
    let new = server.send(post(TOKEN, &authorization, GRANT)).await;
    let older = server.send(post(OLDER, &authorization, GRANT)).await;
    assert_eq!(older.json()["data"][0], new.json(), "both addresses answer the same live token");
    assert_snapshot!(told(&[("the shape of RFC 6749", new), ("the older shape", older)]), @r#"
    # the shape of RFC 6749
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 200 OK
    {"access_token":"<token>","created_at":"2026-03-01T09:30:00.000Z","expires_in":36000,"refresh_token":"<token>","token_type":"bearer","account_id":1}

    # the older shape
    POST /auth/oauth2/token
    {"grant_type":"client_credentials"}
    → 200 OK
    {"status":{"error":false,"code":200,"type":"success","message":"Success"},"data":[{"access_token":"<token>","created_at":"2026-03-01T09:30:00.000Z","expires_in":36000,"refresh_token":"<token>","token_type":"bearer","account_id":1}]}
    "#);
}

#[tokio::test]
async fn credentials_are_read_in_every_spelling() {
    let server = TestServer::start().await;
    let client = server.client(Scope::ReadUsers).clone();
    let (id, secret) = (client.client_id, client.client_secret);
    let basic = data_encoding::BASE64.encode(format!("{id}:{secret}").as_bytes());
    let scripts = [
        post(TOKEN, &format!("client_id:{id}, client_secret:{secret}"), GRANT),
        post(TOKEN, &format!("client_id:{id},client_secret:{secret}"), GRANT),
        post(TOKEN, &format!("Basic {basic}"), GRANT),
        post(TOKEN, &format!("basic {basic}"), GRANT),
        post("/auth/oauth2/v2/token/", &format!("Basic {basic}"), GRANT),
        Script::post(TOKEN)
            .header("authorization", &format!("Basic {basic}"))
            .header("content-type", "application/json; charset=utf-8")
            .body(GRANT),
        Script::post(TOKEN).header("authorization", &format!("Basic {basic}")).form("grant_type=client_credentials"),
        Script::post(TOKEN).form(&format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")),
        Script::post(TOKEN)
            .json(&format!(r#"{{"grant_type":"client_credentials","client_id":"{id}","client_secret":"{secret}"}}"#)),
        // Fields that other calls have are ignored.
        post(TOKEN, &format!("Basic {basic}"), r#"{"grant_type":"client_credentials","expires_in":1,"x":[{}]}"#),
    ];
    let mut tokens = Vec::new();
    for script in scripts {
        let answer = server.send(script).await;
        assert_eq!(answer.status, 200, "{answer}");
        tokens.push(member(&answer, "access_token"));
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "one live token for one client");
}

/// Contract 14.19: a new token ends no other.
#[tokio::test]
async fn a_live_token_is_answered_again_until_it_ends() {
    let server = TestServer::start().await;
    let first = grant(&server, Scope::ManageAll).await;
    server.advance(35_999);
    let again = grant(&server, Scope::ManageAll).await;
    assert_eq!(again.text, first.text);
    server.advance(1);
    assert!(!works(&server, &member(&first, "access_token")).await);
    let next = grant(&server, Scope::ManageAll).await;
    assert_ne!(member(&next, "access_token"), member(&first, "access_token"));
    assert_eq!(next.json()["created_at"], "2026-03-01T19:30:00.000Z");
}

fn renewal_body(pair: &Exchange) -> String {
    let (access, refresh) = (member(pair, "access_token"), member(pair, "refresh_token"));
    format!(r#"{{"grant_type":"refresh_token","access_token":"{access}","refresh_token":"{refresh}"}}"#)
}

fn renewal(pair: &Exchange) -> Script {
    Script::post(TOKEN).json(&renewal_body(pair))
}

#[tokio::test]
async fn a_refresh_needs_only_the_pair() {
    let server = TestServer::start().await;
    let first = grant(&server, Scope::ManageAll).await;
    server.advance(40_000);
    let second = server.send(renewal(&first)).await;
    assert_snapshot!(alone(&second), @r#"
    POST /auth/oauth2/v2/token
    {"grant_type":"refresh_token","access_token":"<token>","refresh_token":"<token>"}
    → 200 OK
    {"access_token":"<token>","created_at":"2026-03-01T20:36:40.000Z","expires_in":36000,"refresh_token":"<token>","token_type":"bearer","account_id":1}
    "#);
    assert!(works(&server, &member(&second, "access_token")).await);
}

/// Contract 2.1: processes that share a client share its pair, and each refreshes it when it sees fit.
#[tokio::test]
async fn a_pair_that_was_refreshed_is_answered_with_its_successor() {
    let server = TestServer::start().await;
    let pair = grant(&server, Scope::ManageAll).await;
    let successor = server.send(renewal(&pair)).await;
    assert_ne!(member(&successor, "access_token"), member(&pair, "access_token"));
    // Other processes come later, or refresh what the first one got, or still use what they have.
    for wait in [0, 1, 3_600] {
        server.advance(wait);
        assert_eq!(server.send(renewal(&pair)).await.text, successor.text);
        assert_eq!(grant(&server, Scope::ManageAll).await.text, successor.text);
        assert!(works(&server, &member(&pair, "access_token")).await, "until its own end");
        assert!(works(&server, &member(&successor, "access_token")).await);
    }
    let third = server.send(renewal(&successor)).await;
    assert_eq!(server.send(renewal(&pair)).await.text, third.text, "the newest of the line");
    // Revoking any of them ends them all.
    let body = format!(r#"{{"access_token":"{}"}}"#, member(&pair, "access_token"));
    let revoked = server.send(post(REVOKE, &credentials(&server, Scope::ManageAll), &body)).await;
    assert_eq!(revoked.status, 200);
    for set in [&pair, &successor, &third] {
        assert!(!works(&server, &member(set, "access_token")).await);
        assert_eq!(server.send(renewal(set)).await.status, 401);
    }
    assert!(works(&server, &member(&grant(&server, Scope::ManageAll).await, "access_token")).await);
}

#[tokio::test]
async fn a_refresh_works_as_a_form_and_at_the_older_address() {
    let server = TestServer::start().await;
    let first = grant(&server, Scope::ManageAll).await;
    let pair = |answer: &serde_json::Value| {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        format!(
            "grant_type=refresh_token&access_token={}&refresh_token={}",
            text("access_token"),
            text("refresh_token")
        )
    };
    let second = server.send(Script::post(TOKEN).form(&pair(&first.json()))).await;
    assert_eq!(second.status, 200);
    let third = server.send(Script::post(OLDER).form(&pair(&second.json()))).await;
    assert_eq!(third.json()["data"][0]["account_id"], 1);
    // A pair that does not match, and one that was never issued.
    let mixed = format!(
        "grant_type=refresh_token&access_token={}&refresh_token={}",
        third.json()["data"][0]["access_token"].as_str().unwrap(),
        member(&first, "refresh_token")
    );
    assert_eq!(server.send(Script::post(TOKEN).form(&mixed)).await.status, 401);
    let unknown = "grant_type=refresh_token&access_token=a&refresh_token=b";
    assert_eq!(server.send(Script::post(TOKEN).form(unknown)).await.status, 401);
}

#[tokio::test]
async fn a_refresh_token_lives_45_days() {
    let server = TestServer::start().await;
    let first = grant(&server, Scope::ManageAll).await;
    let pair = format!(
        r#"{{"grant_type":"refresh_token","access_token":"{}","refresh_token":"{}"}}"#,
        member(&first, "access_token"),
        member(&first, "refresh_token")
    );
    server.advance(45 * 86_400);
    assert_eq!(server.send(Script::post(TOKEN).json(&pair)).await.status, 401);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_call_is_said_in_the_documented_words() {
    let server = TestServer::start().await;
    let good = credentials(&server, Scope::ManageAll);
    let mut exchanges = Vec::new();
    for (why, script) in [
        ("no content type", Script::post(TOKEN).header("authorization", &good).body(GRANT)),
        (
            "another content type",
            Script::post(TOKEN).header("authorization", &good).header("content-type", "text/plain").body(GRANT),
        ),
        ("broken JSON", post(TOKEN, &good, "{\"grant_type\"")),
        ("no grant type", post(TOKEN, &good, "{}")),
        ("no body", Script::post(TOKEN).header("authorization", &good)),
        ("another grant", post(TOKEN, &good, r#"{"grant_type":"password"}"#)),
        ("a wrong type", post(TOKEN, &good, r#"{"grant_type":["client_credentials"]}"#)),
        ("a refresh without tokens", post(TOKEN, &good, r#"{"grant_type":"refresh_token"}"#)),
        ("no credentials", Script::post(TOKEN).json(GRANT)),
        ("a bearer token", post(TOKEN, "bearer abc", GRANT)),
        ("half a pair", post(TOKEN, "client_id:abc", GRANT)),
        ("an unknown client", post(TOKEN, "client_id:abc, client_secret:def", GRANT)),
        ("at the older address", post(OLDER, "client_id:abc, client_secret:def", GRANT)),
        ("another method", Script::get(TOKEN)),
        ("another path", post("/auth/oauth2/v3/token", &good, GRANT)),
    ] {
        exchanges.push((why, server.send(script).await));
    }
    assert_snapshot!(told(&exchanges), @r#"
    # no content type
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Content Type is not specified or specified incorrectly. Content-Type header must be set to application/json"}}

    # another content type
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Content Type is not specified or specified incorrectly. Content-Type header must be set to application/json"}}

    # broken JSON
    POST /auth/oauth2/v2/token
    {"grant_type"
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"Input JSON is not valid"}}

    # no grant type
    POST /auth/oauth2/v2/token
    {}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"grant_type is incorrect/absent"}}

    # no body
    POST /auth/oauth2/v2/token
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"grant_type is incorrect/absent"}}

    # another grant
    POST /auth/oauth2/v2/token
    {"grant_type":"password"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"grant_type is incorrect/absent"}}

    # a wrong type
    POST /auth/oauth2/v2/token
    {"grant_type":["client_credentials"]}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"grant_type is incorrect/absent"}}

    # a refresh without tokens
    POST /auth/oauth2/v2/token
    {"grant_type":"refresh_token"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"The authorization information is missing"}}

    # no credentials
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"The authorization information is missing"}}

    # a bearer token
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"The authorization information is incorrect"}}

    # half a pair
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 400 Bad Request
    {"status":{"error":true,"code":400,"type":"bad request","message":"The authorization information is incorrect"}}

    # an unknown client
    POST /auth/oauth2/v2/token
    {"grant_type":"client_credentials"}
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

    # at the older address
    POST /auth/oauth2/token
    {"grant_type":"client_credentials"}
    → 401 Unauthorized
    {"status":{"error":true,"code":401,"type":"Unauthorized","message":"Authentication Failure"}}

    # another method
    GET /auth/oauth2/v2/token
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}

    # another path
    POST /auth/oauth2/v3/token
    {"grant_type":"client_credentials"}
    → 404 Not Found
    {"status":{"error":true,"code":404,"type":"not found","message":"No Route Exists"}}
    "#);
}

/// SEC 30: only wrong secrets have to wait, from any address and however many they are.
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

/// SEC 37: what is asked with a client's secret or pair counts in its rate, as calls with its token do.
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

/// Contract 1.2: what the body does not say may stand in the query.
#[tokio::test]
async fn the_grant_may_stand_in_the_query() {
    let server = TestServer::start().await;
    let authorization = credentials(&server, Scope::ManageAll);
    let token = member(&grant(&server, Scope::ManageAll).await, "access_token");
    let with_query = format!("{TOKEN}?grant_type=client_credentials");
    let head = |script: Script| script.header("authorization", &authorization);
    for script in [
        head(Script::post(&with_query).header("content-type", "application/json")),
        head(Script::post(&with_query)),
        head(Script::post(&with_query).json("{}")),
        head(Script::post(&with_query).json(r#"{"grant_type":null}"#)),
        head(Script::post(&with_query).form("x=y")),
        head(Script::post(&format!("{TOKEN}/?grant_type=client_credentials"))),
        head(Script::post(&format!("{TOKEN}?grant_type=refresh_token")).json(GRANT)),
    ] {
        let answer = server.send(script).await;
        assert_eq!((answer.status.as_u16(), member(&answer, "access_token")), (200, token.clone()), "{answer}");
    }
    let older = server.send(head(Script::post(&format!("{OLDER}?grant_type=client_credentials")))).await;
    assert_eq!(older.json()["data"][0]["access_token"], token.as_str());
    let pair = grant(&server, Scope::ManageAll).await;
    let tokens = renewal_body(&pair).replace(r#""grant_type":"refresh_token","#, "");
    let renewed = server.send(Script::post(&format!("{TOKEN}?grant_type=refresh_token")).json(&tokens)).await;
    assert_eq!(renewed.status, 200, "{renewed}");
}

#[tokio::test]
async fn secrets_in_a_query_are_not_read() {
    let server = TestServer::start().await;
    let client = server.client(Scope::ManageAll).clone();
    let pair = grant(&server, Scope::ManageAll).await;
    let secret = format!("client_id={}&client_secret={}", client.client_id, client.client_secret);
    let tokens =
        format!("access_token={}&refresh_token={}", member(&pair, "access_token"), member(&pair, "refresh_token"));
    for script in [
        Script::post(&format!("{TOKEN}?grant_type=client_credentials&{secret}")),
        Script::post(&format!("{TOKEN}?{secret}")).json(GRANT),
        Script::post(&format!("{TOKEN}?{secret}")).form("grant_type=client_credentials"),
        Script::post(&format!("{TOKEN}?grant_type=refresh_token&{tokens}")),
        Script::post(&format!("{OLDER}?{tokens}")).json(r#"{"grant_type":"refresh_token"}"#),
        Script::post(&format!("{REVOKE}?{tokens}")).header("authorization", &credentials(&server, Scope::ManageAll)),
        Script::post(&format!("{REVOKE}?{secret}")).json(r#"{"access_token":"x"}"#),
    ] {
        let answer = server.send(script).await;
        assert_eq!(answer.status, 400, "{answer}");
    }
    assert!(works(&server, &member(&pair, "access_token")).await, "nothing was revoked");
}

/// Some programs set the content type of a form by themselves.
#[tokio::test]
async fn json_is_read_whatever_it_is_called() {
    let server = TestServer::start().await;
    let authorization = credentials(&server, Scope::ManageAll);
    let token = member(&grant(&server, Scope::ManageAll).await, "access_token");
    for kind in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=utf-8"] {
        let head = |script: Script| script.header("authorization", &authorization).header("content-type", kind);
        for body in [GRANT, " \r\n {\"grant_type\" : \"client_credentials\"}"] {
            let answer = server.send(head(Script::post(TOKEN)).body(body)).await;
            assert_eq!((answer.status.as_u16(), member(&answer, "access_token")), (200, token.clone()), "{answer}");
            assert_eq!(server.send(head(Script::post(OLDER)).body(body)).await.status, 200);
        }
        let revoked = server.send(head(Script::post(REVOKE)).body(r#"{"access_token":"x"}"#)).await;
        assert_eq!(revoked.status, 200, "{revoked}");
        let broken = server.send(head(Script::post(TOKEN)).body(r#"{"grant_type":"client_credentials""#)).await;
        assert_eq!((broken.status.as_u16(), broken.text.contains("Input JSON is not valid")), (400, true));
    }
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

/// SEC 37: what one client is refused is not paid for by others.
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

/// Contract 1.8: logging in and verifying go on beyond the quota, and no client takes all of that.
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

#[tokio::test]
async fn a_profile_changes_nothing_about_tokens() {
    let server = TestServer::start().await;
    for profile in CompatProfile::ALL {
        assert!(works(&server, &server.profile_token(profile).await).await);
    }
}
