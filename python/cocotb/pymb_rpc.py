"""Methods in Python that firmware calls, run by cocotb.

A coroutine function that is registered answers firmware's CALLs of its name; it is given the design, too::

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

The library polls: the first poll of a call starts the callback as a task of the running test, later ones ask whether it is
over. The simulator's scheduler runs it.
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

#: Nothing waits for a tick of the library's.
tasks: tuple[()] = ()

_dut: Any = None


class _Outcome:
    """Outcome of a callback. An exception fails the call, which firmware is told, and not the test."""

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
    """A registered callback, and the waiters for its end."""

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
        """Completes at the next end of the callback, with its result or its exception."""
        await self._finished.wait()
        result: int = self._outcome.get()
        return result


def set_dut(dut: Any) -> None:
    """Sets the design that callbacks get."""
    global _dut
    _dut = dut


def get_dut() -> Any:
    """Design that callbacks get: the one that was set, or cocotb's top level."""
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
    """Has cocotb look at its tasks before this time step ends.

    The simulator called from outside of cocotb; what was started there would begin with whatever another task waits for, and
    for ever with nothing. The trigger is awaited by nobody, which only its inner interface offers.
    """
    ReadWrite()._register(_nothing)


def _nothing() -> None:
    pass
