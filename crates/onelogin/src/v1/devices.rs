//! `GET` and `DELETE /api/1/users/{user_id}/otp_devices`: lists and removes a user's devices (contract 4.3, 4.6).

use axum::response::Response;
use domain::DeviceStatus;
use domain::model::text::masked_phone;
use engine::ListedDevice;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use crate::access::{Access, ManageUsers, ReadUsers};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::{v1_success, v1_success_with_echo};
use crate::wire::factor_names::{FactorNames, v1_auth_factor_name};

#[derive(Serialize, ToSchema)]
#[schema(as = V1Devices)]
pub(crate) struct Data<'a> {
    otp_devices: Vec<Device<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = V1Device)]
struct Device<'a> {
    type_display_name: &'a str,
    active: bool,
    user_display_name: String,
    default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    auth_factor_name: &'static str,
    id: i64,
    needs_trigger: bool,
}

/// Lists a user's devices, including those never verified.
pub(crate) async fn list(dialect: Dialect, _access: Access<ReadUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let devices = dialect.engine.devices(user).await?;
    let names = &dialect.options.names;
    Ok(v1_success(&Data { otp_devices: devices.into_iter().map(|reading| render(reading, names)).collect() }))
}

pub(crate) async fn delete(dialect: Dialect, access: Access<ManageUsers>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::BadId)?;
    let device = call.device_id().ok_or(Error::NoFactor)?;
    let removed = dialect.engine.remove_device(user, device, access.context()).await?;
    if removed { Ok(v1_success_with_echo()) } else { Err(Error::NoFactor) }
}

fn render(reading: ListedDevice, names: &FactorNames) -> Device<'_> {
    let device = reading.device;
    Device {
        type_display_name: names.v1_type_display_name(device.factor),
        // A device disabled by wrong answers looks the same: only the audit trail shows a lock (SEC 26).
        active: device.status != DeviceStatus::Pending,
        user_display_name: device.display_name,
        default: reading.is_default,
        phone_number: reading.phone.as_deref().map(masked_phone),
        auth_factor_name: v1_auth_factor_name(device.factor),
        id: device.id.0,
        needs_trigger: device.factor.needs_trigger(),
    }
}
