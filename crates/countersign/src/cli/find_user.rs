//! Finds the user that a command names.

use domain::{User, UserId};
use engine::{Engine, UserError};
use serde::{Deserialize, Serialize};

use crate::cli::report::sentence;

/// A user by id, user name or e-mail address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UserKey(pub(crate) String);

/// The user with this key. The error is a sentence for the person who asked.
pub(crate) async fn find(engine: &Engine, key: &UserKey) -> Result<User, String> {
    if let Ok(id) = key.0.parse() {
        return engine.user(UserId(id)).await.map_err(|error| match error {
            UserError::NoUser => no_user(key),
            UserError::Fault(fault) => sentence(fault),
        });
    }
    if let Some(user) = engine.user_by_login(&key.0).await.map_err(sentence)? {
        return Ok(user);
    }
    let holders = engine.holders(&key.0).await.map_err(sentence)?;
    if holders.is_empty() {
        return Err(no_user(key));
    }
    let ids: Vec<String> = holders.iter().map(|holder| holder.user.to_string()).collect();
    Err(format!("several users have the name {}: give one of the ids {} instead", key.0, ids.join(", ")))
}

fn no_user(key: &UserKey) -> String {
    format!("there is no user {}; give an id, a user name or an e-mail address (`countersign user list`)", key.0)
}
