//! What a decision rests on besides the view.

use crate::model::audit::Actor;
use crate::model::policy::Policy;
use crate::model::time::Timestamp;

/// What a decision rests on besides the view: what the operator allows, who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    pub policy: &'a Policy,
    pub actor: &'a Actor,
    pub now: Timestamp,
}
