//! The schema: its versions, the columns of rows, and the statements.

pub(crate) mod columns;
pub(crate) mod migrations;
pub(crate) mod sql;
pub(crate) mod text;
