//! The endpoints that accept a code, and the ways to spell it.

use serde_json::{Value, json};

use super::api::Api;
use super::client::Request;
use super::device::HotpDevice;

/// An endpoint for the code of a TOTP or HOTP device.
#[derive(Debug, Clone)]
pub(super) enum Endpoint {
    /// The endpoint `POST /api/1/users/{id}/otp_devices/{id}/verify`.
    V1,
    /// The endpoint `PUT …/verifications/{id}`, with this id.
    Put(String),
    /// The endpoint `POST …/verifications`, with the code and the device.
    Post,
}

/// Endpoints for `count` callers in turn: v1, v2 PUT as long as there are open verifications, v2 POST.
pub(super) fn endpoints(count: usize, nodes: usize, shift: usize, with_v1: bool, open: &[String]) -> Vec<Endpoint> {
    let mut open = open.iter();
    (0..count)
        .map(|caller| {
            // Consecutive callers use different nodes, so the endpoint changes after one round of all nodes.
            let turn = caller / nodes.max(1) + shift;
            match turn % 3 {
                0 if with_v1 => Endpoint::V1,
                1 => open.next().map_or(Endpoint::Post, |id| Endpoint::Put(id.clone())),
                _ => Endpoint::Post,
            }
        })
        .collect()
}

impl Api {
    /// The request that sends a code to an endpoint. `style` varies the spelling.
    pub(super) fn answer(&self, device: &HotpDevice, endpoint: &Endpoint, code: &str, style: usize) -> Request {
        let HotpDevice { user, device, .. } = device;
        match endpoint {
            Endpoint::V1 => {
                let name = ["otp_token", "otp", "otp_code"][style % 3];
                let path = format!("/api/1/users/{user}/otp_devices/{device}/verify");
                self.request("POST", path, &json!({ name: spelt(code, style) }))
            }
            Endpoint::Put(id) => {
                let path = format!("/api/2/mfa/users/{user}/verifications/{id}");
                self.request("PUT", path, &json!({ "otp": spelt(code, style), "device_id": device }))
            }
            Endpoint::Post => {
                let path = format!("/api/2/mfa/users/{user}/verifications");
                let body = json!({ "otp": spelt(code, style), "device_id": device.to_string() });
                self.request("POST", path, &body)
            }
        }
    }
}

/// Text or number: some clients can only send the latter, without its leading zeros.
fn spelt(code: &str, style: usize) -> Value {
    match code.parse::<u64>() {
        Ok(number) if style % 2 == 1 => json!(number),
        _ => json!(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_gets_every_door() {
        let open = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let endpoints = |with_v1| endpoints(9, 3, 0, with_v1, &open);
        let all = endpoints(true);
        let named: Vec<&str> = all
            .iter()
            .map(|endpoint| match endpoint {
                Endpoint::V1 => "v1",
                Endpoint::Put(id) => id,
                Endpoint::Post => "post",
            })
            .collect();
        assert_eq!(named, ["v1", "v1", "v1", "a", "b", "c", "post", "post", "post"]);
        assert!(!endpoints(false).iter().any(|endpoint| matches!(endpoint, Endpoint::V1)));
    }

    #[test]
    fn a_number_has_no_leading_zero() {
        assert_eq!(spelt("012345", 0), json!("012345"));
        assert_eq!(spelt("012345", 1), json!(12_345));
    }
}
