//! The matrix client × step, printed on a terminal and written into a page.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::clients::{Client, Outcome, Reach, Run, Step};
use crate::replays::{FLOWS, Replay};
use crate::scopes;

const OPEN: &str = "<!-- matrix -->";
const CLOSE: &str = "<!-- /matrix -->";

#[derive(Default)]
pub(crate) struct Matrix {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Why a client cannot do a step. A cell holds an index into this list.
    reasons: Vec<String>,
    failures: Vec<Failure>,
}

/// A failure, and the runs in which it occurred.
struct Failure {
    what: String,
    runs: Vec<String>,
}

struct Column {
    family: &'static str,
    client: String,
    version: &'static str,
    profile: String,
    reach: Reach,
}

struct Row {
    name: String,
    title: String,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
enum Cell {
    /// This client's driver has no such step.
    Absent,
    Good,
    Failed,
    Known(usize),
}

impl Matrix {
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether every step of every run ran and passed.
    pub(crate) fn good(&self) -> bool {
        self.failures.is_empty()
    }

    pub(crate) fn add(&mut self, client: &Client, profile: &str, steps: &[Step], run: Run) {
        let place = self.columns.len();
        self.columns.push(Column {
            family: client.family,
            client: client.name.to_owned(),
            version: client.version,
            profile: profile.to_owned(),
            reach: client.reach,
        });
        for row in &mut self.rows {
            row.cells.push(Cell::Absent);
        }
        for step in steps {
            if !self.rows.iter().any(|row| row.name == step.name) {
                self.rows.push(Row {
                    name: step.name.clone(),
                    title: step.title.clone(),
                    cells: vec![Cell::Absent; place + 1],
                });
            }
        }
        let who = format!("{} {profile}", client.version);
        if let Some(broken) = run.broken {
            self.fail(&who, broken);
        }
        for step in steps {
            let mut found = run.outcomes.iter().filter(|(name, _)| *name == step.name);
            let cell = match (found.next(), found.next()) {
                (Some((_, Outcome::Good)), None) => Cell::Good,
                (Some((_, Outcome::Known(reason))), None) => Cell::Known(self.reason(reason)),
                (Some((_, Outcome::Failed(detail))), None) => {
                    self.fail(&who, format!("{}: {detail}", step.name));
                    Cell::Failed
                }
                (None, _) => {
                    self.fail(&who, format!("{}: did not run", step.name));
                    Cell::Failed
                }
                (Some(_), Some(_)) => {
                    self.fail(&who, format!("{}: ran more than once", step.name));
                    Cell::Failed
                }
            };
            if let Some(row) = self.rows.iter_mut().find(|row| row.name == step.name) {
                row.cells[place] = cell;
            }
        }
        for (name, _) in &run.outcomes {
            if !steps.iter().any(|step| step.name == *name) {
                self.fail(&who, format!("{name}: not announced by the driver"));
            }
        }
    }

    fn fail(&mut self, who: &str, what: String) {
        if let Some(known) = self.failures.iter_mut().find(|known| known.what == what) {
            known.runs.push(who.to_owned());
        } else {
            let runs = vec![who.to_owned()];
            self.failures.push(Failure { what, runs });
        }
    }

    fn reason(&mut self, reason: &str) -> usize {
        if let Some(place) = self.reasons.iter().position(|known| known == reason) {
            return place;
        }
        self.reasons.push(reason.to_owned());
        self.reasons.len() - 1
    }

    /// For a terminal: one table for each family, then reasons and failures.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for (family, places) in self.families() {
            let _ = writeln!(out, "\n{family}");
            let heads: Vec<String> = places
                .iter()
                .map(|place| &self.columns[*place])
                .map(|column| format!("{} {}", column.version, column.profile))
                .collect();
            let _ = writeln!(out, "{:width$}  {}", "", heads.join("  "));
            for row in self.rows_of(&places) {
                let _ = write!(out, "{:width$}", row.name);
                for (place, head) in places.iter().zip(&heads) {
                    let _ = write!(out, "  {:width$}", row.cells[*place].text(), width = head.chars().count());
                }
                let _ = writeln!(out, "  {}", row.title);
            }
        }
        if !self.reasons.is_empty() {
            let _ =
                writeln!(out, "\n– the client cannot send or read this in this profile; why, and what to do instead:");
            for (place, reason) in self.reasons.iter().enumerate() {
                let _ = writeln!(out, "  [{}] {reason}", place + 1);
            }
        }
        if !self.failures.is_empty() {
            let _ = writeln!(out, "\n✗ failed:");
            for failure in &self.failures {
                let _ = writeln!(out, "  {} [{}]", failure.what, failure.runs.join(", "));
            }
        }
        let count = |wanted: fn(&Cell) -> bool| -> usize {
            self.rows.iter().flat_map(|row| &row.cells).filter(|cell| wanted(cell)).count()
        };
        let _ = write!(
            out,
            "\n{} runs of {} steps: {} ✓, {} –, {} ✗",
            self.columns.len(),
            self.rows.len(),
            count(|cell| matches!(cell, Cell::Good)),
            count(|cell| matches!(cell, Cell::Known(_))),
            count(|cell| matches!(cell, Cell::Failed)),
        );
        out
    }

    /// The families in the order of their first column, each with the indices of its columns.
    fn families(&self) -> Vec<(&'static str, Vec<usize>)> {
        let mut families: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (place, column) in self.columns.iter().enumerate() {
            match families.iter_mut().find(|(family, _)| *family == column.family) {
                Some((_, places)) => places.push(place),
                None => families.push((column.family, vec![place])),
            }
        }
        families
    }

    /// The rows with a cell in one of these columns.
    fn rows_of<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(|row| places.iter().any(|place| !matches!(row.cells[*place], Cell::Absent)))
    }

    /// For a page: every client by flow, then one table of steps for each family.
    fn markdown(&self, replays: &[Replay], taken: &str) -> String {
        let mut out = format!("{taken}\n\n| client | how checked | how it reaches the server | scope |");
        for flow in FLOWS {
            let _ = write!(out, " {} |", flow.title);
        }
        let _ = writeln!(out, "\n| --- | --- | --- | --- |{}", " :-: |".repeat(FLOWS.len()));
        for (place, column) in self.columns.iter().enumerate() {
            let profile = if column.profile == "default" { String::new() } else { format!(", `{}`", column.profile) };
            let _ = write!(
                out,
                "| {} {}{profile} | unmodified client | {} | {} |",
                column.client,
                column.version,
                column.reach.words(),
                scopes::of_column(&column.client, column.version)
            );
            for flow in FLOWS {
                let _ = write!(out, " {} |", self.flow(place, flow.steps));
            }
            out.push('\n');
        }
        for replay in replays {
            let scope = scopes::words(replay.file.trim_end_matches(".rs"));
            let _ = write!(out, "| {} | replay: `{}` | {} | {scope} |", replay.client, replay.file, replay.reach);
            for flow in FLOWS {
                let _ = write!(out, " {} |", if replay.flows.contains(&flow.steps) { "✓" } else { "" });
            }
            out.push('\n');
        }
        out.push_str(
            "\nThe scope is the least one that the client's own documentation asks for: `conformance/scopes.md` says where. Its run and its \
             replay use it.\n\n✓ works; steps that this client cannot do are not counted · – this client can do no step of it · \
             ✗ something fails · empty: the client has no such call, or it is not tested\n\nThe files of the replays are in \
             `crates/onelogin/tests/clients/`. What replayed clients cannot do, whatever the server:\n\n",
        );
        for replay in replays {
            for cannot in &replay.cannot {
                let _ = writeln!(out, "- {}: {cannot}", replay.client);
            }
        }
        for (family, places) in self.families() {
            let _ = write!(out, "\n### {family}\n\n| step | |");
            for place in &places {
                let column = &self.columns[*place];
                let _ = write!(out, " {} {}, `{}` |", column.client, column.version, column.profile);
            }
            let _ = writeln!(out, "\n| --- | --- |{}", " :-: |".repeat(places.len()));
            for row in self.rows_of(&places) {
                let _ = write!(out, "| `{}` | {} |", row.name, escaped(&row.title));
                for place in &places {
                    let _ = write!(out, " {} |", row.cells[*place].text());
                }
                out.push('\n');
            }
        }
        out.push_str("\n✓ works · ✗ fails · – the client cannot send or read this in this profile; why, and what to do instead:\n\n");
        for (place, reason) in self.reasons.iter().enumerate() {
            let _ = writeln!(out, "{}. {}", place + 1, escaped(reason));
        }
        out
    }

    /// The combined result of a column's steps in one flow.
    fn flow(&self, place: usize, steps: &str) -> &'static str {
        let of_flow = self.rows.iter().filter(|row| row.name.starts_with(steps));
        let cells: Vec<Cell> = of_flow.map(|row| row.cells[place]).collect();
        let any = |wanted: fn(&Cell) -> bool| cells.iter().any(wanted);
        if any(|cell| matches!(cell, Cell::Failed)) {
            "✗"
        } else if any(|cell| matches!(cell, Cell::Good)) {
            "✓"
        } else if any(|cell| matches!(cell, Cell::Known(_))) {
            "–"
        } else {
            ""
        }
    }

    /// Replaces the text between the two marks of a page.
    pub(crate) fn write_into(&self, file: &Path, replays: &[Replay], taken: &str) -> Result<()> {
        let page = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let marks = || format!("{} has no {OPEN} … {CLOSE}", file.display());
        let start = page.find(OPEN).with_context(marks)? + OPEN.len();
        let end = start + page[start..].find(CLOSE).with_context(marks)?;
        let page = format!("{}\n{}{}", &page[..start], self.markdown(replays, taken), &page[end..]);
        fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Reach {
    /// The wording on the page.
    fn words(self) -> &'static str {
        match self {
            Self::BaseUrl => "base URL",
            Self::SecureBaseUrl => "base URL, `https`",
            Self::FixedName => "name override",
        }
    }
}

impl Cell {
    fn text(self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Good => "✓".to_owned(),
            Self::Failed => "✗".to_owned(),
            Self::Known(place) => format!("– [{}]", place + 1),
        }
    }
}

/// Escapes `|`, which would end a table's cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::{Matrix, Outcome, Run, Step};
    use crate::clients::CLIENTS;

    fn steps(names: &[&str]) -> Vec<Step> {
        let step = |name: &&str| Step { name: (*name).to_owned(), title: format!("does {name} | more") };
        names.iter().map(step).collect()
    }

    fn run(outcomes: Vec<(&str, Outcome)>) -> Run {
        Run { outcomes: outcomes.into_iter().map(|(name, outcome)| (name.to_owned(), outcome)).collect(), broken: None }
    }

    #[test]
    fn good_and_known_steps_are_good() {
        let mut matrix = Matrix::default();
        let outcomes = vec![("a", Outcome::Good), ("b", Outcome::Known("cannot".into()))];
        matrix.add(&CLIENTS[0], "default", &steps(&["a", "b"]), run(outcomes));
        assert!(matrix.good());
        assert!(matrix.text().contains("– [1]"));
        assert!(matrix.text().ends_with("1 runs of 2 steps: 1 ✓, 1 –, 0 ✗"));
    }

    #[test]
    fn a_failed_a_missing_a_doubled_and_an_unannounced_step_fail() {
        for outcomes in [
            vec![("a", Outcome::Failed("no".into()))],
            vec![],
            vec![("a", Outcome::Good), ("a", Outcome::Good)],
            vec![("a", Outcome::Good), ("z", Outcome::Good)],
        ] {
            let mut matrix = Matrix::default();
            matrix.add(&CLIENTS[0], "default", &steps(&["a"]), run(outcomes));
            assert!(!matrix.good());
        }
    }

    #[test]
    fn a_run_that_broke_off_fails() {
        let mut matrix = Matrix::default();
        let mut run = run(vec![("a", Outcome::Good)]);
        run.broken = Some("still running after 1 s".into());
        matrix.add(&CLIENTS[0], "default", &steps(&["a"]), run);
        assert!(!matrix.good());
    }

    #[test]
    fn one_reason_is_one_footnote_and_rows_of_other_clients_stay_empty() {
        let mut matrix = Matrix::default();
        let known = || vec![("a", Outcome::Known("cannot".into()))];
        matrix.add(&CLIENTS[0], "default", &steps(&["a"]), run(known()));
        matrix.add(&CLIENTS[1], "default", &steps(&["a", "b"]), {
            let mut outcomes = known();
            outcomes.push(("b", Outcome::Good));
            run(outcomes)
        });
        let page = matrix.markdown(&[], "Taken today.");
        assert!(page.contains("| `a` | does a \\| more | – [1] | – [1] |"), "{page}");
        assert!(page.contains("| `b` | does b \\| more |  | ✓ |"), "{page}");
        assert_eq!(page.matches("cannot\n").count(), 1);
        assert!(page.starts_with("Taken today."), "{page}");
    }

    #[test]
    fn a_flow_is_as_good_as_its_steps() {
        let mut matrix = Matrix::default();
        let steps = steps(&["oauth.a", "oauth.b", "users.a", "saml.a"]);
        let known = || Outcome::Known("cannot".into());
        let outcomes = vec![
            ("oauth.a", Outcome::Good),
            ("oauth.b", known()),
            ("users.a", known()),
            ("saml.a", Outcome::Failed("no".into())),
        ];
        matrix.add(&CLIENTS[0], "default", &steps, run(outcomes));
        assert_eq!(["oauth.", "users.", "saml.", "login."].map(|flow| matrix.flow(0, flow)), ["✓", "–", "✗", ""]);
    }

    #[test]
    fn families_have_tables_of_their_own() {
        let mut matrix = Matrix::default();
        let npm = CLIENTS.iter().find(|client| client.family == "npm").unwrap();
        matrix.add(&CLIENTS[0], "default", &steps(&["oauth.a"]), run(vec![("oauth.a", Outcome::Good)]));
        matrix.add(npm, "default", &steps(&["smart.a"]), run(vec![("smart.a", Outcome::Good)]));
        let page = matrix.markdown(&[], "");
        let (_, tables) = page.split_once("### Python SDK").unwrap();
        let (first, second) = tables.split_once("### npm").unwrap();
        assert!(first.contains("`oauth.a`") && !first.contains("`smart.a`"), "{page}");
        assert!(second.contains("`smart.a`") && !second.contains("`oauth.a`"), "{page}");
    }
}
