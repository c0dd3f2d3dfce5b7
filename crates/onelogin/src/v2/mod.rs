//! Version 2: `/api/2`. One file per endpoint.

pub(crate) mod catalogue;
pub(crate) mod challenge;
pub(crate) mod devices;
pub(crate) mod enrollment_link;
pub(crate) mod error;
pub(crate) mod factors;
pub(crate) mod mfa_token;
pub(crate) mod registrations;
pub(crate) mod smart;
pub(crate) mod user_error;
pub(crate) mod users;
pub(crate) mod verifications;
