"""Methods in Python that firmware calls, run by cocotb.

Firmware's CALLs of a name run the coroutine function that is registered under it, with the design
as first argument::

    import cocotb
    from pymb_rpc import register_callback

    async def press(dut, channel: str, button: int) -> int:
        dut.buttons.value = 1 << button
        await RisingEdge(dut.clk)
        return 0

    @cocotb.test()
    async def firmware_sees_a_button(dut):
        pressed = register_callback(press)
        await pressed()

The library polls: the first poll of a call starts the callback as a task of the running test; later
polls check if it has ended. The simulator's scheduler runs it.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Coroutine
from typing import Any

import cocotb
from cocotb.task import Task
from cocotb.triggers import Event, ReadWrite
from pymb_registry import Callback, Registry

__all__ = ["cancel", "get_dut", "poll", "register_callback", "reset", "set_dut", "tick"]

if not (2, 1) <= tuple(int(part) for part in cocotb.__version__.split(".")[:2]) < (3, 0):
    raise ImportError(f"cocotb {cocotb.__version__} is not supported; pip install 'cocotb>=2.1,<3'")

#: Always empty: no task needs a tick of the library.
tasks: tuple[()] = ()

_dut: Any = None


class _Outcome:
    """Outcome of a callback. An exception fails firmware's call, and not the test."""

    def __init__(self, result: int | None, error: Exception | None = None) -> None:
        self._result = result
        self._error = error
        self._traceback = None if error is None else error.__traceback__

    def get(self) -> Any:
        """Returns the result, or raises the exception with its original traceback."""
        if self._error is not None:
            raise self._error.with_traceback(self._traceback)
        return self._result


class _Method:
    """A registered callback, and the coroutines that wait for its end."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self._finished = Event()
        self._outcome = _Outcome(None)

    async def run(self, channel: str, *args: int) -> _Outcome:
        try:
            self._outcome = _Outcome(await self.callback(get_dut(), channel, *args))
        except CancelledError:
            raise
        except Exception as error:
            self._outcome = _Outcome(None, error)
        finished, self._finished = self._finished, Event()
        finished.set()
        return self._outcome

    async def wait(self) -> int:
        """Completes at the next end of the callback, with its result or exception."""
        await self._finished.wait()
        result: int = self._outcome.get()
        return result


def set_dut(dut: Any) -> None:
    """Sets the design that callbacks receive."""
    global _dut
    _dut = dut


def get_dut() -> Any:
    """Returns the design that callbacks receive: the one that was set, or cocotb's top level."""
    return cocotb.top if _dut is None else _dut


class _Methods(Registry[_Method, Task[_Outcome]]):
    """The registered methods, run by the simulator's scheduler."""

    def _method(self, callback: Callback) -> _Method:
        return _Method(callback)

    def _start(self, coroutine: Coroutine[Any, Any, _Outcome]) -> Task[_Outcome]:
        task = cocotb.start_soon(coroutine)
        _wake()
        return task

    def _result(self, task: Task[_Outcome]) -> int:
        if task.cancelled():
            raise RuntimeError("the call was cancelled: the test in which it began has ended")
        result: int = task.result().get()
        return result

    def _cancel(self, task: Task[_Outcome]) -> None:
        if not task.done():
            task.cancel()
            _wake()


_methods = _Methods()
callbacks = _methods.callbacks
register_callback = _methods.register_callback
poll = _methods.poll
cancel = _methods.cancel
reset = _methods.reset


def tick() -> None:
    """Does nothing: the simulator's scheduler runs the callbacks."""


def _wake() -> None:
    """Makes cocotb run its tasks before this time step ends.

    The simulator has called from outside of cocotb: a task started there would wait until another
    task's trigger fires, or forever without one. No task waits for this trigger, which only
    cocotb's internal interface allows.
    """
    ReadWrite()._register(_nothing)


def _nothing() -> None:
    pass
