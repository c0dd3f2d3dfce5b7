//! `GET /dev/authenticator`: what every authenticator app of the world shows at this moment. A tester has no app that follows
//! the world's clock.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use domain::DeviceStatus;
use engine::OwnCode;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Page, UserFilter};

use super::problem::Problem;
use super::world::DevWorld;

/// Users that are read at once.
const AT_ONCE: u32 = 100;

/// The query of the authenticator.
#[derive(Deserialize)]
pub(super) struct Question {
    user_id: Option<i64>,
}

/// The codes of all devices that make them, by user and device.
pub(super) async fn list(
    State(world): State<Arc<DevWorld>>,
    Query(question): Query<Question>,
) -> Result<Json<Value>, Problem> {
    let filter = UserFilter { id: question.user_id.map(domain::UserId), ..UserFilter::default() };
    let mut devices = Vec::new();
    let mut seen = 0_u32;
    loop {
        let page = world.engine().users(&filter, Page { limit: AT_ONCE, offset: seen.into() }).await?;
        for user in &page.users {
            let codes = world.engine().own_codes(user.id).await?;
            devices.extend(codes.iter().map(|code| shown(user.username.as_deref(), code)));
        }
        seen += AT_ONCE;
        if page.users.is_empty() || u64::from(seen) >= page.total {
            break;
        }
    }
    Ok(Json(json!({
        "now": onelogin::wire_time::with_millis(world.now().0),
        "frozen": world.clock.frozen().is_some(),
        "devices": devices,
    })))
}

fn shown(username: Option<&str>, code: &OwnCode) -> Value {
    let device = &code.device;
    json!({
        "user_id": device.user_id,
        "username": username,
        "device_id": device.id,
        "name": device.display_name,
        "factor": if code.period.is_some() { "totp" } else { "hotp" },
        "state": match device.status {
            DeviceStatus::Registering | DeviceStatus::Pending => "pending",
            DeviceStatus::Active => "active",
            DeviceStatus::Disabled => "disabled",
        },
        "code": code.code,
        "used": code.is_used,
        "period": code.period,
        "seconds_left": code.seconds_left,
        "next_code": code.next_code,
    })
}
