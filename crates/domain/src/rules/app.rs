//! What an assertion says about a user (contract 6).

use crate::model::app::{Definition, Source};
use crate::model::user::User;

/// Why no assertion can be made about a user, in words for the operator of the app. They name fields, and no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unassertable {
    /// The user lacks what the app's subject is made of.
    #[error("the app needs {0}")]
    Missing(String),
    /// A value holds characters that XML cannot, kept by a version that did not refuse them.
    #[error("{0} holds characters that an assertion cannot carry")]
    Characters(String),
    /// Amazon Web Services take no other names for a session; two users must not come to share one.
    #[error("the app needs a name of 2 to 64 letters A to Z, digits and _+=,.@- for its session")]
    Session,
}

/// What an assertion says about a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub subject: String,
    /// Attributes that the user has a value for, in order.
    pub attributes: Vec<(String, String)>,
}

/// Fewest and most characters of a name for a session at Amazon.
const SESSION_NAME: std::ops::RangeInclusive<usize> = 2..=64;

impl Definition {
    /// What an assertion tells the app about this user. `is_writable` is whether XML can hold a text.
    pub fn said(&self, user: &User, is_writable: impl Fn(&str) -> bool) -> Result<Said, Unassertable> {
        let written = |value: String, source: &Source| {
            if is_writable(&value) { Ok(value) } else { Err(Unassertable::Characters(source.called())) }
        };
        let subject = self.name_id.of(user).ok_or_else(|| Unassertable::Missing(self.name_id.called()))?;
        let subject = written(subject, &self.name_id)?;
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-');
        let names_a_session = SESSION_NAME.contains(&subject.len()) && subject.chars().all(is_known);
        if !self.aws_roles.is_empty() && !names_a_session {
            return Err(Unassertable::Session);
        }
        let mut attributes = Vec::with_capacity(self.attributes.len());
        for (name, source) in &self.attributes {
            if let Some(value) = source.of(user) {
                attributes.push((name.clone(), written(value, source)?));
            }
        }
        Ok(Said { subject, attributes })
    }
}
