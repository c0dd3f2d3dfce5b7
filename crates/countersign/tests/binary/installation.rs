//! Which command opens which installation, which makes one, and that the others leave everything as it is.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use clap::CommandFactory as _;

use crate::common::{Running, countersign, run, run_json};

/// What a command does where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It has nothing to do with an installation.
    Apart,
    /// It says that there is none.
    Needs,
    /// It makes one.
    Makes,
}
use Kind::{Apart, Makes, Needs};

/// Every command with what it cannot do without.
const COMMANDS: &[(&str, &[&str], Kind)] = &[
    ("serve", &["--listen", "127.0.0.1:0"], Makes),
    ("dev", &["--listen", "127.0.0.1:0"], Makes),
    ("client create", &["--scope", "Manage All"], Needs),
    ("client list", &[], Needs),
    ("client show", &["abc"], Needs),
    ("client revoke", &["abc", "--yes"], Needs),
    ("client set", &["abc", "--hold", "off"], Needs),
    ("client rotate", &["abc"], Needs),
    ("app create", &["--name", "a", "--aws-role", "arn:aws:iam::1:role/A,arn:aws:iam::1:saml-provider/B"], Needs),
    ("app list", &[], Needs),
    ("app delete", &["1", "--yes"], Needs),
    ("app rotate-key", &[], Needs),
    ("webhook create", &["https://hooks.example.com/"], Needs),
    ("webhook list", &[], Needs),
    ("webhook delete", &["1", "--yes"], Needs),
    ("webhook enable", &["1"], Needs),
    ("webhook disable", &["1"], Needs),
    ("webhook rotate-secret", &["1"], Needs),
    ("webhook deliveries", &["1"], Needs),
    ("webhook replay", &["1"], Needs),
    ("webhook test", &["1"], Needs),
    ("user create", &["--username", "ana"], Needs),
    ("user list", &[], Needs),
    ("user show", &["ana"], Needs),
    ("user mfa", &["ana", "off"], Needs),
    ("user rename", &["ana", "--username", "anna"], Needs),
    ("user unlock", &["ana"], Needs),
    ("user set-password", &["ana"], Needs),
    ("user token", &["ana"], Needs),
    ("user invite", &["ana"], Needs),
    ("user delete", &["ana", "--yes"], Needs),
    ("device list", &["ana"], Needs),
    ("device disable", &["ana", "1"], Needs),
    ("device delete", &["ana", "1", "--yes"], Needs),
    ("delivery status", &[], Needs),
    ("delivery price", &["+14155550123"], Needs),
    ("delivery spend", &[], Needs),
    ("delivery simulate", &["/dev/null"], Needs),
    ("delivery retry", &[], Needs),
    ("delivery test", &["email", "ana@example.com"], Needs),
    ("template preview", &[], Apart),
    ("clock", &[], Needs),
    ("status", &[], Needs),
    ("doctor", &[], Apart),
    ("healthcheck", &[], Apart),
    ("config check", &[], Apart),
    ("config show", &[], Apart),
    ("config example", &[], Apart),
    ("import", &["LIST"], Makes),
    ("migrate", &[], Needs),
    ("transfer", &[], Makes),
    ("selftest", &[], Apart),
    ("completions", &["bash"], Apart),
    ("man", &["/dev/null"], Apart),
];

/// The commands that the command line knows.
fn known() -> Vec<String> {
    fn leaves(command: &clap::Command, before: &str, all: &mut Vec<String>) {
        let inner: Vec<_> =
            command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set()).collect();
        if inner.is_empty() {
            all.push(before.to_owned());
        }
        for command in inner {
            leaves(command, format!("{before} {}", command.get_name()).trim(), all);
        }
    }
    let mut all = Vec::new();
    leaves(&countersign::cli::Cli::command(), "", &mut all);
    all.sort();
    all
}

/// Every file and folder below a place, with its mode; the place itself is "".
fn tree(place: &Path) -> BTreeMap<String, u32> {
    fn walk(at: &Path, root: &Path, all: &mut BTreeMap<String, u32>) {
        let Ok(metadata) = std::fs::symlink_metadata(at) else { return };
        all.insert(at.strip_prefix(root).unwrap().display().to_string(), metadata.mode() & 0o7777);
        if metadata.is_dir() {
            for entry in std::fs::read_dir(at).unwrap() {
                walk(&entry.unwrap().path(), root, all);
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(place, place, &mut all);
    all
}

/// Runs a command that ends; gives its exit code and what it said.
fn said(args: &[&str]) -> (Option<i32>, String) {
    let output = run(args);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_reading_command_makes_nothing_and_changes_no_mode() {
    let mut listed: Vec<String> = COMMANDS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    listed.sort();
    assert_eq!(listed, known(), "every command is in the table");

    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "username,secret_base32\nana,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n").unwrap();
    let (nowhere, empty, others) =
        (folder.path().join("no"), folder.path().join("empty"), folder.path().join("others"));
    for open in [&empty, &others] {
        std::fs::create_dir(open).unwrap();
        std::fs::set_permissions(open, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::write(others.join("x"), "theirs").unwrap();
    let source = folder.path().join("source");
    made(&source);

    for (name, more, kind) in COMMANDS {
        for place in [&nowhere, &empty, &others] {
            let (data, from, to) = (place.to_str().unwrap(), source.to_str().unwrap(), place.to_str().unwrap());
            let mut args: Vec<&str> = name.split(' ').collect();
            args.extend(more.iter().map(|arg| if *arg == "LIST" { list.to_str().unwrap() } else { arg }));
            let (from, to) = (format!("sqlite://{from}"), format!("sqlite://{to}"));
            match *name {
                "selftest" => {}
                "transfer" => args.extend(["--from", &from, "--to", &to]),
                _ => args.extend(["--data-dir", data]),
            }
            // What makes an installation does so in the two places that are free; this is about the third.
            if *kind == Makes && place != &others {
                continue;
            }
            let before = tree(place);
            let (code, text) = said(&args);
            assert_eq!(tree(place), before, "{args:?}: {text}");
            match kind {
                Apart => {}
                Needs => {
                    assert_eq!(code, Some(1), "{args:?}: {text}");
                    assert!(text.contains("there is no installation in"), "{args:?}: {text}");
                }
                Makes => {
                    assert_eq!(code, Some(1), "{args:?}: {text}");
                    assert!(text.contains("choose a new or an empty folder"), "{args:?}: {text}");
                }
            }
        }
    }
    for init in [&["client", "create", "--scope", "Manage All"][..], &["user", "create", "--username", "ana"]] {
        let before = tree(&others);
        let (code, text) = said(&[init, &["--init", "--data-dir", others.to_str().unwrap()]].concat());
        assert!(code == Some(1) && text.contains("choose a new or an empty folder"), "{text}");
        assert_eq!(tree(&others), before);
    }

    // From where nothing is, nothing is moved.
    let (code, text) =
        said(&["move", "--from", &format!("sqlite://{}", others.display()), "--to", "sqlite:///dev/null/x"]);
    assert!(code == Some(1) && text.contains("there is no database there"), "{text}");
    assert_eq!(tree(&others).len(), 2);
}

/// An installation with a client, made without a server.
fn made(place: &Path) {
    run_json(&["client", "create", "--scope", "Manage All", "--init", "--data-dir", place.to_str().unwrap(), "--json"]);
}

#[test]
fn a_reading_command_leaves_an_installation_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    made(&data);
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o750)).unwrap();
    std::fs::remove_file(data.join("start.lock")).unwrap();
    let database = data.join("db/countersign.db");
    let (before, content) = (tree(&data), std::fs::read(&database).unwrap());
    let place = data.to_str().unwrap();
    for read in [&["client", "list"][..], &["user", "list"], &["app", "list"], &["webhook", "list"], &["migrate"]] {
        assert!(run(&[read, &["--data-dir", place]].concat()).status.success(), "{read:?}");
        assert_eq!(tree(&data), before, "{read:?}");
        assert_eq!(std::fs::read(&database).unwrap(), content, "{read:?}");
    }
}

#[test]
fn a_command_never_changes_a_schema_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    made(&data);
    let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
    let newest: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    database.pragma_update(None, "user_version", newest - 1).unwrap();
    drop(database);
    let place = data.to_str().unwrap();
    for command in [&["client", "list"][..], &["user", "create", "--username", "ana", "--init"]] {
        let (code, text) = said(&[command, &["--data-dir", place]].concat());
        assert!(code == Some(1) && text.contains("countersign migrate"), "{text}");
    }
    let dry = run_json(&["migrate", "--dry-run", "--data-dir", place, "--json"]);
    assert_eq!(dry["pending"][0]["version"], newest);
}

#[test]
fn a_mistyped_folder_is_answered_with_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("countersign");
    made(&data);
    let (code, text) = said(&["client", "list", "--data-dir", folder.path().join("countersing").to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("did you mean --data-dir {}?", data.display())), "{text}");
}

#[test]
fn a_command_makes_no_tables_in_a_server() {
    let Some(cluster) = pgtest::Cluster::shared() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), cluster.new_database());
    let data = folder.path().join("data");
    let place = ["--data-dir", data.to_str().unwrap(), "--database-url", &url];
    for command in [&["client", "list"][..], &["client", "create", "--scope", "Manage All"], &["migrate"]] {
        let (code, text) = said(&[command, &place].concat());
        assert!(code == Some(1) && text.contains("there is no installation in"), "{text}");
        assert!(!data.exists());
    }
    let name = url.trim_start_matches("postgres:///").split('?').next().unwrap();
    let tables = cluster.sql(name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
    assert_eq!(tables.trim(), "0");
    run_json(&[&["client", "create", "--scope", "Manage All", "--init", "--json"][..], &place].concat());
    let listed = run_json(&[&["client", "list", "--json"][..], &place].concat());
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[test]
fn nothing_is_destroyed_without_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    made(&data);
    let place = data.to_str().unwrap();
    run_json(&["user", "create", "--username", "ana", "--data-dir", place, "--json"]);
    let client = run_json(&["client", "list", "--data-dir", place, "--json"])[0]["client_id"].clone();

    // Every command that knows --yes, as a program meets it: standard input is no terminal.
    let asking: Vec<_> = COMMANDS.iter().filter(|(_, more, _)| more.contains(&"--yes")).collect();
    let knows_yes = |command: &clap::Command| command.get_arguments().any(|argument| argument.get_id() == "yes");
    let known = countersign::cli::Cli::command()
        .get_subcommands()
        .flat_map(clap::Command::get_subcommands)
        .filter(|command| knows_yes(command))
        .count();
    assert_eq!(asking.len(), known, "every command that asks is in the table");
    for (name, more, _) in asking {
        let more = more.iter().map(|arg| if *arg == "abc" { client.as_str().unwrap() } else { arg });
        let args: Vec<&str> = name.split(' ').chain(more).filter(|arg| *arg != "--yes").collect();
        let (code, text) = said(&[&args[..], &["--data-dir", place]].concat());
        assert!(code == Some(2) && text.contains("pass --yes"), "{args:?}: {text}");
    }
    assert_eq!(run_json(&["user", "list", "--data-dir", place, "--json"])[0]["username"], "ana");
    assert_eq!(run_json(&["client", "list", "--data-dir", place, "--json"])[0]["revoked"], false);
}

/// Which volume a process finds, and whether it may use it.
struct Volume {
    name: &'static str,
    owner: u32,
    group: u32,
    mode: u32,
}

/// The user that a pod runs as, in these tests.
const POD: u32 = 12_345;

/// What the kubelet does to a volume with `fsGroup` before a pod starts.
fn hand_over(place: &Path, group: u32) {
    let metadata = std::fs::symlink_metadata(place).unwrap();
    if metadata.is_symlink() {
        return;
    }
    std::os::unix::fs::chown(place, None, Some(group)).unwrap();
    let mode = metadata.mode() | if metadata.is_dir() { 0o2770 } else { 0o660 };
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(mode & 0o7777)).unwrap();
    if metadata.is_dir() {
        for entry in std::fs::read_dir(place).unwrap() {
            hand_over(&entry.unwrap().path(), group);
        }
    }
}

#[test]
fn it_starts_on_volumes_as_orchestrators_make_them() {
    use std::os::unix::process::CommandExt as _;
    let folder = tempfile::tempdir().unwrap();
    if std::fs::metadata(folder.path()).unwrap().uid() != 0 {
        return; // Only root can be somebody else.
    }
    // Another user must reach the program and the folder.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let binary = folder.path().join("countersign");
    std::fs::copy(env!("CARGO_BIN_EXE_countersign"), &binary).unwrap();
    let start = |data: &Path, group: u32| {
        let mut command = std::process::Command::new(&binary);
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/").uid(POD).gid(group);
        let ready = folder.path().join("ready");
        std::fs::create_dir_all(&ready).unwrap();
        std::os::unix::fs::chown(&ready, Some(POD), None).unwrap();
        Running::start_as_at(&["serve", "--data-dir", data.to_str().unwrap()], command, &ready.join("ready.json"))
    };
    for volume in [
        Volume { name: "own", owner: POD, group: POD, mode: 0o700 },
        Volume { name: "own-open", owner: POD, group: POD, mode: 0o755 },
        Volume { name: "emptyDir", owner: 0, group: 0, mode: 0o777 },
        Volume { name: "emptyDir-fsGroup", owner: 0, group: 2_000, mode: 0o2777 },
        Volume { name: "fsGroup", owner: 0, group: 2_000, mode: 0o2775 },
    ] {
        let data = folder.path().join(volume.name);
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::chown(&data, Some(volume.owner), Some(volume.group)).unwrap();
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(volume.mode)).unwrap();
        for round in 0..3 {
            assert_eq!(start(&data, volume.group).stop(), Some(0), "{} {round}", volume.name);
            for private in ["db", "keys", "keys/master.key", "db/countersign.db"] {
                let mode = std::fs::metadata(data.join(private)).unwrap().mode();
                assert_eq!(mode & 0o077, 0, "{} {round}: {private}", volume.name);
            }
            hand_over(&data, volume.group.max(1));
        }
    }
}

#[test]
fn one_rule_for_all_ways_to_give_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let config = folder.path().join("countersign.toml");
    std::fs::write(&key, "42".repeat(32)).unwrap();
    std::fs::write(&config, format!("master_key_file = {:?}", key.to_str().unwrap())).unwrap();
    let data = folder.path().join("data");
    let own = data.join("keys/master.key");
    made(&data);
    let open = |file: &Path, mode: u32| {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (mode, starts) in [(0o600, true), (0o660, true), (0o644, false)] {
        for way in ["folder", "file", "variable"] {
            let place = folder.path().join(format!("{way}{mode:o}"));
            let mut command = countersign();
            command.args(["client", "create", "--scope", "Manage All", "--init", "--data-dir"]);
            match way {
                "folder" => {
                    open(&own, mode);
                    command.arg(&data);
                }
                "file" => {
                    open(&key, mode);
                    command.arg(&place).arg("--config").arg(&config);
                }
                _ => {
                    open(&key, mode);
                    command.arg(&place).env("COUNTERSIGN_MASTER_KEY_FILE", &key);
                }
            }
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.success(), starts, "{way} {mode:o}: {text}");
            assert!(starts || text.contains("chmod 600"), "{way} {mode:o}: {text}");
            open(&own, 0o600);
        }
    }
}

/// Every spelling of one place: a folder, or a folder and a server's database.
fn places(folder: &Path) -> Vec<(&'static str, Vec<String>)> {
    let data = |name: &str| folder.join(name).display().to_string();
    let mut places = vec![("SQLite", vec!["--data-dir".to_owned(), data("sqlite")])];
    if let Some(cluster) = pgtest::Cluster::shared() {
        let database = ["--database-url".to_owned(), cluster.new_database()];
        places.push(("PostgreSQL", [vec!["--data-dir".to_owned(), data("postgres")], database.to_vec()].concat()));
    }
    places
}

#[test]
fn a_dev_world_refuses_a_production_installation_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    for (made_by, other, says) in [("serve", "dev", "is production"), ("dev", "serve", "is a dev world")] {
        let home = folder.path().join(made_by);
        std::fs::create_dir(&home).unwrap();
        for (name, place) in places(&home) {
            let with = |command: &str| [vec![command.to_owned()], place.clone()].concat();
            let start = |command: &str| Running::start(&with(command).iter().map(String::as_str).collect::<Vec<_>>());
            let refuses = |command: &str| {
                let output = countersign().args(with(command)).args(["--listen", "127.0.0.1:0"]).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{name} of {made_by}: {said}");
                assert!(said.contains(says) && said.contains("--data-dir DIR (empty)"), "{name} of {made_by}: {said}");
            };
            assert_eq!(start(made_by).stop(), Some(0));
            refuses(other);
            if made_by == "serve" {
                let data = Path::new(&place[1]);
                assert!(!data.join("dev-world.json").exists(), "{name}: nothing is planted");
                let listed = [vec!["client".to_owned(), "list".to_owned()], place.clone(), vec!["--json".to_owned()]];
                let listed = run_json(&listed.concat().iter().map(String::as_str).collect::<Vec<_>>());
                assert_eq!(listed, serde_json::json!([]), "{name}");
            }
            assert_eq!(start(made_by).stop(), Some(0), "{name}: its own goes on");
        }
    }
}

#[test]
fn an_installation_without_a_mark_is_what_it_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    for (made_by, other) in [("serve", "dev"), ("dev", "serve")] {
        let data = folder.path().join(made_by);
        let args = |command| [command, "--data-dir", data.to_str().unwrap()];
        assert_eq!(Running::start(&args(made_by)).stop(), Some(0));
        let mark = || {
            let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
            let mark = database.query_row("SELECT value FROM meta WHERE key = 'world'", [], |row| row.get(0));
            mark.unwrap_or_else(|_| Vec::<u8>::new())
        };
        assert_eq!(mark(), made_by.as_bytes());
        let database = rusqlite::Connection::open(data.join("db/countersign.db")).unwrap();
        database.execute("DELETE FROM meta WHERE key = 'world'", []).unwrap();
        drop(database);
        assert!(!run(&args(other)).status.success());
        assert_eq!(mark(), b"", "who is refused marks nothing");
        assert_eq!(Running::start(&args(made_by)).stop(), Some(0));
        assert_eq!(mark(), made_by.as_bytes());
    }
}

#[test]
fn what_a_command_makes_is_production() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    made(Path::new(data));
    let dev = run(&["dev", "--data-dir", data]);
    assert!(String::from_utf8_lossy(&dev.stderr).contains("is production"));
    assert_eq!(Running::start(&["serve", "--data-dir", data]).stop(), Some(0));
}

#[test]
fn a_first_start_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first_lines = |args: &[&str]| {
        let log = folder.path().join("log");
        let server = Running::start_into(args, countersign(), std::fs::File::create(&log).unwrap().into());
        assert_eq!(server.stop(), Some(0));
        let text = std::fs::read_to_string(log).unwrap();
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let serve = ["serve", "--data-dir", data.to_str().unwrap()];
    let first = first_lines(&serve);
    assert!(first[0].contains("database created (schema "), "{first:?}");
    assert!(first[1].starts_with("Countersign "), "{first:?}");
    assert!(first_lines(&serve)[0].starts_with("Countersign "), "nothing was made");
    assert!(first_lines(&["dev"])[0].starts_with("****"), "a dev world begins with its banner");

    let older = folder.path().join("older");
    std::fs::create_dir_all(older.join("db")).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/testdata/schema/sqlite-0005.sql");
    let database = rusqlite::Connection::open(older.join("db/countersign.db")).unwrap();
    database.execute_batch(&std::fs::read_to_string(schema).unwrap()).unwrap();
    drop(database);
    let (_, text) = said(&["migrate", "--data-dir", older.to_str().unwrap()]);
    let said: Vec<_> = text.lines().collect();
    assert!(said[0].contains("the database as it was is kept") && said[1].contains("schema 5 → "), "{text}");
    assert_eq!(said.len(), 2, "{text}");
}
