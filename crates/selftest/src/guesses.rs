//! Many wrong guesses at once: exactly as many are compared as the limits allow, over all nodes and endpoints together
//! (SEC 20–26).

use std::sync::Arc;

use domain::Timestamp;
use domain::model::time::{HOUR, MINUTE, SECOND};
use domain::rules::throttle::USER_PER_HOUR;
use engine::Clock as _;
use engine::clock::SystemClock;

use super::api::Api;
use super::client::{Node, Request};
use super::crowd::Crowd;
use super::dashboard::Dashboard;
use super::device::HotpDevice;
use super::endpoint::{Endpoint, endpoints};
use super::report::{Ended, guesses, used_once, while_locked};
use super::shot::Shot;

/// Guesses at one device.
pub(super) const ONE_DEVICE: &str = "guesses at one device";
/// Guesses at several devices of one user.
pub(super) const ONE_USER: &str = "guesses at one user";
/// A right code while locked.
pub(super) const WHILE_LOCKED: &str = "right codes while locked";
/// The same code after the lock.
pub(super) const AFTER_LOCK: &str = "the same code after the lock";

/// Wrong answers in a row that lock a device (SEC 21). No configuration changes it.
const DEVICE_LOCK_AT: u64 = 5;
/// How long that lock lasts, in seconds.
const DEVICE_LOCK: i64 = MINUTE / SECOND;
/// How long a user over the hourly budget is locked, in seconds (SEC 23).
const USER_LOCK: i64 = HOUR / SECOND;
/// Devices that share a user's budget: more than the budget has locks for.
const DEVICES_OF_USER: usize = 6;
/// Verifications opened for guesses through v2 PUT; as many as may be open (SEC 35), less some.
const OPEN: usize = 16;
/// Most connections to one node: half of what a node allows one address (SEC 61), and half of the usual limit on open files.
const PER_NODE: usize = 500;
/// Open files kept for everything else.
const FILES_LEFT: usize = 150;

/// A code that was refused because of a lock, and must be valid after it.
pub(super) struct Withheld {
    device: HotpDevice,
    code: String,
    until: Timestamp,
}

/// How many guesses can be sent at once.
pub(super) fn connections(nodes: usize, guesses: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let files = files.and_then(|number| number.parse().ok()).unwrap_or(1_024_usize);
    guesses.min(nodes * PER_NODE).min(files.saturating_sub(FILES_LEFT)).max(1)
}

/// Guesses at one device, then at one user. Returns the codes that were withheld meanwhile.
pub(super) async fn run(api: &mut Api, count: usize, dashboard: &mut Dashboard) -> anyhow::Result<Vec<Withheld>> {
    let size = connections(api.nodes.len(), count);
    if size < count {
        dashboard.note(format!("{count} guesses were sent over {size} connections at once"));
    }
    let mut crowd = Crowd::new(&nodes(api), size, api.roams());
    let withheld = one_device(api, &mut crowd, count, dashboard).await?.into_iter().collect();
    one_user(api, &mut crowd, count, dashboard).await?;
    Ok(withheld)
}

fn nodes(api: &Api) -> Arc<[Node]> {
    api.nodes.clone()
}

async fn one_device(
    api: &mut Api,
    crowd: &mut Crowd,
    count: usize,
    dashboard: &mut Dashboard,
) -> anyhow::Result<Option<Withheld>> {
    let user = api.user().await?;
    let mut device = api.hotp(user).await?;
    let aim = aimed(api, &device, count).await?;
    let volley = fire(crowd, aim).await?;
    let found = guesses(&volley, DEVICE_LOCK_AT, DEVICE_LOCK, api.mode);
    dashboard.row(ONE_DEVICE).enter(&volley, found);
    if !is_locked(&volley) {
        return Ok(None);
    }
    let until = SystemClock.now().plus(DEVICE_LOCK * SECOND);
    let code = device.next_code();
    answer_while_locked(api, &device, &code, dashboard).await;
    Ok(Some(Withheld { device, code, until }))
}

async fn one_user(api: &mut Api, crowd: &mut Crowd, count: usize, dashboard: &mut Dashboard) -> anyhow::Result<()> {
    let user = api.user().await?;
    let mut untouched = api.hotp(user).await?;
    let mut aim = Vec::new();
    for _ in 0..DEVICES_OF_USER {
        let device = api.hotp(user).await?;
        aim.push(aimed(api, &device, count.div_ceil(DEVICES_OF_USER)).await?);
    }
    // One guess at each device in turn, so that the devices' locks and the user's limit race each other.
    let longest = aim.iter().map(Vec::len).max().unwrap_or(0);
    let mixed = (0..longest).flat_map(|n| aim.iter().filter_map(move |of_device| of_device.get(n).cloned()));
    let volley = fire(crowd, mixed.collect()).await?;
    let found = guesses(&volley, USER_PER_HOUR as u64, USER_LOCK, api.mode);
    dashboard.row(ONE_USER).enter(&volley, found);
    if is_locked(&volley) {
        let code = untouched.next_code();
        answer_while_locked(api, &untouched, &code, dashboard).await;
    }
    Ok(())
}

/// Whether the server reported a lock. Without one, the judge reports a violation, unless faults swallowed the guesses.
fn is_locked(volley: &[Ended]) -> bool {
    volley.iter().any(|ended| matches!(ended, Ended::Locked(_)))
}

/// Wrong guesses at a device, at all endpoints.
async fn aimed(api: &mut Api, device: &HotpDevice, count: usize) -> anyhow::Result<Vec<Request>> {
    let mut open = Vec::new();
    while open.len() < OPEN.min(count) {
        match api.open(device.user, device.device).await? {
            Some(id) => open.push(id),
            None => break,
        }
    }
    // Each verification takes several guesses.
    let open: Vec<String> = open.iter().cycle().take(if open.is_empty() { 0 } else { count }).cloned().collect();
    let endpoints = endpoints(count, api.nodes.len(), 0, true, &open);
    let codes = device.wrong_codes(count);
    let aimed = endpoints.iter().zip(codes).enumerate();
    Ok(aimed.map(|(n, (endpoint, code))| api.answer(device, endpoint, &code, n)).collect())
}

/// Sends all of these, as many at once as there are callers.
pub(super) async fn fire(crowd: &mut Crowd, requests: Vec<Request>) -> anyhow::Result<Vec<Ended>> {
    let size = crowd.size().min(requests.len());
    let mut series = vec![Vec::new(); size];
    for (index, request) in requests.into_iter().enumerate() {
        series[index % size].push(request);
    }
    let shots: Vec<Shot> = crowd.fire_series(series).await?.into_iter().flatten().collect();
    Ok(shots.iter().map(|shot| shot.ended).collect())
}

/// Sends a right code to every endpoint of every node.
async fn answer_while_locked(api: &mut Api, device: &HotpDevice, code: &str, dashboard: &mut Dashboard) {
    let mut shots = Vec::new();
    for node in 0..api.nodes.len() {
        for endpoint in [Endpoint::V1, Endpoint::Post] {
            let request = api.answer(device, &endpoint, code, node);
            shots.push(api.once(node, &request).await.ended);
        }
    }
    let found = while_locked(&shots, api.mode);
    dashboard.row(WHILE_LOCKED).enter(&shots, found);
}

/// Sends the withheld codes after their locks: each is accepted once, so no lock has used it up.
pub(super) async fn after_lock(
    api: &mut Api,
    crowd: &mut Crowd,
    withheld: Vec<Withheld>,
    patient: bool,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    for Withheld { device, code, until } in withheld {
        let left = until.since(SystemClock.now()) + SECOND;
        if left > 0 && !patient {
            dashboard
                .note(format!("\"{AFTER_LOCK}\" was left out: the run was over {} s before the lock", left / SECOND));
            continue;
        }
        SystemClock.sleep(left.max(0)).await;
        let endpoints = endpoints(crowd.size(), api.nodes.len(), 0, true, &[]);
        let requests =
            endpoints.iter().enumerate().map(|(n, endpoint)| api.answer(&device, endpoint, &code, n)).collect();
        let volley: Vec<Ended> = crowd.fire(requests).await?.iter().map(|shot| shot.ended).collect();
        let again = api.settle(0, &api.answer(&device, &Endpoint::Post, &code, 0)).await;
        let found = used_once(&volley, &again, api.mode);
        dashboard.row(AFTER_LOCK).enter(volley.iter().chain(&again), found);
    }
    Ok(())
}
