//! The route table: every method and path of the dialect, its family, and the check that stands before each handler.
//!
//! Paths with a slash at the end are the same paths (contract 1.1): it is taken off before routing, never answered
//! with a redirect. Unknown paths and wrong methods are the same 404.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};

use crate::access::{
    Access, Allows, ChallengeV1, Family, LogOut, ManageAll, ManageMfa, ManageUsers, ReadMfa, ReadUsers,
};
use crate::call::Call;
use crate::envelope::refusal;
use crate::error::Common;
use crate::{App, token, v1, v2};

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

macro_rules! table {
    (
        open { $($open_method:ident $open_path:literal => $open_handler:path;)* }
        guarded { $($family:ident $method:ident $path:literal => $scopes:ident $handler:path;)* }
    ) => {
        /// Every route that needs a bearer token.
        pub const ROUTES: &[RouteEntry] = &[$(RouteEntry {
            method: stringify!($method),
            path: $path,
            scopes: |scope| $scopes::allows(scope, &crate::Options::default()),
        }),*];

        fn routes() -> Router<App> {
            Router::new()
                $(.route($open_path, on(MethodFilter::$open_method, |State(app): State<App>, request: Request<Body>| async move {
                    let call = match read(&app, request).await { Ok(call) => call, Err(answer) => return answer };
                    $open_handler(app, call).await.into_response()
                })))*
                $(.route($path, on(MethodFilter::$method, |State(app): State<App>, request: Request<Body>| {
                    guarded::<$scopes, _, _, _>(app, Family::$family, request, $handler)
                })))*
        }
    };
}

table! {
    open {
        POST "/auth/oauth2/v2/token" => token::issue::v2;
        POST "/auth/oauth2/token" => token::issue::v1;
        POST "/auth/oauth2/revoke" => token::revoke::revoke;
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
        V1 PUT "/api/1/users/{user_id}/logout" => LogOut v1::state::logout;
        V1 PUT "/api/1/users/{user_id}/set_custom_attributes" => ManageUsers v1::custom_attributes::set;
        V1 GET "/api/1/users/custom_attributes" => ReadUsers v1::custom_attributes::list;
        V1 GET "/api/1/users/{user_id}/roles" => ReadUsers v1::users::roles;
        V1 GET "/api/1/users/{user_id}/apps" => ReadUsers v1::users::apps;

        V1 GET "/api/1/users/{user_id}/auth_factors" => ReadUsers v1::auth_factors::list;
        V1 GET "/api/1/users/{user_id}/auth_factor" => ReadUsers v1::auth_factors::list;
        V1 POST "/api/1/users/{user_id}/otp_devices" => ManageUsers v1::enrol::enrol;
        V1 GET "/api/1/users/{user_id}/otp_devices" => ReadUsers v1::devices::list;
        V1 DELETE "/api/1/users/{user_id}/otp_devices/{device_id}" => ManageUsers v1::devices::delete;
        V1 POST "/api/1/users/{user_id}/otp_devices/{device_id}/trigger" => ChallengeV1 v1::trigger::trigger;
        V1 POST "/api/1/users/{user_id}/otp_devices/{device_id}/verify" => ChallengeV1 v1::verify::verify;
        V1 POST "/api/1/users/{user_id}/mfa_token" => ManageUsers v1::mfa_token::issue;

        V2Users GET "/api/2/users" => ReadUsers v2::users::list;
        V2Users POST "/api/2/users" => ManageUsers v2::users::create;
        V2Users GET "/api/2/users/{user_id}" => ReadUsers v2::users::get;
        V2Users PUT "/api/2/users/{user_id}" => ManageUsers v2::users::update;
        V2Users DELETE "/api/2/users/{user_id}" => ManageUsers v2::users::delete;
        V2Users POST "/api/2/users/{user_id}/unlock" => ManageUsers v2::users::unlock;
        V2Users GET "/api/2/users/{user_id}/apps" => ReadUsers v2::users::apps;

        V2Mfa GET "/api/2/mfa/users/{user_id}/factors" => ReadMfa v2::factors::list;
        V2Mfa POST "/api/2/mfa/users/{user_id}/registrations" => ManageMfa v2::registrations::start;
        V2Mfa GET "/api/2/mfa/users/{user_id}/registrations/{id}" => ReadMfa v2::registrations::read;
        V2Mfa PUT "/api/2/mfa/users/{user_id}/registrations/{id}" => ManageMfa v2::registrations::confirm;
        V2Mfa GET "/api/2/mfa/users/{user_id}/devices" => ReadMfa v2::devices::list;
        V2Mfa DELETE "/api/2/mfa/users/{user_id}/devices/{device_id}" => ManageMfa v2::devices::delete;
        V2Mfa POST "/api/2/mfa/users/{user_id}/verifications" => ManageMfa v2::verifications::start;
        V2Mfa GET "/api/2/mfa/users/{user_id}/verifications/{id}" => ReadMfa v2::verifications::read;
        V2Mfa PUT "/api/2/mfa/users/{user_id}/verifications/{id}" => ManageMfa v2::verifications::confirm;
        V2Mfa POST "/api/2/mfa/users/{user_id}/mfa_token" => ManageUsers v2::mfa_token::issue;
    }
}

/// The dialect's routes, ready to serve.
pub fn router(app: App) -> Router {
    let inner = routes().fallback(no_route).method_not_allowed_fallback(no_route).with_state(app);
    Router::new().fallback(move |request: Request<Body>| {
        let inner = inner.clone();
        async move {
            match tower::ServiceExt::oneshot(inner, canonical(request)).await {
                Ok(mut answer) => {
                    // A wrong method is the same 404 as an unknown path, so it names no right one.
                    answer.headers_mut().remove(header::ALLOW);
                    answer
                }
                Err(never) => match never {},
            }
        }
    })
}

async fn no_route(request: Request<Body>) -> Response {
    match family_of(request.uri().path()) {
        Some(family) => Common::NoRoute.answer(family),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn family_of(path: &str) -> Option<Family> {
    let under = |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    if under("/api/1") || under("/auth") {
        Some(Family::V1)
    } else if under("/api/2/users") {
        Some(Family::V2Users)
    } else if under("/api/2") {
        Some(Family::V2Mfa)
    } else {
        None
    }
}

/// One spelling for every path: no slash at the end, and the older and mistyped MFA paths as they are today
/// (contract 7, 7.11).
fn canonical(mut request: Request<Body>) -> Request<Body> {
    let path = request.uri().path();
    let trimmed = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
    let parts: Vec<&str> = trimmed.split('/').collect();
    let mfa = match parts.as_slice() {
        ["", "api", "2", "users", user, rest @ ..]
            if matches!(
                rest.first(),
                Some(&("factors" | "registrations" | "devices" | "verifications" | "mfa_token"))
            ) =>
        {
            Some((user, rest))
        }
        ["", "api", "2", "mfs", "users", user, rest @ ..] if *rest == ["mfa_token"] => Some((user, rest)),
        _ => None,
    };
    let new = match mfa {
        Some((user, rest)) => format!("/api/2/mfa/users/{user}/{}", rest.join("/")),
        None if trimmed.len() != path.len() => trimmed.to_owned(),
        None => return request,
    };
    let with_query = match request.uri().query() {
        Some(query) => format!("{new}?{query}"),
        None => new,
    };
    if let Ok(uri) = with_query.parse() {
        *request.uri_mut() = uri;
    }
    request
}

/// Reads a call whole.
async fn read(app: &App, request: Request<Body>) -> Result<Call, Response> {
    let (mut parts, body) = request.into_parts();
    let path = match RawPathParams::from_request_parts(&mut parts, &()).await {
        Ok(params) => params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        // A path that does not decode names nothing.
        Err(_) => return Err(refusal(StatusCode::NOT_FOUND, "No Route Exists", parts.uri.path())),
    };
    let query = parts.uri.query().map(serde_urlencoded::from_str).transpose().ok().flatten().unwrap_or_default();
    let peer = parts.extensions.get::<web::listen::Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let trusted = &app.options.trusted_proxies;
    let https = web::proxy::forwarded_https(peer, &parts.headers, trusted);
    let target = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|_| refusal(StatusCode::BAD_REQUEST, "the body cannot be read", &target))?;
    Ok(Call {
        path,
        query,
        base_url: web::proxy::base_url(app.engine.settings().public_url.as_deref(), host, https),
        peer: web::proxy::client_ip(peer, &parts.headers, trusted),
        headers: parts.headers,
        body,
        target,
    })
}

/// What stands before every handler: token, limits, scope, in this order.
async fn guarded<A, H, F, R>(app: App, family: Family, request: Request<Body>, handler: H) -> Response
where
    A: Allows,
    H: FnOnce(App, Access<A>, Call) -> F,
    F: Future<Output = R>,
    R: IntoResponse,
{
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(web::bearer::token) else { return Common::HeaderMissing.answer(family) };
    let caller = match app.engine.authenticate(token).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Common::TokenRefused.answer(family),
        Err(engine::Error::Unavailable(_)) => return Common::Unavailable.answer(family),
        Err(error) => return Common::fault(&error).answer(family),
    };
    let now = app.engine.now();
    let standing = (family == Family::V1).then(|| {
        let is_question = request.method() == Method::GET && request.uri().path() == "/auth/rate_limit";
        if is_question { app.quota.read(now) } else { app.quota.count(now) }
    });
    let answer = if let Some(standing) = standing.filter(|standing| standing.exceeded) {
        Common::TooMany(Some(standing.reset)).answer(family)
    } else if let Err(wait) = app.bursts.take(&caller.client.0) {
        Common::TooMany(i64::try_from(wait.0).ok()).answer(family)
    } else if let Some(access) = Access::<A>::check(caller, &app.options) {
        match read(&app, request).await {
            Ok(call) => handler(app, access, call).await.into_response(),
            Err(answer) => answer,
        }
    } else {
        Common::ScopeTooSmall.answer(family)
    };
    match standing {
        Some(standing) => with_standing(answer, standing),
        None => answer,
    }
}

fn with_standing(mut answer: Response, standing: crate::quota::Standing) -> Response {
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(standing.limit));
    headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(standing.remaining));
    headers.insert(HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(standing.reset));
    answer
}
