//! `cargo xtask docs`: readers get what the documents show. Every `sh` block is run, page by page, or has a reason why
//! not; every link has a target; every page is in the index.
//!
//! A page's blocks run in one shell, in the page's order, in an empty folder. Four marks, each an HTML comment on the
//! line above a block, change that:
//!
//! - `<!-- not run: REASON -->` leaves the block out.
//! - `<!-- background: FILE -->` starts it in the background ("in another terminal") and waits until `FILE` is there.
//! - `<!-- file: NAME -->` writes it to this file. It can be of any language: a program that the next block runs, or settings.
//! - `<!-- needs: PAGE#HEADING -->` first runs the blocks below that heading of another page.
//!
//! A page that asks its reader for a code (`read -r`) gets it typed: mail that is sent to the server in `$SMTP` arrives in a
//! mailbox of ours.

mod laws;
mod mailbox;
mod page;
mod session;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub(crate) use laws::complaints;

use crate::places::{BuildProfile, Workspace};
use crate::terminal;

/// The chore's arguments.
/// The files that a page shows: a block with the mark `file` is a whole one. Gives their names and contents.
pub(crate) fn files(root: &Path, path: &Path) -> Result<Vec<(String, String)>> {
    let blocks = page::read(root, path)?.blocks.into_iter();
    Ok(blocks
        .filter_map(|block| match block.mark {
            page::Mark::File(name) => Some((name, block.text + "\n")),
            _ => None,
        })
        .collect())
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run nothing; only look at links, index, marks and the tests that requirements name
    #[arg(long)]
    check: bool,
    /// Run the blocks of this page only, as `docs/guides/logging-in.md`
    #[arg(long, value_name = "PAGE")]
    only: Option<PathBuf>,
    /// A binary that exists already
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    let complaints = complaints(&places.root)?;
    for complaint in &complaints {
        terminal::say(complaint);
    }
    if !complaints.is_empty() {
        bail!("{} complaints about the documents", complaints.len());
    }
    if args.check {
        return Ok(());
    }
    let binary = places.server_or(args.binary.as_deref(), BuildProfile::Dev)?;
    run_blocks(&places, &binary, args.only.as_deref())
}

/// Runs the blocks of all pages, or of one.
pub(crate) fn run_blocks(places: &Workspace, binary: &Path, only: Option<&Path>) -> Result<()> {
    let pages: Vec<_> =
        page::paths(&places.root)?.into_iter().filter(|path| only.is_none_or(|only| only == path)).collect();
    if pages.is_empty() {
        bail!("there is no such page");
    }
    let mut failed = 0;
    for path in pages {
        match session::run(places, binary, &path) {
            Ok(0) => {}
            Ok(ran) => terminal::say(&format!("ok     {}: {ran} blocks run", path.display())),
            Err(error) => {
                failed += 1;
                terminal::say(&format!("FAILED {}: {error:#}", path.display()));
            }
        }
    }
    if failed > 0 {
        bail!("the blocks of {failed} pages do not run as they are written");
    }
    Ok(())
}
