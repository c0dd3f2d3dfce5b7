//! The format of a log line: for people, or as JSON for programs.
//!
//! A busy server writes a line for each decision, so a line is cheap: the request id comes from the task that logs and not
//! from a span, and the time is formatted once a second. An event may hold text from outside: control characters are escaped,
//! so that no text can look like another line (SEC 48).

use std::borrow::Cow;
use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Write as _};

use engine::Clock as _;
use engine::clock::SystemClock;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use web::request_id;

/// Bytes made ready for a line: more than most have.
const ROOM: usize = 256;

/// The format of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line {
    /// `TIME LEVEL words field=value request=ID`.
    Pretty,
    /// One flat object.
    Json,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self {
            Self::Pretty => pretty(writer, event),
            Self::Json => json(writer, event),
        }
    }
}

fn pretty(mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let level = *event.metadata().level();
    let colours = out.has_ansi_escapes();
    let mut text = String::with_capacity(ROOM);
    if colours {
        at_present(|time| write!(text, "\x1b[2m{time}\x1b[0m \x1b[{}m{}\x1b[0m", colour(level), padded(level)))?;
    } else {
        at_present(|time| {
            text.push_str(time);
            Ok(())
        })?;
        text.push(' ');
        text.push_str(padded(level));
    }
    let mut fields = PrettyFields { text, colours, result: Ok(()) };
    event.record(&mut fields);
    fields.result?;
    if let Some(id) = request_id::current() {
        fields.name("request");
        fields.text.push_str(id.as_str());
    }
    fields.text.push('\n');
    out.write_str(&fields.text)
}

fn json(mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let mut text = Vec::with_capacity(ROOM);
    at_present(|time| {
        for part in ["{\"timestamp\":\"", time, "\",\"level\":\"", event.metadata().level().as_str(), "\""] {
            text.extend_from_slice(part.as_bytes());
        }
        Ok(())
    })?;
    let mut fields = JsonFields { text, result: Ok(()) };
    event.record(&mut fields);
    fields.text("target", &target(event.metadata().target()));
    if let Some(id) = request_id::current() {
        fields.text("request", id.as_str());
    }
    fields.result.map_err(|_unwritable| fmt::Error)?;
    fields.text.extend_from_slice(b"}\n");
    out.write_str(std::str::from_utf8(&fields.text).map_err(|_not_text| fmt::Error)?)
}

/// The part of Countersign that logs, under one root: `countersign_engine::verify` is `countersign::engine::verify`.
fn target(module: &str) -> Cow<'_, str> {
    match module.strip_prefix("countersign_") {
        Some(inner) => Cow::Owned(format!("countersign::{inner}")),
        None => Cow::Borrowed(module),
    }
}

thread_local! {
    /// The present second and a moment in it, as it was last written here.
    static LAST: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// Writes the present moment, such as `2026-03-01T09:30:00.000Z`.
fn at_present(write: impl FnOnce(&str) -> fmt::Result) -> fmt::Result {
    const MILLIS: usize = "2026-03-01T09:30:00.".len();
    let now = SystemClock.now().0;
    LAST.with_borrow_mut(|(second, text)| {
        if *second == now.div_euclid(1_000) {
            text.truncate(MILLIS);
            write!(text, "{:03}Z", now.rem_euclid(1_000))?;
        } else {
            *text = onelogin::wire_time::with_millis(now);
            *second = now.div_euclid(1_000);
        }
        write(text)
    })
}

fn padded(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => " WARN",
        Level::INFO => " INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// Red, yellow, green, blue, magenta.
fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// Writes fields as ` name=value`, and the message as it is.
struct PrettyFields {
    text: String,
    colours: bool,
    result: fmt::Result,
}

impl PrettyFields {
    fn name(&mut self, name: &str) {
        self.text.push(' ');
        if name == "message" {
            return;
        }
        let (before, after) = if self.colours { ("\x1b[3m", "\x1b[0m\x1b[2m=\x1b[0m") } else { ("", "=") };
        self.text.push_str(before);
        self.text.push_str(name);
        self.text.push_str(after);
    }

    fn field(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if self.result.is_ok() {
            self.name(field.name());
            self.result = Escaped(&mut self.text).write_fmt(value);
        }
    }
}

impl Visit for PrettyFields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Nearly every text is plain, and then this is its `Debug` form.
        if value.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
            self.name(field.name());
            self.text.push('"');
            self.text.push_str(value);
            self.text.push('"');
        } else {
            self.field(field, format_args!("{value:?}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.field(field, format_args!("{}", WithCauses(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, format_args!("{value:?}"));
    }
}

/// Writes fields as members of the object that is open.
struct JsonFields {
    text: Vec<u8>,
    result: serde_json::Result<()>,
}

impl JsonFields {
    fn member(&mut self, name: &str, value: &impl serde::Serialize) -> serde_json::Result<()> {
        self.text.push(b',');
        serde_json::to_writer(&mut self.text, name)?;
        self.text.push(b':');
        serde_json::to_writer(&mut self.text, value)
    }

    fn text(&mut self, name: &str, value: &str) {
        self.field(name, &value);
    }

    fn field(&mut self, name: &str, value: &impl serde::Serialize) {
        if self.result.is_ok() {
            self.result = self.member(name, value);
        }
    }
}

impl Visit for JsonFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.field(field.name(), &WithCauses(value).to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field.name(), &format!("{value:?}"));
    }
}

/// An error and what caused it.
struct WithCauses<'a>(&'a (dyn Error + 'static));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Writes control characters as escapes.
struct Escaped<'a, W>(&'a mut W);

impl<W: fmt::Write> fmt::Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // C1 controls begin with 0xC2 in UTF-8; nearly all text is free of either.
        if !text.bytes().any(|byte| byte.is_ascii_control() || byte == 0xC2) {
            return self.0.write_str(text);
        }
        for character in text.chars() {
            if character.is_control() {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use web::request_id::RequestIds;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged by `tell`, after the time.
    fn told(line: Line, tell: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).event_format(line).finish();
        tracing::subscriber::with_default(subscriber, tell);
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        text.replace(&text[text.find("20").unwrap()..=text.find('Z').unwrap()], "TIME")
    }

    fn within_a_request(tell: impl FnOnce()) {
        request_id::scope(RequestIds::new("p").fresh(), tell);
    }

    #[test]
    fn a_line_tells_its_fields_and_its_request() {
        let event = || tracing::info!(event = "a.b", user = 7_i64, device = None::<i64>, by = %"x");
        assert_eq!(told(Line::Pretty, event), "TIME  INFO event=\"a.b\" user=7 by=x\n");
        assert_eq!(
            told(Line::Pretty, || within_a_request(event)),
            "TIME  INFO event=\"a.b\" user=7 by=x request=p0000000000000000\n"
        );
        assert_eq!(
            told(Line::Json, || within_a_request(event)),
            "{\"timestamp\":\"TIME\",\"level\":\"INFO\",\"event\":\"a.b\",\"user\":7,\"by\":\"x\",\
             \"target\":\"countersign::log::line::tests\",\"request\":\"p0000000000000000\"}\n"
        );
    }

    #[test]
    fn every_part_has_its_name_under_one_root() {
        for (module, shown) in [
            ("countersign_engine::verify", "countersign::engine::verify"),
            ("countersign::serve", "countersign::serve"),
            ("hyper::proto", "hyper::proto"),
        ] {
            assert_eq!(target(module), shown);
        }
    }

    #[test]
    fn no_text_can_begin_another_line_or_steer_a_terminal() {
        let event = || tracing::warn!(name = %"a\nb\u{9b}", "one\r\n{}", "\x1b[2Jé");
        let pretty = told(Line::Pretty, event);
        assert_eq!(pretty, "TIME  WARN one\\r\\n\\u{1b}[2Jé name=a\\nb\\u{9b}\n");
        assert_eq!(told(Line::Json, event).lines().count(), 1);
    }

    #[test]
    fn an_error_tells_its_causes() {
        let error = io::Error::other(fmt::Error);
        let event = || tracing::error!(error = &error as &dyn Error, "it broke");
        let text = format!("{}", WithCauses(&error));
        assert_eq!(told(Line::Pretty, event), format!("TIME ERROR it broke error={text}\n"));
    }
}
