//! Appends messages to a file, for staging systems: a line of JSON each, with the code in the clear.
//!
//! The file is the recipient of every message, so it is guarded as a secret is: created for its owner only (0600), never
//! reached through a link, and refused if it belongs to somebody else or if others may open it. The checks are made again
//! before each write. A file that was renamed or removed, as log rotation does, is created anew. Only a server creates it: a command may
//! run as another user, and the server would refuse a file of that user.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Channel, Timestamp};
use rustix::fs::{Mode, OFlags};
use serde::Serialize;

use super::{Finding, Probe, Probing, Provider, ProviderError, SendError, Sending};
use crate::message::OutgoingMessage;

/// Permission bits of the file: its owner may read and write.
const MODE: u32 = 0o600;

/// A file that messages are appended to. It is created if it is missing by [`Provider::open`], and after that by any message.
#[derive(Debug)]
pub struct FileProvider {
    appender: Arc<Appender>,
}

/// Why a file is not written to.
#[derive(Debug, thiserror::Error)]
enum FileError {
    /// A symbolic link in its place is such a case.
    #[error("cannot open or create the file: {0}")]
    Open(#[source] io::Error),
    #[error("the file is missing, and only a server creates it")]
    Missing,
    /// Something else has its place: a folder, a device, a pipe, or a file that has another name too.
    #[error("it is not a regular file with one name")]
    NotAFile,
    #[error("it belongs to another user")]
    Owner,
    #[error("its permissions are {0:04o} and must be 0600")]
    Mode(u32),
}

#[derive(Debug)]
struct Appender {
    path: PathBuf,
    open: Mutex<Option<Open>>,
    /// Set by [`Provider::open`].
    may_create: AtomicBool,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    /// The last write ended inside a line.
    torn: bool,
}

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    /// When the message was queued.
    time: String,
    id: i64,
    channel: &'static str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_id: Option<String>,
}

impl FileProvider {
    /// What a file carries. Pushes are missing: they are signed on a phone, and a line in a file cannot be answered.
    pub const CHANNELS: &[Channel] = &[Channel::Sms, Channel::Voice, Channel::Email];

    /// Appends to the file at `path`.
    pub fn at(path: &Path) -> Self {
        let (open, may_create) = (Mutex::new(None), AtomicBool::new(false));
        Self { appender: Arc::new(Appender { path: path.to_owned(), open, may_create }) }
    }
}

impl Provider for FileProvider {
    fn name(&self) -> &'static str {
        "file"
    }

    fn channels(&self) -> &[Channel] {
        Self::CHANNELS
    }

    fn open(&self) -> Result<(), ProviderError> {
        let opened = self.appender.open();
        opened.map_err(|error| format!("{}: {error}", self.appender.path.display()).into())
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(async {
            let path = self.appender.path.display();
            Probe::whole(match self.appender.look() {
                Ok(true) => Finding::Fine(format!("{path} can be written")),
                Ok(false) => Finding::Fine(format!("{path} can be created, which a server does when it starts")),
                Err(error) => Finding::Failed(format!("{path}: {error}")),
            })
        })
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> Sending<'a> {
        Box::pin(async move {
            let line = line(message)?;
            let appender = self.appender.clone();
            let appended = tokio::task::spawn_blocking(move || appender.append(&line)).await;
            appended.unwrap_or(Err(SendError::Unavailable))
        })
    }
}

impl Appender {
    fn open(&self) -> Result<(), FileError> {
        self.may_create.store(true, Ordering::Relaxed);
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.current(&mut guard).map(drop)
    }

    /// Whether the file is there and can be used; if it is not there, whether its folder would take it. Makes nothing.
    fn look(&self) -> Result<bool, FileError> {
        use rustix::fs::{Access, access};
        match std::fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                let may = access(folder, Access::WRITE_OK | Access::EXEC_OK);
                may.map(|()| false).map_err(|error| FileError::Open(error.into()))
            }
            _ => self.current(&mut None).map(|_| true),
        }
    }

    fn append(&self, line: &[u8]) -> Result<(), SendError> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.current(&mut guard).map_err(|error| {
            tracing::error!(path = %self.path.display(), %error, "message file refused");
            match error {
                FileError::Open(error) => SendError::Io(error.kind()),
                FileError::Missing => SendError::NotReady,
                FileError::NotAFile | FileError::Owner | FileError::Mode(_) => SendError::Unavailable,
            }
        })?;
        write(&mut open.file, line, &mut open.torn).map_err(|error| SendError::Io(error.kind()))
    }

    /// The file that has the path now, judged again.
    fn current<'a>(&self, open: &'a mut Option<Open>) -> Result<&'a mut Open, FileError> {
        let identity = match std::fs::symlink_metadata(&self.path) {
            Ok(metadata) => {
                judge(&metadata)?;
                Some(identity(&metadata))
            }
            Err(error) if error.kind() == ErrorKind::NotFound && self.may_create.load(Ordering::Relaxed) => None,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(FileError::Missing),
            Err(error) => return Err(FileError::Open(error)),
        };
        match open.take().filter(|open| Some(open.identity) == identity) {
            Some(kept) => Ok(open.insert(kept)),
            None => Ok(open.insert(Open::at(&self.path)?)),
        }
    }
}

impl Open {
    fn at(path: &Path) -> Result<Self, FileError> {
        // Without NONBLOCK, opening a pipe would wait for its reader.
        let flags =
            OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::from_raw_mode(MODE));
        let file = File::from(opened.map_err(|error| FileError::Open(error.into()))?);
        let metadata = file.metadata().map_err(FileError::Open)?;
        judge(&metadata)?;
        let torn = !ends_a_line(&file, metadata.len()).map_err(FileError::Open)?;
        Ok(Self { identity: identity(&metadata), file, torn })
    }
}

/// Whether the next line begins at the start of a line: a process that was killed may have left half of one.
fn ends_a_line(file: &File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte == *b"\n")
}

/// Appends a line with one `write`, so that no other writer's line gets into it. `torn` says whether the last write ended
/// inside a line; then this one begins with a line break.
fn write(file: &mut impl io::Write, line: &[u8], torn: &mut bool) -> io::Result<()> {
    let broken = [b"\n", line].concat();
    let bytes = if *torn { &broken } else { line };
    let written = file.write(bytes)?;
    if written < bytes.len() {
        *torn = *torn || written > 0;
        return Err(ErrorKind::WriteZero.into());
    }
    *torn = false;
    Ok(())
}

fn judge(metadata: &Metadata) -> Result<(), FileError> {
    if !metadata.is_file() || metadata.nlink() != 1 {
        return Err(FileError::NotAFile);
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(FileError::Owner);
    }
    match metadata.permissions().mode() & 0o7777 {
        MODE => Ok(()),
        mode => Err(FileError::Mode(mode)),
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// RFC 3339 in UTC, with milliseconds.
fn rfc3339(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{moment:.3}")
}

fn line(message: &OutgoingMessage) -> Result<Vec<u8>, SendError> {
    let content = &message.content;
    let line = Line {
        time: rfc3339(message.created_at),
        id: message.id.0,
        channel: message.channel.name(),
        to: &content.to,
        subject: content.subject.as_deref(),
        text: &content.body,
        code: content.code.as_deref(),
        link: content.link.as_deref(),
        verification_id: message.about.map(|about| about.verification_id.to_string()),
    };
    let mut bytes = serde_json::to_vec(&line).map_err(|_| SendError::Refused)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{DirBuilderExt as _, symlink};

    use domain::{Content, DeviceId, MessageId, UserId, VerificationId};

    use super::*;
    use crate::message::Concerned;

    /// A provider that has opened its file.
    fn opened(path: &Path) -> FileProvider {
        let provider = FileProvider::at(path);
        provider.open().unwrap();
        provider
    }

    fn message(id: i64) -> OutgoingMessage {
        let mut content = Content::of("+491701234567".to_owned(), "Your code is 123456".to_owned());
        content.code = Some("123456".to_owned());
        OutgoingMessage {
            id: MessageId(id),
            channel: Channel::Sms,
            about: Some(Concerned {
                user_id: UserId(1),
                device_id: Some(DeviceId(2)),
                verification_id: VerificationId(uuid::Uuid::from_u128(1)),
            }),
            content,
            created_at: Timestamp(1_700_000_000_123),
        }
    }

    #[tokio::test]
    async fn a_probe_judges_the_file_and_makes_none() {
        let (dir, path) = place();
        let probe = || async { FileProvider::at(&path).probe().await.remove(0).found };
        assert!(matches!(probe().await, Finding::Fine(_)));
        assert!(!path.exists());
        opened(&path);
        assert!(matches!(probe().await, Finding::Fine(_)));
        chmod(&path, 0o644);
        assert!(matches!(probe().await, Finding::Failed(why) if why.contains("0600")));
        let nowhere = FileProvider::at(&dir.path().join("no/file")).probe().await;
        assert!(matches!(nowhere[0].found, Finding::Failed(_)));
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("messages.jsonl");
        (dir, path)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn ids(path: &Path) -> Vec<i64> {
        let text = fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_i64().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_message_is_a_line_of_json() {
        let (_dir, path) = place();
        let provider = opened(&path);
        provider.send(&message(7)).await.unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!(
                "{{\"time\":\"2023-11-14T22:13:20.123Z\",\"id\":7,\"channel\":\"sms\",\"to\":\"+491701234567\",\
                 \"text\":\"Your code is 123456\",\"code\":\"123456\",\"verification_id\":\"{}\"}}\n",
                uuid::Uuid::from_u128(1)
            )
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, MODE);
    }

    #[tokio::test]
    async fn lines_are_appended_to_what_is_there() {
        let (_dir, path) = place();
        for id in [1, 2] {
            opened(&path).send(&message(id)).await.unwrap();
        }
        assert_eq!(ids(&path), [1, 2]);
    }

    #[tokio::test]
    async fn half_a_line_of_a_killed_process_takes_no_other_with_it() {
        let (_dir, path) = place();
        opened(&path).send(&message(1)).await.unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"time\":\"20");
        fs::write(&path, &text).unwrap();
        opened(&path).send(&message(2)).await.unwrap();
        let lines = fs::read_to_string(&path).unwrap();
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!((lines.lines().count(), &last["id"]), (3, &serde_json::json!(2)));
    }

    #[tokio::test]
    async fn only_a_server_makes_the_file_and_a_command_writes_to_it() {
        let (_dir, path) = place();
        let command = FileProvider::at(&path);
        assert_eq!(command.send(&message(1)).await, Err(SendError::NotReady));
        assert!(!path.exists());
        let provider = opened(&path);
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        command.send(&OutgoingMessage { about: None, ..message(1) }).await.unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("verification_id"), "{text}");
        chmod(&path, 0o644);
        let refused = provider.open().unwrap_err().to_string();
        assert!(refused.starts_with(&path.display().to_string()) && refused.contains("0644"), "{refused}");
    }

    #[test]
    fn only_a_regular_file_with_one_name_is_taken() {
        let (dir, path) = place();
        let target = dir.path().join("target");
        fs::write(&target, "").unwrap();
        chmod(&target, MODE);
        symlink(&target, &path).unwrap();
        assert!(matches!(Open::at(&path), Err(FileError::Open(_))), "a link is not followed");
        fs::remove_file(&path).unwrap();
        fs::hard_link(&target, &path).unwrap();
        assert!(matches!(Open::at(&path), Err(FileError::NotAFile)), "a file with two names");
        assert!(matches!(Open::at(dir.path()), Err(FileError::Open(_))), "a folder");
        assert!(matches!(Open::at(Path::new("/dev/null")), Err(FileError::NotAFile)), "a device");
    }

    #[test]
    fn a_file_that_others_may_open_is_refused() {
        let (_dir, path) = place();
        drop(Open::at(&path).unwrap());
        for mode in [0o640, 0o604, 0o700, 0o4600] {
            chmod(&path, mode);
            assert!(matches!(Open::at(&path), Err(FileError::Mode(found)) if found == mode), "{mode:o}");
        }
    }

    #[tokio::test]
    async fn a_file_that_was_renamed_or_removed_is_created_anew() {
        let (dir, path) = place();
        let old = dir.path().join("messages.1");
        let provider = opened(&path);
        provider.send(&message(1)).await.unwrap();
        fs::rename(&path, &old).unwrap();
        provider.send(&message(2)).await.unwrap();
        assert_eq!((ids(&old), ids(&path)), (vec![1], vec![2]));
        fs::remove_file(&path).unwrap();
        provider.send(&message(3)).await.unwrap();
        assert_eq!(ids(&path), [3]);
    }

    #[tokio::test]
    async fn what_is_put_in_the_files_place_is_judged_before_the_next_line() {
        let (dir, path) = place();
        let provider = opened(&path);
        chmod(&path, 0o644);
        assert_eq!(provider.send(&message(1)).await, Err(SendError::Unavailable));
        chmod(&path, MODE);
        provider.send(&message(2)).await.unwrap();
        let old = dir.path().join("messages.1");
        fs::rename(&path, &old).unwrap();
        symlink(&old, &path).unwrap();
        assert_eq!(provider.send(&message(3)).await, Err(SendError::Unavailable));
        assert_eq!(ids(&old), [2]);
    }

    #[tokio::test]
    async fn a_write_that_fails_may_be_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        let provider = opened(&folder.join("messages"));
        fs::remove_dir_all(&folder).unwrap();
        let failed = provider.send(&message(1)).await.unwrap_err();
        assert_eq!(failed, SendError::Io(ErrorKind::NotFound));
        assert!(failed.is_temporary());
        fs::create_dir(&folder).unwrap();
        provider.send(&message(1)).await.unwrap();
    }

    #[test]
    fn a_line_after_a_torn_one_begins_a_new_line() {
        let mut small = [0_u8; 4];
        let mut torn = false;
        assert!(write(&mut small.as_mut_slice(), b"{\"id\":1}\n", &mut torn).is_err());
        assert!(torn);
        let mut large = Vec::new();
        write(&mut large, b"{\"id\":2}\n", &mut torn).unwrap();
        write(&mut large, b"{\"id\":3}\n", &mut torn).unwrap();
        assert_eq!(large, b"\n{\"id\":2}\n{\"id\":3}\n");
    }
}
