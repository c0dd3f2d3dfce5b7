//! The container image as an operator runs it: unpacked by umoci and run by runc, with the root read-only, no capability, and a volume
//! for the data. Both are programs that container engines are made of, and need no daemon.

use std::fs::File;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::image::{Image, USER};
use super::root::is_root;
use super::user::Application;
use crate::left_out;
use crate::places::{Workspace, program};
use crate::step::output;
use crate::{clock, terminal};

/// Where the image listens. The container's network is its own, so the port is free.
const BASE_URL: &str = "http://127.0.0.1:8080";
/// How long a start and a stop may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Uses the image, or says why that is not possible here.
pub(super) fn accept(places: &Workspace, image: &Image) -> Result<()> {
    let programs = ["runc", "umoci", "nsenter", "setpriv"];
    let missing = programs.into_iter().find(|name| program(&[name]).is_err());
    if let Some(why) = missing
        .map(|name| format!("{name} is not installed"))
        .or_else(|| (!is_root()).then(|| "only root can run a container of another user".to_owned()))
    {
        return left_out::for_now("the image as a container", &why);
    }
    left_out::always("the image under an engine such as Docker", "that needs a daemon; runc runs it instead");
    let folder = tempfile::Builder::new().prefix("image-").tempdir_in(&places.target)?;
    let bundle = unpack(image, folder.path())?;
    let volume = folder.path().join("volume");
    // As an engine makes a new volume: with the owner and the mode of the folder in the image.
    std::fs::create_dir(&volume)?;
    std::fs::set_permissions(&volume, std::fs::Permissions::from_mode(0o700))?;
    let user = u32::try_from(USER)?;
    chown(&volume, Some(user), Some(user))?;
    let mut container = Container { bundle, folder: folder.path().to_owned(), running: None };

    // As the image says alone, it would send codes in the clear to anyone.
    container.configure(&volume, &[])?;
    container.start()?;
    let ended = container.ended()?;
    ensure!(!ended, "WRONG  the image serves plain HTTP to other machines without being asked to");
    terminal::say("ok     without TLS or a proxy that is named, it refuses to start");

    container.configure(&volume, &["COUNTERSIGN_INSECURE_HTTP=true"])?;
    container.start()?;
    container.ready()?;
    container.confined()?;
    let client = container.inside(&["client", "create", "--scope", "Manage All", "--json"])?;
    let ana = container.inside(&["user", "create", "--username", "ana", "--json"])?;
    let application = Application::new(places, folder.path(), BASE_URL);
    application.begins(|python| container.beside(python), &client, &ana)?;
    container.stop()?;

    container.start()?;
    container.ready()?;
    application.is_known(|python| container.beside(python))?;
    container.stop()?;
    terminal::say("ok     a new container on the same volume is the same installation");
    Ok(())
}

/// Has umoci make a root file system and a configuration for runc.
fn unpack(image: &Image, folder: &Path) -> Result<PathBuf> {
    let bundle = folder.join("bundle");
    let source = format!("{}:{}", image.layout.display(), image.tag);
    output(Command::new("umoci").args(["unpack", "--image", &source]).arg(&bundle))?;
    Ok(bundle)
}

/// The name of the container, which no other run has.
fn name() -> String {
    format!("countersign-{}", std::process::id())
}

/// A container, killed when dropped.
struct Container {
    bundle: PathBuf,
    folder: PathBuf,
    running: Option<Child>,
}

impl Container {
    /// Changes what umoci made of the image to how the compose file runs it.
    fn configure(&self, volume: &Path, variables: &[&str]) -> Result<()> {
        let (path, original) = (self.bundle.join("config.json"), self.bundle.join("config-of-image.json"));
        if !original.exists() {
            std::fs::copy(&path, &original)?;
        }
        let mut config: Value = serde_json::from_slice(&std::fs::read(&original)?)?;
        let process = &mut config["process"];
        ensure!(process["user"]["uid"] == USER, "the image runs as user {}", process["user"]["uid"]);
        ensure!(process["args"] == json!(["/countersign", "serve"]), "the image runs {}", process["args"]);
        process["terminal"] = json!(false);
        process["noNewPrivileges"] = json!(true);
        process["capabilities"] = json!({});
        let environment = process["env"].as_array_mut().context("the image has no environment")?;
        environment.extend(variables.iter().map(|variable| json!(variable)));
        config["root"]["readonly"] = json!(true);
        // umoci makes its own mounts for the volumes of an image.
        let mounts = config["mounts"].as_array_mut().context("umoci makes no mounts")?;
        mounts.retain(|mount| mount["destination"] != "/data");
        let bind = json!(["bind", "rw", "nosuid", "nodev", "noexec"]);
        mounts.push(json!({ "destination": "/data", "type": "bind", "source": volume, "options": bind }));
        std::fs::write(&path, serde_json::to_vec(&config)?)?;
        Ok(())
    }

    /// runc, with its state in the folder of this check.
    fn runc(&self, args: &[&str]) -> Command {
        let mut command = Command::new("runc");
        command.arg("--root").arg(self.folder.join("runc")).args(args).stdin(Stdio::null());
        command
    }

    fn start(&mut self) -> Result<()> {
        let log = File::create(self.folder.join("log"))?;
        // If this chore is killed, runc gets a signal that it passes on.
        let mut running = Command::new("setpriv");
        running.args(["--pdeathsig", "TERM", "runc", "--root"]).arg(self.folder.join("runc"));
        running
            .args(["run", "--bundle"])
            .stdin(Stdio::null())
            .arg(&self.bundle)
            .arg(name())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.running = Some(running.spawn().context("cannot start runc")?);
        Ok(())
    }

    /// Waits until the container has ended. Returns whether it ended well.
    fn ended(&mut self) -> Result<bool> {
        let mut running = self.running.take().context("no container runs")?;
        let began = clock::now();
        loop {
            if let Some(status) = running.try_wait()? {
                return Ok(status.success());
            }
            if began.elapsed() > TIMEOUT {
                self.running = Some(running);
                anyhow::bail!("the container does not end:\n{}", self.log());
            }
            clock::pause(Duration::from_millis(50));
        }
    }

    /// Waits until the container's own health check succeeds.
    fn ready(&mut self) -> Result<()> {
        let began = clock::now();
        loop {
            let status = self.running.as_mut().context("no container runs")?.try_wait()?;
            ensure!(status.is_none(), "the container has ended:\n{}", self.log());
            match self.inside(&["healthcheck"]) {
                Ok(_) => break,
                Err(error) => ensure!(began.elapsed() < TIMEOUT, "it does not become ready: {error:#}\n{}", self.log()),
            }
            clock::pause(Duration::from_millis(200));
        }
        terminal::say("ok     the container is ready, by its own health check");
        Ok(())
    }

    /// Runs a command of the binary in the container, as a health check does.
    fn inside(&self, command: &[&str]) -> Result<String> {
        output(self.runc(&["exec", &name(), "/countersign"]).args(command))
    }

    /// A program of this machine that sees the container's network.
    fn beside(&self, program: &Path) -> Command {
        let mut entering = Command::new("nsenter");
        entering.args(["--net", "--target", &self.process().unwrap_or_default().to_string(), "--"]).arg(program);
        entering
    }

    fn process(&self) -> Result<u64> {
        let state: Value = serde_json::from_str(&output(&mut self.runc(&["state", &name()]))?)?;
        state["pid"].as_u64().context("the container has no process")
    }

    /// Checks at the running process what the compose file asks for.
    fn confined(&self) -> Result<()> {
        let process = self.process()?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        ensure!(of("Uid:") == Some("65532"), "WRONG  the server runs as user {:?}", of("Uid:"));
        ensure!(of("CapEff:") == Some("0000000000000000"), "WRONG  it has capabilities: {:?}", of("CapEff:"));
        ensure!(of("NoNewPrivs:") == Some("1"), "WRONG  it can gain privileges");
        let mounts = std::fs::read_to_string(format!("/proc/{process}/mountinfo"))?;
        let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).context("it has no root")?;
        ensure!(root.split(' ').nth(5).is_some_and(|options| options.starts_with("ro")), "WRONG  its root: {root}");
        terminal::say("ok     it runs as user 65532 without capabilities, and its root is read-only");
        Ok(())
    }

    /// Stops the container as an engine does, by the image's signal.
    fn stop(&mut self) -> Result<()> {
        output(&mut self.runc(&["kill", &name(), "TERM"]))?;
        let well = self.ended()?;
        ensure!(well, "the container did not end well:\n{}", self.log());
        Ok(())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = self.runc(&["kill", &name(), "KILL"]).status();
            let _ = running.wait();
            let _ = self.runc(&["delete", "--force", &name()]).status();
        }
    }
}
