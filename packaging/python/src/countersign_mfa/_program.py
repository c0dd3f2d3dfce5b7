"""The program that the package carries, and the command `countersign`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent / "bin"


def path() -> Path:
    """The program of this package."""
    program = _FOLDER / "countersign"
    if not program.is_file():
        raise FileNotFoundError(f"{program} is missing: install the package from its wheel, not from its sources")
    return program


def keeper() -> Path:
    """The script under which a world runs."""
    return _FOLDER / "keeper.sh"


def main() -> None:
    """Becomes the program. No process stays in between, so signals and the exit status are the program's."""
    program = str(path())
    os.execv(program, ["countersign", *sys.argv[1:]])
