//! What is read for callers. No decision relies on it.

use domain::{Budget, Client, ClientId, ClientView, Digest, KeyedHash, Spent, TokenSet, UserId};
use domain::{VerificationId, View};
use rusqlite::Connection;

use super::database::Sqlite;
use super::exec::{Failure, all, all_of, first, one, one_of};
use super::readers::in_snapshot;
use super::{load, sql};
use crate::error::Error;
use crate::query::{AuditChain, AuditRow, COUNTED, Page, Reading, Sizes, UserFilter, UserPage, Waiting};
use crate::schema::sql as shared;
use crate::user_state::KnownVerification;
use crate::value::Value;
use crate::{budgets, conditions, rows, trail};

#[expect(clippy::unused_async, reason = "the same methods as those of PostgreSQL, which wait for an answer")]
impl Sqlite {
    pub(crate) async fn view(&self, user: UserId) -> Result<View, Error> {
        self.readers.read(|conn| Ok(load::seen(conn, user)?.view))
    }

    pub(crate) async fn client_by_public_id(&self, client_id: &str) -> Result<Option<Client>, Error> {
        self.readers.read(|conn| first(conn, shared::CLIENT_BY_PUBLIC_ID, &[client_id.into()], rows::client))
    }

    pub(crate) async fn client_view(&self, client: ClientId, asked: Option<Digest>) -> Result<ClientView, Error> {
        self.readers.snapshot(|conn| load::client_view(conn, client, asked))
    }

    pub(crate) async fn clients(&self) -> Result<Vec<Client>, Error> {
        self.readers.read(|conn| all(conn, shared::CLIENTS, &[], rows::client))
    }

    pub(crate) async fn token(&self, access: Digest) -> Result<Option<(TokenSet, Client)>, Error> {
        self.readers.snapshot(|conn| {
            let Some(set) = first(conn, shared::TOKEN, &[access.into()], rows::token_set)? else { return Ok(None) };
            let client = first(conn, shared::CLIENT, &[set.client_id.0.into()], rows::client)?;
            Ok(client.map(|client| (set, client)))
        })
    }

    pub(crate) async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Error> {
        let [count, list] = conditions::users_page(filter, page, &sql::WORDS);
        let read = move |conn: &Connection| {
            let total = one_of(conn, &count.0, &count.1, rows::number)?;
            let users = all_of(conn, &list.0, &list.1, rows::user)?;
            Ok(UserPage { users, total: total.unsigned_abs() })
        };
        self.lists.read(move |conn| in_snapshot(conn, read)).await
    }

    pub(crate) async fn attribute_names(&self, users: u32) -> Result<Vec<String>, Error> {
        let params = [Value::Int(users.into())];
        self.lists.read(move |conn| all(conn, sql::ATTRIBUTE_NAMES, &params, rows::text)).await
    }

    #[cfg(test)]
    pub(crate) async fn plan(&self, statement: &str, params: Vec<Value>) -> Result<Vec<String>, Error> {
        let statement = format!("EXPLAIN QUERY PLAN {statement}");
        self.readers.read(|conn| all_of(conn, &statement, &params, |row| Ok(row.text(3)?.to_owned())))
    }

    pub(crate) async fn day_budgets(&self) -> Result<Vec<(Budget, Spent)>, Error> {
        self.readers.read(|conn| all(conn, shared::DAY_BUDGETS, &[], budgets::named))
    }

    pub(crate) async fn known_verifications(&self, user: UserId) -> Result<Vec<KnownVerification>, Error> {
        self.readers.read(|conn| Ok(load::seen(conn, user)?.known()))
    }

    pub(crate) async fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        self.readers.read(|conn| first(conn, shared::PAIRING, &[hash.into()], rows::pairing))
    }

    pub(crate) async fn link(&self, token: Digest) -> Result<Option<(UserId, VerificationId)>, Error> {
        self.readers.read(|conn| first(conn, shared::LINK, &[token.into()], rows::pairing))
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

    pub(crate) async fn event_bounds(&self) -> Result<Option<(i64, i64)>, Error> {
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
}

fn chain_params(chain: AuditChain) -> [Value; 2] {
    let (kind, id) = chain.numbers();
    [kind.into(), id.into()]
}

fn load_trail(conn: &Connection, chain: AuditChain) -> Result<Vec<AuditRow>, Failure> {
    all(conn, shared::AUDIT_TRAIL, &chain_params(chain), rows::audit)
}
