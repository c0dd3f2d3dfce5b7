//! The `countersign` binary: command line, wiring, listeners. Nothing depends on it but tests, which start the dev world in
//! their own process.

mod admin;
mod banner;
mod bootstrap;
mod callbacks;
pub mod cli;
mod control;
pub mod dev;
mod health;
mod import;
pub mod installation;
mod invitations;
mod links;
mod local;
mod log;
mod phone;
mod ready;
mod root;
mod secret_pages;
mod serve;
mod service;
mod signals;
mod terminal;
#[cfg(feature = "otel")]
mod traces;
