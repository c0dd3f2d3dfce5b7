//! The named shapes of answers.

use crate::wire::fields::Kind;

/// A named shape: its members, which may be null, beside others.
pub(super) const SCHEMAS: &[(&str, &[(&str, Kind)])] = &[
    (
        "Token",
        &[
            ("access_token", Kind::Text),
            ("refresh_token", Kind::Text),
            ("token_type", Kind::Text),
            ("expires_in", Kind::Integer),
            ("created_at", Kind::Text),
            ("account_id", Kind::Integer),
        ],
    ),
    (
        "RateLimit",
        &[
            ("X-RateLimit-Limit", Kind::Integer),
            ("X-RateLimit-Remaining", Kind::Integer),
            ("X-RateLimit-Reset", Kind::Integer),
        ],
    ),
    (
        "User",
        &[
            ("id", Kind::Integer),
            ("username", Kind::Text),
            ("email", Kind::Text),
            ("firstname", Kind::Text),
            ("lastname", Kind::Text),
            ("phone", Kind::Text),
            ("status", Kind::Integer),
            ("state", Kind::Integer),
            ("external_id", Kind::Text),
            ("created_at", Kind::Text),
            ("updated_at", Kind::Text),
            ("last_login", Kind::Text),
            ("locked_until", Kind::Text),
            ("custom_attributes", Kind::Object),
        ],
    ),
    (
        "V1Enrolled",
        &[
            ("id", Kind::Integer),
            ("type_display_name", Kind::Text),
            ("auth_factor_name", Kind::Text),
            ("state_token", Kind::Text),
        ],
    ),
    (
        "TempToken",
        &[("mfa_token", Kind::Text), ("reusable", Kind::Flag), ("expires_at", Kind::Text), ("device_id", Kind::Number)],
    ),
    ("Registration", &[("id", Kind::Text), ("status", Kind::Text), ("factor_data", Kind::Object)]),
    ("Challenge", &[("id", Kind::Text), ("status", Kind::Text), ("expires_at", Kind::Text)]),
    ("Standing", &[("id", Kind::Text), ("status", Kind::Text), ("device_id", Kind::Text)]),
    ("Visit", &[("user_id", Kind::Integer), ("risk", Kind::Object), ("mfa", Kind::Object)]),
    (
        "Event",
        &[
            ("id", Kind::Integer),
            ("created_at", Kind::Text),
            ("event_type_id", Kind::Integer),
            ("user_id", Kind::Integer),
            ("user_name", Kind::Text),
            ("client_id", Kind::Text),
            ("otp_device_id", Kind::Integer),
            ("otp_device_name", Kind::Text),
            ("ipaddr", Kind::Text),
            ("error_description", Kind::Text),
        ],
    ),
    ("EventType", &[("id", Kind::Integer), ("name", Kind::Text), ("description", Kind::Text)]),
];
