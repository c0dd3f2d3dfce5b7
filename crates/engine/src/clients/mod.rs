//! API callers: their secrets and tokens, and the limits of their calls.

pub(crate) mod bootstrap;
pub(crate) mod caller;
pub(crate) mod hourly_quota;
pub(crate) mod list_queues;
pub(crate) mod list_turns;
pub(crate) mod manage;
pub(crate) mod rate_limit;
pub(crate) mod tokens;
