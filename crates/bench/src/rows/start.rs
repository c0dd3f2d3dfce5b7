//! From the start of the process to the first answer: an accepted verification that is on the disk. The server was stopped
//! in order before, and its files are in the page cache.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::clock;
use crate::device::Device;
use crate::fixture::Fixture;
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::listed;

pub(super) const NAME: &str = "start";

const FEWER: (&str, Goal) = ("process start to first answer, 100,000 devices", Goal::AtMost { hold: 0.3, aim: 0.1 });
const MORE: (&str, Goal) = ("the same, 5,000,000 devices", Goal::AtMost { hold: 0.5, aim: 0.15 });

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries to connect.
const BETWEEN: Duration = Duration::from_micros(500);

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (mut rows, mut raw) = (Vec::new(), Vec::new());
    for ((what, goal), devices) in [(FEWER, Some(fixture.size.many)), (MORE, fixture.size.millions)] {
        let Some(devices) = devices else {
            rows.push(Row::not_measured(what, Unit::Seconds, goal, "left out (--five-million)"));
            continue;
        };
        let seconds = starts(fixture, devices)?;
        raw.push(format!("{devices} devices, seconds: {}", listed(&seconds, 4)));
        rows.push(Row::new(what, Unit::Seconds, goal, seconds));
    }
    Ok(Finding::new(NAME, rows, raw))
}

fn starts(fixture: &mut Fixture, devices: usize) -> Result<Vec<f64>> {
    let installation = fixture.installation(devices, 1)?;
    // The first start issues a token, which later servers accept.
    let instance = installation.open(fixture, 1)?;
    let mut devices = instance.devices(&installation.dataset.devices[..1])?;
    instance.server.stop()?;
    let config = fixture.config(1);
    let mut seconds = Vec::new();
    for _ in 0..fixture.size.pairs {
        // The port is free now, and unlikely to be given to another process before the server binds it.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let launch = installation.launch(&fixture.binary, &config, Some(address));
        let began = clock::now();
        let mut server = launch.spawn()?;
        let mut line = loop {
            match TcpStream::connect(address) {
                Ok(line) => break line,
                Err(_) => clock::pause(BETWEEN),
            }
            server.ensure_alive()?;
            ensure!(began.elapsed() < PATIENCE, "the server does not answer");
        };
        let answer = first_answer(&mut line, &mut devices[0])?;
        seconds.push(began.elapsed().as_secs_f64());
        fixture.runner.results.check(accepted(&answer));
        server.stop()?;
        fixture.runner.results.check(ensure_closed(address));
    }
    Ok(seconds)
}

/// The answer to a fresh code. It is small and arrives in one piece.
fn first_answer(line: &mut TcpStream, device: &mut Device) -> Result<Vec<u8>> {
    line.write_all(device.fresh())?;
    let mut answer = vec![0; 4096];
    let read = line.read(&mut answer)?;
    answer.truncate(read);
    Ok(answer)
}

fn accepted(answer: &[u8]) -> Result<()> {
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "a fresh code was answered {}", String::from_utf8_lossy(answer));
    Ok(())
}

fn ensure_closed(address: SocketAddr) -> Result<()> {
    ensure!(TcpStream::connect(address).is_err(), "the address of a stopped server still answers");
    Ok(())
}
