"""Gives a wheel the version and the platform tag of the binary that it carries.

`cargo xtask package clients` writes both into `release.json`, because it reads them from the workspace and the binary.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


def _release(root: str) -> dict[str, str]:
    path = Path(root) / "release.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: build the wheel with `cargo xtask package clients`")
    release: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return release


class Version(MetadataHookInterface):
    """Sets the version."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["version"] = _release(self.root)["version"]


class Tag(BuildHookInterface[Any]):
    """Sets the tag. Any Python 3 can run the binary, but only one kind of machine can."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + _release(self.root)["platform"]


def get_metadata_hook() -> type[MetadataHookInterface]:
    return Version


def get_build_hook() -> type[BuildHookInterface[Any]]:
    return Tag
