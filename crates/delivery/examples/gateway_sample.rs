//! Shows others what we send and what we take:
//!
//! - `… --example gateway_sample -- publish BASE_URL UNIX_SECONDS` sends a text message over SNS to a server at this address,
//!   with made-up keys, and fails unless it was taken;
//! - `… -- receipt URL SIGNATURE FORM` fails unless the form is a receipt that Twilio signed for this URL.
//!
//! `conformance/python/gateways_accept.py` runs both.

use std::sync::Arc;

use countersign_delivery::{Calling, OutgoingMessage, SnsProvider, SnsSettings, send, signature};
use domain::{Channel, Content, MessageId, Secret, Timestamp};
use url::Url;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["publish", base_url, seconds] => publish(base_url, seconds.parse()?).await,
        ["receipt", url, signature, form] => receipt(url, signature, form),
        _ => Err("the arguments are: publish BASE_URL UNIX_SECONDS, or: receipt URL SIGNATURE FORM".into()),
    }
}

async fn publish(base_url: &str, seconds: i64) -> Result<(), Failure> {
    let now = Timestamp(seconds.saturating_mul(1_000));
    let provider = SnsProvider::new(SnsSettings {
        region: "eu-central-1".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec()),
        session_token: Some(Secret::new(b"a session/token+of=sample".to_vec())),
        sender_id: Some("Example".to_owned()),
        base_url: Some(base_url.to_owned()),
        calling: Calling::by(Arc::new(move || now)),
    })?;
    let content = Content::of("+15005550006".to_owned(), "Your code is 012345 – für Ånna & co. *~'()".to_owned());
    let message = OutgoingMessage { id: MessageId(1), channel: Channel::Sms, about: None, content, created_at: now };
    Ok(send(&provider, &message).await?)
}

fn receipt(url: &str, signed: &str, form: &str) -> Result<(), Failure> {
    let token = Secret::new(b"sample token".to_vec());
    signature::twilio(&token, &Url::parse(url)?, Some(signed), form.as_bytes(), Timestamp(0))?;
    Ok(())
}
