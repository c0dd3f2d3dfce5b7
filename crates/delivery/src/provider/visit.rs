//! A look at a page of this server from outside, with the caller that gateways are called with.

use std::path::PathBuf;
use std::time::Duration;

use hyper::Method;
use reqwest::Request;
use url::Url;

use super::gateway::{Calling, Gateway, Now};

/// Gets a page of our own as a stranger would: over TLS that is verified, without following redirects. Gives the status.
/// Certificates of the authorities in `ca_file` count besides the public ones.
pub async fn visit(url: &str, ca_file: Option<PathBuf>, time: Duration, now: Now) -> Result<u16, String> {
    let url = Url::parse(url).map_err(|_| "this is not a URL".to_owned())?;
    let calling = Calling { timeout: time, ca_file, ..Calling::by(now) };
    let gateway = Gateway::new(calling).map_err(|error| error.to_string())?;
    gateway.look(Request::new(Method::GET, url)).await.map(|answer| answer.status().as_u16())
}
