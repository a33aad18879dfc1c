"""Path, link flags and build of the library."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Literal

from vhost._native import loaded_library

_PACKAGE = Path(__file__).parent

Kind = Literal["async", "cocotb"]


def find() -> Path:
    """Returns the path of the library that this process has loaded, of VHOST_LIBRARY, or of the
    installed package."""
    loaded = loaded_library()
    if loaded is not None:
        return loaded
    named = os.environ.get("VHOST_LIBRARY")
    if named:
        return Path(named)
    for suffix in EXTENSION_SUFFIXES:
        library = _PACKAGE / f"_vhost{suffix}"
        if library.is_file():
            return library
    raise FileNotFoundError(
        f"no library in {_PACKAGE}; install the package with pip, or build the library with vhost.library.build"
    )


def build(checkout: str | os.PathLike[str], *features: str) -> Path:
    """Builds the library from a checkout of the project, with the feature `python`, for the running interpreter."""
    chosen = ",".join(("python", *features))
    subprocess.run(
        ["cargo", "build", "--release", "--package", "vhost", "--lib", "--features", chosen],
        cwd=checkout,
        env={**os.environ, "PYO3_PYTHON": sys.executable},
        check=True,
    )
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    return Path(checkout, target, "release", "libvhost.so").resolve()


def link_flags(library: str | os.PathLike[str] | None = None) -> list[str]:
    """Returns flags for a C++ compiler that links a simulation with the library and its Python."""
    path = find() if library is None else Path(library).resolve()
    flags = [f"-L{path.parent}", f"-l:{path.name}", f"-Wl,-rpath,{path.parent}"]
    python = sysconfig.get_config_var("LDLIBRARY")
    folder = sysconfig.get_config_var("LIBDIR")
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise RuntimeError(
            f"{sys.executable} has no shared library for a simulator to load; use a Python that was built with "
            "--enable-shared"
        )
    # The library needs it, and no object that the linker sees.
    return [*flags, "-Wl,--no-as-needed", f"-L{folder}", f"-l:{python}", f"-Wl,-rpath,{folder}"]


def simulation_environment(
    *,
    mem: str | os.PathLike[str] | None = None,
    mailbox: str | os.PathLike[str] | None = None,
    files: str | os.PathLike[str] | None = None,
    **variables: str | os.PathLike[str],
) -> dict[str, str]:
    """Returns the environment of a simulation that cocotb's runner starts.

    Used as `runner.test(..., extra_env=simulation_environment(...))`.

    The environment has the library, the files of the configuration, and `variables`, which the
    configuration may name. The runner itself passes on the search path of modules.
    """
    environment = {"VHOST_LIBRARY": str(find())}
    configuration = {"MEM_CFG_FILE": mem, "MAILBOX_CFG_FILE": mailbox, "MAILBOX_FS_ROOT": files}
    given = {name: path for name, path in configuration.items() if path is not None}
    return environment | {name: os.fspath(path) for name, path in (given | variables).items()}


def include() -> Path:
    """Returns the folder of the C headers: vhost.h for testbenches, mailbox.h for firmware."""
    return _PACKAGE / "include"


def shim(kind: Kind) -> Path:
    """Returns the folder of the module `pymb_rpc`, for PYTHONPATH."""
    return _PACKAGE / "shims" / kind
