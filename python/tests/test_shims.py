"""Both shims, from a plain checkout with one folder on PYTHONPATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PYTHON = Path(__file__).parents[1]

#: Names of a shim that the library uses.
USED = {"callbacks", "cancel", "poll", "reset", "tasks", "tick"}

#: Names of the shim for cocotb only.
OF_COCOTB = {"get_dut", "set_dut"}

NAMES = """
import json, pymb_rpc, pymb_registry
registry = {
    name for name in dir(pymb_rpc)
    if getattr(getattr(pymb_rpc, name), "__func__", None) in vars(pymb_registry.Registry).values()
}
print(json.dumps([sorted(pymb_rpc.__all__), sorted(vars(pymb_rpc)), sorted(registry)]))
"""


def names(kind: str) -> list[set[str]]:
    """Returns exported names, all names, and names from the registry."""
    if kind == "cocotb":
        pytest.importorskip("cocotb")
    said = subprocess.run(
        [sys.executable, "-c", NAMES],
        env=os.environ | {"PYTHONPATH": str(PYTHON / kind)},
        check=True,
        capture_output=True,
        text=True,
    )
    return [set(part) for part in json.loads(said.stdout)]


@pytest.mark.parametrize("kind", ["async", "cocotb"])
def test_a_shim_has_what_the_library_uses(kind: str) -> None:
    exported, defined, of_registry = names(kind)
    assert exported | USED <= defined
    assert of_registry == {"cancel", "poll", "register_callback", "reset"}


def test_both_export_one_set_of_names() -> None:
    assert names("cocotb")[0] - names("async")[0] == OF_COCOTB
    assert names("async")[0] - names("cocotb")[0] == set()


@pytest.mark.parametrize("kind", ["async", "cocotb"])
def test_a_shim_is_loaded_anew_with_a_registry_of_its_own(
    kind: str, load_shim: Callable[[str], ModuleType]
) -> None:
    if kind == "cocotb":
        pytest.importorskip("cocotb")
    one: Any = load_shim(kind)
    other: Any = load_shim(kind)

    @one.register_callback
    async def answer(channel: str) -> int:
        return 1

    assert list(one.callbacks) == ["answer"]
    assert other.callbacks == {}
