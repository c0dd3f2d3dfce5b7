//! A row of the table: what was measured, what must always hold, what we aim at, and which of the two was reached.

use crate::stats::{Cost, median, spread};

/// A measured quantity and its goal.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) goal: Goal,
    /// One value for each pair of windows, or for each try.
    pub(crate) values: Result<Vec<f64>, NotMeasured>,
    /// What the server used for an operation, if the row drives load as fast as answers come.
    cost: Option<Cost>,
}

/// Why there are no values.
#[derive(Debug, Clone)]
pub(crate) struct NotMeasured(pub(crate) String);

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A part of the ceiling, or of another run of our own.
    Part,
    Times,
    Mebibytes,
    Seconds,
    Microseconds,
}

/// What must hold and what we aim at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    AtLeast { hold: f64, aim: f64 },
    AtMost { hold: f64, aim: f64 },
}

/// Which of the two the median reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    AimReached,
    Held,
    NotHeld,
    NotMeasured,
}

/// The result of a bench.
pub(crate) struct Finding {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Row>,
    /// All numbers, as lines of text.
    pub(crate) raw: Vec<String>,
}

impl Finding {
    /// The rows, and the numbers behind them.
    pub(crate) fn new(name: &'static str, rows: Vec<Row>, raw: Vec<String>) -> Self {
        Self { name, rows, raw }
    }
}

impl Row {
    /// A row that was measured.
    pub(crate) fn new(what: impl Into<String>, unit: Unit, goal: Goal, values: Vec<f64>) -> Self {
        Self { what: what.into(), unit, goal, values: Ok(values), cost: None }
    }

    /// The same row with what the server used.
    pub(crate) fn with_cost(self, cost: Cost) -> Self {
        Self { cost: Some(cost), ..self }
    }

    /// A row that was left out.
    pub(crate) fn not_measured(what: impl Into<String>, unit: Unit, goal: Goal, why: &str) -> Self {
        Self { what: what.into(), unit, goal, values: Err(NotMeasured(why.to_owned())), cost: None }
    }

    /// The verdict on the median.
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(value) = self.values.as_ref().ok().and_then(|values| median(values)) else {
            return Verdict::NotMeasured;
        };
        let reached = |mark: f64| match self.goal {
            Goal::AtLeast { .. } => value >= mark,
            Goal::AtMost { .. } => value <= mark,
        };
        let (hold, aim) = self.goal.marks();
        match (reached(hold), reached(aim)) {
            (_, true) => Verdict::AimReached,
            (true, false) => Verdict::Held,
            (false, false) => Verdict::NotHeld,
        }
    }

    /// The cells: what, measured, hold, aim, verdict, CPU and wait of an operation.
    pub(crate) fn cells(&self) -> [String; 6] {
        let (digits, unit) = match self.unit {
            Unit::Part => (2, ""),
            Unit::Times => (1, " ×"),
            Unit::Mebibytes => (0, " MiB"),
            Unit::Seconds => (3, " s"),
            Unit::Microseconds => (1, " µs"),
        };
        let measured = match &self.values {
            Ok(values) => format!("{}{unit}", spread(values, digits)),
            Err(why) => why.0.clone(),
        };
        let (hold, aim) = self.goal.marks();
        let sign = if matches!(self.goal, Goal::AtLeast { .. }) { '≥' } else { '≤' };
        let mark = |mark: f64| format!("{sign} {}{unit}", shortest(mark, self.unit));
        let verdict = match self.verdict() {
            Verdict::AimReached => "aim reached",
            Verdict::Held => "held",
            Verdict::NotHeld => "NOT HELD",
            Verdict::NotMeasured => "–",
        };
        let cost = self.cost.map(|cost| format!("{:.1} + {:.1}", cost.cpu, cost.waiting)).unwrap_or_default();
        [self.what.clone(), measured, mark(hold), mark(aim), verdict.to_owned(), cost]
    }
}

impl Goal {
    fn marks(self) -> (f64, f64) {
        match self {
            Self::AtLeast { hold, aim } | Self::AtMost { hold, aim } => (hold, aim),
        }
    }
}

fn shortest(mark: f64, unit: Unit) -> String {
    if unit == Unit::Part { format!("{mark:.2}") } else { mark.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Cpu;

    fn verdict(goal: Goal, values: &[f64]) -> Verdict {
        Row::new("it", Unit::Part, goal, values.to_vec()).verdict()
    }

    #[test]
    fn the_median_is_what_counts() {
        let more = Goal::AtLeast { hold: 0.4, aim: 0.55 };
        assert_eq!(verdict(more, &[0.1, 0.55, 0.9]), Verdict::AimReached);
        assert_eq!(verdict(more, &[0.1, 0.54, 0.9]), Verdict::Held);
        assert_eq!(verdict(more, &[0.1, 0.39, 0.9]), Verdict::NotHeld);
        let less = Goal::AtMost { hold: 12.0, aim: 6.0 };
        assert_eq!(verdict(less, &[6.0]), Verdict::AimReached);
        assert_eq!(verdict(less, &[12.0]), Verdict::Held);
        assert_eq!(verdict(less, &[12.1]), Verdict::NotHeld);
        assert_eq!(verdict(less, &[]), Verdict::NotMeasured);
    }

    #[test]
    fn cells_are_written_in_the_rows_unit() {
        let row = Row::new("start", Unit::Seconds, Goal::AtMost { hold: 0.3, aim: 0.1 }, vec![0.05, 0.07, 0.06]);
        assert_eq!(row.cells(), ["start", "0.060 (0.050–0.070) s", "≤ 0.3 s", "≤ 0.1 s", "aim reached", ""]);
        let row = Row::not_measured("list", Unit::Part, Goal::AtLeast { hold: 0.5, aim: 0.65 }, "left out");
        assert_eq!(row.cells(), ["list", "left out", "≥ 0.50", "≥ 0.65", "–", ""]);
        let used = |user, kernel, waiting| {
            let [user, kernel, waiting] = [user, kernel, waiting].map(std::time::Duration::from_micros);
            Cpu { user, kernel, waiting }
        };
        let row = Row::new("cpu", Unit::Microseconds, Goal::AtMost { hold: 24.0, aim: 18.0 }, vec![23.04]);
        let row = row.with_cost(Cost::of(used(200, 30, 8), 10));
        assert_eq!(row.cells(), ["cpu", "23.0 (23.0–23.0) µs", "≤ 24 µs", "≤ 18 µs", "held", "23.0 + 0.8"]);
        assert_eq!(Cost::of(Cpu::default(), 0), Cost { cpu: 0.0, waiting: 0.0 });
    }
}
