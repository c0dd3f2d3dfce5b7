//! `countersign device`: a user's devices, put out of use or removed.

use domain::model::audit::Context;
use domain::rules::enrolment::Disabled;
use domain::{DeviceId, User};
use engine::{Engine, ListedDevice};
use serde_json::{Value, json};

use crate::command::{Report, Text, lines, sentence};
use crate::words;

/// A device, for a program.
pub(crate) fn json(reading: &ListedDevice) -> Value {
    json!({
        "id": reading.device.id,
        "factor": reading.device.factor,
        "display_name": reading.device.display_name,
        "status": state(reading),
        "default": reading.is_default,
    })
}

fn state(reading: &ListedDevice) -> &'static str {
    words::device_state(reading.device.status)
}

/// `device list`
pub(crate) async fn list(engine: &Engine, user: &User) -> Result<Report, String> {
    let devices = engine.devices(user.id).await.map_err(sentence)?;
    let rows = devices
        .iter()
        .map(|reading| {
            vec![
                reading.device.id.to_string(),
                words::factor(reading.device.factor).to_owned(),
                reading.device.display_name.clone(),
                state(reading).to_owned(),
                if reading.is_default { "yes" } else { "" }.to_owned(),
            ]
        })
        .collect();
    let header = ["id", "factor", "name", "state", "default"].map(str::to_owned).to_vec();
    Ok(Report { json: devices.iter().map(json).collect(), text: Text::Table(header, rows) })
}

/// `device disable`
pub(crate) async fn disable(engine: &Engine, user: &User, device: i64) -> Result<Report, String> {
    let disabled = engine.disable_device(user.id, DeviceId(device), Context::default()).await.map_err(sentence)?;
    match disabled {
        Disabled::Disabled => {
            let said = format!(
                "Device {device} is out of use until `countersign user unlock {}`, which puts all of the user's \
                 devices back into use.",
                user.id
            );
            Ok(lines(json!({ "id": device, "disabled": true }), vec![said]))
        }
        Disabled::NotInUse => {
            Ok(lines(json!({ "id": device, "disabled": false }), vec![format!("Device {device} was not in use.")]))
        }
        Disabled::NoDevice => Err(no_device(user, device)),
    }
}

/// `device delete`
pub(crate) async fn delete(engine: &Engine, user: &User, device: i64) -> Result<Report, String> {
    let removed = engine.remove_device(user.id, DeviceId(device), Context::default()).await.map_err(sentence)?;
    if !removed {
        return Err(no_device(user, device));
    }
    Ok(lines(json!({ "id": device, "deleted": true }), vec![format!("Device {device} is deleted.")]))
}

fn no_device(user: &User, device: i64) -> String {
    format!("user {} has no device {device}; `countersign device list {}` shows all of them", user.id, user.id)
}
