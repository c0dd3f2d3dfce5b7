//! Version 1: `/api/1`. One file per endpoint.

pub mod auth_factors;
pub mod custom_attributes;
pub mod devices;
pub mod enrol;
pub mod error;
pub mod event_types;
pub mod events;
pub mod mfa_token;
pub mod set_password;
pub mod state;
pub mod trigger;
pub mod user_error;
pub mod users;
pub mod verify;
