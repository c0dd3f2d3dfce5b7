//! The line between the command line and a running server: a Unix socket in the data folder, for its owner alone.
//!
//! One connection carries one command and its report, a line of JSON each; an import goes on with batches of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use engine::Engine;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::command::{self, Command, Report};
use crate::config::Config;
use crate::import;
use crate::installation::data_dir::DataDir;
use crate::installation::{self, Dependencies, Installation, Intent, StartError};

/// Longest command, in bytes.
const MAX_COMMAND: u64 = 64 * 1024;
/// What begins an import.
const IMPORT: &str = "\"import\"\n";
/// Bytes of an import that wait between the reader of the list and an engine in the same process.
const PIPE: usize = 1 << 18;

/// A listening socket; it is removed when this is dropped.
pub struct Control {
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
pub fn listen(folder: &DataDir, engine: Arc<Engine>) -> anyhow::Result<Control> {
    let path = folder.socket();
    // Whoever holds the database's lock owns the socket; one left by a dead process is in the way.
    let _ = std::fs::remove_file(&path);
    let short = ShortPath::of(&path)?;
    let listener = UnixListener::bind(short.path()).with_context(|| format!("cannot listen on {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let task = tokio::spawn(accept(listener, engine));
    Ok(Control { path, task })
}

/// How long accepting pauses when the process is out of descriptors.
const BACK_OFF: i64 = 100;

/// Takes commands for as long as the server runs. Running out of descriptors ends nothing: one is kept in reserve, so
/// that an operator can act just when callers have taken all the others.
async fn accept(listener: UnixListener, engine: Arc<Engine>) {
    let reserve = || std::fs::File::open("/dev/null").ok();
    let mut kept = reserve();
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let last = kept.is_none();
                let answering = answer(stream, engine.clone());
                let answering = async move {
                    if let Err(error) = answering.await {
                        tracing::debug!(%error, "a command line went away");
                    }
                };
                if last {
                    // The reserve is what this command stands on: the next one waits until it is given back.
                    Box::pin(answering).await;
                } else {
                    failing = false;
                    tokio::spawn(answering);
                }
                kept = kept.or_else(reserve);
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the command line cannot be answered as usual for now");
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

async fn answer(stream: UnixStream, engine: Arc<Engine>) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = String::new();
    (&mut read).take(MAX_COMMAND).read_line(&mut line).await?;
    if line == IMPORT {
        return import::serve(read, write, engine).await;
    }
    let report: Result<Report, String> = match serde_json::from_str::<Command>(&line) {
        Ok(command) => command::execute(&engine, command).await,
        Err(_) => Err("the running server does not know this command; is it of another version?".to_owned()),
    };
    let mut text = serde_json::to_vec(&report)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    Ok(())
}

/// Who executes a command.
enum Executor {
    /// The server that runs on the data folder.
    Running(UnixStream),
    /// This process, since none runs.
    Alone(Installation),
}

/// Executes a command where the data lies: through the running server, else on the database itself.
pub async fn send(config: &Config, command: Command, intent: Intent) -> anyhow::Result<Report> {
    match reach(config, intent).await? {
        Executor::Running(stream) => ask(stream, &command).await,
        Executor::Alone(installation) => {
            let report = command::execute(&installation.engine, command).await;
            installation.close().await;
            report.map_err(anyhow::Error::msg)
        }
    }
}

/// A line on which an import speaks with an engine.
pub struct Line {
    /// What the engine answers.
    pub read: Box<dyn AsyncBufRead + Send + Unpin>,
    /// What the engine is sent.
    pub write: Box<dyn AsyncWrite + Send + Unpin>,
    /// The engine's house, if it is this process's own: to be closed at the end.
    pub installation: Option<Installation>,
}

/// Begins an import where the data lies.
pub async fn open_line(config: &Config) -> anyhow::Result<Line> {
    match reach(config, Intent::Make).await? {
        Executor::Running(stream) => {
            let (read, mut write) = stream.into_split();
            write.write_all(IMPORT.as_bytes()).await.context("the running server hung up")?;
            Ok(Line { read: Box::new(BufReader::new(read)), write: Box::new(write), installation: None })
        }
        Executor::Alone(installation) => {
            let (here, there) = tokio::io::duplex(PIPE);
            let (read, write) = tokio::io::split(there);
            let serving = import::serve(BufReader::new(read), write, installation.engine.clone());
            tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::debug!(%error, "the import ended early");
                }
            });
            let (read, write) = tokio::io::split(here);
            Ok(Line { read: Box::new(BufReader::new(read)), write: Box::new(write), installation: Some(installation) })
        }
    }
}

async fn reach(config: &Config, intent: Intent) -> anyhow::Result<Executor> {
    // With PostgreSQL the database itself is what commands and servers share (rulings 3).
    if config.database.postgres().is_none()
        && let Some(stream) = connect(&DataDir::at(&config.data_dir)).await
    {
        return Ok(Executor::Running(stream));
    }
    alone(config, intent).await
}

async fn connect(folder: &DataDir) -> Option<UnixStream> {
    let path = folder.socket();
    UnixStream::connect(ShortPath::of(&path).ok()?.path()).await.ok()
}

async fn ask(stream: UnixStream, command: &Command) -> anyhow::Result<Report> {
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_vec(command)?;
    text.push(b'\n');
    write.write_all(&text).await.context("the running server hung up")?;
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).await.context("the running server hung up")?;
    if line.is_empty() {
        bail!("the running server hung up before it answered; look at its log");
    }
    let report: Result<Report, String> =
        serde_json::from_str(&line).context("the running server answered in a way this version does not know")?;
    report.map_err(anyhow::Error::msg)
}

async fn alone(config: &Config, intent: Intent) -> anyhow::Result<Executor> {
    let opened = match installation::open(config, intent).await {
        Ok(opened) => opened,
        Err(StartError::Occupied) => {
            let folder = DataDir::at(&config.data_dir);
            bail!(
                "a process holds the database in {} but does not answer on {}; if it is starting, try again in a moment",
                folder.root().display(),
                folder.socket().display()
            )
        }
        Err(StartError::Other(error)) => return Err(error),
    };
    let mut installation = Installation::build(config, opened, Dependencies::plain(config)).await?;
    installation.release_start_lock();
    Ok(Executor::Alone(installation))
}

/// A socket's address has room for about a hundred bytes. A longer path is reached through an open handle of its
/// folder.
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
        let parent = path.parent().context("a socket lies in a folder")?;
        let name = path.file_name().context("a socket has a name")?;
        let folder = std::fs::File::open(parent)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self { path: short, _folder: Some(folder) })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
