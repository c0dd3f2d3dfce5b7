//! `cargo xtask check`: the laws of the house that neither compiler nor clippy can read. Each law returns its
//! complaints; one complaint fails the chore, after all of them have been printed.

mod chance;
mod circles;
mod comments;
mod complaints;
mod dependencies;
mod imports;
mod krate;
mod layers;
mod length;
mod pieces;
mod protocol;
mod requirements;
mod resolve;
mod rows;
mod siblings;
mod types;
mod unfinished;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use complaints::{Complaints, by_crate, of_crate};
use krate::Crate;

use crate::metadata::Metadata;
use crate::places::Workspace;
use crate::terminal;

/// Laws that some crates do not meet yet. Their complaints are counted and do not fail the chore; `--all` prints them. A
/// crate leaves this list for good once it meets the law.
const OPEN: &[(&str, &[&str])] = &[];

const CIRCLES: &str = "no files in a circle";
const LENGTH: &str = "every long file has its reason";
const EMPTY: &str = "every doc comment says something";
const WORDS: &str = "no old words";

/// `cargo xtask check`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Print every complaint of the laws that are still open
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    let tree = Metadata::of(&places.root)?;
    let crates = crates(&places.root)?;
    // The chores name marks and rows that they look for.
    let product = || crates.iter().filter(|one| !["xtask", "conformance"].contains(&one.name.as_str()));
    let files = || product().flat_map(|one| &one.files);
    let laws: [(&str, Complaints); 18] = [
        ("domain stays pure", layers::domain_is_pure(&tree)),
        ("crates depend downwards only", layers::downwards_only(&tree)),
        ("model never names rules", circles::model_below_rules(&crates)),
        (CIRCLES, circles::none(&crates)),
        ("no public type name twice", types::unique(&crates)),
        ("endpoints of one dialect do not name one another", siblings::apart(&crates)),
        ("no protocol word below the dialects", protocol::none(&crates)),
        ("every dependency has its reason", dependencies::explained(&places.root)?),
        ("every dependency is used", dependencies::used(&tree, &places.root, &crates)?),
        ("randomness that repeats is for dev worlds", chance::at_home(files())),
        ("nothing is left unfinished", unfinished::none(files())),
        (LENGTH, length::explained(&crates)),
        ("every public item has a doc comment", comments::missing(&crates)),
        (EMPTY, comments::empty(&crates)),
        (WORDS, words::none(&crates)),
        ("every row of the contract's tables is tested", rows::named(&places.root, files())?),
        ("every built requirement names its tests", requirements::shown(&places.root, files())?),
        ("links, index and marks of the documents hold", crate::docs::complaints(&places.root)?),
    ];
    let mut broken = 0;
    for (law, complaints) in &laws {
        let open = OPEN.iter().find(|(name, _)| name == law).map_or(&[][..], |(_, crates)| *crates);
        let (waived, refused): (Vec<&String>, Vec<&String>) =
            complaints.iter().partition(|complaint| open.contains(&of_crate(complaint)));
        if refused.is_empty() && waived.is_empty() {
            terminal::say(&format!("ok     {law}"));
        } else if refused.is_empty() {
            terminal::say(&format!("open   {law}: {} complaints ({})", waived.len(), by_crate(complaints)));
        } else {
            terminal::say(&format!("BROKEN {law}"));
        }
        for complaint in refused.iter().chain(waived.iter().filter(|_| args.all)) {
            terminal::say(&format!("         {complaint}"));
        }
        for met in open.iter().filter(|name| !waived.iter().any(|complaint| of_crate(complaint) == **name)) {
            terminal::say(&format!("         {met} meets it: take it out of OPEN in xtask/src/check/mod.rs"));
        }
        broken += refused.len();
    }
    for warning in length::long(&crates) {
        terminal::say(&format!("warn   {warning}"));
    }
    if broken > 0 {
        bail!("{broken} complaints");
    }
    Ok(())
}

/// The crates whose source is read: those of the workspace, and the clients of others that we run against ourselves.
fn crates(root: &Path) -> Result<Vec<Crate>> {
    let entries = std::fs::read_dir(root.join("crates")).context("there is no folder crates")?;
    let mut folders: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    folders.extend(["xtask", "conformance"].map(|name| root.join(name)));
    folders.sort();
    folders.iter().map(|folder| Crate::read(root, folder)).collect()
}
