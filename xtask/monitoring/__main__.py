"""Checks the alert rules and the dashboard of `packaging/monitoring`. Started by `cargo xtask monitoring`.

    monitoring laws ROOT          what can be said without a server, and whether the tests notice changed rules
    monitoring live WORLD_FILE    every expression, against a Prometheus that reads running servers

It needs PyYAML and promql-parser, promtool, and for `live` also prometheus and prometheus-blackbox-exporter.
"""

from __future__ import annotations

import sys
from pathlib import Path

import laws
import mutations
from files import Complaints, Files


def main(command: str, argument: str) -> None:
    if command == "laws":
        files = Files(Path(argument))
        complaints = laws.all_complaints(files) or mutations.all_complaints(files)
        if complaints:
            raise Complaints("\n".join(complaints))
        print(f"{len(files.alerts)} alerts and {len(files.queries())} queries keep the laws; tests notice changes")
    else:
        import live

        live.run(Path(argument))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Complaints as complaints:
        sys.exit(f"monitoring: {complaints}")
