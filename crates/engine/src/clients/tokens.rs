//! OAuth client credentials, access and refresh tokens (contract 2).

use std::net::IpAddr;
use std::sync::Arc;

use domain::model::audit::Actor;
use domain::model::client::ACCESS_TTL;
use domain::rules::client::{self, Grant, Revocation};
use domain::{Client, ClientId, Digest, Sealed, Timestamp, TokenSet};
use serde::{Deserialize, Serialize};
use store::IdKind;

use super::caller::ApiCaller;
use crate::decision_name::DecisionName;
use crate::{Engine, Fault};

/// What a token that was shown amounts to.
#[derive(Debug)]
pub enum Authentication {
    Caller(Arc<ApiCaller>),
    /// It is unknown, over or revoked, or its client is.
    UnknownToken,
    /// It works, but not from this address (SEC 42).
    ForbiddenAddress(ClientId),
}

/// A pair of tokens in clear, on its way to the client.
#[derive(Clone)]
pub struct TokenPair {
    /// 64 hexadecimal characters.
    pub access: String,
    /// 64 hexadecimal characters.
    pub refresh: String,
    /// When the pair was issued.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenPair(issued {})", self.created_at.0)
    }
}

/// How a request for tokens ends.
#[derive(Debug)]
pub enum TokenAnswer {
    /// Here they are.
    Granted(TokenPair),
    /// Unknown client, wrong secret or wrong refresh token.
    Refused,
    /// A wrong secret after too many of them; come back then (SEC 30).
    Held(Timestamp),
}

#[derive(Serialize, Deserialize)]
struct ClearPair {
    access: String,
    refresh: String,
}

impl Engine {
    /// Whose access token this is, if it works from this address.
    pub async fn authenticate(&self, token: &str, from: IpAddr) -> Result<Authentication, Fault> {
        Ok(match self.holder_of(Digest::of(token.as_bytes())).await? {
            Some(caller) if caller.may_call(from) => Authentication::Caller(caller),
            Some(caller) => Authentication::ForbiddenAddress(caller.client),
            None => Authentication::UnknownToken,
        })
    }

    /// Whose access token this is, by its digest, if it works. The address is not checked.
    pub(crate) async fn holder_of(&self, digest: Digest) -> Result<Option<Arc<ApiCaller>>, Fault> {
        let now = self.now();
        if let Some(caller) = self.callers.get(&digest) {
            return Ok((now < caller.expires_at).then_some(caller));
        }
        let Some((set, client)) = self.store.token(digest).await? else { return Ok(None) };
        if !set.is_live(now) || !client.is_live(now) {
            return Ok(None);
        }
        let ends = set.created_at.plus(ACCESS_TTL);
        let caller = Arc::new(ApiCaller {
            client: client.id,
            scope: client.scope,
            profile: client.profile,
            options: client.options,
            token: digest,
            expires_at: client.expires_at.map_or(ends, |end| end.min(ends)),
            ip_allow: client.ip_allow,
        });
        self.callers.insert(digest, caller.clone());
        Ok(Some(caller))
    }

    /// Client credentials grant: the live pair again, or a new one.
    pub async fn grant_token(
        &self,
        client: ClientId,
        secret: &str,
        from: IpAddr,
        context: Actor,
    ) -> Result<TokenAnswer, Fault> {
        let now = self.now();
        let secret = zeroize::Zeroizing::new(secret.to_owned());
        // The usual call asks for a pair that lives already: that needs no write.
        let snapshot = self.store.client_view(client, None).await?;
        let fresh = self.draw_pair(client, now).await?;
        let first = client::grant(&snapshot, &secret, from, &fresh, &context, now);
        if first.changes.is_empty() {
            return self.token_answer(first.reply);
        }
        let granted = self
            .decide_client(DecisionName::GrantToken, client, None, move |view| {
                client::grant(view, &secret, from, &fresh, &context, now)
            })
            .await?;
        self.token_answer(granted)
    }

    /// Whose pair this is, if both halves are right and work from this address. A caller who knows only one half must cost that client nothing.
    pub async fn client_of_pair(&self, access: &str, refresh: &str, from: IpAddr) -> Result<Option<ClientId>, Fault> {
        let (now, refresh) = (self.now(), Digest::of(refresh.as_bytes()));
        let found = self.store.token(Digest::of(access.as_bytes())).await?;
        let right = found.filter(|(set, client)| set.is_refreshed_by(&refresh, now) && client.may_call(from, now));
        Ok(right.map(|(_, client)| client.id))
    }

    /// Refresh grant: the matching pair is answered with its successor, which is made if there is none yet.
    pub async fn refresh_token(
        &self,
        client: ClientId,
        access: &str,
        refresh: &str,
        from: IpAddr,
        context: Actor,
    ) -> Result<TokenAnswer, Fault> {
        let now = self.now();
        let (access, refresh) = (Digest::of(access.as_bytes()), Digest::of(refresh.as_bytes()));
        // Of many that hold the same pair all but the first find a successor: that needs no write.
        let snapshot = self.store.client_view(client, Some(access)).await?;
        let fresh = self.draw_pair(client, now).await?;
        let first = client::refresh(&snapshot, &refresh, from, &fresh, &context, now);
        if first.changes.is_empty() {
            return self.token_answer(first.reply);
        }
        let granted = self
            .decide_client(DecisionName::RefreshToken, client, Some(access), move |view| {
                client::refresh(view, &refresh, from, &fresh, &context, now)
            })
            .await?;
        self.token_answer(granted)
    }

    /// Revokes an access token and all of its line, for the client that holds them.
    pub async fn revoke_token(
        &self,
        client: ClientId,
        secret: &str,
        access: &str,
        from: IpAddr,
        context: Actor,
    ) -> Result<Revocation, Fault> {
        let now = self.now();
        let secret = zeroize::Zeroizing::new(secret.to_owned());
        let access = Digest::of(access.as_bytes());
        let revoked = self
            .decide_client(DecisionName::RevokeToken, client, Some(access), move |view| {
                client::revoke(view, &secret, from, &context, now)
            })
            .await?;
        self.callers.invalidate_all();
        Ok(revoked)
    }

    /// Forgets every remembered caller: somebody has been revoked.
    pub fn forget_callers(&self) {
        self.callers.invalidate_all();
    }

    async fn draw_pair(&self, client: ClientId, now: Timestamp) -> Result<TokenSet, Fault> {
        let pair = ClearPair { access: self.chance.hex::<32>(), refresh: self.chance.hex::<32>() };
        let row = self.store.next_id(IdKind::TokenRow).await?;
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&pair).map_err(Fault::internal)?);
        Ok(TokenSet {
            access: Digest::of(pair.access.as_bytes()),
            refresh: Digest::of(pair.refresh.as_bytes()),
            client_id: client,
            sealed: Some(self.keys.seal(TokenSet::place(row, client), self.chance.bytes(), &plain)),
            row,
            family: row,
            created_at: now,
            ended_at: None,
        })
    }

    fn token_answer(&self, grant: Grant) -> Result<TokenAnswer, Fault> {
        Ok(match grant {
            Grant::Refused => TokenAnswer::Refused,
            Grant::Held(until) => TokenAnswer::Held(until),
            Grant::Granted(set) => {
                let sealed: &Sealed =
                    set.sealed.as_ref().ok_or_else(|| Fault::internal("a live pair without its sealed copy"))?;
                let plain = self.keys.open(TokenSet::place(set.row, set.client_id), sealed).map_err(Fault::internal)?;
                let pair: ClearPair = serde_json::from_slice(plain.expose()).map_err(Fault::internal)?;
                TokenAnswer::Granted(TokenPair {
                    access: pair.access,
                    refresh: pair.refresh,
                    created_at: set.created_at,
                })
            }
        })
    }

    /// A client by what it shows.
    pub async fn client(&self, client_id: &str) -> Result<Option<Client>, Fault> {
        Ok(self.store.client_by_public_id(client_id).await?)
    }
}
