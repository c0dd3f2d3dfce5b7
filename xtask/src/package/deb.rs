//! The Debian package, packed by cargo-deb from a folder in which everything is already there. cargo-deb brings the scripts of
//! debhelper for systemd units, checks sums and fixes times; the content is in `packaging/deb`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::inputs::Inputs;
use crate::left_out;
use crate::places::{Workspace, program};
use crate::server::command;
use crate::step::{output, run as run_command};
use crate::tools;

/// The version of cargo-deb that `packaging/deb/Cargo.toml` is written for.
const CARGO_DEB: &str = "~3.8.0";

/// How small a package is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// As it is shipped, which takes tens of seconds.
    Small,
    /// For a check: some seconds, and a sixth larger.
    Fast,
}

/// Packs a package of this revision, as 1 in `0.1.0-1`.
pub(super) fn make(
    places: &Workspace,
    inputs: &Inputs,
    licences: Option<&Path>,
    revision: u32,
    compression: Compression,
    into: &Path,
) -> Result<PathBuf> {
    let tool = tools::installed(places, "cargo-deb", CARGO_DEB)?;
    let version = format!("{}-{revision}", inputs.version);
    let stage = places.target.join("package/deb");
    stage_files(places, inputs, licences, &version, &stage)?;
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let package = into.join(format!("countersign_{version}_{}.deb", architecture.trim()));
    let mut packing = Command::new(tool);
    // With the xz of the system, which is optimised, as a tool that is installed for one run is not.
    packing.args(["--no-build", "--no-strip", "--no-dbgsym", "--quiet", "--compress-system"]);
    packing.args((compression == Compression::Fast).then_some("--fast"));
    packing.args(["--deb-version", &version, "--manifest-path"]);
    packing.arg(stage.join("Cargo.toml")).arg("--output").arg(&package);
    packing.env("SOURCE_DATE_EPOCH", inputs.epoch.to_string()).current_dir(&stage);
    output(&mut packing)?;
    ensure!(package.is_file(), "cargo-deb wrote no {}", package.display());
    Ok(package)
}

/// Has lintian judge a package. Its overrides, each with a reason, are in `packaging/deb/lintian-overrides`.
pub(super) fn lint(package: &Path) -> Result<()> {
    let Ok(lintian) = program(&["lintian"]) else {
        return left_out::for_now("the package by lintian", "lintian is not installed");
    };
    let mut judging = Command::new(lintian);
    judging.args(["--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0"]).arg(package);
    run_command(&mut judging)
        .context("lintian complains: fix it, or give the reason in packaging/deb/lintian-overrides")
}

/// Copies and writes all files of the package into one folder.
fn stage_files(
    places: &Workspace,
    inputs: &Inputs,
    licences: Option<&Path>,
    version: &str,
    stage: &Path,
) -> Result<()> {
    if stage.exists() {
        std::fs::remove_dir_all(stage)?;
    }
    std::fs::create_dir_all(stage.join("scripts"))?;
    let packaging = places.root.join("packaging");
    for folder in ["deb", "systemd", "monitoring", "deb/scripts"].map(|name| packaging.join(name)) {
        let inside = if folder.ends_with("scripts") { stage.join("scripts") } else { stage.to_owned() };
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), inside.join(entry.file_name()))?;
            }
        }
    }
    std::fs::copy(&inputs.binary, stage.join("countersign"))?;
    std::fs::copy(places.root.join("CHANGELOG.md"), stage.join("upstream-changelog"))?;
    std::fs::write(stage.join("unused.rs"), "fn main() {}\n")?;
    std::fs::write(stage.join("changelog"), changelog(version, inputs.epoch)?)?;
    let settings = output(command(&inputs.binary).args(["config", "example"]))?;
    std::fs::write(stage.join("every-setting.toml"), settings)?;

    let mut more = Vec::new();
    for (path, place) in &inputs.generated.files {
        more.push(asset(&path.to_string_lossy(), place));
    }
    if let Some(licences) = licences {
        more.push(asset(&licences.to_string_lossy(), "usr/share/doc/countersign/THIRD-PARTY-LICENCES"));
    }
    let manifest = std::fs::read_to_string(packaging.join("deb/Cargo.toml"))?;
    std::fs::write(stage.join("Cargo.toml"), completed(&manifest, &inputs.version, more)?)?;
    Ok(())
}

fn asset(source: &str, place: &str) -> Value {
    Value::Array([source, place, "644"].map(Value::from).to_vec())
}

/// The manifest with the version and more assets.
fn completed(manifest: &str, version: &str, more: Vec<Value>) -> Result<String> {
    let mut table: Table = manifest.parse().context("packaging/deb/Cargo.toml is not TOML")?;
    let package = table.get_mut("package").and_then(Value::as_table_mut).context("it has no [package]")?;
    package.insert("version".to_owned(), version.into());
    let deb = package.get_mut("metadata").and_then(|metadata| metadata.get_mut("deb"));
    let assets = deb.and_then(|deb| deb.get_mut("assets")).and_then(Value::as_array_mut);
    assets.context("it has no list of assets")?.extend(more);
    Ok(toml::to_string(&table)?)
}

/// The changelog in Debian's form. What changed in Countersign is in its own changelog, beside this one.
fn changelog(version: &str, epoch: i64) -> Result<String> {
    let time = jiff::Timestamp::from_second(epoch)?.to_zoned(jiff::tz::TimeZone::UTC);
    let date = jiff::fmt::rfc2822::to_string(&time)?;
    Ok(format!(
        "countersign ({version}) stable; urgency=medium\n\n  * Packed from its sources; changelog.gz says what is new.\n\n \
         -- The Countersign authors <maintainers@countersign.invalid>  {date}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_its_version_and_more_files() {
        let manifest = "[package]\nversion = '0.0.0'\n[package.metadata.deb]\nassets = [['a', 'usr/bin/', '755']]\n";
        let table: Table = completed(manifest, "1.2.3", vec![asset("b", "usr/share/b")]).unwrap().parse().unwrap();
        assert_eq!(table["package"]["version"].as_str(), Some("1.2.3"));
        assert_eq!(table["package"]["metadata"]["deb"]["assets"].as_array().map(Vec::len), Some(2));
        assert!(completed("[package]\n", "1", Vec::new()).is_err());
    }

    #[test]
    fn a_changelog_has_the_form_of_debian() {
        let text = changelog("0.1.0-1", 1_700_000_000).unwrap();
        assert!(text.starts_with("countersign (0.1.0-1) stable; urgency=medium\n\n  * "), "{text}");
        assert!(text.ends_with(">  Tue, 14 Nov 2023 22:13:20 +0000\n"), "{text}");
    }
}
