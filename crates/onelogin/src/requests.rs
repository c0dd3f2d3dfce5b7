//! How many requests each route has answered, by class of status, for whoever watches the server.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// Classes of status: 1xx to 5xx.
const CLASSES: usize = 5;

/// Counts of answers. Routes are numbered as the route table has them; the last is for paths that are none.
#[derive(Debug)]
pub struct Requests {
    routes: Vec<(&'static str, String)>,
    counts: Vec<[AtomicU64; CLASSES]>,
}

/// Answers of one route and class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<'a> {
    /// The method; empty for what is no route.
    pub method: &'a str,
    /// The path with its parameters in braces; empty for what is no route.
    pub path: &'a str,
    /// The first digit of the status.
    pub class: usize,
    /// How many.
    pub count: u64,
}

impl Requests {
    /// No requests yet, to these routes.
    pub(crate) fn new(routes: Vec<(&'static str, String)>) -> Self {
        let counts = (0..=routes.len()).map(|_| <[AtomicU64; CLASSES]>::default()).collect();
        Self { routes, counts }
    }

    /// Counts an answer of a route, or of none.
    pub(crate) fn count(&self, route: Option<usize>, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        if let Some(counts) = self.counts.get(route.unwrap_or(self.routes.len())) {
            counts[class].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted, without what never happened.
    pub fn read(&self) -> impl Iterator<Item = Answered<'_>> {
        let none = ("", "");
        let named = self.routes.iter().map(|(path, method)| (method.as_str(), *path)).chain([none]);
        named.zip(&self.counts).flat_map(|((method, path), counts)| {
            counts.iter().enumerate().filter_map(move |(class, count)| {
                let count = count.load(Ordering::Relaxed);
                (count > 0).then_some(Answered { method, path, class: class + 1, count })
            })
        })
    }
}
