//! What the endpoints of `v1`, `v2`, `login`, `saml` and `token` share: how calls are read and answers are wrapped, and the
//! shapes that more than one of them shows. Nothing here knows an endpoint, a route or the [`crate::dialect`].

pub(crate) mod call;
pub(crate) mod challenge;
pub(crate) mod credentials;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod event_types;
pub(crate) mod factor_names;
pub(crate) mod fields;
pub(crate) mod lenient;
pub(crate) mod lists;
pub(crate) mod log_in;
pub(crate) mod origin;
pub(crate) mod paging;
pub(crate) mod profile;
pub(crate) mod reason;
pub(crate) mod scope_name;
pub(crate) mod target;
pub(crate) mod temp_token;
pub mod time;
pub(crate) mod user;
pub(crate) mod user_field;
pub(crate) mod user_filter;
pub(crate) mod user_password;
pub(crate) mod user_patch;
