"""The plugin, as pytest runs it for a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def countersign_options():
    return {"seed": 7}
"""

TESTS = """
def test_one(mfa):
    mfa.api("POST", "/api/2/mfa/users/1/registrations", {"factor_id": "2", "display_name": "My phone"})
    assert mfa.outbox.wait("ana").code

def test_two(mfa, countersign_world):
    assert mfa is countersign_world and mfa.outbox.messages() == []
    mfa.api("DELETE", "/api/2/mfa/users/1/devices/99")
"""


def test_a_failed_test_shows_its_calls(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert "1 failed, 1 passed" in ran.stdout, ran.stdout
    assert "Countersign: calls of the API" in ran.stdout
    assert "DELETE /api/2/mfa/users/1/devices/99 -> 404: " in ran.stdout


def test_pytest_is_not_needed() -> None:
    code = "import sys, countersign_mfa; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
