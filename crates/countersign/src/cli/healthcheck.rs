//! `countersign healthcheck`: whether the server on this machine is ready, for images and units without an HTTP client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use config::{Config, FlagValues};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::run::{ServeArgs, runtime};
use crate::terminal;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer that are read.
const MAX: u64 = 4096;

#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    /// Address and port to ask, instead of those that these flags and variables give a server
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,
    #[command(flatten)]
    serve: Box<ServeArgs>,
}

impl HealthcheckArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        runtime(1)?.block_on(check(self.address, &self.serve.flags()))
    }
}

/// Asks `/readyz` at an address, or where the server of these flags, variables and file listens.
async fn check(address: Option<SocketAddr>, server: &FlagValues) -> anyhow::Result<ExitCode> {
    let address = match address {
        Some(address) => address,
        None => configured(&Config::load(server)?)?,
    };
    let asked = tokio::time::timeout(TIMEOUT, ask(address, "/readyz")).await;
    match asked.with_context(|| format!("no answer from {address} within 10 s"))? {
        Ok((200, _)) => Ok(ExitCode::SUCCESS),
        Ok((status, body)) => {
            terminal::remark(&format!("not ready: {address} answers {status} {}", body.trim()));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            terminal::remark(&format!("not ready: {error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The address of the admin listener, which is plain HTTP; else the address for callers.
pub(super) fn configured(config: &Config) -> anyhow::Result<SocketAddr> {
    if let Some(admin) = config.admin.listen {
        return Ok(here(admin));
    }
    if config.dialect.tls {
        bail!("the server speaks TLS: set an admin address for this check (COUNTERSIGN_ADMIN_LISTEN=127.0.0.1:9464)");
    }
    Ok(here(config.listen.address))
}

/// The address to call for a listening address: "all addresses" becomes loopback.
pub(super) fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Gets a page at an address over plain HTTP; gives its status and its text.
pub(super) async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.with_context(|| format!("nothing answers on {address}"))?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("{address} does not speak HTTP"))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_all_is_called_on_this_machine() {
        for (listened, called) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:80", "[::1]:80"), ("192.0.2.1:80", "192.0.2.1:80")]
        {
            assert_eq!(here(listened.parse().unwrap()).to_string(), called);
        }
    }
}
