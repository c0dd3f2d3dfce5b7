//! Phones: 1,000 prompts wait, each with a caller that is held, and the phones answer one after another with the keys that
//! they were paired with. The time until the caller is answered is measured against that of callers who wait for a link in a mail,
//! in the same server. Then 5,000 event streams are open, and what they cost is measured: memory, and the latency of others.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xtask::server::Server;

use super::latency::{own_maximum, paced};
use crate::clock;
use crate::enrol::{self, Wanted, factor};
use crate::fixture::{CONNECTIONS, Fixture, Instance};
use crate::process;
use crate::row::{Finding, Goal, Row, Unit};
use crate::stats::{listed, p99_ms};
use crate::wire::{Connection, request};
use crate::workload::Codes;

pub(super) const NAME: &str = "phones";

const ANSWERS: &str = "p99 from a phone's answer to its waiting caller's, 1,000 pending, against a link in a mail";
const ANSWERS_GOAL: Goal = Goal::AtMost { hold: 2.0, aim: 1.5 };
const MEMORY: &str = "memory of 5,000 open event streams of phones";
const MEMORY_GOAL: Goal = Goal::AtMost { hold: 64.0, aim: 48.0 };
const LATENCY: &str = "p99 of verify with 5,000 open event streams, against without";
const LATENCY_GOAL: Goal = Goal::AtMost { hold: 2.0, aim: 1.3 };

/// Other open files of a process.
const OTHER_FILES: usize = 1_000;
/// Requested hold of a poll, in seconds.
const HOLD: u64 = 25;
/// Most rounds of answers.
const ROUNDS: usize = 3;
/// Time between two pairings: 50 a second are taken in all.
const PAIRING: Duration = Duration::from_millis(21);
/// Streams for each waiting phone.
const STREAMS_EACH: usize = 5;
/// Answers that wait at once: each of them is a held poll.
const AT_ONCE: usize = 100;

/// A person with a phone and a mail address, both enrolled.
struct Person {
    user: i64,
    key: SigningKey,
    phone: i64,
    mail: i64,
}

/// How a person answers, and the caller that waits for it.
struct Waiting {
    answer: Vec<u8>,
    poll: Vec<u8>,
}

pub(super) fn run(fixture: &mut Fixture) -> Result<Finding> {
    let (_, people) = fixture.size.crowd;
    let streams = people * STREAMS_EACH;
    let needed = (streams + OTHER_FILES) as u64;
    ensure!(
        fixture.open_files >= needed,
        "{needed} open files are needed, and the hard limit is {}",
        fixture.open_files
    );
    let folder = fixture.folder()?;
    fixture.setting(&format!(
        "RAISED: limits.event_streams_per_peer = {streams}, where so many streams come from one address."
    ));
    let config = fixture.config(streams + OTHER_FILES);
    let config =
        format!("{config}event_streams = {streams}\nevent_streams_per_peer = {streams}\n[email]\nmode = \"link\"\n");
    let server = Server::dev(&fixture.binary, folder.path(), &config)?;
    let address = server.address()?;
    let wanted = Wanted { devices: (fixture.size.few / 4).max(CONNECTIONS), per_user: 1 };
    let runtime = &fixture.runner.runtime;
    let devices = runtime.block_on(enrol::enrol(address, server.manager()?, wanted))?;
    let authorization = runtime.block_on(enrol::authorize(address, server.manager()?))?;
    let persons = runtime.block_on(persons(address, &authorization, people))?;
    let (mut phones, mut links) = (Vec::new(), Vec::new());
    for _ in 0..fixture.size.pairs.min(ROUNDS) {
        let runtime = &fixture.runner.runtime;
        phones.push(p99_ms(&runtime.block_on(phone_round(address, &authorization, &persons))?));
        links.push(p99_ms(&runtime.block_on(link_round(address, &authorization, &persons))?));
    }
    let ratios: Vec<f64> = phones.iter().zip(&links).map(|(phone, link)| phone / link).collect();

    let mut instance = Instance { server, address, authorization };
    let mut workloads = Codes::shared(devices, CONNECTIONS, fixture.traffic());
    let rate = own_maximum(fixture, &instance, &mut workloads)? / 2.0;
    let mut without = Vec::new();
    for _ in 0..fixture.size.pairs {
        without.push(paced(fixture, &instance, &mut workloads, rate)?.p99);
    }
    let pid = instance.server.pid();
    let before = process::memory(pid)?.0;
    let open = fixture.runner.runtime.block_on(listeners(address, &persons))?;
    let held = process::memory(pid)?.0.saturating_sub(before);
    let mut with = Vec::new();
    for _ in 0..fixture.size.pairs {
        with.push(paced(fixture, &instance, &mut workloads, rate)?.p99);
    }
    let memory = megabytes(held);
    ensure!(open.len() == streams, "not all streams are open");
    drop(open);
    fixture.replay(&instance, Codes::gathered(workloads))?;
    instance.server.ensure_alive()?;
    let slower: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
    let raw = vec![
        format!("{people} prompts and as many links wait, each with a held poll, {AT_ONCE} at once"),
        format!("  from a phone's answer to the caller's, p99 in ms: {}", listed(&phones, 2)),
        format!("  from a link's answer to the caller's, p99 in ms: {}", listed(&links, 2)),
        format!("  ratios: {}", listed(&ratios, 2)),
        format!("{streams} event streams of {people} phones: {memory:.1} MiB; {rate:.0} verifications/s beside them"),
        format!("  p99 of verify with them, ms: {}", listed(&with, 2)),
        format!("  p99 of verify without, ms: {}", listed(&without, 2)),
    ];
    let rows = vec![
        Row::new(ANSWERS, Unit::Times, ANSWERS_GOAL, ratios),
        Row::new(MEMORY, Unit::Mebibytes, MEMORY_GOAL, vec![memory]),
        Row::new(LATENCY, Unit::Times, LATENCY_GOAL, slower),
    ];
    Ok(Finding::new(NAME, rows, raw))
}

#[expect(clippy::disallowed_methods, reason = "a phone has the time of its machine")]
fn unix_milliseconds() -> u128 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_millis()
}

fn megabytes(kibibytes: u64) -> f64 {
    u32::try_from(kibibytes).map_or(f64::MAX, f64::from) / 1_024.0
}

/// Creates people, pairs a phone of each and enrols their mail address.
async fn persons(address: SocketAddr, authorization: &str, count: usize) -> Result<Vec<Person>> {
    let mut line = Connection::open(address).await?;
    let mut persons = Vec::with_capacity(count);
    let mut factors = None;
    for number in 0..count {
        let name = format!("phone{number}");
        let email = format!("{name}@example.com");
        let user = json!({ "username": name, "email": email }).to_string();
        let user = line.call(&request("POST", "/api/2/users", authorization, &user)).await?["id"].as_i64();
        let user = user.context("a new user without id")?;
        if factors.is_none() {
            let push = factor(address, authorization, user, "OneLogin").await?;
            factors = Some((push, factor(address, authorization, user, "OneLogin Email").await?));
        }
        let (push, mail) = factors.as_ref().context("factors were looked up")?;
        let path = format!("/api/2/mfa/users/{user}/registrations");
        let body = json!({ "factor_id": push, "display_name": "phone" }).to_string();
        let begun = line.call(&request("POST", &path, authorization, &body)).await?;
        let code = begun["factor_data"]["verification_token"].as_str().context("a pairing without a code")?;
        let mut scalar = [7; 32];
        scalar[24..].copy_from_slice(&u64::try_from(number)?.to_be_bytes());
        let key = SigningKey::from_slice(&scalar).map_err(|_| anyhow::anyhow!("no key"))?;
        let public = BASE64URL_NOPAD.encode(key.verifying_key().to_sec1_point(false).as_bytes());
        let signature = signed(&key, &format!("countersign-pair-v1\n{code}\n{public}"));
        let body = json!({ "code": code, "public_key": public, "signature": signature }).to_string();
        // Attempts to pair are limited, for a peer and in all: each phone has an address, and takes its turn.
        crate::clock::rest(PAIRING).await;
        let [.., high, low] = u32::try_from(number)?.to_be_bytes();
        let mut radio = Connection::open_from(Ipv4Addr::new(127, 1, high, low), address).await?;
        let paired = radio.call(&request("POST", "/app/pair", "none", &body)).await?;
        let phone = paired["device"].as_str().and_then(|id| id.parse().ok()).context("a phone without id")?;
        // An administrator vouches for the address, so that no mail is needed to enrol it.
        let body = json!({ "factor_id": mail, "display_name": "mail", "verified": true }).to_string();
        let mail = line.call(&request("POST", &path, authorization, &body)).await?;
        let mail = mail["device_id"].as_str().and_then(|id| id.parse().ok()).context("a mail device without id")?;
        persons.push(Person { user, key, phone, mail });
    }
    Ok(persons)
}

fn signed(key: &SigningKey, text: &str) -> String {
    let signature: Signature = key.sign(text.as_bytes());
    BASE64URL_NOPAD.encode(&signature.to_bytes())
}

impl Person {
    /// What shows that this phone asks.
    fn request(&self, action: &str) -> Value {
        let at = unix_milliseconds();
        let (user, device) = (self.user, self.phone);
        let text = format!("countersign-app-v1\n{action}\n{user}\n{device}\n-\n{at}");
        let signature = signed(&self.key, &text);
        json!({ "user": user.to_string(), "device": device.to_string(), "signed_at": u64::try_from(at).unwrap_or_default(), "signature": signature })
    }
}

/// Puts a challenge to a device. Gives its id, and the poll that waits for it.
async fn challenged(
    line: &mut Connection,
    authorization: &str,
    (user, device): (i64, i64),
) -> Result<(String, Vec<u8>)> {
    let path = format!("/api/2/mfa/users/{user}/verifications");
    let body = json!({ "device_id": device.to_string(), "expires_in": "900" }).to_string();
    let opened = line.call(&request("POST", &path, authorization, &body)).await?;
    let id = opened["id"].as_str().context("a verification without id")?;
    let poll = request("GET", &format!("{path}/{id}?wait={HOLD}"), authorization, "");
    Ok((id.to_owned(), poll))
}

/// Every phone has a prompt, asks for it, and accepts. Gives the microseconds from each answer to the caller's.
async fn phone_round(address: SocketAddr, authorization: &str, persons: &[Person]) -> Result<Vec<u32>> {
    let mut line = Connection::open(address).await?;
    let mut waiting = Vec::with_capacity(persons.len());
    for person in persons {
        let (_, poll) = challenged(&mut line, authorization, (person.user, person.phone)).await?;
        let asked = person.request("requests").to_string();
        let prompts = line.call(&request("POST", "/app/requests", "none", &asked)).await?;
        let prompt = &prompts["requests"][0];
        let (id, nonce) = prompt["id"].as_str().zip(prompt["nonce"].as_str()).context("no prompt waits")?;
        let text = format!("countersign-push-v1\n{id}\n{nonce}\naccept\n-\n1");
        let body = json!({ "id": id, "decision": "accept", "signed_at": 1, "signature": signed(&person.key, &text) });
        waiting.push(Waiting { answer: request("POST", "/app/answer", "none", &body.to_string()), poll });
    }
    answered(address, waiting).await
}

/// Everybody has a link in a mail, opens it, and confirms.
async fn link_round(address: SocketAddr, authorization: &str, persons: &[Person]) -> Result<Vec<u32>> {
    let mut line = Connection::open(address).await?;
    let mut waiting = Vec::with_capacity(persons.len());
    for person in persons {
        let (id, poll) = challenged(&mut line, authorization, (person.user, person.mail)).await?;
        let newest = format!("/dev/outbox?verification_id={id}&wait=5s");
        let mails = line.call(&request("GET", &newest, "none", "")).await?;
        let mail = mails.as_array().and_then(|mails| mails.last()).context("no mail came")?;
        let link = mail["link"].as_str().context("a mail without a link")?;
        let path = link.find("/link/").map(|at| &link[at..]).context("a link of another kind")?;
        let token = path.trim_start_matches("/link/").to_owned();
        let page = line.exchange(&request("GET", path, "none", "")).await?;
        let page = String::from_utf8_lossy(page.body).into_owned();
        let nonce = page.split("name=\"nonce\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = format!("token={token}&nonce={}&answer=confirm", nonce.context("a page without a nonce")?);
        waiting.push(Waiting { answer: request("POST", "/link", "none", &form), poll });
    }
    answered(address, waiting).await
}

/// People answer one after another, while so many callers are held. Gives the microseconds from each answer to the caller's.
async fn answered(address: SocketAddr, waiting: Vec<Waiting>) -> Result<Vec<u32>> {
    let mut line = Connection::open(address).await?;
    let mut delays = Vec::with_capacity(waiting.len());
    for some in waiting.chunks(AT_ONCE) {
        let mut polls = Vec::with_capacity(some.len());
        for waits in some {
            let mut held = Connection::open(address).await?;
            let poll = waits.poll.clone();
            polls.push(tokio::spawn(async move {
                let answer = held.exchange(&poll).await?;
                let at = clock::now();
                ensure!(answer.holds("\"accepted\""), "a held poll was answered {}", answer.shown());
                anyhow::Ok(at)
            }));
        }
        clock::rest(std::time::Duration::from_millis(100)).await;
        for (waits, poll) in some.iter().zip(polls) {
            let began = clock::now();
            let said = line.exchange(&waits.answer).await?;
            ensure!(said.status == 200, "an answer was answered {}", said.shown());
            let at = poll.await??;
            delays.push(u32::try_from(at.saturating_duration_since(began).as_micros()).unwrap_or(u32::MAX));
        }
    }
    Ok(delays)
}

/// Opens the event streams of all phones, and reads what each is sent first.
async fn listeners(address: SocketAddr, persons: &[Person]) -> Result<Vec<TcpStream>> {
    let mut open = Vec::with_capacity(persons.len() * STREAMS_EACH);
    for person in persons {
        let body = json!({ "phones": [person.request("events")] }).to_string();
        let asked = request("POST", "/app/events", "none", &body);
        for _ in 0..STREAMS_EACH {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&asked).await?;
            let (mut read, mut heard) = ([0; 2_048], Vec::new());
            while !heard.windows(17).any(|bytes| bytes == b"event: requests\nd") {
                let count = stream.read(&mut read).await?;
                ensure!(count > 0, "an event stream ended: {}", String::from_utf8_lossy(&heard));
                heard.extend_from_slice(&read[..count]);
            }
            open.push(stream);
        }
    }
    Ok(open)
}
