//! SQLite: one writer that commits in groups, and readers beside it.

mod alarm;
mod bulk;
mod checkpointer;
mod exec;
mod housekeeping;
mod job;
mod long;
mod open;
mod readers;
pub(crate) mod sql;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::{Budget, BudgetView, Change, Client, ClientId, ClientView, Decision, Device, Digest, KeyedHash, Purpose};
use domain::{Spent, TokenSet, UserId, Verification, VerificationId, View};
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub use alarm::Fatal;

use crate::counters::Counters;
use crate::error::{Error, OpenError};
use crate::hot_state::{UserCounters, user_with_counters};
use crate::ids::Ids;
use crate::query::{
    AuditChain, AuditRow, COUNTED, LIST_TIME, LISTS, Page, Reading, Sizes, Stats, UserFilter, UserPage, Waiting,
};
use crate::schema::columns::DEVICE;
use crate::schema::sql as shared;
use crate::sessions::LiveRow;
use crate::value::id;
use crate::value::{Row as _, Value};
use crate::world::Looked;
use crate::{budgets, conditions, rows, trail};
use alarm::Alarm;
use checkpointer::Checkpointer;
use exec::{Failure, Prepared, all, all_of, first, one, one_of};
use job::{Task, Tx};
use long::Long;
use readers::{Readers, in_snapshot};
use writer::{Order, Writer};

/// Jobs that may wait for the writer before senders wait as well.
const QUEUE: usize = 1024;
/// How long anybody waits for the disk (SEC 79, decision 37).
const DEADLINE: Duration = Duration::from_secs(5);
/// How long the server's own long readings may take: the audit trail of somebody with much of it, for example.
const OWN_TIME: Duration = Duration::from_secs(60);

/// How a SQLite database is opened. The defaults are right for serving, but for `fatal`.
#[derive(Clone, Default)]
pub struct SqliteOptions {
    /// Ends the process once the database can no longer be trusted. Without one, the process is aborted.
    pub fatal: Option<Fatal>,
    /// Most pages (of 2 KiB, in a new database) the file may have: a full disk, for tests.
    pub max_page_count: Option<u32>,
    /// How long a list may take; 2 s unless set.
    pub list_time: Option<Duration>,
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteOptions").field("max_page_count", &self.max_page_count).finish_non_exhaustive()
    }
}

/// An open SQLite database.
pub(crate) struct Sqlite {
    orders: mpsc::Sender<Order>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Arc<Readers>,
    /// Reads lists for callers.
    lists: Arc<Long>,
    /// Reads what is long for the server itself.
    own: Arc<Long>,
    ids: Ids,
    counters: Arc<Counters>,
    /// The log beside the database.
    log: PathBuf,
}

impl Sqlite {
    pub(crate) fn open(dir: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let alarm = Alarm::new(dir, options.fatal);
        let files = open::take(dir)?;
        let conn = open::writer(&files.database, options.max_page_count)?;
        let counters = Arc::<Counters>::default();
        let checkpointer = Checkpointer::start(open::checkpointer(&files.database)?, alarm.clone())?;
        let writer = Writer::new(conn, checkpointer, files.lock, counters.clone(), alarm.clone())?;
        let list_time = options.list_time.unwrap_or(LIST_TIME);
        let lists = Long::start("store-list", LISTS, list_time, &files.database, &alarm)?;
        let own = Long::start("store-own", 1, OWN_TIME, &files.database, &alarm)?;
        let (orders, waiting) = mpsc::channel(QUEUE);
        let log = open::log_of(&files.database);
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run(waiting))?;
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
            let (view, marks) = load_view(tx.conn, user)?;
            let Decision { changes, reply, .. } = f(&view);
            tx.apply_to_user(user, marks, changes)?;
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
            let view = load_client_view(tx.conn, client, asked)?;
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
    async fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnMut(&mut Tx<'_, '_>) -> Result<T, Failure> + Send + 'static,
    {
        let (task, answer) = Task::new(work);
        let written = async {
            self.orders.send(Order::Run(Box::new(task))).await.map_err(|_| CLOSED)?;
            answer.await.unwrap_or(Err(CLOSED))
        };
        timeout(DEADLINE, written).await.unwrap_or(Err(LATE))
    }

    // ---- queries

    pub(crate) fn view(&self, user: UserId) -> Result<View, Error> {
        self.readers.snapshot(|conn| Ok(load_view(conn, user)?.0))
    }

    pub(crate) fn devices(&self, user: UserId) -> Result<Option<Vec<Device>>, Error> {
        let rows = self
            .readers
            .read(|conn| all(conn, shared::DEVICES_OF, &[user.0.into()], |row| rows::opt_device(row, &DEVICE)))?;
        Ok((!rows.is_empty()).then(|| rows.into_iter().flatten().collect()))
    }

    pub(crate) fn client_by_public_id(&self, client_id: &str) -> Result<Option<Client>, Error> {
        self.readers.read(|conn| first(conn, shared::CLIENT_BY_PUBLIC_ID, &[client_id.into()], rows::client))
    }

    pub(crate) fn client_view(&self, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Error> {
        self.readers.snapshot(|conn| load_client_view(conn, client, asked))
    }

    pub(crate) fn clients(&self) -> Result<Vec<Client>, Error> {
        self.readers.read(|conn| all(conn, shared::CLIENTS, &[], rows::client))
    }

    pub(crate) fn token(&self, access: &Digest) -> Result<Option<(TokenSet, Client)>, Error> {
        self.readers.snapshot(|conn| {
            let Some(set) = first(conn, shared::TOKEN, &[(*access).into()], rows::token_set)? else { return Ok(None) };
            let client = first(conn, shared::CLIENT, &[set.client_id.0.into()], rows::client)?;
            Ok(client.map(|client| (set, client)))
        })
    }

    pub(crate) async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Error> {
        let (conditions, mut params) = conditions::of_users(filter, &sql::WORDS);
        let count = format!("{}{conditions}", shared::COUNT_USERS);
        let (limit, offset) = (params.len() + 1, params.len() + 2);
        let list = format!("{}{conditions} ORDER BY id LIMIT ${limit} OFFSET ${offset}", shared::USERS);
        let read = move |conn: &Connection| {
            let total = one_of(conn, &count, &params, rows::number)?;
            params.push(Value::Int(page.limit.into()));
            params.push(Value::Int(i64::try_from(page.offset).unwrap_or(i64::MAX)));
            let users = all_of(conn, &list, &params, rows::user)?;
            Ok(UserPage { users, total: total.unsigned_abs() })
        };
        self.lists.read(move |conn| in_snapshot(conn, read)).await
    }

    pub(crate) async fn attribute_names(&self, users: i64) -> Result<Vec<String>, Error> {
        let params = [Value::Int(users)];
        self.lists.read(move |conn| all(conn, sql::ATTRIBUTE_NAMES, &params, rows::text)).await
    }

    #[cfg(test)]
    pub(crate) fn plan(&self, statement: &str, params: &[Value]) -> Result<Vec<String>, Error> {
        let statement = format!("EXPLAIN QUERY PLAN {statement}");
        self.readers.read(|conn| all_of(conn, &statement, params, |row| Ok(row.text(3)?.to_owned())))
    }

    pub(crate) fn day_budgets(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        self.readers.read(|conn| all(conn, shared::DAY_BUDGETS, &[], budgets::named))
    }

    pub(crate) fn verification_by_wire_id(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
    ) -> Result<Option<Verification>, Error> {
        let params = [user.0.into(), wire_id.into(), purpose.number().into()];
        self.readers.read(|conn| first(conn, shared::VERIFICATION_BY_WIRE_ID, &params, rows::verification))
    }

    pub(crate) fn verification_by_id(&self, verification: VerificationId) -> Result<Option<Verification>, Error> {
        self.readers
            .read(|conn| first(conn, shared::VERIFICATION_BY_ID, &[id(verification).into()], rows::verification))
    }

    pub(crate) fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        self.readers.read(|conn| first(conn, shared::PAIRING, &[hash.into()], rows::pairing))
    }

    pub(crate) async fn audit(&self, chain: AuditChain) -> Result<Vec<AuditRow>, Error> {
        self.own.read(move |conn| load_trail(conn, chain)).await
    }

    /// The entries that a whole statement asks for.
    pub(crate) async fn events(
        &self,
        statement: String,
        params: Vec<Value>,
        reading: Reading,
    ) -> Result<Vec<(i64, AuditRow)>, Error> {
        let threads = match reading {
            Reading::Asked => &self.lists,
            Reading::Own => &self.own,
        };
        threads.read(move |conn| all_of(conn, &statement, &params, rows::event)).await
    }

    pub(crate) fn event_bounds(&self) -> Result<Option<(i64, i64)>, Error> {
        self.readers.snapshot(|conn| {
            let first = one(conn, shared::FIRST_AUDIT_ID, &[], rows::opt_number)?;
            Ok(first.zip(one(conn, shared::LAST_AUDIT_ID, &[], rows::opt_number)?))
        })
    }

    pub(crate) async fn verify_audit_chain(&self, chain: AuditChain) -> Result<bool, Error> {
        let read = move |conn: &Connection| {
            let head = first(conn, shared::ANY_AUDIT_HEAD, &chain_params(chain), rows::head)?;
            Ok(trail::is_whole(&load_trail(conn, chain)?, head.as_ref()))
        };
        self.own.read(move |conn| in_snapshot(conn, read)).await
    }

    // ---- the store itself

    pub(crate) fn ready(&self) -> bool {
        !self.orders.is_closed()
            && self.readers.may_write(DEADLINE)
            && self.readers.read(|conn| one(conn, shared::ALIVE, &[], rows::number)).is_ok()
    }

    pub(crate) async fn waiting(&self) -> Result<Waiting, Error> {
        self.own.read(|conn| one(conn, shared::WAITING_MESSAGES, &[], rows::waiting)).await
    }

    pub(crate) async fn sizes(&self) -> Result<Sizes, Error> {
        let log = self.log.clone();
        let read = move |conn: &Connection| {
            let most = Value::Int(COUNTED.cast_signed());
            let sizes = one(conn, shared::SIZES, std::slice::from_ref(&most), rows::sizes)?;
            let bytes = one(conn, sql::PAGES, &[], rows::number)?.unsigned_abs();
            // Nothing is decided by it, so a log that cannot be looked at is as good as none.
            let log_bytes = std::fs::metadata(&log).map_or(0, |log| log.len());
            Ok(Sizes { bytes, log_bytes, ..sizes })
        };
        self.own.read(read).await
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.read()
    }

    pub(crate) async fn close(&self) {
        // If it is gone already, there is no receiver.
        let _ = self.orders.send(Order::Close).await;
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

const CLOSED: Error = Error::Unavailable("closed");
const LATE: Error = Error::Unavailable("the disk does not answer");

fn load_view(conn: &impl Prepared, user: UserId) -> Result<(View, UserCounters), Failure> {
    let key = [Value::Int(user.0)];
    let found = conn.lend(sql::VIEW, |prepared| {
        let mut rows = prepared.query([user.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (user, marks) = user_with_counters(row)?;
        let is_asked = row.int(sql::VIEW_IS_ASKED)? != 0;
        let mut view = View { user: Some(user), ..View::default() };
        view.devices.extend(rows::opt_device(row, &sql::VIEW_DEVICE)?);
        while let Some(row) = rows.next()? {
            view.devices.extend(rows::opt_device(row, &sql::VIEW_DEVICE)?);
        }
        Ok(Some((view, marks, is_asked)))
    })?;
    let Some((mut view, mut marks, is_asked)) = found else { return Ok(Default::default()) };
    // Most answers are to no challenge: a code that the device makes by itself.
    if is_asked {
        for row in all(conn, shared::LIVE_VERIFICATIONS, &key, LiveRow::decode)? {
            row.show(&mut view);
        }
    }
    marks.show(&mut view);
    Ok((view, marks))
}

fn load_client_view(conn: &impl Prepared, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Failure> {
    let key = [Value::Int(client.0)];
    Ok(ClientView {
        client: first(conn, shared::CLIENT, &key, rows::client)?,
        newest: first(conn, shared::NEWEST_TOKEN, &key, rows::token_set)?,
        asked: match asked {
            Some(access) => first(conn, shared::TOKEN, &[access.into()], rows::token_set)?,
            None => None,
        },
        newest_of_family: match asked {
            Some(access) => first(conn, shared::NEWEST_OF_FAMILY, &[client.0.into(), access.into()], rows::token_set)?,
            None => None,
        },
    })
}

fn chain_params(chain: AuditChain) -> [Value; 2] {
    let (kind, id) = chain.numbers();
    [kind.into(), id.into()]
}

fn load_trail(conn: &Connection, chain: AuditChain) -> Result<Vec<AuditRow>, Failure> {
    all(conn, shared::AUDIT_TRAIL, &chain_params(chain), rows::audit)
}
