"""Methods in Python that firmware calls, run by asyncio.

Firmware's CALLs of a name run the coroutine function that is registered under it::

    from pymb_rpc import register_callback

    @register_callback
    async def add(channel: str, one: int, other: int) -> int:
        return one + other

The library polls: the first poll of a call starts the callback as a task, which runs up to its
first wait; later polls check if it has ended. The event loop runs one turn on each tick of the
simulation while there are tasks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from pymb_registry import Callback, Registry

__all__ = ["cancel", "poll", "register_callback", "reset", "tick"]

#: Tasks that the event loop must run. The library reads it to decide if a tick needs a turn.
tasks: set[asyncio.Task[Any]] = set()


class _Method:
    """A registered callback, and the coroutines that wait for its end."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self._waiting: list[asyncio.Future[int]] = []

    async def run(self, channel: str, *args: int) -> int:
        try:
            result = await self.callback(channel, *args)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            for future in self._finished():
                future.set_exception(error)
            raise
        for future in self._finished():
            future.set_result(result)
        return result

    async def wait(self) -> int:
        """Completes at the next end of the callback, with its result or exception."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return await future

    def _finished(self) -> list[asyncio.Future[int]]:
        if not self._waiting:
            return []
        waiting, self._waiting = self._waiting, []
        return [future for future in waiting if not future.done()]


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that runs one iteration per call, and can run the first step of a task at once."""

    def __init__(self) -> None:
        super().__init__()
        self._starting = False
        self._step: Callable[[], object] | None = None

    def start(self, coroutine: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
        """Runs a coroutine as a task up to its first wait.

        Inside another task, for example if its memory access lets another channel continue, the
        task begins in the next turn.
        """
        if asyncio.current_task(self) is not None:
            return self._kept(asyncio.Task(coroutine, loop=self))
        self._starting = True
        try:
            task = asyncio.Task(coroutine, loop=self)
        finally:
            self._starting = False
        step, self._step = self._step, None
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            if step is not None:
                step()
        finally:
            asyncio._set_running_loop(before)
        return task if task.done() else self._kept(task)

    def turn(self) -> None:
        """Runs one turn: all ready callbacks."""
        self.stop()
        self.run_forever()

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        return self._kept(super().create_task(coro, **options))

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle | None:
        if self._starting and context is not None:
            # The first step of the task that `start` creates.
            self._starting = False
            self._step = lambda: context.run(callback, *args)
            return None
        return super().call_soon(callback, *args, context=context)

    @staticmethod
    def _kept(task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task


_loop = _Loop()


def _forked() -> None:
    """Replaces the executor in a forked child, whose threads stay with the parent."""
    if getattr(_loop, "_default_executor", None) is not None:
        from concurrent.futures import ThreadPoolExecutor

        _loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


os.register_at_fork(after_in_child=_forked)


class _Methods(Registry[_Method, asyncio.Task[int]]):
    """The registered methods, run by the event loop."""

    def _method(self, callback: Callback) -> _Method:
        return _Method(callback)

    def _start(self, coroutine: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
        return _loop.start(coroutine)

    def _result(self, task: asyncio.Task[int]) -> int:
        return task.result()

    def _cancel(self, task: asyncio.Task[int]) -> None:
        task.cancel()


_methods = _Methods()
callbacks = _methods.callbacks
register_callback = _methods.register_callback
poll = _methods.poll
cancel = _methods.cancel
reset = _methods.reset


def tick() -> None:
    """Runs one turn of the event loop."""
    _loop.turn()
