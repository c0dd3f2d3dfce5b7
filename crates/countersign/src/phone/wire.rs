//! What phones say and hear, as JSON (contract 20).

use domain::rules::factor::push::{PushAnswer, PushDecision};
use domain::{DeviceId, PushSubscription, UserId, VerificationId};
use engine::{PhoneRequest, PromptAnswer, WaitingPrompt};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};

/// Bytes in base64url without padding.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

/// What a phone sends to be paired (contract 20.2).
#[derive(Deserialize)]
pub(super) struct PairBody {
    pub(super) code: String,
    pub(super) public_key: String,
    pub(super) signature: String,
    pub(super) subscription: Option<PushSubscription>,
}

/// What shows whose a request is.
#[derive(Deserialize)]
struct Proof {
    user: String,
    device: String,
    signed_at: i64,
    signature: String,
}

impl Proof {
    fn request<E: de::Error>(self) -> Result<PhoneRequest, E> {
        let id = |text: &str| text.parse::<i64>().map_err(|_| E::custom("an id is digits"));
        Ok(PhoneRequest {
            user: UserId(id(&self.user)?),
            device: DeviceId(id(&self.device)?),
            signed_at: self.signed_at,
            signature: bytes(&self.signature).ok_or_else(|| E::custom("a signature is base64url"))?,
        })
    }
}

/// `POST /app/requests`, and a phone of `POST /app/events`.
pub(super) struct RequestBody {
    pub(super) request: PhoneRequest,
}

impl<'de> Deserialize<'de> for RequestBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self { request: Proof::deserialize(from)?.request()? })
    }
}

/// Where a phone is to be notified (contract 20.5).
pub(super) struct SubscriptionBody {
    pub(super) request: PhoneRequest,
    pub(super) subscription: Option<PushSubscription>,
}

impl<'de> Deserialize<'de> for SubscriptionBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(flatten)]
            signed: Proof,
            subscription: Option<PushSubscription>,
        }
        let Body { signed, subscription } = Body::deserialize(from)?;
        Ok(Self { request: signed.request()?, subscription })
    }
}

/// The phones that listen by one stream (contract 20.6).
#[derive(Deserialize)]
pub(super) struct EventsBody {
    pub(super) phones: Vec<RequestBody>,
}

/// What a person has answered, and the phone has signed (contract 20.4).
pub(super) struct AnswerBody {
    pub(super) id: VerificationId,
    pub(super) answer: PushAnswer,
}

impl<'de> Deserialize<'de> for AnswerBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use de::Error as _;
        #[derive(Deserialize)]
        struct Body {
            id: String,
            decision: String,
            digits: Option<String>,
            signed_at: i64,
            signature: String,
        }
        let Body { id, decision, digits, signed_at, signature } = Body::deserialize(from)?;
        let decision = [PushDecision::Accept, PushDecision::Deny, PushDecision::Report]
            .into_iter()
            .find(|known| known.word() == decision)
            .ok_or_else(|| D::Error::custom("a decision is accept, deny or report"))?;
        let signature = bytes(&signature).ok_or_else(|| D::Error::custom("a signature is base64url"))?;
        let id = id.parse().map_err(|_| D::Error::custom("an id is a UUID"))?;
        let digits = digits.filter(|digits| !digits.is_empty());
        Ok(Self { id, answer: PushAnswer { decision, digits, signed_at, signature } })
    }
}

/// A prompt as a phone hears of it. The number that is to be typed is not in it.
pub(super) fn shown(prompt: &WaitingPrompt) -> Value {
    let mut shown = json!({
        "id": prompt.id.to_string(),
        "nonce": data_encoding::BASE64URL_NOPAD.encode(&prompt.nonce),
        "purpose": "login",
        "account": prompt.account,
        "device_name": prompt.device_name,
        "asked_at": prompt.asked_at.0,
        "expires_at": prompt.expires_at.0,
        "digits": prompt.digits,
    });
    for (name, value) in [("client", &prompt.client), ("from", &prompt.from), ("caller", &prompt.caller)] {
        if let Some(value) = value {
            shown[name] = json!(value);
        }
    }
    shown
}

/// The word for what an answer has come to.
pub(super) fn state(answer: PromptAnswer) -> &'static str {
    match answer {
        PromptAnswer::Accepted => "accepted",
        PromptAnswer::Denied => "denied",
        PromptAnswer::Reported => "reported",
        PromptAnswer::WrongNumber => "wrong_number",
        PromptAnswer::OlderNumber => "older_number",
        PromptAnswer::Over | PromptAnswer::NotSigned => "over",
        PromptAnswer::Locked => "locked",
    }
}
