//! `cargo xtask package`: makes what people install, from one binary, and tries it as they do.

mod bundle;
pub(crate) mod clients;
mod elf;
mod guide;
mod trial;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::places::{BuildProfile, Workspace};
use crate::terminal;

/// `cargo xtask package`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make the Python wheel and the npm package that carry the binary
    Clients {
        /// Use this binary instead of building one
        #[arg(long, value_name = "PATH")]
        binary: Option<PathBuf>,
        /// Folder for the files
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
    /// Install both packages from their files and use them as their users do
    AcceptClients {
        /// Use this binary instead of building one
        #[arg(long, value_name = "PATH")]
        binary: Option<PathBuf>,
    },
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let places = Workspace::find()?;
    match &args.what {
        What::Clients { binary, into } => {
            let binary = places.server_or(binary.as_deref(), BuildProfile::Release)?;
            std::fs::create_dir_all(into).with_context(|| format!("cannot create {}", into.display()))?;
            for file in clients::make(&places, &binary, into)? {
                terminal::say(&file.display().to_string());
            }
            Ok(())
        }
        What::AcceptClients { binary } => {
            clients::accept(&places, &places.server_or(binary.as_deref(), BuildProfile::Release)?)
        }
    }
}
