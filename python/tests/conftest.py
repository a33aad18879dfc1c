"""Loads the shims from their files, each test its own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

PYTHON = Path(__file__).parents[1]


def load(kind: str) -> ModuleType:
    """The shim of this kind, anew."""
    spec = importlib.util.spec_from_file_location("pymb_rpc", PYTHON / kind / "pymb_rpc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pymb_rpc"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["pymb_rpc"]
        raise
    return module


@pytest.fixture
def load_shim() -> Iterator[Callable[[str], ModuleType]]:
    yield load
    sys.modules.pop("pymb_rpc", None)
