//! `GET …/factors`: the factors a user can still enrol (contract 7.1).

use axum::http::StatusCode;
use axum::response::Response;
use domain::FactorKind;
use engine::CallStyle;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ReadMfa};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::factor_names::{FactorNames, v2_auth_factor_name};

#[derive(Serialize, ToSchema)]
#[schema(as = Factor)]
pub(crate) struct Offered<'a> {
    factor_id: i64,
    name: &'a str,
    auth_factor_name: &'static str,
}

pub(crate) async fn list(dialect: Dialect, _access: Access<ReadMfa>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    let factors = dialect.engine.factors(user, CallStyle::TakesDigits).await?;
    let factors: Vec<_> = factors.into_iter().map(|kind| render(kind, &dialect.options.names)).collect();
    Ok(json(StatusCode::OK, &factors))
}

fn render(kind: FactorKind, names: &FactorNames) -> Offered<'_> {
    Offered {
        factor_id: kind.number(),
        name: names.v2_type_display_name(kind),
        auth_factor_name: v2_auth_factor_name(kind),
    }
}
