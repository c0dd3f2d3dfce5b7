//! Runs unmodified OneLogin clients, installed from their registries, against a running `countersign`
//! binary over the network and prints the matrix client × step.

mod arguments;
mod authority;
mod clients;
mod date;
mod matrix;
mod process;
mod replays;
mod scopes;
mod server;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use crate::arguments::Arguments;
use crate::authority::Authority;
use crate::clients::{CLIENTS, Reach};
use crate::matrix::Matrix;
use crate::server::{Server, WorkFolder};

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every client in every profile. True if every step of every run ran and passed.
fn run(arguments: &Arguments) -> Result<bool> {
    let work = WorkFolder::create(arguments.keep)?;
    // Read even if no page is written, so that a replay without a description fails every run.
    let replays = replays::read()?;
    let mut matrix = Matrix::default();
    let mut authority = None;
    for client in CLIENTS {
        if !client.profiles.iter().any(|profile| arguments.wants(&client.run_name(profile))) {
            continue;
        }
        eprintln!("{}: setting up", client.label());
        let driver = client.set_up(arguments).with_context(|| format!("cannot set up {}", client.label()))?;
        let steps = driver.steps(arguments)?;
        for profile in client.profiles {
            if !arguments.wants(&client.run_name(profile)) {
                continue;
            }
            eprintln!("{}, profile {profile}: running {} steps", client.label(), steps.len());
            let folder = work.subfolder(&format!("{}-{profile}", client.version))?;
            if client.reach != Reach::BaseUrl && authority.is_none() {
                authority = Some(Authority::create(arguments, work.subfolder("authority")?)?);
            }
            let secured = authority.as_ref().filter(|_| client.reach != Reach::BaseUrl);
            let mut server = Server::start(arguments, &folder, secured)?;
            let credential = server.create_client(arguments, scopes::of_run(client.name, client.version)?, profile)?;
            let mut flows = Vec::new();
            for (steps, scope) in scopes::of_flows(client.name) {
                flows.push((steps, server.create_client(arguments, scope, profile)?));
            }
            let mut run = driver.run(arguments, &server, secured, (&credential, &flows))?;
            if client.runs_readme(profile) {
                eprintln!("{}, profile {profile}: running the Python of README.md", client.label());
                driver.readme(arguments, &server)?;
            }
            if client.is_run_served() && arguments.step.is_empty() {
                eprintln!("{}, profile {profile}: running with messages that are sent", client.label());
                let folder = work.subfolder(&format!("{}-{profile}-served", client.version))?;
                driver.served(arguments, &folder, scopes::of_messages(client.name)?, profile)?;
            }
            if !server.still_runs()? {
                run.broken = Some(format!("the server ended; its last words:\n{}", server.last_words()));
            }
            matrix.add(client, profile, &steps, run);
        }
    }
    ensure!(!matrix.is_empty(), "--only matches no client and profile");
    let good = matrix.good();
    println!("{}", matrix.text());
    if let Some(file) = &arguments.write {
        let version = process::must(Command::new(&arguments.binary).arg("--version"), arguments.start_timeout)?;
        let taken = format!("Taken on {} with {}.", date::today(), version.trim());
        matrix.write_into(file, &replays, &taken)?;
        eprintln!("matrix written into {}", file.display());
    }
    if !good && arguments.keep {
        eprintln!("server logs: {}", work.path().display());
    }
    Ok(good)
}
