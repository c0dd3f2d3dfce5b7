//! Loads what decisions and look-ups see: many users at once, for the price of a few statements.

use std::collections::HashMap;

use domain::{Budget, BudgetView, ClientId, ClientView, Digest, SecretMac, Timestamp, UserId};
use tokio_postgres::Row as PgRow;

use super::batch::columns;
use super::conn::{BEGIN, BEGIN_SNAPSHOT, Conn, Query, decode, decode_first};
use super::failure::Failure;
use super::sql as own;
use super::value::Param;
use crate::error::Error;
use crate::query::AuditChain;
use crate::schema::columns::{HEAD_CHAIN, USER};
use crate::schema::sql;
use crate::trail::Head;
use crate::user_state::{SeenUser, UserState, log_unreadable_holder, used_of};
use crate::value::{Row, Value};
use crate::{budgets, rows};

/// What a decision is about, and what is locked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    User(UserId),
    /// With the access token that the decision is about.
    Client(ClientId, Option<Digest>),
    Budget(Budget),
}

impl Subject {
    /// The user it is.
    pub(super) fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Client(..) | Self::Budget(_) => None,
        }
    }

    /// What is locked for it: two subjects with the same one must follow each other.
    pub(super) fn locked(self) -> Self {
        match self {
            Self::Client(client, _) => Self::Client(client, None),
            other => other,
        }
    }

    /// The chain of the audit trail it nearly always writes to.
    pub(super) fn chain(self) -> AuditChain {
        match self {
            Self::User(user) => AuditChain::User(user),
            Self::Client(client, _) | Self::Budget(Budget::Client(client)) => AuditChain::Client(client),
            Self::Budget(_) => AuditChain::Server,
        }
    }
}

/// Fresh views of locked subjects.
#[derive(Default)]
pub(super) struct Fresh {
    /// Those that exist.
    pub(super) users: HashMap<UserId, UserState>,
    pub(super) clients: HashMap<ClientId, ClientView>,
    pub(super) budgets: HashMap<Budget, BudgetView>,
    /// Of all other chains, by the numbers of their chain.
    pub(super) heads: HashMap<(i64, i64), Head>,
}

/// Whether a load opens its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    Transaction,
    /// It is open, and the subjects are locked already.
    Again,
}

/// Opens a transaction, locks the subjects and loads them, in one round trip. Users are locked before clients and these
/// before budgets, and each in the order of their ids, so that no two transactions wait for each other.
pub(super) async fn lock(conn: &mut Conn, subjects: &[Subject], begin: Begin) -> Result<Fresh, Failure> {
    let (mut users, mut clients, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for subject in subjects {
        match *subject {
            Subject::User(user) => users.push(user),
            Subject::Client(client, asked) => clients.push((client, asked)),
            Subject::Budget(budget) => shared.push(budget),
        }
    }
    clients.sort_unstable_by_key(|(client, _)| client.0);
    let mut queries = Vec::new();
    if !users.is_empty() {
        queries.push(of_users(own::LOCK_USERS, &users));
    }
    for (client, asked) in &clients {
        queries.extend(of_client(own::LOCK_CLIENT, *client, *asked));
    }
    if !shared.is_empty() {
        queries.extend(of_budgets(&shared));
    }
    queries.push(heads_of(subjects.iter().map(|subject| subject.chain())));

    let answers = match begin {
        Begin::Transaction => conn.begin(BEGIN, &queries).await?,
        Begin::Again => conn.fetch(&queries).await?,
    };
    let mut answers = answers.into_iter();
    let mut fresh = Fresh::default();
    if !users.is_empty() {
        let found = next(&mut answers).iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
        for (user, state) in found {
            fresh.users.insert(user, state?);
        }
    }
    for (client, _) in clients {
        fresh.clients.insert(client, decode_client(&mut answers)?);
    }
    if !shared.is_empty() {
        // Made, which gives no rows; then locked.
        let (_made, locked) = (next(&mut answers), next(&mut answers));
        for row in &locked {
            fresh.budgets.insert(budgets::budget(row)?, budgets::view(row)?);
        }
        if shared.iter().any(|budget| !fresh.budgets.contains_key(budget)) {
            // What is not there is not locked.
            return Err(Failure::Again("a budget was swept meanwhile"));
        }
    }
    fresh.heads = decode_heads(&next(&mut answers))?;
    Ok(fresh)
}

/// The newest entries of these chains.
pub(super) async fn heads(
    conn: &mut Conn,
    chains: impl Iterator<Item = AuditChain>,
) -> Result<HashMap<(i64, i64), Head>, Failure> {
    let answers = conn.fetch(&[heads_of(chains)]).await?;
    Ok(decode_heads(&next(&mut answers.into_iter()))?)
}

/// What was ever used of these secrets, by devices that are gone and by those that have them now. Who has one is held as it
/// is until the new device is in: what is used meanwhile comes behind it.
pub(super) async fn recall(conn: &mut Conn, secrets: &[SecretMac]) -> Result<HashMap<SecretMac, i64>, Failure> {
    let macs: Vec<Value> = secrets.iter().map(|mac| Value::from(*mac)).collect();
    let asked = |statement| Query { statement, params: vec![Param::Many(macs.clone())] };
    // In this order: a device that goes meanwhile is seen either here or there.
    let answers = conn.fetch(&[asked(own::HOLD_HOLDERS), asked(own::RECALL_ALL_USED)]).await?;
    let mut answers = answers.into_iter();
    let mut recalled = HashMap::new();
    let mut used_up = |mac: SecretMac, used: i64| {
        let known = recalled.entry(mac).or_insert(used);
        *known = used.max(*known);
    };
    for row in &next(&mut answers) {
        let holder = UserId(row.int(USER.id)?);
        // What the holder has used must not be used again, so nothing can go on without it.
        let seen = SeenUser::decode(row).inspect_err(|_| log_unreadable_holder(holder))?;
        for mac in secrets {
            if let Some(used) = used_of(&seen.view.devices, *mac) {
                used_up(*mac, used);
            }
        }
    }
    for (mac, used) in decode(&next(&mut answers), rows::used_secret)? {
        used_up(mac, used);
    }
    Ok(recalled)
}

/// Users as of one moment, without locking anything. One whose row is damaged concerns no other.
pub(super) async fn users(
    conn: &mut Conn,
    users: &[UserId],
) -> Result<HashMap<UserId, Result<SeenUser, Error>>, Failure> {
    let found = conn.fetch(&[of_users(own::USERS_OF, users)]).await?.pop().unwrap_or_default();
    let seen = |row: &PgRow| Ok::<_, Error>((UserId(row.int(USER.id)?), SeenUser::decode(row)));
    Ok(found.iter().map(seen).collect::<Result<_, _>>()?)
}

/// Locks those of these users in whose state something is over by `now` and whom no other transaction has locked.
pub(super) async fn free_users(
    conn: &mut Conn,
    users: &[i64],
    now: Timestamp,
) -> Result<Vec<(UserId, Result<UserState, Error>)>, Failure> {
    let ids = Param::Many(users.iter().copied().map(Value::Int).collect());
    let asked = Query { statement: own::LOCK_FREE_USERS, params: vec![ids, Param::One(now.into())] };
    let found = conn.fetch(&[asked]).await?.pop().unwrap_or_default();
    Ok(found.iter().map(of_row).collect::<Result<_, _>>()?)
}

/// A client as of one moment, without locking anything.
pub(super) async fn client(conn: &mut Conn, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Failure> {
    let answers = conn.begin(BEGIN_SNAPSHOT, &of_client(sql::CLIENT, client, asked)).await?;
    conn.roll_back().await?;
    Ok(decode_client(&mut answers.into_iter())?)
}

/// The newest entry of a chain.
pub(super) fn head_of(chain: AuditChain) -> Query {
    let (kind, id) = chain.numbers();
    Query::new(sql::ANY_AUDIT_HEAD, [kind.into(), id.into()])
}

fn heads_of(chains: impl Iterator<Item = AuditChain>) -> Query {
    columns(own::AUDIT_HEADS_OF, chains.map(|chain| vec![chain.numbers().0.into(), chain.numbers().1.into()]))
}

fn decode_heads(rows: &[PgRow]) -> Result<HashMap<(i64, i64), Head>, Error> {
    let chain = |row: &PgRow| Ok::<_, Error>((row.int(HEAD_CHAIN.chain_kind)?, row.int(HEAD_CHAIN.chain_id)?));
    rows.iter().map(|row| Ok((chain(row)?, rows::head(row)?))).collect()
}

fn of_users(statement: &'static str, users: &[UserId]) -> Query {
    Query::any(statement, users.iter().map(|user| user.0))
}

/// A user's id, and the user unless the row is damaged.
fn of_row(row: &PgRow) -> Result<(UserId, Result<UserState, Error>), Error> {
    Ok((UserId(row.int(USER.id)?), UserState::decode(row)))
}

fn of_budgets(budgets: &[Budget]) -> [Query; 2] {
    [own::MAKE_BUDGETS, own::LOCK_BUDGETS].map(|statement| {
        let key = |budget: &Budget| {
            let (kind, subject) = budget.stored();
            vec![kind.into(), subject.into()]
        };
        columns(statement, budgets.iter().map(key))
    })
}

fn of_client(of_client: &'static str, client: ClientId, asked: Option<Digest>) -> [Query; 4] {
    // No token has an empty digest.
    let asked: Value = asked.map_or(Vec::new(), |digest| digest.0.to_vec()).into();
    [
        Query::new(of_client, [client.0.into()]),
        Query::new(sql::NEWEST_TOKEN, [client.0.into()]),
        Query::new(sql::TOKEN, [asked.clone()]),
        Query::new(sql::NEWEST_OF_FAMILY, [client.0.into(), asked]),
    ]
}

fn decode_client(answers: &mut impl Iterator<Item = Vec<PgRow>>) -> Result<ClientView, Error> {
    Ok(ClientView {
        client: decode_first(&next(answers), rows::client)?,
        newest: decode_first(&next(answers), rows::token_set)?,
        asked: decode_first(&next(answers), rows::token_set)?,
        newest_of_family: decode_first(&next(answers), rows::token_set)?,
    })
}

fn next(answers: &mut impl Iterator<Item = Vec<PgRow>>) -> Vec<PgRow> {
    answers.next().unwrap_or_default()
}
