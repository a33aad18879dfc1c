"""Import of the native part of the module `vhost`. A process has one library, and therefore one
native part."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
import threading
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

NAME = "vhost._vhost"
RECORDINGS = "vhost._recordings"


def native() -> ModuleType:
    """Returns the native module of the loaded library or of VHOST_LIBRARY, else of this package's
    library."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    library = loaded_library()
    named = os.environ.get("VHOST_LIBRARY")
    if library is not None:
        return _module_of(NAME, library, "the loaded library")
    if named:
        return _module_of(NAME, Path(named), "the library of VHOST_LIBRARY,")
    return importlib.import_module(NAME)


# One thread creates a module while others wait for it.
_MAKING = threading.Lock()


def _module_of(name: str, library: Path, what: str) -> ModuleType:
    """Creates the native module of this name in the library's file."""
    with _MAKING:
        return _MADE.get(name) or _made(name, library, what)


# Complete modules; those of `sys.modules` may be incomplete.
_MADE: dict[str, ModuleType] = {}


def _made(name: str, library: Path, what: str) -> ModuleType:
    loader = ExtensionFileLoader(name, str(library))
    spec = importlib.util.spec_from_file_location(name, library, loader=loader)
    if spec is None:
        raise ImportError(
            f"{library} can't be imported as a Python module; rebuild the library", name=name
        )
    try:
        module = importlib.util.module_from_spec(spec)
    except ImportError as error:
        # Other errors, such as a library that can't be loaded, have causes of their own.
        if "PyInit_" not in str(error):
            raise
        raise ImportError(
            f"{what} {library} has no Python support; build it with the feature `python`",
            name=name,
            path=str(library),
        ) from None
    loader.exec_module(module)
    _MADE[name] = sys.modules[name] = module
    return module


def recordings() -> ModuleType:
    """Returns the native module for recordings, which is in the same file."""
    if RECORDINGS in sys.modules:
        return sys.modules[RECORDINGS]
    # At the first use, since that module imports this one.
    from vhost.library import find

    return _module_of(RECORDINGS, find(), "the library")


class _Place(ctypes.Structure):
    """`Dl_info` of C: origin of a symbol."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def loaded_library() -> Path | None:
    """Returns the file of the library that the simulator has loaded; None if there is none."""
    process = ctypes.CDLL(None)
    try:
        function = process.mb_tick
    except AttributeError:
        return None
    place = _Place()
    found = process.dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(place))
    return Path(place.file.decode()) if found else None
