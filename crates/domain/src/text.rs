//! What a name, a telephone number and a mail address may be (SEC 34, SEC 36).

/// Longest name of a user, a device or a client, in characters.
pub const NAME_MAX: usize = 100;

/// Whether every character may be stored and shown: no control characters, no bidirectional overrides, no NUL, and no
/// noncharacters, which XML cannot hold.
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || is_nonchar(c)
            || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

/// Whether `text` may be a name: clean and at most [`NAME_MAX`] characters.
pub fn is_name(text: &str) -> bool {
    is_clean(text) && text.chars().count() <= NAME_MAX
}

/// A telephone number in its canonical form: `+`, a digit 1–9, 7 to 15 digits in all (E.164). `None` if it is not one.
pub(crate) fn e164(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('+')?;
    let fits =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    fits.then_some(text)
}

/// Ranges refused for messages whatever the allow-list says: satellite and global services, shared-cost and premium
/// numbers of the countries most used for toll fraud. Prefixes of canonical numbers.
const REFUSED_RANGES: &[&str] = &[
    "+870", "+878", "+881", "+882", "+883", "+888", "+979", "+800", "+808", "+1900", "+1976", "+44870", "+44871",
    "+44872", "+44873", "+449", "+49900", "+49180", "+33899", "+33897", "+34803", "+34806", "+34807", "+39899",
    "+41900", "+41901", "+41906", "+43900", "+43930",
];

/// Whether messages may go to this canonical number: its country prefix is listed and it is not a premium, satellite
/// or shared-cost number (SEC 34).
pub(crate) fn may_receive(number: &str, country_prefixes: &[String]) -> bool {
    country_prefixes.iter().any(|prefix| number.starts_with(prefix.as_str()))
        && !REFUSED_RANGES.iter().any(|range| number.starts_with(range))
}

/// Whether Unicode has set this code point aside for ever: the last two of every plane, and U+FDD0 to U+FDEF.
fn is_nonchar(c: char) -> bool {
    matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether a character is nothing to see: Unicode's default ignorables and the specials before U+FFFC.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `text` looks like a deliverable mail address: one `@`, something on each side, a clean and bounded text.
/// Quoting, comments and characters that nobody sees are spellings of another address, and refused.
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    is_clean(text)
        && text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || is_invisible(c))
        && !local.is_empty()
        && !local.contains(['@', '<', '>', ',', ';', '"', '(', ')', '\\'])
        && !host.is_empty()
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        && !host.starts_with(['.', '-'])
}

/// The mailbox that mail to this address most likely ends up in, so that its spellings are counted as one: small letters,
/// the name of the host in ASCII (IDNA) without a dot at its end, and nothing behind a `+`, which most providers deliver
/// to the same person. Never to be sent to.
pub(crate) fn mailbox(address: &str) -> String {
    let address = address.to_lowercase();
    let Some((local, host)) = address.rsplit_once('@') else { return address };
    let local = local.split_once('+').map_or(local, |(person, _)| person);
    let host = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned());
    format!("{local}@{}", host.trim_end_matches('.'))
}

/// A number with all but its last four digits hidden, as device lists show it (contract 4.3): `+1xxxxxx0123`. The
/// country code stays, as far as one digit.
pub fn masked_phone(number: &str) -> String {
    let keep_from = number.len().saturating_sub(4);
    number.char_indices().map(|(i, c)| if i >= 2 && i < keep_from { 'x' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_numbers_pass() {
        for good in ["+14155550123", "+4930123456", "+1234567"] {
            assert_eq!(e164(good), Some(good));
        }
        for bad in [
            "14155550123",
            "+04155550123",
            "+1415555 0123",
            "+123456",
            "+1234567890123456",
            "",
            "+",
            "+１２３４５６７８",
        ] {
            assert_eq!(e164(bad), None, "{bad}");
        }
    }

    #[test]
    fn premium_numbers_are_refused_even_in_a_listed_country() {
        let listed = vec!["+1".to_owned(), "+44".to_owned()];
        assert!(may_receive("+14155550123", &listed));
        assert!(!may_receive("+19005550123", &listed));
        assert!(!may_receive("+448715550123", &listed));
        assert!(!may_receive("+4930123456", &listed));
        assert!(!may_receive("+14155550123", &[]));
    }

    #[test]
    fn names_hold_nothing_that_can_deceive() {
        assert!(is_name("Ana's phone — 電話"));
        assert!(!is_name("a\u{202e}b"));
        assert!(!is_name("a\nb"));
        assert!(!is_name("a\0b"));
        assert!(is_name(&"é".repeat(100)));
        assert!(!is_name(&"é".repeat(101)));
    }

    #[test]
    fn a_masked_number_shows_its_last_four_digits() {
        assert_eq!(masked_phone("+14155550123"), "+1xxxxxx0123");
    }

    #[test]
    fn mail_addresses_are_judged_by_their_shape() {
        assert!(is_email("ana@example.com"));
        for bad in ["", "ana", "@example.com", "ana@", "a b@c.d", "ana@exa mple.com", "a\r\n@b.c", "a@b@c"] {
            assert!(!is_email(bad), "{bad}");
        }
        for good in ["o'brien+tag@sub.example.com", "josé@münchen.example", "a.b-c_d=e@x.y", "電話@例え.jp"] {
            assert!(is_email(good), "{good}");
        }
        for odd in ["\u{200b}", "\u{a0}", "\u{ad}", "\u{3000}", "\u{3164}", "\u{fe0f}", "\u{e0041}", "\\", "(x)"] {
            assert!(!is_email(&format!("an{odd}a@example.com")), "{odd:?}");
            assert!(!is_email(&format!("ana@exam{odd}ple.com")), "{odd:?}");
        }
        assert!(!is_email("\"ana\"@example.com"));
    }

    #[test]
    fn a_mailbox_is_one_however_it_is_spelt() {
        for same in
            ["Ana@Example.com", "ana@example.com.", "ana+1@example.com", "ANA+a+b@ｅxample.com", "ana@example.COM"]
        {
            assert_eq!(mailbox(same), "ana@example.com", "{same}");
        }
        assert_eq!(mailbox("ana@MÜNCHEN.example"), mailbox("ana@xn--mnchen-3ya.example"));
        assert_ne!(mailbox("ana@example.com"), mailbox("a.na@example.com"));
        assert_ne!(mailbox("ana@example.com"), mailbox("ana@example.org"));
    }
}
