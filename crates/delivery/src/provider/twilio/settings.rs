//! What an operator says of Twilio.

use domain::Secret;

use super::super::gateway::Calling;

/// `delivery.twilio.*` (contract 18.5).
#[derive(Debug, Clone)]
pub struct TwilioSettings {
    pub account_sid: String,
    pub auth_token: Secret,
    /// The sender. Either this or a messaging service.
    pub from: Option<String>,
    pub messaging_service_sid: Option<String>,
    /// The number that calls. Without it, there are no calls.
    pub voice_from: Option<String>,
    /// Where digits that are keyed into calls are to be sent; calls need it.
    pub digits_callback: Option<String>,
    /// Another address than Twilio's own.
    pub base_url: Option<String>,
    /// Where receipts are to be sent; none are asked for without it.
    pub status_callback: Option<String>,
    pub calling: Calling,
}
