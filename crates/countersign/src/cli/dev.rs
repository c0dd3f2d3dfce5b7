//! `countersign dev`: its arguments.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use config::Config;
use domain::model::long_poll::LongPoll;
use engine::PasswordCost;

use crate::cli::request::Noun;
use crate::cli::run::{ServeArgs, runtime};
use crate::dev::{self, DevOptions, Pinned, WorldFile, dev_credential};
use crate::ready;

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Limits on how often messages are sent: the defaults of a server, or off [default: off] [variable
    /// `COUNTERSIGN_MESSAGE_LIMITS`]
    #[arg(long, value_enum)]
    message_limits: Option<MessageLimits>,
    /// Host name under which other machines reach this world (repeatable). Every request then needs a key: that of
    /// `COUNTERSIGN_DEV_KEY`, or a random one, `dev_key` in the ready file [variable `COUNTERSIGN_DEV_HOST`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dev_host: Vec<String>,
    /// How polls of this world's clients are held: `off`, `adaptive`, or a number of seconds up to 25
    #[arg(long, value_parser = LongPoll::parse, default_value = "adaptive")]
    hold: LongPoll,
    /// Draw everything from this number: the same credentials and passwords at every start, and in a new world the same answers
    /// to the same requests
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// File that describes a new world: clients, users, devices, apps, clock
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Id of the client with the widest scope, instead of a random one
    #[arg(long, value_name = "ID", requires = "client_secret", value_parser = dev_credential)]
    client_id: Option<String>,
    /// Secret of that client
    #[arg(long, value_name = "SECRET", requires = "client_id", value_parser = dev_credential)]
    client_secret: Option<String>,
}

impl DevArgs {
    pub(crate) fn run(self, nouns: &'static [Noun]) -> anyhow::Result<ExitCode> {
        ready::clear(self.serve.flags().ready_file().as_deref())?;
        let config = self.serve.load()?;
        let options = self.options(&config)?;
        runtime(config.limits.threads)?.block_on(dev::serve(config, options, nouns))
    }

    fn options(self, config: &Config) -> anyhow::Result<DevOptions> {
        let message_limits = match self.message_limits {
            Some(limits) => limits,
            None => MessageLimits::from_variable()?,
        };
        let mut hosts = self.dev_host;
        if hosts.is_empty() {
            let named = config::variable("COUNTERSIGN_DEV_HOST")?.unwrap_or_default();
            hosts = named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        }
        let world = self.world.as_deref().map(WorldFile::read).transpose()?.unwrap_or_default();
        Ok(DevOptions {
            lasting: config.storage.data_dir_named,
            message_limits: message_limits == MessageLimits::Shipped,
            hosts,
            pinned: Pinned {
                seed: self.seed.or(world.seed),
                hold: self.hold,
                client: self.client_id.zip(self.client_secret),
                world,
                // Everyone can read these passwords, and tests log in often.
                passwords: PasswordCost::Low,
            },
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MessageLimits {
    Off,
    Shipped,
}

impl MessageLimits {
    fn from_variable() -> anyhow::Result<Self> {
        let Some(text) = config::variable("COUNTERSIGN_MESSAGE_LIMITS")? else { return Ok(Self::Off) };
        let read = Self::from_str(text.trim(), true);
        read.map_err(|_| anyhow::anyhow!("the variable COUNTERSIGN_MESSAGE_LIMITS: it is off or shipped"))
    }
}
