//! Access tokens, and what operators change about clients (contract 2).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::change::{Change, Decision};
use crate::model::client::{
    Client, ClientOptions, ClientProfile, ClientSecret, ClientView, TokenSet, WRONG_SECRET_WINDOW,
};
use crate::model::digest::Digest;
use crate::model::id::ClientId;
use crate::model::long_poll::LongPoll;
use crate::model::network::Network;
use crate::model::refusal::Rule;
use crate::model::time::Timestamp;
use crate::model::webotp::WebOtpHost;

/// How a request for tokens ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A set to answer with; its clear text is sealed inside.
    Granted(TokenSet),
    /// No such client, wrong secret, no longer valid, or not from this address. The four look alike.
    Refused,
    /// Too many wrong secrets (SEC 30).
    Held(Timestamp),
}

/// Client credentials grant: a live set is answered again, else the freshly drawn `fresh` one (contract 2.1). The secret
/// is judged before anything else: the right one is never refused because of wrong ones, since anybody may know the id.
pub fn grant(
    view: &ClientView,
    secret: &str,
    from: IpAddr,
    fresh: &TokenSet,
    context: &Actor,
    now: Timestamp,
) -> Decision<Grant> {
    let Some(client) = view.client.as_ref() else { return Decision::reply(Grant::Refused) };
    if let Some(rule) = barrier(client, secret, from, now) {
        return wrong_secret(client, rule, context, now, Grant::Refused, Grant::Held);
    }
    if let Some(live) = view.newest.as_ref().filter(|set| set.is_live(now) && set.sealed.is_some()) {
        return Decision::reply(Grant::Granted(live.clone()));
    }
    Decision::reply(Grant::Granted(fresh.clone()))
        .with(Change::CreateTokenSet(fresh.clone()))
        .with(context.client_event(AuditKind::TokenIssued, client.id, now).into())
}

/// What keeps this caller from speaking for the client, if anything does.
fn barrier(client: &Client, secret: &str, from: IpAddr, now: Timestamp) -> Option<Rule> {
    if !client.knows(secret) {
        return Some(Rule::WrongSecret);
    }
    (!client.may_call(from, now)).then_some(Rule::ClientBarred)
}

/// Counts a wrong secret against its client only (SEC 30). Beyond the limit it is `held`, and nothing is written: that
/// costs the sender nothing more than waiting, and must not cost us a row each.
fn wrong_secret<T>(
    client: &Client,
    rule: Rule,
    context: &Actor,
    now: Timestamp,
    refused: T,
    held: impl FnOnce(Timestamp) -> T,
) -> Decision<T> {
    if let Some(until) = client.held_until(now) {
        return Decision::reply(held(until));
    }
    let mut wrong: Vec<_> =
        client.wrong_secrets.iter().copied().filter(|at| now.since(*at) < WRONG_SECRET_WINDOW).collect();
    wrong.push(now);
    Decision::reply(refused)
        .with(Change::SetWrongSecrets { client: client.id, at: wrong })
        .with(AuditEvent { rule: Some(rule), ..context.client_event(AuditKind::ClientRefused, client.id, now) }.into())
}

/// Refresh grant: needs the matching pair. Every process of a client holds the same pair (contract 2.1), so a refresh ends
/// nothing: the first one makes the pair's successor, and for as long as the old one would have lived it is answered with
/// the newest of its line. Only a revocation ends pairs, and it ends the line.
pub fn refresh(
    view: &ClientView,
    refresh: &Digest,
    from: IpAddr,
    fresh: &TokenSet,
    context: &Actor,
    now: Timestamp,
) -> Decision<Grant> {
    let (Some(client), Some(asked)) = (view.client.as_ref(), view.asked.as_ref()) else {
        return Decision::reply(Grant::Refused);
    };
    if asked.client_id != client.id || !asked.is_refreshed_by(refresh, now) || !client.may_call(from, now) {
        return Decision::reply(Grant::Refused);
    }
    let newest = view.newest_of_family.as_ref().unwrap_or(asked);
    if newest.access != asked.access && newest.is_live(now) && newest.sealed.is_some() {
        return Decision::reply(Grant::Granted(newest.clone()));
    }
    let fresh = TokenSet { family: asked.family, ..fresh.clone() };
    Decision::reply(Grant::Granted(fresh.clone()))
        .with(Change::ReplaceTokenSet { access: newest.access })
        .with(Change::CreateTokenSet(fresh))
        .with(context.client_event(AuditKind::TokenRefreshed, client.id, now).into())
}

/// How a revocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// It no longer works, or never did.
    Done,
    /// Wrong client credentials, not from this address, or another client's token.
    Refused,
    /// Too many wrong secrets.
    Held(Timestamp),
}

/// Revokes an access token, its refresh token, and all that descend from the same grant (contract 2.3): a pair that was
/// refreshed before must not bring a new one.
pub fn revoke(view: &ClientView, secret: &str, from: IpAddr, context: &Actor, now: Timestamp) -> Decision<Revocation> {
    let Some(client) = view.client.as_ref() else { return Decision::reply(Revocation::Refused) };
    if let Some(rule) = barrier(client, secret, from, now) {
        return wrong_secret(client, rule, context, now, Revocation::Refused, Revocation::Held);
    }
    match &view.asked {
        Some(set) if set.client_id != client.id => Decision::reply(Revocation::Refused),
        Some(set) if set.ended_at.is_none() => Decision::reply(Revocation::Done)
            .with(Change::EndTokenFamily { client: client.id, family: set.family, at: now })
            .with(context.client_event(AuditKind::TokenRevoked, client.id, now).into()),
        _ => Decision::reply(Revocation::Done),
    }
}

/// Registers a client.
pub fn create(client: Client, now: Timestamp) -> Decision<Client> {
    Decision::reply(client.clone())
        .with(AuditEvent::of_client(AuditKind::ClientCreated, client.id, now).into())
        .with_first(Change::CreateClient(client))
}

/// Ends a client and every token it holds: from then on nothing that it asks is answered. What it has begun with people ends
/// after that, with each by itself ([`end_begun`]). `None` if there is no such client.
pub fn revoke_client(view: &ClientView, now: Timestamp) -> Decision<Option<Client>> {
    let Some(client) = view.client.clone() else { return Decision::reply(None) };
    let revoked = Client { revoked_at: client.revoked_at.or(Some(now)), ..client };
    Decision::reply(Some(revoked.clone()))
        .with(Change::EndTokens { client: revoked.id, at: now })
        .with(AuditEvent::of_client(AuditKind::ClientRevoked, revoked.id, now).into())
        .with(Change::UpdateClient(revoked))
}

/// Ends whatever a client that was revoked has begun with a user (SEC 56).
pub fn end_begun(client: ClientId) -> Decision<()> {
    Decision::reply(()).with(Change::EndBegun(client))
}

/// Adds a secret in front and keeps one older one, so that both work while callers change over (SEC 42).
pub fn rotate_client(view: &ClientView, secret: ClientSecret, now: Timestamp) -> Decision<Option<Client>> {
    let Some(client) = view.client.clone().filter(|c| c.is_live(now)) else { return Decision::reply(None) };
    let mut secrets = vec![secret];
    secrets.extend(client.secrets.iter().take(1).cloned());
    let rotated = Client { secrets, ..client };
    Decision::reply(Some(rotated.clone()))
        .with(AuditEvent::of_client(AuditKind::ClientRotated, rotated.id, now).into())
        .with(Change::UpdateClient(rotated))
}

/// What an operator changes about a client. A field without a value stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// For how long its polls are held where they do not say.
    pub holding: Option<LongPoll>,
    /// Whether people type a number that it shows.
    pub number_matching: Option<bool>,
    /// Whether `login/verify_factor` calls a text message that was sent `pending`.
    pub sent_is_pending: Option<bool>,
    /// The host to which the codes in its text messages are bound.
    pub webotp: Option<WebOtp>,
    /// How it wants to be answered.
    pub profile: Option<ClientProfile>,
    /// Networks it may call from; an empty list means any.
    pub ip_allow: Option<Vec<Network>>,
    /// When it stops working.
    pub expiry: Option<Expiry>,
}

/// Whether the codes in a client's text messages are bound to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebOtp {
    /// They are for any page.
    Unbound,
    /// They are for pages of this host.
    Host(WebOtpHost),
}

impl WebOtp {
    /// The host, if there is one.
    pub fn host(self) -> Option<WebOtpHost> {
        match self {
            Self::Unbound => None,
            Self::Host(host) => Some(host),
        }
    }
}

/// When a client stops working.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// It has no end.
    Never,
    /// Then, and not at that millisecond any more.
    At(Timestamp),
}

impl Expiry {
    /// The end, if there is one.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }
}

/// Changes what an operator may choose. `None` if there is no such client. Choosing adaptive holds anew forgets what was
/// learnt.
pub fn choose(view: &ClientView, choice: Choice, now: Timestamp) -> Decision<Option<Client>> {
    let Some(client) = view.client.clone() else { return Decision::reply(None) };
    let options = ClientOptions {
        holding: choice.holding.unwrap_or(client.options.holding),
        number_matching: choice.number_matching.unwrap_or(client.options.number_matching),
        sent_is_pending: choice.sent_is_pending.unwrap_or(client.options.sent_is_pending),
        webotp_host: choice.webotp.map_or(client.options.webotp_host, WebOtp::host),
    };
    let chosen = Client {
        options,
        profile: choice.profile.unwrap_or(client.profile),
        ip_allow: choice.ip_allow.unwrap_or(client.ip_allow),
        expires_at: choice.expiry.map_or(client.expires_at, Expiry::at),
        ..client
    };
    Decision::reply(Some(chosen.clone()))
        .with(AuditEvent::of_client(AuditKind::ClientChanged, chosen.id, now).into())
        .with(Change::UpdateClient(chosen))
}

/// Remembers that the client hung up, so that it is never held longer than `most` milliseconds again
/// ([`holding::ceiling_after`](crate::model::long_poll::ceiling_after)), if its holds are adaptive.
pub fn hung_up(view: &ClientView, most: i64) -> Decision<()> {
    let Some(client) = view.client.clone() else { return Decision::reply(()) };
    let LongPoll::Adaptive { ceiling } = client.options.holding else { return Decision::reply(()) };
    if ceiling.is_some_and(|known| known <= most) {
        return Decision::reply(());
    }
    let holding = LongPoll::Adaptive { ceiling: Some(most) };
    let options = ClientOptions { holding, ..client.options };
    Decision::reply(()).with(Change::UpdateClient(Client { options, ..client }))
}
