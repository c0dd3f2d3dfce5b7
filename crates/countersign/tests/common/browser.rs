//! A person's browser on the pages of an invitation: it looks, and sends the forms that pages show.

use std::path::Path;

use serde_json::{Value, json};

use super::{Answer, Http, Running, pause};

/// The messages in a file of `delivery.file`, once there are so many.
pub fn messages(file: &Path, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let found: Vec<Value> = text.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        if found.len() >= count {
            return found;
        }
        pause(50);
    }
    panic!("no {count} messages: {}", std::fs::read_to_string(file).unwrap_or_default());
}

/// What is between two texts, the first time.
pub fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, after) = text.split_once(start).unwrap_or_else(|| panic!("no {start}: {text}"));
    after.split(end).next().unwrap_or_default()
}

/// The value of a hidden field.
pub fn field(page: &str, name: &str) -> String {
    between(page, &format!("name=\"{name}\" value=\""), "\"").to_owned()
}

/// Makes a link for this user. Its token.
pub fn invite(api: &mut Http, user: i64, more: &Value) -> String {
    let made = api.expect(201, "POST", &format!("/api/2/mfa/users/{user}/enrollment_link"), &more.to_string());
    token(made["url"].as_str().unwrap())
}

pub fn token(url: &str) -> String {
    let token = url.rsplit('/').next().unwrap().to_owned();
    assert_eq!(token.len(), 43, "{url}");
    token
}

/// A browser with an invitation open.
pub struct Browser {
    pub http: Http,
    pub token: String,
    pub nonce: String,
    /// Where the page of a phone looks that was begun last.
    pub wait: String,
}

impl Browser {
    pub fn open(server: &Running, token: &str) -> Self {
        let mut http = server.http();
        http.headers.push(("sec-fetch-site".to_owned(), "same-origin".to_owned()));
        let page = http.send("GET", &format!("/enroll/{token}"), "").unwrap();
        assert_eq!(page.status, 200, "{page:?}");
        Self { http, token: token.to_owned(), nonce: field(&page.body, "nonce"), wait: String::new() }
    }

    pub fn send(&mut self, more: &str) -> Answer {
        let form = format!("token={}&nonce={}&{more}", self.token, self.nonce);
        self.http.send("POST", "/enroll", &form).unwrap()
    }

    /// Begins a device. The page of it.
    pub fn begin(&mut self, more: &str) -> String {
        let page = self.send(&format!("begin={more}"));
        assert_eq!(page.status, 200, "{page:?}");
        if let Some((_, wait)) = page.header("refresh").and_then(|refresh| refresh.split_once("url=")) {
            wait.clone_into(&mut self.wait);
        }
        page.body
    }

    /// Sends a code for what a page has begun.
    pub fn code(&mut self, page: &str, code: &str) -> Answer {
        let registration = field(page, "registration");
        self.send(&format!("registration={registration}&code={code}"))
    }
}

/// The authenticator whose secret a page shows.
pub struct Authenticator(pub domain::Secret);

impl Authenticator {
    pub fn of(page: &str) -> Self {
        let secret = between(page, "secret=", "&").to_ascii_uppercase();
        Self(domain::Secret::new(data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap()))
    }

    /// The code at a moment so many seconds from now.
    pub fn code(&self, off: i64) -> String {
        let step = (super::phone::now() / 1_000 + off) / 30;
        domain::model::hotp::code(&self.0, domain::model::hotp::Algorithm::Sha1, step.cast_unsigned(), 6)
    }
}

/// The devices of a user that are in use: their kinds.
pub fn devices(api: &mut Http, user: i64) -> Vec<String> {
    let listed = api.expect(200, "GET", &format!("/api/2/mfa/users/{user}/devices"), "");
    let name = |device: &Value| device["auth_factor_name"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}

/// A user with a number and an address.
pub fn user(api: &mut Http, name: &str, phone: Option<&str>) -> i64 {
    let mut body = json!({ "username": name, "email": format!("{name}@example.com") });
    if let Some(phone) = phone {
        body["phone"] = json!(phone);
    }
    api.expect(201, "POST", "/api/2/users", &body.to_string())["id"].as_i64().unwrap()
}
