//! A line of the route table as others see it: metrics, the log, `openapi.json`, and tests that walk the table.

use domain::Scope;

/// Routes that a listener serves beside the dialect. `openapi.json` and `/docs` describe them in a separate section.
#[derive(Debug, Clone)]
pub struct RoutesBeside {
    /// The heading of the section.
    pub tag: &'static str,
    /// Who may call them, in a sentence.
    pub about: &'static str,
    pub routes: Vec<RouteBeside>,
}

/// One method on one path beside the dialect. Fields are names, each with its meaning.
#[derive(Debug, Clone, Copy)]
pub struct RouteBeside {
    /// In capital letters.
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    /// What it does, beginning with a verb.
    pub summary: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    /// Members of the body, which is JSON.
    pub body: &'static [(&'static str, &'static str)],
}

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
