"""Life of the system in a process whose simulator calls no function of the library by itself: its C ABI, by ctypes.

The GIL is released in each call, and callbacks in Python get it.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

from vhost import library


class _Abi:
    """Functions of the C ABI."""

    def __init__(self, host: ctypes.CDLL) -> None:
        text = ctypes.c_char_p
        self.init = host.mb_init
        self.init.argtypes = (text, text, text)
        self.tick = host.mb_tick
        self.notify = host.mb_notify
        self.notify.restype = None
        self.status = host.mb_status
        self.status.restype = text
        self.shutdown = host.mb_shutdown
        self.shutdown.restype = None
        self.last_error = host.mb_last_error
        self.last_error.restype = text
        self.exit_code = host.mb_exit_code
        self.exit_code.argtypes = (text, ctypes.POINTER(ctypes.c_uint32))


@cache
def _abi() -> _Abi:
    # Its symbols are global, so that the module finds the library that was loaded here.
    return _Abi(ctypes.CDLL(str(library.find()), mode=ctypes.RTLD_GLOBAL))


def _error() -> RuntimeError:
    """The last error of the library, as its own exception where it has support for Python."""
    text = (_abi().last_error() or b"").decode(errors="replace")
    try:
        from vhost._native import native

        error: type[RuntimeError] = native().Error
    except ImportError:
        error = RuntimeError
    return error(text)


def _path(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def init(
    mem: str | os.PathLike[str] | None = None,
    mailbox: str | os.PathLike[str] | None = None,
    files: str | os.PathLike[str] | None = None,
) -> None:
    """Builds the system from memory YAML, mailbox YAML and the root of firmware's files.

    None takes the path from MEM_CFG_FILE, MAILBOX_CFG_FILE or MAILBOX_FS_ROOT.
    """
    if _abi().init(_path(mem), _path(mailbox), _path(files)) != 0:
        raise _error()


def tick() -> int:
    """One clock: the number of channels that have not exited. Raises vhost.Error after a fatal error."""
    served: int = _abi().tick()
    if served < 0:
        raise _error()
    return served


def notify() -> None:
    """Has the next tick look at the mailboxes: something was written."""
    _abi().notify()


def status() -> str:
    """What each channel waits for, and its last requests."""
    text: bytes = _abi().status()
    return text.decode(errors="replace")


def shutdown() -> None:
    """Flushes prints, drops the system and closes all sockets."""
    _abi().shutdown()


def exit_code(ch: str | None = None) -> int | None:
    """Exit code of a channel, or the first other than 0 of all; None while one has not exited."""
    code = ctypes.c_uint32()
    exited: int = _abi().exit_code((ch or "").encode(), ctypes.byref(code))
    if exited < 0:
        raise _error()
    return code.value if exited else None
