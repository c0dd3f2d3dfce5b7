//! What a name, a telephone number and a mail address may be (SEC 34, SEC 36).

use rlibphonenumber::{PhoneNumber, PhoneNumberType};

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

/// Longest spelling of a telephone number that is looked at, in characters.
const PHONE_MAX: usize = 40;

/// Countries where the zero before an area's code is dialled from abroad too: Italy with the Vatican, and San Marino.
const ZERO_KEPT: [&str; 3] = ["39", "378", "379"];

/// A telephone number in its canonical form, `+`, a digit 1–9, 7 to 15 digits in all (E.164), from any of the ways in
/// which people write an international one: with `00` for the `+`, as a `tel:` address, with blanks, dots, dashes,
/// slashes and brackets between digits, with `(0)` behind the country's code, in full-width characters. `None` if it is
/// none, as a number without its country is: whose it is cannot be known.
pub fn phone(text: &str) -> Option<String> {
    if text.chars().nth(PHONE_MAX).is_some() {
        return None;
    }
    let text = text.trim();
    let text = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:")).map_or(text, |_| &text[4..]);
    let narrow = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '＋' => '+',
        '（' => '(',
        '）' => ')',
        c if c.is_whitespace() && !c.is_control() => ' ',
        '/' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' | '\u{30fc}' => '-',
        c => c,
    };
    let text: String = text.chars().map(narrow).collect();
    let text = text.trim_start_matches(['(', ' ']);
    let digits = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let keeps_zero = ZERO_KEPT.iter().any(|code| digits.starts_with(code));
    let digits = digits.replacen("(0)", if keeps_zero { "0" } else { "" }, 1);
    let mut number = String::from("+");
    for c in digits.chars() {
        match c {
            '0'..='9' => number.push(c),
            ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
    }
    let fits = (8..=16).contains(&number.len()) && !number.starts_with("+0");
    fits.then_some(number)
}

/// Ranges that messages never go to, by prefix of the canonical number: premium and shared-cost numbers of the countries
/// most used for toll fraud, and global services. A prefix also finds numbers of a wrong length, which have no type.
const REFUSED_RANGES: &[&str] = &[
    "+870", "+878", "+881", "+882", "+883", "+888", "+979", "+800", "+808", "+1900", "+1976", "+44870", "+44871",
    "+44872", "+44873", "+4470", "+449", "+49900", "+49180", "+33899", "+33897", "+34803", "+34806", "+34807",
    "+39899", "+41900", "+41901", "+41906", "+43900", "+43930",
];

/// Whether messages never go to this canonical number: premium, shared-cost, personal or satellite, in any country
/// (SEC 34).
pub(crate) fn is_refused_range(number: &str) -> bool {
    let of_refused_type = |number: PhoneNumber| {
        matches!(
            number.get_type(),
            PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost | PhoneNumberType::PersonalNumber
        )
    };
    REFUSED_RANGES.iter().any(|range| number.starts_with(range)) || number.parse().is_ok_and(of_refused_type)
}

/// Whether Unicode has set this code point aside for ever: the last two of every plane, and U+FDD0 to U+FDEF.
fn is_nonchar(c: char) -> bool {
    matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether a character is nothing to see: Unicode's default ignorables, the specials before U+FFFC, and the two that are
/// drawn as blanks without being white space.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2800}' | '\u{1d159}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `text` looks like a deliverable mail address: one `@`, something on each side, a clean and bounded text.
/// Quoting, comments and invisible characters are spellings of another address, and refused.
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

/// A mail address with the first character of its name, for its person to recognise: `a•••@example.com`.
pub fn masked_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((name, host)) => format!("{}•••@{host}", name.chars().take(1).collect::<String>()),
        None => "•••".to_owned(),
    }
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
    fn numbers_as_people_write_them() {
        for (written, canonical) in [
            ("+14155550123", "+14155550123"),
            ("+1 (415) 555-0123", "+14155550123"),
            ("0014155550127", "+14155550127"),
            ("+49 (0)170 1234567", "+491701234567"),
            ("+49(0)170/1234567", "+491701234567"),
            ("+39 (0)6 12345678", "+390612345678"),
            ("00378 (0)549 123456", "+3780549123456"),
            ("tel:+14155550123", "+14155550123"),
            ("TEL:+1-415-555-0123", "+14155550123"),
            ("  +1.415.555.0123\u{a0}", "+14155550123"),
            ("(+49) 30 123456", "+4930123456"),
            ("+49\u{2011}30\u{2013}123456", "+4930123456"),
            ("＋８１（９０）１２３４－５６７８", "+819012345678"),
            ("+1234567", "+1234567"),
        ] {
            assert_eq!(phone(written).as_deref(), Some(canonical), "{written}");
            assert_eq!(phone(canonical).as_deref(), Some(canonical), "what is canonical stays");
        }
        for none in [
            "",
            "+",
            "tel:",
            "0170 1234567",
            "14155550123",
            "+04155550123",
            "+123456",
            "+1234567890123456",
            "+12345678901234567",
            "+1415555O123",
            "+1 415 555 0123 ext. 4",
            "+14155550123;ext=4",
            "++14155550123",
            "+1415+5550123",
            "call me",
            "+1 415\n555 0123",
        ] {
            assert_eq!(phone(none), None, "{none}");
        }
    }

    #[test]
    fn premium_numbers_are_refused_wherever_they_are() {
        for usual in ["+14155550123", "+491701234567", "+819012345678", "+353861234567", "+1234567"] {
            assert!(!is_refused_range(usual), "{usual}");
        }
        // The second line is found by type alone; the last number is too short to have one.
        for refused in [
            "+19005550123",
            "+448715550123",
            "+8816123456",
            "+447012345678",
            "+37190012345",
            "+611900123456",
            "+81990123456",
            "+46900123456",
            "+33812345678",
            "+4490123",
        ] {
            assert!(is_refused_range(refused), "{refused}");
        }
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
    fn a_masked_address_shows_its_first_character_and_its_host() {
        for (address, masked) in [
            ("ana@example.com", "a•••@example.com"),
            ("é@x@example.com", "é•••@example.com"),
            ("none", "•••"),
            ("", "•••"),
        ] {
            assert_eq!(masked_address(address), masked);
        }
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
