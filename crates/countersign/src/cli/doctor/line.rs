//! What a check says.

use std::fmt;

use serde::Serialize;

use crate::cli::checks::Findings;

/// One result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    check: String,
    pub(super) state: State,
    message: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    /// Worth a look. The installation works without it.
    Advice,
    /// Something must be done.
    Fault,
    /// It could not be checked, or there is nothing to check.
    Skipped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Advice => "advice",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {}: {}", self.state.word(), self.check, self.message)
    }
}

impl Line {
    fn of(state: State, check: &str, message: impl Into<String>) -> Self {
        Self { check: check.to_owned(), state, message: message.into() }
    }

    pub(super) fn ok(check: &str, message: impl Into<String>) -> Self {
        Self::of(State::Ok, check, message)
    }

    pub(super) fn advice(check: &str, message: impl Into<String>) -> Self {
        Self::of(State::Advice, check, message)
    }

    pub(super) fn fault(check: &str, message: impl Into<String>) -> Self {
        Self::of(State::Fault, check, message)
    }

    pub(super) fn skipped(check: &str, message: impl Into<String>) -> Self {
        Self::of(State::Skipped, check, message)
    }

    /// A line for each finding of `config check`, or this one if there is none.
    pub(super) fn found(check: &str, found: Findings, fine: &str) -> Vec<Self> {
        let faults = found.faults.into_iter().map(|fault| Self::fault(check, fault));
        let warnings = found.warnings.into_iter().map(|warning| Self::advice(check, warning));
        let schema = found.schema.map(|(from, to)| {
            Self::advice(check, format!("the next start brings the schema from version {from} to {to}"))
        });
        let mut lines: Vec<Self> = faults.chain(warnings).chain(schema).collect();
        if lines.is_empty() {
            lines.push(Self::ok(check, fine));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_without_findings_is_ok_and_each_finding_has_a_line() {
        let shown = |found| Line::found("database", found, "fine").iter().map(Line::to_string).collect::<Vec<_>>();
        assert_eq!(shown(Findings::default()), ["ok       database: fine"]);
        let found =
            Findings { faults: vec!["gone".to_owned()], warnings: vec!["old".to_owned()], schema: Some((1, 2)) };
        assert_eq!(
            shown(found),
            [
                "fault    database: gone",
                "advice   database: old",
                "advice   database: the next start brings the schema from version 1 to 2",
            ]
        );
    }
}
