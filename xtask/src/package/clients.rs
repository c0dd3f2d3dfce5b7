//! The Python wheel and the npm package that carry the binary, for people who test their own code.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{bundle, trial};
use crate::places::Workspace;

/// Makes both packages of a binary. Returns their files, the wheel first.
pub(crate) fn make(places: &Workspace, binary: &Path, into: &Path) -> Result<Vec<PathBuf>> {
    bundle::make(places, binary, into)
}

/// Makes both packages, installs them from their files, and uses them as their users do.
pub(crate) fn accept(places: &Workspace, binary: &Path) -> Result<()> {
    trial::run(places, binary)
}
