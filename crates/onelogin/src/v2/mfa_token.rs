//! `POST …/mfa_token`: issues a temporary token (contract 7.11).

use axum::http::StatusCode;
use axum::response::Response;
use domain::UserId;
use domain::temp_token::{MAX_TTL, MIN_TTL};
use domain::time::SECOND;
use engine::temp_token::IssuedToken;
use serde::Serialize;

use super::error::Error;
use crate::App;
use crate::access::{Access, ManageUsers};
use crate::call::Call;
use crate::envelope::json;
use crate::wire_time::with_seconds;

/// A temporary token, told once.
#[derive(Serialize)]
pub struct TempTokenAnswer {
    mfa_token: String,
    expires_at: String,
    reusable: bool,
    device_id: String,
}

impl TempTokenAnswer {
    /// What is told of `issued`.
    pub fn new(user: UserId, issued: IssuedToken) -> Self {
        Self {
            mfa_token: issued.token,
            expires_at: with_seconds(issued.expires_at.0),
            reusable: issued.reusable,
            device_id: token_device_id(user),
        }
    }
}

/// The device id under which a user's temporary token can be revoked.
pub fn token_device_id(user: UserId) -> String {
    format!("user_temp_otp_{user}")
}

/// The life asked for, in milliseconds; `None` if it is out of range.
pub fn token_ttl(expires_in: Option<i64>) -> Option<i64> {
    let ttl = expires_in.map_or(MAX_TTL, |seconds| seconds.saturating_mul(SECOND));
    (MIN_TTL..=MAX_TTL).contains(&ttl).then_some(ttl)
}

/// Issues a temporary token in place of any earlier one.
pub async fn issue(app: App, access: Access<ManageUsers>, call: Call) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    let body = call.json()?;
    let ttl = token_ttl(body.int("expires_in")?).ok_or(Error::invalid("expires_in"))?;
    let reusable = body.flag("reusable")?.unwrap_or(false);
    let issued = app.engine.issue_temp_token(user, ttl, reusable, access.context()).await;
    let issued = issued.map_err(Error::at(app.engine.now()))?;
    Ok(json(StatusCode::CREATED, &TempTokenAnswer::new(user, issued)))
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
