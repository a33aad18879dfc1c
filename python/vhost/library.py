"""Where the library is, how a simulation is linked with it, and how it is built."""

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
    """The library: the one that this process has loaded, or that of the installed package."""
    loaded = loaded_library()
    if loaded is not None:
        return loaded
    for suffix in EXTENSION_SUFFIXES:
        library = _PACKAGE / f"_vhost{suffix}"
        if library.is_file():
            return library
    raise FileNotFoundError(
        f"{_PACKAGE} has no library: install the package with pip, or build the library with vhost.library.build"
    )


def build(checkout: str | os.PathLike[str], *features: str) -> Path:
    """Builds the library from a checkout of the project, with methods in Python, for the Python that runs this."""
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
    """What a C++ compiler is given to link a simulation with the library, and with the Python that it needs."""
    path = find() if library is None else Path(library).resolve()
    flags = [f"-L{path.parent}", f"-l:{path.name}", f"-Wl,-rpath,{path.parent}"]
    python = sysconfig.get_config_var("LDLIBRARY")
    folder = sysconfig.get_config_var("LIBDIR")
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise RuntimeError(
            f"{sys.executable} has no shared library, which a simulator could load: take a Python that was built with "
            "--enable-shared"
        )
    # Needed by the library, but by nothing that the linker sees.
    return [*flags, "-Wl,--no-as-needed", f"-L{folder}", f"-l:{python}", f"-Wl,-rpath,{folder}"]


def include() -> Path:
    """The folder of the C headers: vhost.h for testbenches, mailbox.h for firmware."""
    return _PACKAGE / "include"


def shim(kind: Kind) -> Path:
    """The folder of the module `pymb_rpc`, for PYTHONPATH."""
    return _PACKAGE / "shims" / kind
