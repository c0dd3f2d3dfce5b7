"""The process of a world, under the keeper script."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Optional, Sequence

from . import _program
from ._errors import StartError

# How long the server may finish what runs (25 s) and what it sends (13 s).
_STOP_TIMEOUT = 40.0
_LAST_LINES = 20


class Process:
    """A running `countersign dev`, and the folder that it has for itself."""

    def __init__(self, flags: Sequence[str], data_dir: Optional[Path], timeout: float) -> None:
        program, keeper = _program.path(), _program.keeper()
        self.folder = Path(tempfile.mkdtemp(prefix="countersign-"))
        self._ready_file = self.folder / "ready.json"
        data = data_dir or self.folder / "data"
        command = [str(program), "dev", "--listen", "127.0.0.1:0", "--ready-file", str(self._ready_file)]
        command += ["--data-dir", str(data), *flags]
        # Settings of the shell are not those of the tests.
        env = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
        try:
            self._keeper = subprocess.Popen(
                ["/bin/sh", str(keeper), str(self.folder), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                # Ctrl-C is for the tests. They stop the world when they end.
                start_new_session=True,
            )
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        try:
            self.ready = self._wait(timeout)
        except BaseException:
            self.stop()
            raise

    def _wait(self, timeout: float) -> dict[str, Any]:
        until = time.monotonic() + timeout
        while True:
            try:
                ready: dict[str, Any] = json.loads(self._ready_file.read_text(encoding="utf-8"))
                return ready
            except (FileNotFoundError, ValueError):
                pass
            ended = self.ended()
            if ended is not None:
                raise StartError(ended)
            if time.monotonic() >= until:
                raise StartError(f"the world is not ready after {timeout:g} s. {self._log()}")
            time.sleep(0.005)

    def ended(self) -> Optional[str]:
        """What to say if the process has ended, or `None`."""
        mark = self.folder / "ended"
        if mark.exists():
            return f"`countersign dev` ended with exit status {mark.read_text().strip()}. {self._log()}"
        if self._keeper.poll() is not None:
            return "`countersign dev` was stopped, and its log is gone."
        return None

    def _log(self) -> str:
        try:
            lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        last = "\n".join("  " + line for line in lines[-_LAST_LINES:])
        return "The last lines of its log:\n" + last if last else "Its log is empty."

    def stop(self) -> None:
        """Stops the world as an operator does, and removes its folder."""
        pipe = self._keeper.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                # The line reaches the keeper even if a forked process still holds the pipe open.
                pipe.write(b"\n")
                pipe.flush()
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        try:
            self._keeper.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(self._keeper.pid, signal.SIGKILL)
            self._keeper.wait()
        # The keeper removes it, unless it was killed.
        shutil.rmtree(self.folder, ignore_errors=True)
