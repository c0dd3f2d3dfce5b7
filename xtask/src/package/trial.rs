//! Both packages, tried as their users get them: installed from their files into empty folders, and used by the tests in
//! `packaging` and by those of the guide.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::inputs::Inputs;
use super::{bundle, guide};
use crate::npm;
use crate::places::{Workspace, program};
use crate::server::Server;
use crate::step::{output, run as run_command, step};

/// The runner of the Python tests.
const PYTEST: &str = "pytest~=9.0";
/// How the sources are checked for the oldest Python that they are for. No runner of today can be read that way.
const OLDEST: &[&str] =
    &["--python-version", "3.9", "--no-site-packages", "--ignore-missing-imports", "--allow-untyped-decorators"];
/// What checks the types of the npm package, with the declarations of the oldest Node.js that it is for.
const NPM_TOOLS: &[(&str, &str)] = &[("typescript", "5.9"), ("@types/node", "18")];
/// How the types are checked. The folder's own files are JavaScript with types in comments.
const TSCONFIG: &str = r#"{"compilerOptions": {"allowJs": true, "checkJs": true, "noEmit": true, "strict": true,
    "module": "nodenext", "target": "es2022", "lib": ["es2023"], "types": ["node"]}, "include": ["*.js", "lib/*.js"]}"#;

/// Every file of the wheel, without those that describe it.
const WHEEL: &[&str] = &[
    "__init__.py",
    "_controls.py",
    "_errors.py",
    "_http.py",
    "_model.py",
    "_outbox.py",
    "_process.py",
    "_program.py",
    "_world.py",
    "bin/countersign",
    "bin/keeper.sh",
    "py.typed",
    "pytest_plugin.py",
];
/// Every file that describes the wheel.
const WHEEL_INFO: &[&str] = &["METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"];
/// Every file of the npm package.
const NPM: &[&str] = &[
    "LICENSE",
    "README.md",
    "bin/countersign",
    "bin/keeper.sh",
    "index.d.ts",
    "index.js",
    "lib/controls.js",
    "lib/errors.js",
    "lib/http.js",
    "lib/outbox.js",
    "lib/process.js",
    "lib/world.js",
    "package.json",
    "test.d.ts",
    "test.js",
];

/// Makes both packages and tries them.
pub(super) fn run(places: &Workspace, inputs: &Inputs) -> Result<()> {
    let tools = &bundle::python_tools(places)?;
    let home = tempfile::Builder::new().prefix("trial-").tempdir_in(workshop(places)?)?;
    let packages = home.path().join("packages");
    let mut files = Vec::new();
    step("packages are reproducible", || {
        files = made(places, inputs, &packages)?;
        same(&files, &made(places, inputs, &home.path().join("again"))?)
    })?;
    let [wheel, npm] = &files[..] else { bail!("{} packages were made, not two", files.len()) };
    step("packages hold what they should", || contents(&inputs.version, tools, wheel, npm))?;
    let own = Trial { places, tools, folder: home.path() };
    // Both wait more than they work.
    let (python, node) = std::thread::scope(|threads| {
        let python = threads.spawn(|| step("wheel in an empty environment", || own.python(wheel)));
        let node = step("npm package in an empty project", || own.node(npm));
        (python.join(), node)
    });
    let Ok(python) = python else { bail!("the thread that tries the wheel has panicked") };
    if let (Err(one), Err(other)) = (&python, &node) {
        bail!("{one:#}\n{other:#}");
    }
    python.and(node)?;
    step("workflow and compose file of the guide", || own.yaml())
}

/// The folder with the tools for JavaScript. Projects within it find them, as Node.js looks upwards.
fn workshop(places: &Workspace) -> Result<PathBuf> {
    let workshop = places.folder("client-packages")?;
    npm::install(&workshop, &npm::list(NPM_TOOLS))?;
    Ok(workshop)
}

fn made(places: &Workspace, inputs: &Inputs, into: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir(into)?;
    bundle::make(places, inputs, into)
}

fn same(first: &[PathBuf], second: &[PathBuf]) -> Result<()> {
    for (one, other) in first.iter().zip(second) {
        ensure!(one.file_name() == other.file_name(), "{} and {} differ", one.display(), other.display());
        let equal = std::fs::read(one)? == std::fs::read(other)?;
        ensure!(equal, "a second run made other bytes: look for a time or an order in {}", one.display());
    }
    Ok(())
}

/// Compares the lists of files, and has the wheel judged by the program that uploads wheels.
fn contents(version: &str, tools: &Path, wheel: &Path, npm: &Path) -> Result<()> {
    run_command(Command::new(tools).args(["-m", "twine", "--no-color", "check", "--strict"]).arg(wheel))?;
    let list = "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))";
    let listed = output(Command::new(tools).args(["-c", list]).arg(wheel))?;
    let info = format!("countersign_mfa-{version}.dist-info");
    let wanted = WHEEL.iter().map(|name| format!("countersign_mfa/{name}"));
    let wanted = wanted.chain(WHEEL_INFO.iter().map(|name| format!("{info}/{name}")));
    exactly(wheel, &listed, &wanted.collect())?;
    let listed = output(Command::new("tar").arg("-tzf").arg(npm))?;
    exactly(npm, &listed, &NPM.iter().map(|name| format!("package/{name}")).collect())
}

fn exactly(package: &Path, listed: &str, wanted: &BTreeSet<String>) -> Result<()> {
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let differ: Vec<&str> = listed.symmetric_difference(wanted).map(String::as_str).collect();
    let list = "the lists are in xtask/src/package/trial.rs";
    ensure!(differ.is_empty(), "{}: missing or not expected ({list}): {}", package.display(), differ.join(", "));
    Ok(())
}

/// Where the packages are tried.
struct Trial<'a> {
    places: &'a Workspace,
    tools: &'a Path,
    folder: &'a Path,
}

impl Trial<'_> {
    /// The wheel, with pytest.
    fn python(&self, wheel: &Path) -> Result<()> {
        let (venv, project) = (self.folder.join("venv"), self.folder.join("python"));
        output(Command::new(program(&["python3"])?).args(["-m", "venv"]).arg(&venv))?;
        let python = venv.join("bin/python");
        let pip = |args: &[&str]| -> Result<String> {
            let mut pip = Command::new(&python);
            output(pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]).args(args))
        };
        pip(&["--no-index", &wheel.to_string_lossy()])?;
        output(Command::new(&python).args(["-c", "from countersign_mfa import World"]))
            .context("the package needs something that is not in it")?;
        pip(&[PYTEST])?;

        bundle::copy(&self.places.root.join("packaging/python"), &["tests"], &project)?;
        guide::write(self.places, &project.join("guide"))?;
        let sources = self.places.root.join("packaging/python/src/countersign_mfa");
        let types = || {
            let mut types = Command::new(self.tools);
            types.args(["-m", "mypy", "--strict", "--no-error-summary", "--cache-dir"]);
            types.arg(self.places.target.join("mypy")).arg(&sources).current_dir(&project);
            types
        };
        quietly(types().args(OLDEST))?;
        quietly(types().arg("tests").arg("--python-executable").arg(&python))?;
        // A warning of the package would be one in its users' tests too.
        let pytest = ["-W", "error", "-m", "pytest", "-q", "-W", "error"];
        self.leaving_nothing(&venv, Command::new(&python).args(pytest).current_dir(&project))?;

        // The tests of the guide once more, with a world that runs already.
        let (program, data) = (venv.join("bin/countersign"), self.folder.join("service"));
        std::fs::create_dir(&data)?;
        let server = Server::dev(&program, &data, "")?;
        let mut tests = Command::new(&python);
        tests.args(pytest).env("MFA_READY_FILE", server.ready_file()).env("MFA_URL", &server.ready.base_url);
        quietly(tests.current_dir(project.join("guide")))?;
        let asked = "import sys; from countersign_mfa import World; sys.exit(not World.attach(sys.argv[1]).requests())";
        let mut asking = Command::new(&python);
        let used = output(asking.args(["-c", asked]).arg(server.ready_file()));
        used.context("the tests of the guide did not use the world that runs already")?;
        server.stop()
    }

    /// The npm package, with `node:test`.
    fn node(&self, npm: &Path) -> Result<()> {
        let project = self.folder.join("node");
        bundle::copy(&self.places.root.join("packaging/npm/tests"), &["ends.test.js", "world.test.js"], &project)?;
        std::fs::write(project.join("package.json"), "{\"private\": true, \"type\": \"module\"}\n")?;
        guide::write(self.places, &project.join("guide"))?;
        let mut install = Command::new(program(&["npm"])?);
        install.args(["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error"]).arg(npm);
        output(install.current_dir(&project))?;

        // The sources are checked apart: within `node_modules`, the compiler looks at declarations only.
        let sources = self.folder.join("sources");
        bundle::copy(&self.places.root.join("packaging/npm"), &["index.d.ts", "lib", "test.js"], &sources)?;
        bundle::copy(&self.places.root.join("packaging/npm"), &["package.json"], &sources)?;
        for checked in [&sources, &project] {
            std::fs::write(checked.join("tsconfig.json"), TSCONFIG)?;
            let compiler = self.places.target.join("client-packages/node_modules/typescript/bin/tsc");
            quietly(Command::new(program(&["node"])?).arg(compiler).current_dir(checked))?;
        }
        self.leaving_nothing(
            &project,
            Command::new(program(&["node"])?).args(["--test", "--test-reporter=spec"]).current_dir(&project),
        )
    }

    /// The files of the guide that other programs read.
    fn yaml(&self) -> Result<()> {
        let folder = self.folder.join("yaml");
        std::fs::create_dir(&folder)?;
        guide::write(self.places, &folder)?;
        for (file, schema) in [(".github/workflows/test.yml", "github-workflows"), ("compose.yaml", "compose-spec")] {
            let mut judge = Command::new(self.tools);
            judge.args(["-m", "check_jsonschema", "--builtin-schema", &format!("vendor.{schema}")]);
            output(judge.arg(folder.join(file)))?;
        }
        Ok(())
    }

    /// Runs tests with a temporary folder for them alone, and checks that no world is left: neither a folder, nor a process
    /// of the binary within `home`.
    fn leaving_nothing(&self, home: &Path, tests: &mut Command) -> Result<()> {
        let temporary = tempfile::Builder::new().prefix("tmp-").tempdir_in(self.folder)?;
        quietly(tests.env("TMPDIR", temporary.path()).env("NO_COLOR", "1"))?;
        for entry in std::fs::read_dir(temporary.path())? {
            let name = entry?.file_name();
            ensure!(!name.to_string_lossy().starts_with("countersign-"), "a world has left {}", name.display());
        }
        let home = home.canonicalize()?;
        for process in std::fs::read_dir("/proc")? {
            // Processes of others cannot be read, and some have ended meanwhile.
            let Ok(binary) = std::fs::read_link(process?.path().join("exe")) else { continue };
            let ours = binary.starts_with(&home) && binary.file_name().is_some_and(|name| name == "countersign");
            ensure!(!ours, "a world still runs: {}", binary.display());
        }
        Ok(())
    }
}

/// Runs a command, and shows what it prints only if it fails: two trials run side by side.
fn quietly(command: &mut Command) -> Result<()> {
    let ran = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    let (printed, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    ensure!(ran.status.success(), "{command:?} ended with {}:\n{printed}{errors}", ran.status);
    Ok(())
}
