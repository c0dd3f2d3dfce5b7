//! PostgreSQL: lanes that decide in groups, readers and a pool beside them. Nodes share nothing but the database.

mod address;
mod batch;
mod bulk;
mod chains;
mod conn;
mod connect;
mod demands;
mod failure;
mod hosts;
mod housekeeping;
mod job;
mod lane;
mod load;
mod long;
mod migrate;
mod notices;
mod parameters;
mod pool;
mod readers;
mod replication;
mod sql;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
mod trust;

mod value;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Budget, BudgetView, Client, ClientId, ClientView, Decision, Digest, KeyedHash, Purpose, Spent};
use domain::{TokenSet, UserId, Verification, VerificationId, View};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::counters::Counters;
use crate::error::{Error, OpenError};
use crate::ids::Ids;
use crate::query::{
    AuditChain, AuditRow, COUNTED, LIST_TIME, LISTS, Page, Reading, Sizes, Stats, UserFilter, UserPage, Waiting,
};
use crate::rows::Decode;
use crate::schema::sql as shared;
use crate::value::Value;
use crate::value::id;
use crate::world::Looked;
use crate::{budgets, conditions, rows, trail};
use conn::{BEGIN_SNAPSHOT, Query, decode, decode_first};
use connect::{PLANNING, Target};
use failure::Failure;
use job::{Fetch, Job};
use lane::{Lane, Order};
use load::Subject;
use long::Long;
use pool::Pool;
use readers::Asked;

/// How long anybody waits for the database: for a connection, for locks, for statements and all retries together
/// (SEC 79, decision 37).
const DEADLINE: Duration = Duration::from_secs(5);
/// Jobs that may wait for a lane, or for the readers, before senders wait as well.
const QUEUE: usize = 1024;

const CLOSED: Error = Error::Unavailable("closed");
const LATE: Error = Error::Unavailable("the database does not answer");

/// A database's URL without its password, as the driver reads it. [`OpenError::Url`] if it cannot be read, or if a part of
/// a password could be taken for something else.
pub fn shown(url: &str) -> Result<String, OpenError> {
    address::shown(url)
}

/// How a PostgreSQL database is used. The defaults are right for serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The only authorities trusted to vouch for the server, in PEM; without it, the public ones. Whether there is TLS
    /// at all is the URL's to say (`sslmode`).
    pub ca_file: Option<PathBuf>,
    /// Connections that decide.
    pub lanes: usize,
    /// Connections that look users up for decisions and answers.
    pub readers: usize,
    /// Connections for all the rest, at most.
    pub pool: usize,
    /// How long a list may take. Lists have two connections that nothing else waits for.
    pub list_time: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { ca_file: None, lanes: 2, readers: 1, pool: 4, list_time: LIST_TIME }
    }
}

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    lanes: Vec<mpsc::Sender<Order>>,
    /// The lane of budgets, which many users and nodes want at once: none of the others ever waits for one.
    budgets: mpsc::Sender<Order>,
    asking: Mutex<Option<mpsc::Sender<Asked>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    listener: JoinHandle<()>,
    pool: Pool,
    /// Reads lists for callers.
    lists: Long,
    ids: Ids,
    counters: Arc<Counters>,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        options: &PostgresOptions,
        wake_ups: Arc<Notify>,
        answered: broadcast::Sender<UserId>,
    ) -> Result<Self, OpenError> {
        let target = Arc::new(Target::new(url, options)?);
        let client = target.client().await.map_err(demands::explained)?;
        demands::before(&target, &client).await?;
        transfer::marks(&client).await?.refuse()?;
        migrate::run(&client).await?;
        demands::after(&client).await?;
        replication::warn_if_asynchronous(&client).await?;
        let counters = Arc::<Counters>::default();
        let notices = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        let mut lane = || {
            let (orders, waiting) = mpsc::channel(QUEUE);
            let lane = Lane::new(target.clone(), counters.clone(), notices.clone());
            tasks.push(tokio::spawn(lane.run(waiting)));
            orders
        };
        let lanes = (0..options.lanes.max(1)).map(|_| lane()).collect();
        let budgets = lane();
        let (asking, asked) = mpsc::channel(QUEUE);
        let asked = Arc::new(tokio::sync::Mutex::new(asked));
        tasks.extend((0..options.readers.max(1)).map(|_| tokio::spawn(readers::run(target.clone(), asked.clone()))));
        Ok(Self {
            lanes,
            budgets,
            asking: Mutex::new(Some(asking)),
            tasks: Mutex::new(tasks),
            listener: tokio::spawn(notices::listen(target.clone(), wake_ups, answered, notices)),
            lists: Long::new(target.clone(), LISTS, options.list_time),
            pool: Pool::new(target, options.pool.max(1), PLANNING),
            ids: Ids::default(),
            counters,
        })
    }

    /// What is there.
    pub(crate) async fn look(url: &str, options: &PostgresOptions) -> Result<Looked, OpenError> {
        migrate::look(&Target::new(url, options)?.client().await?).await
    }

    // ---- decisions

    pub(crate) async fn decide<T, F>(&self, user: UserId, f: F) -> Result<T, Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(Subject::User(user), self.lane(user.0), f).await
    }

    pub(crate) async fn decide_client<T, F>(&self, client: ClientId, asked: Option<Digest>, f: F) -> Result<T, Error>
    where
        F: Fn(&ClientView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(Subject::Client(client, asked), self.lane(client.0), f).await
    }

    pub(crate) async fn decide_budget<T, F>(&self, budget: Budget, f: F) -> Result<T, Error>
    where
        F: Fn(&BudgetView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(Subject::Budget(budget), &self.budgets, f).await
    }

    /// Whose decisions never run beside each other on this node.
    fn lane(&self, key: i64) -> &mpsc::Sender<Order> {
        &self.lanes[usize::try_from(key.unsigned_abs()).unwrap_or_default() % self.lanes.len()]
    }

    /// Has a lane decide, and waits until that is durable or too late. Once this gives up, a decision not
    /// begun is not made, and one that is being made has an unknown outcome (SEC 80).
    async fn submit<V, T, F>(&self, subject: Subject, lane: &mpsc::Sender<Order>, f: F) -> Result<T, Error>
    where
        V: Fetch + 'static,
        F: Fn(&V) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let (job, answer) = Job::new(subject, f);
        in_time(async {
            lane.send(Order::Run(job)).await.map_err(|_| CLOSED)?;
            Ok(answer.await.unwrap_or(Err(CLOSED))?)
        })
        .await
    }

    // ---- queries

    pub(crate) async fn view(&self, user: UserId) -> Result<View, Error> {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(CLOSED)?;
        let (waiting, answer) = oneshot::channel();
        in_time(async {
            asking.send(Asked { user, waiting }).await.map_err(|_| CLOSED)?;
            Ok(answer.await.unwrap_or(Err(CLOSED))?)
        })
        .await
    }

    pub(crate) async fn client_by_public_id(&self, client_id: &str) -> Result<Option<Client>, Error> {
        self.first(Query::new(shared::CLIENT_BY_PUBLIC_ID, [client_id.into()]), rows::client).await
    }

    pub(crate) async fn client_view(&self, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Error> {
        in_time(async {
            let mut conn = self.pool.lend().await?;
            load::client(&mut conn, client, asked).await
        })
        .await
    }

    pub(crate) async fn clients(&self) -> Result<Vec<Client>, Error> {
        self.all(Query::new(shared::CLIENTS, []), rows::client).await
    }

    pub(crate) async fn token(&self, access: &Digest) -> Result<Option<(TokenSet, Client)>, Error> {
        let token = self.first(Query::new(shared::TOKEN, [(*access).into()]), rows::token_set).await?;
        let Some(set) = token else { return Ok(None) };
        // Read later, and so never older than its token.
        let client = self.first(Query::new(shared::CLIENT, [set.client_id.0.into()]), rows::client).await?;
        Ok(client.map(|client| (set, client)))
    }

    pub(crate) async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Error> {
        let (conditions, mut params) = conditions::of_users(filter, &sql::WORDS);
        let count = format!("{}{conditions}", shared::COUNT_USERS);
        let (limit, offset) = (params.len() + 1, params.len() + 2);
        let list = format!("{}{conditions} ORDER BY id LIMIT ${limit} OFFSET ${offset}", shared::USERS);
        let counted = (count, params.clone());
        params.push(Value::Int(page.limit.into()));
        params.push(Value::Int(i64::try_from(page.offset).unwrap_or(i64::MAX)));
        let answers = in_time(self.lists.read(vec![counted, (list, params)])).await?;
        let [count, users] = answers.as_slice() else { return Err(Error::Corrupt("an answer is missing")) };
        let total = decode_first(count, rows::number)?.unwrap_or(0);
        Ok(UserPage { users: decode(users, rows::user)?, total: total.unsigned_abs() })
    }

    pub(crate) async fn attribute_names(&self, users: i64) -> Result<Vec<String>, Error> {
        let asked = (sql::ATTRIBUTE_NAMES.to_owned(), vec![Value::Int(users)]);
        let names = in_time(self.lists.read(vec![asked])).await?.pop().unwrap_or_default();
        decode(&names, rows::text)
    }

    #[cfg(test)]
    pub(crate) async fn plan(&self, statement: &str, params: Vec<Value>) -> Result<Vec<String>, Error> {
        let asked = (format!("EXPLAIN {statement}"), params);
        let steps = in_time(self.lists.read(vec![asked])).await?.pop().unwrap_or_default();
        decode(&steps, rows::text)
    }

    pub(crate) async fn day_budgets(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        self.all(Query::new(shared::DAY_BUDGETS, []), budgets::named).await
    }

    pub(crate) async fn verification_by_wire_id(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Error> {
        let params = [user.0.into(), wire_id.into(), purpose.number().into()];
        self.first(Query::new(shared::VERIFICATION_BY_WIRE_ID, params), rows::verification).await
    }

    pub(crate) async fn verification_by_id(&self, asked: VerificationId) -> Result<Option<Verification>, Error> {
        self.first(Query::new(shared::VERIFICATION_BY_ID, [id(asked).into()]), rows::verification).await
    }

    pub(crate) async fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        self.first(Query::new(shared::PAIRING, [hash.into()]), rows::pairing).await
    }

    pub(crate) async fn audit(&self, chain: AuditChain) -> Result<Vec<AuditRow>, Error> {
        self.all(trail_of(chain), rows::audit).await
    }

    /// The entries that a whole statement asks for.
    pub(crate) async fn events(
        &self,
        statement: String,
        params: Vec<Value>,
        reading: Reading,
    ) -> Result<Vec<(i64, AuditRow)>, Error> {
        if reading == Reading::Asked {
            let entries = in_time(self.lists.read(vec![(statement, params)])).await?.pop().unwrap_or_default();
            return decode(&entries, rows::event);
        }
        in_time(async {
            let conn = self.pool.lend().await?;
            Ok(decode(&conn.fetch_text(&statement, &params).await?, rows::event)?)
        })
        .await
    }

    /// The greatest id of the trail, and then the moment by the server's own clock, in milliseconds.
    pub(crate) async fn trail_end(&self) -> Result<(i64, i64), Error> {
        let last = self.first(Query::new(shared::LAST_AUDIT_ID, []), rows::opt_number).await?.flatten();
        Ok((last.unwrap_or(0), self.one(Query::new(sql::SERVER_TIME, []), rows::number).await?))
    }

    /// The first id of each block of `count` ids from one on, and the greatest that is used in it.
    pub(crate) async fn newest_of_blocks(
        &self,
        first: i64,
        last: i64,
        count: i64,
    ) -> Result<Vec<(i64, Option<i64>)>, Error> {
        let newest: Decode<(i64, Option<i64>)> = |row| Ok((row.int(0)?, row.opt_int(1)?));
        self.all(Query::new(sql::NEWEST_OF_BLOCKS, [first.into(), last.into(), count.into()]), newest).await
    }

    pub(crate) async fn event_bounds(&self) -> Result<Option<(i64, i64)>, Error> {
        let first = self.first(Query::new(shared::FIRST_AUDIT_ID, []), rows::opt_number).await?.flatten();
        let last = self.first(Query::new(shared::LAST_AUDIT_ID, []), rows::opt_number).await?.flatten();
        Ok(first.zip(last))
    }

    pub(crate) async fn verify_audit_chain(&self, chain: AuditChain) -> Result<bool, Error> {
        in_time(async {
            let mut conn = self.pool.lend().await?;
            let answers = conn.begin(BEGIN_SNAPSHOT, &[load::head_of(chain), trail_of(chain)]).await?;
            conn.roll_back().await?;
            let [head, entries] = answers.as_slice() else { return Err(Error::Corrupt("an answer is missing").into()) };
            let head = decode_first(head, rows::head)?;
            Ok(trail::is_whole(&decode(entries, rows::audit)?, head.as_ref()))
        })
        .await
    }

    /// All rows of one statement, run by itself. Asked once more where a connection turns out to be dead, so it must
    /// be one that may run twice.
    async fn all<T>(&self, query: Query, row: Decode<T>) -> Result<Vec<T>, Error> {
        let ask = async || {
            let mut conn = self.pool.lend().await?;
            Ok(conn.fetch(std::slice::from_ref(&query)).await?.pop().unwrap_or_default())
        };
        let rows = in_time(async {
            match ask().await {
                Err(Failure::Lost(_)) => ask().await,
                answer => answer,
            }
        })
        .await?;
        decode(&rows, row)
    }

    async fn first<T>(&self, query: Query, row: Decode<T>) -> Result<Option<T>, Error> {
        let mut found = self.all(query, row).await?;
        Ok(if found.is_empty() { None } else { Some(found.swap_remove(0)) })
    }

    async fn one<T>(&self, query: Query, row: Decode<T>) -> Result<T, Error> {
        self.first(query, row).await?.ok_or(Error::Corrupt("an answer without a row"))
    }

    /// Runs a statement whose rows are ignored.
    async fn write(&self, query: Query) -> Result<(), Error> {
        self.all(query, |_| Ok(())).await.map(|_| ())
    }

    // ---- the store itself

    pub(crate) async fn ready(&self) -> bool {
        self.lanes.iter().chain([&self.budgets]).all(|lane| !lane.is_closed())
            && self.all(Query::new(shared::MARKS, []), |_| Ok(())).await.is_ok_and(|marks| marks.is_empty())
    }

    pub(crate) async fn waiting(&self) -> Result<Waiting, Error> {
        Ok(self.first(Query::new(shared::WAITING_MESSAGES, []), rows::waiting).await?.unwrap_or_default())
    }

    pub(crate) async fn sizes(&self) -> Result<Sizes, Error> {
        let sizes = self.one(Query::new(shared::SIZES, [COUNTED.cast_signed().into()]), rows::sizes).await?;
        let bytes = self.one(Query::new(sql::BYTES, []), rows::number).await?.unsigned_abs();
        Ok(Sizes { bytes, ..sizes })
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.read()
    }

    pub(crate) async fn close(&self) {
        self.listener.abort();
        for lane in self.lanes.iter().chain([&self.budgets]) {
            // If it is gone already, there is no receiver.
            let _ = lane.send(Order::Close).await;
        }
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A panic was reported when it happened.
            let _ = task.await;
        }
        self.lists.close();
        self.pool.close();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

fn trail_of(chain: AuditChain) -> Query {
    let (kind, id) = chain.numbers();
    Query::new(shared::AUDIT_TRAIL, [kind.into(), id.into()])
}

/// The answer, or [`LATE`].
async fn in_time<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Error> {
    timeout(DEADLINE, work).await.map_or(Err(LATE), |answer| answer.map_err(Into::into))
}
