//! The binary that is shipped: linked statically with the C library, without a path of the machine that builds it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::places::Workspace;
use crate::step::{cargo, run};

/// The target is named, so that build scripts and procedural macros, which cannot be static, are built without its flags.
fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// The time of the build as C sources see it, in seconds since 1970: the allocator's name it, so with the true one no two binaries would
/// be the same. It is not that of the commit, because a target folder keeps what it has compiled for an earlier one.
pub(super) const C_EPOCH: (&str, &str) = ("SOURCE_DATE_EPOCH", "0");

/// Builds the binary into this target folder.
pub(super) fn build(places: &Workspace, into: &Path) -> Result<PathBuf> {
    // Without the C library's dynamic symbols, randomness would come from a file, and an empty root has no such file.
    let random = "--cfg=getrandom_backend=\"linux_getrandom\"".to_owned();
    let mut flags = vec!["-C".to_owned(), "target-feature=+crt-static".to_owned(), random];
    let mut c_flags = Vec::new();
    // Panics and assertions name source files. Where they were when the binary was built says nothing to its users.
    for (place, name) in sources(places) {
        flags.push(format!("--remap-path-prefix={}={name}", place.display()));
        c_flags.push(format!("-ffile-prefix-map={}={name}", place.display()));
    }
    // Where build scripts put what they generate.
    c_flags.push(format!("-ffile-prefix-map={}=/target", into.display()));
    flags.push(format!("--remap-path-prefix={}=/target", into.display()));
    let flags: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
    let mut command = cargo();
    command.current_dir(&places.root).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    // Joined to the flags of `.cargo/config.toml`, which the environment's would replace.
    command.arg("--config").arg(format!("build.rustflags=[{}]", flags.join(", ")));
    command.args(["build", "--locked", "--release", "--package", "countersign", "--bins", "--target", &target()]);
    command.arg("--target-dir").arg(into).env("CFLAGS", c_flags.join(" ")).env(C_EPOCH.0, C_EPOCH.1);
    run(&mut command)?;
    Ok(into.join(target()).join("release/countersign"))
}

/// Where sources are, and what they are called instead.
fn sources(places: &Workspace) -> Vec<(PathBuf, &'static str)> {
    [(Some(places.root.clone()), "/source"), (cargo_home(), "/cargo")]
        .into_iter()
        .filter_map(|(place, name)| Some((place?, name)))
        .collect()
}

/// Where cargo keeps the crates that it has downloaded.
pub(super) fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
}
