//! What is counted and written down now and then.

mod chores;
pub(crate) mod folded;
pub(crate) mod sizes;
