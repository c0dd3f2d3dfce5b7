//! Webhooks: operators make them, a dispatcher delivers events to them (contract 9, SEC 71).
//!
//! Nothing is queued when something happens: a webhook has a position in the audit trail, and a dispatcher follows the trail. So
//! a decision costs the same whether there are webhooks or not, and nothing that was recorded can go untold.

mod dispatcher;
mod manage;
mod outcome;

pub use self::dispatcher::Renderer;
pub use self::manage::{NewWebhook, ReplayOutcome, WebhookError};
pub use self::outcome::{DeliveryCounts, DeliveryOutcome};
