"""Plugin for pytest: the environment of simulations that tests start with cocotb's runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vhost.library import simulation_environment

__all__ = ["vhost_environment"]


@pytest.fixture
def vhost_environment(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Returns `simulation_environment`, with a root of firmware's files for each test.

    The root is the test's `tmp_path`, unless `files` is given.
    """

    def environment(**given: str | Path) -> dict[str, str]:
        return simulation_environment(**{"files": tmp_path, **given})

    return environment
