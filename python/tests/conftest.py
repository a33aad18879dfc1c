"""Loads the shims from their files, anew for each test, with their folder on the search path."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

PYTHON = Path(__file__).parents[1]


def load(kind: str) -> ModuleType:
    """Loads the shim of this kind anew."""
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
def load_shim(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    def load_from_its_folder(kind: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(PYTHON / kind))
        return load(kind)

    yield load_from_its_folder
    for name in ["pymb_rpc", "pymb_registry"]:
        sys.modules.pop(name, None)
