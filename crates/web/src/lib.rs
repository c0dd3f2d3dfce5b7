//! The HTTP front that all dialects share: the accept loop, refusals before any handler, request ids, bodies, bearer
//! tokens and limits held in memory.
//!
//! A request passes `listen` → `wire` (bytes are screened) → `front` (id, guard, body, deadline, panics) → the [`door`] of
//! a dialect, or the router for all other paths. Nothing here knows users or factors. A dialect decides how a refusal
//! looks: it gives [`front::Front`] a [`guard::RenderRefusal`].

pub mod bearer;
pub mod body;
pub mod door;
pub mod front;
pub mod guard;
pub mod json;
pub mod limits;
pub mod listen;
mod path;
pub mod peer;
pub mod proxy;
pub mod rate_limit;
pub mod request_id;
mod screen;
pub mod slots;
mod syntax;
pub mod threads;
pub mod tls;
mod wire;
