//! Events on the wire: section 9 of the contract.

mod wire;

use domain::Scope;
use insta::assert_snapshot;
use serde_json::json;
use testkit::{Script, TestServer};
use wire::{Told, Wire};

async fn get(wire: &Wire, path: &str) -> Told {
    wire.call_as(Scope::ReadAll, "GET", path, "").await
}

fn types(told: &Told) -> Vec<i64> {
    let events = told.json()["data"].as_array().cloned().unwrap_or_default();
    events.iter().map(|event| event["event_type_id"].as_i64().expect("a number")).collect()
}

#[tokio::test]
async fn what_happens_to_a_device_is_told_in_order() {
    let wire = Wire::start().await;
    let (device, _) = wire.app().await;
    wire.post(&format!("1/otp_devices/{device}/verify"), r#"{"otp_token":"000000"}"#).await;
    wire.delete(&format!("1/otp_devices/{device}")).await;
    let of_user = format!("/api/1/events?user_id={}", wire.user);
    let all = get(&wire, &of_user).await;
    assert_eq!(types(&all), [13, 90_005, 90_006, 90_001, 90_002, 24], "{all}");
    assert_snapshot!(get(&wire, &format!("{of_user}&event_type_id=90002")).await, @r#"
GET /api/1/events?user_id=2&event_type_id=90002
→ 200 OK
{"status":{"error":false,"code":200,"type":"success","message":"Success"},"pagination":{"before_cursor":null,"after_cursor":null,"previous_link":null,"next_link":null},"data":[{"account_id":1,"actor_system":"dev: Manage All","actor_user_id":null,"actor_user_name":null,"app_id":null,"app_name":null,"assuming_acting_user_id":null,"browser_fingerprint":null,"client_id":"d5688a52d55a02ec4aea5ec1eadfffe1c9e0ee6a4ddbe2377f98326d42dfc975","created_at":"2026-03-01T09:31:00.000Z","custom_message":null,"directory_id":null,"directory_sync_run_id":null,"error_description":"wrong_code","event_type_id":90002,"group_id":null,"group_name":null,"id":13,"ipaddr":null,"notes":null,"operation_name":null,"otp_device_id":1,"otp_device_name":null,"policy_id":null,"policy_name":null,"proxy_ip":null,"resolution":null,"resource_type_id":null,"risk_score":null,"role_id":null,"role_name":null,"user_id":2,"user_name":"ben"}]}
"#);
    assert_eq!(types(&get(&wire, &format!("{of_user}&event_type_id=24,%2090002&sort=-id")).await), [24, 90_002]);
    assert_eq!(types(&get(&wire, &format!("{of_user}&event_type_id=5")).await), [0_i64; 0]);
    assert_eq!(types(&get(&wire, &format!("{of_user}&since=2026-03-01T09:31:00Z")).await), [90_002, 24]);
    for none in ["directory_id=1", "resolution=x", "client_id=nobody", "user_id=999999"] {
        assert_eq!(types(&get(&wire, &format!("/api/1/events?{none}")).await), [0_i64; 0], "{none}");
    }
    let caller = all.json()["data"][5]["client_id"].as_str().expect("the caller").to_owned();
    assert_eq!(types(&get(&wire, &format!("{of_user}&client_id={caller}")).await).last(), Some(&24));
    let id = all.json()["data"][5]["id"].to_string();
    assert_eq!(get(&wire, &format!("/api/1/events/{id}")).await.json()["data"][0], all.json()["data"][5]);
    let short = get(&wire, &format!("{of_user}&fields=event_type_id&limit=1")).await.json();
    assert_eq!(short["data"][0].as_object().map(serde_json::Map::len), Some(2), "{short}");
}

#[tokio::test]
async fn pages_follow_one_another_both_ways() {
    let wire = Wire::start().await;
    wire.app().await;
    let ids = |told: &Told| {
        let events = told.json()["data"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["id"].as_i64().expect("an id")).collect::<Vec<_>>()
    };
    for order in ["", "&sort=-id"] {
        let all = ids(&get(&wire, &format!("/api/1/events?limit=50{order}")).await);
        let mut seen = Vec::new();
        let mut cursors = Vec::new();
        let mut query = String::new();
        loop {
            let page = get(&wire, &format!("/api/1/events?limit=3{order}{query}")).await;
            seen.extend(ids(&page));
            let pagination = page.json()["pagination"].clone();
            assert_eq!(pagination.as_object().map(serde_json::Map::len), Some(4));
            cursors.push(pagination["before_cursor"].clone());
            match pagination["after_cursor"].as_str() {
                Some(cursor) => query = format!("&after_cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, all, "{order}");
        assert!(cursors[0].is_null());
        let back = cursors[1].as_str().expect("a page before the second");
        let first = get(&wire, &format!("/api/1/events?limit=3{order}&before_cursor={back}")).await;
        assert_eq!(ids(&first), all[..3], "{order}");
    }
}

#[tokio::test]
async fn what_there_is_not_is_refused() {
    let wire = Wire::start().await;
    assert_snapshot!(get(&wire, "/api/1/events/999999999").await, @r#"
GET /api/1/events/999999999
→ 404 Not Found
{"status":{"error":true,"code":404,"type":"not found","message":"Event for id 999999999 was not found"}}
"#);
    assert_snapshot!(get(&wire, "/api/1/events?after_cursor=x").await, @r#"
GET /api/1/events?after_cursor=x
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":{"attribute":"after_cursor","description":"after_cursor is incorrect"}}}
"#);
}

/// Contract 9: a constant that is about no user. Collectors in use ask for it with a client's id and secret, or with nothing.
#[tokio::test]
async fn anybody_may_read_the_types() {
    let server = TestServer::start().await;
    let client = server.client(Scope::ReadUsers);
    let pair = format!("client_id:{}, client_secret:{}", client.client_id, client.client_secret);
    let token = format!("bearer {}", server.token(Scope::Authenticate).await);
    let stale = format!("bearer:{}", "0".repeat(64));
    let ask = |path: &str, header: Option<&str>| match header {
        Some(header) => Script::get(path).header("authorization", header),
        None => Script::get(path),
    };
    let first = server.send(ask("/api/1/events/types", None)).await;
    let types = first.json();
    assert_eq!(types["data"][0]["name"], "USER_LOGGED_INTO_ONELOGIN");
    assert_eq!(types["data"][0]["description"], "%user% logged into OneLogin");
    assert_eq!(types["data"][0]["id"], 5);
    for header in [None, Some(""), Some("nonsense"), Some(&*pair), Some(&*token), Some(&*stale)] {
        for path in ["/api/1/events/types", "/api/1/events/types/"] {
            let answer = server.send(ask(path, header)).await;
            assert_eq!((answer.status.as_u16(), &answer.text), (200, &first.text), "{header:?}");
        }
    }
    assert_eq!(
        server.send(Script::get("/api/1/events")).await.status,
        400,
        "what happened is for those who may read it"
    );
}

/// Contract 9: what a caller says is no event.
#[tokio::test]
async fn a_custom_event_has_no_door() {
    let wire = Wire::start().await;
    let count = wire.get("/api/1/events").await.json()["data"].as_array().map(Vec::len);
    let told = wire.post("/api/1/events", r#"{"event_type_id":5,"user_id":2,"custom_message":"hello"}"#).await;
    assert_eq!((told.status(), &told.json()["status"]["message"]), (404, &"No Route Exists".into()));
    assert_eq!(wire.get("/api/1/events").await.json()["data"].as_array().map(Vec::len), count);
}

#[tokio::test]
async fn an_event_is_found_by_its_id() {
    let wire = Wire::start().await;
    wire.app().await;
    let ids = |told: &Told| {
        let events = told.json()["data"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["id"].as_i64().expect("an id")).collect::<Vec<_>>()
    };
    let all = ids(&get(&wire, "/api/1/events").await);
    assert!(all.len() > 3, "{all:?}");
    for id in &all {
        assert_eq!(ids(&get(&wire, &format!("/api/1/events?id={id}")).await), [*id]);
    }
    assert_eq!(ids(&get(&wire, "/api/1/events?id=999999999").await), [0_i64; 0]);
    assert_snapshot!(get(&wire, "/api/1/events?id=2147483648").await, @r#"
GET /api/1/events?id=2147483648
→ 400 Bad Request
{"status":{"error":true,"code":400,"type":"bad request","message":"Integer value must be <= 2147483647"}}
"#);
}

/// Every filter that `openapi.json` names, with a value that no event has.
#[tokio::test]
async fn every_documented_filter_filters() {
    let wire = Wire::start().await;
    wire.app().await;
    let document = get(&wire, "/openapi.json").await.json();
    let parameters = document["paths"]["/api/1/events"]["get"]["parameters"].as_array().cloned().expect("parameters");
    let names: Vec<_> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    let paging = ["sort", "fields", "limit", "after_cursor", "before_cursor"];
    let filters: Vec<_> = names.into_iter().filter(|name| !paging.contains(name)).collect();
    assert_eq!(filters.len(), 9, "{filters:?}");
    for name in filters {
        let nothing = match name {
            "since" => "2099-01-01",
            "until" | "created_at" => "1999-01-01",
            _ => "999999999",
        };
        let told = get(&wire, &format!("/api/1/events?{name}={nothing}")).await;
        assert_eq!(types(&told), [0_i64; 0], "{name}: {told}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let wire = Wire::start().await;
    for (names, bad) in [
        (["since", "until", "created_at"].as_slice(), ["yesterday", "tomorrow", "1577836800", "2026-02-30"]),
        (&["id", "user_id", "directory_id"], ["abc", "-1", "1.5", "0x1"]),
        (&["event_type_id"], ["abc", "5,x", "1.5", "*"]),
    ] {
        for name in names {
            for bad in bad {
                let told = get(&wire, &format!("/api/1/events?{name}={bad}")).await;
                let refused = serde_json::json!({ "attribute": name, "description": format!("{name} is incorrect") });
                assert_eq!(told.json()["status"]["message"], refused, "{told}");
            }
            assert_eq!(get(&wire, &format!("/api/1/events?{name}=")).await.json()["status"]["code"], 200, "{name}");
        }
    }
    let many = get(&wire, &format!("/api/1/events?event_type_id={}", vec!["5"; 101].join(","))).await;
    assert_eq!(many.json()["status"]["code"], 400, "{many}");
    let unescaped = "/api/1/events?since=2026-01-01T00:00:00+01:00";
    assert_ne!(types(&get(&wire, unescaped).await), [0_i64; 0], "a plus sign that was not escaped");
}

/// A help desk sees from where somebody tried, as the client reports it.
#[tokio::test]
async fn a_failed_log_in_says_from_where() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let user = wire.server.user(1);
    let of_user = format!("/api/1/events?user_id={}&limit=1&sort=-id", wire.user);
    for (door, second) in [
        ("/api/1/login/auth", "/api/1/login/verify_factor"),
        ("/api/2/saml_assertion", "/api/2/saml_assertion/verify_factor"),
    ] {
        let body = |password: &str| {
            serde_json::json!({
                "username_or_email": user.username, "password": password, "subdomain": "acme", "app_id": 1,
                "ip_address": "203.0.113.7",
            })
            .to_string()
        };
        wire.call_as(Scope::Authenticate, "POST", door, &body("something else")).await;
        let newest = async || get(&wire, &of_user).await.json()["data"][0].clone();
        let failed = newest().await;
        assert_eq!(
            (&failed["ipaddr"], &failed["error_description"]),
            (&"203.0.113.7".into(), &"wrong_password".into())
        );
        let told = wire.call_as(Scope::Authenticate, "POST", door, &body(&user.password)).await;
        let step = serde_json::json!({
            "state_token": told.text("state_token"), "device_id": device, "app_id": 1,
            "otp_token": app.wrong(wire.server.now()),
        });
        wire.call_as(Scope::Authenticate, "POST", second, &step.to_string()).await;
        let failed = newest().await;
        assert_eq!(
            (&failed["ipaddr"], &failed["error_description"]),
            (&"203.0.113.7".into(), &"wrong_code".into()),
            "{door}"
        );
        wire.server.advance(11);
    }
}

/// SEC 26: repeated refusals under a lock are one entry for ten minutes; the next entry has their number.
#[tokio::test]
async fn refusals_under_a_lock_are_one_event_with_their_number() {
    let wire = Wire::start().await;
    let (device, app) = wire.app().await;
    let verify = format!("1/otp_devices/{device}/verify");
    for _ in 0..5 {
        let wrong = json!({ "otp_token": app.wrong(wire.server.now()) }).to_string();
        wire.post(&verify, &wrong).await;
        wire.server.advance(11);
    }
    let of_user = format!("/api/1/events?user_id={}&event_type_id=90002,90013", wire.user);
    let before = types(&get(&wire, &of_user).await).len();
    for _ in 0..8 {
        wire.post(&verify, r#"{"otp_token":"000000"}"#).await;
        // Without a code it is refused as well.
        wire.post(&verify, "{}").await;
        assert_eq!(wire.post(&format!("1/otp_devices/{device}/trigger"), "").await.status(), 429);
    }
    wire.server.engine().record_folded(false).await;
    assert_eq!(types(&get(&wire, &of_user).await).len(), before + 1);
    wire.server.advance(601);
    // The server's own clean-up may have taken the count already: it wakes with the clock.
    let of_all = format!("{of_user}&fields=event_type_id,error_description,notes,otp_device_id");
    let mut events = Vec::new();
    while events.len() < before + 3 {
        wire.server.engine().record_folded(false).await;
        events = get(&wire, &of_all).await.json()["data"].as_array().cloned().unwrap_or_default();
    }
    let mut told: Vec<_> = events[before..].iter().map(|e| format!("{} {}", e["event_type_id"], e["notes"])).collect();
    told.sort();
    assert_eq!(told, [r#"90002 "15 times""#, "90002 null", r#"90013 "8 times""#]);
    assert!(events[before..].iter().all(|e| e["error_description"] == "locked" && e["otp_device_id"] == device));
    assert!(wire.server.engine().store().verify_audit_chain(domain::UserId(wire.user)).await.unwrap());
}

/// SEC 49: an entry names its request, and a refusal its rule; neither is in what callers read.
#[tokio::test]
async fn the_trail_names_the_request_and_the_rule_that_refused() {
    let wire = Wire::start().await;
    let (device, _) = wire.app().await;
    let verify = format!("/api/1/users/{}/otp_devices/{device}/verify", wire.user);
    for n in 0..6 {
        let guess =
            Script::post(&verify).json(r#"{"otp_token":"000000"}"#).header("x-request-id", &format!("guess-{n}"));
        wire.server.call(Scope::ManageAll, guess).await;
        wire.server.advance(11);
    }
    let trail = wire.server.engine().store().audit(domain::UserId(wire.user)).await.unwrap();
    let told: Vec<_> = trail
        .iter()
        .filter(|entry| entry.request.as_deref().is_some_and(|id| id.starts_with("guess-")))
        .map(|entry| (entry.kind.as_str(), entry.request.as_deref().unwrap(), entry.rule.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("verification.refused", "guess-0", Some("answer.wrong")),
            ("verification.refused", "guess-1", Some("answer.wrong")),
            ("verification.refused", "guess-2", Some("answer.wrong")),
            ("verification.refused", "guess-3", Some("answer.wrong")),
            ("verification.refused", "guess-4", Some("answer.wrong")),
            ("guess.locked", "guess-4", None),
            ("verification.refused", "guess-5", Some("throttle.device")),
        ]
    );
    assert!(
        trail.iter().filter(|entry| entry.kind != "user.created").all(|entry| entry.request.is_some()),
        "{trail:?}"
    );
    let events = get(&wire, &format!("/api/1/events?user_id={}", wire.user)).await.to_string();
    assert!(!events.contains("guess-") && !events.contains("throttle"), "{events}");
}
