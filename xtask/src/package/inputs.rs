//! What every package is made of: the binary, its version, one date for all files, and the files that the binary prints.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::static_binary;
use crate::places::{BuildProfile, Workspace};
use crate::server::command;
use crate::step::output;

/// The shells for which the binary prints completions, with the place that Debian gives them.
const SHELLS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/countersign"),
    ("zsh", "usr/share/zsh/vendor-completions/_countersign"),
    ("fish", "usr/share/fish/vendor_completions.d/countersign.fish"),
];

/// Which binary is packed, and where packages go.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Source {
    /// Pack this binary instead of building one
    #[arg(long, value_name = "PATH", global = true)]
    pub(super) binary: Option<PathBuf>,
    /// Folder for the packages [default: packages in cargo's target folder]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) into: Option<PathBuf>,
    /// Pack a dynamically linked binary; the image then contains its libraries
    #[arg(long, global = true)]
    pub(super) allow_dynamic: bool,
}

/// The ingredients of all packages.
#[derive(Debug)]
pub(super) struct Inputs {
    /// The binary that is packed.
    pub(super) binary: PathBuf,
    /// Its version, as `0.1.0`.
    pub(super) version: String,
    /// The time of every file in every package, in seconds since 1970: that of the last commit.
    pub(super) epoch: i64,
    /// Loader and libraries of a dynamically linked binary; empty for a static one.
    pub(super) libraries: Vec<PathBuf>,
    /// Where packages are written.
    pub(super) into: PathBuf,
    /// What the binary has printed: completions and man pages.
    pub(super) generated: Generated,
}

/// The completions and man pages that a binary has printed.
#[derive(Debug)]
pub(super) struct Generated {
    /// Files, each with its place in a system.
    pub(super) files: Vec<(PathBuf, String)>,
}

impl Inputs {
    /// Looks at the binary, and lets it print its files.
    pub(super) fn gather(places: &Workspace, source: &Source) -> Result<Self> {
        let binary = match &source.binary {
            None if !source.allow_dynamic => static_binary::build(places, &places.folder("static")?)?,
            named => places.server_or(named.as_deref(), BuildProfile::Release)?,
        };
        let shown = output(command(&binary).arg("--version"))?;
        let version = shown.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        ensure!(!version.is_empty(), "{} prints no version; name a countersign binary", binary.display());
        let libraries = libraries(&binary)?;
        ensure!(
            libraries.is_empty() || source.allow_dynamic,
            "{} is dynamically linked, so an image would need its libraries: build it with -C target-feature=+crt-static, or \
             add --allow-dynamic to try with this one",
            binary.display()
        );
        let into = match &source.into {
            Some(into) => into.clone(),
            None => places.folder("packages")?,
        };
        std::fs::create_dir_all(&into).with_context(|| format!("cannot create {}", into.display()))?;
        let into = into.canonicalize()?;
        let generated = generate(&binary, &places.folder("package/generated")?)?;
        Ok(Self { binary, version, epoch: epoch(places)?, libraries, into, generated })
    }
}

/// The time of the last commit, or what `SOURCE_DATE_EPOCH` says.
fn epoch(places: &Workspace) -> Result<i64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => {
            let mut git = Command::new("git");
            git.args(["log", "-1", "--format=%ct"]).current_dir(&places.root);
            output(&mut git)
                .context("the time of the last commit is not known: set SOURCE_DATE_EPOCH to seconds since 1970")?
        }
    };
    text.trim().parse().with_context(|| format!("{:?} is not a number of seconds: set SOURCE_DATE_EPOCH", text.trim()))
}

/// Loader and libraries that a binary needs, as the loader of this machine finds them.
fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    let listed = Command::new("ldd").arg(binary).output().context("cannot run ldd, of the package libc-bin")?;
    if !listed.status.success() {
        // "not a dynamic executable"
        return Ok(Vec::new());
    }
    let text = String::from_utf8(listed.stdout)?;
    ensure!(!text.contains("not found"), "{} needs libraries that are not here:\n{text}", binary.display());
    Ok(text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect())
}

fn generate(binary: &Path, folder: &Path) -> Result<Generated> {
    std::fs::remove_dir_all(folder)?;
    std::fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for (shell, place) in SHELLS {
        let text =
            output(command(binary).args(["completions", shell])).with_context(|| cannot(binary, "completions"))?;
        ensure!(text.contains("countersign"), "the completions for {shell} do not name the program");
        let path = folder.join(shell);
        std::fs::write(&path, text)?;
        files.push((path, (*place).to_owned()));
    }
    let man = folder.join("man");
    std::fs::create_dir_all(&man)?;
    output(command(binary).arg("man").arg(&man)).with_context(|| cannot(binary, "man pages"))?;
    let mut pages: Vec<PathBuf> = std::fs::read_dir(&man)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    pages.sort();
    if pages.is_empty() {
        bail!("`countersign man` wrote no page into its folder");
    }
    for page in pages {
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o644))?;
        let section = name.rsplit('.').next().unwrap_or_default().to_owned();
        files.push((page, format!("usr/share/man/man{section}/{name}")));
    }
    Ok(Generated { files })
}

fn cannot(binary: &Path, what: &str) -> String {
    format!("{} cannot print {what}: pack a newer binary", binary.display())
}
