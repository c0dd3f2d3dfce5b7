//! An event as the list of events and webhooks show it (contract 9).

use domain::model::audit;
use engine::Event;
use serde::Serialize;
use utoipa::ToSchema;

use super::{event_types, time};

/// Members that do not apply to this installation or event are null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventWire {
    id: i64,
    created_at: String,
    account_id: i64,
    user_id: Option<i64>,
    user_name: Option<String>,
    event_type_id: i64,
    actor_user_id: Option<i64>,
    actor_user_name: Option<String>,
    actor_system: Option<String>,
    assuming_acting_user_id: Option<i64>,
    role_id: Option<i64>,
    role_name: Option<String>,
    app_id: Option<i64>,
    app_name: Option<String>,
    group_id: Option<i64>,
    group_name: Option<String>,
    otp_device_id: Option<i64>,
    otp_device_name: Option<String>,
    policy_id: Option<i64>,
    policy_name: Option<String>,
    custom_message: Option<String>,
    operation_name: Option<String>,
    directory_sync_run_id: Option<i64>,
    directory_id: Option<i64>,
    resolution: Option<String>,
    client_id: Option<String>,
    resource_type_id: Option<i64>,
    error_description: Option<String>,
    ipaddr: Option<String>,
    notes: Option<String>,
    risk_score: Option<i64>,
    proxy_ip: Option<String>,
    browser_fingerprint: Option<String>,
}

impl EventWire {
    pub(crate) fn new(event: Event, account_id: i64) -> Self {
        let (reason, times) = event.entry.reason.as_deref().map(audit::parted).unzip();
        let (reason, times) = (reason.map(str::to_owned), times.flatten());
        Self {
            id: event.id,
            created_at: time::with_millis(event.entry.at.0),
            account_id,
            user_id: event.entry.user.map(|user| user.0),
            user_name: event.user_name,
            event_type_id: event_types::of(event.kind).id,
            actor_user_id: None,
            actor_user_name: None,
            actor_system: event.caller.as_ref().map(|caller| caller.name.clone()),
            assuming_acting_user_id: None,
            role_id: None,
            role_name: None,
            app_id: None,
            app_name: None,
            group_id: None,
            group_name: None,
            otp_device_id: event.entry.device.map(|device| device.0),
            otp_device_name: event.device_name,
            policy_id: None,
            policy_name: None,
            custom_message: None,
            operation_name: None,
            directory_sync_run_id: None,
            directory_id: None,
            resolution: None,
            client_id: event.caller.map(|caller| caller.client_id),
            resource_type_id: None,
            error_description: reason,
            ipaddr: event.entry.ip,
            notes: times.map(|times| format!("{times} times")),
            risk_score: None,
            proxy_ip: None,
            browser_fingerprint: None,
        }
    }
}
