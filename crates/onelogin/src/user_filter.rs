//! Which users a list's query means (contract 1.9, 3.2), the same for both versions: those that match every field.
//!
//! A `*` in a text stands for any characters; in v1 a `!` before it means all others. A filter whose value no user can
//! have matches nobody; a filter nobody knows is ignored.

use domain::{Timestamp, UserId};
use engine::{Span, TextFilter, UserFilter};

use crate::user_wire::Version;
use crate::wire_time;

/// Before the name of a custom attribute.
const CUSTOM: &str = "custom_attributes.";

/// Reads a query.
pub fn of_query(query: &[(String, String)], version: Version) -> UserFilter {
    let mut filter = UserFilter::default();
    let mut nobody = false;
    for (name, value) in query {
        let text = || Some(text(value, version));
        match name.as_str() {
            "username" => filter.username = text(),
            "email" => filter.email = text(),
            "firstname" => filter.firstname = text(),
            "lastname" => filter.lastname = text(),
            "external_id" => filter.external_id = text(),
            "samaccountname" => filter.samaccountname = text(),
            "id" => filter.id = Some(UserId(number(value).unwrap_or(NOBODY))),
            "directory_id" => filter.directory_id = Some(number(value).unwrap_or(NOBODY)),
            "group_id" => filter.group_id = Some(number(value).unwrap_or(NOBODY)),
            "user_ids" => {
                let ids = value.split(',').filter_map(|id| number(id.trim()).map(UserId)).collect();
                filter.user_ids = Some(ids);
            }
            // Nobody has a role or an application: they are not kept.
            "role_id" | "app_id" => nobody = true,
            _ => match span(&mut filter, name, version) {
                Some(_) if value.is_empty() => {}
                Some(end) => {
                    *end = wire_time::read(value).map(Timestamp);
                    nobody |= end.is_none();
                }
                None => {
                    // One client sends its template's braces as they stand when it has no name to put in.
                    let known = |name: &&str| !name.is_empty() && !name.contains(['{', '}']);
                    let attribute = name.strip_prefix(CUSTOM).filter(known);
                    filter
                        .custom_attributes
                        .extend(attribute.map(|name| (name.to_owned(), self::text(value, version))));
                }
            },
        }
    }
    if nobody {
        filter.user_ids = Some(Vec::new());
    }
    filter
}

fn text(value: &str, version: Version) -> TextFilter {
    let (text, negated) = match value.strip_prefix('!') {
        Some(rest) if version == Version::V1 => (rest, true),
        _ => (value, false),
    };
    TextFilter { text: text.to_owned(), wildcards: true, negated }
}

/// Which end of which span a parameter sets.
fn span<'f>(filter: &'f mut UserFilter, name: &str, version: Version) -> Option<&'f mut Option<Timestamp>> {
    let (span, end): (&mut Span, _) = match (name, version) {
        ("since" | "until", Version::V1) => (&mut filter.created, name),
        ("created_since" | "created_until", Version::V2) => (&mut filter.created, &name["created_".len()..]),
        ("updated_since" | "updated_until", Version::V2) => (&mut filter.updated, &name["updated_".len()..]),
        ("last_login_since" | "last_login_until", Version::V2) => {
            (&mut filter.last_login, &name["last_login_".len()..])
        }
        _ => return None,
    };
    Some(if end == "since" { &mut span.since } else { &mut span.until })
}

/// A number no user, group or directory has.
const NOBODY: i64 = -1;

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, version: Version) -> UserFilter {
        of_query(&serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap(), version)
    }

    fn filter(query: &str) -> UserFilter {
        read(query, Version::V2)
    }

    fn like(text: &str) -> TextFilter {
        TextFilter { text: text.to_owned(), wildcards: true, negated: false }
    }

    #[test]
    fn an_exclamation_mark_is_a_negation_in_v1_alone() {
        let not = TextFilter { negated: true, ..like("*@b.c") };
        assert_eq!(read("email=!*%40b.c", Version::V1).email, Some(not));
        assert_eq!(read("email=!*%40b.c", Version::V2).email, Some(like("!*@b.c")));
    }

    #[test]
    fn moments_bound_what_each_version_bounds() {
        let at = |text: &str| wire_time::read(text).map(Timestamp);
        let given = read("since=2026-03-01T09:30:00Z&until=2026-03-02&created_since=2020-01-01", Version::V1);
        let span = Span { since: at("2026-03-01T09:30:00.000Z"), until: at("2026-03-02T00:00:00Z") };
        assert_eq!(given, UserFilter { created: span, ..UserFilter::default() });
        let given = filter(
            "since=2020-01-01&created_since=2026-03-01&updated_until=2026-03-02&last_login_since=2026-03-03&last_login_until=",
        );
        assert_eq!(given.created, Span { since: at("2026-03-01"), until: None });
        assert_eq!(given.updated, Span { since: None, until: at("2026-03-02") });
        assert_eq!(given.last_login, Span { since: at("2026-03-03"), until: None });
        assert_eq!(filter("updated_since=yesterday").user_ids, Some(Vec::new()));
    }

    #[test]
    fn every_field_of_the_contract_filters() {
        let given = filter(
            "username=a&email=a%40b.c&firstname=A&lastname=B&external_id=x&samaccountname=s&id=5&directory_id=6&group_id=7\
            &user_ids=1,%202&custom_attributes.team=red",
        );
        let text = |text: &str| Some(like(text));
        assert_eq!(
            given,
            UserFilter {
                id: Some(UserId(5)),
                user_ids: Some(vec![UserId(1), UserId(2)]),
                username: text("a"),
                email: text("a@b.c"),
                external_id: text("x"),
                samaccountname: text("s"),
                firstname: text("A"),
                lastname: text("B"),
                directory_id: Some(6),
                group_id: Some(7),
                custom_attributes: vec![("team".to_owned(), like("red"))],
                ..UserFilter::default()
            }
        );
    }

    #[test]
    fn what_no_list_knows_is_ignored() {
        for query in
            ["limit=1&page=2", "custom_attributes.%7Battribute_name%7D=x", "custom_attributes.=x", "colour=red"]
        {
            assert_eq!(filter(query), UserFilter::default(), "{query}");
        }
    }

    #[test]
    fn what_no_user_can_have_matches_nobody() {
        assert_eq!(filter("id=x").id, Some(UserId(NOBODY)));
        assert_eq!(filter("directory_id=").directory_id, Some(NOBODY));
        assert_eq!(filter("user_ids=x,").user_ids, Some(Vec::new()));
        assert_eq!(filter("role_id=1&user_ids=5").user_ids, Some(Vec::new()));
        // An empty name is a name nobody has, and no reason to list everybody.
        assert_eq!(filter("username=").username, Some(like("")));
    }
}
