//! Temporary tokens as both versions show them (contract 4.7, 7.11).

use domain::UserId;
use domain::model::temp_token::{MAX_TTL, MIN_TTL};
use domain::model::time::SECOND;
use engine::IssuedToken;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::with_seconds;

/// A temporary token, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = TempToken)]
pub(crate) struct TempTokenWire {
    mfa_token: String,
    expires_at: String,
    reusable: bool,
    device_id: String,
}

impl TempTokenWire {
    pub(crate) fn new(user: UserId, issued: IssuedToken) -> Self {
        Self {
            mfa_token: issued.token,
            expires_at: with_seconds(issued.expires_at.0),
            reusable: issued.reusable,
            device_id: token_device_id(user),
        }
    }
}

/// The device id by which a user's temporary token can be revoked.
pub(crate) fn token_device_id(user: UserId) -> String {
    format!("user_temp_otp_{user}")
}

/// The life asked for, in milliseconds; `None` if it is out of range.
pub(crate) fn token_ttl(expires_in: Option<i64>) -> Option<i64> {
    let ttl = expires_in.map_or(MAX_TTL, |seconds| seconds.saturating_mul(SECOND));
    (MIN_TTL..=MAX_TTL).contains(&ttl).then_some(ttl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_from_two_minutes_to_three_days() {
        assert_eq!(token_ttl(None), Some(259_200_000));
        assert_eq!(token_ttl(Some(120)), Some(120_000));
        assert_eq!(token_ttl(Some(259_200)), Some(259_200_000));
        for seconds in [119, 259_201, 0, -1, i64::MAX, i64::MIN] {
            assert_eq!(token_ttl(Some(seconds)), None, "{seconds}");
        }
    }
}
