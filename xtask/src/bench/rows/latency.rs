//! How long a verification takes at half of what the server can do, at a constant rate and counted from when each was
//! due, against how long the disk takes to sync: nothing durable can be faster than that.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::CONNECTIONS;
use crate::bench::alternate::Side as _;
use crate::bench::errand::Codes;
use crate::bench::hall::{Hall, House};
use crate::bench::pace;
use crate::bench::report::{count, listed, median, p99_ms};
use crate::bench::row::{Goal, Row, Unit};
use crate::bench::suite::Finding;
use crate::clock;

pub(super) const NAME: &str = "latency";

/// Bytes of an append before each sync.
const APPENDED: usize = 8 * 1024;

pub(super) fn run(hall: &mut Hall) -> Result<Finding> {
    let installation = hall.installation(hall.size.few, 1)?;
    let mut house = installation.open(hall, CONNECTIONS)?;
    let devices = house.devices(&installation.people.devices)?;
    let mut errands = Codes::shared(devices, CONNECTIONS, hall.traffic());
    let most = own_maximum(hall, &house, &mut errands)?;
    let rate = most / 2.0;
    let (mut own, mut late, mut disk) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..hall.size.pairs {
        let (p99, lateness) = paced(hall, &house, &mut errands, rate)?;
        own.push(p99);
        late.push(lateness);
        disk.push(p99_ms(&syncs(hall.ground(), hall.size.window)?));
    }
    let alone: Vec<f64> = (0..hall.size.pairs).map(|_| p99_ms(&pace::alone(rate, hall.size.window))).collect();
    hall.replay(&house, Codes::gathered(errands))?;
    house.server.ensure_alive()?;
    let ratios: Vec<f64> = own.iter().zip(&disk).map(|(own, disk)| own / disk).collect();
    let raw = vec![
        format!("own maximum {most:.0}/s over {CONNECTIONS} connections; {rate:.0}/s sent"),
        format!("  p99 of a verification, ms: {}", listed(&own, 2)),
        format!("  p99 of the load program's own lateness, in these, ms: {}", listed(&late, 2)),
        format!("  p99 of the lateness of its clock alone, nothing else running, ms: {}", listed(&alone, 2)),
        format!("  p99 of {APPENDED} bytes and fdatasync, ms: {}", listed(&disk, 2)),
        format!("  ratios: {}", listed(&ratios, 2)),
    ];
    let what = "p99 of verify at half of its own maximum, constant rate, against p99 of fdatasync";
    let row = Row::new(what, Unit::Times, Goal::AtMost { hold: 12.0, aim: 6.0 }, ratios);
    Ok(Finding::new(NAME, vec![row], raw))
}

/// Verifications a second as fast as answers come, in the middle of three windows.
pub(super) fn own_maximum(hall: &mut Hall, house: &House, errands: &mut Vec<Codes>) -> Result<f64> {
    let time = hall.size.window;
    let mut load = house.load(std::mem::take(errands));
    load.window(&mut hall.stage, time.min(Duration::from_millis(500)))?;
    let mut rates = Vec::new();
    for _ in 0..hall.size.pairs.min(3) {
        let (tally, _) = load.window(&mut hall.stage, time)?;
        rates.push(count(tally.exchanges()) / tally.elapsed.as_secs_f64());
    }
    *errands = load.errands;
    median(&rates).context("there are windows")
}

/// One window at a constant rate: the 99th percentile of its latencies, and of the load program's own lateness, in
/// milliseconds.
pub(super) fn paced(hall: &mut Hall, house: &House, errands: &mut Vec<Codes>, rate: f64) -> Result<(f64, f64)> {
    let driven = pace::drive(house.address, std::mem::take(errands), rate, hall.size.window);
    let mut driven = hall.stage.runtime.block_on(driven)?;
    *errands = driven.errands;
    hall.stage.book.enter(&mut driven.tally);
    Ok((p99_ms(&driven.tally.latencies), p99_ms(&driven.lateness)))
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
