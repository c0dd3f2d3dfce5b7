//! The route table: every method and path of the dialect, its family, and the check that stands before each handler.
//!
//! Paths with a slash at the end are the same paths (contract 1.1): it is taken off before routing, never answered
//! with a redirect. Unknown paths and wrong methods are the same 404. The table is the same for all servers, so it is
//! built once, and a request finds its handler in one look-up.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{Caller, TRACES};
use tracing::field::Empty;
use tracing::{Instrument as _, Level, Span};
use web::door::{Answering, Door};
use web::listen::Peer;

use crate::access::{
    Access, Allows, Authenticate, ChallengeV1, Family, ManageAll, ManageMfa, ManageUsers, ReadAll, ReadInLogIn,
    ReadMfa, ReadUsers, VerifyInLogIn,
};
use crate::call::{Call, Params, without_slash};
use crate::cost::Cost;
use crate::envelope::{is_under, refusal};
use crate::error::Common;
use crate::quota::Standing;
use crate::{App, catalogue, login, openapi, refused, saml, token, v1, v2};

/// One line of the route table, for tests that walk it.
#[derive(Debug, Clone, Copy)]
pub struct RouteEntry {
    /// The method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Whether a bearer token of one of these scopes is needed; empty for the token endpoints, which take a client's
    /// own credentials.
    pub scopes: fn(domain::Scope) -> bool,
}

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
        /// Every route that needs a bearer token.
        pub const ROUTES: &[RouteEntry] = &[$(RouteEntry {
            method: stringify!($method),
            path: $path,
            scopes: |scope| $scopes::allows(scope, &crate::Options::default()),
        }),*];

        fn endpoints() -> Vec<(&'static str, Method, Endpoint)> {
            vec![
                $(($open_path, Method::$open_method, Endpoint::Open(|app, call| {
                    Box::pin(async move { $open_handler(app, call).await.into_response() })
                })),)*
                $(($path, Method::$method, Endpoint::Guarded(Family::$family, cost!($($cost)?), |app, caller, call| {
                    let access = Access::<$scopes>::check(caller, &app.options)?;
                    Some(Box::pin(async move {
                        match unreadable(&call) {
                            None => $handler(app, access, call).await.into_response(),
                            Some(refused) => refused,
                        }
                    }))
                })),)*
            ]
        }
    };
}

/// Who answers a method on a path.
#[derive(Clone, Copy)]
enum Endpoint {
    /// A handler that takes a client's own credentials.
    Open(fn(App, Call) -> Answering<'static>),
    /// A handler behind a scope; none where the caller's does not suffice.
    Guarded(Family, Cost, fn(App, Arc<Caller>, Call) -> Option<Answering<'static>>),
}

table! {
    open {
        POST "/auth/oauth2/v2/token" => token::issue::v2;
        POST "/auth/oauth2/token" => token::issue::v1;
        POST "/auth/oauth2/revoke" => token::revoke::revoke;
        POST "/session_via_api_token" => login::session::exchange;
        OPTIONS "/session_via_api_token" => login::session::preflight;
        // A list that names nobody; collectors in use read it without a token (contract 9).
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
        V1 GET "/api/1/roles" => ReadUsers catalogue::v1_list;
        V1 GET "/api/1/roles/{id}" => ReadUsers catalogue::v1_one;
        V1 GET "/api/1/groups" => ReadUsers catalogue::v1_list;
        V1 GET "/api/1/groups/{id}" => ReadUsers catalogue::v1_one;
        V1 GET "/api/1/apps" => ReadAll catalogue::v1_list;
        V1 GET "/api/1/apps/{id}" => ReadAll catalogue::v1_one;
        V1 GET "/api/1/connectors" => ReadAll catalogue::v1_list;
        V1 GET "/api/1/connectors/{id}" => ReadAll catalogue::v1_one;
        V2Users GET "/api/2/roles" => ReadUsers catalogue::v2_list;
        V2Users GET "/api/2/roles/{id}" => ReadUsers catalogue::v2_one;
        V2Users GET "/api/2/groups" => ReadUsers catalogue::v2_list;
        V2Users GET "/api/2/groups/{id}" => ReadUsers catalogue::v2_one;
        V2Users GET "/api/2/apps" => ReadAll catalogue::v2_list;
        V2Users GET "/api/2/apps/{id}" => ReadAll catalogue::v2_one;
        V2Users GET "/api/2/connectors" => ReadAll catalogue::v2_list;
        V2Users GET "/api/2/connectors/{id}" => ReadAll catalogue::v2_one;

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

        V2Mfa POST "/api/2/smart-mfa" => ManageAll v2::smart::visit;
        V2Mfa POST "/api/2/smart-mfa/verify" => ManageAll v2::smart::verify;
        // The path that the npm SDK calls (contract 8).
        V2Mfa POST "/api/2/verify" => ManageAll v2::smart::verify;
    }
}

/// What answers a method: with its number, under which it is counted.
type Answer = (Method, Endpoint, usize);

/// Paths and methods in the order of their numbers.
pub(crate) fn names() -> Vec<(&'static str, String)> {
    endpoints().into_iter().map(|(path, method, _)| (path, method.to_string())).collect()
}

/// The methods of each path.
static TABLE: LazyLock<matchit::Router<Vec<Answer>>> = LazyLock::new(|| {
    let mut paths: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for (number, (path, method, endpoint)) in endpoints().into_iter().enumerate() {
        for path in spellings(path) {
            paths.entry(path).or_default().push((method.clone(), endpoint, number));
        }
    }
    let mut table = matchit::Router::new();
    for (path, methods) in paths {
        // Whatever contradicts itself here does so in every test.
        table.insert(path, methods).unwrap_or_else(|error| panic!("the route table contradicts itself: {error}"));
    }
    table
});

/// A path with its older and mistyped spellings: MFA without `mfa`, and one place where `mfs` stands for it (contract
/// 7, 7.11).
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

/// The dialect as a front door.
pub fn door(app: App) -> Arc<dyn Door> {
    LazyLock::force(&TABLE);
    Arc::new(Dialect(app))
}

#[derive(Debug)]
struct Dialect(App);

impl Door for Dialect {
    fn takes(&self, path: &str) -> bool {
        family_of(path).is_some() || PUBLIC.contains(&without_slash(path))
    }

    fn answer(&self, request: Request<Bytes>, peer: Option<Peer>) -> Answering<'_> {
        Box::pin(async move {
            let method = request.method().clone();
            let is_head = method == Method::HEAD;
            let mut route = None;
            if let Some(Peer(peer)) = peer {
                let trusted = &self.0.options.trusted_proxies;
                refused::warn_of_proxy(&self.0.proxy_warned, peer.ip(), request.headers(), trusted);
            }
            let mut answer = match found(&self.0, request, peer) {
                Ok(((endpoint, number), call)) => {
                    route = Some(number);
                    let span = span(&self.0, number, &call);
                    let answering = async {
                        match endpoint {
                            Endpoint::Open(handler) => match unreadable(&call) {
                                None => handler(self.0.clone(), call).await,
                                Some(refused) => refused,
                            },
                            Endpoint::Guarded(family, cost, handler) => {
                                guarded(&self.0, family, cost, handler, call).await
                            }
                        }
                    };
                    let answer = answering.instrument(span.clone()).await;
                    span.record("http.response.status_code", answer.status().as_u16());
                    answer
                }
                Err(NoRoute(Some(family))) => Common::NoRoute.answer(family),
                Err(NoRoute(None)) => StatusCode::NOT_FOUND.into_response(),
            };
            self.0.requests.count(route, answer.status());
            let name = route.and_then(|number| Some(NAMES.get(number)?.0));
            refused::log(self.0.options.tell_refusals, &method, name, &answer);
            if let Some(length) = answer.body().size_hint().exact() {
                answer.headers_mut().entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
            }
            if is_head {
                *answer.body_mut() = Body::empty();
            }
            answer
        })
    }
}

/// Paths and methods by number, for traces and the log.
static NAMES: LazyLock<Vec<(&str, String)>> = LazyLock::new(names);

/// The request's part in a trace, if somebody collects it: the route and never what stands in its place (SEC 48).
fn span(app: &App, number: usize, call: &Call) -> Span {
    if !tracing::enabled!(target: TRACES, Level::TRACE) {
        return Span::none();
    }
    let Some((route, method)) = NAMES.get(number) else { return Span::none() };
    let span = tracing::trace_span!(
        target: TRACES, "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request.id = web::request_id::current().map(|id| id.as_str().to_owned()),
    );
    // A caller of whom nothing is known yet must not say which trace this is, nor that it is not to be collected.
    if let Some(follow) = app.options.follow.filter(|_| call.is_vouched_for()) {
        follow(&span, call.headers());
    }
    span
}

/// Nothing is at this path, or not with this method.
struct NoRoute(Option<Family>);

/// Looks a request up.
fn found(app: &App, request: Request<Bytes>, peer: Option<Peer>) -> Result<((Endpoint, usize), Call), NoRoute> {
    let path = without_slash(request.uri().path());
    // HEAD is GET without the body.
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let endpoint = TABLE.at(path).ok().and_then(|found| {
        let (_, endpoint, number) = found.value.iter().find(|(answered, ..)| answered == method)?;
        Some(((*endpoint, *number), Params::of(path, &found.params)))
    });
    let (endpoint, params) = endpoint.ok_or_else(|| NoRoute(family_of(path)))?;
    let (head, body) = request.into_parts();
    Ok((endpoint, Call::new(head, body, params, peer, app.origin.clone())))
}

/// Paths of the dialect outside its families: what browsers and services ask for by themselves.
const PUBLIC: [&str; 4] = ["/session_via_api_token", "/saml/metadata", "/openapi.json", "/docs"];

fn family_of(path: &str) -> Option<Family> {
    if is_under(path, "/api/1") || is_under(path, "/auth") {
        Some(Family::V1)
    } else if is_under(path, "/api/2/users") {
        Some(Family::V2Users)
    } else if is_under(path, "/api/2") {
        Some(Family::V2Mfa)
    } else {
        None
    }
}

/// The answer to a path that does not decode: it names nothing.
fn unreadable(call: &Call) -> Option<Response> {
    call.is_unreadable().then(|| refusal(StatusCode::NOT_FOUND, "No Route Exists", call.target()))
}

/// What stands before every handler: token, rate, scope, quota, in this order. What is refused costs nobody but its caller
/// anything: only a call that its client may make, and not too fast, is counted against the account (SEC 37).
async fn guarded(
    app: &App,
    family: Family,
    cost: Cost,
    handler: fn(App, Arc<Caller>, Call) -> Option<Answering<'static>>,
    call: Call,
) -> Response {
    let header = call.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(web::bearer::token) else { return Common::HeaderMissing.answer(family) };
    let caller = match app.engine.authenticate(token).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Common::TokenRefused.answer(family),
        Err(error) => return Common::failure(&error).answer(family),
    };
    let client = caller.client;
    refused::of(client, admitted(app, family, cost, handler, caller, call).await)
}

/// The answer to a call whose client is known.
async fn admitted(
    app: &App,
    family: Family,
    cost: Cost,
    handler: fn(App, Arc<Caller>, Call) -> Option<Answering<'static>>,
    caller: Arc<Caller>,
    call: Call,
) -> Response {
    let (now, client, right) = (app.engine.now(), caller.client, caller.scope.right());
    match app.bursts.take(&app.engine, client).await {
        Ok(Ok(())) => {}
        Ok(Err(wait)) => {
            let refused = Common::TooMany(i64::try_from(wait.0).ok()).answer(family);
            return with_standing(refused, (family == Family::V1).then(|| app.quota.glance(now)));
        }
        Err(error) => return Common::failure(&error).answer(family),
    }
    let is_question = call.method() == Method::GET && call.target() == "/auth/rate_limit";
    let Some(answering) = handler(app.clone(), caller, call) else {
        return with_standing(
            Common::ScopeTooSmall.answer(family),
            (family == Family::V1).then(|| app.quota.glance(now)),
        );
    };
    if family != Family::V1 {
        return answering.await;
    }
    let stands = if is_question {
        app.quota.read(&app.engine, now).await
    } else {
        app.quota.count(&app.engine, cost.has_reserve.then_some((client, right)), now).await
    };
    match stands {
        Ok(standing) if standing.exceeded => {
            with_standing(Common::TooMany(Some(standing.reset)).answer(family), Some(standing))
        }
        Ok(standing) => with_standing(answering.await, Some(standing)),
        Err(error) => Common::failure(&error).answer(family),
    }
}

const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

fn with_standing(mut answer: Response, standing: Option<Standing>) -> Response {
    let Some(standing) = standing else { return answer };
    let headers = answer.headers_mut();
    headers.insert(X_RATELIMIT_LIMIT, HeaderValue::from(standing.limit));
    headers.insert(X_RATELIMIT_REMAINING, HeaderValue::from(standing.remaining));
    headers.insert(X_RATELIMIT_RESET, HeaderValue::from(standing.reset));
    answer
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
        for (path, method, _) in endpoints() {
            for spelling in spellings(path) {
                let path = spelling.replace("{user_id}", "1").replace("{device_id}", "2").replace("{id}", "x");
                let found = TABLE.at(&path).unwrap();
                assert!(found.value.iter().any(|(answered, ..)| *answered == method), "{method} {path}");
            }
        }
    }
}
