//! Counts of answers by route and class of status, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

use crate::route::RouteEntry;

/// Classes of status: 1xx to 5xx.
const CLASSES: usize = 5;

/// Counts of answers.
#[derive(Debug)]
pub struct Requests {
    routes: &'static [RouteEntry],
    /// One for each route, and a last one for requests without a route.
    counts: Vec<[AtomicU64; CLASSES]>,
}

/// Answers of one route and class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerCount {
    /// Empty where there is no route.
    pub method: &'static str,
    /// The path with its parameters in braces; empty where there is no route.
    pub path: &'static str,
    /// The first digit of the status.
    pub class: usize,
    /// Answers since the start.
    pub count: u64,
}

impl Requests {
    pub(crate) fn new(routes: &'static [RouteEntry]) -> Self {
        let counts = (0..=routes.len()).map(|_| <[AtomicU64; CLASSES]>::default()).collect();
        Self { routes, counts }
    }

    /// Counts an answer of the route with this index, or of no route.
    pub(crate) fn count(&self, route: Option<usize>, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        if let Some(counts) = self.counts.get(route.unwrap_or(self.routes.len())) {
            counts[class].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts that are not zero.
    pub fn read(&self) -> impl Iterator<Item = AnswerCount> {
        let named = self.routes.iter().map(|route| (route.method, route.path)).chain([("", "")]);
        named.zip(&self.counts).flat_map(|((method, path), counts)| {
            counts.iter().enumerate().filter_map(move |(class, count)| {
                let count = count.load(Ordering::Relaxed);
                (count > 0).then_some(AnswerCount { method, path, class: class + 1, count })
            })
        })
    }
}
