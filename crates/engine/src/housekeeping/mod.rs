//! What is counted and written down now and then.

pub(crate) mod folded;
pub(crate) mod sizes;
