//! The SQLite end of [`crate::transfer`].

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, params, params_from_iter};

use super::open;
use crate::schema::sql;
use crate::transfer::mark::{self, TransferMark, TransferMarks};
use crate::transfer::{PIECE, TABLES, Table, TransferError};
use crate::upgrade::Rewriting;
use crate::value::Value;
use crate::world::{Known, MARK, World};

/// A database that no other process has open.
pub(crate) struct SqliteEnd {
    conn: Connection,
    /// Locked for as long as it is open.
    _lock: File,
}

impl SqliteEnd {
    pub(crate) fn source(dir: &Path) -> Result<Self, TransferError> {
        if !dir.join("countersign.db").exists() {
            return Err(TransferError::Missing);
        }
        let files = open::take(dir)?;
        let looked = open::look(dir, false)?;
        if !looked.is_sealed() {
            return Err(TransferError::Missing);
        }
        if !looked.pending.is_empty() {
            return Err(TransferError::Outdated);
        }
        // It writes in the end; and SQLite's own lock keeps others out who know nothing of ours.
        let conn = open::claimed(&files.database)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self { conn, _lock: files.lock })
    }

    pub(crate) fn target(dir: &Path) -> Result<Self, TransferError> {
        let files = open::take(dir)?;
        let mut conn = open::claimed(&files.database)?;
        open::migrate(&mut conn, &files.database, &Rewriting::NONE)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self { conn, _lock: files.lock })
    }

    pub(crate) fn known(&self) -> Result<Known, TransferError> {
        Ok(open::known(&self.conn, false)?.0)
    }

    pub(crate) fn mark(&self, world: World) -> Result<(), TransferError> {
        self.conn.execute(sql::SET_META_IF_ABSENT, (MARK, world.name().as_bytes()))?;
        Ok(())
    }

    pub(crate) fn count(&self, table: &Table) -> Result<u64, TransferError> {
        let rows: i64 = self.conn.query_row(&table.count(), [], |row| row.get(0))?;
        Ok(rows.unsigned_abs())
    }

    pub(crate) fn piece(&self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>, TransferError> {
        let mut statement = self.conn.prepare_cached(&table.select(after.is_some(), "", PIECE))?;
        let mut rows = statement.query(params_from_iter(after.unwrap_or_default()))?;
        let mut piece = Vec::new();
        while let Some(row) = rows.next()? {
            piece.push(table.values(row)?);
        }
        Ok(piece)
    }

    pub(crate) fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), TransferError> {
        let places: Vec<String> = (1..=table.columns.len()).map(|number| format!("${number}")).collect();
        let statement =
            format!("INSERT INTO {} ({}) VALUES ({})", table.quoted(), table.column_list(), places.join(", "));
        let mut statement = self.conn.prepare_cached(&statement)?;
        for row in rows {
            statement.execute(params_from_iter(row))?;
        }
        Ok(())
    }

    pub(crate) fn marks(&self) -> Result<TransferMarks, TransferError> {
        Ok(open::marks(&self.conn)?)
    }

    pub(crate) fn discard(&self) -> Result<(), TransferError> {
        for table in TABLES.iter().rev() {
            self.conn.execute(&format!("DELETE FROM {}", table.quoted()), [])?;
        }
        Ok(())
    }

    pub(crate) fn arrive(&self, mark: &TransferMark) -> Result<(), TransferError> {
        self.conn.execute(sql::SET_META, params![mark::ARRIVING, mark.stored()])?;
        Ok(self.conn.execute_batch("COMMIT")?)
    }

    pub(crate) fn depart(self, mark: &TransferMark) -> Result<(), TransferError> {
        self.conn.execute(sql::SET_META, params![mark::DEPARTED, mark.stored()])?;
        self.conn.execute_batch("COMMIT")?;
        self.fold()
    }

    pub(crate) fn open_up(self) -> Result<(), TransferError> {
        self.conn.execute(sql::DELETE_META, [mark::ARRIVING])?;
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("COMMIT")?;
        }
        self.fold()
    }

    /// So that the file alone is the database.
    fn fold(&self) -> Result<(), TransferError> {
        Ok(self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}
