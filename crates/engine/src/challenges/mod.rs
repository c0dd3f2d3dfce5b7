//! Challenges: opened, sent, waited for and answered.

pub(crate) mod answer;
pub(crate) mod closed_prefixes;
pub(crate) mod draw;
pub(crate) mod email_mode;
pub(crate) mod held_polls;
pub(crate) mod link;
pub(crate) mod long_poll;
pub(crate) mod message_budgets;
pub(crate) mod message_leases;
pub(crate) mod message_text;
pub(crate) mod open;
pub(crate) mod poll_error;
pub(crate) mod prefixes;
mod prompt_warning;
pub(crate) mod spend_accounts;
pub(crate) mod spending;
pub(crate) mod test_message;
pub(crate) mod watched_users;
