//! Temporary tokens: issued by an administrator, for a user without a device at hand.

use domain::model::audit::Actor;
use domain::model::code::Alphabet;
use domain::model::temp_token::{LENGTH, context};
use domain::rules::temp_token::{self, Issued};
use domain::{TempToken, Timestamp, UserId};

use crate::decision_name::DecisionName;
use crate::fault::faults_of_the_store;
use crate::{Engine, Fault};

/// A temporary token as it is handed out, once.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it may be used more than once.
    pub reusable: bool,
}

/// Why no temporary token was issued.
#[derive(Debug, thiserror::Error)]
pub enum TempTokenError {
    #[error("no such user")]
    NoUser,
    /// The user is suspended or locked by an administrator.
    #[error("the user is locked")]
    Barred,
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(TempTokenError);

impl Engine {
    /// Issues a temporary token that lives `ttl` milliseconds, in place of any earlier one.
    pub async fn issue_temp_token(
        &self,
        user: UserId,
        ttl: i64,
        reusable: bool,
        by: Actor,
    ) -> Result<IssuedToken, TempTokenError> {
        let now = self.now();
        // Never a leading zero: clients that send a number would lose it, and with it the token's form.
        let token = loop {
            let drawn = self.chance.code(Alphabet::Digits, LENGTH);
            if !drawn.starts_with('0') {
                break drawn;
            }
        };
        let hash = self.keys.mac_keys().hash(&context(user), &token);
        let expires_at = now.plus(ttl);
        let stored = TempToken { hash, expires_at, reusable, used_at: None };
        let issued = self
            .decide(DecisionName::IssueTempToken, user, move |view| temp_token::issue(view, stored.clone(), &by, now))
            .await?;
        match issued {
            Issued::Issued => Ok(IssuedToken { token, expires_at, reusable }),
            Issued::NoUser => Err(TempTokenError::NoUser),
            Issued::Barred => Err(TempTokenError::Barred),
        }
    }

    /// Ends a user's temporary token. Says whether there was a live one.
    pub async fn revoke_temp_token(&self, user: UserId, by: Actor) -> Result<bool, Fault> {
        let now = self.now();
        Ok(self.decide(DecisionName::RevokeTempToken, user, move |view| temp_token::revoke(view, &by, now)).await?)
    }
}
