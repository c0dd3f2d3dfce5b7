//! The types of events and their numbers (contract 9). Types that OneLogin does not have are numbered from 90000 upwards.
//! Numbers never change.

use domain::AuditKind;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EventType {
    pub name: &'static str,
    /// The text of the event; `%user%` and its like name a field of the event.
    pub description: &'static str,
    pub id: i64,
}

pub(crate) fn of(kind: AuditKind) -> EventType {
    use AuditKind as K;
    let (id, name, description) = match kind {
        K::SignedIn => (5, "USER_LOGGED_INTO_ONELOGIN", "%user% logged into OneLogin"),
        K::SignInRefused => (6, "USER_FAILED_ONELOGIN_LOGIN", "%user% failed to log in"),
        K::PasswordSet => (11, "USER_CHANGED_PASSWORD", "The password of %user% was changed"),
        K::UserCreated => (13, "USER_CREATED", "%user% was created"),
        K::UserDeleted => (17, "USER_DELETED", "%user% was deleted"),
        K::DeviceDeleted => (24, "OTP_DEVICE_DEREGISTERED", "%user% deregistered the OTP device %otp_device%"),
        K::UserLocked => (531, "USER_LOCKED_VIA_API", "%user% was locked via API"),
        K::ChallengeSent => (90_000, "MFA_CHALLENGE_SENT", "A challenge was put to %otp_device% of %user%"),
        K::Verified => (90_001, "MFA_VERIFIED", "%user% verified with %otp_device%"),
        K::Refused => (90_002, "MFA_FAILED", "%user% failed to verify with %otp_device%"),
        K::PushAccepted => (90_003, "MFA_PUSH_ACCEPTED", "%user% accepted a push notification"),
        K::PushDenied => (90_004, "MFA_PUSH_DENIED", "%user% denied a push notification"),
        K::DeviceEnrolled => (90_005, "OTP_DEVICE_ENROLLED", "%user% began to register %otp_device%"),
        K::DeviceActivated => (90_006, "OTP_DEVICE_REGISTERED", "%user% registered %otp_device%"),
        K::DeviceTrusted => {
            (90_007, "OTP_DEVICE_TRUSTED", "%otp_device% was registered for %user% by an administrator")
        }
        K::DeviceImported => (90_008, "OTP_DEVICE_IMPORTED", "%otp_device% of %user% was imported"),
        K::DeviceReplaced => (90_009, "OTP_DEVICE_REPLACED", "%otp_device% of %user% was replaced"),
        K::DeviceDisabled => (90_010, "OTP_DEVICE_DISABLED", "%otp_device% of %user% was disabled"),
        K::RegistrationRejected => (90_011, "OTP_DEVICE_REJECTED", "The registration of %otp_device% of %user% failed"),
        K::ChallengeRepeated => (90_012, "MFA_CHALLENGE_REPEATED", "A challenge of %user% was asked for again"),
        K::ChallengeRefused => (90_013, "MFA_CHALLENGE_REFUSED", "No challenge was put to %user%"),
        K::KeypadAnswered => (90_014, "MFA_CALL_ANSWERED", "%user% answered a call"),
        K::GuessLock => (90_015, "MFA_LOCKED", "%user% is locked after wrong answers"),
        K::TempTokenIssued => (90_016, "MFA_TOKEN_ISSUED", "A temporary MFA token was issued for %user%"),
        K::TempTokenUsed => (90_017, "MFA_TOKEN_USED", "%user% used a temporary MFA token"),
        K::TempTokenRevoked => (90_018, "MFA_TOKEN_REVOKED", "The temporary MFA token of %user% was revoked"),
        K::UserUpdated => (90_019, "USER_UPDATED", "%user% was changed"),
        K::UserUnlocked => (90_020, "USER_UNLOCKED", "%user% was unlocked"),
        K::UserLoggedOut => (90_021, "USER_LOGGED_OUT", "%user% was logged out"),
        K::SignInStarted => (90_022, "USER_STARTED_LOGIN", "%user% gave a right password"),
        K::SessionOpened => (90_023, "USER_SESSION_OPENED", "A session of %user% was opened"),
        K::ClientCreated => (90_024, "API_CREDENTIAL_CREATED", "An API credential was created"),
        K::ClientRevoked => (90_025, "API_CREDENTIAL_REVOKED", "An API credential was revoked"),
        K::ClientRotated => (90_026, "API_CREDENTIAL_ROTATED", "The secret of an API credential was rotated"),
        K::ClientRefused => (90_027, "API_CREDENTIAL_REFUSED", "An API credential showed a wrong secret"),
        K::TokenIssued => (90_028, "API_TOKEN_ISSUED", "An access token was issued"),
        K::TokenRefreshed => (90_029, "API_TOKEN_REFRESHED", "An access token was refreshed"),
        K::TokenRevoked => (90_030, "API_TOKEN_REVOKED", "An access token was revoked"),
        K::TokenReused => (90_031, "API_TOKEN_REUSED", "A refresh token was used twice"),
        K::ClientChanged => (90_032, "API_CREDENTIAL_CHANGED", "An API credential was changed"),
        K::MessagesNearCeiling => {
            (90_033, "MESSAGES_NEAR_CEILING", "Four fifths of the messages of a day have been sent")
        }
        K::PushReported => {
            (90_036, "MFA_PUSH_REPORTED", "%user% reported a push notification as somebody else's sign-in")
        }
        K::PromptsRefused => (90_035, "MFA_PUSH_FATIGUE", "%user% was sent too many push notifications"),
        K::LinkConfirmed => (90_038, "MFA_LINK_CONFIRMED", "%user% confirmed by a link"),
        K::MessageFailed => {
            (90_037, "MFA_MESSAGE_FAILED", "A message to %otp_device% of %user% could not be delivered")
        }
        K::SpendNearCap => {
            (90_039, "MESSAGES_NEAR_SPEND_CAP", "Four fifths of what messages may cost in a day are used")
        }
        K::SpendAtCap => (90_040, "MESSAGES_AT_SPEND_CAP", "All that messages may cost in a day is used"),
        K::PrefixClosed => {
            (90_041, "MESSAGES_PREFIX_CLOSED", "Messages to a country or to some of its numbers are rarely answered")
        }
        K::MessageCalled => (
            90_042,
            "MFA_MESSAGE_CALLED",
            "A code for %otp_device% of %user% was spoken in a call instead of sent as a text",
        ),
        K::Invited => (90_043, "MFA_ENROLLMENT_LINK_CREATED", "An enrollment link was created for %user%"),
        K::InvitationUsed => (90_044, "MFA_ENROLLMENT_LINK_USED", "%user% enrolled %otp_device% by an enrollment link"),
        K::MessagesAtCeiling => (90_034, "MESSAGES_AT_CEILING", "All messages of a day have been sent"),
    };
    EventType { name, description, id }
}

/// The kinds whose type has this number.
pub(crate) fn kinds(id: i64) -> impl Iterator<Item = &'static str> {
    AuditKind::ALL.into_iter().filter(move |kind| of(*kind).id == id).map(AuditKind::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_number_and_a_name_of_its_own() {
        let mut ids: Vec<_> = AuditKind::ALL.into_iter().map(|kind| of(kind).id).collect();
        let mut names: Vec<_> = AuditKind::ALL.into_iter().map(|kind| of(kind).name).collect();
        ids.sort_unstable();
        names.sort_unstable();
        ids.dedup();
        names.dedup();
        assert_eq!((ids.len(), names.len()), (AuditKind::ALL.len(), AuditKind::ALL.len()));
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::from_name(kind.name()), Some(kind));
        }
    }
}
