//! Apps: the services that SAML assertions are made for (contract 6).

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;
use crate::model::user::User;

/// An app's id; within 32 bits, like every id on the wire (contract 1.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(pub i64);

/// A service that takes our assertions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamlApp {
    pub id: AppId,
    /// A name for people, unique.
    pub name: String,
    pub definition: Definition,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What goes into an app's assertions, and where they are posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The assertion consumer service: where the browser or tool posts the response.
    pub acs_url: String,
    /// Whom the assertion is for.
    pub audience: String,
    /// What the subject is called.
    #[serde(default)]
    pub name_id: Source,
    /// Attributes, each a name and where its values come from, in order.
    #[serde(default)]
    pub attributes: Vec<(String, Source)>,
    /// Roles of Amazon Web Services, each `role ARN, provider ARN`: the preset that its command-line tools look for.
    #[serde(default)]
    pub aws_roles: Vec<(String, String)>,
    /// Seconds a session at Amazon may last; theirs if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_session_ttl: Option<u32>,
}

/// Where a value about a user comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The mail address.
    #[default]
    Email,
    /// The user name.
    Username,
    /// The number of the user.
    Id,
    /// A text of the profile, by its name in contract 3.1 (`firstname`, `department`, ...).
    Profile(String),
    /// A custom attribute.
    Custom(String),
    /// The same for everybody.
    Fixed(String),
}

impl Source {
    /// Reads the form in which a command line names a source: `email`, `username`, `id`, `profile:NAME`,
    /// `custom:NAME` or `fixed:TEXT`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => match text {
                "email" => Some(Self::Email),
                "username" => Some(Self::Username),
                "id" => Some(Self::Id),
                _ => None,
            },
            Some(("profile", name)) if !name.is_empty() => Some(Self::Profile(name.to_owned())),
            Some(("custom", name)) if !name.is_empty() => Some(Self::Custom(name.to_owned())),
            Some(("fixed", text)) => Some(Self::Fixed(text.to_owned())),
            Some(_) => None,
        }
    }

    /// The value for this user, if the user has one. A missing value has no substitute: an
    /// assertion about one person must never hold what identifies another.
    pub fn of(&self, user: &User) -> Option<String> {
        let value = match self {
            Self::Email => user.email.clone(),
            Self::Username => user.username.clone(),
            Self::Id => Some(user.id.to_string()),
            Self::Profile(name) if name == "phone" => user.phone.clone(),
            Self::Profile(name) => user.profile.texts.get(name).cloned(),
            Self::Custom(name) => user.profile.custom_attributes.get(name).cloned().flatten(),
            Self::Fixed(text) => Some(text.clone()),
        };
        value.filter(|value| !value.is_empty())
    }

    /// What it is called in a sentence for the operator of an app.
    pub(crate) fn called(&self) -> String {
        match self {
            Self::Email => "an e-mail address".to_owned(),
            Self::Username => "a username".to_owned(),
            Self::Id => "an id".to_owned(),
            Self::Profile(name) => format!("the user's {name}"),
            Self::Custom(name) => format!("the custom attribute {name}"),
            Self::Fixed(_) => "a fixed text that is not empty".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_as_it_is_written_on_a_command_line() {
        assert_eq!(Source::parse("email"), Some(Source::Email));
        assert_eq!(Source::parse("profile:department"), Some(Source::Profile("department".to_owned())));
        assert_eq!(Source::parse("fixed:a:b"), Some(Source::Fixed("a:b".to_owned())));
        for unknown in ["", "mail", "profile:", "custom:", "other:x"] {
            assert_eq!(Source::parse(unknown), None, "{unknown}");
        }
    }
}
