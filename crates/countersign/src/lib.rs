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
pub mod folder;
pub mod health;
pub mod healthcheck;
pub mod house;
pub mod import;
pub mod installation;
mod local;
pub mod log;
pub mod migrate;
mod names;
mod person;
mod place;
pub mod ready;
pub mod relocate;
mod root;
pub mod serve;
mod settings;
pub mod signals;
pub mod terminal;
pub mod torture;
#[cfg(feature = "otel")]
mod traces;
mod webhook;
mod words;
