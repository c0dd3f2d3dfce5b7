//! What the dialect says of itself, for the generated pages of the documentation.

use domain::AuditKind;

use crate::openapi;
pub use crate::openapi::CallErrors;
use crate::routes::table::ROUTES;
use crate::wire::event_types;

/// A type of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its number, `event_type_id` on the wire.
    pub id: i64,
    pub name: &'static str,
    /// The text of the event; `%user%` and its like name a field of the event.
    pub description: &'static str,
    /// The entry of the audit trail that it is made from.
    pub audit: &'static str,
}

/// All types of events, by number.
pub fn events() -> Vec<EventRow> {
    let row = |kind: AuditKind| {
        let event_types::EventType { name, description, id } = event_types::of(kind);
        EventRow { id, name, description, audit: kind.name() }
    };
    let mut rows: Vec<EventRow> = AuditKind::ALL.into_iter().map(row).collect();
    rows.sort_by_key(|row| row.id);
    rows
}

/// The errors of all calls, as `/docs` lists them.
pub fn errors() -> Vec<CallErrors> {
    openapi::call_errors(ROUTES).collect()
}
