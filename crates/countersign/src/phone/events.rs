//! `POST /app/events`: a phone hears of prompts as they come (contract 20.6).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use domain::model::time::{MINUTE, SECOND};
use domain::{DeviceId, UserId};
use engine::{Engine, PhoneError, UserWatch};
use futures_util::stream;
use serde_json::{Value, json};
use web::slots::Slot;

use super::wire::{EventsBody, shown};
use super::{Phones, Refused};

/// Phones of one stream at most.
const MOST: usize = 8;
/// Time after which a stream ends, in milliseconds.
const LIFE: i64 = 10 * MINUTE;
/// Time between two comments of a stream, in milliseconds. Each also looks whether a notice was lost.
const PULSE: i64 = 20 * SECOND;

/// A phone that listens, and what it was sent last.
struct Listener {
    user: UserId,
    device: DeviceId,
    sent: Option<Vec<Value>>,
}

/// A stream under way.
struct Stream {
    engine: Arc<Engine>,
    phones: Vec<Listener>,
    watch: UserWatch,
    /// What is to be sent before anything is waited for.
    ready: VecDeque<String>,
    ends_at: i64,
    _slot: Slot,
}

impl Phones {
    pub(super) async fn listen(&self, body: EventsBody, peer: Option<IpAddr>) -> Result<Response, Refused> {
        if body.phones.is_empty() || body.phones.len() > MOST {
            return Err(Refused::NotUnderstood);
        }
        let mut phones = Vec::new();
        let mut refused = None;
        for phone in body.phones {
            let request = phone.request;
            match self.engine.phone_may_listen(&request).await {
                // Named twice, it is one.
                Ok(()) if phones.iter().any(|known: &Listener| known.device == request.device) => {}
                Ok(()) => phones.push(Listener { user: request.user, device: request.device, sent: None }),
                // A clock that is off is off for all of them.
                Err(error @ (PhoneError::Clock | PhoneError::Fault(_))) => return Err(error.into()),
                Err(error @ PhoneError::NotPaired) => refused = Some(error),
            }
        }
        if let Some(error) = refused.filter(|_| phones.is_empty()) {
            return Err(error.into());
        }
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let slot = self.streams.take(peer).ok_or(Refused::Streams)?;
        let watch = self.engine.watch_users(phones.iter().map(|phone| phone.user).collect());
        let ends_at = self.engine.clock().waited() + LIFE;
        let stream =
            Stream { engine: self.engine.clone(), phones, watch, ready: VecDeque::new(), ends_at, _slot: slot };
        let body = Body::from_stream(stream::unfold(stream, |mut stream| async move {
            let piece = stream.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(piece)), stream))
        }));
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            // Proxies would keep events back until they have many.
            (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        Ok((headers, body).into_response())
    }
}

impl Stream {
    /// The next piece, or the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            if self.engine.is_stopping() || self.phones.is_empty() || self.engine.clock().waited() >= self.ends_at {
                return None;
            }
            self.look().await?;
            if !self.ready.is_empty() {
                continue;
            }
            let pulse = self.engine.clock().sleep(PULSE);
            tokio::select! {
                () = self.watch.changed() => {}
                () = pulse => self.ready.push_back(":\n\n".to_owned()),
            }
        }
    }

    /// Looks what has changed for the phones. `None` if that cannot be known: the phone asks anew.
    async fn look(&mut self) -> Option<()> {
        let mut gone = Vec::new();
        for phone in &mut self.phones {
            let (user, device) = (phone.user.to_string(), phone.device.to_string());
            let Some(prompts) = self.engine.prompts_for(phone.user, phone.device).await.ok()? else {
                self.ready.push_back(event("unpaired", &json!({ "user": user, "device": device })));
                gone.push(phone.device);
                continue;
            };
            let requests = prompts.iter().map(shown).collect::<Vec<_>>();
            if phone.sent.as_ref() != Some(&requests) {
                let said = json!({ "user": user, "device": device, "now": self.engine.now().0, "requests": requests });
                self.ready.push_back(event("requests", &said));
                phone.sent = Some(requests);
            }
        }
        self.phones.retain(|phone| !gone.contains(&phone.device));
        Some(())
    }
}

fn event(name: &str, data: &Value) -> String {
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
    text
}
