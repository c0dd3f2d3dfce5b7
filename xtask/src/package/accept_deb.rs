//! The Debian package as an operator meets it: installed on a Debian machine with systemd, configured, started, upgraded, removed,
//! installed again and purged. The unit runs with everything that it forbids itself.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::deb::{self, Compression};
use super::inputs::Inputs;
use super::machine::{self, Machine, SHARED};
use super::user::Application;
use crate::left_out;
use crate::places::Workspace;
use crate::terminal;

/// Where the package listens as it is shipped. The machine's network is its own, so the port is free.
const BASE_URL: &str = "http://127.0.0.1:8080";
/// The exposure that `systemd-analyze security` may find at most, in tenths.
const EXPOSURE: &str = "20";
/// Runs a command as the server's user, as the documents say.
const AS_USER: &str = "runuser -u countersign -- countersign";
const CONFIG: &str = "--config /etc/countersign/countersign.toml";

/// Uses the package, or says why that is not possible here.
pub(super) fn accept(places: &Workspace, inputs: &Inputs) -> Result<()> {
    if let Some(why) = machine::missing() {
        return left_out::for_now("the Debian package on a machine", &why);
    }
    let folder = tempfile::Builder::new().prefix("packages-").tempdir_in(&places.target)?;
    // Two revisions of one binary: an upgrade to dpkg.
    let package = deb::make(places, inputs, None, 1, Compression::Fast, folder.path())?;
    deb::lint(&package)?;
    let newer = deb::make(places, inputs, None, 2, Compression::Fast, folder.path())?;
    let machine = Machine::boot(places, folder.path())?;
    let check = Check { machine: &machine, application: Application::new(places, folder.path(), BASE_URL) };

    check.install(&package, inputs)?;
    check.unit()?;
    check.first_start()?;
    check.confinement()?;
    check.upgrade(&newer)?;
    check.removal(&newer)?;
    check.purge(&newer)?;
    check.sockets()
}

/// A machine, and an application that calls the server on it.
struct Check<'a> {
    machine: &'a Machine,
    application: Application,
}

impl Check<'_> {
    /// Runs a script in the machine, and checks what it prints.
    fn says(&self, script: &str, wanted: &str, what: &str) -> Result<()> {
        let said = self.machine.inside(script)?;
        ensure!(said.trim() == wanted, "WRONG  {what}: {script} prints {:?} and not {wanted:?}", said.trim());
        terminal::say(&format!("ok     {what}"));
        Ok(())
    }

    fn apt(&self, package: &Path) -> Result<()> {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let install = format!("apt-get -qq install -y --no-install-recommends {SHARED}/{name} 2>&1");
        self.machine.inside(&install).map(drop)
    }

    fn install(&self, package: &Path, inputs: &Inputs) -> Result<()> {
        self.apt(package)?;
        self.says("countersign --version", &format!("countersign {}", inputs.version), "it is installed by apt")?;
        let owners = "stat -c '%U:%G %a' /etc/countersign /etc/countersign/countersign.toml /etc/countersign/master.key \
                      /var/lib/countersign | paste -sd,";
        let wanted =
            "root:countersign 750,root:countersign 640,countersign:countersign 400,countersign:countersign 700";
        self.says(owners, wanted, "configuration, master key and data belong to whom they should")?;
        let states =
            "systemctl is-enabled countersign countersign-api.socket countersign-admin.socket | paste -sd, || true";
        self.says(states, "enabled,disabled,disabled", "the service is enabled, and the sockets are not")?;
        self.says("systemctl is-active countersign || true", "inactive", "it is not started before it is configured")
    }

    fn unit(&self) -> Result<()> {
        let units = "/lib/systemd/system/countersign*";
        // Man pages are left out of small systems, as this one.
        let verify = format!("systemd-analyze verify --man=no {units} 2>&1");
        self.says(&verify, "", "systemd-analyze verifies the units")?;
        let judge = format!(
            "systemd-analyze security --no-pager --offline=yes --threshold={EXPOSURE} \
                             /lib/systemd/system/countersign.service"
        );
        let judged = self.machine.inside(&judged_or_printed(&judge)).context("the unit is more open than it was")?;
        terminal::say(&format!("ok     {}", judged.trim()));
        Ok(())
    }

    fn first_start(&self) -> Result<()> {
        self.machine.inside("sed -i 's/^#issuer = .*/issuer = \"Example Inc\"/' /etc/countersign/countersign.toml")?;
        // The unit's own type and watchdog, in a hurry: a server that does not notify in time is ended during this check.
        let settings = "WatchdogSec=3\\nTimeoutStartSec=20";
        let folder = "/etc/systemd/system/countersign.service.d";
        let drop_in =
            format!("mkdir {folder}; printf '[Service]\\n{settings}\\n' >{folder}/check.conf; systemctl daemon-reload");
        self.machine.inside(&drop_in)?;
        self.machine.inside(&format!("{AS_USER} config check {CONFIG}"))?;
        self.start("it starts as a service")?;
        let client = self.machine.inside(&format!("{AS_USER} client create --scope 'Manage All' --json {CONFIG}"))?;
        let user = self.machine.inside(&format!("{AS_USER} user create --username ana --json {CONFIG}"))?;
        self.application.begins(|python| self.machine.beside(python), &client, &user)
    }

    fn start(&self, what: &str) -> Result<()> {
        let started = self.machine.inside("systemctl start countersign").and_then(|_| self.ready(what));
        started.with_context(|| self.journal())
    }

    /// Waits until the server is ready, and checks that systemd takes it for running.
    fn ready(&self, what: &str) -> Result<()> {
        let wait =
            format!("for i in $(seq 150); do {AS_USER} healthcheck {CONFIG} 2>/dev/null && break; sleep 0.2; done");
        self.machine.inside(&format!("{wait}; {AS_USER} healthcheck {CONFIG}"))?;
        self.says("systemctl is-active countersign", "active", what)
    }

    fn journal(&self) -> String {
        self.machine.inside("journalctl --no-pager -n 40 -u countersign").unwrap_or_default()
    }

    /// Checks at the running process what the unit asked for: what does not work in a container would show here.
    fn confinement(&self) -> Result<()> {
        let status = "grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/$(systemctl show -P MainPID countersign)/status \
                      | awk '{print $2}' | paste -sd,";
        let user = "$(id -u countersign),0000000000000000,1,2";
        let user = self.machine.inside(&format!("echo {user}"))?;
        self.says(status, user.trim(), "its process has no capability, and a filter of system calls")?;
        let entering = "nsenter -m -t $(systemctl show -P MainPID countersign)";
        let tries = format!(
            "for place in / /etc /etc/countersign /usr/bin /home /var/lib /var/lib/countersign; do \
                             {entering} sh -c \"touch $place/tried\" 2>/dev/null && echo $place; done | paste -sd,"
        );
        self.says(&tries, "/var/lib/countersign", "it can write to its data and nothing else")?;
        self.machine.inside("rm /var/lib/countersign/tried")?;
        let reload = "systemctl reload countersign; sleep 1; journalctl -u countersign | grep -c 'INFO reloaded'";
        self.says(reload, "1", "it reloads its certificates")?;
        // With a watchdog of three seconds, time for one that misses it.
        self.machine.inside("sleep 4")?;
        self.says("systemctl show -P NRestarts countersign", "0", "systemd did not have to restart it")?;
        let journal = "journalctl -u countersign | grep -ciE 'warn|not permitted|denied' || true";
        self.says(journal, "0", "its log has no warning").with_context(|| self.journal())
    }

    fn upgrade(&self, newer: &Path) -> Result<()> {
        let process = "systemctl show -P MainPID countersign";
        let before = self.machine.inside(process)?;
        self.apt(newer)?;
        self.ready("it runs after an upgrade").with_context(|| self.journal())?;
        ensure!(self.machine.inside(process)? != before, "WRONG  the upgrade did not restart the server");
        self.says("grep -c '^issuer' /etc/countersign/countersign.toml", "1", "the configuration is kept")?;
        self.application.goes_on(|python| self.machine.beside(python))
    }

    fn removal(&self, package: &Path) -> Result<()> {
        self.machine.inside("apt-get -qq remove -y countersign 2>&1")?;
        self.says("pgrep -x countersign || true", "", "a removal stops the server")?;
        // The key is lost for a while: a new one would not open the data, and would hide what is wrong.
        self.machine.inside("mv /etc/countersign/master.key /srv/")?;
        self.apt(package)?;
        self.says("ls /etc/countersign", "countersign.toml", "no new master key is made for data that has another")?;
        self.machine.inside("mv /srv/master.key /etc/countersign/; dpkg-reconfigure countersign 2>&1")?;
        self.start("it starts after it was removed and installed again")?;
        self.application.is_known(|python| self.machine.beside(python))
    }

    fn purge(&self, package: &Path) -> Result<()> {
        let said = self.machine.inside("apt-get -qq purge -y countersign 2>&1")?;
        ensure!(said.contains("kept the data"), "WRONG  a purge does not say what it keeps:\n{said}");
        let left =
            "ls /etc/countersign /var/lib/countersign/db | grep -E 'toml|master.key|countersign.db$' | paste -sd,";
        self.says(
            left,
            "master.key,countersign.db",
            "a purge removes the configuration, and keeps data and master key",
        )?;
        let links = "find /etc/systemd/system -name 'countersign*.wants' -o -type l -name 'countersign*' | paste -sd,";
        self.says(links, "", "no link to its units is left")?;
        self.apt(package)?;
        self.start("it starts after a purge, on the data that was kept")?;
        self.application.is_known(|python| self.machine.beside(python))
    }

    /// The sockets of systemd, on other addresses than the configuration's.
    fn sockets(&self) -> Result<()> {
        for (unit, port) in [("api", 443), ("admin", 9443)] {
            let folder = format!("/etc/systemd/system/countersign-{unit}.socket.d");
            let address = format!("[Socket]\\nListenStream=\\nListenStream=127.0.0.1:{port}\\n");
            self.machine.inside(&format!("mkdir {folder}; printf '{address}' >{folder}/address.conf"))?;
        }
        let start = "systemctl daemon-reload; systemctl stop countersign; \
                     systemctl start countersign-api.socket countersign-admin.socket; systemctl start countersign";
        self.machine.inside(start)?;
        let asked = "for port in 443 9443; do runuser -u countersign -- countersign healthcheck --address 127.0.0.1:$port; \
                     done; cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\"' | wc -l";
        self.says(asked, "2", "it answers on the sockets of systemd, below port 1024 too, and on no other")
            .with_context(|| self.journal())
    }
}

/// A script that prints the last line of a judgement, or all of it where it is bad.
fn judged_or_printed(judge: &str) -> String {
    format!("if {judge} >/tmp/judged 2>&1; then tail -1 /tmp/judged; else cat /tmp/judged >&2; exit 1; fi")
}
