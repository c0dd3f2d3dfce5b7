//! The most expensive lists, requested by one read-only client at the full rate of one client. Log-ins and verifications
//! must hardly slow down meanwhile, and the memory of the lists must be freed. On both databases.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pgtest::Cluster;
use serde_json::json;

use crate::clock;
use crate::enrol;
use crate::fixture::{Fixture, Installation, Instance};
use crate::pace;
use crate::process::memory;
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::{count, p99_ms};
use crate::wire::{Answer, Connection, request};
use crate::workload::{Ask, Codes, Outcome, Workload};

pub(super) const NAME: &str = "heavy";

const SLOWER: Goal = Goal::AtMost { hold: 3.0, aim: 1.5 };
const KEPT: Goal = Goal::AtMost { hold: 64.0, aim: 16.0 };
/// Windows of the usual length in which lists are requested: a minute.
const WINDOWS: u32 = 30;
/// Connections for each kind of request.
const CONNECTIONS: usize = 16;
/// Verifications, log-ins and lists a second. By default one client may make 100 calls a second; verifications and
/// log-ins share one client. A log-in needs a slow hash, of which two run at once.
const VERIFICATIONS: f64 = 60.0;
const LOG_INS: f64 = 4.0;
const LISTS: f64 = 100.0;
/// Users who log in, and their password.
const PEOPLE: usize = 8;
const PASSWORD: &str = "a rather long secret";

/// The most expensive list, again and again. The server answers it, or refuses it with `Retry-After`.
struct HeavyList(Vec<u8>);

impl Workload for HeavyList {
    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn check(&mut self, answer: &Answer<'_>) -> Result<Outcome> {
        match answer.status {
            200 => Ok(Outcome::Done),
            429 | 503 if answer.has_field("retry-after") => Ok(Outcome::Refused),
            _ => bail!("a list was answered {}", answer.shown()),
        }
    }
}

/// The p99 in milliseconds of one stretch of time.
struct Stretch {
    verify: f64,
    log_in: f64,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    let installation = fixture.installation(fixture.size.few, 1)?;
    measure(fixture, &installation, "SQLite", &mut rows, &mut raw)?;
    match Cluster::start() {
        Some(cluster) => {
            let installation = fixture.installation_on(&cluster, fixture.size.few)?;
            measure(fixture, &installation, "PostgreSQL", &mut rows, &mut raw)?;
        }
        None => {
            let why = "PostgreSQL is not installed";
            let [verify, log_in, kept] = names("PostgreSQL");
            rows.push(Row::not_measured(verify, Unit::Times, SLOWER, why));
            rows.push(Row::not_measured(log_in, Unit::Times, SLOWER, why));
            rows.push(Row::not_measured(kept, Unit::Mebibytes, KEPT, why));
        }
    }
    Ok(Finding::new(NAME, rows, raw))
}

fn names(database: &str) -> [String; 3] {
    [
        format!("p99 of verify while one client requests the most expensive lists, against without, {database}"),
        format!("the same of log-ins, {database}"),
        format!("memory that is not freed after it, {database}"),
    ]
}

fn measure(
    fixture: &mut Fixture,
    installation: &Installation,
    database: &str,
    rows: &mut Vec<Row>,
    raw: &mut Vec<String>,
) -> Result<()> {
    // The rate limit of a client is part of the measurement.
    fixture.setting("OFF, for heavy lists: the hourly quota alone (limits.calls_per_hour = 0).");
    let mut instance = installation.open_as(fixture, "[limits]\ncalls_per_hour = 0\n")?;
    let reader = installation.new_client(fixture, "Read Users")?;
    let runtime = &fixture.runner.runtime;
    let reader = runtime.block_on(enrol::authorize(instance.address, &reader))?;
    let log_ins = runtime.block_on(people(instance.address, &instance.authorization))?;
    let mut log_ins = Ask::shared(log_ins, PEOPLE, (200, "session_token"));
    let devices = instance.devices(&installation.dataset.devices)?;
    let mut codes = Codes::shared(devices, CONNECTIONS, fixture.traffic());
    let time = if fixture.size.is_quick { fixture.size.window } else { fixture.size.window * WINDOWS };
    let mut lists = (0..CONNECTIONS).map(|_| HeavyList(heavy_list(&reader))).collect();

    let before = stretch(fixture, &instance, (&mut codes, &mut log_ins), time.min(fixture.size.window * 10))?;
    let rest = memory(instance.server.pid())?.0;
    let driven = pace::drive(instance.address, std::mem::take(&mut lists), LISTS, time);
    let asking = fixture.runner.runtime.spawn(driven);
    let during = stretch(fixture, &instance, (&mut codes, &mut log_ins), time)?;
    let mut asked = fixture.runner.runtime.block_on(asking)??;
    fixture.runner.results.enter(&mut asked.counts);
    clock::pause(fixture.size.window);
    let kept = memory(instance.server.pid())?.0.saturating_sub(rest);
    instance.server.ensure_alive()?;
    drop(instance);
    // Used codes are replayed at full speed, which is above the rate of one client.
    let instance = installation.open_as(fixture, "[limits]\ncalls_per_hour = 0\nbursts = false\n")?;
    fixture.replay(&instance, Codes::gathered(codes))?;

    let [verify, log_in, not_given_back] = names(database);
    rows.push(Row::new(verify, Unit::Times, SLOWER, vec![during.verify / before.verify]));
    rows.push(Row::new(log_in, Unit::Times, SLOWER, vec![during.log_in / before.log_in]));
    rows.push(Row::new(not_given_back, Unit::Mebibytes, KEPT, vec![count(kept) / 1024.0]));
    raw.push(format!(
        "{database}: {:.0} s, {LISTS:.0} lists a second of 20 filters over {} users: {} answered, {} refused",
        time.as_secs_f64(),
        fixture.size.few,
        asked.counts.done,
        asked.counts.refused,
    ));
    raw.push(format!("  p99 of verify, ms: {:.2} without, {:.2} with", before.verify, during.verify));
    raw.push(format!("  p99 of a log-in, ms: {:.1} without, {:.1} with", before.log_in, during.log_in));
    raw.push(format!("  memory, MiB: {:.1} before, {:.1} more after", count(rest) / 1024.0, count(kept) / 1024.0));
    Ok(())
}

/// Verifications and log-ins at a constant rate. Each answer must be right.
fn stretch(
    fixture: &mut Fixture,
    instance: &Instance,
    (codes, log_ins): (&mut Vec<Codes>, &mut Vec<Ask>),
    time: Duration,
) -> Result<Stretch> {
    let (verifying, logging_in) = (std::mem::take(codes), std::mem::take(log_ins));
    let (verified, logged_in) = fixture.runner.runtime.block_on(async {
        tokio::join!(
            pace::drive(instance.address, verifying, VERIFICATIONS, time),
            pace::drive(instance.address, logging_in, LOG_INS, time.max(Duration::from_secs(1))),
        )
    });
    let (mut verified, mut logged_in) = (verified?, logged_in?);
    let seen = Stretch { verify: p99_ms(&verified.counts.latencies), log_in: p99_ms(&logged_in.counts.latencies) };
    ensure!(!verified.counts.latencies.is_empty() && !logged_in.counts.latencies.is_empty(), "nothing was answered");
    fixture.runner.results.enter(&mut verified.counts);
    fixture.runner.results.enter(&mut logged_in.counts);
    (*codes, *log_ins) = (verified.workloads, logged_in.workloads);
    Ok(seen)
}

/// As many filters as a call may have. Each matches every user, so each is evaluated for every user.
fn heavy_list(reader: &str) -> Vec<u8> {
    let filters: Vec<_> = (0..20).map(|n| format!("custom_attributes.a{n}=!*x*y*z")).collect();
    request("GET", &format!("/api/1/users?limit=50&{}", filters.join("&")), reader, "")
}

/// Creates users with a password and no device. Returns the log-in request of each.
async fn people(address: SocketAddr, authorization: &str) -> Result<Vec<Vec<u8>>> {
    let mut line = Connection::open(address).await?;
    let mut log_ins = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        let name = format!("heavy{number}");
        let user = json!({ "username": name }).to_string();
        let user = line.call(&request("POST", "/api/2/users", authorization, &user)).await?["id"].as_i64();
        let user = user.context("a new user without id")?;
        let body = json!({ "password": PASSWORD, "password_confirmation": PASSWORD }).to_string();
        let path = format!("/api/1/users/set_password_clear_text/{user}");
        line.call(&request("PUT", &path, authorization, &body)).await?;
        let body = json!({ "username_or_email": name, "password": PASSWORD, "subdomain": "bench" }).to_string();
        log_ins.push(request("POST", "/api/1/login/auth", authorization, &body));
    }
    Ok(log_ins)
}
