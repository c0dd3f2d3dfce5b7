//! The errors of operations, for the document and the page. The whole catalogue is in contract 13.

use super::operations::Operation;

/// The errors of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallErrors {
    /// In capital letters.
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    /// What the call does.
    pub summary: &'static str,
    /// Statuses, each with its reason; a status may have several.
    pub errors: Vec<(u16, &'static str)>,
}

/// Statuses of errors, each with its reason; more than one reason may share a status.
pub(super) fn of(operation: &Operation, is_guarded: bool) -> Vec<(u16, &'static str)> {
    let is_v1 = operation.is_v1();
    let mut errors = vec![
        (400, "The request cannot be read, or is refused"),
        (408, "The request did not arrive in time"),
        (413, "The body is too large"),
        (414, "The path is too long"),
        (431, "The headers are too large"),
        (500, "An internal fault; the log has its cause under the request's id"),
        (503, "The service is unavailable; try again"),
    ];
    if is_guarded || operation.inputs.path.starts_with("/auth") {
        errors.push((401, "No token, a wrong one, too small a scope, or a factor that failed"));
        errors.push((429, "Too many calls, challenges or guesses; `Retry-After` says how long to wait"));
        errors.push((404, "There is no such thing"));
        if !is_v1 {
            errors.push((403, "The scope does not suffice, or the user is locked"));
            errors.push((422, "A parameter is missing or not acceptable"));
        }
        if operation.inputs.path.ends_with("/mfa_token") {
            errors.push((422, "A parameter is missing or not acceptable"));
        }
    }
    if operation.inputs.path == "/session_via_api_token" {
        errors.push((401, "The token is none, or not any more"));
        errors.push((403, "The origin is not listed"));
        errors.push((302, "To where the log-in said"));
    }
    errors
}
