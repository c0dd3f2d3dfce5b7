//! Applies changes and answers queries.
//!
//! The store makes no choices: a pure function decides on one user's fresh [`View`], and its [`Change`]s are applied in
//! the same transaction, all or none, before anybody hears the reply (SEC 1, SEC 76). Three named transactions write what
//! decisions decide, [`Store::decide`], [`Store::decide_client`] and [`Store::decide_budget`]; the rest is housekeeping
//! that no decision relies on. What both databases share (statements, their parameters, the decoding of rows) is in this folder; what
//! differs is in a folder per database.
//!
//! [`Change`]: domain::Change

mod apply;
mod audit_ids;
mod budgets;
mod bulk;
mod calls;
mod challenge;
mod conditions;
#[cfg(test)]
mod contract;
mod counters;
mod dev_clock;
mod error;
mod events;
mod expiry;
mod follow;
mod hot_state;
mod ids;
mod login_names;
mod names;
mod postgres;
mod query;
mod rows;
mod schema;
mod secrets;
mod sessions;
mod sign_in;
mod sqlite;
mod step;
mod throttles;
mod trail;
pub mod transfer;
mod value;
mod webhooks;
mod world;

use std::path::Path;
use std::sync::Arc;

use domain::{
    Budget, BudgetView, Channel, Client, ClientId, ClientView, Decision, Device, Digest, KeyedHash, MessageId, Purpose,
    Spent, Timestamp, TokenSet, UserId, Verification, VerificationId, View,
};
use tokio::sync::{Notify, broadcast};

pub use dev_clock::DevClock;
pub use error::{Error, OpenError, UniqueField};
pub use follow::{Cursor, Followed};
pub use names::Collision;
pub use postgres::{PostgresOptions, shown as shown_postgres};
use query::Reading;
pub use query::{
    AuditChain, AuditRow, COMMIT_BOUNDS, COUNTED, DevFilter, DevMessage, DropReason, EventFilter, EventPage, Events,
    IdKind, MessageOutcome, Page, QueuedMessage, Sizes, Span, Stats, Swept, TextFilter, UserFilter, UserPage, Waiting,
};
pub use schema::migrations::{MIGRATIONS, Migration};
use schema::sql;
pub use sqlite::{Fatal, SqliteOptions};
pub use webhooks::{DeliveryStatus, HeldWebhook, Tried, WebhookDelivery, WebhookLease};
pub use world::{KEY_CHECK, Known, Looked, World};

/// Users about whom notices are kept for slow subscribers.
const ANSWERED: usize = 1_024;

/// A database, whichever it is. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    wake_ups: Arc<Notify>,
    answered: broadcast::Sender<UserId>,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Postgres>),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.backend {
            Backend::Sqlite(_) => f.write_str("Store(SQLite)"),
            Backend::Postgres(_) => f.write_str("Store(PostgreSQL)"),
        }
    }
}

impl Store {
    /// Opens the SQLite database in the folder `dir`, creating both if need be, and brings its schema up to date. The
    /// files are readable by their owner only, and a lock file keeps every other process out (SEC 76).
    pub fn open_sqlite(dir: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let db = sqlite::Sqlite::open(dir, options)?;
        Ok(Self {
            backend: Backend::Sqlite(Arc::new(db)),
            wake_ups: Arc::default(),
            answered: broadcast::Sender::new(1),
        })
    }

    /// Opens a PostgreSQL database and brings its schema up to date. The URL may name several hosts; only one that
    /// takes writes is used. A server that could forget what it has confirmed is refused (SEC 76). Connections that
    /// are lost are made anew, to whichever host is the primary then.
    pub async fn open_postgres(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let wake_ups = Arc::<Notify>::default();
        let answered = broadcast::Sender::new(ANSWERED);
        let db = postgres::Postgres::open(url, &options, wake_ups.clone(), answered.clone()).await?;
        Ok(Self { backend: Backend::Postgres(Arc::new(db)), wake_ups, answered })
    }

    /// Fires when another node may have queued messages. A hint and no more: it can be lost, so a subscriber
    /// looks by itself from time to time. With SQLite there is no other node, and it never fires.
    pub fn wake_ups(&self) -> Arc<Notify> {
        self.wake_ups.clone()
    }

    /// The users whom a person's answer, given on another node, was about. A hint and no more, as [`Self::wake_ups`] is.
    pub fn answered(&self) -> broadcast::Receiver<UserId> {
        self.answered.subscribe()
    }

    /// Lets `f` decide on this user's fresh view and applies what it decided, in one transaction. Its reply is given
    /// once the changes are durable. `f` may run more than once and must depend on nothing but its view.
    pub async fn decide<T, F>(&self, user: UserId, f: F) -> Result<T, Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite(db) => db.decide(user, f).await,
            Backend::Postgres(db) => Box::pin(db.decide(user, f)).await,
        }
    }

    /// The same for an API caller and its tokens. `asked` is the digest of the access token that the decision is about.
    pub async fn decide_client<T, F>(&self, client: ClientId, asked: Option<Digest>, f: F) -> Result<T, Error>
    where
        F: Fn(&ClientView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite(db) => db.decide_client(client, asked, f).await,
            Backend::Postgres(db) => Box::pin(db.decide_client(client, asked, f)).await,
        }
    }

    /// The same for what holds over all users: messages to a recipient, of a client and of the server, and a client's
    /// calls. No decision about a user waits for one of these.
    pub async fn decide_budget<T, F>(&self, budget: Budget, f: F) -> Result<T, Error>
    where
        F: Fn(&BudgetView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite(db) => db.decide_budget(budget, f).await,
            Backend::Postgres(db) => Box::pin(db.decide_budget(budget, f)).await,
        }
    }

    /// What was taken out of the budgets of days, of the clients and of the server.
    pub async fn day_budgets(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.day_budgets(),
            Backend::Postgres(db) => Box::pin(db.day_budgets()).await,
        }
    }

    /// Whether other nodes may use the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// An id that was never given out before, by this or any other process. Gaps are normal.
    pub async fn next_id(&self, kind: IdKind) -> Result<i64, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.next_id(kind).await,
            Backend::Postgres(db) => Box::pin(db.next_id(kind)).await,
        }
    }

    /// A user as committed at some recent moment. Good for proofs and for answers, never for decisions.
    pub async fn view(&self, user: UserId) -> Result<View, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.view(user),
            Backend::Postgres(db) => Box::pin(db.view(user)).await,
        }
    }

    /// A user's devices as committed at some recent moment, for lists: their counters and last uses are not looked at.
    /// `None` if there is no such user.
    pub async fn devices(&self, user: UserId) -> Result<Option<Vec<Device>>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.devices(user),
            // Views of many callers are read together there, which costs less than a look of one's own.
            Backend::Postgres(db) => {
                let view = Box::pin(db.view(user)).await?;
                Ok(view.user.map(|_| view.devices))
            }
        }
    }

    /// The client that shows this id, revoked or not.
    pub async fn client_by_public_id(&self, client_id: &str) -> Result<Option<Client>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.client_by_public_id(client_id),
            Backend::Postgres(db) => Box::pin(db.client_by_public_id(client_id)).await,
        }
    }

    /// A client as committed at some recent moment.
    pub async fn client_view(&self, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.client_view(client, asked),
            Backend::Postgres(db) => Box::pin(db.client_view(client, asked)).await,
        }
    }

    /// All clients, revoked ones too, oldest first.
    pub async fn clients(&self) -> Result<Vec<Client>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.clients(),
            Backend::Postgres(db) => Box::pin(db.clients()).await,
        }
    }

    /// The token set of an access token, live or not, and its client.
    pub async fn token(&self, access: Digest) -> Result<Option<(TokenSet, Client)>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.token(&access),
            Backend::Postgres(db) => Box::pin(db.token(&access)).await,
        }
    }

    /// The users that match, by ascending id. Few lists are read at once, apart from all else, and none for longer than
    /// the options of the database say; beyond that the answer is [`Error::Unavailable`].
    pub async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.users(filter, page).await,
            Backend::Postgres(db) => Box::pin(db.users(filter, page)).await,
        }
    }

    /// The names of the custom attributes that the first `users` users have. A list, as [`Self::users`] is.
    pub async fn attribute_names(&self, users: u32) -> Result<Vec<String>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.attribute_names(users.into()).await,
            Backend::Postgres(db) => Box::pin(db.attribute_names(users.into())).await,
        }
    }

    /// The verification a caller knows by `wire_id`, ended or not (SEC 7: looked up by user and id together). Once it
    /// has ended, what its answer was compared with is wiped: the challenge keeps its kind only (SEC 10).
    pub async fn verification_by_wire_id(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.verification_by_wire_id(user, wire_id, purpose),
            Backend::Postgres(db) => Box::pin(db.verification_by_wire_id(user, wire_id, purpose)).await,
        }
    }

    /// The verification with this id, ended or not.
    pub async fn verification_by_id(&self, id: VerificationId) -> Result<Option<Verification>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.verification_by_id(id),
            Backend::Postgres(db) => Box::pin(db.verification_by_id(id)).await,
        }
    }

    /// Whose pending registration a pairing code belongs to.
    pub async fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.pairing(hash),
            Backend::Postgres(db) => Box::pin(db.pairing(hash)).await,
        }
    }

    /// Claims at most `limit` messages of a channel that are due, the longest due first. No other claim returns them
    /// before `lease_ms` milliseconds have passed; then they are due again, in case their sender has died.
    pub async fn claim_messages(
        &self,
        channel: Channel,
        now: Timestamp,
        limit: usize,
        lease_ms: i64,
    ) -> Result<Vec<QueuedMessage>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.claim_messages(channel, now, limit, lease_ms).await,
            Backend::Postgres(db) => Box::pin(db.claim_messages(channel, now, limit, lease_ms)).await,
        }
    }

    /// Records what became of a claimed message. Does nothing if it was dropped meanwhile.
    pub async fn settle_message(&self, id: MessageId, outcome: MessageOutcome, now: Timestamp) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.settle_message(id, outcome, now).await,
            Backend::Postgres(db) => Box::pin(db.settle_message(id, outcome, now)).await,
        }
    }

    /// When the next queued message of a channel is due, if any is queued.
    pub async fn next_message_at(&self, channel: Channel) -> Result<Option<Timestamp>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.next_message_at(channel),
            Backend::Postgres(db) => Box::pin(db.next_message_at(channel)).await,
        }
    }

    /// Cleans up a bounded number of rows whose time is over (SEC 87). No decision relies on it.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.sweep(now).await,
            Backend::Postgres(db) => Box::pin(db.sweep(now)).await,
        }
    }

    /// A value of the server's own, such as its key check value.
    pub async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.meta(key),
            Backend::Postgres(db) => Box::pin(db.meta(key)).await,
        }
    }

    /// Sets a value unless there is one, and gives the one that holds from now on.
    pub async fn set_meta_if_absent(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.set_meta_if_absent(key, value).await,
            Backend::Postgres(db) => Box::pin(db.set_meta_if_absent(key, value)).await,
        }
    }

    /// Sets a value unless the one there is greater, byte by byte, and gives the one that holds from now on.
    pub async fn raise_meta(&self, key: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.raise_meta(key, value).await,
            Backend::Postgres(db) => Box::pin(db.raise_meta(key, value)).await,
        }
    }

    /// Sets a value.
    pub async fn set_meta(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.set_meta(key, value).await,
            Backend::Postgres(db) => Box::pin(db.set_meta(key, value)).await,
        }
    }

    /// A chain of the audit trail, oldest first.
    pub async fn audit(&self, chain: impl Into<AuditChain>) -> Result<Vec<AuditRow>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.audit(chain.into()).await,
            Backend::Postgres(db) => Box::pin(db.audit(chain.into())).await,
        }
    }

    /// Entries of all chains, by id. On PostgreSQL ids are given to nodes in blocks, so between nodes they ascend only
    /// roughly with time.
    pub async fn events(&self, filter: &EventFilter, page: EventPage) -> Result<Events, Error> {
        events::look(self, filter, page, Reading::Asked).await
    }

    async fn events_between(
        &self,
        (condition, params): (String, Vec<value::Value>),
        reading: Reading,
    ) -> Result<Vec<(i64, AuditRow)>, Error> {
        self.entries(format!("{}{condition}", sql::EVENTS), params, reading).await
    }

    async fn entries(
        &self,
        statement: String,
        params: Vec<value::Value>,
        reading: Reading,
    ) -> Result<Vec<(i64, AuditRow)>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.events(statement, params, reading).await,
            Backend::Postgres(db) => Box::pin(db.events(statement, params, reading)).await,
        }
    }

    /// How the database would answer a statement, step by step.
    #[cfg(test)]
    async fn plan(&self, statement: &str, params: Vec<value::Value>) -> Result<Vec<String>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.plan(statement, &params),
            Backend::Postgres(db) => Box::pin(db.plan(statement, params)).await,
        }
    }

    async fn event_bounds(&self) -> Result<Option<(i64, i64)>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.event_bounds(),
            Backend::Postgres(db) => Box::pin(db.event_bounds()).await,
        }
    }

    /// Whether a chain of the audit trail is whole: every entry binds the one before, and none is missing at the end.
    pub async fn verify_audit_chain(&self, chain: impl Into<AuditChain>) -> Result<bool, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.verify_audit_chain(chain.into()).await,
            Backend::Postgres(db) => Box::pin(db.verify_audit_chain(chain.into())).await,
        }
    }

    /// Whether decisions can be made and queries answered (SEC 83).
    pub async fn ready(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(db) => db.ready(),
            Backend::Postgres(db) => Box::pin(db.ready()).await,
        }
    }

    /// What waits in the outbox, of all nodes.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.waiting().await,
            Backend::Postgres(db) => Box::pin(db.waiting()).await,
        }
    }

    /// How large the database has become. Reads much: not for where a caller waits.
    pub async fn sizes(&self) -> Result<Sizes, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.sizes().await,
            Backend::Postgres(db) => Box::pin(db.sizes()).await,
        }
    }

    /// What the writer has done.
    pub fn stats(&self) -> Stats {
        match &self.backend {
            Backend::Sqlite(db) => db.stats(),
            Backend::Postgres(db) => db.stats(),
        }
    }

    /// Finishes what waits, checkpoints the log and lets go of it. Clones answer
    /// [`Error::Unavailable`] from then on.
    pub async fn close(self) {
        match &self.backend {
            Backend::Sqlite(db) => db.close().await,
            Backend::Postgres(db) => Box::pin(db.close()).await,
        }
    }

    /// Makes the dev world's own tables. Never called for a served database (decision 4).
    pub async fn dev_prepare(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.dev_prepare().await,
            Backend::Postgres(db) => Box::pin(db.dev_prepare()).await,
        }
    }

    /// Whether the dev world's own tables are here.
    async fn has_dev_tables(&self) -> Result<bool, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.has_dev_tables(),
            Backend::Postgres(db) => Box::pin(db.has_dev_tables()).await,
        }
    }

    /// Records what the dev world's last hop would have sent, and gives it its id.
    pub async fn dev_record(&self, message: DevMessage) -> Result<i64, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.dev_record(message).await,
            Backend::Postgres(db) => Box::pin(db.dev_record(message)).await,
        }
    }

    /// What the dev world's last hop would have sent, oldest first.
    pub async fn dev_outbox(&self, filter: &DevFilter) -> Result<Vec<DevMessage>, Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.dev_outbox(filter),
            Backend::Postgres(db) => Box::pin(db.dev_outbox(filter)).await,
        }
    }

    /// The setting of the dev world's clock.
    pub async fn dev_clock(&self) -> Result<DevClock, Error> {
        DevClock::unpack(self.meta(dev_clock::DEV_CLOCK).await?)
    }

    /// Sets the dev world's clock.
    pub async fn set_dev_clock(&self, clock: DevClock) -> Result<(), Error> {
        self.set_meta(dev_clock::DEV_CLOCK, &clock.pack()).await
    }

    /// Puts the dev world back to its start: keeps clients and users, lifts locks, forgets devices, verifications,
    /// tokens, limits, messages and the clock (decision 4).
    pub async fn dev_reset(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.dev_reset().await,
            Backend::Postgres(db) => Box::pin(db.dev_reset()).await,
        }
    }
}
