//! Three members of a PostgreSQL cluster on loopback, each with etcd, Patroni and PostgreSQL in a separate folder, and a
//! haproxy in front. All processes and folders are removed with the chore.
//!
//! PostgreSQL refuses to run as root, so a root process starts all of them as an unprivileged user.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use xtask::step::output;
use xtask::terminal;

use super::packages::Programs;
use super::plan::{ClusterPlan, MEMBERS};
use crate::clock;

/// Timeout for the cluster to reach a state.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running cluster.
pub(super) struct Cluster {
    members: Vec<Member>,
    haproxy: Option<Child>,
    is_synchronous: bool,
    programs: Programs,
    pub(super) plan: ClusterPlan,
    // Dropped after the processes.
    folder: tempfile::TempDir,
}

/// One member of the cluster.
struct Member {
    number: u8,
    folder: PathBuf,
    etcd: Option<Child>,
    patroni: Option<Child>,
}

impl Cluster {
    /// Builds the cluster and waits until the primary has a synchronous standby and another one.
    pub(super) fn start(programs: Programs) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ha-").tempdir()?;
        pgtest::give_away(folder.path());
        let plan = ClusterPlan::new(&programs.postgres);
        let mut cluster = Self { members: Vec::new(), haproxy: None, is_synchronous: true, programs, plan, folder };
        for number in MEMBERS {
            let folder = cluster.folder.path().join(format!("db{number}"));
            std::fs::create_dir(&folder)?;
            pgtest::give_away(&folder);
            let patroni = cluster.plan.patroni(number, &folder)?;
            std::fs::write(folder.join("patroni.yml"), patroni)?;
            cluster.members.push(Member { number, folder, etcd: None, patroni: None });
        }
        for number in MEMBERS {
            cluster.start_member(number)?;
        }
        let config = cluster.folder.path().join("haproxy.cfg");
        std::fs::write(&config, cluster.plan.haproxy()?)?;
        let mut haproxy = unprivileged(&cluster.programs.haproxy, cluster.folder.path());
        haproxy.arg("-db").arg("-f").arg(config);
        cluster.haproxy = Some(started(&mut haproxy, &cluster.folder.path().join("haproxy.log"))?);
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// Starts a member, for the first time or after [`Cluster::kill`].
    pub(super) fn start_member(&mut self, number: u8) -> Result<()> {
        let member = self.member(number)?;
        let folder = member.folder.clone();
        let mut etcd = unprivileged(&self.programs.etcd, &folder);
        etcd.envs(self.plan.etcd(number, &folder)?);
        let etcd = started(&mut etcd, &folder.join("etcd.log"))?;
        let mut patroni = unprivileged(&self.programs.patroni, &folder);
        patroni.arg(folder.join("patroni.yml"));
        let patroni = started(&mut patroni, &folder.join("patroni.log"))?;
        let member = self.members.iter_mut().find(|member| member.number == number).context("no such member")?;
        (member.etcd, member.patroni) = (Some(etcd), Some(patroni));
        Ok(())
    }

    /// Kills all processes of a member, as if its machine had lost power.
    pub(super) fn kill(&mut self, number: u8) -> Result<()> {
        let member = self.members.iter_mut().find(|member| member.number == number).context("no such member")?;
        member.end()
    }

    /// Freezes all processes of a member: its connections stay open, and nothing answers.
    pub(super) fn freeze(&self, number: u8) -> Result<()> {
        signal("-STOP", &self.member(number)?.processes())
    }

    /// Resumes a frozen member.
    pub(super) fn thaw(&self, number: u8) -> Result<()> {
        signal("-CONT", &self.member(number)?.processes())
    }

    /// Freezes the processes of a member that feed its standbys.
    pub(super) fn mute(&self, number: u8) -> Result<()> {
        let feeds = |process: &u32| {
            let title = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
            title.contains("walsender")
        };
        let feeding: Vec<u32> = self.member(number)?.children().into_iter().filter(feeds).collect();
        ensure!(!feeding.is_empty(), "db{number} has no standby");
        signal("-STOP", &feeding)
    }

    /// The member that accepts writes, if exactly one does.
    pub(super) fn primary(&self) -> Option<u8> {
        let is_primary =
            |number: &u8| self.ask(*number, "SELECT pg_is_in_recovery()").is_ok_and(|answer| answer == "f");
        let mut primaries = MEMBERS.into_iter().filter(is_primary);
        primaries.next().filter(|_| primaries.next().is_none())
    }

    /// How the primary's standbys are replicated, as `async,sync`.
    fn standbys(&self) -> Option<String> {
        let standbys = "SELECT string_agg(sync_state, ',' ORDER BY sync_state) FROM pg_stat_replication \
                        WHERE state = 'streaming'";
        self.ask(self.primary()?, standbys).ok()
    }

    /// Waits until the primary has two standbys, one of them synchronous unless replication is asynchronous.
    pub(super) fn wait_until_whole(&mut self) -> Result<()> {
        let wanted = if self.is_synchronous { "async,sync" } else { "async,async" };
        self.wait_for(wanted)
    }

    fn wait_for(&mut self, wanted: &str) -> Result<()> {
        let began = clock::now();
        while self.standbys().as_deref() != Some(wanted) {
            self.ensure_alive()?;
            if began.elapsed() > PATIENCE {
                let logs: Vec<String> = self.members.iter().map(Member::last_words).collect();
                bail!("the cluster does not come to have standbys {wanted}:\n{}", logs.join("\n"));
            }
            clock::pause(Duration::from_millis(250));
        }
        Ok(())
    }

    /// Makes replication asynchronous, which the recipe never does.
    pub(super) fn make_asynchronous(&mut self) -> Result<()> {
        let folder = &self.member(MEMBERS[0])?.folder;
        let mut command = unprivileged(&self.programs.patronictl, folder);
        command.arg("-c").arg(folder.join("patroni.yml"));
        command.args(["edit-config", "countersign", "--force", "--set", "synchronous_mode=false"]);
        output(&mut command)?;
        self.is_synchronous = false;
        self.wait_until_whole()
    }

    /// Creates the role and the database.
    pub(super) fn make_database(&self) -> Result<()> {
        let primary = self.primary().context("no member takes writes")?;
        ClusterPlan::database()?.try_for_each(|statement| self.ask(primary, statement).map(drop))
    }

    /// Asks Countersign's database on the current primary.
    pub(super) fn ask_database(&self, statement: &str) -> Result<String> {
        self.psql(&format!("{}&connect_timeout=2", self.plan.url()?), statement)
    }

    fn ask(&self, member: u8, statement: &str) -> Result<String> {
        self.psql(&self.plan.url_of(member), statement)
    }

    fn psql(&self, url: &str, statement: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.postgres.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement, url]);
        Ok(output(&mut psql)?.trim().to_owned())
    }

    /// Fails with the last log lines of a process that has ended by itself.
    pub(super) fn ensure_alive(&mut self) -> Result<()> {
        for member in &mut self.members {
            let mut ended = false;
            for child in [&mut member.etcd, &mut member.patroni].into_iter().flatten() {
                ended |= child.try_wait()?.is_some();
            }
            ensure!(!ended, "a process of db{} has ended:\n{}", member.number, member.last_words());
        }
        if let Some(status) = self.haproxy.as_mut().map(Child::try_wait).transpose()?.flatten() {
            bail!("haproxy ended with {status}:\n{}", last_words(&self.folder.path().join("haproxy.log")));
        }
        Ok(())
    }

    fn member(&self, number: u8) -> Result<&Member> {
        self.members.iter().find(|member| member.number == number).context("no such member")
    }
}

/// A command of an unprivileged user with the home `folder`. It ends with the chore.
fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=TERM");
    if is_root() {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command.arg(program).env("HOME", folder).env("LC_ALL", "C.UTF-8").current_dir(folder);
    command
}

fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0)
}

/// Starts a process with its output in a log.
fn started(command: &mut Command, log: &Path) -> Result<Child> {
    let output = File::options().create(true).append(true).open(log);
    let output = output.with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))
}

impl Member {
    /// The id of PostgreSQL's main process.
    fn postmaster(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        let number = file.lines().next()?.parse().ok()?;
        // The file of an ended server may name another process by now.
        let folder = std::fs::read_link(format!("/proc/{number}/cwd")).ok()?;
        folder.starts_with(&self.folder).then_some(number)
    }

    /// PostgreSQL's other processes.
    fn children(&self) -> Vec<u32> {
        let Some(postmaster) = self.postmaster() else { return Vec::new() };
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        children.unwrap_or_default().split_whitespace().filter_map(|child| child.parse().ok()).collect()
    }

    /// All processes, first the one that starts others.
    fn processes(&self) -> Vec<u32> {
        let own = [&self.patroni, &self.etcd].into_iter().flatten().map(Child::id);
        self.postmaster().into_iter().chain(self.children()).chain(own).collect()
    }

    fn end(&mut self) -> Result<()> {
        // Freeze it first, so that it starts no process between the signals.
        signal("-STOP", &self.postmaster().into_iter().collect::<Vec<_>>())?;
        signal("-KILL", &self.processes())?;
        let (mut etcd, mut patroni) = (self.etcd.take(), self.patroni.take());
        for child in [&mut etcd, &mut patroni].into_iter().flatten() {
            child.wait()?;
        }
        let began = clock::now();
        while self.postmaster().is_some() {
            ensure!(began.elapsed() < PATIENCE, "PostgreSQL of db{} does not end", self.number);
            clock::pause(Duration::from_millis(5));
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        ["etcd.log", "patroni.log"].map(|log| last_words(&self.folder.join(log))).join("\n")
    }
}

/// Sends a signal to processes, some of which may have ended.
fn signal(signal: &str, processes: &[u32]) -> Result<()> {
    if processes.is_empty() {
        return Ok(());
    }
    let mut kill = Command::new("kill");
    kill.arg(signal).args(processes.iter().map(u32::to_string)).stderr(Stdio::null());
    kill.status().context("cannot start kill")?;
    Ok(())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(haproxy) = &mut self.haproxy {
            // It may have ended already.
            let _ = haproxy.kill();
            let _ = haproxy.wait();
        }
        for member in &mut self.members {
            if let Err(error) = member.end() {
                terminal::remark(&format!("db{} may still run: {error:#}", member.number));
            }
        }
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
