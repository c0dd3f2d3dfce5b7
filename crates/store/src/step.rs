//! What a decided change is made of when it is applied.

use domain::{AuditEvent, DeviceId, SecretMark};

use crate::hot_state::CounterChange;
use crate::value::Write;

/// A change, ready to be carried out.
#[derive(Debug)]
pub(crate) enum Step {
    Write(Write),
    /// What moves among the user's marks.
    Count(CounterChange),
    /// A device begins where its secret was left, wherever that was.
    Recall(DeviceId, SecretMark),
    Record(AuditEvent),
}
