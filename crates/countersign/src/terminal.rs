//! Everything that is printed. Answers go to standard output, the rest to standard error.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// Prints an answer.
pub(crate) fn say(text: &str) {
    // A closed pipe is the reader's choice.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a remark or a warning, after what was logged before.
pub(crate) fn remark(text: &str) {
    crate::log::remark("INFO", text);
}

/// Prints why a command failed.
pub(crate) fn failed(text: &str) {
    crate::log::remark("ERROR", text);
}

/// Exit code of a command that needed a confirmation and could not ask for one.
const UNCONFIRMED: u8 = 2;

/// Asks for a confirmation, unless `--yes` was given. Anything but `y` or `yes` at a terminal refuses. The error is the exit
/// code; the reason has been printed.
pub(crate) fn agreed(yes: bool, question: &str) -> Result<(), ExitCode> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        remark(
            "countersign: nothing was changed: this asks for confirmation, and standard input is no terminal; pass --yes",
        );
        return Err(ExitCode::from(UNCONFIRMED));
    }
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).is_ok();
    if read && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    remark("Nothing was changed.");
    Err(ExitCode::FAILURE)
}

/// Whether to print colours on standard error: it is a terminal, and `NO_COLOR` is not set.
pub(crate) fn shows_colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// A table: framed on a terminal, tab-separated for a pipe. A terminal shows the beginning of long ids, which commands
/// accept, or all of them with `full`; a pipe gets whole ids.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], full: bool) -> String {
    if !is_terminal() {
        let mut lines = vec![header.join("\t")];
        lines.extend(rows.iter().map(|row| row.iter().map(|cell| flat(cell)).collect::<Vec<_>>().join("\t")));
        return lines.join("\n");
    }
    framed(header, rows, full, Table::new().width())
}

/// Columns of a terminal that does not report them.
const WIDTH: u16 = 80;
/// Fewest columns that are believed: `script` and containers report 0.
const NARROWEST: u16 = 20;
/// Characters of a long id that are shown.
const SHOWN: usize = 12;

fn framed(header: &[&str], rows: &[Vec<String>], full: bool, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width.filter(|width| *width >= NARROWEST).unwrap_or(WIDTH));
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| {
            let cell = flat(cell);
            if is_long_id(&cell) && !full { cell[..SHOWN].to_owned() } else { cell }
        }));
    }
    // An id must be on one line, so that it can be copied.
    for (column, name) in table.column_iter_mut().zip(header) {
        if *name == "id" || name.ends_with("_id") {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.to_string()
}

/// Whether a cell is an id that is too long for a table.
fn is_long_id(cell: &str) -> bool {
    cell.len() == 64 && cell.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A progress bar on standard error; hidden unless that is a terminal.
pub(crate) struct Progress(indicatif::ProgressBar);

/// Starts a bar of `length` bytes or rows; 0 if the length is unknown.
pub(crate) fn progress(what: &'static str, length: u64) -> Progress {
    // indicatif hides the bar by itself if standard error is no terminal.
    let bar = indicatif::ProgressBar::with_draw_target(
        (length > 0).then_some(length),
        indicatif::ProgressDrawTarget::stderr_with_hz(10),
    );
    let style = "{prefix} {wide_bar} {percent:>3} %  {elapsed}, about {eta} left";
    if let Ok(style) = indicatif::ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    Progress(bar)
}

impl Progress {
    /// Sets how many bytes or rows are done.
    pub(crate) fn reach(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The terminal for the self-test.
pub(crate) struct Console;

impl selftest::Output for Console {
    fn say(&self, text: &str) {
        say(text);
    }

    fn remark(&self, text: &str) {
        remark(text);
    }

    fn table(&self, header: &[&str], rows: &[Vec<String>]) -> String {
        table(header, rows, true)
    }

    fn progress(&self, name: &'static str, length: u64) -> Option<Box<dyn selftest::ProgressBar>> {
        let bar = progress(name, length);
        std::io::stderr().is_terminal().then(|| Box::new(Removed(bar)) as Box<dyn selftest::ProgressBar>)
    }
}

/// A bar that is removed when it is dropped.
struct Removed(Progress);

impl selftest::ProgressBar for Removed {
    fn reach(&self, done: u64) {
        self.0.reach(done);
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// A text without control characters, which could move the cursor.
fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> (Vec<&'static str>, Vec<Vec<String>>) {
        let header = vec!["client_id", "name", "scope", "profile", "hold", "number", "secrets", "state"];
        let row = ["0123456789abcdef".repeat(4), "a name of several words".to_owned()];
        let rest = ["Authentication Only", "numeric_ids", "adaptive", "off", "…abcd …ef01", "revoked"];
        (header, vec![row.into_iter().chain(rest.map(str::to_owned)).collect()])
    }

    #[test]
    fn no_width_is_eighty() {
        let (header, rows) = clients();
        let eighty = framed(&header, &rows, false, Some(80));
        for width in [None, Some(0), Some(1)] {
            assert_eq!(framed(&header, &rows, false, width), eighty, "{width:?}");
        }
        assert!(eighty.lines().all(|line| line.chars().count() <= 80), "{eighty}");
    }

    #[test]
    fn ids_are_never_wrapped() {
        let (header, rows) = clients();
        for width in [40, 80, 200] {
            let short = framed(&header, &rows, false, Some(width));
            assert!(short.contains(" 0123456789ab "), "{short}");
            let full = framed(&header, &rows, true, Some(width));
            assert!(full.contains(&"0123456789abcdef".repeat(4)), "{full}");
        }
    }
}
