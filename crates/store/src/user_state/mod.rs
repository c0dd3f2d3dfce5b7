//! All that decisions see of a user, in the user's one row.
//!
//! The row has columns for what lists search by, and one column of bytes for the rest: devices with their sealed
//! credentials and counters, open verifications, results that may still be read, sessions, and what limits remember. A
//! decision therefore reads one row, and writes that row and one entry of the audit trail. It is read with
//! [`UserState::decode`], changed in memory while the decision's changes are applied ([`changes`], [`devices`]), and written once
//! ([`UserState::writes`]).
//!
//! What is asked across users is derived from the state whenever it is written, and by nothing else: the keys by which
//! something is found ([`found_by`]), and the columns `ends_at` and `factors` (`state.rs`). So they cannot disagree with it.

use domain::UserId;

use crate::error::Error;

mod bytes;
mod changes;
mod devices;
mod found_by;
mod pack;
mod pack_session;
mod parts;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use self::changes::Tidied;
pub(crate) use self::found_by::Found;
pub use self::parts::KnownVerification;
pub(crate) use self::state::{Columns, SeenUser, UserState, used_of};

/// Logs that a user's row cannot be read. Whatever concerns other users too goes on without it.
pub(crate) fn log_damage(user: UserId, error: Error) {
    tracing::error!(user = user.0, %error, "a user's row is damaged; restore the database from a backup");
}

/// Logs that a secret is refused since another user who has it cannot be read.
pub(crate) fn log_unreadable_holder(user: UserId) {
    tracing::error!(user = user.0, "a secret is refused: this user has it too, and cannot be read");
}
