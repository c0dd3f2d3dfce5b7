//! The route table: every method and path of the dialect, its family, and the scopes that it needs.
//!
//! The table is the same for all servers, so it is built once, and a request finds its handler in one look-up.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use engine::{ApiCaller, Engine};
use web::door::Answering;

use crate::access::{
    Access, Allows, Authenticate, ChallengeV1, ManageAll, ManageMfa, ManageUsers, ReadAll, ReadInLogIn, ReadMfa,
    ReadUsers, VerifyInLogIn,
};
use crate::dialect::{Dialect, DialectOptions};
use crate::hourly_quota::Cost;
use crate::route::RouteEntry;
use crate::wire::call::ApiCall;
use crate::wire::envelope::no_route;
use crate::wire::error::Family;
use crate::wire::fields::Inputs;
use crate::{login, openapi, saml, token, v1, v2};

/// The cost that a line of the table names.
macro_rules! cost {
    () => {
        Cost::CALL
    };
    ($cost:ident) => {
        Cost::$cost
    };
}

macro_rules! table {
    (
        open { $($open_method:ident $open_path:literal => $open_handler:path;)* }
        guarded { $($family:ident $method:ident $path:literal => $scopes:ident $handler:path $(, $cost:ident)?;)* }
    ) => {
        /// Every route. Its index is its number: answers are counted by it.
        pub const ROUTES: &[RouteEntry] = &[
            $(RouteEntry { method: stringify!($open_method), path: $open_path, scopes: None },)*
            $(RouteEntry {
                method: stringify!($method),
                path: $path,
                scopes: Some(|scope| $scopes::allows(scope, &DialectOptions::default())),
            },)*
        ];

        /// What answers each of [`ROUTES`].
        const ENDPOINTS: &[(Method, Endpoint)] = &[
            $((Method::$open_method, Endpoint::Open(|dialect, call| {
                Box::pin(async move { $open_handler(dialect, call).await.into_response() })
            })),)*
            $((Method::$method, Endpoint::Guarded(Family::$family, cost!($($cost)?), |dialect, caller, call| {
                let access = Access::<$scopes>::check(caller, &dialect.options)?;
                Some(Box::pin(async move {
                    match unreadable(&call) {
                        None => $handler(dialect, access, *call).await.into_response(),
                        Some(refused) => refused,
                    }
                }))
            })),)*
        ];
    };
}

/// What runs when its scope suffices; `None` where it does not.
pub(super) type Guarded = fn(Dialect, Arc<ApiCaller>, Box<ApiCall>) -> Option<Answering<'static>>;

/// Who answers a method on a path.
#[derive(Clone, Copy)]
pub(super) enum Endpoint {
    /// A handler that takes a client's own credentials, or none.
    Open(fn(Dialect, ApiCall) -> Answering<'static>),
    /// A handler behind a scope.
    Guarded(Family, Cost, Guarded),
}

/// The answer to a path whose parameters do not decode to text.
pub(super) fn unreadable(call: &ApiCall) -> Option<Response> {
    call.is_unreadable().then(|| no_route(call.target()))
}

table! {
    open {
        POST "/auth/oauth2/v2/token" => token::issue::v2;
        POST "/auth/oauth2/token" => token::issue::v1;
        POST "/auth/oauth2/revoke" => token::revoke::revoke;
        POST "/session_via_api_token" => login::session::exchange;
        OPTIONS "/session_via_api_token" => login::session::preflight;
        // The list is about no user; collectors read it without a token (contract 9).
        GET "/api/1/events/types" => v1::events::types;
        GET "/saml/metadata" => saml::metadata::read;
        GET "/openapi.json" => openapi::read;
        GET "/docs" => openapi::read_page;
    }
    guarded {
        V1 GET "/auth/rate_limit" => ReadUsers token::rate_limit::read;

        V1 GET "/api/1/users" => ReadUsers v1::users::list;
        V1 POST "/api/1/users" => ManageUsers v1::users::create;
        V1 GET "/api/1/users/{user_id}" => ReadUsers v1::users::get;
        V1 PUT "/api/1/users/{user_id}" => ManageUsers v1::users::update;
        V1 DELETE "/api/1/users/{user_id}" => ManageUsers v1::users::delete;
        V1 PUT "/api/1/users/set_password_clear_text/{user_id}" => ManageAll v1::set_password::clear_text;
        V1 PUT "/api/1/users/set_password_using_salt/{user_id}" => ManageAll v1::set_password::using_salt;
        V1 PUT "/api/1/users/{user_id}/set_state" => ManageAll v1::state::set_state;
        V1 PUT "/api/1/users/{user_id}/lock_user" => ManageAll v1::state::lock_user;
        V1 PUT "/api/1/users/{user_id}/logout" => Authenticate v1::state::logout;
        V1 PUT "/api/1/users/{user_id}/set_custom_attributes" => ManageUsers v1::custom_attributes::set;
        V1 GET "/api/1/users/custom_attributes" => ReadUsers v1::custom_attributes::list;
        V1 GET "/api/1/users/{user_id}/roles" => ReadUsers v1::users::roles;
        V1 GET "/api/1/users/{user_id}/apps" => ReadUsers v1::users::apps;

        V1 GET "/api/1/users/{user_id}/auth_factors" => ReadUsers v1::auth_factors::list;
        V1 GET "/api/1/users/{user_id}/auth_factor" => ReadUsers v1::auth_factors::list;
        V1 POST "/api/1/users/{user_id}/otp_devices" => ManageUsers v1::enrol::enrol;
        V1 GET "/api/1/users/{user_id}/otp_devices" => ReadUsers v1::devices::list;
        V1 DELETE "/api/1/users/{user_id}/otp_devices/{device_id}" => ManageUsers v1::devices::delete;
        V1 POST "/api/1/users/{user_id}/otp_devices/{device_id}/trigger" => ChallengeV1 v1::trigger::trigger, LOG_IN;
        V1 POST "/api/1/users/{user_id}/otp_devices/{device_id}/verify" => ChallengeV1 v1::verify::verify, LOG_IN;
        V1 POST "/api/1/users/{user_id}/mfa_token" => ManageUsers v1::mfa_token::issue;

        V1 GET "/api/1/events" => ReadAll v1::events::list;
        V1 GET "/api/1/events/{event_id}" => ReadAll v1::events::get;

        V1 POST "/api/1/login/auth" => Authenticate login::auth::auth, LOG_IN;
        V1 POST "/api/1/login/verify_factor" => Authenticate login::verify_factor::verify_factor, LOG_IN;
        // Asked for by OneLogin's own MCP server, and answered exactly as the pair above (contract 5.2).
        V1 POST "/api/2/login/auth" => Authenticate login::auth::auth, LOG_IN;
        V1 POST "/api/2/login/verify_factor" => Authenticate login::verify_factor::verify_factor, LOG_IN;
        V1 POST "/api/1/saml_assertion" => Authenticate saml::assertion::v1, LOG_IN;
        V1 POST "/api/1/saml_assertion/verify_factor" => Authenticate saml::verify_factor::v1, LOG_IN;
        V2Mfa POST "/api/2/saml_assertion" => Authenticate saml::assertion::v2, LOG_IN;
        V2Mfa POST "/api/2/saml_assertion/verify_factor" => Authenticate saml::verify_factor::v2, LOG_IN;
        V2Mfa POST "/api/2/saml-assertions" => Authenticate saml::assertion::v2, LOG_IN;
        V2Mfa POST "/api/2/saml-assertions/verify_factor" => Authenticate saml::verify_factor::v2, LOG_IN;

        V2Users GET "/api/2/users" => ReadUsers v2::users::list;
        V2Users POST "/api/2/users" => ManageUsers v2::users::create;
        V2Users GET "/api/2/users/{user_id}" => ReadUsers v2::users::get;
        V2Users PUT "/api/2/users/{user_id}" => ManageUsers v2::users::update;
        V2Users DELETE "/api/2/users/{user_id}" => ManageUsers v2::users::delete;
        V2Users POST "/api/2/users/{user_id}/unlock" => ManageUsers v2::users::unlock;
        V2Users GET "/api/2/users/{user_id}/apps" => ReadUsers v2::users::apps;

        // Not kept, and asked for on the way by inventories (contract 3.3).
        V1 GET "/api/1/roles" => ReadUsers v1::catalogue::list;
        V1 GET "/api/1/roles/{id}" => ReadUsers v1::catalogue::get;
        V1 GET "/api/1/groups" => ReadUsers v1::catalogue::list;
        V1 GET "/api/1/groups/{id}" => ReadUsers v1::catalogue::get;
        V1 GET "/api/1/apps" => ReadAll v1::catalogue::list;
        V1 GET "/api/1/apps/{id}" => ReadAll v1::catalogue::get;
        V1 GET "/api/1/connectors" => ReadAll v1::catalogue::list;
        V1 GET "/api/1/connectors/{id}" => ReadAll v1::catalogue::get;
        V2Users GET "/api/2/roles" => ReadUsers v2::catalogue::list;
        V2Users GET "/api/2/roles/{id}" => ReadUsers v2::catalogue::get;
        V2Users GET "/api/2/groups" => ReadUsers v2::catalogue::list;
        V2Users GET "/api/2/groups/{id}" => ReadUsers v2::catalogue::get;
        V2Users GET "/api/2/apps" => ReadAll v2::catalogue::list;
        V2Users GET "/api/2/apps/{id}" => ReadAll v2::catalogue::get;
        V2Users GET "/api/2/connectors" => ReadAll v2::catalogue::list;
        V2Users GET "/api/2/connectors/{id}" => ReadAll v2::catalogue::get;

        V2Mfa GET "/api/2/mfa/users/{user_id}/factors" => ReadMfa v2::factors::list;
        V2Mfa POST "/api/2/mfa/users/{user_id}/registrations" => ManageMfa v2::registrations::start;
        V2Mfa GET "/api/2/mfa/users/{user_id}/registrations/{id}" => ReadMfa v2::registrations::read;
        V2Mfa PUT "/api/2/mfa/users/{user_id}/registrations/{id}" => ManageMfa v2::registrations::confirm;
        V2Mfa GET "/api/2/mfa/users/{user_id}/devices" => ReadInLogIn v2::devices::list;
        V2Mfa DELETE "/api/2/mfa/users/{user_id}/devices/{device_id}" => ManageMfa v2::devices::delete;
        V2Mfa POST "/api/2/mfa/users/{user_id}/verifications" => VerifyInLogIn v2::verifications::start;
        V2Mfa GET "/api/2/mfa/users/{user_id}/verifications/{id}" => ReadInLogIn v2::verifications::read;
        V2Mfa PUT "/api/2/mfa/users/{user_id}/verifications/{id}" => VerifyInLogIn v2::verifications::confirm;
        V2Mfa POST "/api/2/mfa/users/{user_id}/mfa_token" => ManageUsers v2::mfa_token::issue;
        V2Mfa POST "/api/2/mfa/users/{user_id}/enrollment_link" => ManageUsers v2::enrollment_link::make;

        V2Mfa POST "/api/2/smart-mfa" => ManageAll v2::smart::visit;
        V2Mfa POST "/api/2/smart-mfa/verify" => ManageAll v2::smart::verify;
        // The path that the npm SDK calls (contract 8).
        V2Mfa POST "/api/2/verify" => ManageAll v2::smart::verify;
    }
}

impl Dialect {
    /// The dialect over an engine.
    pub fn new(engine: Arc<Engine>, options: DialectOptions) -> Self {
        Self::with_routes(engine, options, ROUTES)
    }
}

/// What answers a method, with the number of its route and what it reads.
pub(super) type Answer = (Method, Endpoint, usize, &'static Inputs);

/// The methods of each path, in all its spellings.
pub(super) static TABLE: LazyLock<matchit::Router<Vec<Answer>>> = LazyLock::new(|| {
    let mut paths: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for (number, (route, (method, endpoint))) in ROUTES.iter().zip(ENDPOINTS).enumerate() {
        // A route without a description fails in every test.
        let inputs = openapi::inputs(route.method, route.path)
            .unwrap_or_else(|| panic!("{} {} is not described", route.method, route.path));
        for path in spellings(route.path) {
            paths.entry(path).or_default().push((method.clone(), *endpoint, number, inputs));
        }
    }
    let mut table = matchit::Router::new();
    for (path, methods) in paths {
        // Paths that contradict each other fail in every test.
        table.insert(path, methods).unwrap_or_else(|error| panic!("the route table contradicts itself: {error}"));
    }
    table
});

/// A path with its older and mistyped spellings: MFA without `mfa`, and one path with `mfs` (contract 7, 7.11).
fn spellings(path: &str) -> Vec<String> {
    let mut spellings = vec![path.to_owned()];
    if let Some(rest) = path.strip_prefix("/api/2/mfa/") {
        spellings.push(format!("/api/2/{rest}"));
        if rest.ends_with("/mfa_token") {
            spellings.push(format!("/api/2/mfs/{rest}"));
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mfa_paths_have_their_older_spellings() {
        let registration = "/api/2/mfa/users/{user_id}/registrations/{id}";
        assert_eq!(spellings(registration), [registration, "/api/2/users/{user_id}/registrations/{id}"]);
        let token = "/api/2/mfa/users/{user_id}/mfa_token";
        let (older, mistyped) = ("/api/2/users/{user_id}/mfa_token", "/api/2/mfs/users/{user_id}/mfa_token");
        assert_eq!(spellings(token), [token, older, mistyped]);
        assert_eq!(spellings("/api/2/users/{user_id}"), ["/api/2/users/{user_id}"]);
    }

    #[test]
    fn every_spelling_leads_to_the_same_endpoints() {
        for RouteEntry { method, path, .. } in ROUTES {
            for spelling in spellings(path) {
                let path = spelling.replace("{user_id}", "1").replace("{device_id}", "2").replace("{id}", "x");
                let found = TABLE.at(&path).unwrap();
                assert!(found.value.iter().any(|(answered, ..)| answered == method), "{method} {path}");
            }
        }
    }
}
