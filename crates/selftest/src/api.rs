//! Sets up users, devices and challenges through the installation's API. The set-up is not judged; where faults are expected
//! it is repeated until it works.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use domain::model::time::SECOND;
use domain::{FactorKind, Secret};
use engine::chance::SystemChance;
use engine::clock::SystemClock;
use engine::{Chance, Clock as _};
use serde_json::{Value, json};

use super::client::{Answer, Line, MAX_WAIT, Node, Request};
use super::device::HotpDevice;
use super::report::{Ended, Mode};
use super::shot::Shot;

/// How long a broken installation may take to come back, in milliseconds.
const RECOVERY: i64 = 180 * SECOND;
/// Time between two tries at a broken installation, in milliseconds.
const LOOK: i64 = 200;
/// How often a set-up of several calls is repeated, since an unanswered call may have half done it.
const TRIES: usize = 20;
/// Users listed at once.
const PAGE: usize = 50;

/// The API client that the tests run as.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: String,
}

/// A pair of tokens.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// A registration over v2 that waits for its code.
pub(super) struct Registration {
    pub(super) id: String,
    /// The device's secret.
    pub(super) secret: Secret,
    /// When it ends, as the server writes it.
    pub(super) expires_at: String,
}

/// The API of the installation.
pub(super) struct Api {
    pub(super) nodes: Arc<[Node]>,
    pub(super) mode: Mode,
    /// The name of this run: the last name of all its users.
    pub(super) run: String,
    lines: Vec<Line>,
    at: usize,
    credentials: Credentials,
    token: Arc<str>,
    users: u64,
}

impl Api {
    /// Fetches a token and sends it to every node: they must be one installation.
    pub(super) async fn enter(
        nodes: Arc<[Node]>,
        credentials: Credentials,
        prefix: &str,
        mode: Mode,
    ) -> anyhow::Result<Self> {
        let chance: &dyn Chance = &SystemChance;
        let lines = (0..nodes.len()).map(|home| Line::new(nodes.clone(), home, false)).collect();
        let run = format!("{prefix}-{}", chance.hex::<4>());
        let mut api = Self { nodes, mode, run, lines, at: 0, credentials, token: Arc::from(""), users: 0 };
        api.renew_token().await?;
        for node in 0..api.nodes.len() {
            let request = api.request("GET", "/api/2/users?limit=1".to_owned(), &Value::Null);
            let shot = api.once(node, &request).await;
            if shot.ended != Ended::Accepted {
                let url = &api.nodes[node].url;
                bail!("{url} does not take the token that {} gave: {:?}", api.nodes[0].url, shot.ended);
            }
        }
        Ok(api)
    }

    /// Fetches the current token.
    pub(super) async fn renew_token(&mut self) -> anyhow::Result<()> {
        let tokens = self.tokens().await?;
        self.token = Arc::from(tokens.access);
        Ok(())
    }

    /// Fetches the current pair of tokens.
    pub(super) async fn tokens(&mut self) -> anyhow::Result<Tokens> {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": self.credentials.id,
            "client_secret": self.credentials.secret,
        });
        let request = plain("POST", "/auth/oauth2/v2/token".to_owned(), &body);
        let json = expect(&self.ask(&request).await?, &[200], "no token for this client")?;
        Ok(Tokens { access: text(&json, "/access_token")?, refresh: text(&json, "/refresh_token")? })
    }

    /// Revokes a pair of tokens. Returns whether the server has confirmed it.
    pub(super) async fn revoke(&mut self, access: &str) -> anyhow::Result<bool> {
        let body = json!({
            "access_token": access,
            "client_id": self.credentials.id,
            "client_secret": self.credentials.secret,
        });
        let request = plain("POST", "/auth/oauth2/revoke".to_owned(), &body);
        Ok(self.ask(&request).await?.status == 200)
    }

    /// A request with the bearer token. `null` is no body.
    pub(super) fn request(&self, method: &'static str, path: String, body: &Value) -> Request {
        Request { token: Some(self.token.clone()), ..plain(method, path, body) }
    }

    /// Whether faults are expected.
    pub(super) fn roams(&self) -> bool {
        self.mode == Mode::FaultExpected
    }

    /// Sends a request to one node, once.
    pub(super) async fn once(&mut self, node: usize, request: &Request) -> Shot {
        let index = node % self.lines.len();
        Shot::fire(&mut self.lines[index], request).await
    }

    /// Repeats a request until the server accepts or refuses it. Returns every ending.
    pub(super) async fn settle(&mut self, node: usize, request: &Request) -> Vec<Ended> {
        let began = SystemClock.now();
        let mut said = Vec::new();
        loop {
            let ended = self.once(node + said.len(), request).await.ended;
            said.push(ended);
            let is_over = SystemClock.now().since(began) >= RECOVERY;
            if ended.is_clear() || self.mode == Mode::FaultFree || is_over {
                return said;
            }
            SystemClock.sleep(LOOK).await;
        }
    }

    /// Repeats a request until the answer is not a fault. Where no faults are expected, sends it once.
    pub(super) async fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let began = SystemClock.now();
        loop {
            let shot = self.once(self.at, request).await;
            match (shot.ended, shot.answer) {
                (Ended::Limited(seconds), _) if seconds > MAX_WAIT => {
                    bail!("{} {}: too many calls; the next is allowed in {seconds} s", request.method, request.path)
                }
                (Ended::Unavailable | Ended::Lost | Ended::Unsent, _)
                    if self.roams() && SystemClock.now().since(began) < RECOVERY =>
                {
                    self.at += 1;
                    SystemClock.sleep(LOOK).await;
                }
                (_, Some(answer)) if answer.status < 500 => return Ok(answer),
                (ended, _) => {
                    let url = &self.nodes[self.at % self.nodes.len()].url;
                    bail!("{url}: {} {} ended with {ended:?}", request.method, request.path)
                }
            }
        }
    }

    async fn call(
        &mut self,
        method: &'static str,
        path: String,
        body: &Value,
        good: u16,
        what: &str,
    ) -> anyhow::Result<Value> {
        let request = self.request(method, path, body);
        expect(&self.ask(&request).await?, &[good], what)
    }

    /// Creates a user of this run; returns its id.
    pub(super) async fn user(&mut self) -> anyhow::Result<i64> {
        Ok(self.create_user(None).await?.0)
    }

    /// Creates a user of this run with a password; returns its id and name.
    pub(super) async fn person(&mut self, password: &str) -> anyhow::Result<(i64, String)> {
        self.create_user(Some(password)).await
    }

    async fn create_user(&mut self, password: Option<&str>) -> anyhow::Result<(i64, String)> {
        for _ in 0..TRIES {
            self.users += 1;
            let name = format!("{}-{}", self.run, self.users);
            let mut body = json!({ "username": name, "email": format!("{name}@torture.example"), "firstname": "Torture", "lastname": self.run });
            if let Some(password) = password {
                body["password"] = json!(password);
                body["password_confirmation"] = json!(password);
            }
            let request = self.request("POST", "/api/2/users".to_owned(), &body);
            let answer = self.ask(&request).await?;
            // The previous call, whose answer was lost, has taken the name.
            if answer.status == 422 && self.roams() {
                continue;
            }
            let json = expect(&answer, &[201], "cannot create a user")?;
            return Ok((number(&json, "/id")?, name));
        }
        bail!("cannot create a user")
    }

    /// Enrols and confirms a HOTP device.
    pub(super) async fn hotp(&mut self, user: i64) -> anyhow::Result<HotpDevice> {
        for _ in 0..TRIES {
            let registration = self.register(user, FactorKind::Hotp).await?;
            let mut device = HotpDevice::new(user, 0, registration.secret, 0);
            let path = format!("/api/2/mfa/users/{user}/registrations/{}", registration.id);
            let request = self.request("PUT", path, &json!({ "otp": device.next_code() }));
            let answer = self.ask(&request).await?;
            // The previous call, whose answer was lost, has confirmed it.
            if answer.status == 404 && self.roams() {
                continue;
            }
            let json = expect(&answer, &[200], "cannot confirm a HOTP device")?;
            device.device = number(&json, "/device_id")?;
            return Ok(device);
        }
        bail!("cannot confirm a HOTP device")
    }

    /// Starts the enrolment of a TOTP or HOTP device.
    pub(super) async fn register(&mut self, user: i64, factor: FactorKind) -> anyhow::Result<Registration> {
        let path = format!("/api/2/mfa/users/{user}/registrations");
        let body = json!({ "factor_id": factor.number(), "display_name": "torture" });
        let json = self.call("POST", path, &body, 201, "cannot enrol a device").await?;
        let secret = text(&json, "/factor_data/verification_token")?;
        let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).context("a secret that is not Base32")?;
        Ok(Registration {
            id: text(&json, "/id")?,
            secret: Secret::new(secret),
            expires_at: text(&json, "/expires_at")?,
        })
    }

    /// Opens a verification of a device over v2; `None` if too many are open.
    pub(super) async fn open(&mut self, user: i64, device: i64) -> anyhow::Result<Option<String>> {
        let path = format!("/api/2/mfa/users/{user}/verifications");
        let request = self.request("POST", path, &json!({ "device_id": device, "expires_in": 900 }));
        match self.once(self.at, &request).await {
            Shot { ended: Ended::Limited(_), .. } => Ok(None),
            Shot { answer: Some(answer), .. } if answer.status < 500 => {
                Ok(Some(text(&expect(&answer, &[201], "cannot open a verification")?, "/id")?))
            }
            // One verification fewer; no judgement depends on it.
            _ if self.roams() => {
                self.at += 1;
                Ok(None)
            }
            Shot { ended, .. } => bail!("cannot open a verification: {ended:?}"),
        }
    }

    /// Triggers a device over v1; returns the state token.
    pub(super) async fn trigger(&mut self, user: i64, device: i64) -> anyhow::Result<String> {
        let path = format!("/api/1/users/{user}/otp_devices/{device}/trigger");
        let json = self.call("POST", path, &json!({ "numeric_sms_otp": true }), 200, "cannot trigger a device").await?;
        text(&json, "/data/0/state_token")
    }

    /// Logs in with the right password, for a session or for an app; returns the state token.
    pub(super) async fn log_in(&mut self, name: &str, password: &str, app: Option<i64>) -> anyhow::Result<String> {
        let body = json!({ "username_or_email": name, "password": password, "subdomain": "torture", "app_id": app });
        let path = if app.is_some() { "/api/1/saml_assertion" } else { "/api/1/login/auth" };
        let json = self.call("POST", path.to_owned(), &body, 200, "cannot log in").await?;
        text(&json, "/data/0/state_token")
    }

    /// Issues a temporary token that works once.
    pub(super) async fn temp_token(&mut self, user: i64) -> anyhow::Result<String> {
        let path = format!("/api/2/mfa/users/{user}/mfa_token");
        let body = json!({ "expires_in": 600, "reusable": false });
        text(&self.call("POST", path, &body, 201, "cannot issue a temporary token").await?, "/mfa_token")
    }

    /// Enrols a device over v1; returns the whole answer.
    pub(super) async fn enrol(&mut self, user: i64, body: &Value) -> anyhow::Result<Value> {
        self.call("POST", format!("/api/1/users/{user}/otp_devices"), body, 200, "cannot enrol a device").await
    }

    /// Calls a dev endpoint.
    pub(super) async fn dev(&mut self, method: &'static str, path: String, body: &Value) -> anyhow::Result<Value> {
        self.call(method, path, body, 200, "the dev world refuses").await
    }

    /// Deletes every user of this run, also those whose creation was not answered.
    pub(super) async fn clean_up(&mut self) -> anyhow::Result<u64> {
        self.renew_token().await?;
        let mut removed = 0;
        loop {
            let path = format!("/api/2/users?lastname={}&limit={PAGE}", self.run);
            let json = self.call("GET", path, &Value::Null, 200, "cannot list users").await?;
            let ids: Vec<i64> = json.as_array().into_iter().flatten().filter_map(|user| user["id"].as_i64()).collect();
            if ids.is_empty() {
                return Ok(removed);
            }
            for id in ids {
                let request = self.request("DELETE", format!("/api/2/users/{id}"), &Value::Null);
                expect(&self.ask(&request).await?, &[204, 404], "cannot delete a user")?;
                removed += 1;
            }
        }
    }
}

/// A request without a token. `null` is no body.
pub(super) fn plain(method: &'static str, path: String, body: &Value) -> Request {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Request { method, path, body, token: None }
}

fn expect(answer: &Answer, good: &[u16], what: &str) -> anyhow::Result<Value> {
    if !good.contains(&answer.status) {
        bail!("{what}: {} {}", answer.status, answer.excerpt());
    }
    Ok(answer.json())
}

/// A text in an answer.
pub(super) fn text(json: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = json.pointer(pointer).and_then(Value::as_str);
    Ok(text.with_context(|| format!("an answer without {pointer}"))?.to_owned())
}

/// A whole number in an answer, as a number or as digits.
pub(super) fn number(json: &Value, pointer: &str) -> anyhow::Result<i64> {
    let value = json.pointer(pointer).with_context(|| format!("an answer without {pointer}"))?;
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.with_context(|| format!("{pointer} is not a number"))
}
