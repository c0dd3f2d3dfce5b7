//! Makes the wheel and the npm package. Their sources are in `packaging`; here they get the binary, the version and the kind
//! of machine.
//!
//! Both are reproducible: the same commit and the same binary give the same bytes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::inputs::Inputs;
use super::platform::Platform;
use crate::places::{Workspace, program};
use crate::python;
use crate::step::output;

/// What builds and judges wheels. mypy 1.19 is the last that checks for Python 3.9.
const PYTHON_TOOLS: &[&str] =
    &["build~=1.6", "hatchling~=1.33.0", "twine~=7.0", "mypy~=1.19.0", "check-jsonschema~=0.38"];
/// The sources of the wheel under `packaging/python`.
const PYTHON_SOURCES: &[&str] = &["README.md", "hatch_release.py", "pyproject.toml", "src"];
/// The sources of the npm package under `packaging/npm`.
const NPM_SOURCES: &[&str] = &["README.md", "index.d.ts", "index.js", "lib", "package.json", "test.d.ts", "test.js"];

/// Makes both packages of a binary. Returns their files, the wheel first.
pub(super) fn make(places: &Workspace, inputs: &Inputs, into: &Path) -> Result<Vec<PathBuf>> {
    let Inputs { binary, version, epoch, .. } = inputs;
    let platform = Platform::of(binary)?;
    let time = epoch.to_string();
    let python = python_tools(places)?;
    let stage = tempfile::Builder::new().prefix("clients-").tempdir_in(&places.target)?;
    let (wheel, npm) = (stage.path().join("wheel"), stage.path().join("npm"));

    copy(&places.root.join("packaging/python"), PYTHON_SOURCES, &wheel)?;
    carry(places, binary, &wheel, &wheel.join("src/countersign_mfa/bin"))?;
    let release = json!({"version": version, "platform": platform.wheel_platform()});
    std::fs::write(wheel.join("release.json"), release.to_string())?;

    copy(&places.root.join("packaging/npm"), NPM_SOURCES, &npm)?;
    carry(places, binary, &npm, &npm.join("bin"))?;
    manifest(&npm.join("package.json"), version, platform)?;

    // Each compresses the binary for seconds.
    let (wheel, npm) = std::thread::scope(|threads| {
        let wheel = threads.spawn(|| build(&python, &wheel, &time));
        (wheel.join(), pack(&npm))
    });
    let Ok(wheel) = wheel else { bail!("the thread that builds the wheel has panicked") };
    [wheel?, npm?].iter().map(|file| deliver(file, into)).collect()
}

/// The interpreter with what builds and judges wheels.
pub(super) fn python_tools(places: &Workspace) -> Result<PathBuf> {
    python::environment(places, "client-packages", PYTHON_TOOLS)
}

/// Adds the binary, the script that keeps it, and the licence.
fn carry(places: &Workspace, binary: &Path, package: &Path, bin: &Path) -> Result<()> {
    std::fs::create_dir(bin)?;
    for (from, name) in [(binary, "countersign"), (&places.root.join("packaging/keeper.sh"), "keeper.sh")] {
        let to = bin.join(name);
        std::fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755))?;
    }
    std::fs::copy(places.root.join("LICENSE"), package.join("LICENSE"))?;
    Ok(())
}

/// Completes the manifest of the npm package.
fn manifest(path: &Path, version: &str, platform: Platform) -> Result<()> {
    let mut manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(path)?).context("package.json is broken")?;
    manifest["version"] = json!(version);
    manifest["os"] = json!(["linux"]);
    manifest["cpu"] = json!([platform.npm_cpu()]);
    if let Some(libc) = platform.npm_libc() {
        manifest["libc"] = json!([libc]);
    }
    std::fs::write(path, format!("{manifest:#}\n"))?;
    Ok(())
}

fn build(python: &Path, stage: &Path, time: &str) -> Result<PathBuf> {
    let out = stage.join("dist");
    let mut build = Command::new(python);
    build.args(["-m", "build", "--wheel", "--no-isolation", "--outdir"]).arg(&out).arg(stage);
    output(build.env("SOURCE_DATE_EPOCH", time))?;
    only(&out, "whl")
}

/// npm gives every file the same time, without being asked.
fn pack(stage: &Path) -> Result<PathBuf> {
    let mut npm = Command::new(program(&["npm"])?);
    output(npm.args(["pack", "--ignore-scripts", "--loglevel=error"]).current_dir(stage))?;
    only(stage, "tgz")
}

/// The one file of a folder with this extension.
fn only(folder: &Path, extension: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([file]) => Ok(file),
        Err(found) => bail!("{} files of {} end in .{extension}, not one", found.len(), folder.display()),
    }
}

fn deliver(file: &Path, into: &Path) -> Result<PathBuf> {
    let to = into.join(file.file_name().context("a package has a name")?);
    std::fs::copy(file, &to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(to)
}

/// Copies files and folders by their names. What Python leaves beside sources is not copied.
pub(super) fn copy(from: &Path, names: &[&str], to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for name in names {
        let (source, target) = (from.join(name), to.join(name));
        if source.is_dir() {
            let entries: Vec<String> = std::fs::read_dir(&source)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<Result<_>>()?;
            let kept: Vec<&str> = entries.iter().map(String::as_str).filter(|name| *name != "__pycache__").collect();
            copy(&source, &kept, &target)?;
        } else {
            std::fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}
