"""The host as a task of a cocotb test, for a design without HDL of the library::

    from vhost.cocotb import Host

    @cocotb.test()
    async def firmware_passes(dut):
        Clock(dut.clk, 10, "ns").start()
        assert await Host(dut.clk, mem="mem.yaml", mailbox="mailbox.yaml", files="work") == 0

The host accesses memories by VPI, the default backend here. `register_callback` is that of the shim
`pymb_rpc`: a method in Python, for a library with support for Python.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import cocotb
from cocotb.task import Task
from cocotb.triggers import RisingEdge

from vhost import _system, library
from vhost._native import native

__all__ = ["Host", "register_callback"]

_Path = str | os.PathLike[str] | None
_Callback = Callable[..., Coroutine[Any, Any, int]]
_Waiter = Callable[[], Coroutine[Any, Any, int]]


def register_callback(callback: _Callback) -> _Waiter:
    """Registers a coroutine function as the method of its name.

    It receives the design, the name of the channel and firmware's arguments. The returned
    function's coroutine completes at the next end of the callback. Raises ImportError if the
    library has no support for Python, as it would call none.
    """
    native()
    if importlib.util.find_spec("pymb_rpc") is None:
        sys.path.append(str(library.shim("cocotb").resolve()))
    waiter: _Waiter = importlib.import_module("pymb_rpc").register_callback(callback)
    return waiter


class Host:
    """Host of firmware, from its construction until all channels have exited.

    When awaited, it returns firmware's exit code: 0, or the first other code of a channel. It
    raises vhost.Error if the system can't be built, or has failed.
    """

    def __init__(
        self,
        clock: Any,
        *,
        mem: _Path = None,
        mailbox: _Path = None,
        files: _Path = None,
        reset: Any = None,
        period: int = 1,
    ) -> None:
        """Builds the system, and ticks it at rising edges of `clock` from now on.

        `mem`, `mailbox` and `files` are the memory YAML, the mailbox YAML and the root of
        firmware's files; None takes a path from the environment. A tick comes every `period`
        clocks, and at the next clock after `notify`; none comes while `reset` is 1.
        """
        if period < 1:
            raise ValueError(f"period is {period}; give 1 or more clocks from one tick to the next")
        self._clock = clock
        self._reset = reset
        self._period = period
        self._notified = False
        _system.init(mem, mailbox, files)
        self._task: Task[int] = cocotb.start_soon(self._serve())

    def notify(self) -> None:
        """Doorbell: a mailbox was written, and the next clock has a tick, whatever the period."""
        self._notified = True

    def status(self) -> str:
        """Returns the status of each channel, with its last requests."""
        return _system.status()

    def stop(self) -> None:
        """Ends service before all channels have exited."""
        self._task.cancel()

    def __await__(self) -> Generator[Any, None, int]:
        return self._task.__await__()

    async def _serve(self) -> int:
        edge = RisingEdge(self._clock)
        clocks = 0
        try:
            while True:
                await edge
                # Unknown bits are no reset.
                if self._reset is not None and str(self._reset.value) == "1":
                    continue
                clocks += 1
                if clocks < self._period and not self._notified:
                    continue
                clocks = 0
                if self._notified:
                    self._notified = False
                    _system.notify()
                if _system.tick() == 0:
                    return _system.exit_code() or 0
        finally:
            _system.shutdown()
