//! Conditions that are put together for lists. Only our own words are joined; every value is a parameter.

use crate::apply::{id, key};
use crate::query::{DevFilter, UserFilter};
use crate::value::Value;

struct Conditions {
    text: String,
    params: Vec<Value>,
}

impl Conditions {
    fn new() -> Self {
        Self { text: String::new(), params: Vec::new() }
    }

    /// Adds ` AND ` and `condition`, each `?` of which stands for the next value.
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        let mut values = values.into_iter();
        for (n, piece) in condition.split('?').enumerate() {
            if n > 0 {
                self.params.extend(values.next());
                self.text.push('$');
                self.text.push_str(&self.params.len().to_string());
            }
            self.text.push_str(piece);
        }
    }

    fn when<T: Into<Value>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.and(condition, [value.into()]);
        }
    }
}

/// The conditions of a [`UserFilter`], to follow a `WHERE`. `has_attribute` says, in the database's own words, that a
/// user has a custom attribute of some name and value.
pub(crate) fn of_users(filter: &UserFilter, has_attribute: &str) -> (String, Vec<Value>) {
    let mut all = Conditions::new();
    all.when("id = ?", filter.id.map(|id| id.0));
    if let Some(ids) = &filter.user_ids {
        if ids.is_empty() {
            all.and("1 = 0", []);
        } else {
            let places = vec!["?"; ids.len()].join(", ");
            all.and(&format!("id IN ({places})"), ids.iter().map(|id| Value::Int(id.0)));
        }
    }
    all.when("username_key = ?", filter.username.as_deref().map(key));
    all.when("email_key = ?", filter.email.as_deref().map(key));
    all.when("external_id = ?", filter.external_id.as_deref());
    all.when("profile -> 'texts' ->> 'samaccountname' = ?", filter.samaccountname.as_deref());
    all.when("profile -> 'texts' ->> 'firstname' = ?", filter.firstname.as_deref());
    all.when("profile -> 'texts' ->> 'lastname' = ?", filter.lastname.as_deref());
    all.when("CAST(profile -> 'integers' ->> 'directory_id' AS bigint) = ?", filter.directory_id);
    all.when("CAST(profile -> 'integers' ->> 'group_id' AS bigint) = ?", filter.group_id);
    for (name, value) in &filter.custom_attributes {
        all.and(has_attribute, [name.as_str().into(), value.as_str().into()]);
    }
    (all.text, all.params)
}

/// The conditions of a [`DevFilter`], to follow a `WHERE`.
pub(crate) fn of_dev_messages(filter: &DevFilter) -> (String, Vec<Value>) {
    let mut all = Conditions::new();
    all.when("id > ?", filter.after);
    all.when("user_id = ?", filter.user_id.map(|id| id.0));
    all.when("device_id = ?", filter.device_id.map(|id| id.0));
    all.when("verification_id = ?", filter.verification_id.map(id));
    all.when("channel = ?", filter.channel.map(domain::Channel::name));
    all.when("\"to\" = ?", filter.to.as_deref());
    (all.text, all.params)
}
