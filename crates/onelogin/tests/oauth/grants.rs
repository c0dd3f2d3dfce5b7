//! How a client gets tokens and refreshes them (contract 2.1).

use super::*;

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

/// Contract 14.19: a new token ends no earlier one.
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

/// Contract 2.1: processes that share a client share its pair of tokens. Each refreshes it at any time.
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

/// Contract 1.2: a field that the body lacks may stand in the query.
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
async fn a_profile_changes_nothing_about_tokens() {
    let server = TestServer::start().await;
    for profile in CompatProfile::ALL {
        assert!(works(&server, &server.profile_token(profile).await).await);
    }
}
