//! Recipients by rule: a tester brings a fault about by the number or address to which a message goes
//! (`docs/start/dev-world.md`). No word of it is a setting, so a test needs nothing but an enrolment.

/// What becomes of every message to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// It arrives, and its code is known.
    KnownCode,
    /// It fails at once and for good.
    Unreachable,
    /// It fails once, and then arrives.
    SecondTry,
    /// It arrives [`LATE`] after the gateway took it.
    Late,
    /// The gateway takes it, and it never arrives.
    Lost,
    /// It fails at once and for good: a rule for mail.
    FullMailbox,
}

/// How late [`Rule::Late`] is, in milliseconds.
pub(super) const LATE: i64 = 8_000;

/// What the numbers with a rule begin with. They are reserved for fiction, and one more digit says which rule it is.
const NUMBERS: &str = "+1202555019";

impl Rule {
    const ALL: [Self; 6] =
        [Self::KnownCode, Self::Unreachable, Self::SecondTry, Self::Late, Self::Lost, Self::FullMailbox];

    /// The rule of a number or an address, if it has one.
    pub(super) fn of(to: &str) -> Option<Self> {
        let word = to.rsplit_once('@').map(|(name, _)| name.rsplit_once('+').map_or(name, |(_, word)| word));
        let digit = to.strip_prefix(NUMBERS);
        Self::ALL.into_iter().find(|rule| match word {
            Some(word) => word.eq_ignore_ascii_case(rule.word()),
            None => digit.is_some() && digit == rule.digit(),
        })
    }

    /// Its name, in addresses and in what was played.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::KnownCode => "known-code",
            Self::Unreachable => "unreachable",
            Self::SecondTry => "second-try",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::FullMailbox => "full-mailbox",
        }
    }

    /// The last digit of its number, if it is a rule for numbers.
    fn digit(self) -> Option<&'static str> {
        match self {
            Self::KnownCode => Some("1"),
            Self::Unreachable => Some("2"),
            Self::SecondTry => Some("3"),
            Self::Late => Some("4"),
            Self::Lost => Some("5"),
            Self::FullMailbox => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_of_a_number_is_its_rule() {
        let rules = ["+12025550191", "+12025550192", "+12025550193", "+12025550194", "+12025550195"].map(Rule::of);
        let all = [Rule::KnownCode, Rule::Unreachable, Rule::SecondTry, Rule::Late, Rule::Lost];
        assert_eq!(rules, all.map(Some));
        for other in ["+12025550190", "+12025550196", "+1202555019", "+120255501911", "+14155550191", "12025550191", ""]
        {
            assert_eq!(Rule::of(other), None, "{other}");
        }
    }

    #[test]
    fn the_word_of_an_address_is_its_rule() {
        for rule in Rule::ALL {
            for address in ["WORD@example.com", "ana+WORD@example.org", "a+b+WORD@x.example"] {
                assert_eq!(Rule::of(&address.replace("WORD", rule.word())), Some(rule), "{address}");
            }
        }
        assert_eq!(Rule::of("Ana+LOST@Example.com"), Some(Rule::Lost));
        for other in
            ["ana@example.com", "lost.and.found@example.com", "ana@lost.example", "lost+ana@example.com", "lost"]
        {
            assert_eq!(Rule::of(other), None, "{other}");
        }
    }

    #[test]
    fn the_documentation_lists_every_rule() {
        let page = include_str!("../../../../docs/start/dev-world.md");
        for rule in Rule::ALL {
            let number = rule.digit().map_or(String::new(), |digit| format!("`+1 202 555 019{digit}` "));
            assert!(page.contains(&format!("| {number}| `{}` |", rule.word())), "{rule:?}");
        }
    }
}
