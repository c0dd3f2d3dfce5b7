//! Puts consecutive lines of one user together, so that they become one decision: all of a user's devices or none.

use domain::model::name::{key, spelling};
use engine::import::Person;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::fields::Fields;
use super::parse::{self, Entry};

/// Most lines of one user that are held: more than a user can have devices.
const MAX_LINES: usize = 64;

/// A line that became a device.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) kind: &'static str,
    pub(super) counter: u64,
    pub(super) secret: Zeroizing<String>,
}

/// A user with the lines that describe the user.
pub(super) struct Group {
    pub(super) person: Person,
    /// One for each of the person's tokens.
    pub(super) lines: Vec<Line>,
    /// Lines that say something about the person and nothing about a device.
    pub(super) bare: Vec<u64>,
}

impl Group {
    /// The lines' numbers, in no particular order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().map(|line| line.number).chain(self.bare.iter().copied())
    }

    /// The first of them.
    pub(super) fn first_line(&self) -> u64 {
        self.numbers().min().unwrap_or_default()
    }
}

/// A result of the lines read so far.
pub(super) enum Piece {
    /// A user to import.
    Group(Group),
    /// A line that cannot be imported.
    Reject(u64, Fault),
}

/// Collects consecutive lines of one user.
#[derive(Default)]
pub(super) struct Grouper {
    /// Whether existing users and devices are set to what the list says.
    update: bool,
    current: Option<Current>,
}

struct Current {
    group: Group,
    /// The first line at fault: none of this user's lines counts.
    fault: Option<u64>,
}

impl Grouper {
    /// Collects lines of a list that updates existing users and devices, or leaves them.
    pub(super) fn new(update: bool) -> Self {
        Self { update, current: None }
    }

    /// Takes a line. What it completes is added to `out`.
    pub(super) fn push(&mut self, number: u64, fields: Result<Fields, Fault>, out: &mut Vec<Piece>) {
        let fields = match fields {
            Ok(fields) => fields,
            // Its user is unknown.
            Err(fault) => return out.push(Piece::Reject(number, fault)),
        };
        let Some(username) = fields.username.clone() else {
            return out.push(Piece::Reject(number, Fault::Missing("username")));
        };
        if !self.current.as_ref().is_some_and(|current| current.is_about(&username, &fields)) {
            self.finish(out);
        }
        let current = self.current.get_or_insert_with(|| Current::new(username, self.update));
        let full = current.group.numbers().count() >= MAX_LINES;
        match parse::entry(&fields) {
            Ok(entry) if current.fault.is_none() && !full => current.add(number, &fields, entry),
            Ok(_) => out.push(Piece::Reject(number, current.fail(number, full))),
            Err(fault) => {
                current.fault.get_or_insert(number);
                out.push(Piece::Reject(number, fault));
            }
        }
        // The held lines are rejected with it.
        if let Some(at) = current.fault {
            reject(&mut current.group, at, full, out);
        }
    }

    /// Ends the current user.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        if let Some(Current { group, fault: None }) = self.current.take() {
            out.push(Piece::Group(group));
        }
    }
}

fn reject(group: &mut Group, at: u64, full: bool, out: &mut Vec<Piece>) {
    group.person.tokens.clear();
    let fault = || if full { Fault::TooManyLines } else { Fault::Sibling(at) };
    let numbers: Vec<u64> = group.numbers().collect();
    group.lines.clear();
    group.bare.clear();
    out.extend(numbers.into_iter().map(|number| Piece::Reject(number, fault())));
}

impl Current {
    fn new(username: String, update: bool) -> Self {
        let person = Person { username, email: None, phone: None, external_id: None, tokens: Vec::new(), update };
        Self { group: Group { person, lines: Vec::new(), bare: Vec::new() }, fault: None }
    }

    /// Whether these fields describe the same user: values that both have must be equal.
    fn is_about(&self, username: &str, fields: &Fields) -> bool {
        let agree = |one: &Option<String>, other: &Option<String>| one.is_none() || other.is_none() || one == other;
        let spelt = |id: &Option<String>| id.as_deref().map(spelling);
        let number = |written: &Option<String>| written.as_deref().and_then(domain::model::text::phone);
        let person = &self.group.person;
        key(&person.username) == key(username)
            && agree(&person.email, &fields.email)
            && agree(&number(&person.phone), &number(&fields.phone))
            && agree(&spelt(&person.external_id), &spelt(&fields.external_id))
    }

    fn add(&mut self, number: u64, fields: &Fields, entry: Option<Entry>) {
        let person = &mut self.group.person;
        let fill = |here: &mut Option<String>, said: &Option<String>| {
            if here.is_none() {
                here.clone_from(said);
            }
        };
        fill(&mut person.email, &fields.email);
        fill(&mut person.phone, &fields.phone);
        fill(&mut person.external_id, &fields.external_id);
        let Some(Entry { token, kind, secret }) = entry else { return self.group.bare.push(number) };
        self.group.lines.push(Line { number, kind, counter: token.counter, secret });
        person.tokens.push(token);
    }

    fn fail(&mut self, number: u64, full: bool) -> Fault {
        let at = *self.fault.get_or_insert(number);
        if full || at == number { Fault::TooManyLines } else { Fault::Sibling(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    type Named = Vec<(String, Vec<u64>)>;

    fn grouped(lines: &[String]) -> (Named, Vec<(u64, Fault)>) {
        let (mut grouper, mut out) = (Grouper::default(), Vec::new());
        for (number, line) in (1..).zip(lines) {
            grouper.push(number, parse::json(line.as_bytes()), &mut out);
        }
        grouper.finish(&mut out);
        let (mut groups, mut rejects) = (Vec::new(), Vec::new());
        for piece in out {
            match piece {
                Piece::Group(group) => {
                    assert_eq!(group.lines.len(), group.person.tokens.len());
                    groups.push((group.person.username, group.lines.iter().map(|line| line.number).collect()));
                }
                Piece::Reject(line, fault) => rejects.push((line, fault)),
            }
        }
        rejects.sort_by_key(|(line, _)| *line);
        (groups, rejects)
    }

    fn good(username: &str) -> String {
        format!(r#"{{"username":"{username}","secret_base32":"{SECRET}"}}"#)
    }

    fn bad(username: &str) -> String {
        format!(r#"{{"username":"{username}","secret_base32":"1"}}"#)
    }

    #[test]
    fn consecutive_lines_of_a_user_are_one_group() {
        let (groups, rejects) = grouped(&[good("ana"), good("ana"), good("ben"), good("ana")]);
        let named = |name: &str, lines: &[u64]| (name.to_owned(), lines.to_vec());
        assert_eq!(groups, [named("ana", &[1, 2]), named("ben", &[3]), named("ana", &[4])]);
        assert_eq!(rejects, []);
    }

    #[test]
    fn nobody_is_imported_by_halves() {
        let (groups, rejects) = grouped(&[good("ana"), bad("ana"), good("ana"), good("ben")]);
        assert_eq!(groups, [("ben".to_owned(), vec![4])]);
        assert_eq!(rejects, [(1, Fault::Sibling(2)), (2, Fault::NotBase32), (3, Fault::Sibling(2))]);
    }

    #[test]
    fn a_line_of_nobody_stands_for_itself() {
        let (groups, rejects) = grouped(&[good("ana"), "x".to_owned(), good("ana"), bad("")]);
        assert_eq!(groups, [("ana".to_owned(), vec![1, 3])]);
        assert_eq!(rejects, [(2, Fault::NotJson), (4, Fault::Missing("username"))]);
    }

    #[test]
    fn lines_that_contradict_each_other_are_not_one_user() {
        let with = |id: &str| format!(r#"{{"username":"ana","external_id":"{id}","secret_base32":"{SECRET}"}}"#);
        assert_eq!(grouped(&[with("1"), with("2")]).0.len(), 2);
        assert_eq!(grouped(&[with("1"), good("ana"), with("1")]).0.len(), 1);
    }

    #[test]
    fn a_person_may_come_without_a_device_or_with_some() {
        let bare = |name: &str| format!(r#"{{"username":"{name}"}}"#);
        let mut grouper = Grouper::default();
        let mut out = Vec::new();
        for (number, line) in (1..).zip([bare("ana"), good("ben"), bare("ben")]) {
            grouper.push(number, parse::json(line.as_bytes()), &mut out);
        }
        grouper.finish(&mut out);
        let found: Vec<_> = out
            .iter()
            .map(|piece| match piece {
                Piece::Group(group) => (group.person.tokens.len(), group.first_line(), group.numbers().count()),
                Piece::Reject(..) => panic!("a reject"),
            })
            .collect();
        assert_eq!(found, [(0, 1, 1), (1, 2, 2)]);
        let (groups, rejects) = grouped(&[bare("ana"), bad("ana"), good("ben")]);
        assert_eq!((groups.len(), rejects.len()), (1, 2));
    }

    #[test]
    fn a_user_without_end_is_not_held() {
        let lines: Vec<String> =
            std::iter::repeat_with(|| good("ana")).take(MAX_LINES + 10).chain([good("ben")]).collect();
        let (groups, rejects) = grouped(&lines);
        assert_eq!(groups, [("ben".to_owned(), vec![75])]);
        assert_eq!(rejects.len(), MAX_LINES + 10);
        assert!(rejects[0].1 == Fault::TooManyLines, "{:?}", rejects[0]);
    }
}
