"""The regression by pytest: ``pytest -n 4 examples/farm/test_runs.py``, with pytest-xdist.

TRACES is the folder of the recordings, LIMIT the number of runs. If TABLES is set, the command
VHOST exports the recordings to it at the end.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TRACES = Path(os.environ.get("TRACES", "traces"))


def plan() -> list[list[str]]:
    """Seed and revision of each run."""
    listed = subprocess.run([HERE / "plan.sh"], capture_output=True, text=True, check=True)
    runs = [line.split() for line in listed.stdout.splitlines()]
    return runs[: int(os.environ.get("LIMIT", len(runs)))]


@pytest.mark.parametrize(("seed", "revision"), plan())
def test_run(seed: str, revision: str) -> None:
    subprocess.run([HERE / "run.sh", TRACES, seed, revision], check=True)
