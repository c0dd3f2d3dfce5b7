//! Runs a page's blocks in one shell, like a reader who pastes them: in an empty folder, with `countersign` on the path and
//! without a fixed port. `cargo run --release --` and `cargo build --release` mean the binary under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::mailbox;
use super::page::{self, Block, Mark};
use crate::places::{Workspace, program};
use crate::server;

/// Timeout in seconds for a block's end, and for the file of a block in the background.
const PATIENCE: u32 = 120;
/// Marks on standard error: the start of a block, and the status of an answer to `curl`.
const BLOCK: &str = "#block ";
const STATUS: &str = "#status ";
/// The line that ends a block which is written to a file.
const END_OF_FILE: &str = "#end of file";

/// Runs a page's blocks. Returns their number.
pub(super) fn run(places: &Workspace, binary: &Path, path: &Path) -> Result<usize> {
    let blocks = in_order(places, path)?;
    if blocks.is_empty() {
        return Ok(0);
    }
    let folder = tempfile::Builder::new().prefix("docs-").tempdir_in(&places.target)?;
    let tools = folder.path().join("bin");
    equip(&tools, binary)?;
    let work = folder.path().join("work");
    std::fs::create_dir(&work)?;
    let (script, log) = (folder.path().join("page.sh"), folder.path().join("log"));
    std::fs::write(&script, script_of(&blocks)?)?;
    let output = std::fs::File::create(&log)?;
    let before = std::env::var_os("PATH").unwrap_or_default();
    let search = std::env::join_paths([tools.clone()].into_iter().chain(std::env::split_paths(&before)))?;
    // Only a page that reads has a keyboard: others must not wait for it.
    let (read_end, keyboard) = std::io::pipe()?;
    let mail = if blocks.iter().any(|block| block.text.contains("read -r")) {
        mailbox::open(keyboard)?
    } else {
        drop(keyboard);
        String::new()
    };
    // The shell leads a process group, so that its background processes can be killed with it.
    let mut shell = server::command(Path::new("bash"));
    shell
        .arg(&script)
        .current_dir(&work)
        .env("PATH", search)
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:0")
        .env("HOME", &work)
        .env("SMTP", mail)
        .stdin(Stdio::from(read_end))
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    let mut child = shell.spawn().context("cannot start bash")?;
    let ended = child.wait()?;
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
    let printed = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    check(&blocks, &printed, ended.success())?;
    Ok(blocks.len())
}

/// The page's blocks that run, each after those it needs of another page.
fn in_order(places: &Workspace, path: &Path) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut done = BTreeSet::new();
    for block in page::read(&places.root, path)?.blocks {
        if let Some((other, anchor)) = &block.needs
            && done.insert((other.clone(), anchor.clone()))
        {
            let needed = page::read(&places.root, Path::new(other))?.blocks;
            let below = needed.into_iter().filter(|block| block.under.contains(anchor) && runs(block));
            blocks.extend(below.map(|block| Block { line: 0, ..block }));
        }
        if runs(&block) {
            blocks.push(block);
        }
    }
    Ok(blocks)
}

fn runs(block: &Block) -> bool {
    !matches!(block.mark, Mark::NotRun(_))
}

/// Creates programs that precede those of the machine on the path.
fn equip(tools: &Path, binary: &Path) -> Result<()> {
    std::fs::create_dir(tools)?;
    symlink(binary, tools.join("countersign"))?;
    let cargo = "#!/bin/sh\n\
         case \"$1 $2\" in\n\
         'run --release') shift 3; exec countersign \"$@\" ;;\n\
         'build --release') mkdir -p target/release; exec ln -sf \"$(command -v countersign)\" target/release/countersign ;;\n\
         esac\n\
         echo \"no block of the documents may run cargo $*\" >&2; exit 1\n";
    let curl = format!(
        "#!/bin/sh\nexec {} -w '%{{stderr}}\\n{STATUS}%{{http_code}}\\n' \"$@\"\n",
        program(&["curl"])?.display()
    );
    // With -e a missing field is an error and not the text `null`.
    let jq = format!("#!/bin/sh\nexec {} -e \"$@\"\n", program(&["jq"])?.display());
    for (name, text) in [("cargo", cargo), ("curl", &curl), ("jq", &jq)] {
        let path = tools.join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn script_of(blocks: &[Block]) -> Result<String> {
    let mut script = String::from("set -eu -o pipefail\n");
    for (number, block) in blocks.iter().enumerate() {
        writeln!(script, "printf '\\n{BLOCK}{number}\\n' >&2")?;
        match &block.mark {
            Mark::Background(file) => writeln!(
                script,
                "(\n{}\n) &\nfor _ in $(seq {}); do [ -s {file} ] && break; sleep 0.1; done\n[ -s {file} ]",
                block.text,
                PATIENCE * 10
            )?,
            Mark::File(name) => writeln!(
                script,
                "mkdir -p \"$(dirname {name})\"\ncat > {name} <<'{END_OF_FILE}'\n{}\n{END_OF_FILE}",
                block.text
            )?,
            _ => writeln!(script, "{}", block.text)?,
        }
    }
    Ok(script)
}

/// Checks that every block ran to its end, and that no answer was an error that the block does not mention.
fn check(blocks: &[Block], printed: &str, succeeded: bool) -> Result<()> {
    let mut at = 0;
    let mut words: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for line in printed.lines() {
        if let Some(number) = line.strip_prefix(BLOCK) {
            at = number.parse()?;
            continue;
        }
        words.entry(at).or_default().push(line);
        let Some(status) = line.strip_prefix(STATUS) else { continue };
        let refused = status.starts_with(['0', '4', '5']);
        ensure!(
            !refused || blocks[at].text.contains(status),
            "the block at line {} was answered {status}:\n{}",
            blocks[at].line,
            words[&at].join("\n")
        );
    }
    if !succeeded || at + 1 != blocks.len() {
        let last = words.remove(&at).unwrap_or_default();
        bail!("the block at line {} failed:\n{}", blocks[at].line, last.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        Block { line: 7, under: Vec::new(), mark: Mark::Run, needs: None, text: text.to_owned() }
    }

    #[test]
    fn a_refusal_counts_unless_the_block_speaks_of_it() {
        let blocks = [block("curl a"), block("curl b   # 404, it is spent")];
        let printed = |first: &str, second: &str| format!("{BLOCK}0\n{STATUS}{first}\n{BLOCK}1\n{STATUS}{second}\n");
        check(&blocks, &printed("200", "404"), true).unwrap();
        assert!(check(&blocks, &printed("404", "200"), true).is_err());
        assert!(check(&blocks, &printed("200", "500"), true).is_err());
    }

    #[test]
    fn a_file_is_written_as_it_is() {
        let file = Block { mark: Mark::File("a.py".to_owned()), ..block("print(\"$HOME\")") };
        let script = script_of(&[file]).unwrap();
        assert!(script.contains("cat > a.py <<'#end of file'\nprint(\"$HOME\")\n#end of file\n"), "{script}");
    }

    #[test]
    fn a_page_that_stops_half_way_fails_with_its_last_words() {
        let blocks = [block("one"), block("two")];
        let failed = check(&blocks, &format!("{BLOCK}0\nno such thing\n"), false).unwrap_err().to_string();
        assert!(failed.contains("line 7") && failed.contains("no such thing"), "{failed}");
    }
}
