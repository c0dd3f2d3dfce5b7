//! What is read for callers. Nothing of it is locked, and no decision relies on it.

use domain::VerificationId;
use domain::{Budget, Client, ClientId, ClientView, Digest, KeyedHash, Spent, TokenSet, UserId};

use super::conn::{BEGIN_SNAPSHOT, Query, decode, decode_first};
use super::database::Postgres;
use super::limits::in_time;
use super::{load, sql};
use crate::error::Error;
use crate::query::{AuditChain, AuditRow, COUNTED, Page, Reading, Sizes, UserFilter, UserPage, Waiting};
use crate::rows::Decode;
use crate::schema::sql as shared;
use crate::user_state::KnownVerification;
use crate::value::Value;
use crate::{budgets, conditions, rows, trail};

impl Postgres {
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

    pub(crate) async fn token(&self, access: Digest) -> Result<Option<(TokenSet, Client)>, Error> {
        let token = self.first(Query::new(shared::TOKEN, [access.into()]), rows::token_set).await?;
        let Some(set) = token else { return Ok(None) };
        // Read later, and so never older than its token.
        let client = self.first(Query::new(shared::CLIENT, [set.client_id.0.into()]), rows::client).await?;
        Ok(client.map(|client| (set, client)))
    }

    pub(crate) async fn users(&self, filter: &UserFilter, page: Page) -> Result<UserPage, Error> {
        let statements = conditions::users_page(filter, page, &sql::WORDS);
        let answers = in_time(self.lists.read(statements.into())).await?;
        let [count, users] = answers.as_slice() else { return Err(Error::Corrupt("an answer is missing")) };
        let total = decode_first(count, rows::number)?.unwrap_or(0);
        Ok(UserPage { users: decode(users, rows::user)?, total: total.unsigned_abs() })
    }

    pub(crate) async fn attribute_names(&self, users: u32) -> Result<Vec<String>, Error> {
        let asked = (sql::ATTRIBUTE_NAMES.to_owned(), vec![Value::Int(users.into())]);
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

    pub(crate) async fn known_verifications(&self, user: UserId) -> Result<Vec<KnownVerification>, Error> {
        Ok(self.user(user).await?.known())
    }

    pub(crate) async fn pairing(&self, hash: KeyedHash) -> Result<Option<(UserId, VerificationId)>, Error> {
        self.first(Query::new(shared::PAIRING, [hash.into()]), rows::pairing).await
    }

    pub(crate) async fn link(&self, token: Digest) -> Result<Option<(UserId, VerificationId)>, Error> {
        self.first(Query::new(shared::LINK, [token.into()]), rows::pairing).await
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

    pub(crate) async fn waiting(&self) -> Result<Waiting, Error> {
        Ok(self.first(Query::new(shared::WAITING_MESSAGES, []), rows::waiting).await?.unwrap_or_default())
    }

    pub(crate) async fn sizes(&self) -> Result<Sizes, Error> {
        let sizes = self.one(Query::new(shared::SIZES, [COUNTED.cast_signed().into()]), rows::sizes).await?;
        let bytes = self.one(Query::new(sql::BYTES, []), rows::number).await?.unsigned_abs();
        Ok(Sizes { bytes, ..sizes })
    }
}

fn trail_of(chain: AuditChain) -> Query {
    let (kind, id) = chain.numbers();
    Query::new(shared::AUDIT_TRAIL, [kind.into(), id.into()])
}
