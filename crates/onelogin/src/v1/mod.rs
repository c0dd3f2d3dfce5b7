//! Version 1: `/api/1`. One file per endpoint.

pub(crate) mod auth_factors;
pub(crate) mod catalogue;
pub(crate) mod custom_attributes;
pub(crate) mod devices;
pub(crate) mod enrol;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod mfa_token;
pub(crate) mod set_password;
pub(crate) mod state;
pub(crate) mod trigger;
pub(crate) mod user_error;
pub(crate) mod users;
pub(crate) mod verify;
