//! The log-in flow: a password, a factor, and the session that they open (contract 5). One file per endpoint.

pub(crate) mod auth;
pub(crate) mod session;
pub(crate) mod verify_factor;
