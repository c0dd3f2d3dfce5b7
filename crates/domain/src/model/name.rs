//! What people type in one place and again in another, and what makes two spellings of it one (SEC 36).
//!
//! A name is kept and shown as it was given, without the white space around it. It is found, and is unique, by its
//! [`key`]. User names and mail addresses share one namespace: a key belongs to one user, since either opens a log-in.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

use crate::model::id::UserId;
use crate::model::text;

/// What a name is found by. All texts that look alike have the same: white space around it and characters that show
/// nothing are left out, other white space is one blank, letters are composed (NFC) and compared without regard to case
/// by Unicode's full case folding. Empty if there is nothing to see. Never shown.
pub fn key(text: &str) -> String {
    if text.is_ascii() && !text.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        return text.to_ascii_lowercase();
    }
    let seen: String = text.chars().filter(|c| !text::is_invisible(*c)).collect();
    let mut words = String::with_capacity(seen.len());
    for word in seen.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    // Unicode's canonical caseless matching (D145): decomposed first, since folding looks at single characters.
    let decomposed = DecomposingNormalizer::new_nfd().normalize(&words).into_owned();
    let folded = CaseMapper::new().fold_string(&decomposed).into_owned();
    composed(&folded)
}

fn composed(text: &str) -> String {
    ComposingNormalizer::new_nfc().normalize(text).into_owned()
}

/// A secret that a person knows by heart, in the one spelling that all keyboards come to: letters composed (NFC), and
/// every blank the one of the space bar (RFC 8265, section 4.2).
pub fn secret_spelling(text: &str) -> String {
    let is_blank = |c: char| c.is_whitespace() && !c.is_control();
    composed(&text.chars().map(|c| if is_blank(c) { ' ' } else { c }).collect::<String>())
}

/// The spellings of a secret that a hash may have been made of: the one of today first, then what was typed, and what
/// keyboards send that take letters apart. One, if the text is plain.
pub fn secret_spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![secret_spelling(text)];
    for other in [text.to_owned(), DecomposingNormalizer::new_nfd().normalize(text).into_owned()] {
        if !spellings.contains(&other) {
            spellings.push(other);
        }
    }
    spellings
}

/// A name as it is kept: without white space around it. `None` if nothing is left.
pub fn trimmed(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Whether a trimmed text may be a name to log in with: a name without characters that show nothing.
pub fn is_login_name(text: &str) -> bool {
    text::is_name(text) && !text.chars().any(text::is_invisible) && !key(text).is_empty()
}

/// A name that people read, as a device's or an app's, as it is kept: without white space around it. `None` if there is
/// nothing to see. Whether it can be shown is for [`is_label`] to say.
pub fn label(text: &str) -> Option<&str> {
    trimmed(text).filter(|text| !key(text).is_empty())
}

/// Whether a trimmed text may be a name that people read: a clean one ([`text::is_name`]) in which there is something to
/// see.
pub fn is_label(text: &str) -> bool {
    text::is_name(text) && label(text).is_some()
}

/// What another system has named, in the one spelling that it is kept and found in: without white space around it, letters
/// composed (NFC). Case counts: to that system two cases may be two things. Empty if nothing is left.
pub fn spelling(text: &str) -> String {
    composed(text.trim())
}

/// Which of these are meant by a name that several may have: those that are spelt exactly so, or, where none is, all
/// that look alike.
pub fn alike<T>(typed: &str, all: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    let (typed, wanted) = (typed.trim(), key(typed));
    let mut alike: Vec<T> = all.into_iter().filter(|one| key(name(one)) == wanted).collect();
    if alike.iter().any(|one| name(one) == typed) {
        alike.retain(|one| name(one) == typed);
    }
    alike
}

/// The names that a user logs in with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginNames {
    /// The user name.
    pub username: Option<String>,
    /// The mail address.
    pub email: Option<String>,
}

/// What a user holds under one key: the user name, the mail address, or both if they are spelt alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldName {
    /// The [`key`]; never empty.
    pub key: String,
    /// The user name of this key.
    pub username: Option<String>,
    /// The mail address of this key.
    pub email: Option<String>,
}

impl LoginNames {
    /// One entry for each key, at most two.
    pub fn held(&self) -> Vec<HeldName> {
        let mut held: Vec<HeldName> = Vec::with_capacity(2);
        if let Some((key, username)) = keyed(self.username.as_ref()) {
            held.push(HeldName { key, username: Some(username.clone()), email: None });
        }
        if let Some((key, email)) = keyed(self.email.as_ref()) {
            match held.first_mut().filter(|first| first.key == key) {
                Some(first) => first.email = Some(email.clone()),
                None => held.push(HeldName { key, username: None, email: Some(email.clone()) }),
            }
        }
        held
    }
}

fn keyed(name: Option<&String>) -> Option<(String, &String)> {
    name.map(|name| (key(name), name)).filter(|(key, _)| !key.is_empty())
}

/// Somebody who holds a key. More than one can hold it only where rows of earlier versions collide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub user: UserId,
    /// Their user name, if it has the key.
    pub username: Option<String>,
    /// Their mail address, if it has the key.
    pub email: Option<String>,
}

/// Who is meant by a name that these users hold. One holder is meant by every spelling. Among several only an exact
/// spelling counts, and an address before a user name; if that leaves more than one, the result is `None`.
pub fn meant(typed: &str, holders: &[Holder]) -> Option<UserId> {
    if let [only] = holders {
        return Some(only.user);
    }
    let exactly = |name: &Option<String>| name.as_deref() == Some(typed);
    let mut addressed = holders.iter().filter(|holder| exactly(&holder.email));
    if let Some(found) = addressed.next() {
        return addressed.next().is_none().then_some(found.user);
    }
    let mut named = holders.iter().filter(|holder| exactly(&holder.username));
    let found = named.next()?;
    named.next().is_none().then_some(found.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_one_name() {
        let same = |one: &str, other: &str| assert_eq!(key(one), key(other), "{one:?} {other:?}");
        let (nfc, nfd) = (ComposingNormalizer::new_nfc(), DecomposingNormalizer::new_nfd());
        let mut buffer = [0; 4];
        // Planes 3 to 13 hold ideographs that are what they look like, and 15 and 16 are for private use.
        for c in ('\0'..='\u{2ffff}').chain('\u{e0000}'..='\u{effff}') {
            let one: &str = c.encode_utf8(&mut buffer);
            if c.is_whitespace() {
                same(&format!("{one}bob{one}{one}"), "bob");
                same(&format!("bob{one}b"), "bob b");
            }
            if text::is_invisible(c) {
                same(&format!("b{one}ob{one}"), "bob");
                assert!(!is_login_name(&format!("b{one}ob")), "{c:?}");
                assert_eq!(key(one), "");
            }
            // Every canonical pair.
            let decomposed = nfd.normalize(one);
            if decomposed != one {
                same(one, &decomposed);
                same(&format!("jo{one}rg"), &format!("JO{decomposed}RG"));
                same(one, &nfc.normalize(one));
            }
            // Every pair of letters that differ in case only.
            let folded = CaseMapper::new().fold_string(one);
            if folded != one {
                same(one, &folded);
                let found = key(one);
                assert_eq!(key(&found), found, "{c:?}: the key of a key is itself");
            }
        }
        same("Straße", "STRASSE");
        same("ΌΣΟΣ", "όσος");
        same("Ana\u{a0} Maria", "ana maria");
        for (one, other) in [("bob", "b0b"), ("ana", "anna"), ("jorg", "jörg"), ("ab", "a b"), ("ı", "i")] {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn a_name_is_kept_without_white_space_around_it() {
        assert_eq!(trimmed(" \u{2003}Bob \u{a0}"), Some("Bob"));
        assert_eq!(trimmed(" \t\u{3000}"), None);
        assert!(is_login_name("Bob"));
        for bad in ["a\nb", "a\u{200b}b", "\u{ad}", "a\u{ffff}"] {
            assert!(!is_login_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_label_shows_something() {
        for good in ["Text message", "指紋", "\u{1f469}\u{200d}\u{1f4bb}"] {
            assert!(is_label(good), "{good:?}");
        }
        for bad in ["", "\u{200b}", " \u{ad} ", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
            assert!(!is_label(bad), "{bad:?}");
        }
        assert_eq!(label(" \u{2003}Ana's phone\u{a0}"), Some("Ana's phone"));
        assert_eq!(label(" \u{200b}\u{3000}"), None);
    }

    #[test]
    fn what_another_system_has_named_keeps_its_case() {
        assert_eq!(spelling("\u{a0} jo\u{308}rg-7 "), "jörg-7");
        assert_ne!(spelling("A7"), spelling("a7"));
        assert_eq!(spelling(" \u{3000}"), "");
    }

    #[test]
    fn a_name_that_several_may_have_means_its_own_spelling_first() {
        let all = ["Wiki", "wiki", "WIKI ", "other"];
        let found = |typed: &str| alike(typed, all, |name| *name);
        assert_eq!(found(" wiki "), ["wiki"]);
        assert_eq!(found("wIKI"), ["Wiki", "wiki", "WIKI "]);
        assert_eq!(found("wik\u{200b}i"), ["Wiki", "wiki", "WIKI "]);
        assert_eq!(found("none"), <[&str; 0]>::default());
    }

    #[test]
    fn a_secret_is_one_whatever_keyboard_it_comes_from() {
        assert_eq!(secret_spelling("gru\u{308}ße\u{a0}an"), "grüße an");
        assert_ne!(secret_spelling("Grüße"), secret_spelling("grüße"));
        assert_eq!(secret_spellings("open sesame"), ["open sesame"]);
        assert_eq!(secret_spellings("grüße"), ["grüße", "gru\u{308}ße"]);
        let typed = "gru\u{308}ße\u{a0}an";
        assert_eq!(secret_spellings(typed), ["grüße an", typed]);
    }

    #[test]
    fn a_users_two_names_may_be_equal() {
        let names = |username: &str, email: &str| LoginNames {
            username: Some(username.to_owned()),
            email: Some(email.to_owned()),
        };
        let both = names("Ana@Example.com", "ana@example.com").held();
        assert_eq!(both.len(), 1);
        assert_eq!(both[0].username.as_deref(), Some("Ana@Example.com"));
        assert_eq!(both[0].email.as_deref(), Some("ana@example.com"));
        assert_eq!(names("ana", "ana@example.com").held().len(), 2);
        assert_eq!(LoginNames::default().held(), []);
        assert_eq!(names("\u{200b}", " ").held(), []);
    }

    #[test]
    fn an_ambiguous_name_means_only_the_one_who_spells_it_so() {
        let holder = |id: i64, username: Option<&str>, email: Option<&str>| Holder {
            user: UserId(id),
            username: username.map(str::to_owned),
            email: email.map(str::to_owned),
        };
        let one = [holder(1, Some("bob"), None)];
        assert_eq!(meant("BOB ", &one), Some(UserId(1)));
        assert_eq!(meant("bob", &[]), None);
        let alike = [holder(1, Some("bob"), None), holder(2, Some("bob "), None)];
        assert_eq!(meant("bob", &alike), Some(UserId(1)));
        assert_eq!(meant("bob ", &alike), Some(UserId(2)));
        assert_eq!(meant("Bob", &alike), None);
        let crossed = [holder(1, Some("ceo@corp.example"), None), holder(2, None, Some("ceo@corp.example"))];
        assert_eq!(meant("ceo@corp.example", &crossed), Some(UserId(2)), "an address before a user name");
        assert_eq!(meant("CEO@corp.example", &crossed), None);
    }
}
