//! Events as webhooks send them: an array of flat objects (contract 9).

use domain::model::webhook::event_uuid;
use engine::Event;
use engine::webhooks::Renderer;
use serde::Serialize;

use crate::wire::event::EventWire;
use crate::wire::factor_names::v1_auth_factor_name;
use crate::wire::time;

/// An event with the members that only webhooks have.
#[derive(Debug, Serialize)]
struct WebhookEvent {
    create: Create,
    uuid: String,
    event_timestamp: String,
    #[serde(flatten)]
    event: EventWire,
    authentication_factor_id: Option<i64>,
    authentication_factor_type: Option<&'static str>,
    authentication_factor_description: Option<String>,
    api_credential_name: Option<String>,
    login_name: Option<String>,
    param: Option<String>,
}

#[derive(Debug, Serialize)]
struct Create {
    #[serde(rename = "_id")]
    id: String,
}

impl WebhookEvent {
    fn new(event: Event, account_id: i64) -> Self {
        let uuid = event_uuid(account_id, event.id, &event.entry.hash).to_string();
        Self {
            create: Create { id: uuid.clone() },
            uuid,
            event_timestamp: time::in_words(event.entry.at.0),
            authentication_factor_id: event.factor.map(domain::FactorKind::number),
            authentication_factor_type: event.factor.map(v1_auth_factor_name),
            authentication_factor_description: event.device_name.clone(),
            api_credential_name: event.caller.as_ref().map(|caller| caller.name.clone()),
            login_name: event.user_name.clone(),
            param: None,
            event: EventWire::new(event, account_id),
        }
    }
}

/// Renders events for webhooks.
#[derive(Debug, Clone, Copy)]
pub struct EventWriter {
    /// The account of all events.
    pub account_id: i64,
}

impl Renderer for EventWriter {
    fn render(&self, events: &[Event]) -> Vec<u8> {
        let calls: Vec<_> = events.iter().map(|event| WebhookEvent::new(event.clone(), self.account_id)).collect();
        // Texts and numbers are always JSON.
        serde_json::to_vec(&calls).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AuditKind, DeviceId, FactorKind, Timestamp, UserId};
    use engine::AuditRow;

    #[test]
    fn an_event_is_flat_and_has_every_field() {
        let event = Event {
            id: 7,
            kind: AuditKind::Verified,
            entry: AuditRow {
                position: 1,
                previous: None,
                at: Timestamp(1_453_774_907_045),
                kind: AuditKind::Verified.name().to_owned(),
                user: Some(UserId(5)),
                client: None,
                device: Some(DeviceId(9)),
                verification: None,
                reason: None,
                ip: Some("192.0.2.7".to_owned()),
                request: Some("a-1".to_owned()),
                rule: None,
                format: domain::AuditEvent::FORMAT,
                hash: [1; 32],
            },
            user_name: Some("ana".to_owned()),
            device_name: Some("Phone".to_owned()),
            factor: Some(FactorKind::Totp),
            caller: None,
        };
        let body: serde_json::Value =
            serde_json::from_slice(&EventWriter { account_id: 3 }.render(&[event.clone(), event])).unwrap();
        let [one, two] = &body.as_array().unwrap()[..] else { panic!("{body}") };
        assert_eq!(one, two);
        // The fields of contract 9: those of the events API, and those of webhooks.
        let fields = "id created_at account_id user_id user_name event_type_id actor_user_id actor_user_name \
            actor_system assuming_acting_user_id role_id role_name app_id app_name group_id group_name otp_device_id \
            otp_device_name policy_id policy_name custom_message operation_name directory_sync_run_id directory_id \
            resolution client_id resource_type_id error_description ipaddr notes risk_score proxy_ip \
            browser_fingerprint uuid create event_timestamp authentication_factor_id authentication_factor_type \
            authentication_factor_description api_credential_name login_name param";
        let mut wanted: Vec<_> = fields.split_whitespace().collect();
        wanted.sort_unstable();
        let mut found: Vec<_> = one.as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, wanted);
        assert_eq!(one["create"]["_id"], one["uuid"]);
        assert_eq!(one["event_timestamp"], "2016-01-26 02:21:47 UTC");
        assert_eq!((&one["event_type_id"], &one["id"], &one["account_id"]), (&90_001.into(), &7.into(), &3.into()));
        assert_eq!((&one["user_name"], &one["otp_device_name"]), (&"ana".into(), &"Phone".into()));
        assert_eq!(one["authentication_factor_type"], "Google Authenticator");
        assert!(one["notes"].is_null() && one["param"].is_null());
    }
}
