"""Life of the system in a process whose simulator does not call the library: its C ABI, by ctypes.

Each call releases the GIL, and callbacks in Python acquire it.
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
        self.save = host.mb_save
        self.save.argtypes = (text,)
        self.restore = host.mb_restore
        self.restore.argtypes = (text,)
        self.last_error = host.mb_last_error
        self.last_error.restype = text
        self.open = host.mb_system_open
        self.open.argtypes = (text,)
        self.open.restype = ctypes.c_void_p
        self.select = host.mb_system_select
        self.select.argtypes = (ctypes.c_void_p,)
        self.current = host.mb_system_current
        self.current.restype = ctypes.c_void_p
        self.close = host.mb_system_close
        self.close.argtypes = (ctypes.c_void_p,)
        self.exit_code = host.mb_exit_code
        self.exit_code.argtypes = (text, ctypes.POINTER(ctypes.c_uint32))


@cache
def _abi() -> _Abi:
    # With global symbols, so that the native module finds the library that was loaded here.
    return _Abi(ctypes.CDLL(str(library.find()), mode=ctypes.RTLD_GLOBAL))


def _error() -> RuntimeError:
    """Returns the last error of the library."""
    return _error_of((_abi().last_error() or b"").decode(errors="replace"))


def _error_of(text: str) -> RuntimeError:
    """Returns the library's own exception, vhost.Error, if it has support for Python."""
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
    """Serves one clock. Returns the number of channels that have not exited. Raises vhost.Error
    after a fatal error."""
    served: int = _abi().tick()
    if served < 0:
        raise _error()
    return served


def notify() -> None:
    """Doorbell: a mailbox was written, and the next tick reads it."""
    _abi().notify()


def status() -> str:
    """Returns the status of each channel, with its last requests."""
    text: bytes = _abi().status()
    return text.decode(errors="replace")


def save(file: str | os.PathLike[str]) -> None:
    """Writes a checkpoint with the state of the system. Call it between two ticks."""
    if _abi().save(os.fsencode(file)) != 0:
        raise _error()


def restore(file: str | os.PathLike[str]) -> None:
    """Restores a checkpoint of a system with the same configuration."""
    if _abi().restore(os.fsencode(file)) != 0:
        raise _error()


def shutdown() -> None:
    """Flushes printed text, drops the system and closes its sockets."""
    _abi().shutdown()


def exit_code(ch: str | None = None) -> int | None:
    """Returns the exit code of a channel, or the first one of all other than 0; None while one has
    not exited."""
    code = ctypes.c_uint32()
    exited: int = _abi().exit_code((ch or "").encode(), ctypes.byref(code))
    if exited < 0:
        raise _error()
    return code.value if exited else None


class System:
    """A further system, with its own configuration, memories, files, recording and status.

    In a ``with`` statement it is the selected system of all functions of this module.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._before: list[int | None] = []
        self._handle: int | None = _abi().open(name.encode())
        if self._handle is None:
            raise _error()

    def __enter__(self) -> System:
        before: int | None = _abi().current()
        self._select(self._handle_of())
        self._before.append(before)
        return self

    def __exit__(self, *_: object) -> None:
        self._select(self._before.pop())

    def close(self) -> None:
        """Shuts the system down, and invalidates the handle."""
        if _abi().close(self._handle_of()) != 0:
            raise _error()
        self._handle = None

    def _handle_of(self) -> int:
        # NULL would be the first system.
        if self._handle is None:
            raise _error_of(f"system {self.name!r} is closed")
        return self._handle

    @staticmethod
    def _select(handle: int | None) -> None:
        if _abi().select(handle) != 0:
            raise _error()
