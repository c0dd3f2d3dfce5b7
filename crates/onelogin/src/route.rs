//! A line of the route table as others see it: metrics, the log, `openapi.json`, and tests that walk the table.

use domain::Scope;

/// One method on one path.
#[derive(Debug, Clone, Copy)]
pub struct RouteEntry {
    /// In capital letters.
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    /// Which scopes a bearer token may have, under the default options; `None` where no token is asked for.
    pub scopes: Option<fn(Scope) -> bool>,
}
