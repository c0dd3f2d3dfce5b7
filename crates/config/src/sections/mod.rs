//! The sections of the configuration, one file each.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod auth;
pub(crate) mod bootstrap;
pub(crate) mod brand;
pub(crate) mod compat;
pub(crate) mod delivery;
pub(crate) mod email;
pub(crate) mod gateways;
pub(crate) mod limits;
pub(crate) mod listen;
pub(crate) mod login;
pub(crate) mod messages;
pub(crate) mod names;
pub(crate) mod push;
pub(crate) mod smtp;
pub(crate) mod storage;
pub(crate) mod tls;
pub(crate) mod webhooks;
