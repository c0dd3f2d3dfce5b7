"""A Prometheus with its blackbox exporter, configured by our example, and questions to it."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from files import Complaints, Files

START_TIMEOUT = 20.0
# What the example's targets and files become here.
INTERVAL = "1s"
PROBE = "modules:\n  http_2xx:\n    prober: http\n"


class Program:
    """A program that listens at a free port and writes the address to its log."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("w", encoding="utf-8") as log:
            command = [name, "--web.listen-address=127.0.0.1:0", *arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self) -> str:
        """Its address, once it listens."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r'"?Listening on"? address=(127\.0\.0\.1:\d+)', self.log.read_text(encoding="utf-8"))
            if found:
                return found[1]
            time.sleep(0.05)
        self.stop()
        raise Complaints(f"{self.log.stem} does not listen; its log:\n{self.log.read_text(encoding='utf-8')}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def exporter(folder: Path) -> Program:
    config = folder / "blackbox.yml"
    config.write_text(PROBE, encoding="utf-8")
    return Program(folder, "prometheus-blackbox-exporter", f"--config.file={config}")


def prometheus(files: Files, folder: Path, targets: dict[str, list[str]], token_file: str, probe: str) -> Program:
    """Starts Prometheus with the example, but other targets, intervals, file of the token and exporter."""
    config = yaml.safe_load((files.folder / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = dict.fromkeys(config["global"], INTERVAL)
    config["rule_files"] = [str(files.folder / name) for name in config["rule_files"]]
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    if set(jobs) != set(targets):
        raise Complaints(f"prometheus.yml has the jobs {sorted(jobs)}; the check knows {sorted(targets)}")
    for name, job in jobs.items():
        job["static_configs"] = [{"targets": targets[name]}]
        if "authorization" in job:
            job["authorization"]["credentials_file"] = token_file
        for step in job.get("relabel_configs", []):
            if step.get("target_label") == "__address__":
                step["replacement"] = probe
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    done = subprocess.run(["promtool", "check", "config", str(path)], capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        raise Complaints(f"promtool refuses the example as it is used here; correct it:\n{done.stdout}{done.stderr}")
    return Program(folder, "prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder / 'tsdb'}")


class Questions:
    """The HTTP API of a Prometheus."""

    def __init__(self, address: str) -> None:
        self.base = f"http://{address}/api/v1/"

    def ask(self, path: str, **fields: str) -> Any:
        """The data of an answer. Fails with the reason that Prometheus gives."""
        body = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with urllib.request.urlopen(self.base + path, body, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise Complaints(f"Prometheus answers {error.code}: {error.read().decode()}") from None

    def wait(self) -> None:
        """Waits until Prometheus answers: it listens before it has read its storage."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                self.values("vector(1)")
                return
            except Complaints:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def values(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now, without those that are not a number."""
        data = self.ask("query", query=expression)
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return [series for series in data["result"] if series["value"][1] != "NaN"]

    def until(self, expression: str, seconds: float) -> None:
        """Waits until an expression is true of something."""
        deadline = time.monotonic() + seconds
        while not self.values(expression):
            if time.monotonic() > deadline:
                raise Complaints(
                    f"{expression} was not true within {seconds:.0f} s; look at prometheus.yml and traffic.py"
                )
            time.sleep(0.2)
