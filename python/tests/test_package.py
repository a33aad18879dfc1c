"""The parts of the package `vhost` that need no library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PYTHON = Path(__file__).parents[1]


@pytest.fixture
def vhost(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PYTHON))
    monkeypatch.delenv("VHOST_LIBRARY", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "vhost"]:
        monkeypatch.delitem(sys.modules, name)
    import vhost

    return vhost


def stubs() -> set[str]:
    """Public names in the stub of the native module."""
    tree = ast.parse((PYTHON / "vhost/_vhost.pyi").read_text())
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names - {"__all__"}


def test_it_shows_what_the_library_has(vhost: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    native = ModuleType("vhost._vhost")
    for name in stubs():
        setattr(native, name, f"the library's {name}")
    monkeypatch.setitem(sys.modules, "vhost._vhost", native)
    for name in stubs():
        assert getattr(vhost, name) == f"the library's {name}"
    system = {
        "System",
        "exit_code",
        "init",
        "notify",
        "restore",
        "save",
        "shutdown",
        "status",
        "tick",
    }
    recordings = {"DifferenceError", "Replayed", "replay", "trace"}
    assert set(vhost.__all__) <= stubs() | system | recordings
    with pytest.raises(AttributeError, match="no attribute 'reed_u32'"):
        vhost.reed_u32  # noqa: B018


def test_without_a_library_it_can_be_imported_all_the_same(vhost: Any) -> None:
    with pytest.raises(ImportError, match="_vhost"):
        vhost.read_u32("core", 0)
    from vhost import library

    with pytest.raises(FileNotFoundError, match="pip"):
        library.find()


@pytest.mark.parametrize("kind", ["async", "cocotb"])
def test_shims_and_headers_are_where_it_says(vhost: Any, kind: Any) -> None:
    from vhost import library

    for module in ["pymb_rpc", "pymb_registry"]:
        assert (library.shim(kind) / f"{module}.py").is_file()
    assert (library.include() / "vhost.h").is_file()
    assert (library.include() / "mailbox.h").is_file()


def test_a_simulation_is_linked_with_the_library_and_python(vhost: Any) -> None:
    from vhost import library

    flags = library.link_flags("/somewhere/libvhost.so")
    assert flags[:3] == ["-L/somewhere", "-l:libvhost.so", "-Wl,-rpath,/somewhere"]
    assert any(flag.startswith("-l:libpython3.") for flag in flags)


def test_the_command_says_where_things_are() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "vhost", "--shim", "async"],
        cwd=PYTHON,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(said.stdout.strip(), "pymb_rpc.py").is_file()
