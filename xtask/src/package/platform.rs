//! On which machines a Linux binary runs, read from its ELF header. Installers learn it from a package's name or manifest,
//! and a wrong one is found out only when somebody starts the program.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// Bytes that hold the header and the table after it. Linkers put the table there.
const HEAD: u64 = 4096;
/// Type of the program header that names a dynamic loader (`PT_INTERP`).
const LOADER: u32 = 3;

/// The machines that can run a binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    processor: Processor,
    /// Whether it needs the C library of the machine. One without a loader needs only the kernel.
    needs_libc: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Processor {
    X86,
    Arm,
}

impl Platform {
    /// Reads the header of a binary.
    pub(super) fn of(binary: &Path) -> Result<Self> {
        let mut head = Vec::new();
        let file = File::open(binary).with_context(|| format!("cannot read {}", binary.display()))?;
        file.take(HEAD).read_to_end(&mut head)?;
        Self::read(&head).with_context(|| format!("{} cannot be packed: build it for Linux", binary.display()))
    }

    fn read(head: &[u8]) -> Result<Self> {
        ensure!(head.starts_with(b"\x7fELF\x02\x01"), "it is no ELF binary of 64 bits, little-endian");
        let processor = match number(head, 18, 2)? {
            62 => Processor::X86,
            183 => Processor::Arm,
            other => bail!("its processor is unknown: ELF machine {other}"),
        };
        let (table, size, count) = (number(head, 32, 8)?, number(head, 54, 2)?, number(head, 56, 2)?);
        let kinds = (0..count).map(|at| number(head, table + at * size, 4));
        let needs_libc = kinds.collect::<Result<Vec<_>>>()?.contains(&u64::from(LOADER));
        Ok(Self { processor, needs_libc })
    }

    /// The platform tag of a wheel.
    ///
    /// A binary without a loader runs with every C library and with none: the tags for glibc (2.17 is the oldest that
    /// installers know for all processors) and for musl. One that needs the machine's C library gets the plain tag: it
    /// installs where it was built, and registries refuse it.
    pub(super) fn wheel_platform(self) -> String {
        let processor = match self.processor {
            Processor::X86 => "x86_64",
            Processor::Arm => "aarch64",
        };
        if self.needs_libc {
            format!("linux_{processor}")
        } else {
            format!("manylinux2014_{processor}.manylinux_2_17_{processor}.musllinux_1_1_{processor}")
        }
    }

    /// The processor as npm calls it.
    pub(super) fn npm_cpu(self) -> &'static str {
        match self.processor {
            Processor::X86 => "x64",
            Processor::Arm => "arm64",
        }
    }

    /// The C library as npm calls it, if the binary needs that of the machine.
    pub(super) fn npm_libc(self) -> Option<&'static str> {
        self.needs_libc.then_some("glibc")
    }
}

/// A little-endian number of this many bytes.
fn number(head: &[u8], at: u64, bytes: usize) -> Result<u64> {
    let at = usize::try_from(at)?;
    let part = at.checked_add(bytes).and_then(|end| head.get(at..end)).context("its header is cut off")?;
    Ok(part.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with program headers of these types after it.
    fn head(machine: u8, kinds: &[u8]) -> Vec<u8> {
        let mut head = vec![0; 64 + kinds.len() * 56];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (head[18], head[32], head[54]) = (machine, 64, 56);
        head[56] = u8::try_from(kinds.len()).unwrap();
        for (at, kind) in kinds.iter().enumerate() {
            head[64 + at * 56] = *kind;
        }
        head
    }

    #[test]
    fn a_binary_without_a_loader_runs_with_every_c_library() {
        let machine = Platform::read(&head(62, &[1, 1, 2])).unwrap();
        assert_eq!(machine.wheel_platform(), "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64");
        assert_eq!((machine.npm_cpu(), machine.npm_libc()), ("x64", None));
    }

    #[test]
    fn a_binary_with_a_loader_runs_where_it_was_built() {
        let machine = Platform::read(&head(183, &[6, 3, 1])).unwrap();
        assert_eq!(machine.wheel_platform(), "linux_aarch64");
        assert_eq!((machine.npm_cpu(), machine.npm_libc()), ("arm64", Some("glibc")));
    }

    #[test]
    fn what_is_no_binary_for_linux_is_refused() {
        assert!(Platform::read(b"#!/bin/sh\n").is_err());
        assert!(Platform::read(&head(8, &[])).is_err());
        assert!(Platform::read(&head(62, &[1])[..70]).is_ok());
        assert!(Platform::read(&head(62, &[1, 1])[..100]).is_err());
    }
}
