//! Moments, as `xs:dateTime` in a response and as a time in a certificate.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use time::OffsetDateTime;

use crate::error::Error;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. It is written in whole seconds: some clients parse SAML times
/// with the pattern `%Y-%m-%dT%H:%M:%SZ` and take any other form for an expired assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Whole seconds, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// `2026-03-01T09:30:00Z` (SAML Core section 1.3.3: UTC, with the `Z`).
    pub(crate) fn date_time(self, what: &'static str) -> Result<String, Error> {
        let at = self.civil().filter(|at| at.year() >= 1).ok_or(Error::Moment(what))?;
        let (year, month, day) = (at.year(), at.month(), at.day());
        Ok(format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second()))
    }

    /// The time for a certificate. `UTCTime` begins in 1950 (RFC 5280 section 4.1.2.5).
    pub(crate) fn certificate_time(self, what: &'static str) -> Result<OffsetDateTime, Error> {
        self.civil().filter(|at| at.year() >= 1950).ok_or(Error::Moment(what))?;
        OffsetDateTime::from_unix_timestamp(self.seconds()).map_err(|_| Error::Moment(what))
    }

    fn civil(self) -> Option<DateTime> {
        let at = Timestamp::from_second(self.seconds()).ok()?;
        Some(Offset::UTC.to_datetime(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_cut_to_seconds_and_says_z() {
        assert_eq!(Moment(1_772_357_400_999).date_time("x").unwrap(), "2026-03-01T09:30:00Z");
        assert_eq!(Moment(-1).date_time("x").unwrap(), "1969-12-31T23:59:59Z");
        assert_eq!(Moment(0).date_time("x").unwrap(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_refused() {
        for far in [i64::MIN, i64::MAX, -62_135_596_800_001] {
            assert_eq!(Moment(far).date_time("x"), Err(Error::Moment("x")), "{far}");
        }
        assert_eq!(Moment(-62_135_596_800_000).date_time("x").unwrap(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn a_certificate_has_times_from_1950() {
        assert_eq!(Moment(-631_152_000_000).certificate_time("x").unwrap().year(), 1950);
        assert_eq!(Moment(2_524_608_000_999).certificate_time("x").unwrap().unix_timestamp(), 2_524_608_000);
        for far in [-631_152_000_001, i64::MAX] {
            assert_eq!(Moment(far).certificate_time("x"), Err(Error::Moment("x")), "{far}");
        }
    }
}
