//! The audit trail's chains: each entry is numbered and bound to the one before it (SEC 49, decision 18).
//!
//! A chain is followed from its head by the id of the entry before, so the trail needs no index that would have to be
//! written in random order.

use std::borrow::Cow;

use domain::{AuditEvent, Digest, Rule};

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
        event.request.map(|id| id.to_string()).into(),
        event.rule.map(Rule::name).into(),
        Value::Int(AuditEvent::FORMAT),
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
        if row.position != position || expected_hash(row, before) != Some(row.hash) {
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
/// what it checks, and that understands entries whose kinds this version does not know. `None` for a format that it does
/// not know.
fn expected_hash(row: &AuditRow, previous: &[u8]) -> Option<[u8; 32]> {
    match row.format {
        // Its hash does not cover these.
        1 if row.request.is_none() && row.rule.is_none() => Some(first_format(row, previous)),
        2 => Some(second_format(row, previous)),
        _ => None,
    }
}

/// Entries before schema 15. No value is the same as 0 or an empty one.
fn first_format(row: &AuditRow, previous: &[u8]) -> [u8; 32] {
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

/// Entries since schema 15. No value is not the same as an empty one.
fn second_format(row: &AuditRow, previous: &[u8]) -> [u8; 32] {
    let [user, client, device] = [row.user.map(|id| id.0), row.client.map(|id| id.0), row.device.map(|id| id.0)];
    let number = |value: i64| Some(value.to_be_bytes().to_vec());
    let text = |value: &Option<String>| value.clone().map(String::into_bytes);
    let fields = [
        number(row.format),
        Some(previous.to_vec()),
        number(row.position),
        number(row.at.0),
        Some(row.kind.clone().into_bytes()),
        user.and_then(number),
        client.and_then(number),
        device.and_then(number),
        row.verification.map(|id| id.0.into_bytes().to_vec()),
        text(&row.reason),
        text(&row.ip),
        text(&row.request),
        text(&row.rule),
    ];
    let mut bytes = Vec::with_capacity(320);
    for field in fields {
        match field {
            Some(value) => {
                bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
                bytes.extend_from_slice(&value);
            }
            None => bytes.extend_from_slice(&[0xff; 8]),
        }
    }
    Digest::of(&bytes).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AuditKind, ClientId, DeviceId, Timestamp, UserId, VerificationId};

    const AT: Timestamp = Timestamp(1_750_000_000_000);

    /// The entry as it is stored behind those of `chain`.
    fn stored(event: &AuditEvent, chain: &[AuditRow]) -> AuditRow {
        let (position, before) = chain.last().map_or((1, vec![]), |last| (last.position + 1, last.hash.to_vec()));
        AuditRow {
            position,
            previous: None,
            at: event.at,
            kind: event.kind.name().to_owned(),
            user: event.user,
            client: event.client,
            device: event.device,
            verification: event.verification,
            reason: event.stored_reason().map(Cow::into_owned),
            ip: event.ip.clone(),
            request: event.request.as_deref().map(str::to_owned),
            rule: event.rule.map(|rule| rule.name().to_owned()),
            format: AuditEvent::FORMAT,
            hash: event.hash(&before, position),
        }
    }

    /// One entry of the first format, then one with every field and one with as few as there can be.
    fn chain() -> Vec<AuditRow> {
        let few = AuditEvent::of_user(AuditKind::UserCreated, UserId(1), AT);
        let all = AuditEvent { times: Some(7), ip: Some("192.0.2.7".to_owned()), ..few.clone() }
            .by(Some(ClientId(2)))
            .device(DeviceId(3))
            .verification(Some(VerificationId(uuid::Uuid::from_u128(4))))
            .in_request(Some(&"request-5".into()))
            .refused(Rule::UserThrottle, "locked");
        let mut first = AuditRow { format: 1, ..stored(&few, &[]) };
        first.hash = first_format(&first, &[]);
        let mut rows = vec![first];
        for event in [all, few] {
            rows.push(stored(&event, &rows));
        }
        rows
    }

    fn whole(rows: &[AuditRow]) -> bool {
        let last = rows.last().unwrap();
        let head = Head { audit_id: Some(1), position: last.position, hash: last.hash.to_vec() };
        is_whole(rows, Some(&head))
    }

    #[test]
    fn a_chain_of_both_formats_is_whole() {
        assert!(whole(&chain()));
        assert!(is_whole(&[], None) && !is_whole(&chain(), None));
    }

    /// The text of the first format is history: this hash was computed apart from this code.
    #[test]
    fn the_first_format_is_as_it_was() {
        let first = &chain()[0];
        let hash = data_encoding::HEXLOWER.encode(&first.hash);
        assert_eq!(hash, "66819ba262a63f2876abd0415ddd805b9ee4697b2b89498019946fd67c8b8959");
    }

    #[test]
    fn a_change_of_any_field_of_an_entry_shows() {
        type Tamper = fn(&mut AuditRow);
        let changes: &[(&str, Tamper)] = &[
            ("position", |row| row.position += 1),
            ("at", |row| row.at = row.at.plus(1)),
            ("kind", |row| row.kind = AuditKind::UserUpdated.name().to_owned()),
            ("user", |row| row.user = None),
            ("another user", |row| row.user = Some(UserId(8))),
            ("client", |row| row.client = Some(ClientId(8))),
            ("device", |row| row.device = Some(DeviceId(8))),
            ("verification", |row| row.verification = Some(VerificationId(uuid::Uuid::from_u128(8)))),
            ("reason", |row| row.reason = Some("locked:8".to_owned())),
            ("ip", |row| row.ip = Some("192.0.2.8".to_owned())),
            ("request", |row| row.request = Some("request-8".to_owned())),
            ("rule", |row| row.rule = Some(Rule::WrongCode.name().to_owned())),
            ("format", |row| row.format = 3 - row.format),
            ("a format to come", |row| row.format = 3),
            ("hash", |row| row.hash[0] ^= 1),
        ];
        for (what, change) in changes {
            for n in 0..3 {
                let mut rows = chain();
                change(&mut rows[n]);
                assert!(!whole(&rows), "{what} of entry {n}");
            }
        }
        // What has no value is not the same as what is empty, or 0.
        let empty: &[(&str, Tamper)] = &[
            ("client", |row| row.client = Some(ClientId(0))),
            ("device", |row| row.device = Some(DeviceId(0))),
            ("verification", |row| row.verification = Some(VerificationId(uuid::Uuid::nil()))),
            ("reason", |row| row.reason = Some(String::new())),
            ("ip", |row| row.ip = Some(String::new())),
            ("request", |row| row.request = Some(String::new())),
            ("rule", |row| row.rule = Some(String::new())),
        ];
        for (what, change) in empty {
            let mut rows = chain();
            change(&mut rows[2]);
            assert!(!whole(&rows), "{what}");
        }
    }

    #[test]
    fn an_entry_that_is_left_out_or_moved_shows() {
        for n in 0..3 {
            let mut rows = chain();
            rows.remove(n);
            let head = chain().pop().map(|last| Head { audit_id: None, position: 3, hash: last.hash.to_vec() });
            assert!(!is_whole(&rows, head.as_ref()), "without entry {n}");
        }
        let mut rows = chain();
        rows.swap(1, 2);
        assert!(!whole(&rows));
    }
}
