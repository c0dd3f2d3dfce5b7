//! The filters of a list of users (contract 1.9, 3.2), for both versions: users that match all of them are listed.
//!
//! A `*` in a text matches any characters; in v1 a leading `!` negates. An unknown filter is ignored. A known one that
//! cannot be read is refused, and so is one too many: to "who has changed since" an empty list would be a wrong answer.

use domain::{Timestamp, UserId};
use engine::{Span, TextFilter, UserFilter};

use crate::wire::lists::{FILTERS, Unreadable, members};
use crate::wire::time;
use crate::wire::user::Version;

/// Before the name of a custom attribute.
const CUSTOM: &str = "custom_attributes.";

/// Reads a query. `reads` is called with the name of each filter that it has, except for custom attributes.
pub(crate) fn of_query(
    query: &[(String, String)],
    version: Version,
    reads: impl Fn(&str),
) -> Result<UserFilter, Unreadable> {
    let mut filter = UserFilter::default();
    let (mut nobody, mut filters) = (false, 0);
    for (name, value) in query {
        let text = || Some(text(value, version));
        let bad = || Unreadable(name.clone());
        let number = || match value.as_str() {
            // No user has an empty one.
            "" => Ok(NOBODY),
            digits => self::number(digits).ok_or_else(bad),
        };
        match name.as_str() {
            "username" => filter.username = text(),
            "email" => filter.email = text(),
            "firstname" => filter.firstname = text(),
            "lastname" => filter.lastname = text(),
            "external_id" => filter.external_id = text(),
            "samaccountname" => filter.samaccountname = text(),
            "id" => filter.id = Some(UserId(number()?)),
            "directory_id" => filter.directory_id = Some(number()?),
            "group_id" => filter.group_id = Some(number()?),
            "user_ids" => {
                let ids = members(name, value)?.into_iter().map(|id| self::number(id).map(UserId).ok_or_else(bad));
                filter.user_ids = Some(ids.collect::<Result<_, _>>()?);
            }
            "role_id" | "app_id" => {
                number()?;
                // No user has a role or an application: they are not kept.
                nobody = true;
            }
            _ => match span(&mut filter, name, version) {
                Some(_) if value.is_empty() => continue,
                Some(end) => *end = Some(time::read(value).map(Timestamp).ok_or_else(bad)?),
                None => {
                    // One client sends its template's braces when it has no name to insert.
                    let known = |name: &&str| !name.is_empty() && !name.contains(['{', '}']);
                    let Some(attribute) = name.strip_prefix(CUSTOM).filter(known) else { continue };
                    filter.custom_attributes.push((attribute.to_owned(), self::text(value, version)));
                }
            },
        }
        if !name.starts_with(CUSTOM) {
            reads(name);
        }
        filters += 1;
        if filters > FILTERS {
            return Err(bad());
        }
    }
    if nobody {
        filter.user_ids = Some(Vec::new());
    }
    Ok(filter)
}

fn text(value: &str, version: Version) -> TextFilter {
    let (text, negated) = match value.strip_prefix('!') {
        Some(rest) if version == Version::V1 => (rest, true),
        _ => (value, false),
    };
    TextFilter { text: text.to_owned(), wildcards: true, negated }
}

/// The end of a span that a parameter sets.
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
        try_read(query, version).unwrap()
    }

    fn try_read(query: &str, version: Version) -> Result<UserFilter, Unreadable> {
        of_query(&serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap(), version, |_| ())
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
        let at = |text: &str| time::read(text).map(Timestamp);
        let given = read("since=2026-03-01T09:30:00Z&until=2026-03-02&created_since=2020-01-01", Version::V1);
        let span = Span { since: at("2026-03-01T09:30:00.000Z"), until: at("2026-03-02T00:00:00Z") };
        assert_eq!(given, UserFilter { created: span, ..UserFilter::default() });
        let given = filter(
            "since=2020-01-01&created_since=2026-03-01&updated_until=2026-03-02&last_login_since=2026-03-03&last_login_until=",
        );
        assert_eq!(given.created, Span { since: at("2026-03-01"), until: None });
        assert_eq!(given.updated, Span { since: None, until: at("2026-03-02") });
        assert_eq!(given.last_login, Span { since: at("2026-03-03"), until: None });
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
        assert_eq!(filter("directory_id=").directory_id, Some(NOBODY));
        assert_eq!(filter("user_ids=").user_ids, Some(Vec::new()));
        assert_eq!(filter("user_ids=5,").user_ids, Some(vec![UserId(5)]));
        assert_eq!(filter("role_id=1&user_ids=5").user_ids, Some(Vec::new()));
        // An empty name matches no user, rather than all.
        assert_eq!(filter("username=").username, Some(like("")));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_name() {
        for (query, name) in [
            ("id=x", "id"),
            ("id=-1", "id"),
            ("id=99999999999999999999", "id"),
            ("directory_id=x", "directory_id"),
            ("group_id=1.5", "group_id"),
            ("role_id=x", "role_id"),
            ("user_ids=1,abc", "user_ids"),
            ("email=a&updated_since=yesterday", "updated_since"),
            ("created_until=1700000000", "created_until"),
        ] {
            assert_eq!(try_read(query, Version::V2), Err(Unreadable(name.to_owned())), "{query}");
        }
        assert_eq!(try_read("until=2026-13-01", Version::V1), Err(Unreadable("until".to_owned())));
        assert_eq!(try_read("until=2026-13-01", Version::V2), Ok(UserFilter::default()), "not one of this version");
    }

    #[test]
    fn a_call_has_so_many_filters_and_so_many_ids() {
        let attributes = |count: usize| {
            (0..count).map(|n| format!("custom_attributes.a{n}=!v")).collect::<Vec<_>>().join("&") + "&limit=1&page=2"
        };
        assert_eq!(read(&attributes(FILTERS), Version::V1).custom_attributes.len(), FILTERS);
        let refused = Err(Unreadable(format!("custom_attributes.a{FILTERS}")));
        assert_eq!(try_read(&attributes(FILTERS + 1), Version::V1), refused);
        let ids = |count: usize| format!("user_ids={}", vec!["7"; count].join(","));
        assert_eq!(filter(&ids(100)).user_ids.unwrap().len(), 100);
        assert_eq!(try_read(&ids(101), Version::V2), Err(Unreadable("user_ids".to_owned())));
    }
}
