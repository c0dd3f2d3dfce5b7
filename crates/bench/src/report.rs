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
bytes, and does nothing else. The sketch is a program that does what a durable verification on SQLite cannot do without, and
nothing else: it looks up the token, reads the JSON, finds the code's counter, and writes the counter, guarded, and a chained
audit entry in groups, with its devices in memory. A value is the median of all pairs, with the least and the most in
brackets.

The last column is what the server used for an operation: microseconds of CPU, in its own code and in the kernel, and what its
threads waited while every core was busy. They are steadier than rates.

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
    let mut table =
        "| what | measured (min–max) | hold | aim | | µs |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for row in rows {
        let _ = writeln!(table, "| {} |", row.cells().join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Goal, Unit};
    use crate::stats::Cost;

    #[test]
    fn a_table_has_a_line_for_each_row_and_its_cost() {
        let goal = Goal::AtLeast { hold: 0.34, aim: 0.42 };
        let rows = [
            Row::new("verify", Unit::Part, goal, vec![0.35, 0.33, 0.36]).with_cost(Cost { cpu: 23.96, waiting: 0.8 }),
            Row::not_measured("list", Unit::Part, goal, "left out"),
        ];
        assert_eq!(
            table(rows.iter()),
            "| what | measured (min–max) | hold | aim | | µs |\n| --- | --- | --- | --- | --- | --- |\n\
             | verify | 0.35 (0.33–0.36) | ≥ 0.34 | ≥ 0.42 | held | 24.0 + 0.8 |\n\
             | list | left out | ≥ 0.34 | ≥ 0.42 | – |  |\n"
        );
    }
}
