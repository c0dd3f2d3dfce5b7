//! The chores' one home of printing: findings to standard output, failures to standard error.

use std::io::Write as _;

/// Prints a line.
pub(crate) fn say(text: &str) {
    // A closed pipe is the reader's choice, not a fault of ours.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line that must not be lost in what standard output is piped into.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
