//! One code, many callers, all nodes and endpoints at once: it is accepted once.

use domain::Timestamp;
use domain::model::time::MINUTE;
use engine::Clock as _;
use engine::clock::SystemClock;

use super::api::Api;
use super::client::MAX_WAIT;
use super::crowd::Crowd;
use super::dashboard::Dashboard;
use super::device::HotpDevice;
use super::endpoint::{Endpoint, endpoints};
use super::output::Output;
use super::progress::Progress;
use super::report::{Ended, Mode, used_once};
use super::shot::{Shot, endings};

/// The name of the scenario.
pub(super) const NAME: &str = "one code at all endpoints";
/// Devices that take turns, each of another user. Right codes and replays never count as guesses; even if a late one did, the
/// device's next success would reset the count long before five.
const DEVICES: u64 = 32;
/// Verifications kept open on a device. Twenty are allowed (SEC 35); the rest is for those whose answer was lost.
const OPEN: usize = 16;
/// Age from which a verification is no longer used, in milliseconds. It lives fifteen minutes.
const STALE: i64 = 10 * MINUTE;

/// A device and its open verifications.
struct Target {
    device: HotpDevice,
    open: Vec<(String, Timestamp)>,
}

impl Target {
    async fn top_up(&mut self, api: &mut Api, wanted: usize) -> anyhow::Result<()> {
        let now = SystemClock.now();
        self.open.retain(|(_, opened_at)| now.since(*opened_at) < STALE);
        while self.open.len() < wanted {
            match api.open(self.device.user, self.device.device).await? {
                Some(id) => self.open.push((id, now)),
                None => break,
            }
        }
        Ok(())
    }

    /// Keeps the verifications that are certainly open: those whose code was refused as used.
    fn keep_open(&mut self, endpoints: &[Endpoint], shots: &[Shot]) {
        for (endpoint, shot) in endpoints.iter().zip(shots) {
            if let Endpoint::Put(id) = endpoint
                && !matches!(shot.ended, Ended::Refused(401) | Ended::Limited(_) | Ended::Unsent)
            {
                self.open.retain(|(open, _)| open != id);
            }
        }
    }
}

/// Sends `rounds` codes.
pub(super) async fn run(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    output: &dyn Output,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    let mut targets = Vec::new();
    for _ in 0..DEVICES.min(rounds.div_ceil(4)).max(1) {
        let user = api.user().await?;
        targets.push(Target { device: api.hotp(user).await?, open: Vec::new() });
    }
    let nodes = api.nodes.len();
    let mut with_v1 = true;
    let mut progress = Progress::new(output, NAME, rounds);
    for round in 0..usize::try_from(rounds)? {
        let index = round % targets.len();
        let target = &mut targets[index];
        let shift = round / nodes;
        target.top_up(api, OPEN.min(crowd.size().div_ceil(3))).await?;
        let open: Vec<String> = target.open.iter().map(|(id, _)| id.clone()).collect();
        let endpoints = endpoints(crowd.size(), nodes, shift, with_v1, &open);
        let code = target.device.next_code();
        let requests = endpoints
            .iter()
            .enumerate()
            .map(|(caller, endpoint)| api.answer(&target.device, endpoint, &code, caller + round))
            .collect();
        let shots = crowd.fire(requests).await?;
        target.keep_open(&endpoints, &shots);
        if with_v1 && v1_is_spent(&endpoints, &shots) {
            with_v1 = false;
            dashboard.note("the hourly quota of v1 calls ran out; the remaining codes went to v2");
        }
        let again = settled(api, &target.device, &code, round).await;
        let volley = endings(&shots);
        let found = used_once(&volley, &again, api.mode);
        dashboard.row(NAME).enter(volley.iter().chain(&again), found);
        progress.step(dashboard.violations());
    }
    Ok(())
}

/// Sends the code again, alone. Where faults are expected: until the server has shown whether it is used up, and then once
/// more if it was not.
async fn settled(api: &mut Api, device: &HotpDevice, code: &str, round: usize) -> Vec<Ended> {
    let request = api.answer(device, &Endpoint::Post, code, round);
    let mut said = api.settle(round, &request).await;
    if api.mode == Mode::FaultExpected && said.last() == Some(&Ended::Accepted) {
        said.extend(api.settle(round + 1, &request).await);
    }
    said
}

/// Whether the hourly quota of v1 has run out.
fn v1_is_spent(endpoints: &[Endpoint], shots: &[Shot]) -> bool {
    let closed = |shot: &Shot| matches!(shot.ended, Ended::Limited(seconds) if seconds > MAX_WAIT);
    endpoints.iter().zip(shots).any(|(endpoint, shot)| matches!(endpoint, Endpoint::V1) && closed(shot))
}
