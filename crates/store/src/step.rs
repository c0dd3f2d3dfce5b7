//! What a decided change is made of when it is applied.

use domain::{AuditEvent, ClientId};

use crate::value::Write;

/// A change, ready to be carried out.
#[derive(Debug)]
pub(crate) enum Step {
    Write(Write),
    /// Ends what a client has begun, with whatever user.
    EndBegun(ClientId),
    Record(AuditEvent),
}
