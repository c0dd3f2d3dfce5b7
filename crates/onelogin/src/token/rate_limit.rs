//! `GET /auth/rate_limit`: the state of the hourly quota (contract 2.4). The call itself is not counted.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Access, ReadUsers};
use crate::dialect::Dialect;
use crate::hourly_quota::QuotaStatus;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_success;
use crate::wire::error::CommonError;
use crate::wire::error::Family;

#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
pub(crate) struct RateLimitWire {
    #[serde(rename = "X-RateLimit-Limit")]
    limit: u64,
    #[serde(rename = "X-RateLimit-Remaining")]
    remaining: u64,
    #[serde(rename = "X-RateLimit-Reset")]
    reset: i64,
}

impl From<QuotaStatus> for RateLimitWire {
    fn from(status: QuotaStatus) -> Self {
        Self { limit: status.limit, remaining: status.remaining, reset: status.reset }
    }
}

pub(crate) async fn read(dialect: Dialect, _: Access<ReadUsers>, _: ApiCall) -> Response {
    match dialect.quota.read(&dialect.engine, dialect.engine.now()).await {
        Ok(status) => v1_success(&RateLimitWire::from(status)),
        Err(fault) => CommonError::from(fault).answer(Family::V1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_told_in_integers() {
        let status = QuotaStatus { limit: 5000, remaining: 4988, reset: 832, exceeded: false };
        assert_eq!(
            serde_json::to_string(&RateLimitWire::from(status)).unwrap(),
            r#"{"X-RateLimit-Limit":5000,"X-RateLimit-Remaining":4988,"X-RateLimit-Reset":832}"#
        );
    }
}
