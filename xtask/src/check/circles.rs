//! No circle of files inside a crate: a file can be read and tested after those that it names, and a change has an end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::complaints::Complaints;
use super::krate::Crate;

/// The law. A file names another if a path in it leads there; [`super::resolve`] says how. Naming a re-export is naming
/// the file that defines the item, so a `mod.rs` that only declares and re-exports is in no circle.
pub(super) fn none(crates: &[Crate]) -> Complaints {
    crates.iter().flat_map(circles).collect()
}

/// In `domain`, `model` holds the nouns, and `rules` what is decided of them: a noun that needs a rule is no noun.
pub(super) fn model_below_rules(crates: &[Crate]) -> Complaints {
    let Some(domain) = crates.iter().find(|one| one.name == "domain") else {
        return vec!["there is no crate named domain".to_owned()];
    };
    let within =
        |file: usize, folder: &str| domain.files[file].path.starts_with(&format!("crates/domain/src/{folder}/"));
    let mut complaints: Complaints = ["model", "rules"]
        .iter()
        .filter(|folder| !(0..domain.files.len()).any(|file| within(file, folder)))
        .map(|folder| format!("crates/domain has no folder src/{folder}"))
        .collect();
    let upwards = domain.named().into_iter().filter(|((from, to), _)| within(*from, "model") && within(*to, "rules"));
    complaints.extend(upwards.map(|((from, _), path)| format!("{} names {path}", domain.files[from].path)));
    complaints
}

/// The shortest circle through each file that is in one.
fn circles(one: &Crate) -> Complaints {
    let named = one.named();
    let mut edges: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in named.keys() {
        edges.entry(*from).or_default().insert(*to);
    }
    let mut complaints = Complaints::new();
    let mut seen: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    for file in edges.keys() {
        let way = shortest(&edges, *file);
        if way.is_empty() || !seen.insert(way.iter().copied().collect()) {
            continue;
        }
        let steps = way.windows(2).map(|step| format!("{} names {}", short(one, step[0]), named[&(step[0], step[1])]));
        let steps: Vec<String> = steps.collect();
        let folder = one.files[*file].path.split("/src/").next().unwrap_or_default();
        complaints.push(format!("{folder}: {}", steps.join(", ")));
    }
    complaints
}

/// The shortest way from a file back to itself.
fn shortest(edges: &BTreeMap<usize, BTreeSet<usize>>, start: usize) -> Vec<usize> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for next in edges.get(&file).into_iter().flatten() {
            if before.contains_key(next) {
                continue;
            }
            before.insert(*next, file);
            if *next == start {
                let mut way = vec![start];
                let mut at = file;
                while at != start {
                    way.push(at);
                    at = before[&at];
                }
                way.push(start);
                way.reverse();
                return way;
            }
            waiting.push_back(*next);
        }
    }
    Vec::new()
}

fn short(one: &Crate, file: usize) -> &str {
    let path = &one.files[file].path;
    path.split_once("/src/").map_or(path, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn the_shortest_circle_through_each_file_is_shown() {
        let one = sample(
            "crates/a",
            &[
                ("lib.rs", "mod a; mod b; mod c; mod d;"),
                ("a.rs", "use crate::b::B; pub struct A;"),
                ("b.rs", "use crate::c::C; pub struct B;"),
                ("c.rs", "use crate::{a::A, b::B}; pub struct C;"),
                ("d.rs", "use crate::a::A;"),
            ],
        );
        assert_eq!(
            none(&[one]),
            [
                "crates/a: a.rs names crate::b::B, b.rs names crate::c::C, c.rs names crate::a::A",
                "crates/a: b.rs names crate::c::C, c.rs names crate::b::B",
            ]
        );
    }

    #[test]
    fn a_folder_that_lists_its_parts_makes_no_circle_and_one_that_uses_them_does() {
        let part = "use super::Shared;  pub struct Part;";
        let shared = "pub struct Shared;";
        let list = [
            ("lib.rs", "mod part; mod shared; pub use part::Part; pub use shared::Shared;"),
            ("part.rs", part),
            ("shared.rs", shared),
        ];
        assert_eq!(none(&[sample("crates/a", &list)]), Complaints::new());
        let room = [("lib.rs", "mod part; pub struct Shared; fn f(_: part::Part) {}"), ("part.rs", part)];
        assert_eq!(
            none(&[sample("crates/a", &room)]),
            ["crates/a: lib.rs names part::Part, part.rs names super::Shared"]
        );
    }

    #[test]
    fn a_noun_names_no_rule_even_by_a_re_export() {
        let files = [
            ("lib.rs", "mod model; mod rules; pub use rules::throttle::tries;"),
            ("model/mod.rs", "mod user;"),
            ("model/user.rs", "/// See [`crate::tries`].\npub struct User;"),
            ("rules/mod.rs", "pub mod throttle;"),
            ("rules/throttle.rs", "pub fn tries() {}"),
        ];
        let domain = sample("crates/domain", &files);
        assert_eq!(model_below_rules(&[domain]), Complaints::new());
        let mut files = files.to_vec();
        files[2].1 = "use crate::tries; fn f() { tries() }";
        assert_eq!(
            model_below_rules(&[sample("crates/domain", &files)]),
            ["crates/domain/src/model/user.rs names crate::tries"]
        );
    }
}
