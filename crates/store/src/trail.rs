//! The audit trail's chains: each entry is numbered and bound to the one before it (SEC 49, decision 18).
//!
//! A chain is followed from its head by the id of the entry before, so the trail needs no index that would have to be
//! written in random order.

use std::borrow::Cow;

use domain::{AuditEvent, Digest};

use crate::query::{AuditChain, AuditRow};
use crate::schema::sql;
use crate::value::id;
use crate::value::{Value, Write};

/// The newest entry of a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) audit_id: Option<i64>,
    pub(crate) position: i64,
    pub(crate) hash: Vec<u8>,
}

impl AuditChain {
    /// The chain an event belongs to.
    pub(crate) fn of(event: &AuditEvent) -> Self {
        match (event.user, event.client) {
            (Some(user), _) => Self::User(user),
            (None, Some(client)) => Self::Client(client),
            (None, None) => Self::Server,
        }
    }

    /// The stored pair: kind and id.
    pub(crate) fn numbers(self) -> (i64, i64) {
        match self {
            Self::User(user) => (0, user.0),
            Self::Client(client) => (1, client.0),
            Self::Server => (2, 0),
        }
    }
}

/// Writes `event` behind `head` under the new id `audit_id`, and gives the head that follows.
pub(crate) fn append(event: AuditEvent, head: &Head, audit_id: i64) -> (Write, Head) {
    let position = head.position + 1;
    let hash = event.hash(&head.hash, position).to_vec();
    let (chain_kind, chain_id) = AuditChain::of(&event).numbers();
    let params = vec![
        Value::Int(audit_id),
        Value::Int(chain_kind),
        Value::Int(chain_id),
        Value::Int(position),
        head.audit_id.into(),
        event.at.into(),
        event.kind.name().into(),
        event.user.map(|user| user.0).into(),
        event.client.map(|client| client.0).into(),
        event.device.map(|device| device.0).into(),
        event.verification.map(id).into(),
        event.stored_reason().map(Cow::into_owned).into(),
        event.ip.into(),
        hash.clone().into(),
    ];
    (Write::new(sql::INSERT_AUDIT, params), Head { audit_id: Some(audit_id), position, hash })
}

/// Writes the newest entry of a chain.
pub(crate) fn set_head(chain: AuditChain, head: Head) -> Write {
    let (chain_kind, chain_id) = chain.numbers();
    let params = vec![
        Value::Int(chain_kind),
        Value::Int(chain_id),
        head.audit_id.into(),
        Value::Int(head.position),
        Value::Blob(head.hash),
    ];
    Write::new(sql::UPSERT_AUDIT_HEAD, params)
}

/// Whether `rows` are a whole chain that ends at `head`.
pub(crate) fn is_whole(rows: &[AuditRow], head: Option<&Head>) -> bool {
    let mut before: &[u8] = &[];
    for (row, position) in rows.iter().zip(1..) {
        if row.position != position || row.hash != expected_hash(row, before) {
            return false;
        }
        before = &row.hash;
    }
    match (rows.last(), head) {
        (None, None) => true,
        (Some(last), Some(head)) => last.position == head.position && last.hash == *head.hash,
        _ => false,
    }
}

/// [`AuditEvent::hash`], written once more from its description for stored entries: a check that shares no code with
/// what it checks, and that understands entries whose kinds this version does not know.
fn expected_hash(row: &AuditRow, previous: &[u8]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(256);
    let mut field = |value: &[u8]| {
        bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
        bytes.extend_from_slice(value);
    };
    field(previous);
    field(&row.position.to_be_bytes());
    field(&row.at.0.to_be_bytes());
    field(row.kind.as_bytes());
    field(&row.user.map_or(0, |id| id.0).to_be_bytes());
    field(&row.client.map_or(0, |id| id.0).to_be_bytes());
    field(&row.device.map_or(0, |id| id.0).to_be_bytes());
    field(row.verification.map_or([0; 16], |id| id.0.into_bytes()).as_slice());
    field(row.reason.as_deref().unwrap_or_default().as_bytes());
    field(row.ip.as_deref().unwrap_or_default().as_bytes());
    Digest::of(&bytes).0
}
