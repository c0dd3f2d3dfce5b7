//! What a body sets on a user (contract 3.1, 3.2), in both versions.
//!
//! A client may read a user, change one member and send all back: members that cannot be set are ignored. `null` leaves a
//! member as it is; an empty string clears it. An unknown member is refused.

use domain::model::user::EXTERNAL_ID;
use domain::model::user_patch::UserPatch;
use domain::{ShownStatus, Timestamp, User};
use serde_json::Value;

use super::user_field::{BadUserField, integer, lines, text, trimmed};
use super::user_password::{self, PasswordFields};
use crate::wire::lenient::{Body, is_line};

/// Longest name, address and number, in characters.
const SHORT: usize = 100;
/// Longest mail address.
const EMAIL: usize = 254;
/// Longest of the other texts.
const LONG: usize = 1_000;

/// Texts of the profile and their lengths.
const TEXTS: &[(&str, usize)] = &[
    ("firstname", SHORT),
    ("lastname", SHORT),
    ("company", LONG),
    ("department", LONG),
    ("title", LONG),
    ("comment", LONG),
    ("notes", LONG),
    ("manager_ad_id", SHORT),
    (EXTERNAL_ID, LONG),
    ("distinguished_name", LONG),
    ("samaccountname", LONG),
    ("userprincipalname", LONG),
    ("member_of", LONG),
    ("openid_name", LONG),
    ("locale_code", SHORT),
    ("preferred_locale_code", SHORT),
];

/// Integers of the profile.
const INTEGERS: &[&str] = &["group_id", "directory_id", "trusted_idp_id", "manager_user_id"];

/// Members that only the server sets. Roles are among them: they are not kept.
const READ_ONLY: &[&str] = &[
    "id",
    "role_id",
    "role_ids",
    "created_at",
    "updated_at",
    "activated_at",
    "last_login",
    "password_changed_at",
    "invitation_sent_at",
    "locked_until",
    "invalid_login_attempts",
];

/// Members that only `Manage All` may set.
const STATES: &[&str] = &["status", "state"];

/// Members that set a password.
const PASSWORDS: &[&str] = &["password", "password_confirmation", "password_algorithm", "salt"];

#[derive(Debug, Default)]
pub(crate) struct UserFields {
    pub patch: UserPatch,
    pub password: Option<PasswordFields>,
}

/// Which members a body may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllowedFields {
    /// Whether `status` and `state` are read; otherwise they are ignored.
    pub states: bool,
    /// Whether members about a password are known; otherwise they are refused.
    pub password: bool,
}

/// Reads a body. A member that is null is absent, whatever its name (contract 1.2).
pub(crate) fn read(body: &Body, allowed: AllowedFields) -> Result<UserFields, BadUserField> {
    if let Some(unknown) = body.names().find(|name| !is_known(name, allowed)) {
        return Err(BadUserField::Unknown(unknown.to_owned()));
    }
    let mut patch = UserPatch {
        username: trimmed(body, "username", SHORT)?,
        email: trimmed(body, "email", EMAIL)?,
        phone: trimmed(body, "phone", SHORT)?,
        custom_attributes: custom_attributes(body)?,
        ..UserPatch::default()
    };
    for (name, max) in TEXTS {
        let read = if *name == EXTERNAL_ID { trimmed } else { text };
        patch.texts.extend(read(body, name, *max)?.map(|value| ((*name).to_owned(), value)));
    }
    for name in INTEGERS {
        patch.integers.extend(integer(body, name)?.map(|value| ((*name).to_owned(), value)));
    }
    if allowed.states {
        patch.status = body
            .int("status")
            .map_err(|wrong| BadUserField::Wrong(wrong.field))?
            .map(|number| ShownStatus::from_number(number).ok_or(BadUserField::Wrong("status".to_owned())))
            .transpose()?;
        patch.state = state(body)?;
    }
    let password = if allowed.password { user_password::read(body, "salt")? } else { None };
    Ok(UserFields { patch, password })
}

/// The part of a patch that changes the user as it is at `now`. A status that was sent back unchanged sets nothing: it
/// would make a timed lock permanent. `None` if the user would be left without username and mail address.
pub(crate) fn changes(patch: UserPatch, present: &User, now: Timestamp) -> Option<UserPatch> {
    let remains = |new: &Option<Option<String>>, old: &Option<String>| new.as_ref().unwrap_or(old).is_some();
    let was_named = present.username.is_some() || present.email.is_some();
    let is_named = remains(&patch.username, &present.username) || remains(&patch.email, &present.email);
    let status = patch.status.filter(|status| *status != present.shown(now).0);
    (is_named || !was_named).then_some(UserPatch { status, ..patch })
}

/// The approval state in a body.
pub(crate) fn state(body: &Body) -> Result<Option<i64>, BadUserField> {
    match body.int("state").map_err(|wrong| BadUserField::Wrong(wrong.field))? {
        Some(state) if !(0..=3).contains(&state) => Err(BadUserField::Wrong("state".to_owned())),
        state => Ok(state),
    }
}

/// The custom attributes in a body: texts, or numbers as text; `null` clears one.
pub(crate) fn custom_attributes(body: &Body) -> Result<Vec<(String, Option<String>)>, BadUserField> {
    const FIELD: &str = "custom_attributes";
    let wrong = || BadUserField::Wrong(FIELD.to_owned());
    let attributes = match body.get(FIELD) {
        None => return Ok(Vec::new()),
        Some(Value::Object(attributes)) => attributes,
        Some(_) => return Err(wrong()),
    };
    let read = |(name, value): (&String, &Value)| {
        if name.is_empty() || !is_line(name, SHORT) {
            return Err(wrong());
        }
        let value = match value {
            Value::Null => None,
            other => Some(lines(other, LONG).ok_or_else(wrong)?),
        };
        Ok((name.clone(), value))
    };
    attributes.iter().map(read).collect()
}

fn is_known(name: &str, allowed: AllowedFields) -> bool {
    matches!(name, "username" | "email" | "phone" | "custom_attributes")
        || TEXTS.iter().any(|(known, _)| *known == name)
        || [INTEGERS, READ_ONLY, STATES].iter().any(|group| group.contains(&name))
        || allowed.password && PASSWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::user::{UserWire, Version, tests::nobody};
    use domain::{UserLock, UserStatus};

    const ALL: AllowedFields = AllowedFields { states: true, password: true };

    fn given(text: &str) -> Result<UserFields, BadUserField> {
        read(&Body::parse(text.as_bytes()).unwrap(), ALL)
    }

    #[test]
    fn a_body_sets_what_it_names() {
        let patch = given(
            r#"{"username":"ana","email":null,"phone":"","company":"X","title":12,"group_id":"5","directory_id":"",
            "status":1,"state":"3","custom_attributes":{"k":"v","n":4,"z":null},"comment":"a\nb"}"#,
        )
        .unwrap()
        .patch;
        assert_eq!(patch.username, Some(Some("ana".to_owned())));
        assert_eq!((patch.email, patch.phone), (None, Some(None)));
        assert_eq!(patch.integers, [("group_id".to_owned(), Some(5)), ("directory_id".to_owned(), None)]);
        assert_eq!((patch.status, patch.state), (Some(UserStatus::Active.into()), Some(3)));
        assert!(patch.texts.contains(&("title".to_owned(), Some("12".to_owned()))));
        assert!(patch.texts.contains(&("comment".to_owned(), Some("a\nb".to_owned()))));
        let attributes = [("k", Some("v")), ("n", Some("4")), ("z", None)];
        assert_eq!(patch.custom_attributes, attributes.map(|(k, v)| (k.to_owned(), v.map(str::to_owned))));
    }

    #[test]
    fn a_user_that_was_read_may_be_sent_back_and_changes_nothing() {
        for version in [Version::V1, Version::V2] {
            let user = nobody();
            let text = serde_json::to_string(&UserWire::new(&user, version, Timestamp(0))).unwrap();
            let given = given(&text).unwrap();
            assert!(given.password.is_none());
            let patch =
                UserPatch { status: Some(UserStatus::PasswordPending.into()), state: Some(1), ..UserPatch::default() };
            assert_eq!(given.patch, patch, "{version:?}");
        }
    }

    #[test]
    fn a_status_sent_back_as_it_was_is_no_change() {
        let lock = Some(UserLock::Until(Timestamp(10)));
        let locked = User { lock, username: Some("ana".to_owned()), ..nobody() };
        let status = |status, now| {
            let patch = UserPatch { status: Some(status), ..UserPatch::default() };
            changes(patch, &locked, Timestamp(now)).unwrap().status
        };
        let (under, active) = (UserStatus::PasswordPending.into(), UserStatus::Active.into());
        assert_eq!(status(ShownStatus::Locked, 9), None);
        assert_eq!(status(active, 9), Some(active));
        assert_eq!(status(under, 9), Some(under));
        assert_eq!(status(under, 10), None);
        assert_eq!(status(ShownStatus::Locked, 10), Some(ShownStatus::Locked));
    }

    #[test]
    fn a_user_keeps_a_name() {
        let named = User { username: Some("ana".to_owned()), ..nobody() };
        let clears = UserPatch { username: Some(None), ..UserPatch::default() };
        assert!(changes(clears.clone(), &named, Timestamp(0)).is_none());
        assert!(!clears.names_somebody());
        let moves = UserPatch { email: Some(Some("ana@example.com".to_owned())), ..clears };
        assert!(changes(moves.clone(), &named, Timestamp(0)).is_some());
        assert!(moves.names_somebody());
        assert!(changes(UserPatch::default(), &nobody(), Timestamp(0)).is_some());
    }

    #[test]
    fn a_name_no_user_has_is_refused() {
        assert_eq!(given(r#"{"last":"x"}"#).unwrap_err(), BadUserField::Unknown("last".to_owned()));
        assert_eq!(given(r#"{"employee_number":0}"#).unwrap_err(), BadUserField::Unknown("employee_number".to_owned()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (text, field) in [
            (r#"{"username":true}"#, "username"),
            (r#"{"username":["a"]}"#, "username"),
            (r#"{"firstname":"a\nb"}"#, "firstname"),
            (r#"{"firstname":"a\u202eb"}"#, "firstname"),
            (r#"{"group_id":"five"}"#, "group_id"),
            (r#"{"group_id":2147483648}"#, "group_id"),
            (r#"{"group_id":-1}"#, "group_id"),
            (r#"{"status":6}"#, "status"),
            (r#"{"status":9}"#, "status"),
            (r#"{"state":4}"#, "state"),
            (r#"{"custom_attributes":[]}"#, "custom_attributes"),
            (r#"{"custom_attributes":{"a":true}}"#, "custom_attributes"),
            (r#"{"custom_attributes":{"":"x"}}"#, "custom_attributes"),
            (r#"{"password":{}}"#, "password"),
        ] {
            assert_eq!(given(text).unwrap_err(), BadUserField::Wrong(field.to_owned()), "{text}");
        }
        let long = format!(r#"{{"lastname":"{}"}}"#, "x".repeat(101));
        assert_eq!(given(&long).unwrap_err(), BadUserField::Wrong("lastname".to_owned()));
    }

    #[test]
    fn only_those_who_may_set_status_state_and_passwords() {
        let body = Body::parse(br#"{"status":2,"state":9,"password":null}"#).unwrap();
        let given = read(&body, AllowedFields { states: false, password: false }).unwrap();
        assert_eq!(given.patch, UserPatch::default());
        let body = Body::parse(br#"{"password":"x"}"#).unwrap();
        let refused = read(&body, AllowedFields { states: true, password: false }).unwrap_err();
        assert_eq!(refused, BadUserField::Unknown("password".to_owned()));
    }

    #[test]
    fn nothing_is_no_attribute() {
        for text in [r#"{"after_cursor":null}"#, r#"{"company":"x","after_cursor":null,"Z":null}"#] {
            let body = Body::parse(text.as_bytes()).unwrap();
            assert!(read(&body, AllowedFields { states: true, password: false }).is_ok(), "{text}");
        }
        for text in [r#"{"after_cursor":""}"#, r#"{"after_cursor":0}"#, r#"{"after_cursor":[]}"#] {
            let body = Body::parse(text.as_bytes()).unwrap();
            let refused = read(&body, AllowedFields { states: true, password: false }).unwrap_err();
            assert_eq!(refused, BadUserField::Unknown("after_cursor".to_owned()), "{text}");
        }
    }
}
