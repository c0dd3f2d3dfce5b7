//! The database as the rest of the store sees it: the writer, which decides, and the readers beside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use domain::{Budget, BudgetView, ClientId, ClientView, Decision, Digest, UserId, View};
use tokio::time::timeout;

use super::alarm::Alarm;
use super::checkpointer::Checkpointer;
use super::exec::{Failure, one};
use super::job::{Task, Tx};
use super::limits::{CLOSED, DEADLINE, LATE, OWN_TIME};
use super::long::Long;
use super::options::SqliteOptions;
use super::orders::{self, Orders};
use super::readers::Readers;
use super::writer::Writer;
use super::{load, open, sql};
use crate::counters::Counters;
use crate::error::{Error, OpenError};
use crate::ids::Ids;
use crate::query::{LIST_TIME, LISTS, Stats};
use crate::schema::sql as shared;
use crate::value::Value;
use crate::world::Looked;
use crate::{budgets, rows};

/// An open SQLite database.
pub(crate) struct Sqlite {
    pub(super) orders: Orders,
    writer: Mutex<Option<JoinHandle<()>>>,
    pub(super) readers: Arc<Readers>,
    /// Reads lists for callers.
    pub(super) lists: Arc<Long>,
    /// Reads what is long for the server itself.
    pub(super) own: Arc<Long>,
    pub(super) ids: Ids,
    counters: Arc<Counters>,
    /// The log beside the database.
    pub(super) log: PathBuf,
}

impl Sqlite {
    pub(crate) fn open(dir: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let alarm = Alarm::new(dir, options.fatal);
        let files = open::take(dir)?;
        let conn = open::writer(&files.database, options.max_page_count, &options.rewriting)?;
        let counters = Arc::<Counters>::default();
        let checkpointer = Checkpointer::start(open::checkpointer(&files.database)?, alarm.clone())?;
        let writer = Writer::new(conn, checkpointer, files.lock, counters.clone(), alarm.clone())?;
        let list_time = options.list_time.unwrap_or(LIST_TIME);
        let lists = Long::start("store-list", LISTS, list_time, &files.database, &alarm)?;
        let own = Long::start("store-own", 1, OWN_TIME, &files.database, &alarm)?;
        let (orders, inbox) = orders::queue();
        let log = open::log_of(&files.database);
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run(inbox))?;
        Ok(Self {
            orders,
            writer: Mutex::new(Some(thread)),
            readers: Arc::new(Readers::new(files.database, alarm)),
            lists: Arc::new(lists),
            own: Arc::new(own),
            ids: Ids::default(),
            counters,
            log,
        })
    }

    /// What is in `dir`, found without opening it for writing.
    pub(crate) fn look(dir: &Path, traces: bool) -> Result<Looked, OpenError> {
        open::look(dir, traces)
    }

    // ---- decisions

    pub(crate) async fn decide<T, F>(&self, user: UserId, f: F) -> Result<T, Error>
    where
        F: Fn(&View) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write(move |tx| {
            let state = load::user(tx.conn, user)?;
            let Decision { changes, reply, .. } = f(&state.view);
            tx.apply_to_user(user, state, changes)?;
            Ok(reply)
        })
        .await
    }

    pub(crate) async fn decide_client<T, F>(&self, client: ClientId, asked: Option<Digest>, f: F) -> Result<T, Error>
    where
        F: Fn(&ClientView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write(move |tx| {
            let view = load::client_view(tx.conn, client, asked)?;
            let Decision { changes, reply, .. } = f(&view);
            tx.apply(changes)?;
            Ok(reply)
        })
        .await
    }

    pub(crate) async fn decide_budget<T, F>(&self, budget: Budget, f: F) -> Result<T, Error>
    where
        F: Fn(&BudgetView) -> Decision<T> + Send + 'static,
        T: Send + 'static,
    {
        let (kind, subject) = budget.stored();
        let key = [Value::Int(kind), Value::Blob(subject)];
        self.write(move |tx| {
            let view = one(tx.conn, sql::BUDGET, &key, budgets::view)?;
            let Decision { changes, reply, .. } = f(&view);
            tx.apply(changes)?;
            Ok(reply)
        })
        .await
    }

    /// Runs `work` in the writer's next transaction and waits until that is durable or too late. Once this gives up, work
    /// not begun is not done, and what is being done has an unknown outcome (SEC 80).
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnMut(&mut Tx<'_, '_>) -> Result<T, Failure> + Send + 'static,
    {
        let (task, answer) = Task::new(work);
        let written = async {
            self.orders.submit(Box::new(task)).await?;
            answer.await.unwrap_or(Err(CLOSED))
        };
        timeout(DEADLINE, written).await.unwrap_or(Err(LATE))
    }

    #[expect(clippy::unused_async, reason = "the same method as that of PostgreSQL, which waits for an answer")]
    pub(crate) async fn ready(&self) -> bool {
        !self.orders.is_closed()
            && self.readers.may_write(DEADLINE)
            && self.readers.read(|conn| one(conn, shared::ALIVE, &[], rows::number)).is_ok()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.read()
    }

    pub(crate) async fn close(&self) {
        self.orders.close();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer has raised the alarm by itself.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        let (lists, own) = (self.lists.clone(), self.own.clone());
        let _ = tokio::task::spawn_blocking(move || [lists, own].iter().for_each(|threads| threads.close())).await;
        self.readers.close();
    }
}
