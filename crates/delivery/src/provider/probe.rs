//! What a provider shows when it is asked without a message: whether its name resolves, whether it answers, and whether it
//! accepts us. A probe sends nothing and changes nothing, and its words hold no secret, number or mail address.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long a resolver may take.
const RESOLVING: Duration = Duration::from_secs(3);

/// A future that ends when the provider was asked everything.
pub type Probing<'a> = Pin<Box<dyn Future<Output = Vec<Probe>> + Send + 'a>>;

/// What one server of a provider has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The server, where a provider has several; else nothing.
    pub server: Option<String>,
    /// What became of it.
    pub found: Finding,
}

/// What became of a probe, with a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It answers and accepts us.
    Fine(String),
    /// This cannot be asked, or not by us.
    Skipped(String),
    /// What failed, and what to do.
    Failed(String),
}

impl Probe {
    /// The probe of a provider that is one server.
    pub(super) fn whole(found: Finding) -> Vec<Self> {
        vec![Self { server: None, found }]
    }
}

/// What is said of a provider that can only be asked with a message.
pub(super) fn mute() -> Vec<Probe> {
    Probe::whole(Finding::Skipped("nothing can be asked without sending a message".to_owned()))
}

/// The addresses of a host; the error is a sentence.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    // An IPv6 address in a URL has brackets, which resolvers do not know.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let failed =
        |why: &str| format!("DNS: {host} does not resolve ({why}); look at the name, and at this machine's resolver");
    match timeout(RESOLVING, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => Some(addresses.collect::<Vec<_>>())
            .filter(|addresses| !addresses.is_empty())
            .ok_or_else(|| failed("it has no address")),
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Err(_) => Err(failed("no answer in time")),
    }
}

/// Why a request had no answer: the layer that failed, and what to do. The client's own words name the URL, so they are not
/// repeated.
pub(super) fn unanswered(error: &reqwest::Error, server: &str) -> String {
    let causes = || std::iter::successors(std::error::Error::source(error), |&cause| cause.source());
    let inputs = || causes().filter_map(|cause| cause.downcast_ref::<io::Error>());
    let tls = inputs().find_map(handshake);
    if let Some(tls) = tls {
        return format!(
            "TLS: the handshake with {server} failed ({tls}); look at its certificate, and name the file of your own \
             authorities in ca_file if they issued it"
        );
    }
    if error.is_timeout() {
        return format!("TCP: {server} does not answer in time; look at its address, and at firewalls");
    }
    let kind = inputs().map(io::Error::kind).filter(|kind| *kind != io::ErrorKind::Other).last();
    let layer = if error.is_connect() { "TCP" } else { "HTTP" };
    let why = kind.map_or_else(|| "no usable answer".to_owned(), |kind| kind.to_string());
    format!("{layer}: {server} cannot be asked ({why}); look at its address, and at firewalls")
}

/// The TLS error within an error of input, which the layers of the client have wrapped any number of times.
fn handshake(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref::<rustls::Error>().or_else(|| handshake(inner.downcast_ref::<io::Error>()?))
}
