//! Flags made from the table of settings.

use clap::{Arg, ArgAction, ArgMatches, Command};
use config::{FlagValues, Kind, SETTINGS, Setting};

/// `--config` and the settings that every command takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlaceFlags(pub(crate) FlagValues);

/// The settings that only servers take.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServeFlags(pub(crate) FlagValues);

fn arg(setting: &'static Setting) -> Arg {
    let row = setting.row;
    let help = format!("{} [variable {}]", row.about, setting.variable);
    let mut arg = Arg::new(row.key).long(setting.flag.as_str()).help(help).hide_short_help(row.table().0.is_some());
    if let Some(heading) = setting.heading {
        arg = arg.help_heading(heading);
    }
    match row.kind {
        Kind::Paths => arg.value_name("FILE").action(ArgAction::Append),
        Kind::Texts(_) => arg.value_name("TEXT").action(ArgAction::Append),
        Kind::Path => arg.value_name(if row.key.ends_with("dir") { "DIR" } else { "FILE" }),
        Kind::Address(_) => arg.value_name("ADDRESS:PORT"),
        Kind::Number(..) | Kind::OneOf(_) => arg.value_name("NUMBER"),
        Kind::Word(_) => arg.value_name("WORD"),
        Kind::Secret | Kind::Text(_) if row.key.ends_with("url") => arg.value_name("URL"),
        Kind::Secret | Kind::Text(_) | Kind::Label => arg.value_name("TEXT"),
        // `--insecure-http` alone says yes.
        Kind::YesNo => arg.value_name("YES|NO").num_args(0..=1).require_equals(true).default_missing_value("yes"),
    }
}

fn flagged(everywhere: bool) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.row.everywhere == everywhere && setting.takes_flag())
}

fn augment(command: Command, everywhere: bool) -> Command {
    flagged(everywhere).fold(command, |command, setting| command.arg(arg(setting)))
}

fn given(matches: &ArgMatches, everywhere: bool) -> FlagValues {
    flagged(everywhere).fold(FlagValues::default(), |given, setting| {
        match matches.get_many::<String>(setting.row.key) {
            Some(values) => given.with(setting.row.key, values.cloned()),
            None => given,
        }
    })
}

impl clap::FromArgMatches for PlaceFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut values = given(matches, true);
        values.config = matches.get_one::<String>("config").filter(|name| !name.is_empty()).map(Into::into);
        Ok(Self(values))
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
