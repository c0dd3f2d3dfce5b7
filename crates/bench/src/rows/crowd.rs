//! The cost of a crowd for other users: 10,000 idle connections and 1,000 pending pushes, beside verifications at a
//! constant rate. Two servers, one with the crowd and one without, are driven in turn.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::server::Server;

use super::latency::{own_maximum, paced};
use crate::enrol::{self, Wanted, factor};
use crate::fixture::{CONNECTIONS, Fixture, Instance};
use crate::pace;
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::{count, listed, p99_ms};
use crate::wire::{Connection, request};
use crate::workload::{Ask, Codes};

pub(super) const NAME: &str = "crowd";

const WHAT: &str = "p99 of verify with 10,000 idle connections and 1,000 polled pushes, against without";
const GOAL: Goal = Goal::AtMost { hold: 2.0, aim: 1.3 };

/// Connections that poll.
const POLLERS: usize = 16;
/// Other open files of a process: load, pollers, database.
const OTHER_FILES: usize = 1_000;
/// The answer to a poll while the push is pending.
const PENDING: (u16, &str) = (401, "Authentication pending");
/// The factor's name (contract 10.1).
const PUSH: &str = "OneLogin";
/// Longest lifetime of a push in seconds. The pushes must outlive the row.
const PUSH_LIFE: i64 = 900;

/// A dev world with devices, and its folder.
struct World {
    instance: Instance,
    workloads: Vec<Codes>,
    _folder: TempDir,
}

/// A pending push.
struct Push {
    user: i64,
    poll: Vec<u8>,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (idle, pushes) = fixture.size.crowd;
    let needed = (idle + OTHER_FILES) as u64;
    ensure!(
        fixture.open_files >= needed,
        "{needed} open files are needed, and the hard limit is {}",
        fixture.open_files
    );
    let (mut crowded, mut quiet) = (world(fixture, idle + CONNECTIONS + POLLERS)?, world(fixture, CONNECTIONS)?);
    let (address, authorization) = (crowded.instance.address, crowded.instance.authorization.clone());
    let waiting = fixture.runner.runtime.block_on(waiting_pushes(address, &authorization, pushes))?;
    let mut resting = fixture.runner.runtime.block_on(open(address, idle))?;
    let most = own_maximum(fixture, &quiet.instance, &mut quiet.workloads)?;
    let (rate, polls) = (most / 2.0, count(pushes as u64));
    let polling = waiting.iter().map(|push| push.poll.clone()).collect();
    let mut pollers = Ask::shared(polling, POLLERS, PENDING);

    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..fixture.size.pairs {
        without.push(paced(fixture, &quiet.instance, &mut quiet.workloads, rate)?.p99);
        // The server closes connections after a minute; each sends a request before every window.
        fixture.runner.runtime.block_on(stir(&mut resting))?;
        let workloads = std::mem::take(&mut crowded.workloads);
        let (work, polled) = fixture.runner.runtime.block_on(async {
            tokio::join!(
                pace::drive(address, workloads, rate, fixture.size.window),
                pace::drive(address, std::mem::take(&mut pollers), polls, fixture.size.window),
            )
        });
        let (mut work, mut polled) = (work?, polled?);
        with.push(p99_ms(&work.counts.latencies));
        fixture.runner.results.enter(&mut work.counts);
        fixture.runner.results.enter(&mut polled.counts);
        (crowded.workloads, pollers) = (work.workloads, polled.workloads);
    }
    fixture.runner.runtime.block_on(stir(&mut resting)).context("not all connections were left open")?;
    let outcome = fixture.runner.runtime.block_on(answer_one(address, &waiting));
    fixture.runner.results.check(outcome);
    for mut world in [crowded, quiet] {
        fixture.replay(&world.instance, Codes::gathered(world.workloads))?;
        world.instance.server.ensure_alive()?;
    }
    let ratios: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
    let raw = vec![
        format!(
            "{idle} idle connections; {pushes} pushes, each polled once a second; own maximum without {most:.0}/s; {rate:.0}/s sent"
        ),
        format!("  p99 with, ms: {}", listed(&with, 2)),
        format!("  p99 without, ms: {}", listed(&without, 2)),
        format!("  ratios: {}", listed(&ratios, 2)),
    ];
    Ok(Finding::new(NAME, vec![Row::new(WHAT, Unit::Times, GOAL, ratios)], raw))
}

/// A dev world, because only that has a simulated phone. Its devices are enrolled through the API.
fn world(fixture: &mut Fixture, connections: usize) -> Result<World> {
    let folder = fixture.folder()?;
    let config = fixture.config(connections);
    let server = Server::dev(&fixture.binary, folder.path(), &config)?;
    let address = server.address()?;
    let wanted = Wanted { devices: (fixture.size.few / 4).max(CONNECTIONS), per_user: 1 };
    let devices = fixture.runner.runtime.block_on(enrol::enrol(address, server.manager()?, wanted))?;
    let authorization = fixture.runner.runtime.block_on(enrol::authorize(address, server.manager()?))?;
    let workloads = Codes::shared(devices, CONNECTIONS, fixture.traffic());
    Ok(World { instance: Instance { server, address, authorization }, workloads, _folder: folder })
}

/// A user whose push device is the simulated phone.
pub(super) struct Paired {
    pub(super) user: i64,
    pub(super) device: i64,
}

/// Creates `count` users and pairs the simulated phone with each.
pub(super) async fn paired(address: SocketAddr, authorization: &str, count: usize) -> Result<Vec<Paired>> {
    let mut line = Connection::open(address).await?;
    let mut people = Vec::with_capacity(count);
    let mut push_factor = None;
    for number in 0..count {
        let name = format!("push{number}");
        let user = json!({ "username": name, "email": format!("{name}@example.com") }).to_string();
        let user = line.call(&request("POST", "/api/2/users", authorization, &user)).await?["id"].as_i64();
        let user = user.context("a new user without id")?;
        let factor = match &push_factor {
            Some(known) => known,
            None => push_factor.insert(factor(address, authorization, user, PUSH).await?),
        };
        let path = format!("/api/1/users/{user}/otp_devices");
        let body = json!({ "factor_id": factor, "display_name": "phone" }).to_string();
        let enrolled = line.call(&request("POST", &path, authorization, &body)).await?;
        line.call(&request("POST", "/dev/phone/pair", authorization, &enrolled.to_string())).await?;
        let device = enrolled["data"][0]["id"].as_i64().context("a new device without id")?;
        people.push(Paired { user, device });
    }
    Ok(people)
}

/// Creates `count` users and sends each a push.
async fn waiting_pushes(address: SocketAddr, authorization: &str, count: usize) -> Result<Vec<Push>> {
    let people = paired(address, authorization, count).await?;
    let mut line = Connection::open(address).await?;
    let mut pushes = Vec::with_capacity(count);
    for Paired { user, device } in people {
        let path = format!("/api/1/users/{user}/otp_devices/{device}");
        let body = json!({ "state_token_expires_in": PUSH_LIFE }).to_string();
        let triggered = line.call(&request("POST", &format!("{path}/trigger"), authorization, &body)).await?;
        let state_token: &Value = &triggered["data"][0]["state_token"];
        let body = json!({ "state_token": state_token }).to_string();
        pushes.push(Push { user, poll: request("POST", &format!("{path}/verify"), authorization, &body) });
    }
    Ok(pushes)
}

/// Approves one push. Only its poll may say so.
async fn answer_one(address: SocketAddr, waiting: &[Push]) -> Result<()> {
    let (first, second) = (waiting.first().context("there are pushes")?, waiting.last().context("there are pushes")?);
    let mut line = Connection::open(address).await?;
    let path = format!("/dev/phone/accept?user_id={}", first.user);
    line.call(&request("POST", &path, "none", "")).await?;
    let answer = line.exchange(&first.poll).await?;
    ensure!(answer.status == 200, "an approved push was answered {}", answer.shown());
    let answer = line.exchange(&second.poll).await?;
    let (status, words) = PENDING;
    ensure!(answer.status == status && answer.holds(words), "a waiting push was answered {}", answer.shown());
    Ok(())
}

/// Opens idle connections. Each sends a request first: the server closes a silent one sooner.
async fn open(address: SocketAddr, count: usize) -> Result<Vec<Connection>> {
    let mut resting = Vec::with_capacity(count);
    for _ in 0..count {
        let mut line = Connection::open(address).await?;
        stir(std::slice::from_mut(&mut line)).await?;
        resting.push(line);
    }
    Ok(resting)
}

/// Sends a small request over each.
async fn stir(resting: &mut [Connection]) -> Result<()> {
    let asked = request("GET", "/livez", "none", "");
    for line in resting {
        let answer = line.exchange(&asked).await?;
        ensure!(answer.status == 200, "a resting connection was answered {}", answer.shown());
    }
    Ok(())
}
