//! The fields of queries and bodies, by endpoint.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Flag,
    Object,
    /// A code, as a text or a number; leading zeros lost by a number are restored.
    Code,
    /// A number or its digits.
    Number,
}

/// A member of a body or an answer, or a parameter of a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) about: &'static str,
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

pub(super) const NONE: &[Field] = &[];
pub(super) const WAIT: &[Field] = &[number("wait", "Seconds to hold the poll until the person answers, at most 25")];
pub(super) const FIELDS: &[Field] =
    &[text("fields", "Members to answer with, joined by commas; the id is always among them")];
pub(super) const V1_USERS: &[Field] = &[
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
    text("since", "Created at or after this moment"),
    text("until", "Created at or before this moment"),
    text("sort", "`id` or `-id`"),
    text("fields", "Members to answer with, joined by commas"),
    number("limit", "Users on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
pub(super) const V2_USERS: &[Field] = &[
    text("username", "`*` matches any characters; so in all texts"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("external_id", "The id in another system"),
    text("samaccountname", "The account's name in a directory"),
    number("directory_id", "The directory"),
    number("app_id", "Matches no user: who has an app is not kept"),
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
pub(super) const V1_PAGES: &[Field] = &[
    number("limit", "Entries on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
pub(super) const V2_PAGES: &[Field] = &[
    number("limit", "Entries on a page, at most 50"),
    number("page", "Number of the page, from 1"),
    text("cursor", "A page, as an earlier answer named it"),
];
pub(super) const EVENTS: &[Field] = &[
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
pub(super) const USER: &[Field] = &[
    text("username", "The name to log in with; this or `email` is needed"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("phone", "The telephone number, as +14155550123"),
    text("external_id", "The id in another system"),
    object("custom_attributes", "Texts or null, by name"),
];
pub(super) const V2_USER: &[Field] = &[
    text("username", "The name to log in with; this or `email` is needed"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("phone", "The telephone number, as +14155550123"),
    text("external_id", "The id in another system"),
    object("custom_attributes", "Texts or null, by name"),
    text("password", "A password, or what another system kept of one; needs `Manage All`"),
    text("password_confirmation", "The same again"),
    text("password_algorithm", "`salt+sha256`, `sha256+salt` or `bcrypt`, for a password hashed elsewhere"),
    text("salt", "What it was hashed with, up to 40 characters"),
];
pub(super) const V1_VERIFY: &[Field] = &[
    code("otp_token", "The code; none polls for a person's answer"),
    text("state_token", "The token of the challenge"),
];
pub(super) const ENROL: &[Field] = &[
    must(number("factor_id", "The factor, as the list of factors names it")),
    text("display_name", "A name for people"),
    text("number", "A telephone number"),
    flag("verified", "Whether an administrator vouches for the number or address"),
];
pub(super) const REGISTER: &[Field] = &[
    must(number("factor_id", "The factor, as the list of factors names it")),
    text("display_name", "A name for people"),
    number("expires_in", "Life of the registration in seconds, 120 to 900"),
    flag("verified", "Whether an administrator vouches for the number or address"),
    text("custom_message", "Text of an SMS, with `{{otp_code}}` in it"),
];
pub(super) const CHALLENGE: &[Field] = &[
    number("device_id", "The device to challenge"),
    number("expires_in", "Life of the challenge in seconds, 120 to 900"),
    text("custom_message", "Text of an SMS, with `{{otp_code}}` in it"),
    code("otp", "A code: with it, the call verifies without a challenge"),
];
pub(super) const V2_VERIFY: &[Field] =
    &[must(code("otp", "The code")), number("device_id", "The device, if it is to be checked")];
pub(super) const V2_CONFIRM: &[Field] = &[must(code("otp", "The code"))];
pub(super) const TEMP_TOKEN: &[Field] =
    &[number("expires_in", "Life in seconds"), flag("reusable", "Whether it works until it is over, or once")];
pub(super) const V1_TRIGGER: &[Field] = &[
    number("state_token_expires_in", "Life of the state token in seconds, 1 to 900"),
    number("expires_in", "The same under another name"),
    flag("numeric_sms_otp", "Whether an SMS code has only digits"),
    text("sms_message", "The text to send, with {{otp_code}} in it"),
    text("ipaddr", "The address of the person, for the events"),
];
pub(super) const LOG_IN: &[Field] = &[
    must(text("username_or_email", "Who logs in")),
    must(text("password", "The password")),
    must(text("subdomain", "The account")),
    text("return_to_url", "Where the browser goes afterwards"),
    text("ip_address", "The browser's address"),
    text("browser_id", "What a browser is remembered by"),
];
pub(super) const STEP: &[Field] = &[
    must(text("state_token", "The token of the log-in")),
    must(number("device_id", "The device")),
    code("otp_token", "The code; none sends or polls"),
    flag("do_not_notify", "Whether to poll without sending anything"),
];
pub(super) const ASSERTION: &[Field] = &[
    must(text("username_or_email", "Who logs in")),
    must(text("password", "The password")),
    must(number("app_id", "The app")),
    must(text("subdomain", "The account")),
    text("ip_address", "The browser's address"),
];
pub(super) const ASSERTION_STEP: &[Field] = &[
    must(text("state_token", "The token of the log-in")),
    must(number("device_id", "The device")),
    must(number("app_id", "The app")),
    code("otp_token", "The code; none sends or polls"),
    flag("do_not_notify", "Whether to poll without sending anything"),
];
pub(super) const VISIT: &[Field] = &[
    must(text("user_identifier", "The username; created if no user has it")),
    text("email", "Where a code goes: this or `phone`"),
    text("phone", "Where a code goes: this or `email`"),
    must(object("context", "`ip` and `user_agent` of the visit")),
    number("risk_threshold", "A score of at least this costs a code, 0 to 100; default 50"),
    number("expires_in", "Life of the code in seconds, up to 900; default 480"),
    text("firstname", "Of a user who is created"),
    text("lastname", "Of a user who is created"),
];
pub(super) const VISIT_CODE: &[Field] =
    &[must(text("state_token", "The token of the visit")), must(code("otp_token", "The code"))];
pub(super) const GRANT: &[Field] = &[
    text("grant_type", "`client_credentials` or `refresh_token`"),
    text("refresh_token", "The refresh token"),
    text("access_token", "The access token it belongs to"),
];
pub(super) const CLEAR_PASSWORD: &[Field] = &[
    must(text("password", "The password")),
    must(text("password_confirmation", "The same again")),
    flag("validate_policy", "Whether the list of common passwords applies"),
];
pub(super) const SALTED_PASSWORD: &[Field] = &[
    must(text("password", "Lower-case hexadecimal SHA-256 of salt and password")),
    must(text("password_confirmation", "The same again")),
    text("password_algorithm", "`salt+sha256`"),
    text("password_salt", "The salt, up to 40 characters"),
];
pub(super) const REVOKE: &[Field] = &[must(text("access_token", "The access token"))];
pub(super) const STATE: &[Field] = &[must(number("state", "0 to 3"))];
pub(super) const LOCK: &[Field] = &[must(number("locked_until", "Minutes; 0 until unlocked"))];
pub(super) const CUSTOM_ATTRIBUTES: &[Field] = &[must(object("custom_attributes", "Texts or null, by name"))];
pub(super) const VALIDATE_POLICY: &[Field] = &[flag("validate_policy", "Whether the list of common passwords applies")];
pub(super) const SESSION: &[Field] = &[must(text("session_token", "The token, in a form"))];
