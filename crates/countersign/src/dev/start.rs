//! The pages of a dev world, and the files that they load: the start page at `/`, with its tools, and the outbox alone.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::world::DevWorld;

const START: &str = include_str!("page/start.html");
const OUTBOX: &str = include_str!("page/outbox.html");
const OUTBOX_LIST: &str = include_str!("page/outbox_list.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const SHEET: &str = "text/css; charset=utf-8";

/// The files that the pages load, by path.
const FILES: [(&str, &str, &str); 9] = [
    ("/dev/dev.css", SHEET, include_str!("page/dev.css")),
    ("/dev/outbox.js", SCRIPT, include_str!("page/outbox.js")),
    ("/dev/start.js", SCRIPT, include_str!("page/start.js")),
    ("/dev/kit.js", SCRIPT, include_str!("page/kit.js")),
    ("/dev/play.js", SCRIPT, include_str!("page/play.js")),
    ("/dev/phone.js", SCRIPT, include_str!("page/phone.js")),
    ("/dev/authenticator.js", SCRIPT, include_str!("page/authenticator.js")),
    ("/dev/clock.js", SCRIPT, include_str!("page/clock.js")),
    ("/dev/requests.js", SCRIPT, include_str!("page/requests.js")),
];

/// Scripts and sheets come from this server, and nothing is inline. The start page shows the app in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The router with the files of the pages.
pub(super) fn with_files(router: Router<Arc<DevWorld>>) -> Router<Arc<DevWorld>> {
    FILES.into_iter().fold(router, |router, (path, content_type, content)| {
        router.route(path, get(move || async move { ([(header::CONTENT_TYPE, content_type)], content) }))
    })
}

/// The start page: where everything is, and the tools of the world.
pub(super) async fn page(State(world): State<Arc<DevWorld>>) -> Response {
    let base = world.base_url.get().map_or("", String::as_str);
    let client = world.seed.clients.first();
    let (id, secret) = client.map_or(("", ""), |client| (&client.client_id, &client.client_secret));
    let first = world.seed.users.first().map_or(1, |user| user.id);
    let calls = format!(
        "BASE={base}\nID={id}\nSECRET={secret}\n\n\
         TOKEN=$(curl -s -u \"$ID:$SECRET\" \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{{\"grant_type\":\"client_credentials\"}}' \\\n  $BASE/auth/oauth2/v2/token | jq -r .access_token)\n\
         curl -s -H \"Authorization: bearer $TOKEN\" \\\n  $BASE/api/2/mfa/users/{first}/factors"
    );
    let known = json!({
        "subdomain": world.engine().settings().account,
        "client": { "client_id": id, "client_secret": secret },
        "users": world.seed.users,
    });
    let values = [
        ("world", escaped(&known.to_string())),
        ("base", escaped(base)),
        ("calls", escaped(&calls)),
        ("users", users(&world)),
        ("clients", clients(&world)),
    ];
    shown(&world, START, &values)
}

/// The outbox alone.
pub(super) fn outbox(world: &DevWorld) -> Response {
    shown(world, OUTBOX, &[])
}

fn users(world: &DevWorld) -> String {
    let mut rows = String::new();
    for user in &world.seed.users {
        let [name, mail, phone] = [&user.username, &user.email, &user.phone].map(|text| escaped(text));
        let password = secret("password", &user.password);
        let _ = write!(
            rows,
            "<tr><td data-label=\"Id\">{}</td><td data-label=\"Name\">{name}</td><td data-label=\"Password\">{password}</td>\
             <td data-label=\"Mail, phone\"><span>{mail}<small>{phone}</small></span></td></tr>",
            user.id
        );
    }
    rows
}

fn clients(world: &DevWorld) -> String {
    let mut rows = String::new();
    for client in &world.seed.clients {
        let [scope, profile] = [&client.scope, &client.profile].map(|text| escaped(text));
        let id = secret("client id", &client.client_id);
        let key = secret("client secret", &client.client_secret);
        let _ = write!(
            rows,
            "<tr><td data-label=\"Scope\"><span>{scope}<small>{profile}</small></span></td>\
             <td data-label=\"Id, secret\">{id}{key}</td></tr>"
        );
    }
    rows
}

/// A value that the page's script lets people copy.
fn secret(name: &str, value: &str) -> String {
    format!("<span class=\"secret-value\" data-secret=\"{name}\"><code>{}</code></span>", escaped(value))
}

/// A page with its values, which are HTML.
fn shown(world: &DevWorld, template: &str, values: &[(&str, String)]) -> Response {
    let pages = &world.installation.pages;
    let (brand, initial) = pages.brand();
    let mut html = template.replace("{{outbox}}", OUTBOX_LIST);
    let common = [
        ("brand", escaped(brand)),
        ("initial", escaped(&initial)),
        ("sheet", escaped(&pages.sheet())),
        ("icon", escaped(&pages.icon())),
    ];
    for (name, value) in common.iter().chain(values) {
        html = html.replace(&format!("{{{{{name}}}}}"), value);
    }
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, "no-referrer")];
    (headers, Html(html)).into_response()
}

/// Text that stays text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_page_or_a_script_names_is_served() {
        let texts = FILES.iter().map(|(_, _, content)| *content).chain([START, OUTBOX]);
        let mut named = 0;
        for name in texts.flat_map(|text| text.split('"')).filter(|text| text.starts_with("/dev/")) {
            if std::path::Path::new(name).extension().is_some() {
                named += 1;
                assert!(FILES.iter().any(|(path, ..)| *path == name), "{name}");
            }
        }
        assert!(named > 10, "{named}");
    }

    #[test]
    fn no_page_has_a_script_or_a_style_inside() {
        for page in [START, OUTBOX, OUTBOX_LIST] {
            for wrong in ["<style", " style=", " onclick", " onload", "javascript:", "src=\"http"] {
                assert!(!page.contains(wrong), "{wrong}");
            }
            assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/dev/").count());
        }
    }
}
