//! Labels for people: kinds of devices, states of devices and users. Programs get the names of the code.

use domain::{DeviceStatus, FactorKind, ShownStatus, UserStatus};

/// The kind of a device, for people.
pub(crate) fn factor(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp => "authenticator app",
        FactorKind::Hotp => "hardware token",
        FactorKind::Sms => "text message",
        FactorKind::Voice => "phone call",
        FactorKind::Email => "e-mail",
        FactorKind::Push => "push app",
    }
}

/// The state of a device, for people and programs alike.
pub(crate) fn device_state(status: DeviceStatus) -> &'static str {
    match status {
        DeviceStatus::Registering => "registering",
        DeviceStatus::Pending => "pending",
        DeviceStatus::Active => "active",
        DeviceStatus::Disabled => "disabled",
    }
}

/// The status of a user, for people.
pub(crate) fn user_status(status: ShownStatus) -> &'static str {
    use UserStatus as S;
    match status {
        ShownStatus::Locked => "locked",
        ShownStatus::Is(S::Unactivated) => "not activated",
        ShownStatus::Is(S::Active) => "active",
        ShownStatus::Is(S::Suspended) => "suspended",
        ShownStatus::Is(S::PasswordExpired) => "password expired",
        ShownStatus::Is(S::AwaitingPasswordReset) => "awaiting a new password",
        ShownStatus::Is(S::PasswordPending) => "no password",
        ShownStatus::Is(S::SecurityQuestionsRequired) => "security questions required",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_the_code_is_shown_to_people() {
        for status in UserStatus::ALL.map(ShownStatus::Is).into_iter().chain([ShownStatus::Locked]) {
            assert_ne!(user_status(status), format!("{status:?}"));
            assert!(user_status(status).chars().all(|c| c.is_lowercase() || c == ' '), "{status:?}");
        }
    }
}
