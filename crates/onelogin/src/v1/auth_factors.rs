//! `GET /api/1/users/{user_id}/auth_factors`: the factors a user can still enrol (contract 4.1).

use axum::response::Response;
use engine::{CallStyle, UserError};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ReadUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_success;

#[derive(Serialize, ToSchema)]
#[schema(as = V1Factors)]
pub(crate) struct Data<'a> {
    auth_factors: Vec<Factor<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = V1Factor)]
struct Factor<'a> {
    name: &'a str,
    factor_id: i64,
}

/// The only MFA call of version 1 that answers 404 for an unknown user.
pub(crate) async fn list(dialect: Dialect, _access: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let factors = dialect.engine.factors(user, CallStyle::SpeaksCode).await.map_err(|error| match error {
        UserError::NoUser => Error::UserNotFound(user),
        UserError::Fault(fault) => fault.into(),
    })?;
    let names = &dialect.options.names;
    let auth_factors = factors
        .into_iter()
        .map(|kind| Factor { name: names.v1_type_display_name(kind), factor_id: kind.number() })
        .collect();
    Ok(v1_success(&Data { auth_factors }))
}
