//! Subscriptions of phones (contract 18.14, 20.5, SEC 70, 104): what is taken, what is pushed, and the end of one.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::sync::Arc;

use domain::rules::factor::push::PushDecision;
use pushtest::{PushReply, PushService, Subscriber};
use serde_json::{Value, json};

use crate::common::pause;
use crate::common::phone::{Phone, begin, key, now, pairing};
use crate::phones::serving;

fn given(subscriber: &Subscriber) -> Value {
    json!({ "endpoint": subscriber.endpoint, "p256dh": subscriber.p256dh, "auth": subscriber.auth })
}

fn service() -> (tokio::runtime::Runtime, PushService) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let service = runtime.block_on(PushService::plain(Arc::new(|| now() / 1_000)));
    (runtime, service)
}

fn settings(service: &PushService) -> String {
    format!("push.endpoint_origins = ['{}']\npush.allow_private_endpoints = true\n", service.origin())
}

/// Waits until the service has got so many requests.
fn asked(service: &PushService, count: usize) -> usize {
    for _ in 0..200 {
        if service.requests() >= count {
            break;
        }
        pause(50);
    }
    service.requests()
}

#[test]
fn a_subscription_is_of_a_listed_service_and_has_its_keys() {
    let (_runtime, service) = service();
    let (installation, server, mut api) = serving(&settings(&service));
    let ana = installation.user("ana");
    let phone = Phone::paired(&mut api, ana, 1);
    let mut http = server.http();
    let good = given(&service.subscribe());
    let with = |name: &str, value: &str| {
        let mut subscription = good.clone();
        subscription[name] = json!(value);
        subscription
    };
    let long = format!("{}/{}", service.origin(), "x".repeat(1_000));
    for endpoint in [
        "http://127.0.0.1:1/push",
        "https://evil.example.com/push",
        "https://fcm.googleapis.com.evil.example.com/x",
        "ftp://fcm.googleapis.com/x",
        "not an address",
        "",
        &long,
    ] {
        let refused = phone.subscribes(&mut http, &with("endpoint", endpoint));
        assert_eq!((refused.status, refused.json()), (422, json!({ "error": "endpoint" })), "{endpoint}");
    }
    for (name, value) in [("p256dh", "AAAA"), ("p256dh", ""), ("auth", "AAAA"), ("auth", "")] {
        let refused = phone.subscribes(&mut http, &with(name, value));
        assert_eq!((refused.status, refused.json()), (422, json!({ "error": "keys" })), "{name} {value}");
    }
    let code = begin(&mut api, installation.user("ben"));
    let bad = pairing(&key(2), &code, &code, Some(with("auth", "")));
    assert_eq!(http.send("POST", "/app/pair", &bad).unwrap().status, 422);
    http.expect(200, "POST", "/app/pair", &pairing(&key(2), &code, &code, Some(good.clone())));
    // What is signed is the whole subscription.
    let mut stolen: Value = serde_json::from_str(
        &phone.shows(domain::rules::factor::push::PhoneAction::Subscription, Some("other"), now()).to_string(),
    )
    .unwrap();
    stolen["subscription"] = good.clone();
    assert_eq!(http.send("POST", "/app/subscription", &stolen.to_string()).unwrap().status, 403);
    for (subscription, is) in [(&good, true), (&good, true), (&Value::Null, false), (&Value::Null, false)] {
        let answer = phone.subscribes(&mut http, subscription);
        assert_eq!((answer.status, answer.json()), (200, json!({ "subscribed": is })));
    }
    assert_eq!(server.stop(), Some(0));
}

/// SEC 70: 404 and 410 end the subscription that was pushed to, and the phone still hears when it asks.
#[test]
fn a_prompt_is_pushed_until_its_subscription_is_over() {
    let (_runtime, service) = service();
    let (installation, server, mut api) = serving(&settings(&service));
    let phone = Phone::paired(&mut api, installation.user("ana"), 1);
    let mut http = server.http();
    // Without a subscription nothing is queued, and the app asks.
    phone.prompt(&mut api);
    let [request] = phone.requests(&mut http).try_into().unwrap();
    assert_eq!(phone.answers(&mut http, &request, PushDecision::Accept, None), "accepted");
    let first = service.subscribe();
    assert_eq!(phone.subscribes(&mut http, &given(&first)).status, 200);
    phone.prompt(&mut api);
    assert_eq!(asked(&service, 1), 1);
    assert_eq!(service.faults(), Vec::<String>::new());
    let arrived = service.arrived().remove(0);
    let [request] = phone.requests(&mut http).try_into().unwrap();
    let content: Value = serde_json::from_str(&arrived.content).unwrap();
    assert_eq!(content["id"], request["id"]);
    assert_eq!(content["end"], request["expires_at"]);
    assert_eq!(content["notification"]["navigate"], "http://localhost:8080/app");
    for told in ["ana", "nonce", "127.0.0.1", "Phone"] {
        assert!(!arrived.content.contains(told), "{told}: {}", arrived.content);
    }
    assert_eq!(arrived.endpoint, first.endpoint);
    assert_eq!(phone.answers(&mut http, &request, PushDecision::Accept, None), "accepted");

    // The service knows it no more: the next prompt is not queued, and the phone is paired as before.
    service.answer(PushReply::Status(410, None));
    phone.prompt(&mut api);
    assert_eq!(asked(&service, 2), 2);
    let [request] = phone.requests(&mut http).try_into().unwrap();
    assert_eq!(phone.answers(&mut http, &request, PushDecision::Accept, None), "accepted");
    pause(500);
    service.answer(PushReply::Status(201, None));
    phone.prompt(&mut api);
    let [request] = phone.requests(&mut http).try_into().unwrap();
    pause(1_500);
    assert_eq!(service.requests(), 2, "nothing is pushed to what is over");
    assert_eq!(phone.answers(&mut http, &request, PushDecision::Accept, None), "accepted");

    // One that is made anew is used; and the end of the one before would not end it.
    let second = service.subscribe();
    assert_eq!(phone.subscribes(&mut http, &given(&second)).status, 200);
    phone.prompt(&mut api);
    assert_eq!(asked(&service, 3), 3);
    assert_eq!(service.arrived().last().unwrap().endpoint, second.endpoint);
    let failed = api.expect(200, "GET", &format!("/api/1/events?user_id={}", phone.user), "");
    assert!(!failed.to_string().contains("/push/"), "{failed}");
    assert_eq!(server.stop(), Some(0));
}
