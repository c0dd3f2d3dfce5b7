//! Statistics, as readable lines.

use std::time::Duration;

use crate::driver::Counts;
use crate::process::Cpu;

/// What a server used for an operation, in microseconds. Rates move with whatever else runs on the machine; this moves less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    /// On a core, in its own code and in the kernel.
    pub(crate) cpu: f64,
    /// Its threads together, ready to run while all cores were busy.
    pub(crate) waiting: f64,
}

impl Cost {
    /// The cost of each of so many operations.
    pub(crate) fn of(cpu: Cpu, operations: u64) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / count(operations.max(1));
        Self { cpu: each(cpu.user + cpu.kernel), waiting: each(cpu.waiting) }
    }
}

/// One server's windows at one number of connections.
#[derive(Debug, Default)]
pub(crate) struct Series {
    rates: Vec<f64>,
    latencies: Vec<u32>,
    /// What was done in each window, and what the server used for it.
    spent: Vec<(u64, Cpu)>,
}

impl Series {
    /// Adds a window.
    pub(crate) fn add(&mut self, counts: &Counts, cpu: Cpu) {
        self.rates.push(count(counts.exchanges()) / counts.elapsed.as_secs_f64());
        self.latencies.extend(&counts.latencies);
        self.spent.push((counts.exchanges(), cpu));
    }

    /// What the server used for an operation, over all windows.
    pub(crate) fn cost(&self) -> Cost {
        let (exchanges, cpu) = self.total();
        Cost::of(cpu, exchanges)
    }

    /// Microseconds of CPU that the server used for an operation, in each window.
    pub(crate) fn cpu_each(&self) -> Vec<f64> {
        self.spent.iter().map(|(exchanges, cpu)| Cost::of(*cpu, *exchanges).cpu).collect()
    }

    fn total(&self) -> (u64, Cpu) {
        self.spent.iter().fold((0, Cpu::default()), |(done, sum), (exchanges, cpu)| (done + exchanges, sum + *cpu))
    }

    /// The line of a table whose heading is [`HEADING`].
    pub(crate) fn line(&self, name: &str) -> String {
        let (exchanges, cpu) = self.total();
        let each = |time: Duration| time.as_secs_f64() * 1e6 / count(exchanges.max(1));
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        let (half, most) = (quantile(&latencies, 0.50), quantile(&latencies, 0.99));
        format!(
            "  {name:<12} {:>24} {:>22} {:>8.1} {:>8} {:>8}",
            spread(&self.rates, 0),
            format!("{:.1} ({:.1} + {:.1})", each(cpu.user + cpu.kernel), each(cpu.user), each(cpu.kernel)),
            each(cpu.waiting),
            milliseconds(half),
            milliseconds(most),
        )
    }

    /// The rate of each window.
    pub(crate) fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// For each pair, this series' rate divided by the other's.
    pub(crate) fn ratios(&self, ceiling: &Self) -> Vec<f64> {
        self.rates.iter().zip(&ceiling.rates).map(|(own, other)| own / other).collect()
    }
}

/// The heading of [`Series::line`].
pub(crate) const HEADING: &str =
    "               req/s: median (min–max)     CPU µs/req (own + kernel)   waits   p50 ms   p99 ms";

/// Median, smallest and largest.
pub(crate) fn spread(values: &[f64], digits: usize) -> String {
    let least = values.iter().copied().min_by(f64::total_cmp);
    let most = values.iter().copied().max_by(f64::total_cmp);
    let (Some(median), Some(least), Some(most)) = (median(values), least, most) else { return "–".to_owned() };
    format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
}

/// The middle value.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], upper) } else { upper })
}

/// The 99th percentile in milliseconds, of values in microseconds.
pub(crate) fn p99_ms(latencies: &[u32]) -> f64 {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    f64::from(quantile(&sorted, 0.99)) / 1e3
}

/// The values in the order of measurement.
pub(crate) fn listed(values: &[f64], digits: usize) -> String {
    let texts: Vec<String> = values.iter().map(|value| format!("{value:.digits$}")).collect();
    texts.join(" ")
}

fn quantile(sorted: &[u32], part: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into a slice, floored")]
    let index = (count(sorted.len() as u64) * part) as usize;
    sorted.get(index).or(sorted.last()).copied().unwrap_or(0)
}

fn milliseconds(microseconds: u32) -> String {
    format!("{:.2}", f64::from(microseconds) / 1e3)
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "a count for a mean; its last digits do not matter")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

/// A number rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of things to prepare, rounded up"
)]
pub(crate) fn whole(number: f64) -> usize {
    number.max(0.0).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_the_middle_and_the_ends() {
        assert_eq!(spread(&[0.5, 0.1, 0.3], 2), "0.30 (0.10–0.50)");
        assert_eq!(spread(&[4.0, 2.0], 0), "3 (2–4)");
        assert_eq!(spread(&[], 2), "–");
    }

    #[test]
    fn quantiles_stay_within_the_values() {
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.99), quantile(&values, 1.0)), (51, 100, 100));
        assert_eq!(quantile(&[], 0.5), 0);
    }
}
