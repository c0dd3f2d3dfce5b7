//! What each route takes and answers. A test compares the list with the route table both ways, so no route is without its
//! description and no description without its route.

use crate::wire::fields::{
    ASSERTION, ASSERTION_STEP, CHALLENGE, CLEAR_PASSWORD, CUSTOM_ATTRIBUTES, ENROL, ENROLLMENT_LINK, EVENTS, FIELDS,
    GRANT, GRANT_QUERY, Inputs, LOCK, LOG_IN, NONE, REGISTER, REVOKE, SALTED_PASSWORD, SESSION, STATE, STEP,
    TEMP_TOKEN, USER, V1_PAGES, V1_TRIGGER, V1_USERS, V1_VERIFY, V2_CONFIRM, V2_PAGES, V2_USER, V2_USERS, V2_VERIFY,
    V2_WRITE, VISIT, VISIT_CODE, WAIT,
};

/// The shape of a success. Names are those of the examples; most are schemas too.
#[derive(Debug, Clone, Copy)]
pub(super) enum Success {
    /// 200 with the envelope of version 1 and an array of these.
    V1(&'static str),
    /// The same with `pagination`.
    V1Page(&'static str),
    /// 200 with the envelope of version 1 and one of these.
    V1One(&'static str),
    /// 200 with the envelope of version 1, whose message and data differ from answer to answer.
    V1Whole(&'static str),
    /// 200 with the envelope of version 1 alone.
    V1Echo,
    /// This object, without an envelope.
    Object(u16, &'static str),
    /// An array of these, without an envelope.
    Array(u16, &'static str),
    /// 204 without a body.
    Nothing,
    /// Always 404: nothing of this kind is kept.
    Missing,
    /// 200 with this content type, which is not JSON.
    Other(&'static str),
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) inputs: Inputs,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) success: Success,
}

impl Operation {
    /// Whether it answers in the shapes of version 1.
    pub(super) fn is_v1(&self) -> bool {
        !self.inputs.path.starts_with("/api/2")
    }
}

macro_rules! operations {
    ($($tag:literal { $($method:ident $path:literal $summary:literal ? $query:expr, $body:expr => $success:expr;)* })*) => {
        pub(super) static OPERATIONS: &[Operation] = &[$($(Operation {
            inputs: Inputs { method: stringify!($method), path: $path, query: $query, body: $body },
            tag: $tag,
            summary: $summary,
            success: $success,
        },)*)*];
    };
}

operations! {
    "Tokens" {
        POST "/auth/oauth2/v2/token" "Get tokens, as RFC 6749 has it" ? GRANT_QUERY, GRANT => Success::Object(200, "Token");
        POST "/auth/oauth2/token" "Get tokens, in the older shape" ? GRANT_QUERY, GRANT => Success::V1("Token");
        POST "/auth/oauth2/revoke" "Revoke tokens" ? GRANT_QUERY, REVOKE => Success::V1Echo;
        GET "/auth/rate_limit" "How many calls are left of this hour" ? NONE, NONE => Success::V1One("RateLimit");
    }
    "Users" {
        GET "/api/1/users" "List users" ? V1_USERS, NONE => Success::V1Page("User");
        POST "/api/1/users" "Create a user" ? FIELDS, USER => Success::V1("User");
        GET "/api/1/users/{user_id}" "Read a user" ? FIELDS, NONE => Success::V1("User");
        PUT "/api/1/users/{user_id}" "Change a user" ? FIELDS, USER => Success::V1("User");
        DELETE "/api/1/users/{user_id}" "Delete a user" ? NONE, NONE => Success::V1Echo;
        PUT "/api/1/users/set_password_clear_text/{user_id}" "Set a password" ? NONE, CLEAR_PASSWORD => Success::V1Echo;
        PUT "/api/1/users/set_password_using_salt/{user_id}" "Set a password that was hashed elsewhere" ? NONE, SALTED_PASSWORD => Success::V1Echo;
        PUT "/api/1/users/{user_id}/set_state" "Set the approval state" ? NONE, STATE => Success::V1Echo;
        PUT "/api/1/users/{user_id}/lock_user" "Lock a user" ? NONE, LOCK => Success::V1Echo;
        PUT "/api/1/users/{user_id}/logout" "End a user's sessions and open challenges" ? NONE, NONE => Success::V1Echo;
        PUT "/api/1/users/{user_id}/set_custom_attributes" "Set custom attributes" ? NONE, CUSTOM_ATTRIBUTES => Success::V1Echo;
        GET "/api/1/users/custom_attributes" "Names of custom attributes in use" ? NONE, NONE => Success::V1("Names");
        GET "/api/1/users/{user_id}/roles" "Roles: none are kept" ? NONE, NONE => Success::V1("NoRoles");
        GET "/api/1/users/{user_id}/apps" "Apps: none are kept" ? NONE, NONE => Success::V1("NoApps");
        GET "/api/2/users" "List users" ? V2_USERS, NONE => Success::Array(200, "User");
        POST "/api/2/users" "Create a user" ? V2_WRITE, V2_USER => Success::Object(201, "User");
        GET "/api/2/users/{user_id}" "Read a user" ? FIELDS, NONE => Success::Object(200, "User");
        PUT "/api/2/users/{user_id}" "Change a user" ? V2_WRITE, V2_USER => Success::Object(200, "User");
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
        GET "/api/2/mfa/users/{user_id}/registrations/{id}" "Read the state of a registration" ? WAIT, NONE => Success::Object(200, "Registered");
        PUT "/api/2/mfa/users/{user_id}/registrations/{id}" "Finish a registration with a code" ? NONE, V2_CONFIRM => Success::Object(200, "Finished");
        GET "/api/2/mfa/users/{user_id}/devices" "List devices in use" ? NONE, NONE => Success::Array(200, "Device");
        DELETE "/api/2/mfa/users/{user_id}/devices/{device_id}" "Remove a device" ? NONE, NONE => Success::Nothing;
        POST "/api/2/mfa/users/{user_id}/verifications" "Challenge a device, or judge a code without a challenge" ? NONE, CHALLENGE => Success::Object(201, "Challenge");
        GET "/api/2/mfa/users/{user_id}/verifications/{id}" "Read the state of a challenge" ? WAIT, NONE => Success::Object(200, "Standing");
        PUT "/api/2/mfa/users/{user_id}/verifications/{id}" "Answer a challenge with a code" ? NONE, V2_VERIFY => Success::Object(200, "Verified");
        POST "/api/2/mfa/users/{user_id}/mfa_token" "Issue a temporary token" ? NONE, TEMP_TOKEN => Success::Object(201, "TempToken");
        POST "/api/2/mfa/users/{user_id}/enrollment_link" "Invite a person to enrol" ? NONE, ENROLLMENT_LINK => Success::Object(201, "EnrollmentLink");
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
        POST "/session_via_api_token" "Exchange a session token for a session" ? NONE, SESSION => Success::Other("text/html");
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
