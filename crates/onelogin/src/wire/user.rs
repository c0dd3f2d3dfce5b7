//! A user on the wire (contract 3.1): one type for both versions, written field by field, so that nothing is shown that is
//! not named here (SEC 46). Password material has no field. The versions differ in a few members.

use std::collections::BTreeMap;

use domain::{Timestamp, User};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::wire::profile::CompatProfile;
use crate::wire::time::with_millis;

/// Which version's members are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A user as both versions write it.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserWire<'a> {
    id: i64,
    username: Option<&'a str>,
    email: Option<&'a str>,
    firstname: Option<&'a str>,
    lastname: Option<&'a str>,
    phone: Option<&'a str>,
    company: Option<&'a str>,
    department: Option<&'a str>,
    title: Option<&'a str>,
    comment: Option<&'a str>,
    status: i64,
    state: i64,
    // Roles are not kept. Clients of both versions read one spelling or the other, and need an array.
    role_id: [i64; 0],
    role_ids: [i64; 0],
    group_id: Option<i64>,
    directory_id: Option<i64>,
    trusted_idp_id: Option<i64>,
    manager_user_id: Id,
    manager_ad_id: Id,
    external_id: Option<&'a str>,
    distinguished_name: Option<&'a str>,
    samaccountname: Option<&'a str>,
    userprincipalname: Option<&'a str>,
    member_of: Option<&'a str>,
    created_at: String,
    updated_at: String,
    activated_at: Option<String>,
    last_login: Option<String>,
    password_changed_at: Option<String>,
    invitation_sent_at: Option<String>,
    locked_until: Option<String>,
    invalid_login_attempts: i64,
    custom_attributes: &'a BTreeMap<String, Option<String>>,
    #[serde(flatten)]
    own: Own<'a>,
}

/// The members that only one version has.
#[derive(Serialize, ToSchema)]
#[schema(as = UserOfVersion)]
#[serde(untagged)]
enum Own<'a> {
    V1 { notes: Option<&'a str>, openid_name: Option<&'a str>, locale_code: Option<&'a str> },
    V2 { preferred_locale_code: Option<&'a str> },
}

/// An id: an integer if it is one, as the live service writes it; a string for clients whose models reject a number.
#[derive(Serialize, ToSchema)]
#[schema(as = ManagerId)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
    None,
}

impl Id {
    fn new(text: Option<String>) -> Self {
        text.map_or(Self::None, |text| text.parse().map_or(Self::Text(text), Self::Number))
    }

    fn into_text(self) -> Self {
        match self {
            Self::Number(number) => Self::Text(number.to_string()),
            other => other,
        }
    }
}

impl<'a> UserWire<'a> {
    /// A user as `version` shows it at `now`.
    pub(crate) fn new(user: &'a User, version: Version, now: Timestamp) -> Self {
        let text = |name: &str| user.profile.texts.get(name).map(String::as_str);
        let integer = |name: &str| user.profile.integers.get(name).copied();
        let at = |moment: Option<Timestamp>| moment.map(|at| with_millis(at.0));
        let own = match version {
            Version::V1 => {
                Own::V1 { notes: text("notes"), openid_name: text("openid_name"), locale_code: text("locale_code") }
            }
            Version::V2 => Own::V2 { preferred_locale_code: text("preferred_locale_code") },
        };
        let (status, locked_until) = user.shown(now);
        Self {
            id: user.id.0,
            username: user.username.as_deref(),
            email: user.email.as_deref(),
            firstname: text("firstname"),
            lastname: text("lastname"),
            phone: user.phone.as_deref(),
            company: text("company"),
            department: text("department"),
            title: text("title"),
            comment: text("comment"),
            status: status.number(),
            state: user.profile.state,
            role_id: [],
            role_ids: [],
            group_id: integer("group_id"),
            directory_id: integer("directory_id"),
            trusted_idp_id: integer("trusted_idp_id"),
            manager_user_id: integer("manager_user_id").map_or(Id::None, Id::Number),
            manager_ad_id: Id::new(text("manager_ad_id").map(str::to_owned)),
            external_id: text("external_id"),
            distinguished_name: text("distinguished_name"),
            samaccountname: text("samaccountname"),
            userprincipalname: text("userprincipalname"),
            member_of: text("member_of"),
            created_at: with_millis(user.created_at.0),
            updated_at: with_millis(user.updated_at.0),
            activated_at: at(user.profile.activated_at),
            last_login: at(user.profile.last_login),
            password_changed_at: at(user.profile.password_changed_at),
            invitation_sent_at: None,
            locked_until: at(locked_until),
            // Counts of wrong answers are never shown (SEC 26).
            invalid_login_attempts: 0,
            custom_attributes: &user.profile.custom_attributes,
            own,
        }
    }
}

impl UserWire<'_> {
    /// In the types that a client of this profile expects.
    #[must_use]
    pub(crate) fn speaking(mut self, profile: CompatProfile) -> Self {
        if matches!(profile, CompatProfile::Python4 | CompatProfile::NumericIds) {
            self.manager_user_id = self.manager_user_id.into_text();
            self.manager_ad_id = self.manager_ad_id.into_text();
        }
        self
    }
}

/// The members that a caller asked for (`?fields=id,email`); without any, all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<String>);

impl Fields {
    /// Unknown names select nothing.
    pub(crate) fn parse(list: Option<&str>) -> Self {
        let names = list.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        Self(names.map(str::to_owned).collect())
    }

    /// The members asked for, and always the id.
    pub(crate) fn of(&self, wire: &impl Serialize) -> Value {
        let mut value = serde_json::to_value(wire).unwrap_or_default();
        if let (Value::Object(members), false) = (&mut value, self.0.is_empty()) {
            members.retain(|name, _| name == "id" || self.0.contains(name));
        }
        value
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::{Profile, UserId, UserLock, UserStatus};
    use serde_json::json;

    /// A user with nothing but its id.
    pub(crate) fn nobody() -> User {
        User {
            id: UserId(7),
            username: None,
            email: None,
            phone: None,
            status: UserStatus::PasswordPending,
            lock: None,
            temp_token: None,
            profile: Profile { state: 1, ..Profile::default() },
            created_at: Timestamp(1_772_357_400_000),
            updated_at: Timestamp(1_772_357_400_001),
        }
    }

    fn wire(user: &User, version: Version) -> Value {
        serde_json::to_value(UserWire::new(user, version, Timestamp(0))).unwrap()
    }

    #[test]
    fn an_empty_user_has_nulls_and_the_types_clients_insist_on() {
        let empty = wire(&nobody(), Version::V2);
        assert_eq!(empty["created_at"], "2026-03-01T09:30:00.000Z");
        assert_eq!(empty["updated_at"], "2026-03-01T09:30:00.001Z");
        assert_eq!(empty["role_ids"], json!([]));
        assert_eq!(empty["role_id"], json!([]));
        assert_eq!(empty["custom_attributes"], json!({}));
        assert_eq!(empty["invalid_login_attempts"], 0);
        assert_eq!((empty["status"].as_i64(), empty["state"].as_i64()), (Some(7), Some(1)));
        for null in ["username", "phone", "group_id", "manager_user_id", "manager_ad_id", "locked_until", "last_login"]
        {
            assert_eq!(empty[null], Value::Null, "{null}");
            assert!(empty.as_object().unwrap().contains_key(null), "{null}");
        }
    }

    #[test]
    fn the_versions_differ_where_the_contract_says() {
        let mut user = nobody();
        user.profile.integers.insert("manager_user_id".to_owned(), 12);
        user.profile.texts.insert("manager_ad_id".to_owned(), "34".to_owned());
        let (v1, v2) = (wire(&user, Version::V1), wire(&user, Version::V2));
        assert_eq!((&v1["manager_user_id"], &v1["manager_ad_id"]), (&json!(12), &json!(34)));
        assert_eq!((&v2["manager_user_id"], &v2["manager_ad_id"]), (&json!(12), &json!(34)));
        let texts = UserWire::new(&user, Version::V2, Timestamp(0)).speaking(CompatProfile::Python4);
        let texts = serde_json::to_value(texts).unwrap();
        assert_eq!((&texts["manager_user_id"], &texts["manager_ad_id"]), (&json!("12"), &json!("34")));
        let only = |a: &Value, b: &Value| -> Vec<String> {
            let b = b.as_object().unwrap();
            a.as_object().unwrap().keys().filter(|name| !b.contains_key(*name)).cloned().collect()
        };
        assert_eq!(only(&v1, &v2), ["locale_code", "notes", "openid_name"]);
        assert_eq!(only(&v2, &v1), ["preferred_locale_code"]);
    }

    #[test]
    fn nothing_of_a_password_is_shown() {
        let mut user = nobody();
        user.profile.password_hash = Some("$argon2id$canary".to_owned());
        for version in [Version::V1, Version::V2] {
            assert!(!wire(&user, version).to_string().contains("canary"));
        }
    }

    #[test]
    fn a_lock_that_is_over_is_not_shown() {
        let locked = User { lock: Some(UserLock::Until(Timestamp(1_000))), ..nobody() };
        let at = |now| serde_json::to_value(UserWire::new(&locked, Version::V2, Timestamp(now))).unwrap();
        assert_eq!((&at(999)["status"], &at(999)["locked_until"]), (&json!(3), &json!("1970-01-01T00:00:01.000Z")));
        assert_eq!((&at(1_000)["status"], &at(1_000)["locked_until"]), (&json!(7), &Value::Null));
        let for_ever = User { lock: Some(UserLock::UntilLifted), ..locked.clone() };
        assert_eq!(wire(&for_ever, Version::V2)["status"], 3);
    }

    #[test]
    fn fields_select_and_the_id_is_always_there() {
        let user = nobody();
        let of = |list| Fields::parse(list).of(&UserWire::new(&user, Version::V2, Timestamp(0)));
        assert_eq!(of(Some("email, status,unheard_of")), json!({ "id": 7, "email": null, "status": 7 }));
        assert_eq!(of(Some("unheard_of")), json!({ "id": 7 }));
        assert_eq!(of(Some(",")), of(None));
        assert!(of(None).as_object().unwrap().len() > 30);
    }
}
