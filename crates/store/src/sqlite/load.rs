//! Loads what decisions and look-ups see.

use domain::{ClientId, ClientView, Digest, UserId};

use super::exec::{Failure, Prepared, first};
use crate::rows;
use crate::schema::sql;
use crate::user_state::{SeenUser, UserState};
use crate::value::Value;

/// A user for callers that change nothing.
pub(super) fn seen(conn: &impl Prepared, user: UserId) -> Result<SeenUser, Failure> {
    Ok(first(conn, sql::USER_STATE, &[Value::Int(user.0)], SeenUser::decode)?.unwrap_or_default())
}

/// A user for a decision.
pub(super) fn user(conn: &impl Prepared, user: UserId) -> Result<UserState, Failure> {
    Ok(first(conn, sql::USER_STATE, &[Value::Int(user.0)], UserState::decode)?.unwrap_or_default())
}

pub(super) fn client_view(
    conn: &impl Prepared,
    client: ClientId,
    asked: Option<Digest>,
) -> Result<ClientView, Failure> {
    let key = [Value::Int(client.0)];
    Ok(ClientView {
        client: first(conn, sql::CLIENT, &key, rows::client)?,
        newest: first(conn, sql::NEWEST_TOKEN, &key, rows::token_set)?,
        asked: match asked {
            Some(access) => first(conn, sql::TOKEN, &[access.into()], rows::token_set)?,
            None => None,
        },
        newest_of_family: match asked {
            Some(access) => first(conn, sql::NEWEST_OF_FAMILY, &[client.0.into(), access.into()], rows::token_set)?,
            None => None,
        },
    })
}
