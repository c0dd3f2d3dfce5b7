//! An API caller: its one scope, its compatibility profile, its secrets and its access tokens (contract 2, rulings 9).

use serde::{Deserialize, Serialize};

use crate::audit::{AuditEvent, AuditKind};
use crate::decision::{Change, Decision};
use crate::digest::Digest;
use crate::holding::Holding;
use crate::id::ClientId;
use crate::seal::{Place, Sealed};
use crate::time::{DAY, MINUTE, SECOND, Timestamp};

/// Life of an access token, in milliseconds: 36000 s (contract 2.1).
pub const ACCESS_TTL: i64 = 36_000 * SECOND;
/// Life of a refresh token, in milliseconds: 45 days (contract 2.1).
pub const REFRESH_TTL: i64 = 45 * DAY;
/// Wrong secrets per client before further ones have to wait (SEC 30).
pub const MAX_WRONG_SECRETS: usize = 20;
/// The period in which wrong secrets are counted, in milliseconds.
pub const WRONG_SECRET_WINDOW: i64 = 10 * MINUTE;

/// What a client may do (contract 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// `Authentication Only`
    AuthenticationOnly,
    /// `Read Users`
    ReadUsers,
    /// `Manage users`
    ManageUsers,
    /// `Read All`
    ReadAll,
    /// `Manage All`
    ManageAll,
}

impl Scope {
    /// All scopes, widest first, as the dev world lists them.
    pub const ALL: [Self; 5] =
        [Self::ManageAll, Self::ReadAll, Self::ManageUsers, Self::ReadUsers, Self::AuthenticationOnly];

    /// The exact name (contract 1.5).
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthenticationOnly => "Authentication Only",
            Self::ReadUsers => "Read Users",
            Self::ManageUsers => "Manage users",
            Self::ReadAll => "Read All",
            Self::ManageAll => "Manage All",
        }
    }

    /// The scope with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name().eq_ignore_ascii_case(name))
    }

    /// What a caller of this scope may do to people (SEC 95).
    pub fn right(self) -> Right {
        match self {
            Self::ReadUsers | Self::ReadAll => Right::Look,
            Self::AuthenticationOnly => Right::LogIn,
            Self::ManageUsers | Self::ManageAll => Right::Manage,
        }
    }
}

/// What a caller may do to people, whatever calls its scope opens to it (SEC 95). Some documented scopes open calls that
/// reach further than their name says; the rules ask here how far those may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Right {
    /// Anything: clients that manage users, operators, and the server itself.
    #[default]
    Manage,
    /// Log people in and out.
    LogIn,
    /// Look at people, put a challenge to them and judge what they answer.
    Look,
}

impl Right {
    /// Whether people are sent the caller's own words. A text that comes from here is believed.
    pub fn words_messages(self) -> bool {
        self == Self::Manage
    }

    /// Whether this caller only looks.
    pub fn only_looks(self) -> bool {
        self == Self::Look
    }
}

/// Which clients' expectations the answers meet where they contradict each other (contract 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum CompatProfile {
    /// What most clients take.
    #[default]
    Default,
    /// Integer `device_id` in 7.7, 200 in 4.7, an object in 4.4.
    Python4,
    /// Verification ids of 31-bit digits.
    NumericIds,
    /// Arrays of one where the documentation's samples show them.
    DocsLiteral,
}

impl CompatProfile {
    /// All profiles.
    pub const ALL: [Self; 4] = [Self::Default, Self::Python4, Self::NumericIds, Self::DocsLiteral];

    /// The name used in configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Python4 => "python4",
            Self::NumericIds => "numeric_ids",
            Self::DocsLiteral => "docs_literal",
        }
    }

    /// The profile with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// A client secret as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Digest of the secret, which was shown once.
    pub digest: Digest,
    /// Its last four characters, so that people can tell two apart.
    pub last4: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an operator has chosen for a client beyond the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientOptions {
    /// For how long its polls are held where they do not say.
    pub holding: Holding,
    /// Whether people type a number that this client shows before they accept its prompts (SEC 12).
    pub number_matching: bool,
    /// Whether `login/verify_factor` calls a text message that was sent `pending`; the documentation has `success`.
    pub sent_is_pending: bool,
}

/// An API caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its row.
    pub id: ClientId,
    /// What it shows: 64 lower-case hex characters.
    pub client_id: String,
    /// A name for people.
    pub name: String,
    /// Its one scope.
    pub scope: Scope,
    /// Its compatibility profile.
    pub profile: CompatProfile,
    /// At most two, newest first, so that one can be replaced without a gap (SEC 42).
    pub secrets: Vec<ClientSecret>,
    /// Networks it may call from; empty means any.
    pub ip_allow: Vec<String>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Moments of recent wrong secrets, oldest first.
    pub wrong_secrets: Vec<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// What an operator has chosen for it.
    pub options: ClientOptions,
}

impl Client {
    /// Whether it may be used at all at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether `secret` is one of its secrets.
    pub fn knows(&self, secret: &str) -> bool {
        let digest = Digest::of(secret.as_bytes());
        // No early exit: both secrets are compared whatever the first says.
        self.secrets.iter().fold(false, |known, s| s.digest.matches(&digest) | known)
    }

    /// Until when further wrong secrets for this client wait, if they do (SEC 30). The right one never does.
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let recent: Vec<_> = self.wrong_secrets.iter().filter(|at| now.since(**at) < WRONG_SECRET_WINDOW).collect();
        (recent.len() >= MAX_WRONG_SECRETS).then(|| recent[recent.len() - MAX_WRONG_SECRETS].plus(WRONG_SECRET_WINDOW))
    }
}

/// An access token and its refresh token. Only digests are stored, and, while the pair is live, a sealed copy, since
/// the contract has the same pair answered again (rulings 29d).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// Digest of the access token: the row's key.
    pub access: Digest,
    /// Digest of the refresh token.
    pub refresh: Digest,
    /// Whose it is.
    pub client_id: ClientId,
    /// Sealed JSON of both tokens, of the newest set of a family only; wiped when a refresh makes a newer one, and when
    /// the set ends.
    pub sealed: Option<Sealed>,
    /// Row number that the sealing binds.
    pub row: i64,
    /// The pair this one descends from by refreshing: all of them end together when one is revoked.
    pub family: i64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When the pair was revoked. A refresh ends nothing: others hold the same pair.
    pub ended_at: Option<Timestamp>,
}

impl TokenSet {
    /// Where the clear pair is sealed.
    pub fn place(row: i64, client: ClientId) -> Place<'static> {
        Place { table: "token", column: "sealed", row, owner: client.0 }
    }

    /// Whether the access token works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now.since(self.created_at) < ACCESS_TTL
    }

    /// Whether the refresh token works at `now`.
    pub fn is_refreshable(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now.since(self.created_at) < REFRESH_TTL
    }

    /// Whether this refresh token is the pair's other half, and works at `now`.
    pub fn is_refreshed_by(&self, refresh: &Digest, now: Timestamp) -> bool {
        self.refresh.matches(refresh) && self.is_refreshable(now)
    }
}

/// What a decision about a client may see.
#[derive(Debug, Clone, Default)]
pub struct ClientView {
    /// The client; `None` if there is none of that id.
    pub client: Option<Client>,
    /// Its newest token set that has not been ended.
    pub newest: Option<TokenSet>,
    /// The token set the decision is about, found by its access token.
    pub asked: Option<TokenSet>,
    /// The newest token set of that one's family that has not been ended.
    pub newest_of_family: Option<TokenSet>,
}

/// How a request for tokens ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A set to answer with; its clear text is sealed inside.
    Granted(TokenSet),
    /// No such client, wrong secret, or no longer valid. The three look alike.
    Refused,
    /// Too many wrong secrets (SEC 30).
    Held(Timestamp),
}

/// Client credentials grant: a live set is answered again, else the freshly drawn `fresh` one (contract 2.1). The secret
/// is judged before anything else: the right one is never refused because of wrong ones, since anybody may know the id.
pub fn grant(view: &ClientView, secret: &str, fresh: &TokenSet, now: Timestamp) -> Decision<Grant> {
    let Some(client) = view.client.as_ref() else { return Decision::reply(Grant::Refused) };
    if !client.knows(secret) || !client.is_live(now) {
        return wrong_secret(client, now, Grant::Refused, Grant::Held);
    }
    if let Some(live) = view.newest.as_ref().filter(|set| set.is_live(now) && set.sealed.is_some()) {
        return Decision::reply(Grant::Granted(live.clone()));
    }
    Decision::reply(Grant::Granted(fresh.clone()))
        .with(Change::CreateTokenSet(fresh.clone()))
        .with(AuditEvent::of_client(AuditKind::TokenIssued, client.id, now).into())
}

/// Counts a wrong secret against its client only (SEC 30). Beyond the limit it is `held`, and nothing is written: that
/// costs the sender nothing more than waiting, and must not cost us a row each.
fn wrong_secret<T>(client: &Client, now: Timestamp, refused: T, held: impl FnOnce(Timestamp) -> T) -> Decision<T> {
    if let Some(until) = client.held_until(now) {
        return Decision::reply(held(until));
    }
    let mut wrong: Vec<_> =
        client.wrong_secrets.iter().copied().filter(|at| now.since(*at) < WRONG_SECRET_WINDOW).collect();
    wrong.push(now);
    Decision::reply(refused)
        .with(Change::SetWrongSecrets { client: client.id, at: wrong })
        .with(AuditEvent::of_client(AuditKind::ClientRefused, client.id, now).into())
}

/// Refresh grant: needs the matching pair. Every process of a client holds the same pair (contract 2.1), so a refresh ends
/// nothing: the first one makes the pair's successor, and for as long as the old one would have lived it is answered with
/// the newest of its line. Only a revocation ends pairs, and it ends the line.
pub fn refresh(view: &ClientView, refresh: &Digest, fresh: &TokenSet, now: Timestamp) -> Decision<Grant> {
    let (Some(client), Some(asked)) = (view.client.as_ref(), view.asked.as_ref()) else {
        return Decision::reply(Grant::Refused);
    };
    if asked.client_id != client.id || !asked.is_refreshed_by(refresh, now) || !client.is_live(now) {
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
        .with(AuditEvent::of_client(AuditKind::TokenRefreshed, client.id, now).into())
}

/// How a revocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// It no longer works, or never did.
    Done,
    /// Wrong client credentials, or somebody else's token.
    Refused,
    /// Too many wrong secrets.
    Held(Timestamp),
}

/// Revokes an access token, its refresh token, and all that descend from the same grant (contract 2.3): a pair that was
/// refreshed before must not bring a new one.
pub fn revoke(view: &ClientView, secret: &str, now: Timestamp) -> Decision<Revocation> {
    let Some(client) = view.client.as_ref() else { return Decision::reply(Revocation::Refused) };
    if !client.knows(secret) || !client.is_live(now) {
        return wrong_secret(client, now, Revocation::Refused, Revocation::Held);
    }
    match &view.asked {
        Some(set) if set.client_id != client.id => Decision::reply(Revocation::Refused),
        Some(set) if set.ended_at.is_none() => Decision::reply(Revocation::Done)
            .with(Change::EndTokenFamily { client: client.id, family: set.family, at: now })
            .with(AuditEvent::of_client(AuditKind::TokenRevoked, client.id, now).into()),
        _ => Decision::reply(Revocation::Done),
    }
}

/// Registers a client.
pub fn create(client: Client, now: Timestamp) -> Decision<Client> {
    Decision::reply(client.clone())
        .with(AuditEvent::of_client(AuditKind::ClientCreated, client.id, now).into())
        .with_first(Change::CreateClient(client))
}

/// Ends a client, every token it holds, and whatever it has begun with people (SEC 56). `None` if there is no such client.
pub fn revoke_client(view: &ClientView, now: Timestamp) -> Decision<Option<Client>> {
    let Some(client) = view.client.clone() else { return Decision::reply(None) };
    let revoked = Client { revoked_at: client.revoked_at.or(Some(now)), ..client };
    Decision::reply(Some(revoked.clone()))
        .with(Change::EndClient { client: revoked.id, at: now })
        .with(AuditEvent::of_client(AuditKind::ClientRevoked, revoked.id, now).into())
        .with(Change::UpdateClient(revoked))
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

/// What an operator changes about a client; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// For how long its polls are held where they do not say.
    pub holding: Option<Holding>,
    /// Whether people type a number that it shows.
    pub number_matching: Option<bool>,
    /// Whether `login/verify_factor` calls a text message that was sent `pending`.
    pub sent_is_pending: Option<bool>,
    /// How it wants to be answered.
    pub profile: Option<CompatProfile>,
}

/// Changes what an operator may choose. `None` if there is no such client. Choosing adaptive holds anew forgets what was
/// learnt.
pub fn choose(view: &ClientView, choice: Choice, now: Timestamp) -> Decision<Option<Client>> {
    let Some(client) = view.client.clone() else { return Decision::reply(None) };
    let options = ClientOptions {
        holding: choice.holding.unwrap_or(client.options.holding),
        number_matching: choice.number_matching.unwrap_or(client.options.number_matching),
        sent_is_pending: choice.sent_is_pending.unwrap_or(client.options.sent_is_pending),
    };
    let chosen = Client { options, profile: choice.profile.unwrap_or(client.profile), ..client };
    Decision::reply(Some(chosen.clone()))
        .with(AuditEvent::of_client(AuditKind::ClientChanged, chosen.id, now).into())
        .with(Change::UpdateClient(chosen))
}

/// Remembers that the client hung up, so that it is never held longer than `most` milliseconds again
/// ([`holding::ceiling_after`](crate::holding::ceiling_after)), if its holds are adaptive.
pub fn hung_up(view: &ClientView, most: i64) -> Decision<()> {
    let Some(client) = view.client.clone() else { return Decision::reply(()) };
    let Holding::Adaptive { ceiling } = client.options.holding else { return Decision::reply(()) };
    if ceiling.is_some_and(|known| known <= most) {
        return Decision::reply(());
    }
    let options = ClientOptions { holding: Holding::Adaptive { ceiling: Some(most) }, ..client.options };
    Decision::reply(()).with(Change::UpdateClient(Client { options, ..client }))
}
