//! The PostgreSQL end of [`crate::transfer`].

use std::pin::pin;

use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::connect::Target;
use super::{PostgresOptions, migrate};
use crate::error::OpenError;
use crate::sql;
use crate::transfer::{PIECE, Table, TransferError};
use crate::value::{Row as _, Value};
use crate::world::{Known, MARK, World};

/// Others of ours on this database. What is not told of other sessions, as some compatible databases do, is not there.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND application_name = (SELECT current_setting('application_name'))";
/// How often it is looked whether others have gone.
const LOOKS: u32 = 10;
/// Rows are numbered on behind those that came.
const NUMBER_VERIFICATIONS: &str = "SELECT setval(pg_get_serial_sequence('verification', 'row_id'), \
    (SELECT COALESCE(MAX(row_id), 0) + 1 FROM verification), false)";
/// The same for audit entries, whose ids are drawn from here.
const NUMBER_ENTRIES: &str = "INSERT INTO sequence (kind, next) SELECT 0, COALESCE(MAX(id), 0) + 1 FROM audit";

/// A database on which no server works.
pub(crate) struct PostgresEnd {
    client: Client,
}

impl PostgresEnd {
    pub(crate) async fn source(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        let end = Self::open(url, options).await?;
        let looked = migrate::look(&end.client).await?;
        if !looked.sealed {
            return Err(TransferError::Missing);
        }
        if !looked.pending.is_empty() {
            return Err(TransferError::Outdated);
        }
        end.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(end)
    }

    pub(crate) async fn target(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        let end = Self::open(url, options).await?;
        migrate::run(&end.client).await?;
        end.client.batch_execute("BEGIN").await?;
        Ok(end)
    }

    async fn open(url: &str, options: &PostgresOptions) -> Result<Self, TransferError> {
        let client = Target::new(url, options)?.client().await?;
        // A server that has just ended may still be listed for a moment.
        for _ in 0..LOOKS {
            let others: i64 = client.query_one(OTHERS, &[]).await?.try_get(0)?;
            if others == 0 {
                return Ok(Self { client });
            }
            client.batch_execute("SELECT pg_sleep(0.1)").await?;
        }
        Err(TransferError::Busy)
    }

    pub(crate) async fn known(&self) -> Result<Known, TransferError> {
        Ok(migrate::known(&self.client).await?.0)
    }

    pub(crate) async fn mark(&self, world: World) -> Result<(), TransferError> {
        self.client.execute(sql::SET_META_IF_ABSENT, &[&MARK, &world.name().as_bytes()]).await?;
        Ok(())
    }

    pub(crate) async fn count(&self, table: &Table) -> Result<u64, TransferError> {
        Ok(self.client.query_one(&table.count(), &[]).await?.int(0)?.unsigned_abs())
    }

    pub(crate) async fn piece(&self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>, TransferError> {
        let statement = table.select(after.is_some(), " COLLATE \"C\"", PIECE);
        let params: Vec<_> = after.unwrap_or_default().iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.client.query(&statement, &params).await?;
        rows.iter().map(|row| Ok(table.values(row)?)).collect()
    }

    pub(crate) async fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), TransferError> {
        if rows.is_empty() {
            return Ok(());
        }
        copy_in(&self.client, (&table.quoted(), &table.column_list()), rows).await?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), TransferError> {
        self.client.query_one(NUMBER_VERIFICATIONS, &[]).await?;
        self.client.execute(NUMBER_ENTRIES, &[]).await?;
        Ok(self.client.batch_execute("COMMIT").await.map_err(OpenError::from)?)
    }
}

/// Puts rows into a table, of these columns.
pub(super) async fn copy_in<R: AsRef<[Value]>>(
    client: &Client,
    (name, columns): (&str, &str),
    rows: impl IntoIterator<Item = R>,
) -> Result<(), tokio_postgres::Error> {
    let shape = client.prepare(&format!("SELECT {columns} FROM {name} LIMIT 0")).await?;
    let types: Vec<Type> = shape.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = client.copy_in(&format!("COPY {name} ({columns}) FROM STDIN BINARY")).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for row in rows {
        writer.as_mut().write_raw(row.as_ref()).await?;
    }
    writer.finish().await?;
    Ok(())
}
