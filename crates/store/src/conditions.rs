//! Conditions that are put together for lists. Only our own words are joined; every value is a parameter.

use domain::model::name::{key, spelling};

use crate::query::{DevFilter, EventFilter, Page, Span, TextFilter, UserFilter};
use crate::schema::sql;
use crate::value::Value;
use crate::value::id;

/// Where the SQL of the two databases differs.
pub(crate) struct Words {
    /// That a user has a custom attribute of name `?`, followed by a condition on `value` and a closing parenthesis.
    pub(crate) has_attribute: &'static str,
    /// Operator after a text: it matches a pattern, case-sensitively.
    pub(crate) matches: &'static str,
    /// The pattern of a text in which each `*` matches any characters.
    pub(crate) pattern: fn(&str) -> String,
}

struct Conditions {
    text: String,
    params: Vec<Value>,
}

impl Conditions {
    fn new() -> Self {
        Self { text: String::new(), params: Vec::new() }
    }

    /// Adds ` AND ` and `condition`, replacing each `?` by the next value.
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        let mut values = values.into_iter();
        for (n, piece) in condition.split('?').enumerate() {
            if n > 0 {
                self.params.extend(values.next());
                self.text.push('$');
                self.text.push_str(&self.params.len().to_string());
            }
            self.text.push_str(piece);
        }
    }

    fn when<T: Into<Value>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.and(condition, [value.into()]);
        }
    }

    fn text(&mut self, column: &str, wanted: Option<&TextFilter>, words: &Words) {
        if let Some(wanted) = wanted {
            let (condition, value) = of_text(column, wanted, words);
            self.and(&condition, [value]);
        }
    }

    /// A name to log in with, which is found by its key. `kind` is the column that says which of the two it is.
    fn name(&mut self, kind: &str, wanted: Option<&TextFilter>, words: &Words) {
        if let Some(wanted) = wanted {
            let by_key = TextFilter { text: key(&wanted.text), wildcards: wanted.wildcards, negated: false };
            let (condition, value) = of_text("key", &by_key, words);
            let found = format!("id IN (SELECT user_id FROM login_name WHERE {condition} AND {kind} = 1)");
            self.and(&if wanted.negated { format!("({found}) IS NOT TRUE") } else { found }, [value]);
        }
    }

    fn span(&mut self, column: &str, span: Span) {
        self.when(&format!("{column} >= ?"), span.since);
        self.when(&format!("{column} <= ?"), span.until);
    }
}

/// The condition on a column, and its one value.
fn of_text(column: &str, wanted: &TextFilter, words: &Words) -> (String, Value) {
    let text = wanted.text.clone();
    let (condition, value) = if wanted.wildcards && text.contains('*') {
        (format!("{column} {}", words.matches), (words.pattern)(&text))
    } else {
        (format!("{column} = ?"), text)
    };
    let condition = if wanted.negated { format!("({condition}) IS NOT TRUE") } else { condition };
    (condition, value.into())
}

/// The conditions of a [`UserFilter`], to follow a `WHERE`.
fn of_users(filter: &UserFilter, words: &Words) -> (String, Vec<Value>) {
    let mut all = Conditions::new();
    all.when("id = ?", filter.id.map(|id| id.0));
    if let Some(ids) = &filter.user_ids {
        if ids.is_empty() {
            all.and("1 = 0", []);
        } else {
            let places = vec!["?"; ids.len()].join(", ");
            all.and(&format!("id IN ({places})"), ids.iter().map(|id| Value::Int(id.0)));
        }
    }
    all.name("is_username", filter.username.as_ref(), words);
    all.name("is_email", filter.email.as_ref(), words);
    let external_id = filter.external_id.as_ref();
    let external_id = external_id.map(|wanted| TextFilter { text: spelling(&wanted.text), ..wanted.clone() });
    all.text("external_id", external_id.as_ref(), words);
    all.text("(profile -> 'texts' ->> 'samaccountname')", filter.samaccountname.as_ref(), words);
    all.text("(profile -> 'texts' ->> 'firstname')", filter.firstname.as_ref(), words);
    all.text("(profile -> 'texts' ->> 'lastname')", filter.lastname.as_ref(), words);
    all.span("created_at", filter.created);
    all.span("updated_at", filter.updated);
    all.span("CAST(profile ->> 'last_login' AS bigint)", filter.last_login);
    all.when("CAST(profile -> 'integers' ->> 'directory_id' AS bigint) = ?", filter.directory_id);
    all.when("CAST(profile -> 'integers' ->> 'group_id' AS bigint) = ?", filter.group_id);
    for (name, value) in &filter.custom_attributes {
        let found = TextFilter { negated: false, ..value.clone() };
        let (condition, wanted) = of_text("value", &found, words);
        let not = if value.negated { "NOT " } else { "" };
        all.and(&format!("{not}{}{condition})", words.has_attribute), [name.as_str().into(), wanted]);
    }
    if let Some(offered) = &filter.without_usable {
        // A bit for each factor, and bit 0 for a disabled device: there is a device that was in use, and none to use.
        let offered = offered.iter().fold(0i64, |all, kind| all | 1 << kind.number());
        all.and("factors <> 0 AND (factors & ?) = 0", [offered.into()]);
        all.and("COALESCE(profile ->> 'mfa_policy', '') <> ?", ["off".into()]);
    }
    (all.text, all.params)
}

/// The statements of a page of users, each with its parameters: how many match, and who they are.
pub(crate) fn users_page(filter: &UserFilter, page: Page, words: &Words) -> [(String, Vec<Value>); 2] {
    let (conditions, counted) = of_users(filter, words);
    let (limit, offset) = (counted.len() + 1, counted.len() + 2);
    let mut listed = counted.clone();
    listed.push(Value::Int(page.limit.into()));
    listed.push(Value::Int(i64::try_from(page.offset).unwrap_or(i64::MAX)));
    let count = format!("{}{conditions}", sql::COUNT_USERS);
    let list = format!("{}{conditions} ORDER BY id LIMIT ${limit} OFFSET ${offset}", sql::USERS);
    [(count, counted), (list, listed)]
}

/// The end of a statement for the entries of an [`EventFilter`] whose ids lie between two, both included.
pub(crate) fn of_events(
    filter: &EventFilter,
    (low, high): (i64, i64),
    descending: bool,
    limit: usize,
) -> (String, Vec<Value>) {
    let mut all = Conditions::new();
    all.and("id >= ?", [low.into()]);
    all.and("id <= ?", [high.into()]);
    if let Some(kinds) = &filter.kinds {
        if kinds.is_empty() {
            all.and("1 = 0", []);
        } else {
            let places = vec!["?"; kinds.len()].join(", ");
            all.and(&format!("kind IN ({places})"), kinds.iter().map(|kind| Value::from(*kind)));
        }
    }
    all.when("user_id = ?", filter.user.map(|user| user.0));
    all.when("client_id = ?", filter.client.map(|client| client.0));
    all.span("at", filter.at);
    all.text.push_str(if descending { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    all.params.push(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    all.text.push('$');
    all.text.push_str(&all.params.len().to_string());
    (all.text, all.params)
}

/// The conditions of a [`DevFilter`], to follow a `WHERE`.
pub(crate) fn of_dev_messages(filter: &DevFilter) -> (String, Vec<Value>) {
    let mut all = Conditions::new();
    all.when("id > ?", filter.after);
    all.when("user_id = ?", filter.user_id.map(|id| id.0));
    all.when("device_id = ?", filter.device_id.map(|id| id.0));
    all.when("verification_id = ?", filter.verification_id.map(id));
    all.when("channel = ?", filter.channel.map(domain::Channel::name));
    all.when("\"to\" = ?", filter.to.as_deref());
    (all.text, all.params)
}
