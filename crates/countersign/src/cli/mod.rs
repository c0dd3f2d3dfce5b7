//! The command line: one file per noun. A new command of a noun is written in that noun's file alone; a new noun also gets a
//! variant of `What`, and a line of `NOUNS` if a running server executes its requests.

pub(crate) mod app;
mod checks;
mod client;
mod clock;
mod completions;
mod config;
mod delivery;
mod dev;
mod device;
mod doctor;
mod find_user;
pub(crate) mod flags;
mod healthcheck;
mod import;
mod labels;
mod migrate;
mod provider_pages;
mod reference;
mod reference_tables;
pub(crate) mod report;
pub(crate) mod request;
mod run;
mod status;
mod template;
mod transfer;
mod user;
mod webhook;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::request::Noun;
use self::run::{ServeArgs, runtime};
use crate::{log, ready, serve, terminal};

/// A self-hosted multi-factor authentication server that speaks the OneLogin MFA API.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run the server (this is the default)
    Serve(ServeArgs),
    /// Run the server with simulated phones and gateways, for development and tests
    Dev(dev::DevArgs),
    /// Manage API clients: create, list, show, set, revoke, rotate
    #[command(subcommand)]
    Client(client::ClientArgs),
    /// Manage apps that accept SAML assertions: create, list, delete, rotate the key
    #[command(subcommand)]
    App(app::AppArgs),
    /// Manage webhooks that receive events: create, list, delete, rotate the secret, deliveries, replay
    #[command(subcommand)]
    Webhook(webhook::WebhookArgs),
    /// Manage users: create, list, show, password, temporary token, unlock, delete, whether a log-in asks for a factor
    #[command(subcommand)]
    User(user::UserArgs),
    /// Manage a user's devices: list, disable, delete
    #[command(subcommand)]
    Device(device::DeviceArgs),
    /// Show how messages reach people, test a channel, and use routes again
    #[command(subcommand)]
    Delivery(delivery::DeliveryArgs),
    /// Show whether a server runs here, and what the installation holds: with SQLite, exit status 3 if none runs
    Status(status::StatusArgs),
    /// Ask a running server on this machine whether it is ready: exit status 0 if it is, else 1
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Check an installation from end to end: settings, database, clock, addresses, and every provider, without a message
    Doctor(doctor::DoctorArgs),
    /// Show the machine's clock and the trusted time, which never goes back
    Clock(clock::ClockArgs),
    /// Show what people read in messages
    #[command(subcommand)]
    Template(template::TemplateArgs),
    /// Check the configuration, or show it with where each value comes from
    #[command(subcommand)]
    Config(config::ConfigArgs),
    /// Import users and devices with their secrets, whether or not a server runs
    Import(import::ImportArgs),
    /// Migrate the database's schema, as a starting server does
    Migrate(migrate::MigrateArgs),
    /// Transfer an installation's data to another, empty database; the server must be stopped
    #[command(visible_alias = "move")]
    Transfer(transfer::TransferArgs),
    /// Test a running installation: every code is used once and every limit holds. It creates test users and removes them
    #[command(visible_alias = "torture")]
    Selftest(selftest::SelftestArgs),
    /// Print what makes a shell complete commands and flags
    Completions(completions::CompletionsArgs),
    /// Write the manual pages
    Man(completions::ManArgs),
    /// Print a generated page of the documentation
    #[command(subcommand, hide = true)]
    Reference(reference::ReferenceArgs),
}

/// The nouns whose requests a running server executes.
const NOUNS: &[Noun] = &[
    Noun::of::<app::AppRequest>(),
    Noun::of::<client::ClientRequest>(),
    Noun::of::<clock::ClockRequest>(),
    Noun::of::<delivery::DeliveryRequest>(),
    Noun::of::<device::DeviceRequest>(),
    Noun::of::<doctor::StateRequest>(),
    Noun::of::<status::StatusRequest>(),
    Noun::of::<user::UserRequest>(),
    Noun::of::<webhook::WebhookRequest>(),
];

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.what.unwrap_or(What::Serve(cli.serve)) {
        What::Serve(args) => {
            let flags = args.flags();
            ready::clear(flags.ready_file().as_deref())?;
            let config = args.load()?;
            runtime(config.limits.threads)?.block_on(serve::serve(flags, config, NOUNS))
        }
        What::Dev(args) => args.run(NOUNS),
        What::App(args) => args.run(),
        What::Webhook(args) => args.run(),
        What::Client(args) => args.run(),
        What::Clock(args) => args.run(),
        What::User(args) => args.run(),
        What::Device(args) => args.run(),
        What::Delivery(args) => args.run(),
        What::Doctor(args) => Ok(args.run()),
        What::Status(args) => args.run(),
        What::Healthcheck(args) => args.run(),
        What::Template(args) => args.run(),
        What::Config(args) => args.run(),
        What::Migrate(args) => args.run(),
        What::Transfer(args) => args.run(),
        What::Import(args) => args.run(),
        What::Selftest(args) => runtime(0)?.block_on(selftest::run(args, &terminal::Console)),
        What::Completions(args) => args.run(Cli::command()),
        What::Man(args) => args.run(Cli::command()),
        What::Reference(args) => Ok(args.run(&Cli::command())),
    }
}

/// Runs the program; returns its exit code.
pub fn main() -> ExitCode {
    let code = match log::start().and_then(|()| parsed()) {
        Ok(Ok(cli)) => start(cli).unwrap_or_else(|error| failed(&error)),
        Ok(Err(code)) => code,
        Err(error) => failed(&error),
    };
    #[cfg(feature = "otel")]
    crate::traces::stop();
    log::flush();
    code
}

fn failed(error: &anyhow::Error) -> ExitCode {
    terminal::failed(&format!("countersign: {error:#}"));
    ExitCode::FAILURE
}

/// Reads the command line. The inner error is the exit code after help or a usage error was printed.
fn parsed() -> anyhow::Result<Result<Cli, ExitCode>> {
    match Cli::try_parse() {
        Ok(cli) => Ok(Ok(cli)),
        Err(error) if !error.use_stderr() || !log::is_json() => {
            error.print()?;
            Ok(Err(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))))
        }
        Err(error) => {
            terminal::failed(&error.to_string());
            Ok(Err(ExitCode::from(2)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    /// An option with a default other than `false` takes a value. By default clap turns a `bool` into a flag without one.
    #[test]
    fn what_has_a_default_takes_a_value() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| !argument.get_action().takes_values()) {
                let defaults = argument.get_default_values();
                assert!(
                    defaults.iter().all(|value| value == "false"),
                    "{} --{}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(walk);
        }
        use clap::CommandFactory as _;
        walk(&Cli::command());
    }

    #[test]
    fn no_argument_means_serve() {
        let cli = Cli::try_parse_from(["countersign"]).unwrap();
        assert!(cli.what.is_none());
        let cli = Cli::try_parse_from(["countersign", "--listen", "127.0.0.1:0"]).unwrap();
        assert_eq!(::config::Config::load(&cli.serve.flags()).unwrap().listen.address.port(), 0);
    }

    #[test]
    fn something_must_be_set_and_only_what_there_is() {
        let parse = |options: &[&str]| {
            Cli::try_parse_from(["countersign", "client", "set", "abc"].iter().chain(options))
                .map_err(|e| e.to_string())
        };
        for options in
            [&["--hold", "20"][..], &["--hold", "adaptive"], &["--number-matching", "on"], &["--sent-type", "pending"]]
        {
            assert!(parse(options).is_ok(), "{options:?}");
        }
        assert!(parse(&["--hold", "26"]).unwrap_err().contains("1 to 25 seconds"));
        assert!(parse(&["--number-matching", "yes"]).unwrap_err().contains("on or off"));
        assert!(parse(&["--sent-type", "sent"]).unwrap_err().contains("success or pending"));
        for options in
            [&["--allow-ip", "10.0.0.0/8", "2001:db8::1"][..], &["--allow-ip", "none"], &["--expires", "none"]]
        {
            assert!(parse(options).is_ok(), "{options:?}");
        }
        assert!(parse(&["--allow-ip", "10.0.0.0/33"]).unwrap_err().contains("192.0.2.0/24"));
        assert!(parse(&["--expires", "soon"]).unwrap_err().contains("2027-01-01T09:00:00Z"));
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn a_wrong_scope_is_answered_with_the_right_ones() {
        let error = Cli::try_parse_from(["countersign", "client", "create", "--scope", "all"]).unwrap_err().to_string();
        assert!(error.contains("Manage All"), "{error}");
    }

    #[test]
    fn the_reference_pages_are_what_the_code_says() {
        for (name, file, text) in [
            ("cli", "cli", reference::page(&Cli::command())),
            ("events", "events", reference_tables::events()),
            ("errors", "errors", reference_tables::errors()),
            ("dev", "dev-endpoints", reference_tables::dev_endpoints()),
        ] {
            let path = format!("{}/../../docs/reference/{file}.md", env!("CARGO_MANIFEST_DIR"));
            let page = std::fs::read_to_string(path).unwrap_or_default();
            let advice = format!("run: cargo run -- reference {name} > docs/reference/{file}.md");
            assert!(page.trim_end() == text.trim_end(), "docs/reference/{file}.md differs from the code; {advice}");
        }
    }

    #[test]
    fn every_setting_that_is_no_secret_is_a_flag() {
        let cli = Cli::command();
        let command = |path: &[&str]| {
            path.iter().fold(cli.clone(), |command, name| command.find_subcommand(name).unwrap().clone())
        };
        for setting in ::config::SETTINGS.iter() {
            let has = |path: &[&str]| command(path).get_arguments().any(|arg| arg.get_long() == Some(&setting.flag));
            let takes_flag = setting.takes_flag();
            for server in ["serve", "dev"] {
                assert_eq!(has(&[server]), takes_flag, "{} at {server}", setting.row.key);
            }
            assert_eq!(has(&["user", "list"]), takes_flag && setting.row.everywhere, "{}", setting.row.key);
        }
        for (key, takes_flag) in
            [("delivery.smtp.password", false), ("delivery.sns.region", true), ("database_url", true)]
        {
            assert_eq!(::config::Setting::of(key).unwrap().takes_flag(), takes_flag, "{key}");
        }
    }
}
