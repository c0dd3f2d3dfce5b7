//! How an answer ends.

use crate::model::factor::FactorKind;
use crate::model::id::DeviceId;
use crate::model::refusal::Reason;

/// How an answer ends. A wrong code is an outcome, never an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person holds the factor.
    Accepted {
        /// With which device; `None` for a temporary token.
        device: Option<DeviceId>,
        /// The verification that this closed, where there was one.
        wire_id: Option<String>,
    },
    /// Waiting for the person.
    Pending {
        factor: FactorKind,
        /// The number that the person has to type on the phone, if there is one.
        number: Option<String>,
    },
    Refused(Reason),
}
