//! The page that a run writes: the table, the machine, the settings, the command, and all numbers behind the table.

use std::fmt::Write as _;
use std::time::Duration;

use crate::row::{Finding, Row};

/// Why the check of the documents leaves the command out.
const NOT_RUN: &str = "<!-- not run: it takes 20 minutes; the gate runs the short form -->";

/// The content of the page.
pub(crate) struct Report<'a> {
    pub(crate) findings: &'a [Finding],
    pub(crate) machine: &'a [(&'static str, String)],
    pub(crate) settings: &'a [String],
    /// The command that repeats the run.
    pub(crate) command: &'a str,
    pub(crate) pairs: usize,
    pub(crate) window: Duration,
    /// Checked answers, and wrong ones among them.
    pub(crate) checked: (u64, usize),
}

const ABOUT: &str = "# Benchmarks

Written by `cargo xtask bench`; do not edit. Absolute numbers of a machine that others use too move with the hour, so the
targets are ratios: Countersign and what it is compared with are driven in alternating windows of the same run, by a load
program on the same cores. The ceiling is bare hyper on one thread, which reads the same requests and answers with as many
bytes, and does nothing else. A value is the median of all pairs, with the least and the most in brackets.

\"Hold\" is what must hold in every full run, \"aim\" is where we want to be. A slow run fails nothing; a wrong answer fails
the run: every fresh code must be accepted, every spent or wrong one refused, and every wrong one counted.
";

impl Report<'_> {
    /// The page in Markdown.
    pub(crate) fn page(&self) -> String {
        let mut page = ABOUT.to_owned();
        let (right, wrong) = self.checked;
        let rows = self.findings.iter().flat_map(|finding| &finding.rows);
        let _ = write!(page, "\n## The table\n\n{}", table(rows));
        let _ = write!(page, "\n{right} answers were checked; {wrong} were wrong.\n");
        let _ = write!(page, "\n## The machine\n\n| | |\n| --- | --- |\n");
        for (name, what) in self.machine {
            let _ = writeln!(page, "| {name} | {what} |");
        }
        let _ = write!(page, "\n## The run\n\n{NOT_RUN}\n```sh\n{}\n```\n\n", self.command);
        let _ = writeln!(
            page,
            "{} pairs of windows of {:.1} s. The server is as shipped, with a durable commit before each answer that \
             changed anything, but for:\n",
            self.pairs,
            self.window.as_secs_f64()
        );
        for setting in self.settings {
            let _ = writeln!(page, "- {setting}");
        }
        let _ = write!(page, "\n## Raw numbers\n");
        for finding in self.findings {
            let _ = write!(page, "\n### {}\n\n```text\n{}\n```\n", finding.name, finding.raw.join("\n"));
        }
        page
    }
}

/// Rows as a table.
pub(crate) fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut table = "| what | measured (min–max) | hold | aim | |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for row in rows {
        let _ = writeln!(table, "| {} |", row.cells().join(" | "));
    }
    table
}
