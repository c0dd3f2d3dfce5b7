//! Where an enrolment's messages go, as its caller names it (contract 4.2, 7.2).

use domain::FactorKind;
use domain::model::factor::TargetKind;

use super::lenient::{Body, WrongType};

/// The number or address for this factor's messages, if the caller names one. It is ignored for other factors, since one
/// SDK always sends it.
pub(crate) fn target(body: &Body, factor: FactorKind) -> Result<Option<String>, WrongType> {
    match factor.target() {
        Some(TargetKind::Phone) => Ok(body.filled("number")?.or(body.filled("phone")?)),
        Some(TargetKind::Mail) => body.filled("email"),
        None => Ok(None),
    }
}
