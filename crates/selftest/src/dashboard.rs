//! The results of a run, and how they are printed.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::client::Node;
use super::output::Output;
use super::report::{Count, Ended};

/// Most violations of a scenario that are kept in words; the rest is counted.
const SHOWN: usize = 10;

/// The results of a scenario.
#[derive(Debug)]
pub(super) struct Row {
    scenario: &'static str,
    rounds: u64,
    count: Count,
    violations: u64,
    shown: Vec<String>,
}

impl Row {
    /// Adds a judged round.
    pub(super) fn enter<'a>(&mut self, endings: impl IntoIterator<Item = &'a Ended>, violations: Vec<String>) {
        self.rounds += 1;
        for ended in endings {
            self.count.add(*ended);
        }
        for violation in violations {
            self.violations += 1;
            if self.shown.len() < SHOWN {
                self.shown.push(format!("round {}: {violation}", self.rounds));
            }
        }
    }
}

/// The results of a run.
#[derive(Debug, Default)]
pub(super) struct Dashboard {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Dashboard {
    /// The row of a scenario; a new one if it has none.
    pub(super) fn row(&mut self, scenario: &'static str) -> &mut Row {
        let index = self.rows.iter().position(|row| row.scenario == scenario).unwrap_or_else(|| {
            let (count, shown) = (Count::default(), Vec::new());
            self.rows.push(Row { scenario, rounds: 0, count, violations: 0, shown });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// Adds a note for the reader, unless the same note is there.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The number of violations in all scenarios.
    pub(super) fn violations(&self) -> u64 {
        self.rows.iter().map(|row| row.violations).sum()
    }

    /// The results for a program.
    pub(super) fn json(&self, nodes: &[Node], settings: &Value) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(row_json).collect();
        json!({
            "clean": self.violations() == 0,
            "violations": self.violations(),
            "settings": settings,
            "nodes": nodes.iter().map(node_json).collect::<Vec<_>>(),
            "scenarios": rows,
            "notes": self.notes,
        })
    }

    /// Prints the results for a person.
    pub(super) fn print(&self, nodes: &[Node], output: &dyn Output) {
        let header = ["scenario", "rounds", "requests", "successes", "refusals", "5xx", "dropped", "violations"];
        let rows: Vec<Vec<String>> = self.rows.iter().map(row_cells).collect();
        output.say(&output.table(&header, &rows));
        for node in nodes {
            let (answers, waits) = (node.answers.load(Ordering::Relaxed), node.waits.load(Ordering::Relaxed));
            let waited = if waits > 0 { format!(", {waits} of them 429") } else { String::new() };
            output.say(&format!("{}: {answers} answers{waited}", node.url));
        }
        for note in &self.notes {
            output.say(&format!("Note: {note}"));
        }
        for row in self.rows.iter().filter(|row| row.violations > 0) {
            output.say(&format!("{}: {} violations", row.scenario, row.violations));
            for violation in &row.shown {
                output.say(&format!("  {violation}"));
            }
        }
        output.say(&match self.violations() {
            0 => "Clean: every single-use thing was used once, every limit held.".to_owned(),
            violations => format!("NOT CLEAN: {violations} violations."),
        });
    }
}

fn row_json(row: &Row) -> Value {
    json!({
        "scenario": row.scenario,
        "rounds": row.rounds,
        "requests": row.count.shots,
        "successes": row.count.accepted,
        "refusals": row.count.refused(),
        "looked_at": row.count.evaluated,
        "locked": row.count.locked,
        "limited": row.count.limited,
        "status_503": row.count.unavailable,
        "status_5xx": row.count.faults + row.count.unavailable,
        "dropped": row.count.dropped(),
        "violations": row.violations,
        "violations_shown": row.shown,
    })
}

fn row_cells(row: &Row) -> Vec<String> {
    let count = &row.count;
    let numbers = [
        row.rounds,
        count.shots,
        count.accepted,
        count.refused(),
        count.faults + count.unavailable,
        count.dropped(),
        row.violations,
    ];
    let cells = numbers.iter().map(u64::to_string);
    std::iter::once(row.scenario.to_owned()).chain(cells).collect()
}

fn node_json(node: &Node) -> Value {
    json!({
        "url": node.url,
        "answers": node.answers.load(Ordering::Relaxed),
        "waits": node.waits.load(Ordering::Relaxed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_fails_the_run() {
        let mut dashboard = Dashboard::default();
        dashboard.row("one code").enter(&[Ended::Accepted, Ended::Refused(401)], Vec::new());
        assert_eq!(dashboard.json(&[], &Value::Null)["clean"], true);
        dashboard.row("one code").enter(&[Ended::Accepted, Ended::Accepted], vec!["accepted 2 times".to_owned()]);
        let json = dashboard.json(&[], &Value::Null);
        assert_eq!((json["clean"].as_bool(), json["violations"].as_u64()), (Some(false), Some(1)));
        assert_eq!(json["scenarios"][0]["successes"], 3);
        assert_eq!(json["scenarios"][0]["violations_shown"][0], "round 2: accepted 2 times");
    }

    #[test]
    fn a_note_is_kept_once() {
        let mut dashboard = Dashboard::default();
        dashboard.note("a");
        dashboard.note("a");
        assert_eq!(dashboard.json(&[], &Value::Null)["notes"].as_array().map(Vec::len), Some(1));
    }
}
