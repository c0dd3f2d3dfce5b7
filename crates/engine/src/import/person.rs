//! What a list says of a person, and what became of it.

use domain::model::name;
use domain::model::user::EXTERNAL_ID;
use domain::model::user_patch::UserPatch;
use domain::rules::import::{self, ImportField, Unfit};
use domain::{Credential, DeviceId, UserField, UserId};
use serde::{Deserialize, Serialize};

use crate::fault::faults_of_the_store;
use crate::{Fault, users};

/// A person as a list describes them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    pub username: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub external_id: Option<String>,
    pub tokens: Vec<Token>,
    /// Whether what is here is set to what the list says.
    #[serde(default)]
    pub update: bool,
}

/// A device as a list describes it. It travels in clear on the way into the engine, and is sealed there.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its secret, and how codes are made of it.
    pub credential: Credential,
    /// The next counter of a HOTP token.
    pub counter: u64,
    pub display_name: Option<String>,
}

impl Person {
    /// Puts what is looked for and what people read into the form that is kept. A name in which there is nothing to see is
    /// none.
    pub(super) fn tidy(&mut self) {
        self.external_id = self.external_id.as_deref().map(name::spelling).filter(|id| !id.is_empty());
        for token in &mut self.tokens {
            token.display_name = token.display_name.as_deref().and_then(name::label).map(str::to_owned);
        }
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({} tokens)", self.tokens.len())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A person who is here now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub user: UserId,
    /// Whether they are new.
    pub created: bool,
    /// What became of the person's own fields.
    pub person: ImportOutcome,
    /// Their devices in the list's order: the id, and what became of it.
    pub devices: Vec<(DeviceId, ImportOutcome)>,
    /// Those of them, by their place in the list, whose secret another user's device has too.
    #[serde(default)]
    pub shared: Vec<usize>,
}

/// What became of a part of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// It was not here.
    New,
    /// It was here, and the list says nothing else.
    Same,
    /// It was here and the list says otherwise; it was left as it is.
    Differs(Vec<ImportField>),
    /// It was here, and is now as the list says.
    Updated,
}

impl ImportOutcome {
    /// Of what was here and differs so.
    pub(super) fn of(fields: Vec<ImportField>, update: bool) -> Self {
        match (fields.is_empty(), update) {
            (true, _) => Self::Same,
            (false, true) => Self::Updated,
            (false, false) => Self::Differs(fields),
        }
    }
}

/// Why a person was not taken over. Nothing of them was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// What the list says cannot be right.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A field of the user cannot be stored.
    #[error("{} is not acceptable", .0.name())]
    BadField(UserField),
    /// Another user has this name or mail address.
    #[error("another user has this {}", .0.name())]
    Taken(UserField),
    /// The name is taken by somebody else.
    #[error("the user of this username has another external_id")]
    OtherPerson,
    /// The limit of SEC 35.
    #[error("a user has at most 20 devices")]
    TooManyDevices,
    /// Not the list's fault: going on makes no sense.
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(ImportError);

pub(super) fn patch(person: &Person) -> Result<UserPatch, ImportError> {
    if let Some(email) = &person.email {
        import::judge_email(email)?;
    }
    if let Some(phone) = &person.phone {
        import::judge_phone(phone)?;
    }
    if let Some(value) = &person.external_id {
        import::judge_name(EXTERNAL_ID, value)?;
    }
    let said = UserPatch {
        username: Some(Some(person.username.clone())),
        email: person.email.clone().map(Some),
        phone: person.phone.clone().map(Some),
        texts: person.external_id.iter().map(|id| (EXTERNAL_ID.to_owned(), Some(id.clone()))).collect(),
        ..UserPatch::default()
    };
    users::manage::judged(said).map_err(ImportError::BadField)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_log_shows_nothing() {
        let token = Token {
            credential: Credential::Hotp(domain::model::hotp::Hotp {
                secret: domain::Secret::new(b"12345678901234567890".to_vec()),
                digits: 6,
            }),
            counter: 0,
            display_name: Some("Pocket".to_owned()),
        };
        let person = Person {
            username: "ana".to_owned(),
            email: None,
            phone: None,
            external_id: None,
            tokens: vec![token],
            update: false,
        };
        assert_eq!(format!("{person:?} {:?}", person.tokens[0]), "Person(1 tokens) Token(…)");
    }
}
