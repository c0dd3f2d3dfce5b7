//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use domain::model::long_poll::Holding;
use domain::model::time::MINUTE;
use domain::rules::client::Choice;
use domain::{ClientOptions, CompatProfile, MfaPolicy, Scope};

use crate::app::AppArgs;
use crate::client::ClientSelector;
use crate::command::{Command, NewUser, Password, Who};
use crate::config::{self, Config, FlagValues};
use crate::flags::{PlaceFlags, ServeFlags};
use crate::installation::Intent;
use crate::webhook::args::WebhookArgs;
use crate::{
    control, dev, healthcheck, import, log, migrate, ready, serve, settings, signals, terminal, torture, transfer,
};

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
    /// Run the server with a whole MFA world around it, for development and tests
    Dev(DevArgs),
    /// API clients: create, list, show, set, revoke, rotate
    #[command(subcommand)]
    Client(ClientCommand),
    /// Apps that take SAML assertions: create, list, delete, rotate the key
    #[command(subcommand)]
    App(AppCommand),
    /// Webhooks that are told what happens: create, list, delete, rotate the secret, deliveries, replay
    #[command(subcommand)]
    Webhook(WebhookArgs),
    /// Users: create, list, show, password, temporary token, unlock, delete, whether a log-in asks for a factor
    #[command(subcommand)]
    User(UserCommand),
    /// A user's devices: list, put out of use, delete
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Ask a running server on this machine whether it is ready: exit status 0 if it is, else 1
    Healthcheck {
        /// Address and port to ask, in place of those that the same flags and variables give a server
        #[arg(long, value_name = "ADDRESS:PORT")]
        address: Option<SocketAddr>,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    /// The machine's clock and the time that is trusted, which never goes back
    Clock {
        /// Take the machine's clock for right although a higher time was seen; what is over by that is ended first
        #[arg(long)]
        accept: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The configuration: check it, show it with where each value comes from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Import users and devices with their secrets, whether or not a server runs
    Import(ImportArgs),
    /// Bring the database's schema up to date, as a starting server does
    Migrate {
        /// Only list what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Move an installation's data to another, empty database; the server must be stopped
    Move(MoveArgs),
    /// Show on a running installation that every code is used once and every limit holds, with test users of its own
    Torture(torture::Args),
}

/// Everything is written in one transaction, read back and compared before it counts. The source stays as it is. The
/// master key is not moved: it lies in the data folder.
#[derive(Debug, Args)]
struct MoveArgs {
    /// Where the data is: `sqlite://DIR` or `postgres://…`
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where it goes: `postgres://…` or `sqlite://DIR`
    #[arg(long, value_name = "URL")]
    to: String,
    /// Trust only these authorities (PEM) to vouch for a database's server
    #[arg(long, value_name = "FILE")]
    database_ca_file: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// The list may be JSON lines, CSV with a header row, or `otpauth://` addresses. Its fields are `username`, `email`,
/// `phone`, `external_id`, `type` (totp or hotp), `secret_base32`, `counter` (the next one), `digits`, `period`,
/// `algorithm` and `display_name`; only `username` is required, and a line without a `secret_base32` is of a person alone.
/// Users are matched by `external_id` or `username`; who is here already keeps what they have, so an import can be
/// repeated.
#[derive(Debug, Args)]
struct ImportArgs {
    /// The list
    file: PathBuf,
    /// Its form, if its first character does not tell
    #[arg(long, value_enum)]
    format: Option<import::Format>,
    /// Where to report rejected lines [default: FILE.rejects.jsonl]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Where to write which device became of which secret; the file holds every secret in clear
    #[arg(long, value_name = "FILE")]
    map_out: Option<PathBuf>,
    /// Set users and devices that are here already to what the list says; counters go forwards only
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: PlaceFlags,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Debug, Args)]
struct DevArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Limits on how often messages are sent: as a server ships them, or off [default: off] [variable
    /// `COUNTERSIGN_MESSAGE_LIMITS`]
    #[arg(long, value_enum)]
    message_limits: Option<MessageLimits>,
    /// Name by which other machines reach this world (repeatable); all then show the key of `COUNTERSIGN_DEV_KEY`, or the
    /// one that is drawn and in the ready file as `dev_key` [variable `COUNTERSIGN_DEV_HOST`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dev_host: Vec<String>,
    /// How polls of the clients that this world makes are held: `off`, `adaptive`, or a number of seconds up to 25
    #[arg(long, value_parser = Holding::parse, default_value = "adaptive")]
    hold: Holding,
    /// Make the same credentials and passwords from this number at each start
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Id of the client that may do everything, instead of one that is drawn
    #[arg(long, value_name = "ID", requires = "client_secret", value_parser = dev_credential)]
    client_id: Option<String>,
    /// Its secret
    #[arg(long, value_name = "SECRET", requires = "client_id", value_parser = dev_credential)]
    client_secret: Option<String>,
}

impl DevArgs {
    fn options(self, config: &Config) -> anyhow::Result<dev::DevOptions> {
        let message_limits = match self.message_limits {
            Some(limits) => limits,
            None => MessageLimits::from_variable()?,
        };
        let mut hosts = self.dev_host;
        if hosts.is_empty() {
            let named = config::variable("COUNTERSIGN_DEV_HOST")?.unwrap_or_default();
            hosts = named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        }
        Ok(dev::DevOptions {
            lasting: config.data_dir_named,
            message_limits: message_limits == MessageLimits::Shipped,
            hosts,
            pinned: dev::Pinned { seed: self.seed, hold: self.hold, client: self.client_id.zip(self.client_secret) },
        })
    }
}

/// A client's id or secret that somebody chose for a dev world: it fits into a header and a form as it stands.
fn dev_credential(text: &str) -> Result<String, &'static str> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if fits { Ok(text.to_owned()) } else { Err("it has 1 to 128 letters, digits and signs, without blanks and colons") }
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

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    place: PlaceFlags,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Create an API client; its secret is shown once
    Create {
        /// "Manage All", "Read All", "Manage users", "Read Users" or "Authentication Only"
        #[arg(long, value_parser = scope)]
        scope: Scope,
        /// `default`, `python4`, `numeric_ids` or `docs_literal`
        #[arg(long, value_parser = profile, default_value = "default")]
        profile: CompatProfile,
        /// A name for people
        #[arg(long, default_value = "")]
        name: String,
        /// Change nothing if there is a live client of this --name, scope and profile
        #[arg(long, requires = "name")]
        if_missing: bool,
        /// Hold polls until the person answers: `off`, `adaptive`, or a number of seconds up to 25
        #[arg(long, value_parser = Holding::parse, default_value = "adaptive")]
        hold: Holding,
        /// `on` or `off`: whether people type a number that this client shows them before they accept a prompt
        #[arg(
            long, value_name = "ON|OFF", value_parser = on_or_off, action = ArgAction::Set,
            default_value = "off", num_args = 0..=1, default_missing_value = "on"
        )]
        number_matching: bool,
        /// What `login/verify_factor` calls a text message that was sent: `success`, as documented, or `pending`
        #[arg(long, value_name = "TYPE", value_parser = sent_type, default_value = "success", action = ArgAction::Set)]
        sent_type: bool,
        /// Make the installation if there is none yet, for `countersign serve` to start on
        #[arg(long)]
        init: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List API clients
    List {
        /// Show whole ids, however wide the table becomes
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show an API client
    Show {
        #[command(flatten)]
        which: WhichArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Revoke an API client and all its tokens
    Revoke {
        #[command(flatten)]
        which: WhichArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Change how a client is answered, how its polls are held, whether people type a number, what a sent message is called
    Set {
        #[command(flatten)]
        which: WhichArgs,
        /// `default`, `python4`, `numeric_ids` or `docs_literal`
        #[arg(long, value_parser = profile, required_unless_present_any = ["number_matching", "hold", "sent_type"])]
        profile: Option<CompatProfile>,
        /// `off`, `adaptive`, or a number of seconds up to 25; `adaptive` forgets what was learnt
        #[arg(long, value_parser = Holding::parse)]
        hold: Option<Holding>,
        /// `on` or `off`: whether people type a number that this client shows them before they accept a prompt
        #[arg(long, value_name = "ON|OFF", value_parser = on_or_off)]
        number_matching: Option<bool>,
        /// What `login/verify_factor` calls a text message that was sent: `success`, as documented, or `pending`
        #[arg(long, value_name = "TYPE", value_parser = sent_type)]
        sent_type: Option<bool>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new secret; the one before goes on working until the next rotation
    Rotate {
        #[command(flatten)]
        which: WhichArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Which client is meant.
#[derive(Debug, Args)]
struct WhichArgs {
    /// The `client_id`, or the beginning of it
    #[arg(required_unless_present = "name", conflicts_with = "name")]
    client_id: Option<String>,
    /// The client's name, in place of its id
    #[arg(long)]
    name: Option<String>,
}

impl From<WhichArgs> for ClientSelector {
    fn from(args: WhichArgs) -> Self {
        match args.name {
            Some(name) => Self::Name(name),
            None => Self::Id(args.client_id.unwrap_or_default()),
        }
    }
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create a user
    Create {
        /// Name to log in with
        #[arg(long)]
        username: Option<String>,
        /// E-mail address
        #[arg(long)]
        email: Option<String>,
        /// Telephone number as +14155550123
        #[arg(long)]
        phone: Option<String>,
        /// First name
        #[arg(long, alias = "first-name")]
        firstname: Option<String>,
        /// Last name
        #[arg(long, alias = "last-name")]
        lastname: Option<String>,
        /// Id in another system
        #[arg(long)]
        external_id: Option<String>,
        /// Read a password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Make the installation if there is none yet, for `countersign serve` to start on
        #[arg(long)]
        init: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List users
    List {
        /// Most users
        #[arg(long, default_value_t = 1000)]
        limit: u32,
        /// Users left out before the first
        #[arg(long, default_value_t = 0)]
        offset: u64,
        /// List only users that share a name with another, and the command that gives each another name
        #[arg(long)]
        collisions: bool,
        /// Only users who have devices and can use none of them: all are disabled, or of factors that are not offered
        #[arg(long)]
        without_usable_device: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Give a user another user name or e-mail address
    Rename {
        /// Id, user name or e-mail address
        user: String,
        /// New user name; an empty one takes it away
        #[arg(long, required_unless_present = "email")]
        username: Option<String>,
        /// New e-mail address; an empty one takes it away
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show a user: devices, locks, failures, what was last accepted and refused
    Show {
        /// Id, user name or e-mail address
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Whether a log-in asks this user for a factor: `off`, `optional`, `required`, or `default` for everybody's rule
    Mfa {
        /// Id, user name or e-mail address
        user: String,
        /// The rule
        #[arg(value_parser = mfa_policy)]
        policy: std::option::Option<MfaPolicy>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Give a user a new password; one that is drawn is shown once
    SetPassword {
        /// Id, user name or e-mail address
        user: String,
        /// Read the password from standard input; without it one is drawn
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Give a user a temporary token, which takes the place of a factor; it is shown once
    Token {
        /// Id, user name or e-mail address
        user: String,
        /// How long it lives, in minutes: 2 to 4320
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(i64).range(2..=4320))]
        minutes: i64,
        /// Let it be used more than once
        #[arg(long)]
        reusable: bool,
        /// End the token that lives, and give none
        #[arg(long, conflicts_with_all = ["minutes", "reusable"])]
        revoke: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Lift every lock of a user
    Unlock {
        /// Id, user name or e-mail address
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete a user with all devices
    Delete {
        /// Id, user name or e-mail address
        user: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}

#[derive(Debug, Subcommand)]
enum DeviceCommand {
    /// List a user's devices
    List {
        /// Id, user name or e-mail address
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Put a device out of use, until its user is unlocked
    Disable {
        /// Id, user name or e-mail address
        user: String,
        /// The device's id
        device: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete a device
    Delete {
        /// Id, user name or e-mail address
        user: String,
        /// The device's id
        device: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Look at everything a server needs for its start, and say all that is wrong with it; nothing is changed
    Check {
        /// Fail where there is a warning too
        #[arg(long)]
        strict: bool,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    /// Show every setting in force
    Show {
        /// Also where each value comes from: a flag, a variable, the file, or the default
        #[arg(long)]
        origin: bool,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    /// Print a configuration file with every setting, what it does, and its default
    Example,
}

#[derive(Debug, Subcommand)]
enum AppCommand {
    /// Create an app that takes our assertions
    Create {
        #[command(flatten)]
        app: AppArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List apps
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete an app
    Delete {
        #[command(flatten)]
        which: crate::app::WhichArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new key that signs assertions; the metadata names the one before until the next rotation
    RotateKey {
        #[command(flatten)]
        output: OutputArgs,
    },
}

fn mfa_policy(text: &str) -> Result<Option<MfaPolicy>, String> {
    match text {
        "default" => Ok(None),
        "off" => Ok(Some(MfaPolicy::Off)),
        "optional" => Ok(Some(MfaPolicy::Optional)),
        "required" => Ok(Some(MfaPolicy::Required)),
        _ => Err("it is one of default, off, optional, required".to_owned()),
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    let known: Vec<String> = Scope::ALL.iter().map(|scope| format!("{:?}", scope.name())).collect();
    Scope::from_name(text).ok_or_else(|| format!("the scopes are {}", known.join(", ")))
}

/// Whether a sent message is called `pending`.
fn sent_type(text: &str) -> Result<bool, &'static str> {
    match text {
        "pending" => Ok(true),
        "success" => Ok(false),
        _ => Err("a sent message is called success or pending"),
    }
}

fn on_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it is on or off"),
    }
}

fn profile(text: &str) -> Result<CompatProfile, String> {
    let known: Vec<&str> = CompatProfile::ALL.iter().map(|profile| profile.name()).collect();
    CompatProfile::from_name(text).ok_or_else(|| format!("the profiles are {}", known.join(", ")))
}

/// Runs the program.
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

/// Reads the command line; or gives the exit code, when help was shown or something is wrong with it.
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

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.what.unwrap_or(What::Serve(cli.serve)) {
        What::Serve(args) => {
            let given = served(&args);
            ready::clear(config::ready_file(&given).as_deref())?;
            let config = Config::load(&given)?;
            warn(&config);
            runtime(config.threads)?.block_on(serve::serve(given, config))
        }
        What::Dev(args) => {
            let given = served(&args.serve);
            ready::clear(config::ready_file(&given).as_deref())?;
            let config = Config::load(&given)?;
            warn(&config);
            let options = args.options(&config)?;
            runtime(config.threads)?.block_on(dev::serve(config, options))
        }
        What::App(command) => apps(command),
        What::Webhook(args) => {
            let (output, command) = args.command();
            command.map_or_else(Ok, |command| run(&output, Command::Webhook(command)))
        }
        What::Client(command) => client(command),
        What::Clock { accept, output } => run(&output, Command::Clock { accept }),
        What::User(command) => user(command),
        What::Device(command) => device(command),
        What::Healthcheck { address, serve } => runtime(1)?.block_on(healthcheck::run(address, &served(&serve))),
        What::Config(ConfigCommand::Check { strict, json, serve }) => {
            runtime(1)?.block_on(settings::check(&served(&serve), strict, json))
        }
        What::Config(ConfigCommand::Example) => Ok(settings::example()),
        What::Config(ConfigCommand::Show { origin, json, serve }) => settings::show(&served(&serve), origin, json),
        What::Migrate { dry_run, output } => {
            let config = configured(&output)?;
            runtime(1)?.block_on(migrate::run(&config, dry_run, output.json))
        }
        What::Move(args) => {
            let ca_file = match args.database_ca_file {
                Some(file) => Some(file),
                None => config::variable("COUNTERSIGN_DATABASE_CA_FILE")?.map(PathBuf::from),
            };
            let ca_file = ca_file.as_deref();
            let options = transfer::TransferOptions {
                from: transfer::TransferEnd::parse(&args.from, ca_file)?,
                to: transfer::TransferEnd::parse(&args.to, ca_file)?,
                json: args.json,
            };
            runtime(1)?.block_on(transfer::run(options))
        }
        What::Torture(args) => runtime(0)?.block_on(torture::run(args)),
        What::Import(args) => {
            let config = configured(&args.output)?;
            let ImportArgs { file, format, rejects, map_out, update, output } = args;
            let options = import::ImportOptions { file, format, rejects, map_out, update, json: output.json };
            // One thread reads the list, the others seal and decide.
            runtime(0)?.block_on(import::run(&config, options))
        }
    }
}

fn apps(command: AppCommand) -> anyhow::Result<ExitCode> {
    match command {
        AppCommand::Create { app, output } => {
            let (name, definition) = app.definition();
            run(&output, Command::AppCreate { name, definition })
        }
        AppCommand::List { output } => run(&output, Command::AppList),
        AppCommand::Delete { which, yes, output } => {
            let which = crate::app::AppSelector::from(which);
            let question = format!("Delete app {which}? Users can no longer log in to it.");
            run_if(terminal::agreed(yes, &question), &output, Command::AppDelete(which))
        }
        AppCommand::RotateKey { output } => run(&output, Command::AppRotateKey),
    }
}

fn client(command: ClientCommand) -> anyhow::Result<ExitCode> {
    use crate::client::ClientCommand as Asked;
    let mut intent = None;
    let (output, full, asked) = match command {
        ClientCommand::Create { scope, profile, name, if_missing, hold, number_matching, sent_type, init, output } => {
            let options = ClientOptions { holding: hold, number_matching, sent_is_pending: sent_type };
            intent = Some(making(init));
            (output, false, Asked::Create { name, scope, profile, options, if_missing })
        }
        ClientCommand::Set { which, profile, hold, number_matching, sent_type, output } => {
            let choice = Choice { holding: hold, number_matching, sent_is_pending: sent_type, profile };
            (output, false, Asked::Set(which.into(), choice))
        }
        ClientCommand::List { full, output } => (output, full, Asked::List),
        ClientCommand::Show { which, output } => (output, false, Asked::Show(which.into())),
        ClientCommand::Revoke { which, yes, output } => {
            let which = ClientSelector::from(which);
            let question = format!("Revoke client {which}? Everything that uses it stops working.");
            if let Err(code) = terminal::agreed(yes, &question) {
                return Ok(code);
            }
            (output, false, Asked::Revoke(which))
        }
        ClientCommand::Rotate { which, output } => (output, false, Asked::Rotate(which.into())),
    };
    let command = Command::Client(asked);
    run_as(intent.unwrap_or_else(|| Intent::from(&command)), &output, command, full)
}

fn user(command: UserCommand) -> anyhow::Result<ExitCode> {
    match command {
        UserCommand::Create {
            username,
            email,
            phone,
            firstname,
            lastname,
            external_id,
            password_stdin,
            init,
            output,
        } => {
            let password = if password_stdin { Some(read_line()?) } else { None };
            let user = NewUser { username, email, phone, firstname, lastname, external_id, password };
            run_as(making(init), &output, Command::UserCreate(user), false)
        }
        UserCommand::List { limit, collisions: true, output, .. } => run(&output, Command::UserCollisions { limit }),
        UserCommand::List { limit, offset, without_usable_device, output, .. } => {
            run(&output, Command::UserList { offset, limit, without_usable_device })
        }
        UserCommand::Rename { user, username, email, output } => {
            run(&output, Command::UserRename { who: Who(user), username, email })
        }
        UserCommand::Show { user, output } => run(&output, Command::UserShow(Who(user))),
        UserCommand::Mfa { user, policy, output } => run(&output, Command::UserMfa { who: Who(user), policy }),
        UserCommand::SetPassword { user, password_stdin, output } => {
            let password = if password_stdin { Some(Password(read_line()?)) } else { None };
            run(&output, Command::UserSetPassword { who: Who(user), password })
        }
        UserCommand::Token { user, revoke: true, output, .. } => run(&output, Command::UserTokenRevoke(Who(user))),
        UserCommand::Token { user, minutes, reusable, revoke: false, output } => {
            run(&output, Command::UserToken { who: Who(user), ttl: minutes * MINUTE, reusable })
        }
        UserCommand::Unlock { user, output } => run(&output, Command::UserUnlock(Who(user))),
        UserCommand::Delete { user, yes, output } => {
            let question = format!("Delete user {user} with all devices? This cannot be undone.");
            run_if(terminal::agreed(yes, &question), &output, Command::UserDelete(Who(user)))
        }
    }
}

fn device(command: DeviceCommand) -> anyhow::Result<ExitCode> {
    match command {
        DeviceCommand::List { user, output } => run(&output, Command::DeviceList(Who(user))),
        DeviceCommand::Disable { user, device, output } => {
            run(&output, Command::DeviceDisable { who: Who(user), device })
        }
        DeviceCommand::Delete { user, device, yes, output } => {
            let question = format!("Delete device {device} of user {user}? This cannot be undone.");
            run_if(terminal::agreed(yes, &question), &output, Command::DeviceDelete { who: Who(user), device })
        }
    }
}

/// What `serve` would be given.
fn served(args: &ServeArgs) -> FlagValues {
    args.place.0.clone().and(&args.serve.0)
}

fn configured(output: &OutputArgs) -> anyhow::Result<Config> {
    Config::load(&output.place.0)
}

/// What `--init` adds to a command that writes.
fn making(init: bool) -> Intent {
    if init { Intent::Make } else { Intent::Write }
}

fn run(output: &OutputArgs, command: Command) -> anyhow::Result<ExitCode> {
    run_as(Intent::from(&command), output, command, false)
}

/// Runs what a person has agreed to.
fn run_if(agreed: Result<(), ExitCode>, output: &OutputArgs, command: Command) -> anyhow::Result<ExitCode> {
    match agreed {
        Ok(()) => run(output, command),
        Err(code) => Ok(code),
    }
}

fn run_as(intent: Intent, output: &OutputArgs, command: Command, full: bool) -> anyhow::Result<ExitCode> {
    let config = configured(output)?;
    let report = runtime(1)?.block_on(control::send(&config, command, intent))?;
    report.print(output.json, full);
    Ok(ExitCode::SUCCESS)
}

/// Open files to ask for: the most connections, and as many again for outgoing ones and the database.
const FILES: u64 = 20_000;

/// A runtime, and as many open files as the system grants: connections are files, and the usual first limit is 1,024.
fn runtime(threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    // Fewer files mean fewer connections, which the accept loop bears.
    let _ = rlimit::increase_nofile_limit(FILES);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build()?;
    let entered = runtime.enter();
    signals::ignore_the_rest()?;
    drop(entered);
    Ok(runtime)
}

fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    // Some shells put a mark in front of what they pipe.
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Says what is doubtful about how a server was configured.
fn warn(config: &Config) {
    for warning in config.notes.iter().cloned().chain(settings::unknown_variables()) {
        terminal::remark(&format!("countersign: {warning}"));
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

    /// An option with a default other than `false` takes a value. Of a `bool` clap makes a mere flag unless told otherwise.
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
        assert_eq!(Config::load(&served(&cli.serve)).unwrap().listen.port(), 0);
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
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn a_wrong_scope_is_answered_with_the_right_ones() {
        let error = Cli::try_parse_from(["countersign", "client", "create", "--scope", "all"]).unwrap_err().to_string();
        assert!(error.contains("Manage All"), "{error}");
    }
}
