//! What an operator, or a preset, says of a gateway (contract 18.6).

use domain::{Channel, Secret};

use super::super::gateway::Calling;

/// Where a gateway is to send what it has to say.
#[derive(Debug, Clone)]
pub struct CallbackUrls {
    /// Address for receipts.
    pub status: String,
    /// Address for digits that are keyed into its calls.
    pub digits: String,
}

/// What describes a gateway (contract 18.6). What is absent is the preset's or has its default.
#[derive(Clone)]
pub struct HttpSettings {
    /// The provider's name: the one of the file that describes it.
    pub name: String,
    pub preset: Option<String>,
    pub channels: Option<Vec<Channel>>,
    pub method: Option<String>,
    pub url: Option<String>,
    pub headers: Option<Vec<String>>,
    pub form: Option<Vec<String>>,
    pub json: Option<String>,
    pub username: Option<String>,
    pub secret: Option<Secret>,
    pub from: Option<String>,
    pub account: Option<String>,
    pub basic_auth: Option<bool>,
    pub signed: Option<bool>,
    /// What signs receipts and keyed digits.
    pub callback_secret: Option<Secret>,
    /// Where these are to be sent, if callers from outside reach us.
    pub callback_urls: Option<CallbackUrls>,
    pub success: Option<String>,
    pub id_path: Option<String>,
    pub refused_words: Option<Vec<String>>,
    pub calling: Calling,
}

/// Templates may hold secrets.
impl std::fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

impl HttpSettings {
    /// A provider of which nothing is known but its name.
    pub fn named(name: String, calling: Calling) -> Self {
        Self {
            name,
            preset: None,
            channels: None,
            method: None,
            url: None,
            headers: None,
            form: None,
            json: None,
            username: None,
            secret: None,
            from: None,
            account: None,
            basic_auth: None,
            signed: None,
            callback_secret: None,
            callback_urls: None,
            success: None,
            id_path: None,
            refused_words: None,
            calling,
        }
    }
}
