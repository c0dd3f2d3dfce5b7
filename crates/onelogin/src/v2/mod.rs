//! Version 2: `/api/2`. One file per endpoint.

pub mod devices;
pub mod error;
pub mod factors;
pub mod mfa_token;
pub mod registrations;
pub mod smart;
pub mod terms;
pub mod user_error;
pub mod users;
pub mod verifications;
