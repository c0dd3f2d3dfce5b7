//! The life of one verification: open, answer, expire.
//!
//! Every function here is handed a fresh [`View`](crate::model::change::View) under the user's lock, so that a proof counts
//! once, a failure is never forgotten, and a refusal is the answer whenever something is in doubt.

pub mod answer;
pub mod end;
pub mod find;
pub mod judge;
pub mod open;
pub mod outcome;
mod spend;
