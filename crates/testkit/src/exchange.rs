//! Requests to send and answers to read, both in a form that can be compared line by line.

use std::fmt;

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A request to send.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Script {
    /// A request of any method.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: String::new() }
    }

    /// A GET of a path with its query.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A POST to a path, without a body until one is added.
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// A PUT to a path, without a body until one is added.
    pub fn put(path: &str) -> Self {
        Self::new("PUT", path)
    }

    /// A DELETE of a path, without a body.
    pub fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    /// Adds a header; the same name may be added twice.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// A body of JSON text, exactly as given.
    pub fn json(self, body: &str) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    /// A body of a form.
    pub fn form(self, body: &str) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// A body without a content type.
    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }
}

/// A request and its answer. Displayed as method, path, request body, status, headers and answer body.
#[derive(Debug, Clone)]
pub struct Exchange {
    script: Script,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body.
    pub text: String,
}

/// Headers that are not displayed: they differ from run to run, or a separate test checks them on every answer.
const LEFT_OUT: &[&str] = &["x-request-id", "cache-control", "x-content-type-options", "date"];

impl Exchange {
    pub(crate) fn new(script: Script, status: StatusCode, headers: HeaderMap, text: String) -> Self {
        Self { script, status, headers, text }
    }

    /// The answer's body as JSON; null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.script.method, self.script.path)?;
        if !self.script.body.is_empty() {
            writeln!(f, "{}", self.script.body)?;
        }
        writeln!(f, "→ {}", self.status)?;
        for (name, value) in &self.headers {
            if !LEFT_OUT.contains(&name.as_str()) {
                writeln!(f, "{name}: {}", value.to_str().unwrap_or("?"))?;
            }
        }
        f.write_str(&self.text)
    }
}
