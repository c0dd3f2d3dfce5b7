//! A log-in that waits for a code, and the code at every door at once: whoever brings it first has used it up.

use engine::Chance;
use engine::chance::SystemChance;
use serde_json::json;

use super::api::Api;
use super::board::Board;
use super::client::Request;
use super::crowd::Crowd;
use super::door::Door;
use super::singles::judge;

/// Fires the code of a log-in at its own door and at those of v1 and v2, and the same for an assertion where there is an
/// app.
pub(super) async fn run(
    api: &mut Api,
    crowd: &mut Crowd,
    rounds: u64,
    app: Option<i64>,
    board: &mut Board,
) -> anyhow::Result<()> {
    if app.is_none() {
        board.note("assertions were left out: the ready file names no app");
    }
    for round in 0..rounds {
        let app = app.filter(|_| round % 2 == 1);
        let chance: &dyn Chance = &SystemChance;
        let password = chance.hex::<16>();
        let (user, name) = api.person(&password).await?;
        let mut device = api.hotp(user).await?;
        let state_token = api.log_in(&name, &password, app).await?;
        let code = device.next_code();
        let own_door = |api: &Api| -> Request {
            let path = if app.is_some() { "/api/1/saml_assertion/verify_factor" } else { "/api/1/login/verify_factor" };
            let body = json!({
                "state_token": state_token, "device_id": device.device, "app_id": app, "otp_token": code,
            });
            api.request("POST", path.to_owned(), &body)
        };
        let request = |api: &Api, caller: usize| match caller / api.nodes.len() % 3 {
            0 => own_door(api),
            1 => api.knock(&device, &Door::V1, &code, caller),
            _ => api.knock(&device, &Door::Post, &code, caller),
        };
        let requests = (0..crowd.size()).map(|caller| request(api, caller)).collect();
        let shots = crowd.fire(requests).await?;
        let after = (0..3).map(|door| request(api, door * api.nodes.len())).collect();
        let name = if app.is_some() { "code of an assertion" } else { "code of a log-in" };
        judge(api, name, shots, after, board).await;
    }
    Ok(())
}
