"""Registry of the methods that firmware calls, shared by both shims `pymb_rpc`.

A shim is a runner: it schedules callbacks as tasks of asyncio or of cocotb. This file is linked
into the folder of each, so that one folder on `PYTHONPATH` has both modules.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["Callback", "Method", "Registry", "Task", "Waiter"]

Callback = Callable[..., Coroutine[Any, Any, int]]
Waiter = Callable[[], Coroutine[Any, Any, int]]


class Task(Protocol):
    """A scheduled call."""

    def done(self) -> bool: ...


class Method(Protocol):
    """A registered callback, and the coroutines that wait for its end."""

    def run(self, channel: str, *args: int) -> Coroutine[Any, Any, Any]:
        """Runs the callback."""

    async def wait(self) -> int:
        """Completes at the next end of the callback, with its result or exception."""
        ...


SomeMethod = TypeVar("SomeMethod", bound=Method)
SomeTask = TypeVar("SomeTask", bound=Task)


class Registry(ABC, Generic[SomeMethod, SomeTask]):
    """The registered methods, and their unfinished calls."""

    def __init__(self) -> None:
        #: Registered methods by name. The library reads them before it polls.
        self.callbacks: dict[str, SomeMethod] = {}
        #: Unfinished calls, and calls whose result was not returned yet, by method and channel.
        self._calls: dict[tuple[str, str], SomeTask] = {}

    @abstractmethod
    def _method(self, callback: Callback) -> SomeMethod:
        """Creates the method of a callback."""

    @abstractmethod
    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> SomeTask:
        """Schedules a call."""

    @abstractmethod
    def _result(self, task: SomeTask) -> int:
        """Returns the result of a finished call, or raises its exception."""

    @abstractmethod
    def _cancel(self, task: SomeTask) -> None:
        """Cancels a call."""

    def register_callback(self, callback: Callback) -> Waiter:
        """Registers a coroutine function as the method of its name, in place of an earlier one.

        It is called with the name of the channel and firmware's arguments, under cocotb with the
        design before them, and returns an integer. The returned function's coroutine completes at
        the next end of the callback.
        """
        if not inspect.iscoroutinefunction(callback):
            raise TypeError(
                f"callback {callback!r} is not a coroutine function; define it with `async def`"
            )
        method = self._method(callback)
        self.callbacks[callback.__name__] = method
        return method.wait

    def poll(self, method: str, channel: str, *args: int) -> tuple[bool, bool, int | None]:
        """Polls a call once: absent, pending, or its result, which is returned once."""
        call = (method, channel)
        task = self._calls.get(call)
        if task is None:
            known = self.callbacks.get(method)
            if known is None:
                return False, False, None
            task = self._start(known.run(channel, *args))
            if not task.done():
                self._calls[call] = task
        elif task.done():
            del self._calls[call]
        return (True, True, self._result(task)) if task.done() else (True, False, None)

    def cancel(self, channel: str) -> None:
        """Cancels the pending calls of a channel that was reset."""
        for call in [call for call in self._calls if call[1] == channel]:
            self._cancel(self._calls.pop(call))

    def reset(self) -> None:
        """Cancels all calls, for a new system."""
        while self._calls:
            self._cancel(self._calls.popitem()[1])
