//! Which users a list's query means (contract 1.9, 3.2), the same for both versions: those that match every field.
//!
//! Filters are exact. A filter whose value no user can have matches nobody; a filter nobody knows is ignored.

use domain::UserId;
use engine::UserFilter;

/// Before the name of a custom attribute.
const CUSTOM: &str = "custom_attributes.";

/// Reads a query.
pub fn of_query(query: &[(String, String)]) -> UserFilter {
    let mut filter = UserFilter::default();
    let mut nobody = false;
    for (name, value) in query {
        let text = || Some(value.clone());
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
            _ => {
                // One client sends its template's braces as they stand when it has no name to put in.
                let attribute = name.strip_prefix(CUSTOM).filter(|name| !name.is_empty() && !name.contains(['{', '}']));
                filter.custom_attributes.extend(attribute.map(|attribute| (attribute.to_owned(), value.clone())));
            }
        }
    }
    if nobody {
        filter.user_ids = Some(Vec::new());
    }
    filter
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

    fn filter(query: &str) -> UserFilter {
        of_query(&serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap())
    }

    #[test]
    fn every_field_of_the_contract_filters() {
        let given = filter(
            "username=a&email=a%40b.c&firstname=A&lastname=B&external_id=x&samaccountname=s&id=5&directory_id=6&group_id=7\
            &user_ids=1,%202&custom_attributes.team=red",
        );
        let text = |text: &str| Some(text.to_owned());
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
                custom_attributes: vec![("team".to_owned(), "red".to_owned())],
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
        assert_eq!(filter("username=").username, Some(String::new()));
    }
}
