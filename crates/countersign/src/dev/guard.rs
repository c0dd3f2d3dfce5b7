//! Who may use the dev endpoints: callers on this machine, and pages of this server. A page of another site that a developer
//! has open must not read codes or accept pushes (decision 4).
//!
//! A world that serves other machines has host names, and then every request needs a key, on this machine too: a request for
//! `localhost` may come from elsewhere.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Digest;

use super::problem::Problem;
use crate::local;

// The key comes as a header, as a parameter, or for pages as a cookie.
const KEY_HEADER: &str = "x-dev-key";
const KEY_PARAMETER: &str = "key";
const KEY_COOKIE: &str = "countersign_dev_key";

/// Length of the shortest key, in characters.
const SHORTEST: usize = 16;

/// Decides who may use the dev endpoints.
#[derive(Debug, Clone)]
pub struct Guard {
    /// `http` or `https`, as this server listens.
    scheme: &'static str,
    /// Host names that other machines use.
    names: Vec<String>,
    /// The key that every request needs.
    key: Option<Arc<str>>,
}

impl Guard {
    /// The guard of a world for this machine only.
    pub fn local(tls: bool) -> Self {
        Self { scheme: if tls { "https" } else { "http" }, names: Vec::new(), key: None }
    }

    /// The guard of a world for other machines. Fails if the key is short or not printable.
    pub fn open(tls: bool, names: Vec<String>, key: String) -> anyhow::Result<Self> {
        let fits = key.chars().count() >= SHORTEST && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        anyhow::ensure!(fits, "a dev world's key has at least {SHORTEST} letters and digits");
        let names = names.into_iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        Ok(Self { names, key: Some(key.into()), ..Self::local(tls) })
    }

    /// The key that requests need, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn judge(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        let Some((name, host)) = local::host(headers) else { return Err(self.foreign_host()) };
        if !local::is_here(name) && !self.names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(self.foreign_host());
        }
        let own = format!("{}://{host}", self.scheme);
        if !local::is_own_page(headers, &own) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "dev.foreign_page",
                "this request comes from a page of another origin",
                format!("only pages of {own} may use the dev endpoints"),
            ));
        }
        match &self.key {
            None => Ok(()),
            Some(key)
                if shown(headers, uri).any(|shown| Digest::of(shown.as_bytes()) == Digest::of(key.as_bytes())) =>
            {
                Ok(())
            }
            Some(_) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "dev.key",
                "this dev world asks for its key",
                format!(
                    "send it as the header {KEY_HEADER}, or open the page with ?{KEY_PARAMETER}=KEY; it is dev_key of the ready file"
                ),
            )),
        }
    }

    fn foreign_host(&self) -> Problem {
        let known: Vec<&str> =
            ["127.0.0.1", "localhost"].into_iter().chain(self.names.iter().map(String::as_str)).collect();
        Problem::new(
            StatusCode::FORBIDDEN,
            "dev.foreign_host",
            "the dev endpoints do not answer under this host name",
            format!("use {} as host; --dev-host NAME adds one", known.join(" or ")),
        )
    }
}

/// Every key in a request.
fn shown<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> impl Iterator<Item = String> + 'a {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let cookies = cookies.filter(|(name, _)| *name == KEY_COOKIE).map(|(_, value)| value.to_owned());
    let plain = text(KEY_HEADER).into_iter().chain(bearer).map(|value| value.trim().to_owned());
    plain.chain(parameter(uri)).chain(cookies)
}

fn parameter(uri: &Uri) -> Option<String> {
    let query = uri.query()?.as_bytes();
    url::form_urlencoded::parse(query).find(|(name, _)| name == KEY_PARAMETER).map(|(_, value)| value.into_owned())
}

/// Refuses requests that the guard does not accept, and gives every error one form.
pub(super) async fn guarded(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if let Err(problem) = guard.judge(request.headers(), request.uri()) {
        return problem.into_response();
    }
    // A page that was opened with the key keeps it for its requests.
    let opened = guard.key.as_ref().filter(|_| parameter(request.uri()).is_some());
    let cookie = opened.map(|key| format!("{KEY_COOKIE}={key}; Path=/; HttpOnly; SameSite=Strict"));
    let mut response = next.run(request).await;
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Problem::in_place_of(response).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    fn passes(guard: &Guard, headers: &HeaderMap, path: &str) -> bool {
        guard.judge(headers, &path.parse().unwrap()).is_ok()
    }

    #[test]
    fn only_this_machine_and_its_own_pages_pass() {
        let local = |host: &str, origin| passes(&Guard::local(false), &headers(host, origin), "/dev/outbox");
        assert!(local("127.0.0.1:8080", None));
        assert!(local("localhost:8080", Some("http://localhost:8080")));
        assert!(local("[::1]:8080", None));
        assert!(!local("evil.example:8080", None));
        assert!(!local("127.0.0.1:8080", Some("http://evil.example")));
        assert!(!local("127.0.0.1:8080", Some("null")));
        assert!(!local("127.0.0.1.evil.example", None));
    }

    #[test]
    fn its_own_page_over_tls_passes() {
        for (tls, own, other) in [(true, "https", "http"), (false, "http", "https")] {
            let guard = Guard::local(tls);
            let from = |scheme: &str| {
                passes(&guard, &headers("127.0.0.1:8443", Some(&format!("{scheme}://127.0.0.1:8443"))), "/")
            };
            assert!(from(own) && !from(other), "{own}");
        }
    }

    #[test]
    fn a_world_for_others_asks_every_caller_for_its_key() {
        const KEY: &str = "0123456789abcdef";
        let guard = Guard::open(false, vec!["Countersign".to_owned()], KEY.to_owned()).unwrap();
        for host in ["countersign:8080", "COUNTERSIGN", "127.0.0.1:8080", "localhost"] {
            assert!(!passes(&guard, &headers(host, None), "/dev/outbox"), "{host}");
            assert!(!passes(&guard, &headers(host, None), "/dev/outbox?key=0123456789abcdeX"), "{host}");
            assert!(passes(&guard, &headers(host, None), &format!("/dev/outbox?after=1&key={KEY}")), "{host}");
            for (name, value) in [
                ("x-dev-key", KEY.to_owned()),
                ("authorization", format!("Bearer {KEY}")),
                ("cookie", format!("a=b; countersign_dev_key={KEY}")),
            ] {
                let mut with = headers(host, None);
                with.insert(axum::http::HeaderName::from_static(name), value.parse().unwrap());
                assert!(passes(&guard, &with, "/dev/outbox"), "{host} {name}");
                with.insert(header::ORIGIN, "http://evil.example".parse().unwrap());
                assert!(!passes(&guard, &with, "/dev/outbox"), "pages from elsewhere stay out");
            }
        }
        let path = format!("/dev/outbox?key={KEY}");
        assert!(!passes(&guard, &headers("evil.example", None), &path));
        assert!(Guard::open(false, Vec::new(), "short".to_owned()).is_err());
    }
}
