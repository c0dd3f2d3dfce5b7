//! Carries an installation from one database to another (`countersign move`): table by table, in bounded pieces, inside
//! one transaction of the target, which is read back and compared before it commits. It is all there, or nothing is.
//!
//! Values travel as they lie: what is sealed stays sealed, and the master key has no part in it.
//!
//! Both ends are held for the whole of it, by locks that every decision meets, whatever else is connected and whatever
//! that calls itself; and the source is closed before the target opens (see `mark.rs`), so that no code counts at both.

mod carry;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod mark;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

pub use carry::{Carried, End, TransferRoute, carry};
pub use error::TransferError;
pub(crate) use tables::{PIECE, TABLES, Table};
