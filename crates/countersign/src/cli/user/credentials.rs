//! Passwords and temporary tokens of users.

use domain::User;
use domain::model::audit::Actor;
use domain::model::user_patch::UserPatch;
use engine::{Engine, NewPassword};
use onelogin::wire_time::with_seconds;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::report::{Report, sentence};

/// A password on its way to the engine, hidden from `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Password(pub(super) String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

pub(super) async fn set_password(engine: &Engine, user: &User, password: Option<Password>) -> Result<Report, String> {
    let drawn = password.is_none().then(|| engine.draw_password());
    let clear = password.map(|password| password.0).or_else(|| drawn.clone()).unwrap_or_default();
    let new = NewPassword::Clear { clear: clear.into(), validate: true };
    let patch = UserPatch::default();
    engine.update_user(user.id, patch, Some(new), Actor::default()).await.map_err(sentence)?;
    let mut text = vec![format!("User {} has a new password.", user.id)];
    if let Some(drawn) = &drawn {
        text.push(format!("  password  {drawn}"));
        text.push("It is shown this once.".to_owned());
    }
    Ok(Report::lines(json!({ "id": user.id, "password_set": true, "password": drawn }), text))
}

pub(super) async fn token(engine: &Engine, user: &User, ttl: i64, reusable: bool) -> Result<Report, String> {
    let issued = engine.issue_temp_token(user.id, ttl, reusable, Actor::default()).await.map_err(sentence)?;
    let until = with_seconds(issued.expires_at.0);
    let json = json!({ "id": user.id, "token": issued.token, "expires_at": until, "reusable": reusable });
    let often = if reusable { "as often as needed" } else { "once" };
    let text = vec![
        format!("User {} may show this {often} in place of a factor, until {until}:", user.id),
        format!("  token  {}", issued.token),
        "It is shown this once. Give it to the person only.".to_owned(),
    ];
    Ok(Report::lines(json, text))
}

pub(super) async fn revoke_token(engine: &Engine, user: &User) -> Result<Report, String> {
    let was_live = engine.revoke_temp_token(user.id, Actor::default()).await.map_err(sentence)?;
    let outcome = if was_live { "no longer has a temporary token" } else { "had no temporary token" };
    Ok(Report::line(json!({ "id": user.id, "revoked": was_live }), format!("User {} {outcome}.", user.id)))
}
