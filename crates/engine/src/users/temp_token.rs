//! Temporary tokens.

use domain::model::audit::Actor;
use domain::model::code::Alphabet;
use domain::model::temp_token::{LENGTH, context};
use domain::rules::temp_token::{self, Issued};
use domain::{TempToken, Timestamp, UserId};

use crate::decide::DecisionName;
use crate::{Engine, Error};

/// A temporary token as it is handed out, once.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it may be used more than once.
    pub reusable: bool,
}

impl Engine {
    /// Issues a temporary token that lives `ttl` milliseconds, in place of any earlier one.
    pub async fn issue_temp_token(
        &self,
        user: UserId,
        ttl: i64,
        reusable: bool,
        by: Actor,
    ) -> Result<IssuedToken, Error> {
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
            Issued::NoUser => Err(Error::NoUser),
            Issued::Barred => Err(Error::Barred),
        }
    }

    /// Ends a user's temporary token. Says whether there was a live one.
    pub async fn revoke_temp_token(&self, user: UserId, by: Actor) -> Result<bool, Error> {
        let now = self.now();
        Ok(self.decide(DecisionName::RevokeTempToken, user, move |view| temp_token::revoke(view, &by, now)).await?)
    }
}
