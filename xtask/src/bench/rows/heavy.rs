//! The dearest lists there are, asked for by one client that may only read, at the full rate that one client has: those who
//! log in and verify meanwhile must hardly notice, and the memory that lists take must be given back. On both databases.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pgtest::Cluster;
use serde_json::json;

use crate::bench::enrol;
use crate::bench::errand::{Ask, Codes, Errand, Judged};
use crate::bench::hall::{Hall, House, Installation};
use crate::bench::pace;
use crate::bench::process::memory;
use crate::bench::report::{count, p99_ms};
use crate::bench::row::{Goal, Row, Unit};
use crate::bench::suite::Finding;
use crate::bench::wire::{Answer, Connection, request};
use crate::clock;

pub(super) const NAME: &str = "heavy";

const SLOWER: Goal = Goal::AtMost { hold: 3.0, aim: 1.5 };
const KEPT: Goal = Goal::AtMost { hold: 64.0, aim: 16.0 };
/// Windows of the usual length that the lists are asked for: a minute.
const WINDOWS: u32 = 30;
/// Connections of each kind of work.
const CONNECTIONS: usize = 16;
/// Verifications, log-ins and lists a second. As shipped one client may make 100 calls a second, and verifications and
/// log-ins have one between them; a log-in is a slow hash, of which two run at once.
const VERIFICATIONS: f64 = 60.0;
const LOG_INS: f64 = 4.0;
const LISTS: f64 = 100.0;
/// People who log in with a password, and that.
const PEOPLE: usize = 8;
const PASSWORD: &str = "a rather long secret";

/// The dearest list, again and again. It is answered, or refused with the time to come back.
struct Dear(Vec<u8>);

impl Errand for Dear {
    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn judge(&mut self, answer: &Answer<'_>) -> Result<Judged> {
        match answer.status {
            200 => Ok(Judged::Done),
            429 | 503 if answer.has_field("retry-after") => Ok(Judged::Refused),
            _ => bail!("a list was answered {}", answer.shown()),
        }
    }
}

/// What was seen of one stretch of time.
struct Stretch {
    verify: f64,
    log_in: f64,
}

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    let installation = hall.installation(hall.size.few, 1)?;
    measure(hall, &installation, "SQLite", &mut rows, &mut raw)?;
    match Cluster::start() {
        Some(cluster) => {
            let installation = hall.installation_on(&cluster, hall.size.few)?;
            measure(hall, &installation, "PostgreSQL", &mut rows, &mut raw)?;
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
        format!("p99 of verify while one client asks for the dearest lists, against without, {database}"),
        format!("the same of log-ins, {database}"),
        format!("memory that is not given back after it, {database}"),
    ]
}

fn measure(
    hall: &mut Hall,
    installation: &Installation,
    database: &str,
    rows: &mut Vec<Row>,
    raw: &mut Vec<String>,
) -> Result<()> {
    // The rate of a client is part of what is measured.
    hall.setting("OFF, for heavy lists: the hourly quota alone (limits.calls_per_hour = 0).");
    let mut house = installation.open_as(hall, "[limits]\ncalls_per_hour = 0\n")?;
    let reader = installation.new_client(hall, "Read Users")?;
    let runtime = &hall.stage.runtime;
    let reader = runtime.block_on(enrol::authorize(house.address, &reader))?;
    let log_ins = runtime.block_on(people(house.address, &house.authorization))?;
    let mut log_ins = Ask::shared(log_ins, PEOPLE, (200, "session_token"));
    let devices = house.devices(&installation.people.devices)?;
    let mut codes = Codes::shared(devices, CONNECTIONS, hall.traffic());
    let time = if hall.size.is_quick { hall.size.window } else { hall.size.window * WINDOWS };
    let mut lists = (0..CONNECTIONS).map(|_| Dear(dearest(&reader))).collect();

    let before = stretch(hall, &house, (&mut codes, &mut log_ins), time.min(hall.size.window * 10))?;
    let rest = memory(house.server.pid())?.0;
    let driven = pace::drive(house.address, std::mem::take(&mut lists), LISTS, time);
    let asking = hall.stage.runtime.spawn(driven);
    let during = stretch(hall, &house, (&mut codes, &mut log_ins), time)?;
    let mut asked = hall.stage.runtime.block_on(asking)??;
    hall.stage.book.enter(&mut asked.tally);
    clock::pause(hall.size.window);
    let kept = memory(house.server.pid())?.0.saturating_sub(rest);
    house.server.ensure_alive()?;
    drop(house);
    // Used codes are sent again as fast as they go, which is beyond the rate of one client.
    let house = installation.open_as(hall, "[limits]\ncalls_per_hour = 0\nbursts = false\n")?;
    hall.replay(&house, Codes::gathered(codes))?;

    let [verify, log_in, not_given_back] = names(database);
    rows.push(Row::new(verify, Unit::Times, SLOWER, vec![during.verify / before.verify]));
    rows.push(Row::new(log_in, Unit::Times, SLOWER, vec![during.log_in / before.log_in]));
    rows.push(Row::new(not_given_back, Unit::Mebibytes, KEPT, vec![count(kept) / 1024.0]));
    raw.push(format!(
        "{database}: {:.0} s, {LISTS:.0} lists a second of 20 filters over {} users: {} answered, {} refused",
        time.as_secs_f64(),
        hall.size.few,
        asked.tally.done,
        asked.tally.refused,
    ));
    raw.push(format!("  p99 of verify, ms: {:.2} without, {:.2} with", before.verify, during.verify));
    raw.push(format!("  p99 of a log-in, ms: {:.1} without, {:.1} with", before.log_in, during.log_in));
    raw.push(format!("  memory, MiB: {:.1} before, {:.1} more after", count(rest) / 1024.0, count(kept) / 1024.0));
    Ok(())
}

/// Verifications and log-ins at a constant rate. Each must be answered rightly.
fn stretch(
    hall: &mut Hall,
    house: &House,
    (codes, log_ins): (&mut Vec<Codes>, &mut Vec<Ask>),
    time: Duration,
) -> Result<Stretch> {
    let (verifying, logging_in) = (std::mem::take(codes), std::mem::take(log_ins));
    let (verified, logged_in) = hall.stage.runtime.block_on(async {
        tokio::join!(
            pace::drive(house.address, verifying, VERIFICATIONS, time),
            pace::drive(house.address, logging_in, LOG_INS, time.max(Duration::from_secs(1))),
        )
    });
    let (mut verified, mut logged_in) = (verified?, logged_in?);
    let seen = Stretch { verify: p99_ms(&verified.tally.latencies), log_in: p99_ms(&logged_in.tally.latencies) };
    ensure!(!verified.tally.latencies.is_empty() && !logged_in.tally.latencies.is_empty(), "nothing was answered");
    hall.stage.book.enter(&mut verified.tally);
    hall.stage.book.enter(&mut logged_in.tally);
    (*codes, *log_ins) = (verified.errands, logged_in.errands);
    Ok(seen)
}

/// As many filters as a call may have, each true for everybody and judged for everybody.
fn dearest(reader: &str) -> Vec<u8> {
    let filters: Vec<_> = (0..20).map(|n| format!("custom_attributes.a{n}=!*x*y*z")).collect();
    request("GET", &format!("/api/1/users?limit=50&{}", filters.join("&")), reader, "")
}

/// Makes people with a password and no device. Gives the log-in of each.
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
