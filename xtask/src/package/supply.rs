//! What the binary contains: a list of components (`CycloneDX`), and the licences of all of them with their texts. Both name nothing
//! of the machine that made them, and are the same each time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::inputs::Inputs;
use crate::places::Workspace;
use crate::step::{cargo, output};
use crate::{terminal, tools};

/// The version of cargo-cyclonedx whose output is read.
const CARGO_CYCLONEDX: &str = "~0.5.9";
/// The version of cargo-bundle-licenses whose output is read.
const CARGO_BUNDLE_LICENSES: &str = "~5.0.0";
/// What cargo-bundle-licenses writes where a crate has no licence file.
const NO_TEXT: &str = "NOT FOUND";
/// The name under which cargo-cyclonedx writes beside each manifest. No file of ours has it.
const SCRATCH: &str = "xtask-components";

/// Makes both. Returns the file of licences, which the packages contain.
pub(super) fn make(places: &Workspace, inputs: &Inputs) -> Result<PathBuf> {
    let list = components(places, inputs)?;
    let components = inputs.into.join(format!("countersign-{}.cdx.json", inputs.version));
    std::fs::write(&components, serde_json::to_string_pretty(&list)? + "\n")?;
    let used = used(&list)?;
    let text = licences(&bundled(places)?, &used)?;
    let licences = inputs.into.join("THIRD-PARTY-LICENCES");
    std::fs::write(&licences, text)?;
    terminal::say(&format!("ok     {} components are listed with their licences", used.len()));
    Ok(licences)
}

/// The list of cargo-cyclonedx, without the paths, the moment and the number that only this run has.
fn components(places: &Workspace, inputs: &Inputs) -> Result<Value> {
    let tool = tools::installed(places, "cargo-cyclonedx", CARGO_CYCLONEDX)?;
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut listing = std::process::Command::new(tool);
    listing.args([
        "cyclonedx",
        "--format",
        "json",
        "--spec-version",
        "1.5",
        "--target",
        &target,
        "--quiet",
        "--no-build-deps",
    ]);
    listing
        .args(["--override-filename", SCRATCH, "--manifest-path"])
        .arg(places.root.join("crates/countersign/Cargo.toml"));
    let listed = output(&mut listing);
    // It writes a list beside the manifest of every crate of the workspace.
    let own = places.root.join("crates/countersign").join(format!("{SCRATCH}.json"));
    let text = std::fs::read_to_string(&own);
    for manifest in manifests(places)? {
        let written = manifest.with_file_name(format!("{SCRATCH}.json"));
        if written.exists() {
            std::fs::remove_file(written)?;
        }
    }
    listed?;
    let root = format!("file://{}/", places.root.display());
    let text = text.with_context(|| format!("cargo-cyclonedx wrote no {}", own.display()))?.replace(&root, "");
    ensure!(!text.contains("file:///"), "the list of components names folders of this machine");
    let mut list: Value = serde_json::from_str(&text)?;
    list["metadata"]["timestamp"] = jiff::Timestamp::from_second(inputs.epoch)?.to_string().into();
    list.as_object_mut().context("the list of components is no object")?.remove("serialNumber");
    Ok(list)
}

fn manifests(places: &Workspace) -> Result<Vec<PathBuf>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(&places.root))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(packages.iter().filter_map(|package| package["manifest_path"].as_str()).map(PathBuf::from).collect())
}

/// Name and version of every component that is not ours.
fn used(list: &Value) -> Result<BTreeSet<(String, String)>> {
    let components = list["components"].as_array().context("the list has no components")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = components.iter().map(|one| (text(&one["name"]), text(&one["version"])));
    let used: BTreeSet<_> = all.filter(|(name, _)| !name.starts_with("countersign")).collect();
    ensure!(!used.is_empty(), "the list of components is empty");
    Ok(used)
}

/// What cargo-bundle-licenses found of a crate.
#[derive(Debug, Deserialize)]
struct Library {
    package_name: String,
    package_version: String,
    /// What the manifest says, as `MIT OR Apache-2.0`.
    license: String,
    licenses: Vec<Licence>,
}

#[derive(Debug, Deserialize)]
struct Licence {
    license: String,
    text: String,
}

fn bundled(places: &Workspace) -> Result<Vec<Library>> {
    #[derive(Deserialize)]
    struct Bundle {
        third_party_libraries: Vec<Library>,
    }
    let tool = tools::installed(places, "cargo-bundle-licenses", CARGO_BUNDLE_LICENSES)?;
    let file = places.folder("package")?.join("licences.json");
    let mut bundling = std::process::Command::new(tool);
    bundling.args(["bundle-licenses", "--format", "json", "--output"]).arg(&file).env("RUST_LOG", "error");
    output(bundling.current_dir(places.root.join("crates/countersign")))?;
    let bundle: Bundle = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    Ok(bundle.third_party_libraries)
}

/// A text for people: every component with its licence, then every licence text once, with those who use it.
fn licences(found: &[Library], used: &BTreeSet<(String, String)>) -> Result<String> {
    let key = |one: &Library| (one.package_name.clone(), one.package_version.clone());
    let known: BTreeMap<_, &Library> = found.iter().map(|one| (key(one), one)).collect();
    let missing: Vec<_> = used.iter().filter(|one| !known.contains_key(*one)).collect();
    ensure!(
        missing.is_empty(),
        "no licence was found of {missing:?}: is cargo-bundle-licenses run on the same lock file?"
    );

    let mut text = "The binary countersign contains these components, under these licences.\n\n".to_owned();
    let mut texts: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (name, version) in used {
        let library = known[&(name.clone(), version.clone())];
        let _ = write!(text, "{name} {version}: {}", library.license);
        let with_text = library.licenses.iter().filter(|licence| licence.text != NO_TEXT);
        let mut without = true;
        for licence in with_text {
            without = false;
            texts.entry((&licence.license, licence.text.trim())).or_default().push(format!("{name} {version}"));
        }
        text.push_str(if without { " (it ships no text of it)\n" } else { "\n" });
    }
    for ((licence, words), users) in texts {
        let _ = write!(text, "\n{}\n{licence}, of {}:\n\n{words}\n", "=".repeat(80), users.join(", "));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, text: &str) -> Library {
        Library {
            package_name: name.to_owned(),
            package_version: "1.0.0".to_owned(),
            license: "MIT".to_owned(),
            licenses: vec![Licence { license: "MIT".to_owned(), text: text.to_owned() }],
        }
    }

    fn used(names: &[&str]) -> BTreeSet<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "1.0.0".to_owned())).collect()
    }

    #[test]
    fn a_text_of_many_is_there_once_and_names_them() {
        let found =
            [library("a", "Permission"), library("b", "Permission"), library("c", NO_TEXT), library("d", "Other")];
        let text = licences(&found, &used(&["a", "b", "c"])).unwrap();
        assert_eq!(text.matches("Permission").count(), 1, "{text}");
        assert!(text.contains("MIT, of a 1.0.0, b 1.0.0:"), "{text}");
        assert!(text.contains("c 1.0.0: MIT (it ships no text of it)"), "{text}");
        assert!(!text.contains("Other"), "{text}");
    }

    #[test]
    fn a_component_without_a_licence_is_an_error() {
        assert!(licences(&[library("a", "x")], &used(&["a", "b"])).unwrap_err().to_string().contains("\"b\""));
    }
}
