//! Moments and their three spellings: `xs:dateTime` in a response, two forms in a certificate.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::error::Error;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. Everything written from it is cut to whole seconds: clients
/// exist that read a time of SAML with the pattern `%Y-%m-%dT%H:%M:%SZ` and take any other for an expired assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Whole seconds, downwards.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// `2026-03-01T09:30:00Z` (SAML Core section 1.3.3: UTC, with the `Z`).
    pub(crate) fn date_time(self, what: &'static str) -> Result<String, Error> {
        let at = self.civil().filter(|at| at.year() >= 1).ok_or(Error::Moment(what))?;
        let (year, month, day) = (at.year(), at.month(), at.day());
        Ok(format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second()))
    }

    /// The digits of a time in a certificate, and whether they are those of a `UTCTime`, which has no century and is
    /// prescribed through the year 2049 (RFC 5280 section 4.1.2.5).
    pub(crate) fn certificate_time(self, what: &'static str) -> Result<(bool, String), Error> {
        let at = self.civil().filter(|at| at.year() >= 1950).ok_or(Error::Moment(what))?;
        let short = at.year() < 2050;
        let year = if short { format!("{:02}", at.year() % 100) } else { format!("{:04}", at.year()) };
        let (month, day) = (at.month(), at.day());
        Ok((short, format!("{year}{month:02}{day:02}{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second())))
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
    fn a_certificate_changes_its_spelling_in_2050() {
        assert_eq!(Moment(2_524_607_999_000).certificate_time("x").unwrap(), (true, "491231235959Z".to_owned()));
        assert_eq!(Moment(2_524_608_000_000).certificate_time("x").unwrap(), (false, "20500101000000Z".to_owned()));
        assert_eq!(Moment(-631_152_000_000).certificate_time("x").unwrap(), (true, "500101000000Z".to_owned()));
        assert_eq!(Moment(-631_152_000_001).certificate_time("x"), Err(Error::Moment("x")));
    }
}
