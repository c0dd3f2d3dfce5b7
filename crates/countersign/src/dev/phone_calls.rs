//! The simulated phone on the wire: it speaks the protocol of the app (contract 20) with the server's own front, as the app
//! does over a socket. Nothing here reaches the engine in another way.

use std::collections::BTreeMap;

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use domain::rules::factor::push::{PhoneAction, PushDecision, answer_text, request_text};
use domain::{DeviceId, UserId, VerificationId};
use p256::ecdsa::SigningKey;
use serde::Deserialize;
use serde_json::{Value, json};
use web::request_id::X_REQUEST_ID;

use super::phone::{FreshKey, sign};
use super::problem::Problem;
use super::world::DevWorld;

/// Bytes of an answer at most.
const LARGEST: usize = 1 << 20;

/// The phone with its keys, for the calls of one request.
pub(super) struct PhoneCalls<'a> {
    world: &'a DevWorld,
    keys: BTreeMap<DeviceId, SigningKey>,
}

/// A prompt that waits for its person, as `/app/requests` lists it.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) id: String,
    /// How many digits are to be typed; 0 if none.
    pub(super) digits: usize,
}

impl<'a> PhoneCalls<'a> {
    /// The phone as it is now.
    pub(super) fn of(world: &'a DevWorld) -> anyhow::Result<Self> {
        Ok(Self { world, keys: world.phone.keys()? })
    }

    /// Whether the phone is paired as this device.
    pub(super) fn has(&self, device: DeviceId) -> bool {
        self.keys.contains_key(&device)
    }

    /// Pairs the phone by its new key. Nothing if the code is unknown or over.
    pub(super) async fn pair(&self, code: &str, key: &FreshKey) -> Result<Option<(UserId, DeviceId)>, Problem> {
        let said = json!({
            "code": code,
            "public_key": BASE64URL_NOPAD.encode(&key.public_key),
            "signature": BASE64URL_NOPAD.encode(&key.sign_pairing(code)),
        });
        match self.call("/app/pair", &said).await? {
            (StatusCode::OK, paired) => {
                let id = |name: &str| paired[name].as_str().and_then(|id| id.parse().ok()).context("pairing names ids");
                Ok(Some((UserId(id("user")?), DeviceId(id("device")?))))
            }
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, answer) => Err(unexpected("/app/pair", status, &answer).into()),
        }
    }

    /// The prompts that wait for this device. None do if it is not in use.
    pub(super) async fn requests(&self, user: UserId, device: DeviceId) -> Result<Vec<Asked>, Problem> {
        let signed_at = self.signed_at();
        let text = request_text(PhoneAction::Requests, (user, device), None, signed_at);
        let said = json!({
            "user": user.to_string(),
            "device": device.to_string(),
            "signed_at": signed_at,
            "signature": self.signature(device, &text)?,
        });
        match self.call("/app/requests", &said).await? {
            (StatusCode::OK, mut answer) => Ok(serde_json::from_value(answer["requests"].take())?),
            (StatusCode::FORBIDDEN, _) => Ok(Vec::new()),
            (status, answer) => Err(unexpected("/app/requests", status, &answer).into()),
        }
    }

    /// Answers a prompt. The result is the `state` of contract 20.4.
    pub(super) async fn answer(
        &self,
        device: DeviceId,
        (verification, nonce): (VerificationId, &str),
        (decision, digits): (PushDecision, Option<String>),
    ) -> Result<String, Problem> {
        let signed_at = self.signed_at();
        let nonce = BASE64URL_NOPAD.decode(nonce.as_bytes())?;
        let text = answer_text(verification, &nonce, decision, digits.as_deref(), signed_at);
        let said = json!({
            "id": verification.to_string(),
            "decision": decision.word(),
            "digits": digits,
            "signed_at": signed_at,
            "signature": self.signature(device, &text)?,
        });
        let (status, answer) = self.call("/app/answer", &said).await?;
        let state = answer["state"].as_str().filter(|_| status == StatusCode::OK);
        Ok(state.with_context(|| unexpected("/app/answer", status, &answer))?.to_owned())
    }

    fn signature(&self, device: DeviceId, text: &str) -> anyhow::Result<String> {
        let key = self.keys.get(&device).context("the phone is not paired as this device")?;
        Ok(BASE64URL_NOPAD.encode(&sign(key, text)))
    }

    /// Real phones correct their clocks by the server's; this one has the same clock.
    fn signed_at(&self) -> i64 {
        self.world.now().0
    }

    /// Sends one request and reads its answer. The request's id goes along, so that the log shows both as one.
    async fn call(&self, path: &str, said: &Value) -> anyhow::Result<(StatusCode, Value)> {
        let front = self.world.front().context("the world answers no requests yet")?;
        let mut request =
            Request::post(path).header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
        if let Some(id) = web::request_id::current() {
            request = request.header(X_REQUEST_ID, id.as_str());
        }
        let (parts, body) = front.answer(request.body(Body::from(said.to_string()))?).await.into_parts();
        let body = to_bytes(body, LARGEST).await?;
        Ok((parts.status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn unexpected(path: &str, status: StatusCode, answer: &Value) -> anyhow::Error {
    anyhow::anyhow!("{path} answers the simulated phone with {status} {answer}")
}
