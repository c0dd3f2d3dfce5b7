//! `cargo xtask package`: everything in which Countersign is shipped, made from one binary; and each of them installed and used as an
//! operator does. What cannot be used on this machine is printed as "not run: … because …".

mod accept_deb;
mod accept_image;
mod archive;
mod arm64;
mod bundle;
mod compose;
mod deb;
mod guide;
mod image;
mod image_check;
mod inputs;
mod machine;
mod platform;
mod root;
mod static_binary;
mod sums;
mod supply;
mod trial;
mod user;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use self::deb::Compression;
use self::inputs::{Inputs, Source};
use crate::places::{BuildProfile, Workspace};
use crate::step::step;
use crate::terminal;
use crate::{left_out, load};

/// The chore's arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// What to do [default: make everything]
    #[command(subcommand)]
    part: Option<Part>,
}

/// The arguments of `cargo xtask release`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    source: Source,
    /// The binary of the version before, whose nodes run beside those of this one
    #[arg(long, value_name = "PATH")]
    upgrade_from: Option<PathBuf>,
}

/// A part of the chore.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Part {
    /// Make the Debian package only
    Deb,
    /// Make the container image only
    Image,
    /// Make the Python wheel and the npm package only
    Clients,
    /// Make the list of components and the file of licences only
    Supply,
    /// Build the binary for 64-bit Arm in a Debian root, use it under QEMU, and add it to the packages
    Arm64,
    /// Make the packages twice, and compare them to the byte
    Reproduce,
    /// Install, use, upgrade, remove and purge the Debian package on a machine that is booted for it
    AcceptDeb,
    /// Run the container image, with a read-only root
    AcceptImage,
    /// Check the compose files
    AcceptCompose,
    /// Install the wheel and the npm package from their files, and use them as their users do
    AcceptClients,
    /// Do what the gate does: use the Debian package, the image and the compose files
    Accept,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    match args.part {
        Some(Part::AcceptCompose) => return compose::judge(&places),
        Some(Part::Arm64) => return arm64::make(&places, args.source.into.as_deref()),
        _ => (),
    }
    let inputs = Inputs::gather(&places, &args.source)?;
    match args.part {
        None => make(&places, &inputs),
        Some(Part::Deb) => {
            let package = deb::make(&places, &inputs, None, 1, Compression::Small, &inputs.into)?;
            terminal::say(&package.display().to_string());
            deb::lint(&package)
        }
        Some(Part::Image) => {
            let image = image::make(&inputs, None, &inputs.into)?;
            terminal::say(&image.archive.display().to_string());
            image_check::judge(&image)
        }
        Some(Part::Clients) => {
            for file in bundle::make(&places, &inputs, &inputs.into)? {
                terminal::say(&file.display().to_string());
            }
            Ok(())
        }
        Some(Part::AcceptClients) => trial::run(&places, &inputs),
        Some(Part::Supply) => supply::make(&places, &inputs).map(drop),
        Some(Part::Reproduce) => reproduce(&places, &inputs),
        Some(Part::AcceptDeb) => accept_deb::accept(&places, &inputs),
        Some(Part::AcceptImage) => accept_image(&places, &inputs),
        Some(Part::Accept) => accept_all(&places, &inputs),
        Some(Part::AcceptCompose | Part::Arm64) => Ok(()),
    }
}

/// `cargo xtask release`: makes everything, makes it again, and uses it.
pub(crate) fn release(args: &ReleaseArgs) -> Result<()> {
    let places = Workspace::find()?;
    let inputs = Inputs::gather(&places, &args.source)?;
    step("packages", || make(&places, &inputs))?;
    step("packages are the same twice", || reproduce(&places, &inputs))?;
    accept_all(&places, &inputs)?;
    match &args.upgrade_from {
        Some(before) => two_versions(before, &inputs.binary)?,
        None => {
            left_out::always("two versions over one database", "--upgrade-from names no binary of the version before");
        }
    }
    if args.source.binary.is_none() {
        step("the binary is the same twice", || rebuild(&places, &inputs))?;
    }
    Ok(())
}

/// Uses what is made of this binary. For the gate: the list of components and the licences are left to a release.
pub(crate) fn accept(places: &Workspace, binary: &Path) -> Result<()> {
    // The gate's build is dynamic.
    let source = Source { binary: Some(binary.to_owned()), allow_dynamic: true, ..Source::default() };
    accept_all(places, &Inputs::gather(places, &source)?)
}

fn accept_all(places: &Workspace, inputs: &Inputs) -> Result<()> {
    step("Debian package", || accept_deb::accept(places, inputs))?;
    step("container image", || accept_image(places, inputs))?;
    step("compose files", || compose::judge(places))?;
    step("packages for tests", || trial::run(places, inputs))
}

/// Runs nodes of two versions over one PostgreSQL.
fn two_versions(before: &Path, after: &Path) -> Result<()> {
    let args =
        ["--quick".as_ref(), "--binary".as_ref(), after.as_os_str(), "--upgrade-from".as_ref(), before.as_os_str()];
    load::run("selftest", &args.map(OsStr::to_owned), BuildProfile::Dev)
}

fn accept_image(places: &Workspace, inputs: &Inputs) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("image-").tempdir_in(&places.target)?;
    let image = image::make(inputs, None, folder.path())?;
    image_check::judge(&image)?;
    accept_image::accept(places, &image)
}

/// Makes everything, and the checksums of it.
fn make(places: &Workspace, inputs: &Inputs) -> Result<()> {
    let into = &inputs.into;
    sums::clear(into)?;
    let licences = supply::make(places, inputs)?;
    let package = deb::make(places, inputs, Some(&licences), 1, Compression::Small, into)?;
    deb::lint(&package)?;
    let image = image::make(inputs, Some(&licences), into)?;
    image_check::judge(&image)?;
    compose::copy(places, inputs, into)?;
    let name = format!("countersign-{}-{}-linux", inputs.version, std::env::consts::ARCH);
    std::fs::copy(&inputs.binary, into.join(name))?;
    bundle::make(places, inputs, into)?;
    terminal::say(sums::write(into)?.trim_end());
    terminal::say(&format!("The packages are in {}.", into.display()));
    Ok(())
}

/// Builds the binary once more from nothing, and compares it.
fn rebuild(places: &Workspace, inputs: &Inputs) -> Result<()> {
    let one = archive::sha256(&std::fs::read(&inputs.binary)?);
    let folder = places.folder("static")?;
    let before = folder.with_extension("before");
    if before.exists() {
        std::fs::remove_dir_all(&before)?;
    }
    std::fs::rename(&folder, &before)?;
    let other = archive::sha256(&std::fs::read(static_binary::build(places, &folder)?)?);
    std::fs::remove_dir_all(&before)?;
    ensure!(one == other, "the binary differs each time it is built: {one} and {other}");
    terminal::say(&format!("ok     the binary is the same twice: {one}"));
    Ok(())
}

/// Makes package and image twice, at other places, and compares them.
fn reproduce(places: &Workspace, inputs: &Inputs) -> Result<()> {
    let mut made = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::Builder::new().prefix("again-").tempdir_in(&places.target)?;
        let package = deb::make(places, inputs, None, 1, Compression::Fast, folder.path())?;
        let image = image::make(inputs, None, folder.path())?;
        made.push([std::fs::read(package)?, std::fs::read(image.archive)?].map(|bytes| archive::sha256(&bytes)));
    }
    for (what, one, other) in [("package", &made[0][0], &made[1][0]), ("image", &made[0][1], &made[1][1])] {
        ensure!(one == other, "the {what} of one binary differs each time: {one} and {other}");
        terminal::say(&format!("ok     the {what} is the same twice: {one}"));
    }
    Ok(())
}
