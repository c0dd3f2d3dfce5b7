//! The configuration of Countersign: flags, environment, file, defaults.
//!
//! Each section is one file in `sections/`: its keys as rows, and the struct they become. A row declares a key once; the
//! flag, the variable, `config show`, `config example` and the reference page come from it. A new key is a row and a field in
//! its section's file, and the place that uses the field.

mod config;
mod database;
mod environment;
mod pages;
mod place;
mod row;
mod section;
mod sections;
mod sources;
mod suggest;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod values;
mod variables;

pub use config::Config;
pub use database::{Database, Postgres, SQLITE_FILE, shown_sqlite};
pub use environment::{secret, text_of, variable, warn_if_exposed};
pub use pages::{example, reference};
pub use row::{Kind, Row};
pub use sections::account::AccountConfig;
pub use sections::admin::AdminConfig;
pub use sections::bootstrap::{BootstrapClient, BootstrapConfig};
pub use sections::brand::BrandConfig;
pub use sections::delivery::DeliveryConfig;
pub use sections::email::EmailConfig;
pub use sections::gateways::GatewaysConfig;
pub use sections::limits::LimitsConfig;
pub use sections::listen::ListenConfig;
pub use sections::login::LoginConfig;
pub use sections::messages::MessagesConfig;
pub use sections::push::PushConfig;
pub use sections::smtp::SmtpConfig;
pub use sections::storage::{StorageConfig, default_data_dir};
pub use sections::tls::TlsConfig;
pub use sections::webhooks::WebhooksConfig;
pub use sources::{FlagValues, numbers_of};
pub use suggest::distance;
pub use table::{SETTINGS, Setting};
pub use values::{Origin, Values};
pub use variables::unknown_variables;
