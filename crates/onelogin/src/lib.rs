//! The OneLogin dialect: the words of OneLogin's API, versions 1 and 2. It translates and decides nothing.
//!
//! - `routes`: which handler answers which path, and what is checked before it runs.
//! - `v1`, `v2`, `login`, `saml`, `token`: one file per endpoint. It reads the call, asks the engine, and writes the
//!   answer from a wire type, field by field. None of these five names another.
//! - `wire`: what they share: reading bodies, envelopes, paging, users, factor names.
//!
//! Each version turns the error of each use case into wire errors in one exhaustive `match`, so a new failure of a use
//! case does not compile until it has words.

mod access;
mod dialect;
mod hourly_quota;
mod login;
mod openapi;
mod rate_limit;
pub mod reference;
mod requests;
mod route;
mod routes;
mod saml;
mod token;
mod v1;
mod v2;
mod webhook;
mod wire;

pub use dialect::{Dialect, DialectOptions, FollowTrace};
pub use requests::AnswerCount;
pub use route::{RouteBeside, RouteEntry, RoutesBeside};
pub use routes::door::door;
pub use routes::table::ROUTES;
pub use webhook::EventWriter;
pub use wire::envelope::refusal;
pub use wire::factor_names::{FactorNames, v1_auth_factor_name};
pub use wire::profile::CompatProfile;
pub use wire::reason::{answered_client, refusal_reason};
pub use wire::scope_name::ScopeName;
pub use wire::time as wire_time;

/// The fields of calls that endpoints have read, each as `METHOD PATH query|body NAME`; empty in builds without debug
/// assertions. For the test that compares them with `openapi.json`.
#[doc(hidden)]
#[must_use]
pub fn fields_read() -> std::collections::BTreeSet<String> {
    wire::fields::read::fields()
}
