//! `PUT /api/1/users/{id}/set_state`, `lock_user` and `logout` (contract 3.2).

use axum::response::Response;
use domain::model::user_patch::UserPatch;

use super::user_error::{Error, user_id};
use crate::access::{Access, Authenticate, ManageAll};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::v1_success_with_echo;
use crate::wire::lenient::Body;
use crate::wire::user_patch;

pub(crate) async fn set_state(dialect: Dialect, access: Access<ManageAll>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let state = user_patch::state(&call.json()?)?.ok_or_else(|| Error::incorrect("state"))?;
    let patch = UserPatch { state: Some(state), ..UserPatch::default() };
    dialect.engine.update_user(id, patch, None, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success_with_echo())
}

/// Locks the user for so many minutes; 0 locks until unlocked.
pub(crate) async fn lock_user(dialect: Dialect, access: Access<ManageAll>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let minutes = minutes(&call.json()?).ok_or(Error::Words("locked_until should be -> integer"))?;
    dialect.engine.lock_user(id, minutes, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success_with_echo())
}

/// Ends the user's pending state tokens and open verifications.
pub(crate) async fn logout(dialect: Dialect, access: Access<Authenticate>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    call.json()?;
    dialect.engine.log_out(id, access.context()).await.map_err(Error::of(&dialect, &call))?;
    Ok(v1_success_with_echo())
}

/// The length of a lock in minutes, within 32 bits.
fn minutes(body: &Body) -> Option<i64> {
    body.int("locked_until").ok().flatten().filter(|minutes| (0..=i64::from(i32::MAX)).contains(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_lasts_whole_minutes() {
        let minutes = |text: &str| minutes(&Body::parse(text.as_bytes()).unwrap());
        assert_eq!(minutes(r#"{"locked_until":15}"#), Some(15));
        assert_eq!(minutes(r#"{"locked_until":"0"}"#), Some(0));
        for bad in ["{}", r#"{"locked_until":null}"#, r#"{"locked_until":-1}"#, r#"{"locked_until":1.5}"#] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
        assert_eq!(minutes(r#"{"locked_until":2147483648}"#), None);
    }
}
