"""Host of firmware in a simulated chip, for users in Python.

The backdoor (``read_u32``, ``write_bytes``, ...) is that of the library which the simulation has
loaded, or else of this package's library. The library is searched for at the first use, so that
this module can be imported at any time.

``init``, ``tick`` and the like are for a process whose simulator does not call the library;
``vhost.cocotb`` runs them as a task of a test. ``System`` is a handle for several systems in one
process.

``vhost.trace`` reads recordings, and ``replay`` replays one; both work without a simulator.

``vhost.library`` and ``python -m vhost`` find and build the library.
"""

from __future__ import annotations

from typing import Any

from vhost import trace
from vhost._native import native, recordings
from vhost._replay import Replayed, replay
from vhost._system import System, exit_code, init, notify, restore, save, shutdown, status, tick

__all__ = [
    "DifferenceError",
    "Error",
    "Replayed",
    "System",
    "exit_code",
    "get_space",
    "init",
    "notify",
    "read_bytes",
    "read_into",
    "read_string",
    "read_u8",
    "read_u16",
    "read_u32",
    "read_u64",
    "replace_traps",
    "replay",
    "restore",
    "save",
    "semihost",
    "shutdown",
    "status",
    "symbol",
    "tick",
    "trace",
    "write_bytes",
    "write_string",
    "write_u8",
    "write_u16",
    "write_u32",
    "write_u64",
]


def __getattr__(name: str) -> Any:
    if name == "DifferenceError":
        return recordings().DifferenceError
    if name in __all__ or name == "__version__" or name.startswith("py_mb_"):
        return getattr(native(), name)
    raise AttributeError(f"module 'vhost' has no attribute {name!r}")
