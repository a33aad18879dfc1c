"""Finds the native part of the module `vhost`: there must be one library in a process, and so one of these."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

NAME = "vhost._vhost"


def native() -> ModuleType:
    """The module: that of the library which the process has loaded, or else that of this package."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    library = loaded_library()
    if library is None:
        return importlib.import_module(NAME)
    loader = ExtensionFileLoader(NAME, str(library))
    spec = importlib.util.spec_from_file_location(NAME, library, loader=loader)
    if spec is None:
        raise ImportError(f"{library} can't be a module", name=NAME)
    try:
        module = importlib.util.module_from_spec(spec)
    except ImportError as error:
        raise ImportError(
            f"{library}, which the simulation has loaded, was built without Python: build it with the feature `python`",
            name=NAME,
            path=str(library),
        ) from error
    sys.modules[NAME] = module
    loader.exec_module(module)
    return module


class _Place(ctypes.Structure):
    """`Dl_info` of C: where a symbol is from."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def loaded_library() -> Path | None:
    """The file of the library that the simulator has loaded."""
    process = ctypes.CDLL(None)
    try:
        function = process.mb_tick
    except AttributeError:
        return None
    place = _Place()
    found = process.dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(place))
    return Path(place.file.decode()) if found else None
