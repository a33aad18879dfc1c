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

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from typing import Any

import cocotb
from cocotb.task import Task
from cocotb.triggers import Event, ReadWrite

__all__ = ["cancel", "get_dut", "poll", "register_callback", "reset", "set_dut", "tick"]

if not (2, 1) <= tuple(int(part) for part in cocotb.__version__.split(".")[:2]) < (3, 0):
    raise ImportError(f"cocotb {cocotb.__version__} is not supported; pip install 'cocotb>=2.1,<3'")

Callback = Callable[..., Coroutine[Any, Any, int]]
Waiter = Callable[[], Coroutine[Any, Any, int]]

#: The registered methods, by name. The library looks here before it polls.
callbacks: dict[str, _Method] = {}

#: Nothing waits for a tick of the library's.
tasks: tuple[()] = ()

#: Calls that are not over, or whose result was not given yet, by method and channel.
_calls: dict[tuple[str, str], Task[_Outcome]] = {}

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


def register_callback(callback: Callback) -> Waiter:
    """Registers a coroutine function as the method of its name; one that was there before is replaced.

    It is called with the design, the name of the channel and firmware's arguments, and gives an integer. What is returned is
    a function whose coroutine completes when the callback has next finished.
    """
    if not inspect.iscoroutinefunction(callback):
        raise TypeError(
            f"callback {callback!r} is not a coroutine function; define it with `async def`"
        )
    method = _Method(callback)
    callbacks[callback.__name__] = method
    return method.wait


def poll(method: str, channel: str, *args: int) -> tuple[bool, bool, int | None]:
    """Polls a call once: absent, pending, or its result, which is returned once."""
    call = (method, channel)
    task = _calls.get(call)
    if task is None:
        known = callbacks.get(method)
        if known is None:
            return False, False, None
        _calls[call] = cocotb.start_soon(known.run(channel, *args))
        _wake()
        return True, False, None
    if not task.done():
        return True, False, None
    del _calls[call]
    if task.cancelled():
        raise RuntimeError("the call was cancelled: the test in which it began has ended")
    return True, True, task.result().get()


def tick() -> None:
    """Does nothing: the simulator's scheduler runs the callbacks."""


def cancel(channel: str) -> None:
    """Cancels the pending calls of a channel that was reset."""
    for call in [call for call in _calls if call[1] == channel]:
        _cancel(_calls.pop(call))


def reset() -> None:
    """Cancels all calls, for a new system."""
    while _calls:
        _cancel(_calls.popitem()[1])


def _cancel(task: Task[_Outcome]) -> None:
    if not task.done():
        task.cancel()
        _wake()


def _wake() -> None:
    """Has cocotb look at its tasks before this time step ends.

    The simulator called from outside of cocotb; what was started there would begin with whatever another task waits for, and
    for ever with nothing. The trigger is awaited by nobody, which only its inner interface offers.
    """
    ReadWrite()._register(_nothing)


def _nothing() -> None:
    pass
