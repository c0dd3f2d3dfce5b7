//! The `countersign` binary: configuration, command line, wiring, listeners. Nothing depends on it but tests, which
//! start the dev world in their own process.

pub mod admin;
mod app;
pub mod banner;
pub mod cli;
mod client;
pub mod command;
pub mod config;
pub mod control;
pub mod database;
pub mod dev;
mod device;
mod flags;
pub mod health;
pub mod healthcheck;
pub mod import;
pub mod installation;
mod local;
pub mod log;
pub mod migrate;
mod names;
mod person;
pub mod ready;
mod root;
pub mod serve;
mod settings;
pub mod signals;
pub mod terminal;
pub mod torture;
#[cfg(feature = "otel")]
mod traces;
pub mod transfer;
mod webhook;
mod words;
