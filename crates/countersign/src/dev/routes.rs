//! The dev endpoints: outbox, phone, clock, faults, reset.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, any, get, post, put};
use axum::{Json, Router, middleware};
use onelogin::{RouteBeside, RoutesBeside};
use serde_json::{Value, json};

use super::guard::{self, Guard};
use super::problem::Problem;
use super::world::DevWorld;
use super::{authenticator, clock_endpoint, faults_endpoint, gallery, outbox, prompts, requests_endpoint, start};

type Handler = fn() -> MethodRouter<Arc<DevWorld>>;

const USER: (&str, &str) = ("user_id", "The user whose newest prompt it is; any user's without it");
const NUMBER: (&str, &str) = ("number", "The number that the person types, if the prompt asks for one");

/// Every endpoint for programs, with its description: `/docs` and the router are made from this one list.
const ENDPOINTS: &[(RouteBeside, Handler)] = &[
    (
        RouteBeside {
            query: &[
                ("to", "Messages to this number or address"),
                ("channel", "`sms`, `voice`, `email` or `push`"),
                ("user_id", "Messages to this user"),
                ("verification_id", "Messages about this verification"),
                ("after", "Messages with a larger id"),
                ("wait", "How long to wait for the first one, as `10s` or `500ms`; at most 25 s"),
            ],
            ..about("GET", "/dev/outbox", "List messages, calls and prompts, oldest first; a browser gets a page")
        },
        || get(outbox::list),
    ),
    (RouteBeside { query: &[NUMBER], ..about("POST", "/dev/outbox/{id}/accept", "Accept this prompt") }, || {
        post(prompts::accept)
    }),
    (about("POST", "/dev/outbox/{id}/deny", "Deny this prompt"), || post(prompts::deny)),
    (about("POST", "/dev/outbox/{id}/report", "Report that somebody else asks with this prompt"), || {
        post(prompts::report)
    }),
    (
        RouteBeside {
            body: &[("digits", "The digits, as a text")],
            ..about("POST", "/dev/outbox/{id}/keypad", "Key digits into this call")
        },
        || post(prompts::keypad),
    ),
    (about("GET", "/dev/phone", "List the devices as which the simulated phone is paired"), || get(prompts::phone)),
    (
        RouteBeside {
            body: &[(
                "factor_data",
                "An object with the `verification_token` of the enrolment; its whole answer will do",
            )],
            ..about("POST", "/dev/phone/pair", "Pair the simulated phone")
        },
        || post(prompts::pair),
    ),
    (RouteBeside { query: &[USER, NUMBER], ..about("POST", "/dev/phone/accept", "Accept the newest prompt") }, || {
        post(prompts::accept_newest)
    }),
    (RouteBeside { query: &[USER], ..about("POST", "/dev/phone/deny", "Deny the newest prompt") }, || {
        post(prompts::deny_newest)
    }),
    (
        RouteBeside {
            query: &[USER],
            ..about("POST", "/dev/phone/report", "Report that somebody else asks with the newest prompt")
        },
        || post(prompts::report_newest),
    ),
    (
        RouteBeside {
            query: &[("user_id", "Devices of this user")],
            ..about("GET", "/dev/authenticator", "Read the codes that authenticator apps and tokens show now")
        },
        || get(authenticator::list),
    ),
    (
        RouteBeside {
            query: &[
                ("after", "Calls with a larger id"),
                ("wait", "How long to wait for the first one, as `10s` or `500ms`; at most 25 s"),
            ],
            ..about(
                "GET",
                "/dev/requests",
                "List the last 200 calls of the API, oldest first, and why some were refused",
            )
        },
        || get(requests_endpoint::list),
    ),
    (about("GET", "/dev/clock", "Read the clock"), || get(clock_endpoint::read)),
    (
        RouteBeside {
            body: &[
                ("set", "The time that it is now, as `2027-01-01T00:00:00Z`"),
                ("advance_seconds", "Seconds to move the clock by"),
                ("freeze", "`true` stops the clock, `false` lets it continue"),
            ],
            ..about("PUT", "/dev/clock", "Set, move, stop or start the clock")
        },
        || put(clock_endpoint::write),
    ),
    (about("GET", "/dev/faults", "Read what goes wrong on each channel, and which faults were played"), || {
        get(faults_endpoint::read)
    }),
    (
        RouteBeside {
            body: &[
                ("channel", "`sms`, `voice`, `email` or `push`"),
                ("delay", "How much later messages arrive, as `8s` or `500ms`; at most an hour"),
                ("fail", "The share of messages that fail, from 0 to 1"),
            ],
            ..about("PUT", "/dev/faults", "Delay or fail the messages of a channel")
        },
        || put(faults_endpoint::write),
    ),
    (
        about(
            "POST",
            "/dev/reset",
            "Delete devices, tokens, limits and messages, end all faults, and reset the clock; users and clients stay",
        ),
        || post(reset),
    ),
];

const fn about(method: &'static str, path: &'static str, summary: &'static str) -> RouteBeside {
    RouteBeside { method, path, summary, query: &[], body: &[] }
}

/// The endpoints, for `/docs` of a dev world.
pub(super) fn described() -> RoutesBeside {
    RoutesBeside {
        tag: "Dev world",
        about: "Only `countersign dev` has these. They need no access token; a world that serves other machines wants its key, \
                as the header `X-Dev-Key`.",
        routes: ENDPOINTS.iter().map(|(about, _)| *about).collect(),
    }
}

async fn dated(State(world): State<Arc<DevWorld>>, answer: Response) -> Response {
    super::requests::dated(answer, world.now())
}

/// The routes behind the guard: the endpoints, and the pages with what they load.
fn routes(world: Arc<DevWorld>, guard: Guard) -> Router {
    let endpoints =
        ENDPOINTS.iter().fold(Router::new(), |router, (about, handler)| router.route(about.path, handler()));
    start::with_files(endpoints)
        .route("/dev/outbox/", get(outbox::list))
        .route("/dev/pages", get(gallery::design).post(gallery::design))
        .route("/dev/pages/{name}", get(gallery::sample))
        .route("/dev", get(|| async { Redirect::to("/") }))
        .route("/dev/", get(|| async { Redirect::to("/") }))
        .route("/dev/{*unknown}", any(|| async { StatusCode::NOT_FOUND }))
        .route("/", get(start::page))
        .layer(middleware::from_fn_with_state(guard, guard::guarded))
        .layer(middleware::map_response_with_state(world.clone(), dated))
        .with_state(world)
}

impl DevWorld {
    /// The dev endpoints, behind a guard.
    pub fn routes(self: &Arc<Self>, guard: Guard) -> Router {
        routes(self.clone(), guard)
    }
}

async fn reset(State(world): State<Arc<DevWorld>>) -> Result<Json<Value>, Problem> {
    // First, so that no message under way arrives in the new world.
    world.faults.reset();
    world.engine().trust_routes();
    world.store().dev_reset().await?;
    let users = world.begin_again().await?;
    world.phone.reset()?;
    world.engine().forget_callers();
    Ok(Json(json!({ "reset": true, "users": users })))
}
