//! The fields of queries and bodies, by endpoint: the one list from which endpoints read and `openapi.json` describes.
//!
//! Fields are read by name, since each is accepted in several forms (contract 1.2). A read of a field that is not in the
//! list of its endpoint panics in builds with debug assertions, so every test of an endpoint checks its list. Such builds
//! also record what was read, so that a test finds fields that are described and never read.

/// What an endpoint reads, besides the parameters of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inputs {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static [Field],
    pub(crate) body: &'static [Field],
}

impl Inputs {
    /// Checks that a field of the query is described before it is read.
    pub(crate) fn reads_query(&self, name: &str) {
        self.reads(self.query, "query", name);
    }

    /// Checks that a member of the body is described before it is read.
    pub(crate) fn reads_body(&self, name: &str) {
        self.reads(self.body, "body", name);
    }

    fn reads(&self, described: &[Field], part: &'static str, name: &str) {
        if cfg!(debug_assertions) {
            let Self { method, path, .. } = self;
            assert!(
                described.iter().any(|field| field.name == name),
                "{method} {path} reads {name} of its {part}, which its list of fields does not have"
            );
            read::record(format!("{method} {path} {part} {name}"));
        }
    }
}

/// What endpoints have read, in builds with debug assertions.
pub(crate) mod read {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};

    static READ: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    pub(super) fn record(field: String) {
        READ.lock().unwrap_or_else(PoisonError::into_inner).insert(field);
    }

    /// Each as `METHOD PATH query|body NAME`; empty in builds without debug assertions.
    pub(crate) fn fields() -> BTreeSet<String> {
        READ.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    Object,
    /// A code, as a text or a number; leading zeros lost by a number are restored.
    Code,
    /// A number or its digits.
    Number,
}

/// A member of a body, or a parameter of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, required: false, about }
}
const fn text(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Text, about)
}
const fn number(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Number, about)
}
const fn flag(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Flag, about)
}
const fn code(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Code, about)
}
const fn object(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Object, about)
}
const fn must(field: Field) -> Field {
    Field { required: true, ..field }
}

/// Fields of all these lists, in their order.
macro_rules! joined {
    ($($list:expr),+ $(,)?) => {{
        const LISTS: &[&[Field]] = &[$($list),+];
        const ALL: [Field; total(LISTS)] = all(LISTS);
        &ALL
    }};
}

const fn total(lists: &[&[Field]]) -> usize {
    let (mut total, mut list) = (0, 0);
    while list < lists.len() {
        total += lists[list].len();
        list += 1;
    }
    total
}

const fn all<const N: usize>(lists: &[&[Field]]) -> [Field; N] {
    let mut joined = [text("", ""); N];
    let (mut place, mut list) = (0, 0);
    while list < lists.len() {
        let mut own = 0;
        while own < lists[list].len() {
            joined[place] = lists[list][own];
            place += 1;
            own += 1;
        }
        list += 1;
    }
    joined
}

pub(crate) const NONE: &[Field] = &[];
pub(crate) const WAIT: &[Field] = &[number("wait", "Seconds to hold the poll until the person answers, at most 25")];
pub(crate) const FIELDS: &[Field] =
    &[text("fields", "Members to answer with, joined by commas; the id is always among them")];
pub(crate) const V1_USERS: &[Field] = &[
    text("username", "`*` matches any characters, a leading `!` negates; so in all texts"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("external_id", "The id in another system"),
    text("samaccountname", "The account's name in a directory"),
    number("id", "The user's id"),
    number("directory_id", "The directory"),
    number("group_id", "The group"),
    number("role_id", "Matches no user: roles are not kept"),
    number("app_id", "Matches no user: the users of an app are not kept"),
    text("user_ids", "Ids, joined by commas, at most 100"),
    text("since", "Created at or after this moment"),
    text("until", "Created at or before this moment"),
    text("sort", "`id` or `-id`"),
    text("fields", "Members to answer with, joined by commas"),
    number("limit", "Users on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
pub(crate) const V2_USERS: &[Field] = &[
    text("username", "`*` matches any characters; so in all texts"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("external_id", "The id in another system"),
    text("samaccountname", "The account's name in a directory"),
    number("id", "The user's id"),
    number("directory_id", "The directory"),
    number("group_id", "The group"),
    number("role_id", "Matches no user: roles are not kept"),
    number("app_id", "Matches no user: the users of an app are not kept"),
    text("user_ids", "Ids, joined by commas, at most 100"),
    text("created_since", "Created at or after this moment"),
    text("created_until", "Created at or before this moment"),
    text("updated_since", "Changed at or after this moment"),
    text("updated_until", "Changed at or before this moment"),
    text("last_login_since", "Logged in at or after this moment"),
    text("last_login_until", "Logged in at or before this moment"),
    text("sort", "`id` or `-id`"),
    text("fields", "Members to answer with, joined by commas"),
    number("limit", "Users on a page, at most 50"),
    number("page", "Number of the page, from 1"),
    text("cursor", "A page, as an earlier answer named it"),
];
pub(crate) const V1_PAGES: &[Field] = &[
    text("sort", "`id` or `-id`; without effect, since the list is empty"),
    number("limit", "Entries on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
pub(crate) const V2_PAGES: &[Field] = &[
    text("sort", "`id` or `-id`"),
    number("limit", "Entries on a page, at most 50"),
    number("page", "Number of the page, from 1"),
    text("cursor", "A page, as an earlier answer named it"),
];
#[cfg(test)]
pub(crate) const ANY_PAGE: &[Field] = &[
    text("sort", "`id` or `-id`"),
    number("limit", "Entries on a page"),
    number("page", "Number of the page, from 1"),
    text("cursor", "A page"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
pub(crate) const EVENTS: &[Field] = &[
    number("id", "The event of this id"),
    text("event_type_id", "Types, joined by commas, at most 100"),
    number("user_id", "About this user"),
    text("client_id", "By this API client"),
    text("since", "At or after this moment"),
    text("until", "At or before this moment"),
    text("created_at", "At this moment"),
    number("directory_id", "Matches nothing: no directory is kept"),
    text("resolution", "Matches nothing: no resolution is kept"),
    text("sort", "`id` or `-id`"),
    text("fields", "Members to answer with, joined by commas"),
    number("limit", "Events on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
pub(crate) const USER: &[Field] = &[
    text("username", "The name to log in with; this or `email` is needed"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("phone", "The telephone number, as +14155550123"),
    text("external_id", "The id in another system"),
    object("custom_attributes", "Texts or null, by name"),
    text("company", "The company"),
    text("department", "The department"),
    text("title", "The job title"),
    text("comment", "Notes for people; may have several lines"),
    text("notes", "Notes for people; may have several lines"),
    text("samaccountname", "The account's name in a directory"),
    text("userprincipalname", "The principal's name in a directory"),
    text("distinguished_name", "The distinguished name in a directory"),
    text("member_of", "Groups in a directory, as it writes them"),
    text("openid_name", "The name in OpenID"),
    text("locale_code", "The language"),
    text("preferred_locale_code", "The preferred language"),
    text("manager_ad_id", "The manager's id in a directory"),
    number("manager_user_id", "The manager's id"),
    number("group_id", "The group's id"),
    number("directory_id", "The directory's id"),
    number("trusted_idp_id", "The id of a trusted identity provider"),
    number("status", "The status, 0 to 8; needs `Manage All`, otherwise ignored"),
    number("state", "The approval state, 0 to 3; needs `Manage All`, otherwise ignored"),
];
pub(crate) const V2_USER: &[Field] = joined!(USER, PASSWORD);
const PASSWORD: &[Field] = &[
    text("password", "A password, or the hash that another system kept; needs `Manage All`"),
    text("password_confirmation", "The same again"),
    text("password_algorithm", "`salt+sha256`, `sha256+salt` or `bcrypt`, for a password hashed elsewhere"),
    text("salt", "The salt of the hash, up to 40 characters"),
];
pub(crate) const V1_VERIFY: &[Field] = joined!(
    &[code("otp_token", "The code; without one, the call asks for a person's answer")],
    OTHER_NAMES_OF_A_CODE,
    &[text("state_token", "The token of the challenge")],
);
const OTHER_NAMES_OF_A_CODE: &[Field] =
    &[code("otp", "The same under another name"), code("otp_code", "The same under another name")];
pub(crate) const ENROL: &[Field] = &[
    must(number("factor_id", "The factor, as the list of factors names it")),
    text("display_name", "A name for people"),
    text("number", "The telephone number of SMS and voice, if not the user's own, as +14155550123"),
    text("phone", "The same under another name"),
    text("email", "The mail address of e-mail codes, if not the user's own"),
    flag("verified", "Whether an administrator vouches for the number or address"),
];
pub(crate) const REGISTER: &[Field] =
    joined!(ENROL, &[number("expires_in", "Life of the registration in seconds, 120 to 900")], TERMS);
const TERMS: &[Field] = &[
    text("custom_message", "Text of an SMS, with `{{otp_code}}` in it"),
    text("redirect_to", "An address on an allowed origin: the mail has a link, and the browser goes there afterwards"),
    text("ipaddr", "The address of the person, for the events and the page of a link"),
];
pub(crate) const CHALLENGE: &[Field] = joined!(
    &[
        number("device_id", "The device to challenge"),
        number("expires_in", "Life of the challenge in seconds, 120 to 900"),
    ],
    TERMS,
    &[code("otp", "A code: with it, the call verifies without a challenge")],
);
pub(crate) const V2_VERIFY: &[Field] =
    &[must(code("otp", "The code")), number("device_id", "The device, if it is to be checked")];
pub(crate) const V2_CONFIRM: &[Field] = &[must(code("otp", "The code"))];
pub(crate) const TEMP_TOKEN: &[Field] =
    &[number("expires_in", "Life in seconds"), flag("reusable", "Whether it works until it is over, or once")];
pub(crate) const ENROLLMENT_LINK: &[Field] = &[
    number("expires_in", "Life in seconds, 900 to 604800"),
    flag("replace", "Whether what is enrolled takes the place of the devices that there are"),
    text("deliver", "`email` or `sms`: the link goes to the address or number of the profile"),
];
pub(crate) const V1_TRIGGER: &[Field] = &[
    number("state_token_expires_in", "Life of the state token in seconds, 1 to 900"),
    number("expires_in", "The same under another name"),
    flag("numeric_sms_otp", "Whether an SMS code has only digits"),
    text("sms_message", "The text to send, with {{otp_code}} in it"),
    text("ipaddr", "The address of the person, for the events and the page of a link"),
];
pub(crate) const LOG_IN: &[Field] = &[
    must(text("username_or_email", "The name or mail address of the person")),
    must(text("password", "The password")),
    must(text("subdomain", "The account")),
    text("fields", "Custom attributes to answer with, joined by commas"),
    text("return_to_url", "Where the browser goes afterwards"),
    text("ip_address", "The browser's address"),
    text("browser_id", "The id by which a browser is remembered"),
];
pub(crate) const STEP: &[Field] = joined!(
    &[
        must(text("state_token", "The token of the log-in")),
        must(number("device_id", "The device")),
        code("otp_token", "The code; without one, the call sends a code or asks for a person's answer"),
    ],
    OTHER_NAMES_OF_A_CODE,
    &[flag("do_not_notify", "Whether to poll without sending anything")],
);
pub(crate) const ASSERTION: &[Field] = &[
    must(text("username_or_email", "The name or mail address of the person")),
    must(text("password", "The password")),
    must(number("app_id", "The app")),
    must(text("subdomain", "The account")),
    text("fields", "Read as at a log-in, and without effect"),
    text("return_to_url", "Read as at a log-in, and without effect"),
    text("ip_address", "The browser's address"),
    text("browser_id", "The id by which a browser is remembered"),
];
pub(crate) const ASSERTION_STEP: &[Field] = joined!(STEP, &[must(number("app_id", "The app"))]);
pub(crate) const VISIT: &[Field] = &[
    must(text("user_identifier", "The username; created if no user has it")),
    text("email", "Where a code goes: this or `phone`"),
    text("phone", "Where a code goes: this or `email`"),
    must(object("context", "`ip` and `user_agent` of the visit")),
    number("risk_threshold", "A score of at least this costs a code, 0 to 100; default 50"),
    number("expires_in", "Life of the code in seconds, up to 900; default 480"),
    text("firstname", "Of a user who is created"),
    text("lastname", "Of a user who is created"),
];
pub(crate) const VISIT_CODE: &[Field] =
    &[must(text("state_token", "The token of the visit")), must(code("otp_token", "The code"))];
pub(crate) const GRANT: &[Field] = &[
    text("grant_type", "`client_credentials` or `refresh_token`"),
    text("client_id", "The client's id, if no header has it"),
    text("client_secret", "The client's secret, if no header has it"),
    text("refresh_token", "The refresh token"),
    text("access_token", "The access token it belongs to"),
];
pub(crate) const GRANT_QUERY: &[Field] = &[
    text("grant_type", "The grant type, if the body has none"),
    text("client_id", "The client's id, if the body has none"),
];
pub(crate) const CLEAR_PASSWORD: &[Field] = &[
    must(text("password", "The password")),
    must(text("password_confirmation", "The same again")),
    text("password_algorithm", "Without effect"),
    text("password_salt", "Without effect"),
    flag("validate_policy", "Whether the list of common passwords applies"),
];
pub(crate) const SALTED_PASSWORD: &[Field] = &[
    must(text("password", "Lower-case hexadecimal SHA-256 of salt and password")),
    must(text("password_confirmation", "The same again")),
    text("password_algorithm", "`salt+sha256`"),
    text("password_salt", "The salt, up to 40 characters"),
];
pub(crate) const REVOKE: &[Field] = &[
    must(text("access_token", "The access token")),
    text("client_id", "The client's id, if no header has it"),
    text("client_secret", "The client's secret, if no header has it"),
    text("grant_type", "Ignored; some clients send it"),
];
pub(crate) const STATE: &[Field] = &[must(number("state", "0 to 3"))];
pub(crate) const LOCK: &[Field] = &[must(number("locked_until", "Minutes; 0 until unlocked"))];
pub(crate) const CUSTOM_ATTRIBUTES: &[Field] = &[must(object("custom_attributes", "Texts or null, by name"))];
pub(crate) const V2_WRITE: &[Field] = &[
    text("fields", "Members to answer with, joined by commas; the id is always among them"),
    flag("validate_policy", "Whether the list of common passwords applies"),
];
pub(crate) const SESSION: &[Field] = &[must(text("session_token", "The token, in a form"))];
