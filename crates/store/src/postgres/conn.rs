//! One connection, its prepared statements, and how many of them travel at once.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Row, Statement};

use super::failure::Failure;
use super::replication::Warnings;
use super::sql as own;
use super::value::Param;
use crate::error::Error;
use crate::rows::Decode;
use crate::schema::sql;
use crate::value::{Value, Write};

/// What decisions run in. The row locks make it strict enough, and a server's own default must not make it stricter:
/// a view loaded before the lock was granted would be stale.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// For reads whose statements must agree with each other.
pub(super) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A statement with its parameters.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) statement: &'static str,
    pub(super) params: Vec<Param>,
}

impl Query {
    pub(super) fn new(statement: &'static str, params: impl IntoIterator<Item = Value>) -> Self {
        Self { statement, params: params.into_iter().map(Param::One).collect() }
    }

    /// A statement whose only parameter is a list.
    pub(super) fn any(statement: &'static str, list: impl IntoIterator<Item = i64>) -> Self {
        Self { statement, params: vec![Param::Many(list.into_iter().map(Value::Int).collect())] }
    }
}

/// What a shared statement is called here, where it cannot be said alike in both databases.
pub(super) fn in_own_words(statement: &'static str) -> &'static str {
    match statement {
        sql::FORGET_VISITS => own::FORGET_VISITS,
        shared => shared,
    }
}

impl From<Write> for Query {
    fn from(write: Write) -> Self {
        Self::new(in_own_words(write.statement), write.params)
    }
}

/// A connection. Statements are prepared when first needed and kept.
pub(super) struct Conn {
    client: Client,
    warnings: Warnings,
    statements: HashMap<&'static str, Statement>,
    in_transaction: bool,
}

type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, tokio_postgres::Error>> + Send + 'a>>;

impl Conn {
    pub(super) fn new(client: Client, warnings: Warnings) -> Self {
        Self { client, warnings, statements: HashMap::new(), in_transaction: false }
    }

    /// Whether it can be used for something new.
    pub(super) fn is_idle(&self) -> bool {
        !self.in_transaction && !self.client.is_closed()
    }

    /// What a statement of this connection can be cancelled with, from another one.
    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// Has it closed rather than used again: a cancellation may still be on its way.
    pub(super) fn spoil(&mut self) {
        self.in_transaction = true;
    }

    /// Opens a snapshot in which each statement may take `time`, for statements that were put together.
    pub(super) async fn begin_list(&mut self, time: Duration) -> Result<(), Failure> {
        self.in_transaction = true;
        self.command(&format!("{BEGIN_SNAPSHOT}; SET LOCAL statement_timeout = {}", time.as_millis())).await
    }

    /// Runs commands without parameters.
    pub(super) async fn command(&self, text: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(text).await?)
    }

    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        let warned = self.warnings.count();
        self.client.batch_execute("COMMIT").await.map_err(|error| Failure::of_commit(&error))?;
        if self.warnings.count() != warned {
            // It is kept here, and perhaps on no standby: a fail-over may lose it (SEC 80).
            return Err(Failure::Unknown);
        }
        self.in_transaction = false;
        Ok(())
    }

    pub(super) async fn roll_back(&mut self) -> Result<(), Failure> {
        self.command("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Opens a transaction and reads, all in one round trip.
    pub(super) async fn begin(&mut self, begin: &'static str, queries: &[Query]) -> Result<Vec<Vec<Row>>, Failure> {
        let statements = self.prepare(queries).await?;
        self.in_transaction = true;
        let client = &self.client;
        let mut running: Vec<Running<'_, Vec<Row>>> = Vec::with_capacity(queries.len() + 1);
        running.push(Box::pin(async move { client.batch_execute(begin).await.map(|()| Vec::new()) }));
        running.extend(queries.iter().zip(statements).map(|(query, statement)| fetch(client, statement, query)));
        let mut answers = pipeline(running).await?;
        answers.remove(0);
        Ok(answers)
    }

    /// Runs several statements in one round trip. Gives the rows of each.
    pub(super) async fn fetch(&mut self, queries: &[Query]) -> Result<Vec<Vec<Row>>, Failure> {
        let statements = self.prepare(queries).await?;
        let client = &self.client;
        let pairs = queries.iter().zip(statements);
        Ok(pipeline(pairs.map(|(query, statement)| fetch(client, statement, query)).collect()).await?)
    }

    /// Runs several statements in one round trip. Gives the number of rows each changed.
    pub(super) async fn execute(&mut self, queries: &[Query]) -> Result<Vec<u64>, Failure> {
        let statements = self.prepare(queries).await?;
        let client = &self.client;
        let mut running: Vec<Running<'_, u64>> = Vec::with_capacity(queries.len());
        for (query, statement) in queries.iter().zip(statements) {
            running.push(Box::pin(async move { client.execute_raw(&statement, query.params.iter()).await }));
        }
        Ok(pipeline(running).await?)
    }

    /// The rows of one statement that was put together for the occasion.
    pub(super) async fn fetch_text(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        let params: Vec<_> = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        Ok(self.client.query(text, &params).await?)
    }

    /// The prepared forms of these statements. All that are new are prepared in one round trip.
    async fn prepare(&mut self, queries: &[Query]) -> Result<Vec<Statement>, Failure> {
        let mut new: Vec<&'static str> = queries.iter().map(|query| query.statement).collect();
        new.retain(|text| !self.statements.contains_key(text));
        new.sort_unstable();
        new.dedup();
        if !new.is_empty() {
            let client = &self.client;
            let preparing = new.iter().map(|text| -> Running<'_, Statement> { Box::pin(client.prepare(text)) });
            let prepared = pipeline(preparing.collect()).await?;
            self.statements.extend(new.into_iter().zip(prepared));
        }
        let find = |query: &Query| self.statements.get(query.statement).cloned();
        Ok(queries.iter().map(find).collect::<Option<_>>().ok_or(Error::Corrupt("a statement was not prepared"))?)
    }
}

fn fetch<'a>(client: &'a Client, statement: Statement, query: &'a Query) -> Running<'a, Vec<Row>> {
    Box::pin(async move {
        let params: Vec<_> = query.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
        client.query(&statement, &params).await
    })
}

/// Decodes all rows of an answer.
pub(super) fn decode<T>(rows: &[Row], decode: Decode<T>) -> Result<Vec<T>, Error> {
    rows.iter().map(|row| decode(row)).collect()
}

/// Decodes the first row of an answer, if there is one.
pub(super) fn decode_first<T>(rows: &[Row], decode: Decode<T>) -> Result<Option<T>, Error> {
    rows.first().map(|row| decode(row)).transpose()
}

/// Waits for all. Each is sent when first polled, so all are under way, in order, before the first answer is awaited.
/// The first failure is the cause of those that follow it.
async fn pipeline<T>(mut running: Vec<Running<'_, T>>) -> Result<Vec<T>, tokio_postgres::Error> {
    let mut answers: Vec<Option<Result<T, tokio_postgres::Error>>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (one, answer) in running.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match one.as_mut().poll(context) {
                    Poll::Ready(result) => *answer = Some(result),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    answers.into_iter().flatten().collect()
}
