//! This program once more, in a separate process that ends with this one: the servers that Countersign is compared with.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use xtask::terminal;

/// A server of this program.
pub(crate) struct Helper {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The server ends when this pipe closes.
    _leash: Option<ChildStdin>,
}

impl Helper {
    /// Starts the hidden program of this name, and waits until it says where it listens.
    pub(crate) fn start(program: &str, args: &[String]) -> Result<Self> {
        let this = std::env::current_exe().context("cannot tell where this program is")?;
        let mut child = Command::new(this)
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the {program}"))?;
        let leash = child.stdin.take();
        let mut line = String::new();
        if let Some(told) = child.stdout.take() {
            BufReader::new(told).read_line(&mut line)?;
        }
        let address = line.trim().parse().with_context(|| format!("the {program} does not say where it listens"))?;
        Ok(Self { child, address, _leash: leash })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the helper: ends it when standard input closes.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

/// In the helper: listens, and says where.
pub(crate) async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    terminal::say(&listener.local_addr()?.to_string());
    Ok(listener)
}
