//! Checks after a fail-over that the new primary knows everything that was acknowledged.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context as _, Result};

use super::cluster::Cluster;
use super::load::{Client, Owner, Records, Target};

/// Wrong answers in a row that lock a device (SEC 21).
const LOCK_AT: u32 = 5;

/// What was checked and what was wrong.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Codes acknowledged as accepted, and how many of them were replayed.
    pub(super) accepted: usize,
    pub(super) again: usize,
    /// Guesses acknowledged as wrong, and without an answer.
    pub(super) refused: u32,
    pub(super) refused_in_doubt: u32,
    /// Guesses in the database.
    pub(super) counted: u32,
    pub(super) enrolled: usize,
    /// Codes accepted a second time.
    pub(super) twice: Vec<String>,
    /// Acknowledged acceptances, guesses or enrolments that the database does not know.
    pub(super) lost: Vec<String>,
    /// All other violations.
    pub(super) odd: Vec<String>,
}

impl Findings {
    pub(super) fn violations(&self) -> impl Iterator<Item = &String> {
        self.twice.iter().chain(&self.lost).chain(&self.odd)
    }
}

/// Entries of the audit trail, by user.
struct Trail(HashMap<(i64, String), u32>);

impl Trail {
    fn read(cluster: &Cluster) -> Result<Self> {
        let answer = cluster.ask_database(
            "SELECT user_id, kind, count(*) FROM audit \
             WHERE kind IN ('verification.accepted', 'verification.refused') GROUP BY 1, 2",
        )?;
        let entry = |line: &str| {
            let mut parts = line.split('|');
            Some(((parts.next()?.parse().ok()?, parts.next()?.to_owned()), parts.next()?.parse().ok()?))
        };
        let entries = answer.lines().map(|line| entry(line).with_context(|| format!("{line} is no entry")));
        Ok(Self(entries.collect::<Result<_>>()?))
    }

    fn count(&self, user: i64, kind: &str) -> u32 {
        self.0.get(&(user, kind.to_owned())).copied().unwrap_or(0)
    }
}

/// Checks the clients' records against the cluster.
pub(super) async fn check(records: Records, cluster: &Cluster, nodes: &[SocketAddr]) -> Result<Findings> {
    let trail = Trail::read(cluster)?;
    let mut client = Client::new(nodes.to_vec(), 0);
    let mut findings = Findings { odd: records.violations, enrolled: records.enrolled.len(), ..Findings::default() };
    for owner in records.owners {
        check_owner(owner, &trail, &mut client, &mut findings).await?;
    }
    for target in records.targets {
        check_target(target, &trail, &mut client, &mut findings).await?;
    }
    for mut device in records.enrolled {
        let user = device.user;
        // The code that confirmed the device is spent, and the next one is good.
        if let Some(first) = device.again(1)
            && client.insist(first).await?.0 == 200
        {
            findings.twice.push(format!("user {user}: the code of the enrolment was accepted"));
        }
        let answer = client.insist(device.fresh()).await?;
        if answer.0 != 200 {
            findings.lost.push(format!("user {user}: an enrolled device's code was answered {answer:?}"));
        }
    }
    Ok(findings)
}

/// Replays every code, the newest first: each must be refused. Then the next code must be accepted.
async fn check_owner(mut owner: Owner, trail: &Trail, client: &mut Client, findings: &mut Findings) -> Result<()> {
    let user = owner.device.user;
    let acknowledged = owner.codes.iter().filter(|acknowledged| **acknowledged).count();
    findings.accepted += acknowledged;
    // The enrolment's code has no such entry; codes in doubt may have one.
    let known = trail.count(user, "verification.accepted") as usize;
    if !(acknowledged..=owner.codes.len() + 1).contains(&known) {
        findings.lost.push(format!("user {user}: {acknowledged} codes were accepted, the trail knows {known}"));
    }
    for (back, acknowledged) in (1..).zip(owner.codes.iter().rev()) {
        if !acknowledged {
            continue;
        }
        let Some(request) = owner.device.again(back) else { continue };
        findings.again += 1;
        match client.insist(request).await? {
            (200, _) => findings.twice.push(format!("user {user}: the code {back} uses back was accepted again")),
            (401, false) => {}
            answer => findings.odd.push(format!("user {user}: a spent code was answered {answer:?}")),
        }
    }
    let answer = client.insist(owner.device.fresh()).await?;
    if answer.0 != 200 {
        findings.odd.push(format!("user {user}: after the spent codes, a fresh one was answered {answer:?}"));
    }
    Ok(())
}

/// The trail must hold every acknowledged guess, and the device must lock after that number of guesses.
async fn check_target(mut target: Target, trail: &Trail, client: &mut Client, findings: &mut Findings) -> Result<()> {
    let user = target.device.user;
    findings.refused += target.refused;
    findings.refused_in_doubt += target.in_doubt;
    let known = trail.count(user, "verification.refused");
    findings.counted += known;
    let claimed = target.refused..=target.refused + target.in_doubt;
    if !claimed.contains(&known) {
        findings.lost.push(format!("user {user}: of {claimed:?} guesses the trail knows {known}"));
    }
    let mut more = 0;
    while more <= LOCK_AT {
        match client.insist(target.device.guess(100 + more)).await? {
            (401, false) => more += 1,
            (401, true) => break,
            answer => {
                findings.odd.push(format!("user {user}: a wrong code was answered {answer:?}"));
                break;
            }
        }
    }
    if known + more != LOCK_AT {
        findings.lost.push(format!("user {user}: after {known} guesses it took {more} more to lock"));
    }
    Ok(())
}
