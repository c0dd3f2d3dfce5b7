//! The token endpoints: `/auth`. They take a client's own credentials, or the pair of tokens to renew (contract 2).
//!
//! Each checks in one order: content type, JSON, what is asked for, who asks, and only then the database. The secret is
//! checked before any limit: a right one counts in its client's rate like any call (SEC 37). A wrong one is counted twice,
//! per client by the engine and per address here, and only wrong ones have to wait (SEC 30).

mod error;
pub(crate) mod issue;
pub(crate) mod rate_limit;
mod request;
pub(crate) mod revoke;
