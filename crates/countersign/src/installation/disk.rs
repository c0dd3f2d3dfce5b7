//! Why a path cannot be used, and what to do about it. The advice depends on the owner, the mode, the kind and the file system.

use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Facts about a path, or about the nearest folder above it that exists.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    /// The path itself, or the nearest one above it.
    found: &'a Path,
    /// Whether that is a folder.
    is_folder: bool,
    /// User id of the owner.
    owner: u32,
    /// User id of this process, if known.
    me: Option<u32>,
    mode: u32,
}

/// A sentence about why `path` cannot be used, given the system's error. `option` is the flag that names another path.
pub(crate) fn advice(path: &Path, error: &Error, option: &str) -> String {
    let existing = path.ancestors().find_map(|place| Some((place, std::fs::metadata(place).ok()?)));
    let Some((found, metadata)) = existing else { return format!("cannot use {}: {error}", path.display()) };
    let facts = Facts {
        found,
        is_folder: metadata.is_dir(),
        owner: metadata.uid(),
        me: whoami(),
        mode: metadata.mode() & 0o7777,
    };
    judged(path, error, facts, option)
}

fn judged(path: &Path, error: &Error, facts: Facts<'_>, option: &str) -> String {
    let (shown, found) = (path.display(), facts.found.display());
    if !facts.is_folder {
        return if facts.found == path {
            format!("{shown} is no folder; name a folder with {option}")
        } else {
            format!("{shown} cannot be made, since {found} is no folder; name another place with {option}")
        };
    }
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            format!("{found} is read-only: mount it so that it can be written, or name another folder with {option}")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("the disk of {found} is full: make room, or name another folder with {option}")
        }
        ErrorKind::PermissionDenied if facts.me.is_some_and(|me| me != facts.owner) => {
            let (owner, me) = (name(facts.owner), facts.me.map_or_else(String::new, name));
            format!(
                "{found} belongs to {owner} and this process is {me}: run as its owner, `sudo -u {owner} countersign …`, or \
                 name another folder with {option}"
            )
        }
        ErrorKind::PermissionDenied => {
            format!("{found} belongs to this user but has the mode {:04o}; run: chmod u+rwx {found}", facts.mode)
        }
        _ => format!("cannot use {shown}: {error}"),
    }
}

/// Whether a folder can be created or written at `path`, as far as that shows without trying.
pub(crate) fn check(path: &Path, option: &str) -> Result<(), String> {
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = path.ancestors().find_map(|place| Some((place, std::fs::metadata(place).ok()?)));
    let Some((found, metadata)) = existing else { return Ok(()) };
    let refused = |kind: ErrorKind| Err(advice(path, &Error::from(kind), option));
    if !metadata.is_dir() {
        return refused(ErrorKind::NotADirectory);
    }
    let device = |place: &str| std::fs::metadata(place).ok().map(|metadata| metadata.dev());
    if ["/proc", "/sys"].iter().any(|place| device(place) == Some(metadata.dev())) {
        return Err(format!("{} holds no files of users; name another folder with {option}", found.display()));
    }
    if found.canonicalize().is_ok_and(|found| engine::keys::is_on_read_only_mount(&found)) {
        return refused(ErrorKind::ReadOnlyFilesystem);
    }
    let bits = match whoami() {
        Some(0) | None => return Ok(()),
        Some(me) if me == metadata.uid() => metadata.mode() >> 6,
        // The process's groups are not known here, so either permission is enough.
        Some(_) => metadata.mode() | (metadata.mode() >> 3),
    };
    if bits & 0o3 == 0o3 { Ok(()) } else { refused(ErrorKind::PermissionDenied) }
}

/// Free bytes below which a disk counts as nearly full.
const LITTLE: u64 = 64 * 1024 * 1024;

/// A sentence if the disk at `path`, or at the nearest folder above it that exists, has little room.
pub(crate) fn little_room(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = path.ancestors().find(|place| place.exists())?;
    let room = rustix::fs::statvfs(found).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    (free < LITTLE).then(|| format!("the disk of {} has {} MiB left", found.display(), free / 1024 / 1024))
}

/// The user id of this process.
pub(crate) fn whoami() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

/// The name of a user id, or `#` and the id.
pub(crate) fn name(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    known.unwrap_or_else(|| format!("#{uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_advice() {
        let path = Path::new("/vol/data");
        let folder = Facts { found: Path::new("/vol"), is_folder: true, owner: 0, me: Some(12_345), mode: 0o755 };
        let file = Facts { is_folder: false, ..folder };
        let own = Facts { owner: 12_345, mode: 0o500, ..folder };
        let itself = Facts { found: path, ..file };
        for (kind, facts, advice) in [
            (ErrorKind::PermissionDenied, folder, "/vol belongs to root and this process is #12345: run as its owner"),
            (ErrorKind::PermissionDenied, own, "run: chmod u+rwx /vol"),
            (ErrorKind::ReadOnlyFilesystem, folder, "/vol is read-only"),
            (ErrorKind::StorageFull, folder, "the disk of /vol is full"),
            (ErrorKind::AlreadyExists, itself, "/vol/data is no folder"),
            (ErrorKind::NotADirectory, file, "since /vol is no folder"),
            (ErrorKind::TimedOut, folder, "cannot use /vol/data"),
        ] {
            let said = judged(path, &Error::from(kind), facts, "--data-dir");
            assert!(said.contains(advice), "{kind:?}: {said}");
        }
        let said = advice(Path::new("/dev/null"), &Error::from(ErrorKind::AlreadyExists), "--data-dir");
        assert!(said.starts_with("/dev/null is no folder"), "{said}");
    }
}
