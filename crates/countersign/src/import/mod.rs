//! `countersign import`: imports users and devices from a list, as fast as the disk commits, whether or not a server runs.
//!
//! The list streams: one thread reads and checks its lines, the engine merges person by person, and the results are counted
//! and reported in the list's order. An import can be interrupted anywhere: each person is imported wholly or not at all, and
//! the same command imports the rest.

mod fault;
mod fields;
mod group;
mod otpauth;
mod parse;
mod read;
mod report;
mod sniff;
mod utf16;
pub(crate) mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use config::Config;
use engine::Clock as _;
use engine::import::ImportOutcome;
use serde_json::json;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::control::{self, ImportLine};
use crate::terminal::{self, Progress};
use fault::Fault;
use group::{Group, Grouper, Piece};
pub(crate) use read::Format;
use report::{Map, Rejects};
use wire::Outcome;

/// The bytes of a secret in Base32, as lists spell it.
pub(crate) fn base32(text: &str) -> Option<domain::Secret> {
    parse::base32(text).ok()
}

/// The arguments of `countersign import`.
#[derive(Debug, Clone)]
pub(crate) struct ImportOptions {
    pub(crate) file: PathBuf,
    /// The list's format; by default its beginning shows it.
    pub(crate) format: Option<Format>,
    /// File for the rejected lines.
    pub(crate) rejects: Option<PathBuf>,
    /// File for the device of each secret.
    pub(crate) map_out: Option<PathBuf>,
    /// Whether existing users and devices are set to what the list says.
    pub(crate) update: bool,
    /// Whether the summary is JSON.
    pub(crate) json: bool,
}

/// Lines that were read together.
struct Batch {
    groups: Vec<Group>,
    rejects: Vec<(u64, Fault)>,
    /// Bytes of the list up to the end of the batch.
    bytes: u64,
}

#[derive(Default)]
struct Counts {
    users: u64,
    devices: u64,
    unchanged: u64,
    /// Devices and people that differ from the list.
    differs: u64,
    /// Devices and people that were set to what the list says.
    updated: u64,
    /// Devices with a secret that another user's device has too.
    shared: u64,
    rejected: u64,
    /// People who exist now, whether or not they did before.
    people: u64,
}

/// Runs `countersign import`.
pub(crate) async fn run(config: &Config, options: ImportOptions) -> anyhow::Result<ExitCode> {
    let began = engine::clock::SystemClock.now();
    let shown = options.file.display();
    let file = std::fs::File::open(&options.file).with_context(|| format!("cannot read {shown}"))?;
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let list = std::io::BufReader::with_capacity(1 << 18, file);
    let rows = read::rows(list, options.format).with_context(|| shown.to_string())?;
    let rejects = Rejects::new(options.rejects.clone().unwrap_or_else(|| {
        let mut name = options.file.clone().into_os_string();
        name.push(".rejects.jsonl");
        PathBuf::from(name)
    }))?;
    let map = options.map_out.as_deref().map(Map::new).transpose()?;
    if let Some(path) = &options.map_out {
        terminal::remark(&format!(
            "countersign: {} will hold every imported secret in clear; move it to where it is needed and delete it here",
            path.display()
        ));
    }

    let line = control::open_line(config).await?;
    let (send, batches) = mpsc::channel(wire::WINDOW);
    let reading = tokio::task::spawn_blocking(move || batched(rows, options.update, &send));
    let mut ledger =
        Ledger { counts: Counts::default(), rejects, map, progress: terminal::progress("Importing", length) };
    let imported = import(line, batches, &mut ledger).await;
    ledger.progress.finish();
    let rejects = ledger.rejects.finish()?;
    if let Some(map) = ledger.map {
        map.finish()?;
    }
    imported?;
    reading.await.context("the reader of the list failed")?.with_context(|| format!("cannot read {shown}"))?;
    let milliseconds = engine::clock::SystemClock.now().since(began);
    summarise(&ledger.counts, &rejects, milliseconds, options.json);
    if ledger.counts.people == 0 {
        terminal::remark(&match ledger.counts.rejected {
            0 => format!("countersign: nothing was imported: {shown} holds no entries"),
            rejected => format!(
                "countersign: nothing was imported: {}; the reasons are in {}",
                if rejected == 1 {
                    "its only line was rejected".to_owned()
                } else {
                    format!("all {rejected} lines were rejected")
                },
                rejects.display()
            ),
        });
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the whole list, batch by batch, until the receiver is gone.
fn batched(rows: read::Rows, update: bool, send: &mpsc::Sender<Batch>) -> std::io::Result<()> {
    let mut grouper = Grouper::new(update);
    let mut pieces = Vec::new();
    let mut batch = Batch { groups: Vec::new(), rejects: Vec::new(), bytes: 0 };
    let mut weight = 0;
    let mut put = |pieces: &mut Vec<Piece>, batch: &mut Batch, last: bool| {
        for piece in pieces.drain(..) {
            weight += 1;
            match piece {
                Piece::Group(group) => {
                    weight += group.lines.len();
                    batch.groups.push(group);
                }
                Piece::Reject(line, fault) => batch.rejects.push((line, fault)),
            }
        }
        if weight < 2 * wire::BATCH && !last {
            return true;
        }
        weight = 0;
        let next = Batch { groups: Vec::new(), rejects: Vec::new(), bytes: batch.bytes };
        send.blocking_send(std::mem::replace(batch, next)).is_ok()
    };
    for row in rows {
        let row = row?;
        grouper.push(row.line, row.fields, &mut pieces);
        batch.bytes = row.bytes;
        if !put(&mut pieces, &mut batch, false) {
            return Ok(());
        }
    }
    grouper.finish(&mut pieces);
    put(&mut pieces, &mut batch, true);
    Ok(())
}

/// Sends batches and records their results in the ledger.
async fn import(line: ImportLine, batches: mpsc::Receiver<Batch>, ledger: &mut Ledger) -> anyhow::Result<()> {
    let ImportLine { mut read, write, installation } = line;
    let (sent, under_way) = mpsc::channel(wire::WINDOW);
    let result = tokio::try_join!(send_all(write, batches, sent), ledger.keep(&mut read, under_way));
    if let Some(installation) = installation {
        installation.close().await;
    }
    result.map(|_| ())
}

async fn send_all(
    mut write: Box<dyn AsyncWrite + Send + Unpin>,
    mut batches: mpsc::Receiver<Batch>,
    sent: mpsc::Sender<Batch>,
) -> anyhow::Result<()> {
    while let Some(batch) = batches.recv().await {
        if !batch.groups.is_empty() {
            let people: Vec<_> = batch.groups.iter().map(|group| &group.person).collect();
            wire::send(&mut write, &people).await?;
        }
        if sent.send(batch).await.is_err() {
            break;
        }
    }
    // Tells the engine's end that this was all.
    write.shutdown().await.ok();
    Ok(())
}

/// The results of an import so far.
struct Ledger {
    counts: Counts,
    rejects: Rejects,
    map: Option<Map>,
    progress: Progress,
}

/// Remarks on lines that were imported.
#[derive(Default)]
struct Remarks {
    /// Lines whose user or device differs.
    differs: Vec<(u64, Fault)>,
    /// Lines of secrets that another user has too.
    shared: Vec<u64>,
}

impl Ledger {
    async fn keep(
        &mut self,
        read: &mut (dyn AsyncBufRead + Send + Unpin),
        mut under_way: mpsc::Receiver<Batch>,
    ) -> anyhow::Result<()> {
        let mut read = read;
        while let Some(batch) = under_way.recv().await {
            let mut rejects = batch.rejects;
            let mut remarks = Remarks::default();
            if !batch.groups.is_empty() {
                let outcomes = wire::receive(&mut read, batch.groups.len()).await?;
                for (group, outcome) in batch.groups.iter().zip(outcomes) {
                    self.enter(group, outcome, &mut rejects, &mut remarks)?;
                }
            }
            self.counts.rejected += rejects.len() as u64;
            self.counts.differs += remarks.differs.len() as u64;
            self.counts.shared += remarks.shared.len() as u64;
            rejects.append(&mut remarks.differs);
            rejects.extend(remarks.shared.into_iter().map(|line| (line, Fault::Shared)));
            rejects.sort_by_key(|(line, _)| *line);
            for (line, fault) in &rejects {
                self.rejects.add(*line, fault)?;
            }
            self.progress.reach(batch.bytes);
        }
        Ok(())
    }

    /// Counts the result of a group.
    fn enter(
        &mut self,
        group: &Group,
        outcome: Outcome,
        rejects: &mut Vec<(u64, Fault)>,
        remarks: &mut Remarks,
    ) -> anyhow::Result<()> {
        match outcome {
            Outcome::Done(imported) => {
                self.counts.people += 1;
                self.counts.users += u64::from(imported.created);
                match imported.person {
                    ImportOutcome::Differs(fields) => {
                        remarks.differs.push((group.first_line(), Fault::Differs(fields)));
                    }
                    ImportOutcome::Updated => self.counts.updated += 1,
                    ImportOutcome::New | ImportOutcome::Same => {}
                }
                let shared = imported.shared.iter().filter_map(|place| group.lines.get(*place));
                remarks.shared.extend(shared.map(|line| line.number));
                for (line, (device, fate)) in group.lines.iter().zip(imported.devices) {
                    match fate {
                        ImportOutcome::New => self.counts.devices += 1,
                        ImportOutcome::Same => self.counts.unchanged += 1,
                        ImportOutcome::Updated => self.counts.updated += 1,
                        ImportOutcome::Differs(fields) => remarks.differs.push((line.number, Fault::Differs(fields))),
                    }
                    if let Some(map) = &mut self.map {
                        map.add(&group.person.username, imported.user, device, line)?;
                    }
                }
            }
            Outcome::Rejected(reason) => {
                rejects.extend(group.numbers().map(|line| (line, Fault::Refused(reason.clone()))));
            }
            Outcome::Failed(reason) => {
                let line = group.first_line();
                bail!("stopped at line {line}: {reason}. Repeating the import takes the rest");
            }
        }
        Ok(())
    }
}

fn summarise(counts: &Counts, rejects: &std::path::Path, milliseconds: i64, as_json: bool) {
    let Counts { users, devices, unchanged, differs, updated, shared, rejected, people: _ } = *counts;
    let reported = rejected + differs + shared > 0;
    if as_json {
        let summary = json!({
            "users": users,
            "devices": devices,
            "unchanged": unchanged,
            "differs": differs,
            "updated": updated,
            "shared": shared,
            "rejected": rejected,
            "rejects_file": reported.then(|| rejects.display().to_string()),
            "milliseconds": milliseconds,
        });
        return terminal::say(&summary.to_string());
    }
    let tenths = (milliseconds.max(0) + 50) / 100;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let counted = |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let (users, devices) = (counted(users, "new user"), counted(devices, "new device"));
    terminal::say(&format!("Imported in {seconds}.{tenth} s: {users}, {devices}"));
    terminal::say(&format!("  unchanged  {unchanged} devices that existed already"));
    if updated > 0 {
        terminal::say(&format!("  updated    {updated} devices and users, to what the list says"));
    }
    if differs > 0 {
        terminal::say(&format!("  differ     {differs} devices and users, left as they are; --update sets them"));
    }
    if shared > 0 {
        terminal::say(&format!("  shared     {shared} devices with a secret that another user has too"));
    }
    terminal::say(&format!("  rejected   {rejected} lines"));
    if reported {
        terminal::say(&format!("  The reasons are in {}", rejects.display()));
    }
}
