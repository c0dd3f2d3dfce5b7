//! What text messages and calls cost (contract 18.11): a table by provider, channel and the digits a number begins with.
//!
//! Amounts are whole micro-units: a millionth of one unit of the table's currency. The table is an operator's file; this module
//! reads it and asks it, and fetches nothing.

use std::collections::HashMap;
use std::fmt;

use crate::model::message::Channel;
use crate::model::time::{DAY, Timestamp};

/// Micro-units in one unit of a currency.
pub const UNIT: i64 = 1_000_000;
/// The highest price of one message, in micro-units: a thousand units.
const MOST: i64 = 1_000 * UNIT;
/// The most digits of a prefix: those of the longest number (E.164).
const LONGEST: usize = 15;

/// Prices of text messages and calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// Where the prices come from, in the operator's words.
    pub source: String,
    /// The day on which they were valid, at its beginning (UTC).
    pub as_of: Timestamp,
    /// The currency of all of them, as ISO 4217 code.
    pub currency: String,
    /// By provider and channel, then by the digits that a number begins with.
    of: HashMap<(String, Channel), HashMap<String, Listed>>,
}

/// A price in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listed {
    micros: i64,
    /// Whether its line names the channel; such a line counts before one for both channels.
    is_own: bool,
    line: u32,
}

/// What one message costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// In micro-units of the table's currency.
    pub micros: i64,
    /// The digits of the number that decided, with their `+`.
    pub prefix: String,
    /// The line of the file, from 1.
    pub line: u32,
}

/// Why a text is no table of prices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadPrices {
    /// The line, from 1; none if something is missing from the whole file.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for BadPrices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl Prices {
    /// Reads a table: comments with `source`, `as of` and `currency`, and lines of provider, channel, prefix and price.
    ///
    /// # Example
    ///
    /// ```
    /// use countersign_domain::Channel;
    /// use countersign_domain::model::price::Prices;
    ///
    /// let text = "# source: the gateway's price list\n# as of: 2026-11-01\n# currency: EUR\n\
    ///     twilio,sms,+,80000\ntwilio,sms,+49,75000\n";
    /// let prices = Prices::read(text).unwrap();
    /// assert_eq!(prices.of("twilio", Channel::Sms, "+4915112345678").unwrap().micros, 75_000);
    /// ```
    pub fn read(text: &str) -> Result<Self, BadPrices> {
        let mut prices =
            Self { source: String::new(), as_of: Timestamp(i64::MIN), currency: String::new(), of: HashMap::new() };
        for (number, line) in (1_u32..).zip(text.lines()) {
            let wrong = |problem: String| BadPrices { line: Some(number), problem };
            match line.trim() {
                "" | "provider,channel,prefix,price" => {}
                comment if comment.starts_with('#') => prices.read_comment(comment).map_err(wrong)?,
                line => prices.read_line(line, number).map_err(wrong)?,
            }
        }
        let missing = [
            (prices.source.is_empty(), "# source: where the prices come from"),
            (prices.as_of == Timestamp(i64::MIN), "# as of: 2026-11-30"),
            (prices.currency.is_empty(), "# currency: EUR"),
        ];
        match missing.into_iter().find(|(is_missing, _)| *is_missing) {
            Some((_, line)) => Err(BadPrices { line: None, problem: format!("add a line such as `{line}`") }),
            None => Ok(prices),
        }
    }

    fn read_comment(&mut self, comment: &str) -> Result<(), String> {
        let said = comment.trim_start_matches('#').split_once(':').map(|(key, value)| (key.trim(), value.trim()));
        match said {
            Some(("source", source)) => source.clone_into(&mut self.source),
            Some(("as of", day)) => {
                self.as_of = read_day(day).ok_or_else(|| format!("`{day}` is no day; write it as 2026-11-30"))?;
            }
            Some(("currency", code)) => {
                if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                    return Err(format!("`{code}` is no currency; write its ISO 4217 code, as EUR"));
                }
                code.clone_into(&mut self.currency);
            }
            _ => {}
        }
        Ok(())
    }

    fn read_line(&mut self, text: &str, line: u32) -> Result<(), String> {
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        let [provider, channel, prefix, price] = fields[..] else {
            return Err(
                "write provider,channel,prefix,price, as twilio,sms,+49,75000; the channel may be empty".to_owned()
            );
        };
        if provider.is_empty() {
            return Err("name the provider, as twilio".to_owned());
        }
        let channels = match channel {
            "sms" => &[Channel::Sms][..],
            "voice" => &[Channel::Voice],
            "" => &[Channel::Sms, Channel::Voice],
            other => return Err(format!("`{other}` is no channel with prices; write sms, voice, or nothing for both")),
        };
        let digits = prefix.strip_prefix('+').filter(|digits| {
            digits.len() <= LONGEST && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        let digits = digits.ok_or_else(|| {
            format!("`{prefix}` is no prefix of numbers; write it as +49, or + alone for every number")
        })?;
        let micros = price.parse().ok().filter(|micros| (0..=MOST).contains(micros)).ok_or_else(|| {
            format!("`{price}` is no price; write whole micro-units up to {MOST}: 75000 is 0.075 of the currency")
        })?;
        let listed = Listed { micros, is_own: channels.len() == 1, line };
        for channel in channels {
            let prices = self.of.entry((provider.to_owned(), *channel)).or_default();
            match prices.get(digits) {
                Some(other) if other.is_own == listed.is_own => {
                    return Err(format!("line {} has a price for the same; remove one of them", other.line));
                }
                Some(other) if other.is_own => {}
                _ => {
                    prices.insert(digits.to_owned(), listed);
                }
            }
        }
        Ok(())
    }

    /// What a message to this canonical number costs over this route: the price of the longest prefix.
    pub fn of(&self, provider: &str, channel: Channel, number: &str) -> Option<Price> {
        let prices = self.of.get(&(provider.to_owned(), channel))?;
        let digits = number.strip_prefix('+')?;
        (0..=digits.len().min(LONGEST)).rev().find_map(|length| {
            let prefix = digits.get(..length)?;
            let listed = prices.get(prefix)?;
            Some(Price { micros: listed.micros, prefix: format!("+{prefix}"), line: listed.line })
        })
    }

    /// Whether every number has a price over this route: a line with the prefix `+` gives it one.
    pub fn has_all(&self, provider: &str, channel: Channel) -> bool {
        self.of.get(&(provider.to_owned(), channel)).is_some_and(|prices| prices.contains_key(""))
    }

    /// The providers that have prices, in order.
    pub fn providers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.of.keys().map(|(provider, _)| provider.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether they were valid more than a year ago.
    pub fn are_old(&self, now: Timestamp) -> bool {
        now.since(self.as_of) > 365 * DAY
    }
}

/// An amount of micro-units as people read it: with two decimals, or up to six where they are needed.
///
/// # Example
///
/// ```
/// use countersign_domain::model::price::amount;
///
/// assert_eq!((amount(75_000).as_str(), amount(1_500_000).as_str()), ("0.075", "1.50"));
/// ```
pub fn amount(micros: i64) -> String {
    let (units, part) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let decimals = format!("{part:06}");
    let needed = decimals.trim_end_matches('0').len().max(2);
    format!("{}{units}.{}", if micros < 0 { "-" } else { "" }, &decimals[..needed])
}

/// The beginning of a day that is written as 2026-11-30 (UTC).
fn read_day(text: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    if (year.len(), month.len(), day.len()) != (4, 2, 2)
        || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        return None;
    }
    let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=longest).contains(&day) {
        return None;
    }
    // Days since the first of March of year 0, by which leap days come last in a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    // Days from there to 1970-01-01.
    Some(Timestamp((days - 719_468) * DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# source: a price list\n# as of: 2026-11-30\n# currency: EUR\n";

    fn of(lines: &str) -> Result<Prices, String> {
        Prices::read(&format!("{HEAD}{lines}")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_longest_prefix_of_a_number_decides() {
        let prices =
            of("provider,channel,prefix,price\n\na,,+,90000\na,sms,+49,70000\na,,+4915,60000\nb,voice,+1,5\n").unwrap();
        let price = |provider, channel, number| prices.of(provider, channel, number).map(|price| price.micros);
        assert_eq!(price("a", Channel::Sms, "+33612345678"), Some(90_000));
        assert_eq!(price("a", Channel::Sms, "+49301234567"), Some(70_000));
        assert_eq!(price("a", Channel::Voice, "+49301234567"), Some(90_000), "the line is for text messages");
        assert_eq!(price("a", Channel::Sms, "+4915112345678"), Some(60_000));
        assert_eq!(price("b", Channel::Voice, "+14155550123"), Some(5));
        assert_eq!(price("b", Channel::Voice, "+4915112345678"), None);
        assert_eq!(price("b", Channel::Sms, "+14155550123"), None);
        assert_eq!(price("c", Channel::Sms, "+14155550123"), None);
        assert!(prices.has_all("a", Channel::Voice) && !prices.has_all("b", Channel::Voice));
        assert_eq!(
            prices.of("a", Channel::Sms, "+4915112345678").map(|price| (price.prefix, price.line)),
            Some(("+4915".to_owned(), 8))
        );
        assert_eq!(prices.providers(), ["a", "b"]);
    }

    #[test]
    fn a_line_for_one_channel_counts_before_a_line_for_both() {
        for lines in ["a,,+,2\na,sms,+,1\n", "a,sms,+,1\na,,+,2\n"] {
            let prices = of(lines).unwrap();
            assert_eq!(prices.of("a", Channel::Sms, "+49151").map(|price| price.micros), Some(1));
            assert_eq!(prices.of("a", Channel::Voice, "+49151").map(|price| price.micros), Some(2));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
        for (lines, said) in [
            ("a,sms,+49\n", "line 4: write provider,channel,prefix,price"),
            ("a,sms,+49,75000,EUR\n", "line 4: write provider,channel,prefix,price"),
            (",sms,+49,75000\n", "line 4: name the provider"),
            ("\na,email,+49,75000\n", "line 5: `email` is no channel with prices"),
            ("a,sms,49,75000\n", "line 4: `49` is no prefix of numbers; write it as +49"),
            ("a,sms,+0,75000\n", "line 4: `+0` is no prefix"),
            ("a,sms,+49,0.075\n", "line 4: `0.075` is no price; write whole micro-units"),
            ("a,sms,+49,-1\n", "line 4: `-1` is no price"),
            ("a,sms,+49,1000000001\n", "line 4: `1000000001` is no price"),
            ("a,sms,+49,1\na,sms,+49,2\n", "line 5: line 4 has a price for the same; remove one of them"),
            ("# as of: 30.11.2026\n", "line 4: `30.11.2026` is no day; write it as 2026-11-30"),
            ("# as of: 2026-02-29\n", "line 4: `2026-02-29` is no day"),
            ("# currency: euro\n", "line 4: `euro` is no currency"),
        ] {
            let error = of(lines).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
        for without in ["source", "as of", "currency"] {
            let lines: Vec<_> = HEAD.lines().filter(|line| !line.contains(without)).collect();
            let error = Prices::read(&lines.join("\n")).unwrap_err();
            assert!(error.problem.starts_with(&format!("add a line such as `# {without}: ")), "{error}");
        }
    }

    #[test]
    fn prices_of_more_than_a_year_ago_are_old() {
        let prices = of("").unwrap();
        assert_eq!(prices.as_of, Timestamp(1_795_996_800_000), "2026-11-30T00:00:00Z");
        assert!(!prices.are_old(prices.as_of.plus(365 * DAY)));
        assert!(prices.are_old(prices.as_of.plus(365 * DAY + 1)));
        assert_eq!(read_day("2024-02-29"), Some(Timestamp(1_709_164_800_000)));
        assert_eq!(read_day("1970-01-01"), Some(Timestamp(0)));
        for wrong in ["1969-12-31", "2026-13-01", "2026-00-01", "2026-1-1", "+026-01-01", ""] {
            assert_eq!(read_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_are_shown_with_the_decimals_that_they_need() {
        let shown = [0, 1, 10_000, 75_000, 1_234_567, 250 * UNIT, -5_000].map(amount);
        assert_eq!(shown, ["0.00", "0.000001", "0.01", "0.075", "1.234567", "250.00", "-0.005"]);
    }
}
