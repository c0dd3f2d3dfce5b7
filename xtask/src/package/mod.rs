//! `cargo xtask package`: everything in which Countersign is shipped, made from one binary; and each of them installed and used as an
//! operator does.

mod accept_deb;
mod accept_image;
mod archive;
mod deb;
mod image;
mod image_check;
mod inputs;
mod machine;
mod user;

use anyhow::Result;

use self::inputs::{Inputs, Source};
use crate::places::Workspace;
use crate::terminal;

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    part: Option<Part>,
}

/// A part of the chore.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Part {
    /// Make the Debian package only
    Deb,
    /// Make the container image only
    Image,
    /// Install, use, upgrade, remove and purge the Debian package on a machine that is booted for it
    AcceptDeb,
    /// Run the container image, with a read-only root
    AcceptImage,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    let inputs = Inputs::gather(&places, &args.source)?;
    match args.part {
        Some(Part::Deb) => {
            let package = deb::make(&places, &inputs, None, 1, &inputs.into)?;
            deb::lint(&package)?;
            terminal::say(&package.display().to_string());
        }
        Some(Part::AcceptDeb) => accept_deb::accept(&places, &inputs)?,
        Some(Part::AcceptImage) => {
            let folder = tempfile::tempdir_in(&places.target)?;
            accept_image::accept(&places, &image::make(&inputs, None, folder.path())?)?;
        }
        Some(Part::Image) | None => {
            let image = image::make(&inputs, None, &inputs.into)?;
            image_check::judge(&image)?;
        }
    }
    Ok(())
}

pub(crate) fn accept(_places: &Workspace, _binary: &std::path::Path) -> Result<()> {
    Ok(())
}
