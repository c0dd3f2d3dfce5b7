//! Flags made from the table of settings, so that none is written down twice.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::FlagValues;
use crate::config::setting::{Kind, SETTINGS, Setting};

/// The settings that every command takes, and `--config`.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlaceFlags(pub(crate) FlagValues);

/// The settings that only servers take.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServeFlags(pub(crate) FlagValues);

fn arg(setting: &'static Setting) -> Arg {
    let help = format!("{} [variable {}]", setting.about, setting.variable());
    let arg = Arg::new(setting.key).long(setting.flag()).help(help).hide_short_help(setting.table().0.is_some());
    let arg = match setting.table().0 {
        Some("auth") => arg.help_heading("Scopes"),
        Some("compat") => arg.help_heading("Answers"),
        Some("login") => arg.help_heading("Logging in"),
        Some("names") => arg.help_heading("Names of factors"),
        Some("limits") => arg.help_heading("Limits"),
        Some("webhooks") => arg.help_heading("Webhooks"),
        _ => arg,
    };
    match setting.kind {
        Kind::Paths => arg.value_name("FILE").action(ArgAction::Append),
        Kind::Texts(_) => arg.value_name("TEXT").action(ArgAction::Append),
        Kind::Path => arg.value_name(if setting.key.ends_with("dir") { "DIR" } else { "FILE" }),
        Kind::Address(_) => arg.value_name("ADDRESS:PORT"),
        Kind::Number(..) | Kind::OneOf(_) => arg.value_name("NUMBER"),
        Kind::Word(_) => arg.value_name("WORD"),
        Kind::Secret => arg.value_name("URL"),
        Kind::Text(_) if setting.key.ends_with("url") => arg.value_name("URL"),
        Kind::Text(_) | Kind::Label => arg.value_name("TEXT"),
        // `--insecure-http` alone says yes.
        Kind::YesNo => arg.value_name("YES|NO").num_args(0..=1).require_equals(true).default_missing_value("yes"),
    }
}

fn augment(command: Command, place: bool) -> Command {
    SETTINGS.iter().filter(|setting| setting.place == place).fold(command, |command, setting| command.arg(arg(setting)))
}

fn given(matches: &ArgMatches, place: bool) -> FlagValues {
    let settings = SETTINGS.iter().filter(|setting| setting.place == place);
    settings.fold(FlagValues::default(), |given, setting| match matches.get_many::<String>(setting.key) {
        Some(values) => given.with(setting.key, values.cloned()),
        None => given,
    })
}

impl clap::FromArgMatches for PlaceFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let config = matches.get_one::<String>("config").filter(|name| !name.is_empty()).map(Into::into);
        Ok(Self(FlagValues { config, ..given(matches, true) }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for PlaceFlags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config").long("config").value_name("FILE");
        let help = "Configuration file (TOML); `countersign config example` prints one [variable COUNTERSIGN_CONFIG]";
        augment(command.arg(config.help(help)), true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ServeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(given(matches, false)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for ServeFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, false)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
