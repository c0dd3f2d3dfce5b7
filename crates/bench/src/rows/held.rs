//! Long polls: 10,000 are held at once in one process, ten for each user. The user answers the push, which is one durable
//! decision, and all polls about it are answered. That time is measured against the user's own call.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use xtask::server::Server;

use super::crowd::{Paired, paired};
use crate::clock;
use crate::enrol;
use crate::fixture::Fixture;
use crate::process;
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::{count, listed, median, p99_ms};
use crate::wire::{Connection, request};

pub(super) const NAME: &str = "held";

const WHAT: &str = "10,000 polls held at once: all about a person are answered, against the person's own answer";
const GOAL: Goal = Goal::AtMost { hold: 4.0, aim: 2.0 };

/// Most rounds. Each round holds all polls once.
const ROUNDS: usize = 3;
/// Other open files of a process.
const OTHER_FILES: usize = 1_000;
/// Requested hold of a poll, in seconds.
const HOLD: u64 = 25;
/// Seconds by which the clock advances between two rounds: a device gets one push in 30 seconds.
const BETWEEN: i64 = 60;

/// A user whose push many polls watch.
struct Watched {
    accept: Vec<u8>,
    poll: Vec<u8>,
}

/// The measurements of one round.
struct Round {
    /// For each user: time until the last poll was answered, divided by the time of the user's own call.
    ratios: Vec<f64>,
    /// From a user's answer to each poll's answer, in microseconds.
    delays: Vec<u32>,
    /// Memory while all are held, in KiB.
    memory: u64,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (polls, people) = fixture.size.crowd;
    let each = polls / people;
    let needed = (polls + OTHER_FILES) as u64;
    ensure!(
        fixture.open_files >= needed,
        "{needed} open files are needed, and the hard limit is {}",
        fixture.open_files
    );
    let folder = fixture.folder()?;
    let config = fixture.config(polls + OTHER_FILES);
    let mut server = Server::dev(&fixture.binary, folder.path(), &config)?;
    let (address, pid) = (server.address()?, server.pid());
    let ready: Value = serde_json::from_slice(&std::fs::read(server.ready_file())?)?;
    let admin = ready["admin_url"].as_str().and_then(|url| url.strip_prefix("http://")?.parse().ok());
    let admin: SocketAddr = admin.context("a dev world without an admin listener")?;
    let runtime = &fixture.runner.runtime;
    let authorization = runtime.block_on(enrol::authorize(address, server.manager()?))?;
    let paired = runtime.block_on(paired(address, &authorization, people))?;
    let before = process::memory(pid)?.0;

    let (mut ratios, mut delays, mut heaviest) = (Vec::new(), Vec::new(), 0);
    for _ in 0..fixture.size.pairs.min(ROUNDS) {
        let round = runtime.block_on(round(address, admin, pid, &authorization, &paired, each))?;
        ratios.push(median(&round.ratios).context("no user was asked")?);
        delays.extend(round.delays);
        heaviest = heaviest.max(round.memory);
    }
    server.ensure_alive()?;
    let held = count((each * people) as u64);
    let raw = vec![
        format!("{held} polls held at once, {each} about each of {people} people, who answer one after another"),
        format!("  until all polls about a person are answered, against their own call: {}", listed(&ratios, 2)),
        format!("  from a person's answer to a poll's: p99 {:.1} ms", p99_ms(&delays)),
        format!("  memory: {:.1} KiB a held poll with its connection", count(heaviest.saturating_sub(before)) / held),
    ];
    Ok(Finding::new(NAME, vec![Row::new(WHAT, Unit::Times, GOAL, ratios)], raw))
}

async fn round(
    address: SocketAddr,
    admin: SocketAddr,
    pid: u32,
    authorization: &str,
    people: &[Paired],
    each: usize,
) -> Result<Round> {
    let mut line = Connection::open(address).await?;
    let clock = json!({ "advance_seconds": BETWEEN }).to_string();
    line.call(&request("PUT", "/dev/clock", authorization, &clock)).await?;
    let mut watched = Vec::with_capacity(people.len());
    for Paired { user, device } in people {
        let path = format!("/api/2/mfa/users/{user}/verifications");
        let body = json!({ "device_id": device.to_string(), "expires_in": "900" }).to_string();
        let opened = line.call(&request("POST", &path, authorization, &body)).await?;
        let id = opened["id"].as_str().context("a verification without id")?;
        watched.push(Watched {
            accept: request("POST", &format!("/dev/phone/accept?user_id={user}"), "none", ""),
            poll: request("GET", &format!("{path}/{id}?wait={HOLD}"), authorization, ""),
        });
    }
    let mut polls = tokio::task::JoinSet::new();
    for (number, person) in watched.iter().enumerate() {
        for _ in 0..each {
            // One after another, so that the queue of new connections is not part of the measurement.
            let mut held = Connection::open(address).await?;
            let poll = person.poll.clone();
            polls.spawn(async move {
                let answer = held.exchange(&poll).await?;
                let at = clock::now();
                ensure!(
                    answer.status == 200 && answer.holds("\"accepted\""),
                    "a held poll was answered {}",
                    answer.shown()
                );
                anyhow::Ok((number, at))
            });
        }
    }
    until_held(admin, people.len() * each).await?;
    let memory = process::memory(pid)?.0;

    let mut calls = Vec::with_capacity(people.len());
    for person in &watched {
        let began = clock::now();
        line.call(&person.accept).await?;
        calls.push((began, clock::now()));
    }
    let mut last = calls.iter().map(|(_, answered)| *answered).collect::<Vec<_>>();
    let mut delays = Vec::with_capacity(people.len() * each);
    while let Some(poll) = polls.join_next().await {
        let (number, at) = poll??;
        last[number] = last[number].max(at);
        delays.push(u32::try_from(at.saturating_duration_since(calls[number].0).as_micros()).unwrap_or(u32::MAX));
    }
    let took = |(began, end): (Instant, Instant)| end.saturating_duration_since(began).as_secs_f64();
    let ratios = calls.iter().zip(&last).map(|(call, last)| took((call.0, *last)) / took(*call)).collect();
    Ok(Round { ratios, delays, memory })
}

/// Waits until the server reports this number of held polls.
async fn until_held(admin: SocketAddr, wanted: usize) -> Result<()> {
    let mut line = Connection::open(admin).await?;
    let asked = request("GET", "/metrics", "none", "");
    let wanted = format!("countersign_held_polls {wanted}\n");
    for _ in 0..200 {
        if line.exchange(&asked).await?.holds(&wanted) {
            return Ok(());
        }
        clock::rest(Duration::from_millis(20)).await;
    }
    anyhow::bail!("not all polls are held")
}
