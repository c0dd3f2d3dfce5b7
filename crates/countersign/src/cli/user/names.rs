//! Names of users: which of them collide, and how to change them.

use domain::User;
use domain::model::audit::Actor;
use domain::model::user_patch::UserPatch;
use engine::{Collision, Engine};
use serde_json::json;

use crate::cli::report::{Report, or_dash, sentence};

/// The users whose names collide, each with a command that changes its name.
pub(super) fn collisions(found: &[Collision]) -> Report {
    let rename = |id: i64, is_username: bool| {
        let field = if is_username { "username" } else { "email" };
        format!("countersign user rename {id} --{field} NEW")
    };
    let mut rows = Vec::new();
    let mut groups = Vec::new();
    for collision in found {
        let mut holders = Vec::new();
        for holder in &collision.holders {
            let command = rename(holder.user.0, holder.username.is_some());
            rows.push(vec![
                holder.user.to_string(),
                or_dash(holder.username.as_deref()),
                or_dash(holder.email.as_deref()),
                command.clone(),
            ]);
            holders.push(json!({
                "id": holder.user,
                "username": holder.username,
                "email": holder.email,
                "command": command,
            }));
        }
        rows.push(vec![String::new(); 4]);
        groups.push(serde_json::Value::from(holders));
    }
    rows.pop();
    let json = serde_json::Value::from(groups);
    if rows.is_empty() {
        return Report::line(json, "No names collide: each opens a log-in for one user.");
    }
    Report::table(json, ["id", "username", "email", "rename with"], rows)
}

/// Gives a user other names. An empty one removes the name.
pub(super) async fn rename(
    engine: &Engine,
    user: &User,
    username: Option<String>,
    email: Option<String>,
) -> Result<Report, String> {
    let new = |given: Option<String>| given.map(|text| Some(text).filter(|text| !text.trim().is_empty()));
    let patch = UserPatch { username: new(username), email: new(email), ..UserPatch::default() };
    let stays = |new: &Option<Option<String>>, old: &Option<String>| new.as_ref().unwrap_or(old).is_some();
    if !stays(&patch.username, &user.username) && !stays(&patch.email, &user.email) {
        return Err("a user needs a name or an e-mail address: leave one of them".to_owned());
    }
    let renamed = engine.update_user(user.id, patch, None, Actor::default()).await.map_err(sentence)?;
    let text = format!(
        "User {}: username {}, email {}.",
        renamed.id,
        or_dash(renamed.username.as_deref()),
        or_dash(renamed.email.as_deref())
    );
    Ok(Report::line(json!({ "id": renamed.id, "username": renamed.username, "email": renamed.email }), text))
}
