//! Who may call what (SEC 53, contract 1.5, 1.7).
//!
//! A handler takes an [`Access`] of the scopes that it declares. Only the route table can make one, after the bearer token
//! was checked: a handler without a declared scope does not compile, and none runs before the check.

use std::marker::PhantomData;
use std::sync::Arc;

use domain::model::audit::Actor;
use domain::{ClientOptions, Right, Scope, UserId};
use engine::{ApiCaller, PollHold};

use crate::dialect::{Dialect, DialectOptions};
use crate::wire::call::ApiCall;
use crate::wire::profile::CompatProfile;

/// A set of scopes that a handler declares in its signature.
pub(crate) trait Allows: Send + Sync + 'static {
    fn allows(scope: Scope, options: &DialectOptions) -> bool;
}

/// GET on users: everything but `Authentication Only`.
pub(crate) struct ReadUsers;
/// POST, PUT and DELETE on users and on v1 devices.
pub(crate) struct ManageUsers;
/// GET on what is not about one user: events, apps, connectors.
pub(crate) struct ReadAll;
/// Passwords, states and locks.
pub(crate) struct ManageAll;
/// Logging in and out, and assertions: `Authentication Only` may do it too.
pub(crate) struct Authenticate;
/// v1 trigger and verify: the four user scopes, unless `strict_v1_scopes`.
pub(crate) struct ChallengeV1;
/// Reads of MFA v2.
pub(crate) struct ReadMfa;
/// Reads of MFA v2 that a log-in needs: devices and verifications of its user (contract 7.5, 7.10). All scopes of
/// [`ReadMfa`], and `Authentication Only` for users whom the client is logging in: the handler asks `Access::in_log_in`.
pub(crate) struct ReadInLogIn;
/// Verifications of MFA v2 (contract 7.7): all scopes of [`ManageMfa`], and `Authentication Only` in the same way.
pub(crate) struct VerifyInLogIn;
/// Writes of MFA v2.
pub(crate) struct ManageMfa;

impl Allows for ReadUsers {
    fn allows(scope: Scope, _: &DialectOptions) -> bool {
        scope != Scope::Authenticate
    }
}

impl Allows for ReadAll {
    fn allows(scope: Scope, _: &DialectOptions) -> bool {
        matches!(scope, Scope::ReadAll | Scope::ManageAll)
    }
}

impl Allows for ManageUsers {
    fn allows(scope: Scope, _: &DialectOptions) -> bool {
        matches!(scope, Scope::ManageUsers | Scope::ManageAll)
    }
}

impl Allows for ManageAll {
    fn allows(scope: Scope, _: &DialectOptions) -> bool {
        scope == Scope::ManageAll
    }
}

impl Allows for Authenticate {
    fn allows(scope: Scope, _: &DialectOptions) -> bool {
        matches!(scope, Scope::Authenticate | Scope::ManageUsers | Scope::ManageAll)
    }
}

impl Allows for ChallengeV1 {
    fn allows(scope: Scope, options: &DialectOptions) -> bool {
        if options.strict_v1_scopes { ManageUsers::allows(scope, options) } else { ReadUsers::allows(scope, options) }
    }
}

impl Allows for ReadMfa {
    fn allows(scope: Scope, options: &DialectOptions) -> bool {
        if options.strict_v2_scopes { scope == Scope::ManageAll } else { ReadUsers::allows(scope, options) }
    }
}

impl Allows for ReadInLogIn {
    fn allows(scope: Scope, options: &DialectOptions) -> bool {
        ReadMfa::allows(scope, options) || (scope == Scope::Authenticate && !options.strict_v2_scopes)
    }
}

impl Allows for VerifyInLogIn {
    fn allows(scope: Scope, options: &DialectOptions) -> bool {
        ManageMfa::allows(scope, options) || (scope == Scope::Authenticate && !options.strict_v2_scopes)
    }
}

impl Allows for ManageMfa {
    fn allows(scope: Scope, options: &DialectOptions) -> bool {
        if options.strict_v2_scopes { scope == Scope::ManageAll } else { ManageUsers::allows(scope, options) }
    }
}

/// Proof that the caller has a valid token of a scope in `A`. Made only by the route table.
pub(crate) struct Access<A> {
    caller: Arc<ApiCaller>,
    scopes: PhantomData<A>,
}

impl<A: Allows> Access<A> {
    /// `None` if the caller's scope is not in the set.
    pub(crate) fn check(caller: Arc<ApiCaller>, options: &DialectOptions) -> Option<Self> {
        A::allows(caller.scope, options).then_some(Self { caller, scopes: PhantomData })
    }
}

impl<A> Access<A> {
    pub(crate) fn profile(&self) -> CompatProfile {
        CompatProfile::of(&self.caller.profile)
    }

    /// How long this poll may be held: as it asks, else as configured for its client.
    pub(crate) fn hold(&self, call: &ApiCall) -> PollHold {
        PollHold::of(&self.caller, call.peer(), call.wait())
    }

    /// What an operator has chosen for this client.
    pub(crate) fn options(&self) -> &ClientOptions {
        &self.caller.options
    }

    /// The `type` of a log-in step that has sent a text message (contract 5.2).
    pub(crate) fn sent_type(&self) -> &'static str {
        if self.caller.options.sent_is_pending { "pending" } else { "success" }
    }

    pub(crate) fn scope(&self) -> Scope {
        self.caller.scope
    }

    /// Whether this call may go on: a client with `Authentication Only` needs to be logging this user in at the moment.
    pub(crate) async fn in_log_in(&self, dialect: &Dialect, user: Option<UserId>) -> Result<bool, engine::Fault> {
        if self.caller.scope.right() != Right::LogIn {
            return Ok(true);
        }
        match user {
            Some(user) => dialect.engine.is_logging_in(user, Some(self.caller.client)).await,
            None => Ok(false),
        }
    }

    pub(crate) fn client(&self) -> domain::ClientId {
        self.caller.client
    }

    /// The caller, for the audit trail and for rules about what it may do to people (SEC 95). The only place where a scope
    /// becomes a right.
    pub(crate) fn context(&self) -> Actor {
        Actor { client: Some(self.caller.client), right: self.caller.scope.right(), ..unnamed_caller() }
    }

    /// The same with the address from which this call came, for challenges that show it to the person.
    pub(crate) fn context_of(&self, call: &ApiCall) -> Actor {
        Actor { peer: Some(call.peer()), ..self.context() }
    }
}

/// The caller where no token names one: the request is all that is known.
pub(crate) fn unnamed_caller() -> Actor {
    Actor { request: web::request_id::current().map(Arc::from), ..Actor::default() }
}
