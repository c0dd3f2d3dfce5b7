//! Text messages: what a gateway that does not answer costs those who verify, how fast a long queue empties, and what both
//! and the providers themselves cost in memory.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::clock;
use crate::compare::Side as _;
use crate::fixture::{Fixture, Installation, Instance};
use crate::gateway::{Gateway, black_hole};
use crate::pace;
use crate::process::memory;
use crate::row::{Finding, Goal, Row, Unit};
use crate::rows::latency::paced;
use crate::stats::{count, listed};
use crate::wire::{Connection, request};
use crate::workload::{Ask, Codes, shares};

pub(super) const NAME: &str = "gateways";

/// Verifications and text messages a second.
const VERIFICATIONS: f64 = 200.0;
const MESSAGES: f64 = 20.0;
/// Connections for each kind of request.
const CONNECTIONS: usize = 16;
/// Messages of the long queue.
const QUEUED: usize = 10_000;
/// Side by side, for one route: as configured by default.
const AT_ONCE: usize = 8;
/// How long the last message may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    silent(fixture, &mut rows, &mut raw)?;
    drained(fixture, &mut rows, &mut raw)?;
    at_rest(fixture, &mut rows, &mut raw)?;
    Ok(Finding::new(NAME, rows, raw))
}

/// A server with SMS devices, and the gateway that its messages reach.
struct Scene {
    installation: Installation,
    instance: Instance,
    gateway: Gateway,
    /// A request for each SMS device, which sends it a code.
    triggers: Vec<Vec<u8>>,
}

/// Starts a server with this gateway, and one in front of it if `first` has an address, and enrols SMS devices.
fn scene(
    fixture: &mut Fixture,
    gateway: Gateway,
    first: Option<std::net::SocketAddr>,
    devices: usize,
) -> Result<Scene> {
    let installation = fixture.installation(fixture.size.few.max(devices), 1)?;
    let file = installation.folder().join("good.toml");
    gateway.describe(&file)?;
    fixture.setting("OFF, for text messages: limits on messages. Allowed are numbers in Germany.");
    let mut config = fixture.config(CONNECTIONS);
    for limit in ["per_device", "per_target", "per_block", "per_client", "per_server"] {
        let _ = writeln!(config, "messages_{limit} = 0");
    }
    config += "message_interval_seconds = 0\n[messages]\ncountries = [\"DE\"]\n[delivery]\nhttp = [\"good.toml\"]\n";
    if let Some(address) = first {
        let _ = write!(
            config,
            "sms = [\"twilio\", \"good\"]\n[delivery.twilio]\naccount_sid = \"AC1\"\nauth_token = \"secret\"\nfrom = \
             \"+4930\"\nbase_url = \"http://{address}\"\ntimeout_seconds = 2\n"
        );
    }
    let instance = installation.open_as(fixture, &config)?;
    let users = installation.dataset.devices.iter().take(devices).map(|device| device.user).collect();
    let triggers = fixture.runner.runtime.block_on(telephones(&instance, users))?;
    Ok(Scene { installation, instance, gateway, triggers })
}

/// Enrols a telephone for each of these users, and gives the requests that send it a code.
async fn telephones(instance: &Instance, users: Vec<i64>) -> Result<Vec<Vec<u8>>> {
    let mut working = JoinSet::new();
    for users in shares(users.into_iter().enumerate().collect(), CONNECTIONS) {
        let (address, authorization) = (instance.address, instance.authorization.clone());
        working.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut triggers = Vec::with_capacity(users.len());
            for (number, user) in users {
                let body = json!({ "factor_id": 2, "number": format!("+491511{number:07}"), "verified": true });
                let path = format!("/api/1/users/{user}/otp_devices");
                let enrolled = connection.call(&request("POST", &path, &authorization, &body.to_string())).await?;
                let device = enrolled["data"][0]["device_id"].as_i64().context("an enrolment without a device")?;
                triggers.push(request("POST", &format!("{path}/{device}/trigger"), &authorization, "{}"));
            }
            Ok::<_, anyhow::Error>(triggers)
        });
    }
    let mut all = Vec::new();
    while let Some(triggers) = working.join_next().await {
        all.extend(triggers??);
    }
    Ok(all)
}

/// Waits until the gateway has taken so many messages.
fn arrived(gateway: &Gateway, messages: u64) -> Result<()> {
    let began = clock::now();
    while gateway.taken() < messages {
        ensure!(began.elapsed() < PATIENCE, "{} of {messages} messages arrived", gateway.taken());
        clock::pause(Duration::from_millis(5));
    }
    Ok(())
}

fn silent(fixture: &mut Fixture, rows: &mut Vec<Row>, raw: &mut Vec<String>) -> Result<()> {
    let devices = fixture.size.few.min(400);
    let mut sides = [
        scene(fixture, Gateway::start()?, None, devices)?,
        scene(fixture, Gateway::start()?, Some(black_hole()?), devices)?,
    ];
    let mut codes = Vec::new();
    for side in &sides {
        let devices = side.instance.devices(&side.installation.dataset.devices)?;
        codes.push(Codes::shared(devices, CONNECTIONS, fixture.traffic()));
    }
    let mut p99s = [Vec::new(), Vec::new()];
    let mut sent = [0, 0];
    let pairs = fixture.size.pairs;
    for pair in 0..pairs {
        for (side, scene) in sides.iter().enumerate() {
            // Other devices in each window: a second code would take the place of one that still waits for the second gateway.
            let own = scene.triggers.iter().skip(pair).step_by(pairs).cloned().collect();
            let triggers = Ask::shared(own, CONNECTIONS, (200, "state_token"));
            let sending = pace::drive(scene.instance.address, triggers, MESSAGES, fixture.size.window);
            let sending = fixture.runner.runtime.spawn(sending);
            p99s[side].push(paced(fixture, &scene.instance, &mut codes[side], VERIFICATIONS)?.p99);
            let mut asked = fixture.runner.runtime.block_on(sending)??;
            sent[side] += asked.counts.done;
            fixture.runner.results.enter(&mut asked.counts);
        }
    }
    for (scene, sent) in sides.iter_mut().zip(sent) {
        let messages = arrived(&scene.gateway, sent);
        fixture.runner.results.check(messages.context("through the gateway that answers"));
        scene.instance.server.ensure_alive()?;
    }
    let ratios: Vec<f64> = p99s[1].iter().zip(&p99s[0]).map(|(silent, good)| silent / good).collect();
    raw.push(format!(
        "{VERIFICATIONS}/s verifications and {MESSAGES}/s text messages over {CONNECTIONS} connections each"
    ));
    raw.push(format!("  p99 of a verification, the gateway answers, ms: {}", listed(&p99s[0], 2)));
    raw.push(format!("  the same, the first of two gateways does not, ms: {}", listed(&p99s[1], 2)));
    raw.push(format!("  {} and {} messages arrived, all that were sent", sent[0], sent[1]));
    let what = "p99 of verify while the first gateway does not answer, against with one that does";
    rows.push(Row::new(what, Unit::Times, Goal::AtMost { hold: 2.0, aim: 1.3 }, ratios));
    Ok(())
}

fn drained(fixture: &mut Fixture, rows: &mut Vec<Row>, raw: &mut Vec<String>) -> Result<()> {
    let wanted = if fixture.size.is_quick { fixture.size.few / 2 } else { QUEUED };
    let mut scene = scene(fixture, Gateway::shut()?, None, wanted)?;
    clock::pause(Duration::from_millis(500));
    let rest = memory(scene.instance.server.pid())?.0;
    let lanes = shares(scene.triggers.clone(), CONNECTIONS);
    let address = scene.instance.address;
    fixture.runner.runtime.block_on(async {
        let mut working = JoinSet::new();
        for lane in lanes {
            working.spawn(async move {
                let mut connection = Connection::open(address).await?;
                for trigger in lane {
                    connection.call(&trigger).await?;
                }
                Ok::<_, anyhow::Error>(())
            });
        }
        while let Some(sent) = working.join_next().await {
            sent??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let queued = memory(scene.instance.server.pid())?.0;
    scene.gateway.open();
    let began = clock::now();
    arrived(&scene.gateway, wanted as u64)?;
    let rate = count(wanted as u64) / began.elapsed().as_secs_f64();
    let most = memory(scene.instance.server.pid())?.1;
    scene.instance.server.ensure_alive()?;
    scene.instance.server.stop()?;
    let twice = scene.gateway.taken() - wanted as u64;
    fixture.runner.results.check(if twice <= AT_ONCE as u64 { Ok(()) } else { Err(anyhow::anyhow!("{twice} twice")) });

    let body = r#"{"to": "+491511234567", "text": "123456 is your code for Countersign. It is valid for 2 minutes."}"#;
    let asks = Ask::shared(vec![request("POST", "/send", "", body); AT_ONCE], AT_ONCE, (200, "id"));
    let mut direct = crate::compare::Load::here(scene.gateway.address, asks);
    let mut own = Vec::new();
    for _ in 0..fixture.size.pairs.min(3) {
        let (counts, _) = direct.window(&mut fixture.runner, fixture.size.window)?;
        own.push(count(counts.exchanges()) / counts.elapsed.as_secs_f64());
    }
    let mebibytes = |kibibytes: u64| count(kibibytes) / 1024.0;
    raw.push(format!("{wanted} messages queued, then sent over one route, {AT_ONCE} side by side: {rate:.0}/s"));
    raw.push(format!("  the gateway alone, over {AT_ONCE} connections, each second: {}", listed(&own, 0)));
    raw.push(format!(
        "  memory at rest, with the queue, and at its highest, MiB: {:.1} {:.1} {:.1}",
        mebibytes(rest),
        mebibytes(queued),
        mebibytes(most)
    ));
    let ratios = own.iter().map(|own| rate / own).collect();
    let what = format!("{wanted} queued text messages sent, against what the gateway takes");
    rows.push(Row::new(what, Unit::Part, Goal::AtLeast { hold: 0.02, aim: 0.05 }, ratios));
    let what = format!("memory at its highest while {wanted} messages are queued and sent, above rest");
    let more = mebibytes(most.saturating_sub(rest));
    rows.push(Row::new(what, Unit::Mebibytes, Goal::AtMost { hold: 64.0, aim: 32.0 }, vec![more]));
    Ok(())
}

fn at_rest(fixture: &mut Fixture, rows: &mut Vec<Row>, raw: &mut Vec<String>) -> Result<()> {
    let installation = fixture.installation(fixture.size.few, 1)?;
    let bare = fixture.config(CONNECTIONS);
    let with = bare.clone()
        + "[messages]\ncountries = [\"DE\"]\n[delivery]\nsms = [\"twilio\", \"vonage\", \"sns\"]\n[delivery.twilio]\n\
           account_sid = \"AC1\"\nauth_token = \"x\"\nfrom = \"+4930\"\n[delivery.vonage]\napi_key = \"x\"\napi_secret = \
           \"x\"\nfrom = \"x\"\n[delivery.sns]\nregion = \"eu-central-1\"\naccess_key_id = \"x\"\nsecret_access_key = \
           \"x\"\n[delivery.smtp]\nservers = [\"smtps://mail.example.com\"]\nfrom = \"mfa@example.com\"\n";
    let (mut more, mut lines) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..fixture.size.pairs.min(5) {
        for (config, line) in [&bare, &with].into_iter().zip(&mut lines) {
            let instance = installation.open_as(fixture, config)?;
            clock::pause(Duration::from_millis(500));
            line.push(count(memory(instance.server.pid())?.0) / 1024.0);
            instance.server.stop()?;
        }
        let last = |line: &Vec<f64>| line.last().copied().unwrap_or_default();
        more.push((last(&lines[1]) - last(&lines[0])).max(0.0));
    }
    raw.push(format!("  memory at rest without a provider, MiB: {}", listed(&lines[0], 1)));
    raw.push(format!("  the same with Twilio, Vonage, SNS and a mail server, MiB: {}", listed(&lines[1], 1)));
    let goal = Goal::AtMost { hold: 4.0, aim: 2.0 };
    rows.push(Row::new("memory of four providers at rest", Unit::Mebibytes, goal, more));
    Ok(())
}
