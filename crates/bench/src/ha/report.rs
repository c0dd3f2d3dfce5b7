//! The results as a table, with a column for each fail-over.

use super::failover::Failover;

/// The name of a row, and its value.
type Row = (&'static str, fn(&Failover) -> String);

const ROWS: &[Row] = &[
    ("primary", |one| format!("db{} -> db{}", one.from, one.to)),
    ("how it died", |one| one.fault.to_string()),
    ("first code accepted after, s, by node", |one| {
        let seconds = one.recovery.iter().map(|time| format!("{:.1}", time.as_secs_f64()));
        seconds.collect::<Vec<_>>().join(" / ")
    }),
    ("codes accepted before / after", |one| format!("{} / {}", one.before, one.after)),
    ("  sent again afterwards", |one| one.findings.again.to_string()),
    ("  of them accepted a second time", |one| one.findings.twice.len().to_string()),
    ("wrong codes refused", |one| one.findings.refused.to_string()),
    ("  without an answer, may count or not", |one| one.findings.refused_in_doubt.to_string()),
    ("  counted in the database", |one| one.findings.counted.to_string()),
    ("devices enrolled meanwhile", |one| one.findings.enrolled.to_string()),
    ("requests without a definite answer", |one| one.in_doubt.to_string()),
    ("acknowledged and lost", |one| one.findings.lost.len().to_string()),
    ("other violations", |one| one.findings.odd.len().to_string()),
    ("old primary a standby again, s", |one| format!("{:.1}", one.rejoined.as_secs_f64())),
];

/// The results as text.
pub(super) fn table(failovers: &[Failover]) -> String {
    let line = |name: &str, cells: &mut dyn Iterator<Item = String>| {
        cells.fold(format!("{name:<38}"), |line, cell| format!("{line} {cell:>20}"))
    };
    let mut lines = vec![line("", &mut (1..=failovers.len()).map(|number| format!("fail-over {number}")))];
    lines.extend(ROWS.iter().map(|(name, value)| line(name, &mut failovers.iter().map(value))));
    lines.join("\n")
}
