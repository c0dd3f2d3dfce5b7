//! What several endpoints show of a challenge.

use domain::FactorKind;
use domain::model::text;
use engine::DeviceSetup;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::lenient::Body;

/// The longest address that is kept, in characters.
const IP_MAX: usize = 64;

/// What clients read after a text message was sent.
pub(crate) const SMS_SENT: &str = "SMS token sent to your mobile device. Authentication pending.";

/// What clients read while an answer is awaited (contract 4.4, 4.5). They poll as long as they see these words. Clients with
/// number matching on show them to the person, so the number is in them (contract 20.7).
pub(crate) fn pending(factor: FactorKind, number: Option<&str>) -> String {
    match (factor, number) {
        (FactorKind::Push, Some(number)) => {
            format!("Authentication pending on OL Protect. Number to type: {number}")
        }
        (FactorKind::Push, None) => "Authentication pending on OL Protect".to_owned(),
        (FactorKind::Sms | FactorKind::Voice | FactorKind::Email | FactorKind::Totp | FactorKind::Hotp, _) => {
            "Authentication pending".to_owned()
        }
    }
}

/// The person's address as the caller reports it, for the audit trail. No rule reads it, so odd text is kept if it is short
/// and clean; the page of a link shows addresses only.
pub(crate) fn reported_ip(body: &Body) -> Option<String> {
    body.text("ipaddr", IP_MAX).ok().flatten().filter(|ip| !ip.is_empty() && text::is_clean(ip))
}

/// What is needed to set a device up. Members are texts or absent, since one SDK reads each as a text.
#[derive(Serialize, ToSchema)]
pub(crate) struct FactorData {
    verification_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_url: Option<String>,
}

impl From<DeviceSetup> for FactorData {
    fn from(setup: DeviceSetup) -> Self {
        Self { verification_token: setup.verification_token, totp_url: setup.url }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_push_is_pending_on_ol_protect() {
        for factor in FactorKind::ALL {
            let on_protect = pending(factor, None).ends_with("on OL Protect");
            assert_eq!(on_protect, factor == FactorKind::Push);
            for number in [None, Some("42")] {
                let said = pending(factor, number);
                assert!(said.starts_with("Authentication pending"));
                assert_eq!(said.contains("42"), on_protect && number.is_some());
            }
        }
    }
}
