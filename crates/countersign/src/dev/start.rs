//! The start page of a dev world, at `/`.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};

use super::world::DevWorld;

/// The start page of a dev world: where everything is, and the first calls with values filled in.
pub(super) async fn page(State(world): State<Arc<DevWorld>>) -> Response {
    let base = world.base_url.get().map_or("", String::as_str);
    let empty = String::new();
    let (id, secret) = match world.seed.clients.first() {
        Some(client) => (&client.client_id, &client.client_secret),
        None => (&empty, &empty),
    };
    let mut users = String::new();
    for user in &world.seed.users {
        let _ = write!(
            users,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            user.id,
            escaped(&user.username),
            escaped(&user.password),
            escaped(&user.email),
            escaped(&user.phone)
        );
    }
    let first = world.seed.users.first().map_or(1, |user| user.id);
    let calls = format!(
        "BASE={base}\nID={id}\nSECRET={secret}\n\n\
         TOKEN=$(curl -s -u \"$ID:$SECRET\" \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{{\"grant_type\":\"client_credentials\"}}' \\\n  $BASE/auth/oauth2/v2/token | jq -r .access_token)\n\
         curl -s -H \"Authorization: bearer $TOKEN\" \\\n  $BASE/api/2/mfa/users/{first}/factors"
    );
    let text = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\"><title>Dev world · Countersign</title>\
         <link rel=stylesheet href=/dev/outbox.css></head><body><header><p class=warning>Dev world. Anyone who reaches this page can \
         read every code and every secret below.</p><h1>Countersign</h1></header><main>\
         <ul><li><a href=/dev/outbox>Outbox</a>: messages, calls and prompts, to read and to answer</li>\
         <li><a href=/docs>API</a>: every path, with its fields</li>\
         <li><a href=/dev/clock>Clock</a>: moved by <code>PUT /dev/clock</code></li>\
         <li><a href=/dev/faults>Faults</a>: what the gateway plays, set by <code>PUT /dev/faults</code></li></ul>\
         <h2 id=call>The first call</h2><pre tabindex=0 role=region aria-labelledby=call>{}</pre>\
         <h2 id=users>Users</h2><div class=wide tabindex=0 role=region aria-labelledby=users><table><thead><tr><th scope=col>id</th><th scope=col>name</th><th scope=col>password</th>\
         <th scope=col>e-mail</th><th scope=col>phone</th></tr></thead><tbody>{users}</tbody></table></div></main></body></html>\n",
        escaped(&calls)
    );
    (super::outbox::page_headers(), Html(text)).into_response()
}

/// Text that stays text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
