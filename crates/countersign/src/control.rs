//! The control socket: a Unix socket in the data folder by which commands reach a running server. Only the owner can open it.
//!
//! One connection carries one request and its report, one line of JSON each. An import continues with batches.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use config::Config;
use engine::Engine;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::cli::report::Report;
use crate::cli::request::{Noun, Request};
use crate::import::wire;
use crate::installation::data_dir::DataDir;
use crate::installation::{self, Dependencies, Installation, Intent, StartError};

/// Longest request, in bytes.
const MAX_COMMAND: u64 = 64 * 1024;
/// The first line of an import.
const IMPORT: &str = "\"import\"\n";
/// Bytes of an import buffered between the reader of the list and an engine in the same process.
const PIPE: usize = 1 << 18;

/// A listening socket; it is removed when this is dropped.
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens for commands in the data folder.
pub(crate) fn listen(data_dir: &DataDir, engine: Arc<Engine>, nouns: &'static [Noun]) -> anyhow::Result<Control> {
    let path = data_dir.socket();
    // The holder of the database's lock owns the socket. A dead process may have left one.
    let _ = std::fs::remove_file(&path);
    let short = ShortPath::of(&path)?;
    let listener = UnixListener::bind(short.path()).with_context(|| format!("cannot listen on {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let task = tokio::spawn(accept(listener, engine, nouns));
    Ok(Control { path, task })
}

/// How long accepting pauses when the process has no free descriptor, in milliseconds.
const BACK_OFF: i64 = 100;

/// Accepts requests as long as the server runs. One descriptor is kept in reserve, so that an operator can act when callers
/// have taken all the others.
async fn accept(listener: UnixListener, engine: Arc<Engine>, nouns: &'static [Noun]) {
    let reserve = || std::fs::File::open("/dev/null").ok();
    let mut kept = reserve();
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let last = kept.is_none();
                let answering = answer(stream, engine.clone(), nouns);
                let answering = async move {
                    if let Err(error) = answering.await {
                        tracing::debug!(%error, "control connection failed");
                    }
                };
                if last {
                    // This request uses the reserve. The next one waits until it is free again.
                    Box::pin(answering).await;
                } else {
                    failing = false;
                    tokio::spawn(answering);
                }
                kept = kept.or_else(reserve);
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "control socket cannot accept; using the reserve");
                    failing = true;
                }
                if kept.take().is_none() {
                    engine::Clock::sleep(&engine::clock::SystemClock, BACK_OFF).await;
                    kept = reserve();
                }
            }
        }
    }
}

async fn answer(stream: UnixStream, engine: Arc<Engine>, nouns: &[Noun]) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = String::new();
    (&mut read).take(MAX_COMMAND).read_line(&mut line).await?;
    if line == IMPORT {
        return wire::serve(read, write, engine).await;
    }
    let executing = serde_json::from_str::<(String, Value)>(&line).ok().and_then(|(name, request)| {
        let noun = nouns.iter().find(|noun| noun.name == name)?;
        (noun.execute)(&engine, request)
    });
    let report: Result<Report, String> = match executing {
        Some(executing) => executing.await,
        None => Err("the running server does not know this command; is it of another version?".to_owned()),
    };
    let mut text = serde_json::to_vec(&report)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    Ok(())
}

/// Where a request is executed.
enum Executor {
    /// The server that runs on the data folder.
    Running(UnixStream),
    /// This process, because no server runs.
    Alone(Installation),
}

/// Executes a request: in the running server, or on the database itself if none runs.
pub(crate) async fn send<R: Request>(config: &Config, request: R, intent: Intent) -> anyhow::Result<Report> {
    match reach(config, intent).await? {
        Executor::Running(stream) => ask(stream, &request).await,
        Executor::Alone(installation) => {
            let report = request.execute(&installation.engine).await;
            installation.close().await;
            report.map_err(anyhow::Error::msg)
        }
    }
}

/// A connection between an import and an engine.
pub(crate) struct ImportLine {
    pub(crate) read: Box<dyn AsyncBufRead + Send + Unpin>,
    pub(crate) write: Box<dyn AsyncWrite + Send + Unpin>,
    /// The installation, if this process has opened it; the caller closes it.
    pub(crate) installation: Option<Installation>,
}

/// Begins an import: in the running server, or in this process.
pub(crate) async fn open_line(config: &Config) -> anyhow::Result<ImportLine> {
    match reach(config, Intent::Make).await? {
        Executor::Running(stream) => {
            let (read, mut write) = stream.into_split();
            write.write_all(IMPORT.as_bytes()).await.context("the running server hung up")?;
            Ok(ImportLine { read: Box::new(BufReader::new(read)), write: Box::new(write), installation: None })
        }
        Executor::Alone(installation) => {
            let (here, there) = tokio::io::duplex(PIPE);
            let (read, write) = tokio::io::split(there);
            let serving = wire::serve(BufReader::new(read), write, installation.engine.clone());
            tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::debug!(%error, "import ended early");
                }
            });
            let (read, write) = tokio::io::split(here);
            Ok(ImportLine {
                read: Box::new(BufReader::new(read)),
                write: Box::new(write),
                installation: Some(installation),
            })
        }
    }
}

/// Whether a server listens for commands in the data folder. With PostgreSQL none does.
pub(crate) async fn is_served(config: &Config) -> bool {
    connect(&DataDir::at(&config.storage.data_dir)).await.is_some()
}

async fn reach(config: &Config, intent: Intent) -> anyhow::Result<Executor> {
    // With PostgreSQL, commands and servers share the database itself (decision 3).
    if config.storage.database.postgres().is_none()
        && let Some(stream) = connect(&DataDir::at(&config.storage.data_dir)).await
    {
        return Ok(Executor::Running(stream));
    }
    alone(config, intent).await
}

async fn connect(data_dir: &DataDir) -> Option<UnixStream> {
    let path = data_dir.socket();
    UnixStream::connect(ShortPath::of(&path).ok()?.path()).await.ok()
}

async fn ask<R: Request>(stream: UnixStream, request: &R) -> anyhow::Result<Report> {
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_vec(&(R::NOUN, request))?;
    text.push(b'\n');
    write.write_all(&text).await.context("the running server hung up")?;
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).await.context("the running server hung up")?;
    if line.is_empty() {
        bail!("the running server hung up before it answered; look at its log");
    }
    let report: Result<Report, String> =
        serde_json::from_str(&line).context("the running server's answer cannot be read; is it of another version?")?;
    report.map_err(anyhow::Error::msg)
}

async fn alone(config: &Config, intent: Intent) -> anyhow::Result<Executor> {
    let opened = match installation::open(config, intent).await {
        Ok(opened) => opened,
        Err(StartError::Occupied) => {
            let data_dir = DataDir::at(&config.storage.data_dir);
            bail!(
                "a process holds the database in {} but does not answer on {}; if it is starting, try again in a moment",
                data_dir.root().display(),
                data_dir.socket().display()
            )
        }
        Err(StartError::Other(error)) => return Err(error),
    };
    let mut installation = Installation::build(config, opened, Dependencies::plain(config)?).await?;
    installation.release_start_lock();
    Ok(Executor::Alone(installation))
}

/// A path of at most about a hundred bytes, the limit of a socket's address. A longer path is reached through an open
/// handle of its folder.
struct ShortPath {
    path: PathBuf,
    _folder: Option<std::fs::File>,
}

impl ShortPath {
    fn of(path: &Path) -> anyhow::Result<Self> {
        use std::os::fd::AsRawFd as _;
        if path.as_os_str().len() < 100 {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let parent = path.parent().context("a socket is in a folder")?;
        let name = path.file_name().context("a socket has a name")?;
        let folder = std::fs::File::open(parent)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self { path: short, _folder: Some(folder) })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
