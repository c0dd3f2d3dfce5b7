//! Latency of a verification at half of the server's maximum, at a constant rate and from each request's due time, against
//! the duration of a sync of the disk: nothing durable can be faster. The sketch of a server at the same rate, in turn, shows
//! how much of it this machine makes.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::clock;
use crate::compare::Side as _;
use crate::fixture::{CONNECTIONS, Fixture, Instance};
use crate::pace::{self, Paced};
use crate::process::{Cpu, CpuReading};
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::{Cost, count, listed, median, p99_ms};
use crate::workload::Codes;

pub(super) const NAME: &str = "latency";

/// Bytes of an append before each sync.
const APPENDED: usize = 8 * 1024;

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let installation = fixture.installation(fixture.size.few, 1)?;
    let mut instance = installation.open(fixture, CONNECTIONS)?;
    let mut devices = instance.devices(&installation.dataset.devices)?;
    let echo = fixture.echo(&instance, devices[0].fresh(), 200)?;
    let sketch = fixture.sketch(&instance, &installation.dataset.devices, &echo)?;
    let mut sketched = Codes::shared(instance.devices(&installation.dataset.devices)?, CONNECTIONS, fixture.traffic());
    let mut workloads = Codes::shared(devices, CONNECTIONS, fixture.traffic());
    let most = own_maximum(fixture, &instance, &mut workloads)?;
    let rate = most / 2.0;
    let (mut own, mut late, mut minimum, mut disk) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut done, mut cpu) = (0, Cpu::default());
    for _ in 0..fixture.size.pairs {
        let window = paced(fixture, &instance, &mut workloads, rate)?;
        own.push(window.p99);
        late.push(window.lateness);
        (done, cpu) = (done + window.exchanges, cpu + window.cpu);
        let driven = drive(fixture, sketch.address(), &mut sketched, rate)?;
        ensure!(driven.counts.violations.is_empty(), "the sketch failed: {:?}", driven.counts.violations.first());
        minimum.push(p99_ms(&driven.counts.latencies));
        disk.push(p99_ms(&syncs(fixture.ground(), fixture.size.window)?));
    }
    let alone: Vec<f64> = (0..fixture.size.pairs).map(|_| p99_ms(&pace::alone(rate, fixture.size.window))).collect();
    fixture.replay(&instance, Codes::gathered(workloads))?;
    instance.server.ensure_alive()?;
    let ratios: Vec<f64> = own.iter().zip(&disk).map(|(own, disk)| own / disk).collect();
    let raw = vec![
        format!("own maximum {most:.0}/s over {CONNECTIONS} connections; {rate:.0}/s sent"),
        format!("  p99 of a verification, ms: {}", listed(&own, 2)),
        format!("  p99 of the load program's own lateness, in these, ms: {}", listed(&late, 2)),
        format!("  p99 of the sketch of a server at the same rate, ms: {}", listed(&minimum, 2)),
        format!("  p99 of the lateness of its clock alone, nothing else running, ms: {}", listed(&alone, 2)),
        format!("  p99 of {APPENDED} bytes and fdatasync, ms: {}", listed(&disk, 2)),
        format!("  ratios: {}", listed(&ratios, 2)),
    ];
    let what = "p99 of verify at half of the server's maximum, constant rate, against p99 of fdatasync";
    let row = Row::new(what, Unit::Times, Goal::AtMost { hold: 15.0, aim: 10.0 }, ratios);
    Ok(Finding::new(NAME, vec![row.with_cost(Cost::of(cpu, done))], raw))
}

/// Verifications a second as fast as answers come: the median of three windows.
pub(super) fn own_maximum(fixture: &mut Fixture, instance: &Instance, workloads: &mut Vec<Codes>) -> Result<f64> {
    let time = fixture.size.window;
    let mut load = instance.load(std::mem::take(workloads));
    load.window(&mut fixture.runner, time.min(Duration::from_millis(500)))?;
    let mut rates = Vec::new();
    for _ in 0..fixture.size.pairs.min(3) {
        let (counts, _) = load.window(&mut fixture.runner, time)?;
        rates.push(count(counts.exchanges()) / counts.elapsed.as_secs_f64());
    }
    *workloads = load.workloads;
    median(&rates).context("there are windows")
}

/// One window at a constant rate.
pub(super) struct PacedWindow {
    /// The 99th percentile of its latencies in milliseconds.
    pub(super) p99: f64,
    /// The same of the load program's own lateness.
    lateness: f64,
    exchanges: u64,
    cpu: Cpu,
}

/// Sends verifications at a constant rate.
pub(super) fn paced(
    fixture: &mut Fixture,
    instance: &Instance,
    workloads: &mut Vec<Codes>,
    rate: f64,
) -> Result<PacedWindow> {
    let before = CpuReading::of(instance.server.pid())?;
    let mut driven = drive(fixture, instance.address, workloads, rate)?;
    fixture.runner.results.enter(&mut driven.counts);
    Ok(PacedWindow {
        p99: p99_ms(&driven.counts.latencies),
        lateness: p99_ms(&driven.lateness),
        exchanges: driven.counts.exchanges(),
        cpu: CpuReading::of(instance.server.pid())?.since(&before),
    })
}

/// Sends at a constant rate for one window.
fn drive(fixture: &Fixture, address: SocketAddr, workloads: &mut Vec<Codes>, rate: f64) -> Result<Paced<Codes>> {
    let driven = pace::drive(address, std::mem::take(workloads), rate, fixture.size.window);
    let mut driven = fixture.runner.runtime.block_on(driven)?;
    *workloads = std::mem::take(&mut driven.workloads);
    Ok(driven)
}

/// Microseconds of each append with its sync.
fn syncs(folder: &Path, time: Duration) -> Result<Vec<u32>> {
    let path = folder.join("appended");
    let mut file = File::create(&path).context("cannot make a file to append to")?;
    let bytes = vec![7; APPENDED];
    let began = clock::now();
    let mut latencies = Vec::new();
    while began.elapsed() < time {
        let one = clock::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        latencies.push(u32::try_from(one.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    drop(file);
    std::fs::remove_file(path)?;
    Ok(latencies)
}
