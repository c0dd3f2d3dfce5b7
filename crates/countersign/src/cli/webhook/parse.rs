//! Reads the arguments of `countersign webhook`.

use domain::Timestamp;
use domain::model::time::{DAY, HOUR, MINUTE, SECOND};
use domain::model::webhook::Headers;

/// Reads a header as `Name: value`.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `Name: value`")?;
    let header = (name.trim().to_owned(), value.trim().to_owned());
    match Headers(vec![header.clone()]).fault() {
        Some(fault) => Err(fault.to_owned()),
        None => Ok(header),
    }
}

/// Reads a header as `Name=PATH`: neither a list of processes nor a shell's history shows a value in a file.
pub(super) fn header_file(text: &str) -> Result<(String, String), String> {
    let (name, path) = text.split_once('=').ok_or("write it as `Name=PATH`")?;
    let value = config::text_of(path.as_ref()).map_err(|error| format!("{error:#}"))?;
    header(&format!("{name}:{value}"))
}

/// Reads a time such as `90s`, `30m`, `24h` or `7d`, at most 30 days, in milliseconds.
pub(super) fn span(text: &str) -> Result<i64, String> {
    let wrong = || "write a time as 90s, 30m, 24h or 7d, at most 30 days".to_owned();
    if text == "0" {
        return Ok(0);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let span = i64::from(number) * unit;
    if span <= 30 * DAY { Ok(span) } else { Err(wrong()) }
}

/// Reads an RFC 3339 time or a date.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    let read = onelogin::wire_time::read(text).map(Timestamp);
    read.ok_or_else(|| "write a moment as 2026-03-01T09:30:00Z, or a date".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_line_says_is_read_or_refused_with_a_hint() {
        assert_eq!(span("24h"), Ok(DAY));
        assert_eq!((span("0"), span("90s"), span("30d")), (Ok(0), Ok(90 * SECOND), Ok(30 * DAY)));
        for wrong in ["", "h", "24", "-1h", "31d", "1.5h", "9999999999d", "é"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(header("Authorization:  Bearer x:y "), Ok(("Authorization".to_owned(), "Bearer x:y".to_owned())));
        assert!(header("Authorization").is_err() && header("Host: x").is_err());
        assert_eq!(since("2016-01-26T02:21:47Z"), Ok(Timestamp(1_453_774_907_000)));
        assert!(since("yesterday").is_err());
    }
}
