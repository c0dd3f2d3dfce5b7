//! One request and its end.

use super::client::{Answer, Line, Request};
use super::report::Ended;

/// One request and how it ended.
#[derive(Debug)]
pub(super) struct Shot {
    pub(super) ended: Ended,
    pub(super) answer: Option<Answer>,
}

impl Shot {
    /// Sends a request over a line.
    pub(super) async fn fire(line: &mut Line, request: &Request) -> Self {
        let result = line.send_patiently(request).await;
        Self { ended: Ended::of(&result), answer: result.ok() }
    }
}

/// The endings of these shots.
pub(super) fn endings(shots: &[Shot]) -> Vec<Ended> {
    shots.iter().map(|shot| shot.ended).collect()
}
