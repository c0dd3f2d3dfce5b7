//! What a log-in is for, from its state token to the session that it grants.

use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::id::DeviceId;

/// The device of what belongs to no device.
pub const NO_DEVICE: DeviceId = DeviceId(0);

/// What a log-in is for. Kept with its state token, and handed on to what it grants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The app whose assertion is asked for; `None` asks for a session.
    pub app: Option<i64>,
    /// Where the browser goes in the end, as the caller said it.
    pub return_to_url: Option<String>,
    /// Origins that may hand in the session token from a browser (contract 5.4).
    pub origins: Vec<String>,
    /// Custom attributes that the answer shows.
    pub fields: Vec<String>,
    /// Which browser this is, as the caller knows it.
    pub browser: Option<Digest>,
    /// The end user's address as the caller reported it, for the audit trail of the steps that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The devices to which prompts were put in this log-in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompted: Vec<DeviceId>,
}

impl Terms {
    /// The same, with these origins beside its own.
    pub(crate) fn with_origins(&self, named: &[String]) -> Self {
        let mut terms = self.clone();
        let new: Vec<_> = named.iter().filter(|origin| !self.origins.contains(origin)).cloned().collect();
        terms.origins.extend(new);
        terms
    }
}
