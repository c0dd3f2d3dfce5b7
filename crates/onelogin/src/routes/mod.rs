//! Routing: the table of all paths and methods, the door that looks requests up in it, and the log of refusals.

pub(crate) mod door;
mod log;
pub(crate) mod table;
