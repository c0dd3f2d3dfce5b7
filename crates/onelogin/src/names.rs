//! The names of factors on the wire (contract 10.1). Clients match on them: they do not change.

use domain::FactorKind;

/// v1 `auth_factor_name`.
pub fn v1_auth_factor_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "OneLogin Protect",
        FactorKind::Sms => "OneLogin SMS",
        FactorKind::Voice => "OneLogin Voice",
        FactorKind::Email => "OneLogin Email",
        FactorKind::Totp => "Google Authenticator",
        FactorKind::Hotp => "HOTP",
    }
}

/// v1 `type_display_name`, and the name in v1 factor lists.
pub fn v1_type_display_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Hotp => "HOTP Token",
        other => v1_auth_factor_name(other),
    }
}

/// v2 `name` and `type_display_name`.
pub fn v2_type_display_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "OneLogin Protect",
        FactorKind::Sms => "OneLogin SMS",
        FactorKind::Voice => "OneLogin Voice",
        FactorKind::Email => "OneLogin Email",
        FactorKind::Totp => "Authenticator",
        FactorKind::Hotp => "HOTP",
    }
}

/// v2 `auth_factor_name`.
pub fn v2_auth_factor_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "OneLogin",
        FactorKind::Sms => "SMS",
        FactorKind::Voice => "OneLogin Voice",
        FactorKind::Email => "OneLogin Email",
        FactorKind::Totp => "Google Authenticator",
        FactorKind::Hotp => "HOTP",
    }
}
