//! `/api/2/users` and `/api/2/users/{id}`: the users as bare objects (contract 3.2).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{Scope, User};
use engine::NewPassword;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::user_error::{Error, user_id};
use crate::access::{Access, ManageUsers, ReadUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::error::CommonError;
use crate::wire::paging::PageRequest;
use crate::wire::profile::CompatProfile;
use crate::wire::user::{Fields, UserWire, Version};
use crate::wire::user_filter;
use crate::wire::user_password::{NotHashed, PasswordFields};
use crate::wire::user_patch::{self, AllowedFields, UserFields};

/// A user must have a username or a mail address.
const NAMELESS: &str = "Username or Email must be set";

pub(crate) async fn list(dialect: Dialect, access: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    let asked = PageRequest::v2(&call)?;
    let filter = user_filter::of_query(call.fields(), Version::V2, |name| call.inputs().reads_query(name))?;
    let (found, position) =
        dialect.list(access.client(), asked.find(&dialect.engine, &filter)).await.map_err(Error::of_list(&dialect))?;
    let users: Vec<_> = found.users.iter().map(|user| wire(&dialect, access.profile(), &call, user)).collect();
    let mut answer = json(StatusCode::OK, &users);
    answer.headers_mut().extend(position.headers(&call));
    Ok(answer)
}

pub(crate) async fn get(dialect: Dialect, access: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = dialect.engine.user(user_id(&call)?).await.map_err(Error::of(&dialect))?;
    Ok(json(StatusCode::OK, &wire(&dialect, access.profile(), &call, &user)))
}

pub(crate) async fn create(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let (given, password) = read(&access, &call)?;
    if !given.patch.names_somebody() {
        return Err(Error::Validation(NAMELESS.to_owned()));
    }
    let user =
        dialect.engine.create_user(given.patch, password, access.context()).await.map_err(Error::of(&dialect))?;
    Ok(json(StatusCode::CREATED, &wire(&dialect, access.profile(), &call, &user)))
}

/// Sets what the body names and leaves the rest.
pub(crate) async fn update(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    let (given, password) = read(&access, &call)?;
    let present = dialect.engine.user(id).await.map_err(Error::of(&dialect))?;
    let patch = user_patch::changes(given.patch, &present, dialect.engine.now())
        .ok_or_else(|| Error::Validation(NAMELESS.to_owned()))?;
    let user = dialect.engine.update_user(id, patch, password, access.context()).await.map_err(Error::of(&dialect))?;
    Ok(json(StatusCode::OK, &wire(&dialect, access.profile(), &call, &user)))
}

/// Removes a user with its devices and challenges.
pub(crate) async fn delete(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    dialect.engine.delete_user(user_id(&call)?, access.context()).await.map_err(Error::of(&dialect))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A lock was lifted. The documentation spells it `messsage`; both spellings are sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Unlocked)]
pub(crate) struct UnlockedWire {
    messsage: &'static str,
    message: &'static str,
}

/// Lifts every lock of a user.
pub(crate) async fn unlock(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let id = user_id(&call)?;
    call.json()?;
    let unlocked = dialect.engine.unlock_user(id, access.context()).await.map_err(Error::of(&dialect))?;
    let words = UnlockedWire { messsage: "User unlocked", message: "User unlocked" };
    if unlocked { Ok(json(StatusCode::OK, &words)) } else { Err(Error::NotLocked) }
}

/// The user's applications. Always empty: they are not kept.
pub(crate) async fn apps(dialect: Dialect, _: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    dialect.engine.user(user_id(&call)?).await.map_err(Error::of(&dialect))?;
    Ok(json(StatusCode::OK, &[Value::Null; 0]))
}

/// What a body sets, and the password in it, which only `Manage All` may set (decision 28).
fn read(access: &Access<ManageUsers>, call: &ApiCall) -> Result<(UserFields, Option<NewPassword>), Error> {
    let manages_all = access.scope() == Scope::ManageAll;
    let mut given = user_patch::read(&call.json()?, AllowedFields { states: manages_all, password: true })?;
    let Some(password) = given.password.take() else { return Ok((given, None)) };
    if !manages_all {
        return Err(Error::Common(CommonError::ScopeTooSmall));
    }
    // SDKs write truth values with a capital letter.
    let validate = !call.query("validate_policy").is_some_and(|flag| flag.eq_ignore_ascii_case("false"));
    Ok((given, Some(confirmed(password, validate)?)))
}

fn confirmed(given: PasswordFields, validate: bool) -> Result<NewPassword, Error> {
    let unconfirmed = || Error::Validation("Password confirmation doesn't match Password".to_owned());
    if given.is_hashed() {
        return given.foreign().map(NewPassword::Foreign).map_err(|why| match why {
            NotHashed::Unconfirmed => unconfirmed(),
            NotHashed::Algorithm => Error::Validation("Password algorithm is not included in the list".to_owned()),
        });
    }
    match given.password {
        Some(password) if given.confirmation.as_ref() == Some(&password) => {
            Ok(NewPassword::Clear { clear: password.into(), validate })
        }
        _ => Err(unconfirmed()),
    }
}

fn wire(dialect: &Dialect, profile: CompatProfile, call: &ApiCall, user: &User) -> Value {
    Fields::parse(call.query("fields")).of(&UserWire::new(user, Version::V2, dialect.engine.now()).speaking(profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(password: &str, confirmation: &str, algorithm: &str) -> PasswordFields {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        PasswordFields {
            password: text(password),
            confirmation: text(confirmation),
            algorithm: text(algorithm),
            salt: None,
        }
    }

    #[test]
    fn a_password_is_given_twice() {
        let clear = confirmed(given("secret", "secret", ""), true).unwrap();
        assert!(matches!(clear, NewPassword::Clear { clear, validate: true } if *clear == "secret"));
        for refused in [
            given("secret", "secrets", ""),
            given("secret", "", ""),
            given("", "secret", ""),
            given("ab12", "ab13", "salt+sha256"),
        ] {
            assert!(matches!(confirmed(refused, true), Err(Error::Validation(why)) if why.contains("match")));
        }
    }

    #[test]
    fn a_password_hashed_elsewhere_is_of_one_of_three_kinds() {
        for (algorithm, known) in [("salt+sha256", true), ("sha256+salt", true), ("bcrypt", true), ("md5", false)] {
            let hashed = confirmed(given("ab12", "ab12", algorithm), true);
            assert_eq!(matches!(hashed, Ok(NewPassword::Foreign(_))), known, "{algorithm}");
        }
    }

    #[test]
    fn unlocking_is_told_in_both_spellings() {
        let words = UnlockedWire { messsage: "User unlocked", message: "User unlocked" };
        let text = serde_json::to_string(&words).unwrap();
        assert_eq!(text, r#"{"messsage":"User unlocked","message":"User unlocked"}"#);
    }
}
