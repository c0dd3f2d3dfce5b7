//! Checks that do not run here. Each is printed with its reason, and where the gate must have the tool it is an error.

use anyhow::{Result, bail};

use crate::terminal;

/// Leaves out a check that needs something which `.ci/run` installs. Fails in CI.
pub(crate) fn for_now(what: &str, why: &str) -> Result<()> {
    if std::env::var_os("CI").is_some() {
        bail!("{what} cannot be checked: {why}. CI must have it, see the list in .ci/run");
    }
    always(what, why);
    Ok(())
}

/// Leaves out a check that this project does not run anywhere, or not with this binary.
pub(crate) fn always(what: &str, why: &str) {
    terminal::say(&format!("not run: {what}, because {why}"));
}
