//! The provider `webpush` against a push service on a real socket: what is sent, what each answer means, where it may go, and
//! that neither an endpoint nor a key is in an error or in a line of the log.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use countersign_delivery::{
    self as delivery, Concerned, OutgoingMessage, Provider, PushEndpoints, SendError, VapidKey, WebPushProvider,
    WebPushSettings,
};
use domain::{Channel, Content, DeviceId, MessageId, PushSubscription, Timestamp, UserId, VerificationId};
use pushtest::{PushReply, PushService, Subscriber};
use serde_json::json;

/// 1 March 2026, 09:30:00 UTC.
const NOW: Timestamp = Timestamp(1_772_357_400_000);
const CANARY: &str = "canary";

async fn service() -> PushService {
    PushService::plain(Arc::new(|| NOW.unix_seconds())).await
}

fn settings(endpoints: PushEndpoints) -> WebPushSettings {
    let drawn = AtomicU64::new(1);
    WebPushSettings {
        public_url: "https://mfa.example.com".to_owned(),
        endpoints,
        contact: Some("mailto:it@example.com".to_owned()),
        ca_file: None,
        now: Arc::new(|| NOW),
        // Other bytes at each draw, as numbers of the curve.
        draw: Arc::new(move |bytes| {
            bytes.fill(0);
            let number = drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            bytes[..8].copy_from_slice(&number);
        }),
    }
}

fn made(settings: WebPushSettings) -> WebPushProvider {
    let provider = WebPushProvider::new(settings).expect("the settings are good");
    provider.vapid().expect("it signs").put(key());
    provider
}

fn key() -> VapidKey {
    VapidKey::of(&[7; 32]).expect("a number of the curve")
}

/// A provider that may push to this service, which is on this machine.
fn provider(service: &PushService) -> WebPushProvider {
    made(settings(PushEndpoints::new(&[service.origin()], true).expect("an origin")))
}

fn prompt(subscriber: &Subscriber) -> OutgoingMessage {
    let mut content = Content::of(format!("{CANARY} phone"), "Ihre Freigabe wird erbeten".to_owned());
    content.nonce = Some(format!("{CANARY}-nonce"));
    content.language = Some("de".to_owned());
    content.ends_at = Some(NOW.plus(120_500));
    content.subscription = Some(PushSubscription {
        endpoint: subscriber.endpoint.clone(),
        p256dh: subscriber.p256dh.clone(),
        auth: subscriber.auth.clone(),
    });
    OutgoingMessage {
        id: MessageId(4711),
        channel: Channel::Push,
        about: Some(Concerned {
            user_id: UserId(7),
            device_id: Some(DeviceId(9)),
            verification_id: VerificationId("11111111-2222-4333-8444-555555555555".parse().expect("an id")),
        }),
        content,
        created_at: NOW,
    }
}

async fn sent(provider: &WebPushProvider, message: &OutgoingMessage) -> Result<(), SendError> {
    let ended = delivery::send(provider, message).await;
    if let (Err(error), Some(subscription)) = (&ended, &message.content.subscription) {
        assert_clean(&format!("{error} {error:?}"), subscription);
    }
    ended
}

/// Nothing of a subscription may be shown.
fn assert_clean(shown: &str, subscription: &PushSubscription) {
    for secret in [&subscription.endpoint, &subscription.p256dh, &subscription.auth] {
        assert!(!shown.contains(secret.as_str()), "{secret}: {shown}");
    }
    assert!(!shown.contains(CANARY), "{shown}");
}

#[tokio::test]
async fn a_prompt_arrives_as_the_contract_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (service, ca_file) = PushService::over_tls(folder.path(), Arc::new(|| NOW.unix_seconds())).await;
    let endpoints = PushEndpoints::new(&[service.origin()], true).unwrap();
    let provider = made(WebPushSettings { ca_file: Some(ca_file), ..settings(endpoints) });
    let message = prompt(&service.subscribe());
    assert_eq!(sent(&provider, &message).await, Ok(()));
    assert_eq!(sent(&provider, &message).await, Ok(()));
    assert_eq!(service.faults(), Vec::<String>::new());
    let arrived = service.arrived();
    // The end of the prompt is 1772357520500; half a second is no second that is left.
    assert_eq!(
        arrived[0].content,
        "{\"web_push\":8030,\"notification\":{\"title\":\"Ihre Freigabe wird erbeten\",\"navigate\":\"https://mfa.example.com/app\",\
         \"lang\":\"de\"},\"id\":\"11111111-2222-4333-8444-555555555555\",\"end\":1772357520500}"
    );
    assert_eq!((arrived[0].ttl, &*arrived[0].urgency), (120, "high"));
    assert_eq!(arrived[0].topic, "11111111222243338444555555555555");
    assert_eq!(arrived[0].public_key, key().public());
    let exp = NOW.unix_seconds() + 12 * 3_600;
    assert_eq!(arrived[0].claims, json!({ "aud": service.origin(), "exp": exp, "sub": "mailto:it@example.com" }));
    assert_eq!(arrived[1].authorization, arrived[0].authorization, "one signature serves many messages");
    let [first, second] = [&arrived[0].body, &arrived[1].body];
    assert_ne!(first[..16], second[..16], "each message has its own salt");
    assert_ne!(first[21..86], second[21..86], "and its own key");
}

#[tokio::test]
async fn what_is_pushed_says_nothing_about_the_person() {
    let service = service().await;
    let mut message = prompt(&service.subscribe());
    message.content.language = None;
    sent(&provider(&service), &message).await.unwrap();
    let arrived = service.arrived().remove(0);
    assert_eq!(
        arrived.content,
        "{\"web_push\":8030,\"notification\":{\"title\":\"Ihre Freigabe wird erbeten\",\"navigate\":\"https://mfa.example.com/app\"},\
         \"id\":\"11111111-2222-4333-8444-555555555555\",\"end\":1772357520500}"
    );
    for what in [&arrived.content, &arrived.headers, &arrived.claims.to_string()] {
        assert!(!what.contains(CANARY), "{what}");
    }
}

#[tokio::test]
async fn an_answer_means_what_its_status_says() {
    let service = service().await;
    let (provider, subscriber) = (provider(&service), service.subscribe());
    for (status, ended) in [
        (200, Ok(())),
        (201, Ok(())),
        (202, Ok(())),
        (204, Ok(())),
        (302, Err(SendError::Refused)),
        (400, Err(SendError::Refused)),
        (401, Err(SendError::Refused)),
        (403, Err(SendError::Refused)),
        (404, Err(SendError::Gone)),
        (410, Err(SendError::Gone)),
        (413, Err(SendError::Refused)),
        (429, Err(SendError::Deferred)),
        (500, Err(SendError::Unavailable)),
        (503, Err(SendError::Unavailable)),
    ] {
        service.answer(PushReply::Status(status, None));
        assert_eq!(sent(&provider, &prompt(&subscriber)).await, ended, "{status}");
    }
    // A service slows one phone down, so its wish says nothing about the others.
    service.answer(PushReply::Status(429, Some("30".to_owned())));
    assert_eq!(sent(&provider, &prompt(&subscriber)).await, Err(SendError::Deferred));
    service.answer(PushReply::Endless);
    assert_eq!(sent(&provider, &prompt(&subscriber)).await, Ok(()), "the head of an answer counts");
    assert_eq!(service.faults(), Vec::<String>::new());
}

/// How a service ends a subscription that it has forgotten.
#[tokio::test]
async fn a_subscription_that_is_over_is_gone() {
    let service = service().await;
    let (provider, subscriber) = (provider(&service), service.subscribe());
    sent(&provider, &prompt(&subscriber)).await.unwrap();
    service.forget(&subscriber);
    let error = sent(&provider, &prompt(&subscriber)).await.unwrap_err();
    assert_eq!(error, SendError::Gone);
    assert!(error.is_unsent() && !error.is_temporary());
}

#[tokio::test]
async fn a_service_that_is_silent_is_waited_for_five_seconds() {
    let service = service().await;
    let (provider, subscriber) = (provider(&service), service.subscribe());
    assert_eq!(provider.timeout(), Duration::from_secs(5));
    service.answer(PushReply::Hang);
    assert_eq!(sent(&provider, &prompt(&subscriber)).await, Err(SendError::TimedOut));
    // Nothing listens there any more.
    drop(service);
    tokio::task::yield_now().await;
    let error = sent(&provider, &prompt(&subscriber)).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (here, there) = (service().await, service().await);
    let elsewhere = there.subscribe();
    here.answer(PushReply::RedirectTo(elsewhere.endpoint));
    let endpoints = PushEndpoints::new(&[here.origin(), there.origin()], true).unwrap();
    let error = sent(&made(settings(endpoints)), &prompt(&here.subscribe())).await;
    assert_eq!(error, Err(SendError::Refused));
    assert_eq!((here.requests(), there.requests()), (1, 0));
}

#[tokio::test]
async fn a_listed_host_at_a_private_address_is_not_called() {
    let folder = tempfile::tempdir().unwrap();
    let (service, ca_file) = PushService::over_tls(folder.path(), Arc::new(|| NOW.unix_seconds())).await;
    let message = prompt(&service.subscribe());
    let may = |endpoints| made(WebPushSettings { ca_file: Some(ca_file.clone()), ..settings(endpoints) });
    let listed = PushEndpoints::new(&[service.origin()], false).unwrap();
    assert_eq!(sent(&may(listed), &message).await, Err(SendError::Refused));
    // Allowed for what is listed, which this is not.
    let other = PushEndpoints::new(&["https://push.example.com".to_owned()], true).unwrap();
    assert_eq!(sent(&may(other), &message).await, Err(SendError::Refused));
    assert_eq!(service.requests(), 0);
    let allowed = PushEndpoints::new(&[service.origin()], true).unwrap();
    assert_eq!(sent(&may(allowed), &message).await, Ok(()));
}

#[tokio::test]
async fn a_service_is_told_only_if_a_trusted_authority_vouches_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (service, _) = PushService::over_tls(folder.path(), Arc::new(|| NOW.unix_seconds())).await;
    let error = sent(&provider(&service), &prompt(&service.subscribe())).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(service.requests(), 0);
    let missing: PathBuf = folder.path().join("missing.pem");
    let bad = WebPushProvider::new(WebPushSettings { ca_file: Some(missing), ..settings(PushEndpoints::default()) });
    assert_eq!(bad.unwrap_err().key, "ca_file");
}

#[tokio::test]
async fn what_cannot_be_pushed_is_refused_and_nothing_is_asked() {
    let service = service().await;
    let (provider, subscriber) = (provider(&service), service.subscribe());
    let changed = |change: fn(&mut OutgoingMessage)| {
        let mut message = prompt(&subscriber);
        change(&mut message);
        message
    };
    for message in [
        changed(|message| message.content.subscription = None),
        changed(|message| message.content.ends_at = None),
        changed(|message| message.content.ends_at = Some(NOW.plus(999))),
        changed(|message| message.about = None),
        changed(|message| message.content.body = "x".repeat(5_000)),
        changed(|message| message.content.subscription.as_mut().unwrap().auth.push('A')),
        changed(|message| message.content.subscription.as_mut().unwrap().endpoint = "https://example.org/".to_owned()),
    ] {
        assert_eq!(sent(&provider, &message).await, Err(SendError::Refused));
    }
    let unready = WebPushProvider::new(settings(PushEndpoints::new(&[service.origin()], true).unwrap())).unwrap();
    assert_eq!(sent(&unready, &prompt(&subscriber)).await, Err(SendError::NotReady));
    assert_eq!(service.requests(), 0);
}

/// Everything that was logged in this process, at the finest level, by us and by what we use.
static LOGGED: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no holder panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_line_of_the_log_holds_an_endpoint_or_a_key() {
    let logged = LOGGED.get_or_init(|| {
        let logged = Arc::new(Mutex::new(Vec::new()));
        let writer = logged.clone();
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || Log(writer.clone())).init();
        logged
    });
    let service = service().await;
    let (provider, subscriber) = (provider(&service), service.subscribe());
    let message = prompt(&subscriber);
    for status in [201, 404, 410, 413, 429, 503] {
        service.answer(PushReply::Status(status, None));
        let _ = sent(&provider, &message).await;
    }
    let unlisted = made(settings(PushEndpoints::default()));
    let _ = sent(&unlisted, &message).await;
    drop(service);
    let _ = sent(&provider, &message).await;
    let subscription = message.content.subscription.as_ref().unwrap();
    let logged = String::from_utf8_lossy(&logged.lock().unwrap()).into_owned();
    assert!(logged.contains("push service did not take a message") && logged.contains("push service took a message"));
    assert_clean(&logged, subscription);
    assert_clean(&format!("{subscription:?} {message:?} {provider:?} {:?}", key()), subscription);
    let secret = data_encoding::HEXLOWER.encode(&[7; 32]);
    assert!(!format!("{:?} {provider:?}", key()).contains(&secret));
}
