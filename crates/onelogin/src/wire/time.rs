//! The spellings of a time on the wire (contract 1.10). The clients that parse a field decide which one it has. All
//! functions take UTC milliseconds, as stored.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `2026-03-01T09:30:00.000Z`: users, `created_at` of tokens, events.
pub fn with_millis(unix_ms: i64) -> String {
    let at = civil(unix_ms);
    format!("{}.{:03}Z", iso(at), at.subsec_nanosecond() / 1_000_000)
}

/// `2026-03-01T09:30:00Z`: `expires_at` of version 2, `state_token_expires_at`, `expires_at` of temporary tokens.
/// The fraction is cut off, so that no life is shown too long.
pub fn with_seconds(unix_ms: i64) -> String {
    format!("{}Z", iso(civil(unix_ms)))
}

/// `2026/03/01 09:30:00 +0000`: `expires_at` of the log-in pages.
pub fn with_slashes(unix_ms: i64) -> String {
    let at = civil(unix_ms);
    format!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02} +0000",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// `2026-03-01 09:30:00 UTC`: `event_timestamp` of webhooks.
pub fn in_words(unix_ms: i64) -> String {
    format!("{} UTC", iso(civil(unix_ms)).replace('T', " "))
}

/// Reads a time in a query: ISO 8601 with an offset, or a date with or without a time, in UTC. An unescaped `+` arrives as a
/// blank, and is read as a `+`.
pub fn read(text: &str) -> Option<i64> {
    let text = &*with_its_plus(text.trim());
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let at = text.parse::<DateTime>().ok()?;
    Offset::UTC.to_timestamp(at).ok().map(Timestamp::as_millisecond)
}

fn iso(at: DateTime) -> String {
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
}

/// The text with a `+` before its offset, where there is a blank.
fn with_its_plus(text: &str) -> Cow<'_, str> {
    let offset = |rest: &str| {
        let digits = rest.bytes().filter(u8::is_ascii_digit).count();
        matches!(digits, 2 | 4) && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
    };
    match text.rsplit_once(' ') {
        // A blank before an offset comes after the time; one between date and time does not.
        Some((rest, last)) if rest.contains(':') && offset(last) => Cow::Owned(format!("{rest}+{last}")),
        _ => Cow::Borrowed(text),
    }
}

/// `Sun, 01 Mar 2026 09:30:00 GMT`: the `Date` of an answer (RFC 9110 5.6.7).
pub fn http_date(unix_ms: i64) -> String {
    civil(unix_ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The time in UTC; out of the calendar's range, the nearest that is in it.
fn civil(unix_ms: i64) -> DateTime {
    let nearest = if unix_ms < 0 { Timestamp::UNIX_EPOCH } else { Timestamp::MAX };
    Offset::UTC.to_datetime(Timestamp::from_millisecond(unix_ms).unwrap_or(nearest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9110.
    #[test]
    fn a_date_of_an_answer_is_that_of_the_standard() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_moment_has_three_spellings() {
        let at = 1_453_774_907_045;
        assert_eq!(with_millis(at), "2016-01-26T02:21:47.045Z");
        assert_eq!(with_seconds(at), "2016-01-26T02:21:47Z");
        assert_eq!(with_slashes(at), "2016/01/26 02:21:47 +0000");
    }

    #[test]
    fn whole_seconds_keep_their_fraction_and_leap_days_exist() {
        assert_eq!(with_millis(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(with_millis(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
        assert_eq!(with_seconds(1_709_164_800_999), "2024-02-29T00:00:00Z");
        assert_eq!(with_millis(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn a_moment_is_read_in_any_usual_spelling() {
        for text in [
            "2016-01-26T02:21:47Z",
            "2016-01-26T02:21:47.000Z",
            "2016-01-26T04:21:47+02:00",
            "2016-01-26T04:21:47 02:00",
            "2016-01-26T04:21:47 0200",
            "2016-01-26 04:21:47 02",
            "2016-01-25T23:21:47-03:00",
            "2016-01-26 02:21:47",
        ] {
            assert_eq!(read(text), Some(1_453_774_907_000), "{text}");
        }
        assert_eq!(read("2016-01-26"), Some(1_453_766_400_000));
        for text in ["yesterday", "", "2016-13-01", "1700000000", "2016-01-26T02:21:47 x", "2016-02-30"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn no_moment_is_without_a_spelling() {
        assert_eq!(with_seconds(i64::MAX).len(), 20);
        assert_eq!(with_seconds(i64::MIN), "1970-01-01T00:00:00Z");
    }
}
