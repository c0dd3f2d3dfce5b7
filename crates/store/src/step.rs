//! What a decided change is made of when it is applied.

use domain::AuditEvent;

use crate::value::Write;

/// A change, ready to be carried out.
#[derive(Debug)]
pub(crate) enum Step {
    Write(Write),
    Record(AuditEvent),
}
