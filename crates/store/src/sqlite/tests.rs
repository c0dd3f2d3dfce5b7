//! The contract on SQLite, and what only SQLite does.

mod durability;
mod groups;

use crate::contract::world::*;
use crate::sqlite::{Sqlite, SqliteOptions};
use crate::{Backend, Store};

fn make() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap(), dir)
}

async fn fresh_store() -> Option<(Store, tempfile::TempDir)> {
    Some(make())
}

crate::contract::contract!(fresh_store);

fn sqlite(store: &Store) -> &Sqlite {
    let Backend::Sqlite(db) = &store.backend else { panic!("another database") };
    db
}
