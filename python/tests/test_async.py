"""The shim for asyncio."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

PENDING = (True, False, None)


@pytest.fixture
def rpc(load_shim: Callable[[str], ModuleType]) -> Iterator[Any]:
    shim: Any = load_shim("async")
    yield shim
    shim.reset()
    while shim.tasks:
        shim.tick()
    shim._loop.close()


def test_what_is_not_registered_does_not_exist(rpc: Any) -> None:
    assert rpc.poll("nobody", "core0", 1) == (False, False, None)
    assert rpc.callbacks == {}


def test_what_waits_for_nothing_has_finished_in_the_first_poll(rpc: Any) -> None:
    @rpc.register_callback
    async def add(channel: str, one: int, other: int) -> int:
        assert channel == "core0"
        return one + other

    assert rpc.poll("add", "core0", 1, 2) == (True, True, 3)
    assert rpc.poll("add", "core0", 3, 4) == (True, True, 7), "each call is a new one"
    assert not rpc.tasks


def test_a_result_is_given_once(rpc: Any) -> None:
    calls = []

    @rpc.register_callback
    async def slow(channel: str, turns: int) -> int:
        calls.append(channel)
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    for _ in range(3):
        assert rpc.poll("slow", "core0", 3) == PENDING
        assert rpc.tasks
        rpc.tick()
    assert rpc.poll("slow", "core0", 3) == (True, True, 3)
    assert calls == ["core0"]
    assert rpc.poll("slow", "core0", 1) == PENDING
    assert calls == ["core0", "core0"]


def test_no_turn_is_needed_once_nothing_is_left_to_do(rpc: Any) -> None:
    @rpc.register_callback
    async def slow(channel: str) -> int:
        await asyncio.sleep(0)
        return 0

    rpc.poll("slow", "core0")
    rpc.tick()
    rpc.tick()
    assert not rpc.tasks
    assert rpc.poll("slow", "core0") == (True, True, 0)


def test_tasks_that_a_callback_leaves_running_go_on(rpc: Any) -> None:
    steps: list[int] = []
    left: list[object] = []

    async def walk() -> None:
        for step in range(3):
            await asyncio.sleep(0)
            steps.append(step)

    async def leave(channel: str) -> int:
        left.append(asyncio.get_event_loop().create_task(walk()))
        left.append(asyncio.ensure_future(walk()))
        return 1

    rpc.register_callback(leave)
    assert rpc.poll("leave", "core0") == (True, True, 1)
    for _ in range(6):
        rpc.tick()
    assert steps == [0, 0, 1, 1, 2, 2]
    assert not rpc.tasks


def test_the_first_step_is_one_of_a_task(rpc: Any) -> None:
    @rpc.register_callback
    async def deep(channel: str) -> int:
        task = asyncio.current_task()
        assert task is not None
        assert asyncio.get_running_loop() is task.get_loop()
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            one = group.create_task(asyncio.sleep(0, 1))
            other = group.create_task(asyncio.sleep(0, 2))
        return one.result() + other.result()

    answers = []
    while not answers or answers[-1] == PENDING:
        answers.append(rpc.poll("deep", "core0"))
        rpc.tick()
        assert len(answers) < 10
    assert answers[-1] == (True, True, 3)
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_an_exception_is_the_polls(rpc: Any) -> None:
    @rpc.register_callback
    async def moody(channel: str, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        rpc.poll("moody", "core0", 0)
    assert rpc.poll("moody", "core0", 1) == PENDING
    rpc.tick()
    with pytest.raises(LookupError):
        rpc.poll("moody", "core0", 1)
    assert rpc.poll("moody", "core0", 1) == PENDING, "and it is over"


def test_arguments_that_do_not_fit_leave_nothing_behind(rpc: Any) -> None:
    @rpc.register_callback
    async def none(channel: str) -> int:
        return 0

    with pytest.raises(TypeError):
        rpc.poll("none", "core0", 1)
    assert not rpc.tasks
    assert rpc.poll("none", "core0") == (True, True, 0)


def test_channels_and_methods_have_calls_of_their_own(rpc: Any) -> None:
    @rpc.register_callback
    async def one(channel: str, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    @rpc.register_callback
    async def other(channel: str, turns: int) -> int:
        await asyncio.sleep(0)
        return -turns

    calls = [("one", "core0", 2), ("one", "core1", 1), ("other", "core0", 5)]
    assert [rpc.poll(*call) for call in calls] == [PENDING] * 3
    rpc.tick()
    assert [rpc.poll(*call) for call in calls] == [PENDING, (True, True, 1), (True, True, -5)]
    rpc.tick()
    assert rpc.poll(*calls[0]) == (True, True, 2)


def test_a_call_inside_of_a_step_begins_with_the_next_turn(rpc: Any) -> None:
    answers = []

    @rpc.register_callback
    async def inner(channel: str) -> int:
        return 5

    @rpc.register_callback
    async def outer(channel: str) -> int:
        answers.append(rpc.poll("inner", "core1"))
        await asyncio.sleep(0)
        answers.append(rpc.poll("inner", "core1"))
        return 6

    assert rpc.poll("outer", "core0") == PENDING
    rpc.tick()
    rpc.tick()
    assert rpc.poll("outer", "core0") == (True, True, 6)
    assert answers[0] == PENDING
    assert (True, True, 5) in (answers[1], rpc.poll("inner", "core1"))


def test_cancel_is_for_one_channel(rpc: Any) -> None:
    cancelled = []

    @rpc.register_callback
    async def forever(channel: str) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(channel)
            raise
        return 0

    rpc.poll("forever", "core0")
    rpc.poll("forever", "core1")
    rpc.cancel("core0")
    rpc.cancel("core2")
    rpc.tick()
    assert cancelled == ["core0"]
    assert rpc.poll("forever", "core1") == PENDING
    assert rpc.poll("forever", "core0") == PENDING, "it begins anew"
    rpc.reset()
    rpc.tick()
    assert sorted(cancelled) == ["core0", "core0", "core1"]
    rpc.tick()
    assert not rpc.tasks


def test_a_waiter_has_the_next_result(rpc: Any) -> None:
    async def report(channel: str, value: int) -> int:
        if value < 0:
            raise ValueError(value)
        return value

    reported = rpc.register_callback(report)
    seen: list[object] = []

    @rpc.register_callback
    async def begin(channel: str) -> int:
        for _ in range(2):
            seen.append(await reported())
        try:
            await reported()
        except ValueError as error:
            seen.append(error.args[0])
        return 0

    rpc.poll("report", "core0", 1)
    rpc.poll("begin", "core1")
    for value in (2, 3):
        assert rpc.poll("report", "core0", value) == (True, True, value)
        rpc.tick()
    with pytest.raises(ValueError, match="-4"):
        rpc.poll("report", "core0", -4)
    rpc.tick()
    assert seen == [2, 3, -4]
    assert rpc.poll("begin", "core1") == (True, True, 0)


def test_a_waiter_does_not_wait_for_what_has_exited(rpc: Any) -> None:
    async def leave(channel: str) -> int:
        raise SystemExit(3)

    left = rpc.register_callback(leave)

    @rpc.register_callback
    async def begin(channel: str) -> int:
        try:
            return int(await left())
        except SystemExit as error:
            return 10 + int(error.code or 0)

    assert rpc.poll("begin", "core1") == PENDING
    with pytest.raises(SystemExit):
        rpc.poll("leave", "core0")
    rpc.tick()
    assert rpc.poll("begin", "core1") == (True, True, 13)


def test_a_waiter_that_gave_up_is_not_told(rpc: Any) -> None:
    async def report(channel: str) -> int:
        return 1

    reported = rpc.register_callback(report)

    @rpc.register_callback
    async def impatient(channel: str) -> int:
        waiting = asyncio.ensure_future(reported())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        return 2

    rpc.poll("impatient", "core0")
    for _ in range(4):
        rpc.tick()
    assert rpc.poll("report", "core1") == (True, True, 1)
    assert rpc.poll("impatient", "core0") == (True, True, 2)


@pytest.mark.parametrize(
    "wrong", [5, print, lambda channel: 1], ids=["number", "function", "lambda"]
)
def test_what_is_no_coroutine_function_is_refused(rpc: Any, wrong: object) -> None:
    with pytest.raises(TypeError, match="async def"):
        rpc.register_callback(wrong)
    assert rpc.callbacks == {}


def test_a_method_may_be_a_bound_one(rpc: Any) -> None:
    class Model:
        async def count(self, channel: str) -> int:
            self.calls = getattr(self, "calls", 0) + 1
            return self.calls

    rpc.register_callback(Model().count)
    assert [rpc.poll("count", "core0")[2] for _ in range(3)] == [1, 2, 3]


def test_a_later_one_of_the_same_name_takes_over(rpc: Any) -> None:
    async def version(channel: str) -> int:
        await asyncio.sleep(0)
        return 1

    rpc.register_callback(version)
    rpc.poll("version", "core0")

    async def newer(channel: str) -> int:
        return 2

    newer.__name__ = "version"
    rpc.register_callback(newer)
    rpc.tick()
    assert rpc.poll("version", "core0") == (True, True, 1)
    assert rpc.poll("version", "core0") == (True, True, 2)


def test_calls_leave_nothing_behind(rpc: Any) -> None:
    @rpc.register_callback
    async def quick(channel: str, value: int) -> int:
        return value

    @rpc.register_callback
    async def slow(channel: str, value: int) -> int:
        await asyncio.sleep(0)
        return value

    def some_calls() -> None:
        for value in range(1000):
            rpc.poll("quick", "core0", value)
            rpc.poll("slow", "core0", value)
            rpc.tick()
            rpc.poll("slow", "core0", value)
            rpc.poll(f"nobody{value}", "core0")
        gc.collect()

    some_calls()
    tracemalloc.start()
    try:
        some_calls()
        before, _ = tracemalloc.get_traced_memory()
        some_calls()
        some_calls()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2000, "bytes, of 6000 calls"
