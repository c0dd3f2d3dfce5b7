"""A tool as a process with a separate home folder."""

import configparser
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from driver.harness import equal, true
from driver.network import NameOverride

from .fixtures import ROLE

REGION = "us-west-2"
PATIENCE = 120


class Run:
    def __init__(self, home, status, output):
        self.home = home
        self.status = status
        self.output = output

    def says(self, words):
        true(words in self.output, f"it does not say {words!r}: {self.output[-600:]}")

    def keys(self, file, profile):
        read = configparser.ConfigParser()
        read.read(self.home / file)
        true(profile in read, f"no profile {profile} in {file}: {self.output[-600:]}")
        return dict(read[profile])


class Tool:
    def __init__(self, ready, aws, port):
        self.ready = ready
        self.aws = aws
        self.names = NameOverride({".onelogin.com": port, ".amazonaws.com": aws.port})
        # Removed with its content when the driver ends.
        self.homes = tempfile.TemporaryDirectory(prefix="aws-tools-")

    def start(self, name, *arguments, files=None):
        """Starts it. Returns the process and its home folder."""
        home = Path(tempfile.mkdtemp(dir=self.homes.name))
        for path, text in (files or {}).items():
            (home / path).write_text(text)
        environment = {
            **os.environ,
            **self.names.environment(),
            "HOME": str(home),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
        }
        process = subprocess.Popen(
            [str(Path(sys.prefix) / "bin" / name), *arguments],
            env=environment,
            cwd=home,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Without a terminal a password is read from standard input.
            start_new_session=True,
        )
        return process, home

    def finish(self, process, home, typed=""):
        try:
            output, _ = process.communicate(typed, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"still running after {PATIENCE} s: {output[-600:]}") from None
        equal("names asked for elsewhere", self.names.refused, [])
        return Run(home, process.returncode, output)

    def run(self, name, *arguments, typed="", files=None):
        return self.finish(*self.start(name, *arguments, files=files), typed)

    def holds(self, keys, who, seconds=3600):
        """Checks that the keys of a profile are the last ones that the stub of AWS issued, for this person and role."""
        grant = self.aws.granted[-1]
        for name, member in (
            ("aws_access_key_id", "access_key"),
            ("aws_secret_access_key", "secret_key"),
            ("aws_session_token", "token"),
        ):
            equal(name, keys[name], grant[member])
        equal("role", grant["role"], ROLE)
        true(who in grant["session"], f"the session is {grant['session']!r}, want {who}'s")
        equal("seconds", grant["seconds"], seconds)
