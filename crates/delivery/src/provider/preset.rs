//! What a gateway is like: its request as data, and what an operator needs to know of it.

use domain::Channel;

/// What an operator needs to know of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guide {
    /// The preset's name, or the provider's.
    pub name: &'static str,
    /// How the gateway calls itself.
    pub title: &'static str,
    /// What to have there before the first message.
    pub buy: &'static str,
    /// What to paste: keys below the provider's, each with where the value is found.
    pub paste: &'static [(&'static str, &'static str)],
    /// Its public documentation.
    pub docs: &'static str,
    /// What to know besides.
    pub caveat: Option<&'static str>,
}

/// A gateway whose request is known: every field but the guide is the key of the same name of contract 18.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub guide: Guide,
    pub channels: &'static [Channel],
    pub method: &'static str,
    /// Empty where it is the operator's own address.
    pub url: &'static str,
    pub headers: &'static [&'static str],
    pub form: Option<&'static [&'static str]>,
    pub json: Option<&'static str>,
    pub basic_auth: bool,
    pub signed: bool,
    pub success: &'static str,
    pub id_path: Option<&'static str>,
    pub refused_words: &'static [&'static str],
}
