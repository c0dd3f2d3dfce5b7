//! The database as the rest of the store sees it: lanes that decide, and how a single statement is run.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Budget, BudgetView, ClientId, ClientView, Decision, Digest, UserId, View};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::conn::{Query, decode};
use super::connect::{PLANNING, Target};
use super::failure::Failure;
use super::job::{Fetch, Job};
use super::lane::{Lane, Order};
use super::limits::{CLOSED, QUEUE, in_time};
use super::load::Subject;
use super::long::Long;
use super::options::PostgresOptions;
use super::pool::Pool;
use super::readers::{self, Asked};
use super::{demands, migrate, notices, replication};
use crate::counters::Counters;
use crate::error::{Error, OpenError};
use crate::ids::Ids;
use crate::query::{LISTS, Stats};
use crate::rows::Decode;
use crate::schema::sql as shared;
use crate::user_state::SeenUser;
use crate::world::Looked;

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    lanes: Vec<mpsc::Sender<Order>>,
    /// The lane of budgets, which many users and nodes want at once: none of the others ever waits for one.
    budgets: mpsc::Sender<Order>,
    asking: Mutex<Option<mpsc::Sender<Asked>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    listener: JoinHandle<()>,
    pub(super) pool: Pool,
    /// Reads lists for callers.
    pub(super) lists: Long,
    pub(super) ids: Ids,
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
        migrate::marks(&client).await?.refuse()?;
        migrate::run(&client, &options.rewriting).await?;
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

    pub(crate) async fn view(&self, user: UserId) -> Result<View, Error> {
        Ok(self.user(user).await?.view)
    }

    /// A user as committed at some recent moment.
    pub(super) async fn user(&self, user: UserId) -> Result<SeenUser, Error> {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(CLOSED)?;
        let (waiting, answer) = oneshot::channel();
        in_time(async {
            asking.send(Asked { user, waiting }).await.map_err(|_| CLOSED)?;
            Ok(answer.await.unwrap_or(Err(CLOSED))?)
        })
        .await
    }

    /// All rows of one statement, run by itself. Asked once more where a connection turns out to be dead, so it must
    /// be one that may run twice.
    pub(super) async fn all<T>(&self, query: Query, row: Decode<T>) -> Result<Vec<T>, Error> {
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

    pub(super) async fn first<T>(&self, query: Query, row: Decode<T>) -> Result<Option<T>, Error> {
        let mut found = self.all(query, row).await?;
        Ok(if found.is_empty() { None } else { Some(found.swap_remove(0)) })
    }

    pub(super) async fn one<T>(&self, query: Query, row: Decode<T>) -> Result<T, Error> {
        self.first(query, row).await?.ok_or(Error::Corrupt("an answer without a row"))
    }

    /// Runs a statement whose rows are ignored.
    pub(super) async fn write(&self, query: Query) -> Result<(), Error> {
        self.all(query, |_| Ok(())).await.map(|_| ())
    }

    pub(crate) async fn ready(&self) -> bool {
        self.lanes.iter().chain([&self.budgets]).all(|lane| !lane.is_closed())
            && self.all(Query::new(shared::MARKS, []), |_| Ok(())).await.is_ok_and(|marks| marks.is_empty())
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
