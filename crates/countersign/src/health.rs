//! `/livez` and `/readyz`: without authentication, and without versions (SEC 83).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use engine::Engine;

/// The state behind the two answers.
#[derive(Clone)]
pub(crate) struct Health {
    engine: Arc<Engine>,
    draining: Arc<AtomicBool>,
}

impl Health {
    /// Health of this engine.
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, draining: Arc::default() }
    }

    /// Shutdown has begun: no longer ready, still alive.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// The two routes.
    pub(crate) fn routes(self) -> Router {
        // Some load balancers check with OPTIONS by default.
        let live = || async { "ok\n" };
        Router::new()
            .route("/livez", get(live).options(live))
            .route("/readyz", get(ready).options(ready))
            .with_state(self)
    }
}

async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.draining.load(Ordering::SeqCst) {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    } else if health.engine.store().ready().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database is unavailable\n")
    }
}
