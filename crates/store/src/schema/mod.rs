//! The schema: its versions, the columns that statements ask for, and the statements.

pub(crate) mod migrations;
pub(crate) mod sql;
