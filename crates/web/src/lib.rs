//! What the HTTP front doors share: the accept loop, the refusals that come before any handler, request ids,
//! body reading, the bearer token and the limits held in memory.
//!
//! A request travels `listen` → `wire` (bytes are screened) → `front` (id, guard, body, deadline, panics) → the
//! [`door`] of a dialect, or the router of all that is no dialect. Nothing here knows what a user or a factor is; the
//! dialects decide how a refusal looks by handing [`front::Front`] a [`guard::Refusal`].

pub mod bearer;
pub mod body;
pub mod door;
pub mod front;
pub mod guard;
pub mod json;
pub mod limit;
pub mod limits;
pub mod listen;
mod path;
pub mod proxy;
pub mod request_id;
mod screen;
pub mod tls;
mod wire;
