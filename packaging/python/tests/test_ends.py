"""How worlds start and end: failed starts are explained, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from countersign_mfa import CountersignError, StartError, World

# A process that uses a world and then waits.
HOLDER = """
import json, sys, time
from countersign_mfa import World
world = World().start()
print(json.dumps([world.ready["pid"], str(world._process.folder)]), flush=True)
time.sleep(60)
"""


# A process that is interrupted and still uses its world.
INTERRUPTED = """
import time
from countersign_mfa import World
with World() as world:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        world.reset()
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Worlds of these tests have their folders here, so that a test sees what is left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def runs(pid: int) -> bool:
    # A zombie has ended: only its parent's attention is missing.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(done: object, seconds: float = 10.0) -> bool:
    """Waits until a condition holds."""
    end = time.monotonic() + seconds
    while not done():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_a_closed_world_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    with World() as world:
        pid = world.ready["pid"]
        assert runs(pid) and list(tmp_path.iterdir())
    assert not runs(pid)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CountersignError, match="does not run"):
        _ = world.base_url


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_test_run_leaves_no_process_and_no_folder(tmp_path: Path, how: signal.Signals) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert holder.stdout is not None
    pid, folder = json.loads(holder.stdout.readline())
    holder.stdout.close()
    assert runs(pid) and Path(folder).is_dir()
    holder.send_signal(how)
    assert holder.wait(10) != 0
    assert until(lambda: not runs(pid) and not Path(folder).exists())
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_the_world_to_the_tests() -> None:
    holder = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, start_new_session=True)
    assert holder.stdout is not None and holder.stdout.readline()
    holder.stdout.close()
    # A terminal sends the signal to every process of the group.
    os.killpg(holder.pid, signal.SIGINT)
    assert holder.wait(40) == 0


def test_a_failed_start_shows_the_log(tmp_path: Path) -> None:
    with pytest.raises(StartError) as error:
        World(flags=["--no-such-flag"]).start()
    assert "exit status 2" in str(error.value)
    assert "unexpected argument '--no-such-flag'" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_world_file_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="world"):
        World(world=tmp_path / "no-such-world.toml").start()


def test_a_start_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="not ready after 0 s"):
        World(timeout=0).start()
    assert list(tmp_path.iterdir()) == []


def test_a_world_that_was_killed_says_so(tmp_path: Path) -> None:
    with World() as world:
        os.kill(world.ready["pid"], signal.SIGKILL)
        assert until(lambda: world._process is not None and world._process.ended() is not None)
        with pytest.raises(StartError, match="exit status 137"):
            world.reset()
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_does_not_hold_the_world(tmp_path: Path) -> None:
    world = World().start()
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    began = time.monotonic()
    world.stop()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert time.monotonic() - began < 10
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_keeps_the_world(tmp_path: Path) -> None:
    for kept in (False, True):
        with World(data_dir=tmp_path / "kept") as world:
            devices = "/api/2/mfa/users/1/devices"
            assert bool(world.api("GET", devices)) == kept
            if not kept:
                factor = {"factor_id": "1", "display_name": "My phone"}
                world.phone.pair(world.api("POST", "/api/2/mfa/users/1/registrations", factor))
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_a_seed_makes_the_same_credentials() -> None:
    with World(seed=7) as one, World(seed=7) as other, World() as third:
        assert one.client == other.client != third.client
        assert one.base_url != other.base_url


def test_a_world_that_runs_already_is_used_and_not_stopped(tmp_path: Path) -> None:
    ready = tmp_path / "world.json"
    with World(flags=["--dev-host", "countersign"]) as world:
        ready.write_text(json.dumps(world.ready))
        with World.attach(ready) as same:
            assert same.client == world.client
            same.reset()
        assert world.clock.now()


def test_the_command_is_the_program(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "countersign"
    shown = subprocess.run([command, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    assert shown.stdout.startswith("countersign ")
    assert subprocess.run([command, "--no-such-flag"], stderr=subprocess.DEVNULL).returncode == 2
    ready = tmp_path / "ready.json"
    running = subprocess.Popen([command, "dev", "--listen", "127.0.0.1:0", "--ready-file", ready], stderr=subprocess.DEVNULL)
    assert until(ready.exists)
    # The console script has become the program: the process itself gets the signal, and its exit status is the program's.
    assert Path(f"/proc/{running.pid}/exe").resolve().name == "countersign"
    running.terminate()
    assert running.wait(40) == 0
    assert not ready.exists()


def test_settings_of_the_shell_do_not_reach_a_world() -> None:
    settings = {"COUNTERSIGN_LISTEN": "nonsense", "COUNTERSIGN_CONFIG": "/nonexistent", "http_proxy": "http://127.0.0.1:9"}
    code = "from countersign_mfa import World\nwith World() as world: world.reset()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **settings}, check=True)
