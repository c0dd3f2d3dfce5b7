//! Many callers that send at the same moment.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tokio::sync::Barrier;

use super::api::Api;
use super::client::{Line, Node, Request};
use super::dashboard::Dashboard;
use super::report::{Ended, Mode, used_once};
use super::shot::{Shot, endings};

/// Callers, each with its connection. They are spread evenly over the nodes.
#[derive(Debug)]
pub(super) struct Crowd {
    lines: Vec<Line>,
}

impl Crowd {
    /// A crowd of `size` callers.
    pub(super) fn new(nodes: &Arc<[Node]>, size: usize, roams: bool) -> Self {
        Self { lines: (0..size).map(|index| Line::new(nodes.clone(), index, roams)).collect() }
    }

    /// The number of callers.
    pub(super) fn size(&self) -> usize {
        self.lines.len()
    }

    /// Sends one request per caller, all at once; the first caller sends the first request, and so on.
    pub(super) async fn fire(&mut self, requests: Vec<Request>) -> anyhow::Result<Vec<Shot>> {
        let series = requests.into_iter().map(|request| vec![request]).collect();
        Ok(self.fire_series(series).await?.into_iter().flatten().collect())
    }

    /// Sends a series of requests per caller: one after the other within a series, all series at once.
    pub(super) async fn fire_series(&mut self, series: Vec<Vec<Request>>) -> anyhow::Result<Vec<Vec<Shot>>> {
        let size = series.len();
        ensure!(size <= self.lines.len(), "{size} callers are needed and {} are left", self.lines.len());
        let start = Arc::new(Barrier::new(size));
        let tasks: Vec<_> = self
            .lines
            .drain(..size)
            .zip(series)
            .map(|(mut line, series)| {
                let start = start.clone();
                tokio::spawn(async move {
                    // If this fails, the shot shows it.
                    let _ = line.connect().await;
                    start.wait().await;
                    let mut shots = Vec::with_capacity(series.len());
                    for request in &series {
                        shots.push(Shot::fire(&mut line, request).await);
                    }
                    (line, shots)
                })
            })
            .collect();
        let mut lines = Vec::with_capacity(size);
        let mut all = Vec::with_capacity(size);
        for task in tasks {
            let (line, shots) = task.await.context("a caller panicked")?;
            lines.push(line);
            all.push(shots);
        }
        // Back in their places, so that each keeps its node.
        self.lines.splice(0..0, lines);
        Ok(all)
    }
}

/// Judges a volley at something that works once: sends `after`, one by one to all nodes in turn, and enters the endings of both.
pub(super) async fn judge(
    api: &mut Api,
    scenario: &'static str,
    shots: Vec<Shot>,
    after: Vec<Request>,
    dashboard: &mut Dashboard,
) {
    let volley = endings(&shots);
    let mut again = Vec::new();
    for (node, request) in after.iter().enumerate() {
        again.extend(api.settle(node, request).await);
        // The volley has not used it up; this has, and must not work again.
        if api.mode == Mode::FaultExpected && again.last() == Some(&Ended::Accepted) {
            again.extend(api.settle(node, request).await);
        }
    }
    let found = used_once(&volley, &again, api.mode);
    dashboard.row(scenario).enter(volley.iter().chain(&again), found);
}
