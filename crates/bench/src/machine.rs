//! The machine of a measurement. Numbers without their machine mean nothing.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use xtask::server::command;
use xtask::step::output;

/// The properties of the machine, as pairs of name and value.
pub(crate) fn described(ground: &Path, binary: &Path) -> Result<Vec<(&'static str, String)>> {
    let cores = std::thread::available_parallelism()?;
    let memory =
        field("/proc/meminfo", "MemTotal").and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    let rustc = output(Command::new("rustc").arg("--version")).unwrap_or_else(|_| "unknown".to_owned());
    Ok(vec![
        ("CPU", field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())),
        ("cores", format!("{cores}, shared by the server, the load program and whatever else runs")),
        ("memory", memory.map_or_else(|| "unknown".to_owned(), |kibibytes| format!("{} MiB", kibibytes / 1024))),
        ("kernel", std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()),
        ("disk", disk(ground).unwrap_or_else(|| "unknown".to_owned())),
        ("server", output(command(binary).arg("--version"))?.trim().to_owned()),
        ("compiler", rustc.trim().to_owned()),
    ])
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(field, _)| field.trim() == name)?;
    Some(value.trim().to_owned())
}

/// The file system of a folder, and its block device.
fn disk(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let (device, kind) = mount_of(&mounts, &folder)?;
    let name = device.rsplit('/').next()?;
    let turns = std::fs::read_to_string(format!("/sys/class/block/{name}/queue/rotational")).ok();
    let turns = turns.map_or("", |text| if text.trim() == "1" { ", rotating" } else { ", not rotating" });
    let driver = std::fs::read_link(format!("/sys/class/block/{name}/device/driver")).ok();
    let driver = driver.and_then(|link| Some(format!(", {}", link.file_name()?.to_str()?))).unwrap_or_default();
    Some(format!("{kind} on {name}{driver}{turns}"))
}

/// Device and file system of a folder's mount.
fn mount_of(mounts: &str, folder: &Path) -> Option<(String, String)> {
    let parsed = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?))
    });
    // Of equal mount points the last one, which covers the others.
    let (device, _, kind) =
        parsed.filter(|(_, point, _)| folder.starts_with(point)).max_by_key(|(_, point, _)| point.len())?;
    Some((device.to_owned(), kind.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_in_the_innermost_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmpfiles xfs rw 0 0\n";
        let found = |folder: &str| mount_of(mounts, Path::new(folder)).unwrap().1;
        assert_eq!(
            (found("/tmp/x").as_str(), found("/tmpfiles").as_str(), found("/home").as_str()),
            ("tmpfs", "xfs", "ext4")
        );
    }
}
