//! A dev world: the production engine over a simulated last hop, and its credentials.

use std::sync::{Arc, OnceLock};

use config::Config;
use domain::{Countries, FactorKind, Policy};
use engine::clock::MovableClock;
use engine::{Chance, Clock, Engine};
use store::{DevClock, Store};
use tokio::sync::Notify;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use web::door::Door;
use web::front::{Front, WeakFront};

use super::requests::{RecordingDoor, Requests};
use super::seed::{DevUser, Seed};
use super::world_file::{Pinned, WorldFile};
use super::{chance, faults, phone, provider, seed};
use crate::installation::{DEV_FILE, Dependencies, Installation, OpenedDatabase};
use crate::links::Links;
use crate::phone as phone_door;

/// A dev world that can answer requests.
pub struct DevWorld {
    /// The server inside.
    pub installation: Installation,
    /// The clock, which tests move.
    pub clock: Arc<MovableClock>,
    /// The credentials in clear.
    pub seed: Seed,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) drawn: Arc<chance::DevChance>,
    /// The number that everything is drawn from, if there is one and the world is new: an older one has drawn from it before.
    seed_number: Option<u64>,
    /// What a file said of the world, to which a reset goes back.
    file: WorldFile,
    pub(super) phone: phone::Phone,
    pub(super) faults: Arc<faults::Faults>,
    pub(super) arrivals: Arc<Notify>,
    /// The base URL, once it listens.
    pub(super) base_url: OnceLock<String>,
    /// The calls of the API that were answered last.
    pub(super) requests: Arc<Requests>,
    /// What answers requests, once something does. It holds the world, so the world does not hold it.
    front: OnceLock<WeakFront>,
}

impl DevWorld {
    /// Builds a world over an opened database, and seeds a new one.
    pub async fn build(
        config: &Config,
        opened: OpenedDatabase,
        (message_limits, pinned): (bool, &Pinned),
        clock: Arc<MovableClock>,
        chance: Arc<dyn Chance>,
    ) -> anyhow::Result<Self> {
        let chance: Arc<chance::DevChance> = Arc::new(chance::DevChance::new(chance));
        let store = opened.store.clone();
        let arrivals = Arc::new(Notify::new());
        let faults = Arc::new(faults::Faults::none(chance.clone(), pinned.seed));
        let provider = provider::DevProvider::new(store.clone(), clock.clone(), faults.clone(), arrivals.clone());
        let config = &configured(config.clone());
        let routes = delivery::Routes::over([Arc::new(provider) as Arc<dyn delivery::Provider>]);
        let dependencies = Dependencies {
            clock: clock.clone(),
            chance: chance.clone(),
            policy: Policy {
                factors: FactorKind::ALL.to_vec(),
                // Nothing leaves this machine, so every country is fine.
                countries: if config.messages.countries.is_empty() {
                    Countries::all()
                } else {
                    config.messages.countries.clone()
                },
                message_limits,
                sends: config.limits.sends,
                caps: config.messages.caps,
                breaker: config.messages.breaker,
                sign_in: config.login.policy,
                issuer: config.account.issuer().to_owned(),
            },
            routes: if config.delivery.sms_by_call { routes.with_texts_called() } else { routes },
            password_cost: pinned.passwords,
        };
        let mut installation = Installation::build(config, opened, dependencies).await?;
        // `build` has made sure that the database belongs to a dev world.
        store.dev_prepare().await?;
        let stands = store.dev_clock().await?;
        // A test may have stopped the clock. Only a stored change overrides that.
        if stands != DevClock::default() {
            turn(&clock, stands);
        }
        let is_new = !installation.data_dir.file(DEV_FILE).exists();
        if is_new && pinned.world.clock.is_some() {
            let begins = pinned.world.begins()?;
            store.set_dev_clock(begins).await?;
            turn(&clock, begins);
            installation.engine.accept_clock().await?;
        }
        chance.repeat(pinned.seed);
        let planting = seed::load_or_plant(&installation.engine, &installation.data_dir, &*chance, pinned);
        let seed = unlogged(planting).await?;
        let seed_number = pinned.seed.filter(|_| is_new);
        chance.run_from(seed_number);
        // Several nodes may start one world at once: the first seeds it, the others find it.
        installation.release_start_lock();
        let phone = phone::Phone::load(&installation.data_dir)?;
        Ok(Self {
            installation,
            clock,
            seed,
            chance: chance.clone(),
            drawn: chance,
            seed_number,
            file: pinned.world.clone(),
            phone,
            faults,
            arrivals,
            base_url: OnceLock::new(),
            requests: Arc::default(),
            front: OnceLock::new(),
        })
    }

    /// Adds a client for each profile.
    pub(super) async fn with_profiles(mut self, pinned: &Pinned) -> anyhow::Result<Self> {
        // With the world's number, the same ids would be drawn again.
        const OTHER: u64 = 1 << 63;
        let start_lock = self.installation.data_dir.lock_start().await?;
        self.drawn.repeat(pinned.seed.map(|seed| seed ^ OTHER));
        let planting =
            seed::with_profiles(&self.installation.engine, &self.installation.data_dir, self.seed, pinned.hold);
        self.seed = unlogged(planting).await?;
        self.drawn.run_from(self.seed_number);
        drop(start_lock);
        Ok(self)
    }

    /// The OneLogin dialect over this world.
    pub fn app(&self, config: &Config) -> onelogin::Dialect {
        self.installation.app(&configured(config.clone()).dialect)
    }

    /// The OneLogin dialect for a listener, with the world as its witness.
    pub fn dialect(&self, config: &Config) -> Arc<dyn Door> {
        self.recording(onelogin::door(self.app(config)))
    }

    /// The same door, whose calls are noted for `/dev/requests`.
    pub(crate) fn recording(&self, api: Arc<dyn Door>) -> Arc<dyn Door> {
        Arc::new(RecordingDoor { api, engine: self.engine().clone(), requests: self.requests.clone() })
    }

    /// The door of phones, for a listener.
    pub fn phones(&self, config: &Config) -> Arc<dyn Door> {
        let trusted = config.dialect.trusted_proxies.clone();
        Arc::new(phone_door::of(&self.installation, config, trusted, true))
    }

    /// From now on, the simulated phone sends its requests to this front.
    pub fn enter(&self, front: &Front) {
        let _ = self.front.set(front.downgrade());
    }

    /// What answers requests, while something does.
    pub(super) fn front(&self) -> Option<Front> {
        self.front.get()?.upgrade()
    }

    /// The pages of links in mail, for a listener.
    pub fn links(&self, config: &Config) -> Arc<dyn Door> {
        let trusted = config.dialect.trusted_proxies.clone();
        Arc::new(Links::of(self.engine(), self.installation.pages.clone(), trusted))
    }

    /// After a reset: the clock and the devices of the file, if there was one. Gives the users, whose devices have new ids.
    pub(super) async fn begin_again(&self) -> anyhow::Result<Vec<DevUser>> {
        let begins = self.file.begins()?;
        self.store().set_dev_clock(begins).await?;
        self.turn(begins);
        self.engine().accept_clock().await?;
        seed::plant_devices(self.engine(), &self.file, &self.seed).await
    }

    /// Sets this node's clock.
    pub(super) fn turn(&self, clock: DevClock) {
        turn(&self.clock, clock);
    }

    /// The randomness of the world.
    pub(crate) fn chance(&self) -> &dyn Chance {
        &*self.drawn
    }

    /// The use cases.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.installation.engine
    }

    /// Moves the clock whenever another node of this world has moved it.
    pub(super) async fn follow_clock(&self) {
        const LOOK: i64 = 100;
        loop {
            engine::clock::SystemClock.sleep(LOOK).await;
            let here = || DevClock { offset: self.clock.offset(), frozen: self.clock.frozen() };
            let before = here();
            let Ok(clock) = self.store().dev_clock().await else { continue };
            // If it was moved here meanwhile, what was read may be older.
            if here() == before {
                self.turn(clock);
            }
        }
    }

    pub(super) fn store(&self) -> &Store {
        self.installation.engine.store()
    }

    pub(super) fn now(&self) -> domain::Timestamp {
        self.clock.now()
    }
}

/// Seeds without log lines: the banner shows the result, and the audit trail has every step.
async fn unlogged<T>(planting: impl Future<Output = T>) -> T {
    let planted = planting.with_subscriber(Dispatch::none()).await;
    // Without this, call sites that were reached for the first time just now would stay off.
    tracing::callsite::rebuild_interest_cache();
    planted
}

fn turn(clock: &MovableClock, stands: DevClock) {
    clock.set(stands.offset, stands.frozen);
}

/// The defaults of a dev world: its account, no limits on calls, and webhooks to receivers on this machine. Configured values
/// stay.
fn configured(mut config: Config) -> Config {
    let is_named = |key| config.named.contains(&key);
    let (subdomain, account) = (is_named("subdomain"), is_named("account_id"));
    let (quota, private) = (is_named("limits.calls_per_hour"), is_named("webhooks.allow_private"));
    let rate = ["limits.bursts", "limits.calls_per_second", "limits.calls_burst"].into_iter().any(is_named);
    if !subdomain {
        seed::SUBDOMAIN.clone_into(&mut config.account.subdomain);
    }
    if !account {
        config.account.account_id = seed::ACCOUNT_ID;
    }
    if !quota {
        config.dialect.hourly_quota = 0;
    }
    config.dialect.burst_limit &= rate;
    config.dialect.tell_refusals = true;
    config.webhooks.allow_private |= !private;
    config
}
