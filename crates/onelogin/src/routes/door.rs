//! The dialect as a front door: finds the handler, checks the caller, and counts and logs the answer.
//!
//! Paths with a slash at the end are the same paths (contract 1.1): it is taken off before routing, never answered
//! with a redirect. Unknown paths and wrong methods are the same 404.

use std::sync::{Arc, LazyLock};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use engine::{ApiCaller, Authentication, TRACES};
use tracing::field::Empty;
use tracing::{Instrument as _, Level, Span};
use web::door::{Answering, Door};
use web::peer::Peer;

use super::log;
use super::table::{Endpoint, Guarded, TABLE, unreadable};
use crate::dialect::Dialect;
use crate::hourly_quota::{Cost, QuotaStatus};
use crate::route::RouteEntry;
use crate::wire::call::{ApiCall, Params, without_slash};
use crate::wire::envelope::is_under;
use crate::wire::error::{CommonError, Family};
use crate::wire::reason;

/// The dialect as a front door.
pub fn door(dialect: Dialect) -> Arc<dyn Door> {
    LazyLock::force(&TABLE);
    Arc::new(dialect)
}

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
                let trusted = &self.options.trusted_proxies;
                log::warn_of_proxy(&self.proxy_warned, peer.ip(), request.headers(), trusted);
            }
            let mut answer = match find(self, request, peer) {
                Ok(((endpoint, number), call)) => {
                    route = Some(number);
                    let span = span(self, number, &call);
                    let answering = async {
                        match endpoint {
                            Endpoint::Open(handler) => match unreadable(&call) {
                                None => handler(self.clone(), *call).await,
                                Some(refused) => refused,
                            },
                            Endpoint::Guarded(family, cost, handler) => {
                                guarded(self, family, cost, handler, call).await
                            }
                        }
                    };
                    let answer = answering.instrument(span.clone()).await;
                    span.record("http.response.status_code", answer.status().as_u16());
                    answer
                }
                Err(NoRoute(Some(family))) => CommonError::NoRoute.answer(family),
                Err(NoRoute(None)) => StatusCode::NOT_FOUND.into_response(),
            };
            self.requests.count(route, answer.status());
            let name = route.and_then(|number| Some(self.routes.get(number)?.path));
            log::refusal(self.options.tell_refusals, &method, name, &answer);
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

/// The request's span, if traces are collected. It shows the route, never the values of its parameters (SEC 48).
fn span(dialect: &Dialect, number: usize, call: &ApiCall) -> Span {
    if !tracing::enabled!(target: TRACES, Level::TRACE) {
        return Span::none();
    }
    let Some(RouteEntry { method, path, .. }) = dialect.routes.get(number) else { return Span::none() };
    let span = tracing::trace_span!(
        target: TRACES, "request",
        otel.name = format!("{method} {path}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = path,
        http.response.status_code = Empty,
        request.id = web::request_id::current().map(|id| id.as_str().to_owned()),
    );
    // An unauthenticated caller must not choose the trace, nor whether it is collected.
    if let Some(follow) = dialect.options.follow.filter(|_| call.is_vouched_for()) {
        follow(&span, call.headers());
    }
    span
}

/// There is no such path, or not with this method.
struct NoRoute(Option<Family>);

fn find(
    dialect: &Dialect,
    request: Request<Bytes>,
    peer: Option<Peer>,
) -> Result<((Endpoint, usize), Box<ApiCall>), NoRoute> {
    let path = without_slash(request.uri().path());
    // HEAD is GET without the body.
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let endpoint = TABLE.at(path).ok().and_then(|found| {
        let (_, endpoint, number, inputs) = found.value.iter().find(|(answered, ..)| answered == method)?;
        Some(((*endpoint, *number), *inputs, Params::of(path, &found.params)))
    });
    let (endpoint, inputs, params) = endpoint.ok_or_else(|| NoRoute(family_of(path)))?;
    let (head, body) = request.into_parts();
    // Boxed: each future on the way to the handler would hold a copy of it, and futures are moved whole.
    Ok((endpoint, Box::new(ApiCall::new(head, body, inputs, params, peer, dialect.origin.clone()))))
}

/// Paths outside the families, which browsers and services ask for by themselves.
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

/// Checks what comes before every handler: token, rate limit, scope, quota, in this order. A refused call costs only its
/// caller: the account's quota counts a call only if its client may make it, and not too fast (SEC 37).
async fn guarded(dialect: &Dialect, family: Family, cost: Cost, handler: Guarded, call: Box<ApiCall>) -> Response {
    let header = call.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(web::bearer::token) else { return CommonError::HeaderMissing.answer(family) };
    let caller = match dialect.engine.authenticate(token, call.peer()).await {
        Ok(Authentication::Caller(caller)) => caller,
        Ok(Authentication::UnknownToken) => return CommonError::TokenRefused.answer(family),
        Ok(Authentication::ForbiddenAddress(client)) => {
            return reason::with_client(
                client,
                dialect.options.tell_refusals,
                CommonError::AddressRefused.answer(family),
            );
        }
        Err(fault) => return CommonError::from(fault).answer(family),
    };
    let client = caller.client;
    reason::with_client(
        client,
        dialect.options.tell_refusals,
        admitted(dialect, family, cost, handler, caller, call).await,
    )
}

/// Answers a call whose client is known.
async fn admitted(
    dialect: &Dialect,
    family: Family,
    cost: Cost,
    handler: Guarded,
    caller: Arc<ApiCaller>,
    call: Box<ApiCall>,
) -> Response {
    let (now, client, right) = (dialect.engine.now(), caller.client, caller.scope.right());
    match dialect.rate_limit.take(&dialect.engine, client).await {
        Ok(Ok(())) => {}
        Ok(Err(wait)) => {
            let refused = CommonError::TooMany(i64::try_from(wait.0).ok()).answer(family);
            return with_quota(refused, (family == Family::V1).then(|| dialect.quota.glance(now)));
        }
        Err(fault) => return CommonError::from(fault).answer(family),
    }
    let is_question = call.method() == Method::GET && call.target() == "/auth/rate_limit";
    let Some(answering) = handler(dialect.clone(), caller, call) else {
        return with_quota(
            CommonError::ScopeTooSmall.answer(family),
            (family == Family::V1).then(|| dialect.quota.glance(now)),
        );
    };
    if family != Family::V1 {
        return answering.await;
    }
    let counted = if is_question {
        dialect.quota.read(&dialect.engine, now).await
    } else {
        dialect.quota.count(&dialect.engine, cost.has_reserve.then_some((client, right)), now).await
    };
    match counted {
        Ok(status) if status.exceeded => {
            with_quota(CommonError::TooMany(Some(status.reset)).answer(family), Some(status))
        }
        Ok(status) => with_quota(answering.await, Some(status)),
        Err(fault) => CommonError::from(fault).answer(family),
    }
}

const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

fn with_quota(mut answer: Response, status: Option<QuotaStatus>) -> Response {
    let Some(status) = status else { return answer };
    let headers = answer.headers_mut();
    headers.insert(X_RATELIMIT_LIMIT, HeaderValue::from(status.limit));
    headers.insert(X_RATELIMIT_REMAINING, HeaderValue::from(status.remaining));
    headers.insert(X_RATELIMIT_RESET, HeaderValue::from(status.reset));
    answer
}
