//! What each route takes and answers, in words and shapes. A test compares the list with the route table both ways, so no
//! route is without its description and no description without its route.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Flag,
    Object,
    /// A code: a text or a number; leading zeros that it lost are restored.
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

/// What success looks like; names are those of the examples, and most of [`SCHEMAS`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Success {
    /// 200 with the envelope of version 1 and an array of these.
    V1(&'static str),
    /// The same with the places of the pages around.
    V1Page(&'static str),
    /// 200 with the envelope of version 1 and one of these.
    V1One(&'static str),
    /// 200 with the envelope of version 1, whose message and data differ from answer to answer.
    V1Whole(&'static str),
    /// 200 with the envelope of version 1 alone.
    V1Echo,
    /// This, as it is.
    Object(u16, &'static str),
    /// An array of these.
    Array(u16, &'static str),
    /// 204.
    Nothing,
    /// There is none: nothing of this kind is kept.
    Missing,
    /// 200 with something that is no JSON.
    Other(&'static str),
}

/// A route.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [Field],
    pub(super) body: &'static [Field],
    pub(super) success: Success,
}

macro_rules! operations {
    ($($tag:literal { $($method:ident $path:literal $summary:literal ? $query:expr, $body:expr => $success:expr;)* })*) => {
        pub(super) const OPERATIONS: &[Operation] = &[$($(Operation {
            method: stringify!($method),
            path: $path,
            tag: $tag,
            summary: $summary,
            query: $query,
            body: $body,
            success: $success,
        },)*)*];
    };
}

const NONE: &[Field] = &[];
const WAIT: &[Field] = &[number("wait", "Seconds to hold the poll until the person answers, at most 25")];
const FIELDS: &[Field] = &[text("fields", "Members to answer with, joined by commas; the id is always among them")];
const V1_USERS: &[Field] = &[
    text("username", "`*` stands for any characters, a `!` before it for all others; so in all texts"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("external_id", "The id in another system"),
    text("samaccountname", "The account's name in a directory"),
    number("id", "The user's id"),
    number("directory_id", "The directory"),
    number("group_id", "The group"),
    number("role_id", "Matches nobody: no role is kept"),
    text("since", "Created at or after this moment"),
    text("until", "Created at or before this moment"),
    text("sort", "`id` or `-id`"),
    text("fields", "Members to answer with, joined by commas"),
    number("limit", "Users on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
const V2_USERS: &[Field] = &[
    text("username", "`*` stands for any characters; so in all texts"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("external_id", "The id in another system"),
    text("samaccountname", "The account's name in a directory"),
    number("directory_id", "The directory"),
    number("app_id", "Matches nobody: whose an app is is not kept"),
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
const V1_PAGES: &[Field] = &[
    number("limit", "Entries on a page, at most 50"),
    text("after_cursor", "The page after"),
    text("before_cursor", "The page before"),
];
const V2_PAGES: &[Field] = &[
    number("limit", "Entries on a page, at most 50"),
    number("page", "Number of the page, from 1"),
    text("cursor", "A page, as an earlier answer named it"),
];
const EVENTS: &[Field] = &[
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
const USER: &[Field] = &[
    text("username", "The name to log in with; this or `email` is needed"),
    text("email", "The mail address"),
    text("firstname", "The first name"),
    text("lastname", "The last name"),
    text("phone", "The telephone number, as +14155550123"),
    text("external_id", "The id in another system"),
    object("custom_attributes", "Texts or null, by name"),
];
const V2_USER: &[Field] = &[
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
const V1_VERIFY: &[Field] = &[
    code("otp_token", "The code; none polls for a person's answer"),
    text("state_token", "The token of the challenge"),
];
const ENROL: &[Field] = &[
    must(number("factor_id", "The factor, as the list of factors names it")),
    text("display_name", "A name for people"),
    text("number", "A telephone number"),
    flag("verified", "Whether an administrator vouches for the number or address"),
];
const REGISTER: &[Field] = &[
    must(number("factor_id", "The factor, as the list of factors names it")),
    text("display_name", "A name for people"),
    number("expires_in", "Life of the registration in seconds, 120 to 900"),
    flag("verified", "Whether an administrator vouches for the number or address"),
    text("custom_message", "Text of an SMS, with `{{otp_code}}` in it"),
];
const CHALLENGE: &[Field] = &[
    number("device_id", "The device to challenge"),
    number("expires_in", "Life of the challenge in seconds, 120 to 900"),
    text("custom_message", "Text of an SMS, with `{{otp_code}}` in it"),
    code("otp", "A code: with it, the call verifies without a challenge"),
];
const V2_VERIFY: &[Field] = &[must(code("otp", "The code")), number("device_id", "The device, if it is to be checked")];
const V2_CONFIRM: &[Field] = &[must(code("otp", "The code"))];
const TEMP_TOKEN: &[Field] =
    &[number("expires_in", "Life in seconds"), flag("reusable", "Whether it works until it is over, or once")];
const V1_TRIGGER: &[Field] = &[
    number("state_token_expires_in", "Life of the state token in seconds, 1 to 900"),
    number("expires_in", "The same under another name"),
    flag("numeric_sms_otp", "Whether an SMS code has only digits"),
    text("sms_message", "The text to send, with {{otp_code}} in it"),
    text("ipaddr", "The address of the person, for the events"),
];
const LOG_IN: &[Field] = &[
    must(text("username_or_email", "Who logs in")),
    must(text("password", "The password")),
    must(text("subdomain", "The account")),
    text("return_to_url", "Where the browser goes afterwards"),
    text("ip_address", "The browser's address"),
    text("browser_id", "What a browser is remembered by"),
];
const STEP: &[Field] = &[
    must(text("state_token", "The token of the log-in")),
    must(number("device_id", "The device")),
    code("otp_token", "The code; none sends or polls"),
    flag("do_not_notify", "Whether to poll without sending anything"),
];
const ASSERTION: &[Field] = &[
    must(text("username_or_email", "Who logs in")),
    must(text("password", "The password")),
    must(number("app_id", "The app")),
    must(text("subdomain", "The account")),
    text("ip_address", "The browser's address"),
];
const ASSERTION_STEP: &[Field] = &[
    must(text("state_token", "The token of the log-in")),
    must(number("device_id", "The device")),
    must(number("app_id", "The app")),
    code("otp_token", "The code; none sends or polls"),
    flag("do_not_notify", "Whether to poll without sending anything"),
];
const VISIT: &[Field] = &[
    must(text("user_identifier", "The username; created if nobody has it")),
    text("email", "Where a code goes: this or `phone`"),
    text("phone", "Where a code goes: this or `email`"),
    must(object("context", "`ip` and `user_agent` of the visit")),
    number("risk_threshold", "A score of at least this costs a code, 0 to 100; default 50"),
    number("expires_in", "Life of the code in seconds, up to 900; default 480"),
    text("firstname", "Of a user who is created"),
    text("lastname", "Of a user who is created"),
];
const VISIT_CODE: &[Field] =
    &[must(text("state_token", "The token of the visit")), must(code("otp_token", "The code"))];
const GRANT: &[Field] = &[
    text("grant_type", "`client_credentials` or `refresh_token`"),
    text("refresh_token", "The refresh token"),
    text("access_token", "The access token it belongs to"),
];
const CLEAR_PASSWORD: &[Field] = &[
    must(text("password", "The password")),
    must(text("password_confirmation", "The same again")),
    flag("validate_policy", "Whether the list of common passwords applies"),
];
const SALTED_PASSWORD: &[Field] = &[
    must(text("password", "Lower-case hexadecimal SHA-256 of salt and password")),
    must(text("password_confirmation", "The same again")),
    text("password_algorithm", "`salt+sha256`"),
    text("password_salt", "The salt, up to 40 characters"),
];

operations! {
    "Tokens" {
        POST "/auth/oauth2/v2/token" "Get tokens, as RFC 6749 has it" ? NONE, GRANT => Success::Object(200, "Token");
        POST "/auth/oauth2/token" "Get tokens, in the older shape" ? NONE, GRANT => Success::V1("Token");
        POST "/auth/oauth2/revoke" "Revoke tokens" ? NONE, &[must(text("access_token", "The access token"))] => Success::V1Echo;
        GET "/auth/rate_limit" "How many calls are left of this hour" ? NONE, NONE => Success::V1One("RateLimit");
    }
    "Users" {
        GET "/api/1/users" "List users" ? V1_USERS, NONE => Success::V1Page("User");
        POST "/api/1/users" "Create a user" ? NONE, USER => Success::V1("User");
        GET "/api/1/users/{user_id}" "Read a user" ? FIELDS, NONE => Success::V1("User");
        PUT "/api/1/users/{user_id}" "Change a user" ? NONE, USER => Success::V1("User");
        DELETE "/api/1/users/{user_id}" "Delete a user" ? NONE, NONE => Success::V1Echo;
        PUT "/api/1/users/set_password_clear_text/{user_id}" "Set a password" ? NONE, CLEAR_PASSWORD => Success::V1Echo;
        PUT "/api/1/users/set_password_using_salt/{user_id}" "Set a password that was hashed elsewhere" ? NONE, SALTED_PASSWORD => Success::V1Echo;
        PUT "/api/1/users/{user_id}/set_state" "Set the approval state" ? NONE, &[must(number("state", "0 to 3"))] => Success::V1Echo;
        PUT "/api/1/users/{user_id}/lock_user" "Lock a user" ? NONE, &[must(number("locked_until", "Minutes; 0 until unlocked"))] => Success::V1Echo;
        PUT "/api/1/users/{user_id}/logout" "End a user's sessions and open challenges" ? NONE, NONE => Success::V1Echo;
        PUT "/api/1/users/{user_id}/set_custom_attributes" "Set custom attributes" ? NONE, &[must(object("custom_attributes", "Texts or null, by name"))] => Success::V1Echo;
        GET "/api/1/users/custom_attributes" "Names of custom attributes in use" ? NONE, NONE => Success::V1("Names");
        GET "/api/1/users/{user_id}/roles" "Roles: none are kept" ? NONE, NONE => Success::V1("NoRoles");
        GET "/api/1/users/{user_id}/apps" "Apps: none are kept" ? NONE, NONE => Success::V1("NoApps");
        GET "/api/2/users" "List users" ? V2_USERS, NONE => Success::Array(200, "User");
        POST "/api/2/users" "Create a user" ? &[flag("validate_policy", "Whether the list of common passwords applies")], V2_USER => Success::Object(201, "User");
        GET "/api/2/users/{user_id}" "Read a user" ? FIELDS, NONE => Success::Object(200, "User");
        PUT "/api/2/users/{user_id}" "Change a user" ? &[flag("validate_policy", "Whether the list of common passwords applies")], V2_USER => Success::Object(200, "User");
        DELETE "/api/2/users/{user_id}" "Delete a user" ? NONE, NONE => Success::Nothing;
        POST "/api/2/users/{user_id}/unlock" "Lift every lock of a user" ? NONE, NONE => Success::Object(200, "Unlocked");
        GET "/api/2/users/{user_id}/apps" "Apps: none are kept" ? NONE, NONE => Success::Array(200, "Any");
    }
    "Always empty, for clients that ask" {
        GET "/api/1/roles" "List roles: none are kept" ? V1_PAGES, NONE => Success::V1Page("Any");
        GET "/api/1/roles/{id}" "Read a role: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/1/groups" "List groups: none are kept" ? V1_PAGES, NONE => Success::V1Page("Any");
        GET "/api/1/groups/{id}" "Read a group: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/1/apps" "List apps: none are kept" ? V1_PAGES, NONE => Success::V1Page("Any");
        GET "/api/1/apps/{id}" "Read an app: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/1/connectors" "List connectors: none are kept" ? V1_PAGES, NONE => Success::V1Page("Any");
        GET "/api/1/connectors/{id}" "Read a connector: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/2/roles" "List roles: none are kept" ? V2_PAGES, NONE => Success::Array(200, "Any");
        GET "/api/2/roles/{id}" "Read a role: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/2/groups" "List groups: none are kept" ? V2_PAGES, NONE => Success::Array(200, "Any");
        GET "/api/2/groups/{id}" "Read a group: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/2/apps" "List apps: none are kept" ? V2_PAGES, NONE => Success::Array(200, "Any");
        GET "/api/2/apps/{id}" "Read an app: 404, none is kept" ? NONE, NONE => Success::Missing;
        GET "/api/2/connectors" "List connectors: none are kept" ? V2_PAGES, NONE => Success::Array(200, "Any");
        GET "/api/2/connectors/{id}" "Read a connector: 404, none is kept" ? NONE, NONE => Success::Missing;
    }
    "MFA, version 1" {
        GET "/api/1/users/{user_id}/auth_factors" "Factors the user can still enrol" ? NONE, NONE => Success::V1One("V1Factors");
        GET "/api/1/users/{user_id}/auth_factor" "Alias for one SDK" ? NONE, NONE => Success::V1One("V1Factors");
        POST "/api/1/users/{user_id}/otp_devices" "Enrol a device" ? NONE, ENROL => Success::V1("V1Enrolled");
        GET "/api/1/users/{user_id}/otp_devices" "List devices" ? NONE, NONE => Success::V1One("V1Devices");
        DELETE "/api/1/users/{user_id}/otp_devices/{device_id}" "Remove a device" ? NONE, NONE => Success::V1Echo;
        POST "/api/1/users/{user_id}/otp_devices/{device_id}/trigger" "Challenge a device" ? NONE, V1_TRIGGER => Success::V1Whole("V1Triggered");
        POST "/api/1/users/{user_id}/otp_devices/{device_id}/verify" "Verify a code, or ask whether the push was answered" ? WAIT, V1_VERIFY => Success::V1Echo;
        POST "/api/1/users/{user_id}/mfa_token" "Issue a temporary token" ? NONE, TEMP_TOKEN => Success::Object(201, "TempToken");
    }
    "MFA, version 2" {
        GET "/api/2/mfa/users/{user_id}/factors" "Factors the user can still enrol" ? NONE, NONE => Success::Array(200, "Factor");
        POST "/api/2/mfa/users/{user_id}/registrations" "Begin to enrol a device" ? NONE, REGISTER => Success::Object(201, "Registration");
        GET "/api/2/mfa/users/{user_id}/registrations/{id}" "How a registration stands" ? WAIT, NONE => Success::Object(200, "Registered");
        PUT "/api/2/mfa/users/{user_id}/registrations/{id}" "Finish a registration with a code" ? NONE, V2_CONFIRM => Success::Object(200, "Finished");
        GET "/api/2/mfa/users/{user_id}/devices" "List devices in use" ? NONE, NONE => Success::Array(200, "Device");
        DELETE "/api/2/mfa/users/{user_id}/devices/{device_id}" "Remove a device" ? NONE, NONE => Success::Nothing;
        POST "/api/2/mfa/users/{user_id}/verifications" "Challenge a device, or judge a code without a challenge" ? NONE, CHALLENGE => Success::Object(201, "Challenge");
        GET "/api/2/mfa/users/{user_id}/verifications/{id}" "How a challenge stands" ? WAIT, NONE => Success::Object(200, "Standing");
        PUT "/api/2/mfa/users/{user_id}/verifications/{id}" "Answer a challenge with a code" ? NONE, V2_VERIFY => Success::Object(200, "Verified");
        POST "/api/2/mfa/users/{user_id}/mfa_token" "Issue a temporary token" ? NONE, TEMP_TOKEN => Success::Object(201, "TempToken");
    }
    "Smart MFA" {
        POST "/api/2/smart-mfa" "Judge a visit, and send a code if it is new" ? NONE, VISIT => Success::Object(200, "Visit");
        POST "/api/2/smart-mfa/verify" "Judge the code of a visit" ? NONE, VISIT_CODE => Success::Object(200, "Empty");
        POST "/api/2/verify" "Alias for one SDK" ? NONE, VISIT_CODE => Success::Object(200, "Empty");
    }
    "Logging in" {
        POST "/api/1/login/auth" "Log in with a password" ? NONE, LOG_IN => Success::V1Whole("LogIn");
        POST "/api/1/login/verify_factor" "Take a log-in one step further" ? WAIT, STEP => Success::V1Whole("Step");
        POST "/api/2/login/auth" "The same as in version 1" ? NONE, LOG_IN => Success::V1Whole("LogIn");
        POST "/api/2/login/verify_factor" "The same as in version 1" ? WAIT, STEP => Success::V1Whole("Step");
        POST "/session_via_api_token" "Exchange a session token for a session" ? NONE, &[must(text("session_token", "The token, in a form"))] => Success::Other("text/html");
        OPTIONS "/session_via_api_token" "Whether an origin may do so" ? NONE, NONE => Success::Nothing;
    }
    "SAML assertions" {
        POST "/api/1/saml_assertion" "Get an assertion" ? NONE, ASSERTION => Success::V1Whole("V1Assertion");
        POST "/api/1/saml_assertion/verify_factor" "Take it one step further" ? WAIT, ASSERTION_STEP => Success::V1Whole("V1AssertionStep");
        POST "/api/2/saml_assertion" "Get an assertion" ? NONE, ASSERTION => Success::Object(200, "Assertion");
        POST "/api/2/saml_assertion/verify_factor" "Take it one step further" ? WAIT, ASSERTION_STEP => Success::Object(200, "AssertionStep");
        POST "/api/2/saml-assertions" "Alias for one SDK" ? NONE, ASSERTION => Success::Object(200, "Assertion");
        POST "/api/2/saml-assertions/verify_factor" "Alias for one SDK" ? WAIT, ASSERTION_STEP => Success::Object(200, "AssertionStep");
        GET "/saml/metadata" "What services trust" ? NONE, NONE => Success::Other("application/samlmetadata+xml");
    }
    "Events" {
        GET "/api/1/events" "List events" ? EVENTS, NONE => Success::V1Page("Event");
        GET "/api/1/events/types" "Types of events" ? NONE, NONE => Success::V1("EventType");
        GET "/api/1/events/{event_id}" "Read an event" ? NONE, NONE => Success::V1("Event");
    }
    "This description" {
        GET "/openapi.json" "This document" ? NONE, NONE => Success::Object(200, "Any");
        GET "/docs" "This document, to read" ? NONE, NONE => Success::Other("text/html");
    }
}

/// A named shape: its members, which may be null, beside others.
pub(super) const SCHEMAS: &[(&str, &[(&str, Kind)])] = &[
    (
        "Token",
        &[
            ("access_token", Kind::Text),
            ("refresh_token", Kind::Text),
            ("token_type", Kind::Text),
            ("expires_in", Kind::Integer),
            ("created_at", Kind::Text),
            ("account_id", Kind::Integer),
        ],
    ),
    (
        "RateLimit",
        &[
            ("X-RateLimit-Limit", Kind::Integer),
            ("X-RateLimit-Remaining", Kind::Integer),
            ("X-RateLimit-Reset", Kind::Integer),
        ],
    ),
    (
        "User",
        &[
            ("id", Kind::Integer),
            ("username", Kind::Text),
            ("email", Kind::Text),
            ("firstname", Kind::Text),
            ("lastname", Kind::Text),
            ("phone", Kind::Text),
            ("status", Kind::Integer),
            ("state", Kind::Integer),
            ("external_id", Kind::Text),
            ("created_at", Kind::Text),
            ("updated_at", Kind::Text),
            ("last_login", Kind::Text),
            ("locked_until", Kind::Text),
            ("custom_attributes", Kind::Object),
        ],
    ),
    (
        "V1Enrolled",
        &[
            ("id", Kind::Integer),
            ("type_display_name", Kind::Text),
            ("auth_factor_name", Kind::Text),
            ("state_token", Kind::Text),
        ],
    ),
    (
        "TempToken",
        &[("mfa_token", Kind::Text), ("reusable", Kind::Flag), ("expires_at", Kind::Text), ("device_id", Kind::Number)],
    ),
    ("Registration", &[("id", Kind::Text), ("status", Kind::Text), ("factor_data", Kind::Object)]),
    ("Challenge", &[("id", Kind::Text), ("status", Kind::Text), ("expires_at", Kind::Text)]),
    ("Standing", &[("id", Kind::Text), ("status", Kind::Text), ("device_id", Kind::Text)]),
    ("Visit", &[("user_id", Kind::Integer), ("risk", Kind::Object), ("mfa", Kind::Object)]),
    (
        "Event",
        &[
            ("id", Kind::Integer),
            ("created_at", Kind::Text),
            ("event_type_id", Kind::Integer),
            ("user_id", Kind::Integer),
            ("user_name", Kind::Text),
            ("client_id", Kind::Text),
            ("otp_device_id", Kind::Integer),
            ("otp_device_name", Kind::Text),
            ("ipaddr", Kind::Text),
            ("error_description", Kind::Text),
        ],
    ),
    ("EventType", &[("id", Kind::Integer), ("name", Kind::Text), ("description", Kind::Text)]),
];
