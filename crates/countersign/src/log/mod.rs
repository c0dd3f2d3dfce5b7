//! The log on standard error, written by a thread apart from the requests.
//!
//! A request only appends its line to a buffer. The thread writes the buffer a hundred times a second at most, so a busy
//! server pays for few writes. Lines keep their order. If standard error blocks until the buffer is full, lines are dropped
//! and counted: the log must never stop a decision, and the audit trail has what happened.

pub(crate) mod collector;
mod line;

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use self::line::Line;
use onelogin::FollowTrace;

/// Most bytes in the buffer. A healthy server stays far below it.
const ROOM: usize = 4 * 1024 * 1024;
/// Time for which lines are collected before they are written.
const GATHER: Duration = Duration::from_millis(10);

/// Crates that log what they are given: parameters of statements, telephone numbers (SEC 48). They are heard from warnings
/// on, whatever the filter asks for: [`is_heard`] judges after it.
const QUIET: [&str; 2] = ["tokio_postgres", "rlibphonenumber"];

static LOG: OnceLock<Arc<Lines>> = OnceLock::new();

static AS_JSON: OnceLock<bool> = OnceLock::new();

/// Reads `COUNTERSIGN_LOG`, a filter such as `info` or `countersign::engine=debug`, and `COUNTERSIGN_LOG_FORMAT`, `pretty` (default) or
/// `json`. An invalid setting is an error: a log that says less than was asked for is noticed too late.
fn settings() -> anyhow::Result<(EnvFilter, bool)> {
    let json = match std::env::var("COUNTERSIGN_LOG_FORMAT").unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "pretty" => false,
        "json" => true,
        _ => bail!("COUNTERSIGN_LOG_FORMAT is pretty or json"),
    };
    let text = std::env::var("COUNTERSIGN_LOG").unwrap_or_default();
    let text = if text.trim().is_empty() { "info" } else { text.trim() };
    let filter = EnvFilter::try_new(with_crates(text)).ok().filter(|_| text.split(',').all(is_directive));
    let filter = filter.context(
        "COUNTERSIGN_LOG is a level (error, warn, info, debug, trace, off), or a list of parts with levels, as \
         info,countersign::engine=debug",
    )?;
    Ok((filter, json))
}

/// The filter in the compiler's names: `countersign::engine` is the crate `countersign_engine` or a module of the binary, so
/// it asks for both.
fn with_crates(text: &str) -> String {
    let parts = text.split(',').flat_map(|part| {
        let inner = part.trim().strip_prefix("countersign::");
        [Some(part.to_owned()), inner.map(|inner| format!("countersign_{inner}"))]
    });
    parts.flatten().collect::<Vec<_>>().join(",")
}

/// Whether a line or span may be written or sent at all.
fn is_heard(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::WARN || !QUIET.iter().any(|quiet| metadata.target().starts_with(quiet))
}

/// Whether a part of a filter is valid: it has a level, or is one. A misspelt level would count as the name of a target.
fn is_directive(text: &str) -> bool {
    let text = text.trim();
    let levels = ["error", "warn", "info", "debug", "trace", "off"];
    text.contains(['=', '[']) || levels.iter().any(|level| level.eq_ignore_ascii_case(text))
}

/// Starts the log. An error in its settings is reported in the form that they ask for.
pub(crate) fn start() -> anyhow::Result<()> {
    let format = std::env::var("COUNTERSIGN_LOG_FORMAT").unwrap_or_default();
    let _ = AS_JSON.set(format.trim().eq_ignore_ascii_case("json"));
    let (filter, json) = settings()?;
    if json {
        std::panic::set_hook(Box::new(|panic| {
            let said = panic.payload().downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.payload().downcast_ref::<&str>().copied()).unwrap_or("a panic");
            let place = panic.location().map_or_else(String::new, ToString::to_string);
            remark("ERROR", &format!("panic: {said} ({place})"));
        }));
    }
    let colour = !json && io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Writer(LOG.get_or_init(run).clone()))
        .with_ansi(colour)
        .event_format(if json { Line::Json } else { Line::Pretty });
    // A second start, in a test process, keeps the first log.
    drop(start_with(lines, filter));
    Ok(())
}

/// Whether every line of standard error is a JSON object.
pub(crate) fn is_json() -> bool {
    AS_JSON.get().copied().unwrap_or_default()
}

/// Writes a remark after what was logged before: as it is, or as a JSON object if every line is one.
pub(crate) fn remark(level: &str, text: &str) {
    flush();
    let _ = writeln!(io::stderr(), "{}", shaped(level, text));
}

fn shaped(level: &str, text: &str) -> String {
    if !is_json() {
        return text.to_owned();
    }
    let now = engine::Clock::now(&engine::clock::SystemClock).0;
    serde_json::json!({
        "timestamp": onelogin::wire_time::with_millis(now),
        "level": level,
        "message": text.trim(),
        "target": "countersign",
    })
    .to_string()
}

/// Without traces, one filter comes first: what it rejects costs nothing.
#[cfg(not(feature = "otel"))]
fn start_with(lines: impl Layer<Registry> + Send + Sync, filter: EnvFilter) -> anyhow::Result<()> {
    tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(is_heard)).try_init()?;
    if collector::is_named() {
        tracing::warn!("no traces are sent: a collector is named, but this build lacks the feature `otel`");
    }
    Ok(())
}

/// With traces, the log and the collector each have a filter.
#[cfg(feature = "otel")]
fn start_with(lines: impl Layer<Registry> + Send + Sync, filter: EnvFilter) -> anyhow::Result<()> {
    match crate::traces::layer() {
        Ok(Some(spans)) => {
            tracing_subscriber::registry()
                .with(lines.with_filter(filter))
                .with(spans)
                .with(filter_fn(is_heard))
                .try_init()?;
        }
        Ok(None) => tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(is_heard)).try_init()?,
        Err(error) => {
            tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(is_heard)).try_init()?;
            tracing::error!(
                error = format!("{error:#}"),
                "no traces are sent: check the OTEL_EXPORTER_OTLP_ variables"
            );
        }
    }
    Ok(())
}

/// Joins a request to its caller's trace.
#[cfg(feature = "otel")]
pub(crate) const FOLLOW: Option<FollowTrace> = Some(crate::traces::follow);
/// Without the feature `otel`, no request joins a trace.
#[cfg(not(feature = "otel"))]
pub(crate) const FOLLOW: Option<FollowTrace> = None;

/// Writes what has been logged so far. Call it before the process ends.
pub(crate) fn flush() {
    if let Some(lines) = LOG.get() {
        lines.write(&mut io::stderr());
    }
}

fn run() -> Arc<Lines> {
    let lines = Arc::<Lines>::default();
    let writer = lines.clone();
    let started = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
        loop {
            writer.wait();
            writer.write(&mut io::stderr());
        }
    });
    if started.is_err() {
        // Without the thread, each request writes its own lines.
        lines.gathered().directly = true;
    }
    lines
}

/// Lines that wait to be written.
#[derive(Debug, Default)]
struct Lines {
    gathered: Mutex<Gathered>,
    filled: Condvar,
    /// Held while writing, so that lines keep their order.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Gathered {
    text: Vec<u8>,
    dropped: u64,
    directly: bool,
}

impl Lines {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut gathered = self.gathered();
        if gathered.text.len() + line.len() > ROOM {
            gathered.dropped += 1;
            return;
        }
        let first = gathered.text.is_empty();
        gathered.text.extend_from_slice(line);
        if gathered.directly {
            drop(gathered);
            self.write(&mut io::stderr());
        } else if first {
            drop(gathered);
            self.filled.notify_one();
        }
    }

    /// Waits until there is a line, and then for more.
    #[expect(clippy::disallowed_methods, reason = "the log's own rhythm, which no rule depends on")]
    fn wait(&self) {
        let mut gathered = self.gathered();
        while gathered.text.is_empty() && gathered.dropped == 0 {
            gathered = self.filled.wait(gathered).unwrap_or_else(PoisonError::into_inner);
        }
        drop(gathered);
        std::thread::sleep(GATHER);
    }

    fn write(&self, out: &mut impl Write) {
        let _order = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gathered = self.gathered();
        let (text, dropped) = (std::mem::take(&mut gathered.text), std::mem::take(&mut gathered.dropped));
        drop(gathered);
        // There is no other place to report a failing log.
        let _ = out.write_all(&text);
        if dropped > 0 {
            let said = format!("{dropped} lines of the log were dropped: standard error took nothing for too long");
            let _ = writeln!(out, "{}", shaped("WARN", &said));
        }
        let _ = out.flush();
        let mut emptied = text;
        emptied.clear();
        let mut gathered = self.gathered();
        // The buffer is used again, unless a burst has made it large.
        if gathered.text.capacity() == 0 && emptied.capacity() <= ROOM / 16 {
            gathered.text = emptied;
        }
    }
}

struct Writer(Arc<Lines>);

impl<'a> MakeWriter<'a> for Writer {
    type Writer = &'a Lines;

    fn make_writer(&'a self) -> Self::Writer {
        &self.0
    }
}

impl Write for &Lines {
    /// The subscriber hands over a whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_filtered_by_the_name_that_lines_show() {
        assert_eq!(
            with_crates("info,countersign::engine=debug"),
            "info,countersign::engine=debug,countersign_engine=debug"
        );
        assert_eq!(with_crates("warn"), "warn");
    }

    #[test]
    fn lines_keep_their_order_and_are_written_once() {
        let lines = Lines::default();
        for number in 0..100 {
            lines.add(format!("line {number}\n").as_bytes());
        }
        let (mut out, mut rest) = (Vec::new(), Vec::new());
        lines.write(&mut out);
        lines.write(&mut rest);
        let expected: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
        assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), expected);
        assert!(rest.is_empty());
    }

    #[test]
    fn a_full_buffer_drops_whole_lines_and_says_how_many() {
        let lines = Lines::default();
        let line = [b"x".repeat(1024 * 1024 - 1), b"\n".to_vec()].concat();
        (0..6).for_each(|_| lines.add(&line));
        let mut out = Vec::new();
        lines.write(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with('x')).count(), 4);
        assert!(text.lines().last().unwrap().starts_with("2 lines of the log were dropped"), "counted");
    }
}
