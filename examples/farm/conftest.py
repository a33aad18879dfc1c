"""Tables of a regression by pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Exports the recordings at the end, once, in the process that has the workers."""
    tables = os.environ.get("TABLES")
    if tables is None or hasattr(session.config, "workerinput"):
        return
    traces = sorted(Path(os.environ.get("TRACES", "traces")).glob("*.trace"))
    command = [os.environ.get("VHOST", "vhost"), "trace", "export", "--parquet", "-o", tables]
    try:
        ended = subprocess.run([*command, *map(str, traces)], check=False)
    except OSError as error:
        print(f"\n{tables} has no recordings: {error}", file=sys.stderr)
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        return
    if ended.returncode != 0:
        # The command has printed the name of each recording that is not in the tables.
        text = f"{tables} lacks recordings: the export ended with status {ended.returncode}"
        print(f"\n{text}", file=sys.stderr)
        session.exitstatus = ended.returncode
