//! Logging in: a password, a factor where one is needed, and what is granted for both (contract 5, 8).

pub(crate) mod enter;
pub(crate) mod foreign_password;
mod hash_queue;
pub(crate) mod password;
pub(crate) mod password_fault;
pub(crate) mod risk;
pub(crate) mod session;
pub(crate) mod step;
