//! `countersign device`: a user's devices.

use std::process::ExitCode;

use clap::Subcommand;
use domain::model::audit::Actor;
use domain::rules::enrolment::DisableOutcome;
use domain::{DeviceId, User};
use engine::{Engine, ListedDevice};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::find_user::{UserKey, find};
use crate::cli::labels;
use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run, run_if_agreed};
use crate::installation::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceArgs {
    /// List a user's devices
    List {
        /// Id, user name or e-mail address
        user: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Disable a device until its user is unlocked
    Disable {
        /// Id, user name or e-mail address
        user: String,
        /// Id of the device
        device: i64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Delete a device
    Delete {
        /// Id, user name or e-mail address
        user: String,
        /// Id of the device
        device: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}

impl DeviceArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { user, output } => run(&output, DeviceRequest::List(UserKey(user))),
            Self::Disable { user, device, output } => {
                run(&output, DeviceRequest::Disable { user: UserKey(user), device })
            }
            Self::Delete { user, device, yes, output } => {
                let question = format!("Delete device {device} of user {user}? This cannot be undone.");
                run_if_agreed(yes, &question, &output, DeviceRequest::Delete { user: UserKey(user), device })
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeviceRequest {
    List(UserKey),
    Disable { user: UserKey, device: i64 },
    Delete { user: UserKey, device: i64 },
}

impl Request for DeviceRequest {
    const NOUN: &'static str = "device";

    fn intent(&self) -> Intent {
        match self {
            Self::List(_) => Intent::Read,
            Self::Disable { .. } | Self::Delete { .. } => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::List(user) => list(engine, &find(engine, &user).await?).await,
            Self::Disable { user, device } => disable(engine, &find(engine, &user).await?, device).await,
            Self::Delete { user, device } => delete(engine, &find(engine, &user).await?, device).await,
        }
    }
}

/// A device, for a program.
pub(crate) fn json(listed: &ListedDevice) -> Value {
    json!({
        "id": listed.device.id,
        "factor": listed.device.factor,
        "display_name": listed.device.display_name,
        "status": state(listed),
        "default": listed.is_default,
    })
}

fn state(listed: &ListedDevice) -> &'static str {
    labels::device_state(listed.device.status)
}

async fn list(engine: &Engine, user: &User) -> Result<Report, String> {
    let devices = engine.devices(user.id).await.map_err(sentence)?;
    let rows = devices
        .iter()
        .map(|listed| {
            vec![
                listed.device.id.to_string(),
                labels::factor(listed.device.factor).to_owned(),
                listed.device.display_name.clone(),
                state(listed).to_owned(),
                if listed.is_default { "yes" } else { "" }.to_owned(),
            ]
        })
        .collect();
    Ok(Report::table(devices.iter().map(json).collect(), ["id", "factor", "name", "state", "default"], rows))
}

async fn disable(engine: &Engine, user: &User, device: i64) -> Result<Report, String> {
    let disabled = engine.disable_device(user.id, DeviceId(device), Actor::default()).await.map_err(sentence)?;
    match disabled {
        DisableOutcome::Disabled => {
            let said = format!(
                "Device {device} is disabled until `countersign user unlock {}`, which enables all devices of the user.",
                user.id
            );
            Ok(Report::line(json!({ "id": device, "disabled": true }), said))
        }
        DisableOutcome::NotInUse => {
            Ok(Report::line(json!({ "id": device, "disabled": false }), format!("Device {device} was not in use.")))
        }
        DisableOutcome::NoDevice => Err(no_device(user, device)),
    }
}

async fn delete(engine: &Engine, user: &User, device: i64) -> Result<Report, String> {
    let removed = engine.remove_device(user.id, DeviceId(device), Actor::default()).await.map_err(sentence)?;
    if !removed {
        return Err(no_device(user, device));
    }
    Ok(Report::line(json!({ "id": device, "deleted": true }), format!("Device {device} is deleted.")))
}

fn no_device(user: &User, device: i64) -> String {
    format!("user {} has no device {device}; `countersign device list {}` shows all of them", user.id, user.id)
}
