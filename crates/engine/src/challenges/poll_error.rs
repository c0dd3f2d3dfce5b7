//! Why a held poll was not answered.

use crate::Fault;

/// Why a poll was not answered.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The caller's token was revoked or has run out while the call was held, or its address may not call any more.
    #[error("the token is no longer live")]
    Revoked,
    #[error(transparent)]
    Fault(#[from] Fault),
}
