//! A session token is handed in once, by a form or a script of a listed origin (contract 5.4).

use super::*;

// 5.3

async fn session_token(wire: &Wire, origins: Option<&str>, return_to: Option<&str>) -> String {
    let mut body = credentials(wire);
    if let Some(url) = return_to {
        body["return_to_url"] = url.into();
    }
    let token = wire.server.token(Scope::Authenticate).await;
    let mut script = Script::post("/api/1/login/auth").json(&body.to_string());
    script = script.header("authorization", &format!("bearer {token}"));
    if let Some(origins) = origins {
        script = script.header("custom-allowed-origin-header-1", "").header("custom-allowed-origin-header-2", origins);
    }
    wire.send(script).await.text("session_token")
}

#[tokio::test]
async fn a_form_hands_in_a_session_token_once() {
    let wire = Wire::start().await;
    let token = session_token(&wire, None, Some("https://app.example/home")).await;
    let form = || Script::post("/session_via_api_token").form(&format!("session_token={token}"));
    let first = wire.server.send(form()).await;
    assert_eq!(first.status.as_u16(), 200, "nowhere to go on to is allowed by default: {first}");
    let cookie = first.header("set-cookie").unwrap();
    assert!(cookie.contains("; Secure; HttpOnly; SameSite=None"), "{cookie}");
    assert!(first.header("content-type").unwrap().starts_with("text/html"));
    assert!(first.header("access-control-allow-origin").is_none());
    let second = wire.server.send(form()).await;
    assert_eq!((second.status.as_u16(), second.header("set-cookie")), (400, None));
}

#[tokio::test]
async fn a_form_goes_on_to_an_origin_that_is_configured() {
    let options = countersign_onelogin::DialectOptions {
        redirect_origins: vec!["https://app.example".to_owned()],
        ..countersign_onelogin::DialectOptions::default()
    };
    let wire = Wire::start_with(Setup { options, ..Setup::default() }).await;
    for (url, status) in [
        ("https://app.example/home?a=b", 302),
        ("https://app.example.evil.example/", 200),
        ("https://app.example@evil.example/", 200),
        ("javascript:alert(1)", 200),
    ] {
        let token = session_token(&wire, None, Some(url)).await;
        let answer =
            wire.server.send(Script::post("/session_via_api_token").form(&format!("session_token={token}"))).await;
        assert_eq!(answer.status.as_u16(), status, "{url}");
        assert_eq!(answer.header("location"), (status == 302).then_some(url));
    }
}

#[tokio::test]
async fn a_script_hands_in_a_session_token_from_a_listed_origin_only() {
    let wire = Wire::start().await;
    let origins = "https://a.example, nonsense, https://b.example:8443,https://c.example/path";
    let token = session_token(&wire, Some(origins), None).await;
    let body = json!({ "session_token": token }).to_string();
    let from = |origin: &str| Script::post("/session_via_api_token").json(&body).header("origin", origin);
    for origin in ["https://evil.example", "https://c.example", "https://b.example", "null"] {
        let refused = wire.server.send(from(origin)).await;
        assert_eq!(refused.status.as_u16(), 400, "{origin}");
        assert!(refused.header("access-control-allow-origin").is_none(), "{origin}");
    }
    let preflight = |origin: &str| {
        Script::new("OPTIONS", "/session_via_api_token")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let allowed = wire.server.send(preflight("https://b.example:8443")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://b.example:8443"));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
    assert!(wire.server.send(preflight("https://evil.example")).await.header("access-control-allow-origin").is_none());
    let answer = wire.server.send(from("https://b.example:8443")).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://b.example:8443"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    assert_eq!(wire.server.send(from("https://b.example:8443")).await.status.as_u16(), 400, "a second time");
}

/// A log-in by app whose two calls name these origins; gives the session token.
async fn token_of_two_calls(wire: &Wire, password: Option<&str>, factor: Option<&str>, alias: bool) -> String {
    let token = wire.server.token(Scope::Authenticate).await;
    let version = if alias { 2 } else { 1 };
    let call = async |path: &str, body: &Value, origins: Option<&str>| {
        let script = Script::post(&format!("/api/{version}/login/{path}")).json(&body.to_string());
        let script = script.header("authorization", &format!("bearer {token}"));
        let name = "Custom-Allowed-Origin-Header-1";
        wire.send(if let Some(origins) = origins { script.header(name, origins) } else { script }).await
    };
    let (device, app) = wire.app().await;
    let state_token = call("auth", &credentials(wire), password).await.text("state_token");
    let code = app.code(wire.server.now());
    let body = json!({ "device_id": device.to_string(), "state_token": state_token, "otp_token": code });
    call("verify_factor", &body, factor).await.text("session_token")
}

/// Contract 5.4: origins may be named with either call. Those of both count.
#[tokio::test]
async fn an_origin_named_with_the_factor_may_hand_in() {
    let (one, other) = ("https://one.example.com", "https://other.example.com");
    for (password, factor, allowed, refused) in [
        (None, Some(one), vec![one], vec![other]),
        (Some(one), None, vec![one], vec![other]),
        (Some(one), Some(one), vec![one], vec![other]),
        (Some(one), Some(other), vec![one, other], vec!["https://third.example.com"]),
        (Some(""), Some(""), vec![], vec![one]),
    ] {
        for alias in [false, true] {
            for origin in allowed.iter().chain(&refused) {
                let wire = Wire::start().await;
                let token = token_of_two_calls(&wire, password, factor, alias).await;
                let preflight = Script::new("OPTIONS", "/session_via_api_token").header("origin", origin);
                let preflight = wire.server.send(preflight).await;
                let body = json!({ "session_token": token }).to_string();
                let handed = Script::post("/session_via_api_token").json(&body).header("origin", origin);
                let handed = wire.server.send(handed).await;
                let expected = allowed.contains(origin);
                assert_eq!(preflight.header("access-control-allow-origin"), expected.then_some(*origin));
                assert_eq!(handed.status.as_u16(), if expected { 200 } else { 400 }, "{origin}: {handed}");
            }
        }
    }
}

/// Contract 5.4: origins count however many they are, however they are numbered, and in the form that an address bar shows.
#[tokio::test]
async fn every_listed_origin_counts() {
    let wire = Wire::start().await;
    let token = wire.server.token(Scope::Authenticate).await;
    let mut script = Script::post("/api/1/login/auth").json(&credentials(&wire).to_string());
    for number in 1..=60 {
        let name = format!("custom-allowed-origin-header-{number}");
        script = script.header(&name, &format!("https://n{number}.example.com/, https://m{number}.example.com"));
    }
    let script =
        script.header("custom-allowed-origin-header-61", "https://path.example.com/a, https://two.example.com//");
    let told = wire.send(script.header("authorization", &format!("bearer {token}"))).await;
    assert_eq!(told.status(), 200, "{told}");
    let listed = async |origin: &str| {
        let preflight = Script::new("OPTIONS", "/session_via_api_token").header("origin", origin);
        wire.server.send(preflight).await.header("access-control-allow-origin").is_some()
    };
    for number in 1..=60 {
        assert!(listed(&format!("https://n{number}.example.com")).await, "{number}");
        assert!(listed(&format!("https://m{number}.example.com")).await, "{number}");
    }
    for ignored in ["https://path.example.com", "https://two.example.com"] {
        assert!(!listed(ignored).await, "what is no origin is ignored: {ignored}");
    }
}

/// SEC 87, contract 5.4: what a log-in keeps is bounded where it enters, since the user's row is written anew with each guess.
#[tokio::test]
async fn a_log_in_keeps_four_thousand_characters_of_origins_and_no_more() {
    let wire = Wire::start().await;
    let token = wire.server.token(Scope::Authenticate).await;
    // Forty characters each.
    let origins = |count: usize, tail: &str| {
        let all: Vec<_> = (0..count).map(|n| format!("https://number-{n:03}.ofmany.example.com{tail}")).collect();
        all.chunks(50).map(|some| some.join(",")).collect::<Vec<_>>()
    };
    let call = async |path: &str, body: &Value, origins: &[String]| {
        let mut script = Script::post(path).json(&body.to_string());
        for (number, some) in origins.iter().enumerate() {
            script = script.header(&format!("custom-allowed-origin-header-{number}"), some);
        }
        wire.send(script.header("authorization", &format!("bearer {token}"))).await
    };
    let (device, app) = wire.app().await;
    let (most, one_more) = (origins(100, ":80"), origins(101, ":80"));
    assert_eq!(most.iter().flat_map(|some| some.split(',')).map(str::len).sum::<usize>(), 4_000);
    let auth = "/api/1/login/auth";
    let refused = call(auth, &credentials(&wire), &one_more).await;
    assert_eq!(
        (refused.status(), &refused.json()["status"]["message"]["attribute"]),
        (400, &json!("Custom-Allowed-Origin-Header")),
        "{refused}"
    );
    let begun = call(auth, &credentials(&wire), &most).await;
    let (state_token, code) = (begun.text("state_token"), app.code(wire.server.now()));
    let step = json!({ "device_id": device.to_string(), "state_token": state_token, "otp_token": code });
    let verify = "/api/1/login/verify_factor";
    assert_eq!(call(verify, &step, &one_more).await.status(), 400);
    assert_eq!(call(verify, &step, &most).await.status(), 200, "refused before anything was spent");
}

#[tokio::test]
async fn a_session_token_is_over_after_two_minutes() {
    let wire = Wire::start().await;
    let token = session_token(&wire, None, None).await;
    wire.server.advance(121);
    let answer = wire.server.send(Script::post("/session_via_api_token").form(&format!("session_token={token}"))).await;
    assert_eq!(answer.status.as_u16(), 400);
}
