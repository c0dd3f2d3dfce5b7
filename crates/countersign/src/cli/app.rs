//! `countersign app`: services that accept SAML assertions.

use std::process::ExitCode;

use clap::Subcommand;
use domain::model::app::{AppId, Definition, SamlApp, Source};
use domain::model::name::alike;
use engine::Engine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run, run_if_agreed};
use crate::installation::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum AppArgs {
    /// Create an app that accepts our assertions
    Create {
        #[command(flatten)]
        app: NewAppArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List all apps
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete an app
    Delete {
        #[command(flatten)]
        which: SelectorArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new key that signs assertions; the metadata names the previous one until the next rotation
    RotateKey {
        #[command(flatten)]
        output: OutputArgs,
    },
}

impl AppArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create { app, output } => {
                let (name, definition) = app.definition();
                run(&output, AppRequest::Create { name, definition })
            }
            Self::List { output } => run(&output, AppRequest::List),
            Self::Delete { which, yes, output } => {
                let which = AppSelector::from(which);
                let question = format!("Delete app {which}? Users can no longer log in to it.");
                run_if_agreed(yes, &question, &output, AppRequest::Delete(which))
            }
            Self::RotateKey { output } => run(&output, AppRequest::RotateKey),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AppRequest {
    Create { name: String, definition: Definition },
    List,
    Delete(AppSelector),
    RotateKey,
}

impl Request for AppRequest {
    const NOUN: &'static str = "app";

    fn intent(&self) -> Intent {
        match self {
            Self::List => Intent::Read,
            Self::Create { .. } | Self::Delete(_) | Self::RotateKey => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Create { name, definition } => {
                let app = engine.create_app(&name, definition).await.map_err(sentence)?;
                let text = vec![
                    format!("App {} created.", app.id.0),
                    format!("  name      {}", app.name),
                    format!("  ACS URL   {}", app.definition.acs_url),
                    format!("  audience  {}", app.definition.audience),
                    metadata(engine),
                ];
                Ok(Report::lines(json(&app), text))
            }
            Self::List => {
                let apps = engine.apps().await.map_err(sentence)?;
                let row = |app: &SamlApp| {
                    let definition = &app.definition;
                    vec![
                        app.id.0.to_string(),
                        app.name.clone(),
                        definition.acs_url.clone(),
                        definition.audience.clone(),
                    ]
                };
                let header = ["id", "name", "acs_url", "audience"];
                Ok(Report::table(apps.iter().map(json).collect(), header, apps.iter().map(row).collect()))
            }
            Self::Delete(which) => {
                let id = find(engine, &which).await?;
                if !engine.delete_app(AppId(id)).await.map_err(sentence)? {
                    return Err(missing(&which));
                }
                Ok(Report::line(json!({ "id": id, "deleted": true }), format!("App {id} is deleted.")))
            }
            Self::RotateKey => {
                engine.rotate_saml_key().await.map_err(sentence)?;
                let text = "A new key signs from now on; the metadata names both until the next rotation. \
                            Give every service the new metadata.";
                Ok(Report::line(json!({ "rotated": true }), text))
            }
        }
    }
}

/// An app, as the command line names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AppSelector {
    Id(i64),
    Name(String),
}

impl std::fmt::Display for AppSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => write!(f, "\"{name}\""),
        }
    }
}

/// The URL of our metadata, or what to set first.
fn metadata(engine: &Engine) -> String {
    match &engine.settings().public_url {
        Some(url) => format!("Give the service our metadata: {url}/saml/metadata"),
        None => "Set public_url before you give a service our metadata (/saml/metadata at this server's address): it is the \
                 issuer of every assertion."
            .to_owned(),
    }
}

/// The id of the selected app.
async fn find(engine: &Engine, which: &AppSelector) -> Result<i64, String> {
    let name = match which {
        AppSelector::Id(id) => return Ok(*id),
        AppSelector::Name(name) => name,
    };
    let found = alike(name, engine.apps().await.map_err(sentence)?, |app| &app.name);
    match found.as_slice() {
        [] => Err(missing(which)),
        [only] => Ok(only.id.0),
        several => {
            let ids: Vec<_> = several.iter().map(|app| app.id.0.to_string()).collect();
            Err(format!("{which} fits {} apps; give one of these ids: {}", ids.len(), ids.join(", ")))
        }
    }
}

fn missing(which: &AppSelector) -> String {
    format!("there is no app {which}; `countersign app list` shows all of them")
}

fn json(app: &SamlApp) -> Value {
    json!({ "id": app.id, "name": app.name, "definition": app.definition })
}

/// Selects an app.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectorArgs {
    /// Id of the app
    #[arg(required_unless_present = "name", conflicts_with = "name")]
    id: Option<i64>,
    /// Name of the app, instead of its id
    #[arg(long)]
    name: Option<String>,
}

impl From<SelectorArgs> for AppSelector {
    fn from(args: SelectorArgs) -> Self {
        match (args.name, args.id) {
            (Some(name), _) => Self::Name(name),
            (None, id) => Self::Id(id.unwrap_or_default()),
        }
    }
}

/// A new app.
#[derive(Debug, clap::Args)]
pub(crate) struct NewAppArgs {
    /// Name for people; no two apps share one
    #[arg(long)]
    pub(crate) name: String,
    /// Address that signed responses are posted to (Assertion Consumer Service)
    #[arg(long, value_name = "URL", required_unless_present = "aws_role")]
    acs_url: Option<String>,
    /// Audience of the assertion; the ACS URL if not given
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// Source of the subject's name: `email`, `username`, `id`, `profile:NAME`, `custom:NAME` or `fixed:TEXT`
    #[arg(long, value_parser = source, default_value = "email", value_name = "SOURCE")]
    name_id: Source,
    /// Attribute as `NAME=SOURCE` (repeatable)
    #[arg(long = "attribute", value_parser = attribute, value_name = "NAME=SOURCE")]
    attributes: Vec<(String, Source)>,
    /// Role at Amazon Web Services, with its provider; sets the other fields as AWS asks (repeatable)
    #[arg(long = "aws-role", value_parser = aws_role, value_name = "ROLE_ARN,PROVIDER_ARN")]
    aws_role: Vec<(String, String)>,
    /// Seconds a session at AWS may last, 900 to 43200
    #[arg(long, value_name = "SECONDS", requires = "aws_role")]
    aws_session: Option<u32>,
}

impl NewAppArgs {
    pub(crate) fn definition(self) -> (String, Definition) {
        let aws = !self.aws_role.is_empty();
        let acs_url = self.acs_url.unwrap_or_else(|| if aws { AWS_ACS.to_owned() } else { String::new() });
        let audience = self.audience.unwrap_or_else(|| if aws { AWS_AUDIENCE.to_owned() } else { acs_url.clone() });
        let definition = Definition {
            acs_url,
            audience,
            name_id: self.name_id,
            attributes: self.attributes,
            aws_roles: self.aws_role,
            aws_session_ttl: self.aws_session,
        };
        (self.name, definition)
    }
}

/// Amazon's consumer service and audience.
pub(crate) const AWS_ACS: &str = "https://signin.aws.amazon.com/saml";
pub(crate) const AWS_AUDIENCE: &str = "urn:amazon:webservices";

fn source(text: &str) -> Result<Source, String> {
    let known = "email, username, id, profile:NAME, custom:NAME or fixed:TEXT";
    Source::parse(text).ok_or_else(|| format!("a source is one of {known}"))
}

fn attribute(text: &str) -> Result<(String, Source), String> {
    let (name, from) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("write it as NAME=SOURCE")?;
    Ok((name.to_owned(), source(from)?))
}

fn aws_role(text: &str) -> Result<(String, String), String> {
    let (role, provider) = text.split_once(',').ok_or("write it as ROLE_ARN,PROVIDER_ARN")?;
    Ok((role.trim().to_owned(), provider.trim().to_owned()))
}
