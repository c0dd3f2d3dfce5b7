//! `GET /auth/rate_limit`: how the hourly quota stands (contract 2.4). Asking costs nothing.

use axum::response::Response;
use serde::Serialize;

use crate::App;
use crate::access::{Access, Family, ReadUsers};
use crate::call::Call;
use crate::envelope::v1_success;
use crate::error::Common;
use crate::quota::Standing;

#[derive(Serialize)]
struct RateLimitWire {
    #[serde(rename = "X-RateLimit-Limit")]
    limit: u64,
    #[serde(rename = "X-RateLimit-Remaining")]
    remaining: u64,
    #[serde(rename = "X-RateLimit-Reset")]
    reset: i64,
}

impl From<Standing> for RateLimitWire {
    fn from(standing: Standing) -> Self {
        Self { limit: standing.limit, remaining: standing.remaining, reset: standing.reset }
    }
}

/// Tells the standing, as the headers do.
pub async fn read(app: App, _: Access<ReadUsers>, _: Call) -> Response {
    match app.quota.read(&app.engine, app.engine.now()).await {
        Ok(standing) => v1_success(&RateLimitWire::from(standing)),
        Err(engine::Error::Unavailable(_)) => Common::Unavailable.answer(Family::V1),
        Err(error) => Common::fault(&error).answer(Family::V1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standing_is_told_in_integers() {
        let standing = Standing { limit: 5000, remaining: 4988, reset: 832, exceeded: false };
        assert_eq!(
            serde_json::to_string(&RateLimitWire::from(standing)).unwrap(),
            r#"{"X-RateLimit-Limit":5000,"X-RateLimit-Remaining":4988,"X-RateLimit-Reset":832}"#
        );
    }
}
