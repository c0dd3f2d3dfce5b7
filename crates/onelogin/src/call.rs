//! A call as handlers see it: the ids of its path, its query, its body, and where it came from.

use std::net::IpAddr;

use axum::body::Bytes;
use axum::http::HeaderMap;
use domain::{DeviceId, UserId};

use crate::lenient::Body;

/// One call, read whole.
#[derive(Debug)]
pub struct Call {
    /// The path's parameters by name, as text.
    pub(crate) path: Vec<(String, String)>,
    /// The query's fields in order, decoded.
    pub query: Vec<(String, String)>,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The body as it arrived.
    pub body: Bytes,
    /// What links begin with: the configured public URL, else from the validated Host (rulings 29b).
    pub base_url: String,
    /// The path as it was asked for.
    pub target: String,
    /// Who calls, after trusted proxies.
    pub peer: IpAddr,
}

/// The body is not a JSON object within the limits of SEC 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadJson;

impl Call {
    /// A path parameter.
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The `user_id` of the path, if it is a positive integer.
    pub fn user_id(&self) -> Option<UserId> {
        positive(self.path("user_id")).map(UserId)
    }

    /// The `device_id` of the path, if it is an integer; 0 means no device (contract 4.5).
    pub fn device_id(&self) -> Option<DeviceId> {
        let text = self.path("device_id");
        if text == "0" { Some(DeviceId(0)) } else { positive(text).map(DeviceId) }
    }

    /// A query field.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object; an empty one counts as an object without members (contract 1.2).
    pub fn json(&self) -> Result<Body, BadJson> {
        Body::parse(&self.body).map_err(|_| BadJson)
    }
}

/// A positive integer in its only spelling: ASCII digits without sign or leading zero, so that no two texts name the
/// same user (SEC 29). One too large for any id is an integer all the same: of a user that does not exist.
fn positive(text: &str) -> Option<i64> {
    let canonical = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    canonical.then(|| text.parse().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::positive;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(positive("42"), Some(42));
        assert_eq!(positive("2147483647"), Some(2_147_483_647));
        assert_eq!(positive("99999999999999999999"), Some(i64::MAX));
        for other in ["", "0", "042", "+42", " 42", "42 ", "-1", "4.2", "٤٢"] {
            assert_eq!(positive(other), None, "{other}");
        }
    }
}
