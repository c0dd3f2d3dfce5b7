//! The page that waits for the phone of an invited person (contract 21.2): what it shows while it waits, and in the end.

use domain::{Purpose, Status, Timestamp};

use crate::users::invited::{FinishedEnrolment, language};
use crate::users::queries::VerificationState;
use crate::{Engine, Fault};

/// What the page of a phone that is to be paired shows.
#[derive(Clone, PartialEq, Eq)]
pub struct WaitingPhone {
    /// The token of the invitation.
    pub token: String,
    pub pairing_code: String,
    /// The address of the app with the code.
    pub address: String,
    pub account: String,
    pub expires_at: Timestamp,
    pub language: Option<String>,
}

impl std::fmt::Debug for WaitingPhone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WaitingPhone(…)")
    }
}

/// What a page that waits for a phone finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentWait {
    /// The phone is not paired yet: the page shows the same once more.
    Waits(WaitingPhone),
    Finished(FinishedEnrolment),
    /// The registration has ended, or never was.
    Ended,
}

impl Engine {
    /// What the page finds that waits for a phone.
    pub async fn invited_phone(&self, handle: &str) -> Result<EnrolmentWait, Fault> {
        let Some((user, waiting)) = self.read_wait_handle(handle) else { return Ok(EnrolmentWait::Ended) };
        let registration = waiting.registration;
        let wire_id = registration.to_string();
        let state = self.verification(user, &wire_id, Purpose::Enrol).await?;
        let Some(VerificationState { status, device, .. }) = state else { return Ok(EnrolmentWait::Ended) };
        match status {
            Status::Pending { .. } => {
                let view = self.store.view(user).await?;
                let expires_at = view.verification(registration).map_or(self.now(), |asked| asked.expires_at);
                Ok(EnrolmentWait::Waits(WaitingPhone {
                    address: self.app_address(&waiting.code).unwrap_or_default(),
                    token: waiting.token,
                    pairing_code: waiting.code,
                    account: view.user.as_ref().map(domain::User::account_name).unwrap_or_default(),
                    expires_at,
                    language: language(&view),
                }))
            }
            Status::Accepted { .. } => {
                let view = self.store.view(user).await?;
                let Some(device) = view.device(device) else { return Ok(EnrolmentWait::Ended) };
                let finished = self.finished(user, registration, device, waiting.replaces).await?;
                Ok(finished.map_or(EnrolmentWait::Ended, EnrolmentWait::Finished))
            }
            Status::Rejected { .. } | Status::Expired => Ok(EnrolmentWait::Ended),
        }
    }
}
