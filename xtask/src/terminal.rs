//! The only place of xtask that prints: results to standard output, errors to standard error.

use std::io::Write as _;

/// Prints a line to standard output.
pub fn say(text: &str) {
    // A reader may close the pipe; that is not an error.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line to standard error.
pub fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
