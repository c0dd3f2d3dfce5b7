//! `…/devices`: lists and removes a user's devices (contract 7.5, 7.6).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::{DeviceStatus, UserId};
use engine::ListedDevice;
use serde::Serialize;
use utoipa::ToSchema;

use super::challenge::user_of;
use super::error::Error;
use crate::access::{Access, ManageMfa, ReadInLogIn};
use crate::dialect::Dialect;
use crate::wire::call::ApiCall;
use crate::wire::envelope::json;
use crate::wire::factor_names::{FactorNames, v2_auth_factor_name};
use crate::wire::temp_token::token_device_id;

#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub(crate) struct Listed<'a> {
    device_id: String,
    user_display_name: String,
    type_display_name: &'a str,
    auth_factor_name: &'static str,
    default: bool,
}

/// Lists a user's devices, without those that were enrolled over version 1 and never verified. A client with
/// `Authentication Only` may read them only for a user whom it is logging in at the moment.
pub(crate) async fn list(dialect: Dialect, access: Access<ReadInLogIn>, call: ApiCall) -> Result<Response, Error> {
    let user = user_of(&dialect, &access, &call).await?;
    let devices = dialect.engine.devices(user).await?;
    let names = &dialect.options.names;
    let devices: Vec<_> = devices.into_iter().filter(is_shown).map(|reading| render(reading, names)).collect();
    Ok(json(StatusCode::OK, &devices))
}

/// Removes a device; by the device id of a temporary token, revokes that token.
pub(crate) async fn delete(dialect: Dialect, access: Access<ManageMfa>, call: ApiCall) -> Result<Response, Error> {
    let user = call.user_id().ok_or(Error::NotFound)?;
    let removed = if is_token(user, call.path("device_id")) {
        dialect.engine.revoke_temp_token(user, access.context()).await?
    } else {
        let device = call.device_id().ok_or(Error::NotFound)?;
        dialect.engine.remove_device(user, device, access.context()).await?
    };
    removed.then(|| StatusCode::NO_CONTENT.into_response()).ok_or(Error::NotFound)
}

fn is_token(user: UserId, device_id: &str) -> bool {
    device_id == token_device_id(user)
}

/// A device disabled by wrong answers looks the same: only the audit trail shows a lock (SEC 26).
fn is_shown(reading: &ListedDevice) -> bool {
    match reading.device.status {
        DeviceStatus::Active | DeviceStatus::Disabled => true,
        DeviceStatus::Pending | DeviceStatus::Registering => false,
    }
}

fn render(reading: ListedDevice, names: &FactorNames) -> Listed<'_> {
    let device = reading.device;
    Listed {
        device_id: device.id.to_string(),
        user_display_name: device.display_name,
        type_display_name: names.v2_type_display_name(device.factor),
        auth_factor_name: v2_auth_factor_name(device.factor),
        default: reading.is_default,
    }
}
