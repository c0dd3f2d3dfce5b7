//! What an operator says of Vonage.

use std::path::PathBuf;

use domain::Secret;

use super::super::gateway::Calling;

/// `delivery.vonage.*` (contract 18.5).
#[derive(Debug, Clone)]
pub struct VonageSettings {
    pub api_key: String,
    pub api_secret: Secret,
    /// The number or name that recipients see.
    pub from: String,
    /// The number that calls, the application that does, and the file of its key (PEM, RSA of 2,048 bits or more). Without
    /// them, there are no calls.
    pub voice_from: Option<String>,
    pub application_id: Option<String>,
    pub private_key_file: Option<PathBuf>,
    /// Where digits that are keyed into calls are to be sent; calls need it.
    pub digits_callback: Option<String>,
    /// Another address than Vonage's own.
    pub base_url: Option<String>,
    /// Where receipts are to be sent, and what signs them. They are asked for if both are there.
    pub webhook_url: Option<String>,
    pub signature_secret: Option<Secret>,
    pub calling: Calling,
}
