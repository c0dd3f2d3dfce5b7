//! A whole server in a test: the dev world with a clock that only tests move, chance that repeats
//! itself, and messages that can be read. No socket is opened; requests pass everything else a socket's would.

#![expect(clippy::missing_panics_doc, reason = "a helper of tests panics where a test should fail")]

mod chance;
mod exchange;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, header};
use config::{Config, FlagValues};
use countersign::dev::{DevClient, DevUser, DevWorld, Guard, Pinned};
use countersign::installation::{self, Intent};
use domain::model::long_poll::LongPoll;
use domain::{ClientOptions, Scope, Timestamp};
use engine::Clock as _;
use engine::clock::MovableClock;
use onelogin::{CompatProfile, ScopeName as _};
use serde_json::Value;
use tokio::task::JoinHandle;
use web::front::Front;
use web::request_id::RequestIds;

pub use chance::SeededChance;
pub use exchange::{Exchange, Script};
pub use pushtest::{Arrived, PushReply, PushService, Subscriber, UnixSeconds};

/// When every test begins: 2026-03-01T09:30:00Z.
pub const BEGINNING: Timestamp = Timestamp(1_772_357_400_000);

/// A server in a test.
pub struct TestServer {
    /// The dev world inside.
    pub world: Arc<DevWorld>,
    front: Front,
    tokens: Mutex<HashMap<String, String>>,
    background: JoinHandle<((), ())>,
    // Dropped last: it removes the folder.
    _folder: tempfile::TempDir,
}

/// How a test's server differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Limits on messages as shipped; off otherwise.
    pub message_limits: bool,
    /// Which limits these are.
    pub sends: domain::SendLimits,
    /// What text messages and calls may cost in a day.
    pub caps: domain::SpendCaps,
    /// When a prefix of numbers is closed.
    pub breaker: domain::BreakerLimits,
    /// Lines of the file of prices, if there is one; its currency is the euro.
    pub prices: Option<&'static str>,
    /// Where text messages and calls may go; everywhere if none is listed, as in every dev world.
    pub countries: domain::Countries,
    /// Polls held as shipped; off otherwise, so that a test that polls does not wait.
    pub held_as_shipped: bool,
    /// How the dialect behaves; the dev world switches quotas off.
    pub options: onelogin::DialectOptions,
    /// What mail carries.
    pub email_mode: engine::EmailMode,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.background.abort();
    }
}

impl TestServer {
    /// Starts a server as the dev world has it.
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts a server with differences.
    pub async fn start_with(setup: Setup) -> Self {
        let clock = Arc::new(MovableClock::frozen_at(BEGINNING));
        Self::start_at(setup, clock).await.unwrap_or_else(|error| panic!("the test server does not start: {error:#}"))
    }

    async fn start_at(setup: Setup, clock: Arc<MovableClock>) -> Result<Self, Box<dyn std::error::Error>> {
        let temporary = tempfile::tempdir()?;
        let mut config =
            Config::load(&FlagValues::default().with("data_dir", [temporary.path().join("data").to_string_lossy()]))?;
        config.dialect = setup.options;
        config.limits.sends = setup.sends;
        config.messages.countries = setup.countries;
        config.email.mode = setup.email_mode;
        config.messages.caps = setup.caps;
        config.messages.breaker = setup.breaker;
        if let Some(lines) = setup.prices {
            let file = temporary.path().join("prices.csv");
            std::fs::write(&file, format!("# source: a test\n# as of: 2026-02-28\n# currency: EUR\n{lines}"))?;
            config.delivery.prices_file = Some(file);
        }
        let opened = installation::open(&config, Intent::Dev).await?;
        let chance = Arc::new(SeededChance::default());
        let hold = if setup.held_as_shipped { LongPoll::default() } else { LongPoll::Off };
        let pinned = Pinned { hold, ..Pinned::default() };
        let world = Arc::new(DevWorld::build(&config, opened, (setup.message_limits, &pinned), clock, chance).await?);
        world.engine().set_link_base("http://127.0.0.1:8080");
        let doors = vec![world.dialect(&config), world.links(&config), world.phones(&config)];
        let front = Front::new(
            doors,
            world.routes(Guard::local(false)),
            config.limits.front,
            RequestIds::new("test"),
            onelogin::refusal,
        );
        world.enter(&front);
        let engine = world.engine().clone();
        let background = tokio::spawn(async move { tokio::join!(engine.run(), engine.send_messages()) });
        Ok(Self { world, front, tokens: Mutex::default(), background, _folder: temporary })
    }

    /// A user of the dev world, by number from 0.
    pub fn user(&self, number: usize) -> &DevUser {
        &self.world.seed.users[number]
    }

    /// The engine behind the server.
    pub fn engine(&self) -> &Arc<engine::Engine> {
        self.world.engine()
    }

    /// The dev world's client of a scope.
    pub fn client(&self, scope: Scope) -> &DevClient {
        let found = self.world.seed.clients.iter().find(|client| client.scope == scope.name());
        found.unwrap_or_else(|| panic!("the dev world has a client for {}", scope.name()))
    }

    /// The moment it is.
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Moves the clock, and ends the waits whose end it passes.
    pub fn advance(&self, seconds: i64) {
        self.world.clock.advance(seconds * 1_000);
    }

    /// An access token of the dev world's client of this scope.
    pub async fn token(&self, scope: Scope) -> String {
        let client = self.client(scope).clone();
        self.token_of(&client.client_id, &client.client_secret).await
    }

    /// An access token of a new client of this profile, scope `Manage All`.
    pub async fn profile_token(&self, profile: CompatProfile) -> String {
        let known = self.known_token(profile.name());
        if let Some(token) = known {
            return token;
        }
        let options = ClientOptions { holding: LongPoll::Off, ..ClientOptions::default() };
        let made = self
            .world
            .engine()
            .create_client(profile.name(), Scope::ManageAll, profile.into(), options, engine::ClientLimits::default())
            .await;
        let made = made.unwrap_or_else(|error| panic!("no client: {error}"));
        let token = self.token_of(&made.client.client_id, &made.secret).await;
        self.tokens
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(profile.name().to_owned(), token.clone());
        token
    }

    async fn token_of(&self, id: &str, secret: &str) -> String {
        if let Some(token) = self.known_token(id) {
            return token;
        }
        let header = format!("client_id:{id}, client_secret:{secret}");
        let answer = self
            .send(
                Script::post("/auth/oauth2/v2/token")
                    .header("authorization", &header)
                    .json(r#"{"grant_type":"client_credentials"}"#),
            )
            .await;
        let token = answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned();
        self.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.to_owned(), token.clone());
        token
    }

    /// Asks for new tokens from now on: the old ones live ten hours.
    pub fn forget_tokens(&self) {
        self.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    fn known_token(&self, key: &str) -> Option<String> {
        self.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).cloned()
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, script: Script) -> Exchange {
        let mut request = Request::builder().method(script.method.as_str()).uri(&script.path);
        if !script.headers.iter().any(|(name, _)| name == "host") {
            request = request.header(header::HOST, "127.0.0.1:8080");
        }
        for (name, value) in &script.headers {
            request = request.header(name, value);
        }
        let mut request = request
            .body(Body::from(script.body.clone()))
            .unwrap_or_else(|error| panic!("the test's request is none: {error}"));
        request.extensions_mut().insert(web::peer::Peer(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let response = self.front.answer(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Exchange::new(script, parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    /// Sends a call with a token of this scope.
    pub async fn call(&self, scope: Scope, script: Script) -> Exchange {
        let token = self.token(scope).await;
        self.send(script.header("authorization", &format!("Bearer {token}"))).await
    }

    /// The messages that match a query such as `channel=sms`, waiting for the first.
    pub async fn outbox(&self, query: &str) -> Vec<Value> {
        let answer = self.send(Script::get(&format!("/dev/outbox?wait=5s&{query}"))).await;
        match answer.json() {
            Value::Array(messages) => messages,
            other => panic!("the outbox answers {other}"),
        }
    }

    /// The code in the newest message that matches, waiting for the first after `after`.
    pub async fn code(&self, query: &str) -> String {
        let messages = self.outbox(query).await;
        let code = messages.last().and_then(|message| message["code"].as_str());
        code.unwrap_or_else(|| panic!("no code in {messages:?}")).to_owned()
    }
}
