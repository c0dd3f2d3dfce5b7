//! The binary for 64-bit Arm, built on an x86-64 machine with the compilers of Debian, which a root for this purpose contains. The result
//! runs under QEMU before it is published, as no Arm machine is at hand.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::platform::Platform;
use super::root::{self, Content};
use super::static_binary::C_EPOCH;
use super::user::Application;
use super::{static_binary, sums};
use crate::places::{Workspace, program};
use crate::server::{Launch, Mode, Server, command};
use crate::step::{cargo, output, run, step};
use crate::terminal;

/// The compilers. C for this machine too: build scripts and procedural macros are linked for it.
const CONTENT: Content = Content {
    folder: "tools/debian-arm64",
    architectures: Some("amd64,arm64"),
    packages: "cargo-web,rustc-web,libstd-rust-web-dev:amd64,libstd-rust-web-dev:arm64,gcc,libc6-dev,gcc-aarch64-linux-gnu,\
               libc6-dev-arm64-cross",
};
const TARGET: &str = "aarch64-unknown-linux-gnu";
/// QEMU that runs one program of another processor.
const EMULATOR: &str = "qemu-aarch64-static";

/// Builds the binary, uses it, and puts it into the folder of packages with the checksums of all that is there.
pub(super) fn make(places: &Workspace, into: Option<&Path>) -> Result<()> {
    ensure!(
        std::env::consts::ARCH == "x86_64",
        "this chore crosses from x86-64: on an Arm machine, `cargo xtask release` makes the binary of the machine"
    );
    if let Some(why) = root::missing() {
        anyhow::bail!("{why}: run this as root, with the packages mmdebstrap, systemd-container and util-linux");
    }
    let emulator = program(&[EMULATOR]).context("install the package qemu-user-static: the binary must run once")?;
    let mut binary = PathBuf::new();
    step("build for arm64", || {
        binary = build(places)?;
        Ok(())
    })?;
    let platform = Platform::of(&binary)?.wheel_platform();
    ensure!(platform.starts_with("manylinux2014_aarch64"), "{} is no static binary for arm64", binary.display());
    let mut version = String::new();
    step("the binary for arm64 in use", || {
        version = accept(places, &emulator, &binary)?;
        Ok(())
    })?;
    let into = into.map_or_else(|| places.folder("packages"), |into| Ok(into.to_owned()))?;
    std::fs::create_dir_all(&into).with_context(|| format!("cannot create {}", into.display()))?;
    std::fs::copy(&binary, into.join(format!("countersign-{version}-aarch64-linux")))?;
    terminal::say(sums::write(&into)?.trim_end());
    Ok(())
}

/// Builds the binary in the root, which has no network. Places there are the same everywhere, so the binary names none of this machine.
fn build(places: &Workspace) -> Result<PathBuf> {
    run(cargo().args(["fetch", "--locked"]).current_dir(&places.root)).context("cargo cannot download the crates")?;
    let crates = static_binary::cargo_home().context("set HOME or CARGO_HOME: cargo keeps its crates there")?;
    let into = places.folder("arm64")?;
    let mut building = root::nspawn(&CONTENT.root(places)?);
    building.args(["--as-pid2", "--chdir=/source", "--setenv=CARGO_HOME=/cargo"]);
    building.arg(format!("--setenv={}={}", C_EPOCH.0, C_EPOCH.1));
    building.arg("--setenv=CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc");
    building.arg(format!("--bind-ro={}:/source", places.root.display()));
    building.arg(format!("--bind-ro={}:/cargo/registry", crates.join("registry").display()));
    building.arg(format!("--bind={}:/target", into.display()));
    building.args(["cargo", "build", "--config", r#"build.rustflags=["-C", "target-feature=+crt-static"]"#]);
    building.args(["--offline", "--locked", "--release", "--package", "countersign", "--bins"]);
    building.args(["--target", TARGET, "--target-dir", "/target"]);
    run(&mut building)?;
    Ok(into.join(TARGET).join("release/countersign"))
}

/// Uses a dev world and a server of the binary, as an application does. Returns the binary's version.
fn accept(places: &Workspace, emulator: &Path, binary: &Path) -> Result<String> {
    let folder = tempfile::Builder::new().prefix("arm64-").tempdir_in(&places.target)?;
    let emulated = folder.path().join("countersign");
    let script = format!("#!/bin/sh\nexec '{}' '{}' \"$@\"\n", emulator.display(), binary.display());
    std::fs::write(&emulated, script)?;
    std::fs::set_permissions(&emulated, std::fs::Permissions::from_mode(0o755))?;
    let shown = output(command(&emulated).arg("--version"))?;
    let version = shown.trim().rsplit(' ').next().unwrap_or_default().to_owned();

    let (world, installation) = (folder.path().join("world"), folder.path().join("installation"));
    std::fs::create_dir(&world)?;
    let server = Server::dev(&emulated, &world, "")?;
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(server.ready_file())?)?;
    let (client, user) = (ready["clients"][0].to_string(), ready["users"][0].to_string());
    Application::new(places, &world, &server.ready.base_url).begins(command, &client, &user)?;
    server.stop()?;

    std::fs::create_dir(&installation)?;
    let launch = Launch {
        binary: &emulated,
        folder: &installation,
        mode: Mode::Serve,
        config: "issuer = \"Example Inc\"\n",
        database_url: None,
        listen: None,
    };
    let server = launch.start()?;
    let made = |args: &[&str]| output(command(&emulated).args(args).arg("--data-dir").arg(installation.join("data")));
    let client = made(&["client", "create", "--scope", "Manage All", "--json"])?;
    let user = made(&["user", "create", "--username", "ana", "--json"])?;
    let application = Application::new(places, &installation, &server.ready.base_url);
    application.begins(command, &client, &user)?;
    server.stop()?;
    // A second start opens what the first has stored.
    let server = launch.start()?;
    Application::new(places, &installation, &server.ready.base_url).is_known(command)?;
    server.stop()?;
    terminal::say(&format!("ok     a dev world and a server of the binary for arm64, {version}, under {EMULATOR}"));
    Ok(version)
}
