//! Ids of somebody new.

/// Ids drawn in the order of the list.
#[derive(Debug, Default)]
pub(super) struct DrawnIds {
    pub(super) user: Option<i64>,
    pub(super) devices: Vec<i64>,
}
