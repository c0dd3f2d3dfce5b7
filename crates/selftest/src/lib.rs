//! `countersign selftest`: tests a running installation. A proof counts once, and every failure is counted, over all nodes and
//! endpoints at once.
//!
//! It creates test users over the API, sends requests for them from many connections at the same moment, judges the answers
//! (`report`), and deletes the users. It needs an API client with `Manage All` that nothing else uses: the scenario of refresh
//! tokens ends that client's token.

mod api;
mod client;
mod crowd;
mod dashboard;
mod dev_world;
mod device;
mod endpoint;
mod guesses;
mod log_ins;
mod output;
mod progress;
mod report;
mod rounds;
mod shot;
mod singles;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use api::{Api, Credentials};
use client::Node;
use crowd::Crowd;
use dashboard::Dashboard;
pub use output::{Output, ProgressBar};
use report::Mode;

/// The variable with the client's secret, if no flag has it.
const SECRET_VARIABLE: &str = "COUNTERSIGN_CLIENT_SECRET";
/// Fewest rounds of a full run. A shorter run does not wait for a lock to end.
const PATIENT_FROM: u64 = 1_000;

/// The arguments of `countersign selftest`.
#[derive(Debug, clap::Args)]
pub struct SelftestArgs {
    /// URL of a node, as `http://10.0.0.1:8080`; repeat it for every node of the installation
    #[arg(long = "url", value_name = "URL")]
    urls: Vec<String>,
    /// Ready file of a dev world, for its client and, without --url, its address
    #[arg(long, value_name = "FILE", required_unless_present = "client_id")]
    ready_file: Option<PathBuf>,
    /// Id of an API client with the scope "Manage All"
    #[arg(long, value_name = "ID", conflicts_with = "ready_file", requires = "urls")]
    client_id: Option<String>,
    /// Secret of that client; better in the variable `COUNTERSIGN_CLIENT_SECRET`, or in the file that
    /// `COUNTERSIGN_CLIENT_SECRET_FILE` names
    #[arg(long, value_name = "SECRET", requires = "client_id", hide_env_values = true)]
    client_secret: Option<String>,
    /// Prefix of the test users' names
    #[arg(long, value_name = "TEXT", default_value = "torture")]
    user_prefix: String,
    /// Rounds of the main scenario; the others follow from it
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Callers that send at the same moment
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(2..=500))]
    clients: u16,
    /// Wrong guesses that are sent at once
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    guesses: u32,
    /// Allow 503 and dropped connections: nodes or the database will be broken during the test
    #[arg(long)]
    fault_expected: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// The evaluated arguments.
struct Plan {
    nodes: Arc<[Node]>,
    credentials: Credentials,
    mode: Mode,
    has_outbox: bool,
    app: Option<i64>,
}

impl SelftestArgs {
    fn plan(&self) -> anyhow::Result<Plan> {
        let ready = match &self.ready_file {
            Some(path) => read_ready(path)?,
            None => Value::Null,
        };
        let mut urls = self.urls.clone();
        if urls.is_empty() {
            urls.push(api::text(&ready, "/base_url").context("name a node with --url")?);
        }
        let nodes = urls.iter().map(|url| Node::parse(url)).collect::<Result<Vec<_>, _>>()?;
        let credentials = match &self.client_id {
            Some(id) => Credentials { id: id.clone(), secret: self.secret()? },
            None => manager(&ready)?,
        };
        let mode = if self.fault_expected { Mode::FaultExpected } else { Mode::FaultFree };
        Ok(Plan {
            nodes: nodes.into(),
            credentials,
            mode,
            has_outbox: ready["outbox_url"].is_string(),
            app: ready["apps"][0]["id"].as_i64(),
        })
    }

    fn secret(&self) -> anyhow::Result<String> {
        let given = match &self.client_secret {
            Some(secret) => Some(secret.clone()),
            None => config::secret(SECRET_VARIABLE)?,
        };
        let secret = given.with_context(|| format!("set {SECRET_VARIABLE} or pass --client-secret"))?;
        Ok(secret.trim().to_owned())
    }

    /// Rounds of each smaller scenario.
    fn few(&self) -> u64 {
        (self.rounds / 100).clamp(3, 100)
    }
}

fn read_ready(path: &Path) -> anyhow::Result<Value> {
    let text = config::text_of(path)?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// The dev world's client with the scope `Manage All`.
fn manager(ready: &Value) -> anyhow::Result<Credentials> {
    let clients = ready["clients"].as_array().into_iter().flatten();
    let manager = clients.into_iter().find(|client| client["scope"] == "Manage All");
    let manager = manager.context("this ready file holds no client with Manage All; pass --client-id")?;
    Ok(Credentials { id: api::text(manager, "/client_id")?, secret: api::text(manager, "/client_secret")? })
}

/// Runs every scenario, prints the results and deletes the test users.
pub async fn run(args: SelftestArgs, output: &dyn Output) -> anyhow::Result<ExitCode> {
    let plan = args.plan()?;
    let nodes = plan.nodes.clone();
    let mut api = Api::enter(nodes.clone(), plan.credentials, &args.user_prefix, plan.mode).await?;
    let faults = if args.fault_expected { ", faults expected" } else { "" };
    output.remark(&format!(
        "{} callers, {} node(s), {} rounds{faults}; the test users are named {}-*.",
        args.clients,
        nodes.len(),
        args.rounds,
        api.run
    ));
    let mut dashboard = Dashboard::default();
    let ended = tokio::select! {
        ended = scenarios(&args, (plan.has_outbox, plan.app), &mut api, output, &mut dashboard) => ended,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let cleaned = api.clean_up().await;
    let settings = json!({
        "rounds": args.rounds, "clients": args.clients, "guesses": args.guesses, "fault_expected": args.fault_expected,
    });
    if args.json {
        output.say(&dashboard.json(&nodes, &settings).to_string());
    } else {
        dashboard.print(&nodes, output);
    }
    match cleaned {
        Ok(users) => output.remark(&format!("Deleted {users} test users.")),
        Err(error) => {
            let run = &api.run;
            output.remark(&format!("Some test users were not deleted; their last name is {run}: {error:#}"));
        }
    }
    ended.context("the self-test did not run to its end")?;
    Ok(if dashboard.violations() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn scenarios(
    args: &SelftestArgs,
    (has_outbox, app): (bool, Option<i64>),
    api: &mut Api,
    output: &dyn Output,
    dashboard: &mut Dashboard,
) -> anyhow::Result<()> {
    let nodes = api.nodes.clone();
    let mut crowd = Crowd::new(&nodes, usize::from(args.clients), api.roams());
    let few = args.few();
    let withheld = guesses::run(api, usize::try_from(args.guesses)?, dashboard).await?;
    singles::state_tokens(api, &mut crowd, few, dashboard).await?;
    singles::registrations(api, &mut crowd, few, dashboard).await?;
    singles::temp_tokens(api, &mut crowd, few, dashboard).await?;
    log_ins::run(api, &mut crowd, few, app, dashboard).await?;
    log_ins::guesses(api, &mut crowd, usize::try_from(args.guesses)?, app, dashboard).await?;
    if has_outbox {
        dev_world::messages(api, &mut crowd, few, dashboard).await?;
        dev_world::prompts(api, &mut crowd, few, dashboard).await?;
    } else {
        dashboard.note("codes by SMS and push were left out: without a dev world there is no outbox to read");
    }
    rounds::run(api, &mut crowd, args.rounds, output, dashboard).await?;
    guesses::after_lock(api, &mut crowd, withheld, args.rounds >= PATIENT_FROM, dashboard).await?;
    singles::refresh_tokens(api, &mut crowd, few, dashboard).await?;
    if dashboard.violations() == 0 && api.mode == Mode::FaultFree {
        every_node_took_part(&nodes)?;
    }
    Ok(())
}

/// Fails if a node has answered no request: then the result does not cover it.
fn every_node_took_part(nodes: &[Node]) -> anyhow::Result<()> {
    match nodes.iter().find(|node| node.answers.load(std::sync::atomic::Ordering::Relaxed) < 2) {
        Some(idle) => bail!("{} has answered no request", idle.url),
        None => Ok(()),
    }
}
