"""The shim for cocotb, without a simulator: tasks and scheduler are cocotb's own, and no trigger
fires."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import pytest

cocotb: Any = pytest.importorskip("cocotb")

PENDING = (True, False, None)


class Simulator:
    """Runs the ready tasks, like a trigger of the simulator."""

    def __init__(self) -> None:
        self.woken = 0
        self.tasks: list[Any] = []

    def start_soon(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from cocotb.task import Task

        task: Any = Task(coroutine)
        task._start_soon()
        self.tasks.append(task)
        return task

    def wake(self) -> None:
        self.woken += 1

    def run(self) -> None:
        from cocotb import _event_loop

        _event_loop._inst.run()


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Simulator:
    simulator = Simulator()
    monkeypatch.setattr(cocotb, "start_soon", simulator.start_soon)
    monkeypatch.setattr(cocotb, "top", "the design", raising=False)
    return simulator


@pytest.fixture
def rpc(
    load_shim: Callable[[str], ModuleType], simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Any:
    shim: Any = load_shim("cocotb")
    monkeypatch.setattr(shim, "_wake", simulator.wake)
    return shim


def test_a_callback_runs_when_the_simulator_comes_to_it(rpc: Any, simulator: Simulator) -> None:
    @rpc.register_callback
    async def add(dut: str, channel: str, one: int, other: int) -> int:
        assert (dut, channel) == ("the design", "core0")
        return one + other

    assert rpc.poll("none", "core0") == (False, False, None)
    assert rpc.poll("add", "core0", 1, 2) == PENDING
    assert simulator.woken == 1, "or it would begin with somebody else's trigger"
    assert rpc.poll("add", "core0", 1, 2) == PENDING
    simulator.run()
    assert rpc.poll("add", "core0", 1, 2) == (True, True, 3)
    assert rpc.poll("add", "core0", 1, 2) == PENDING, "the next call"
    assert len(simulator.tasks) == 2


def test_the_design_may_be_another(rpc: Any, simulator: Simulator) -> None:
    seen = []

    @rpc.register_callback
    async def look(dut: object, channel: str) -> int:
        seen.append(dut)
        return 0

    assert rpc.get_dut() == "the design"
    rpc.set_dut("a part of it")
    assert rpc.get_dut() == "a part of it"
    rpc.poll("look", "core0")
    simulator.run()
    assert seen == ["a part of it"]


def test_an_exception_is_the_polls_and_not_the_tests(rpc: Any, simulator: Simulator) -> None:
    @rpc.register_callback
    async def moody(dut: object, channel: str) -> int:
        raise LookupError("on purpose")

    rpc.poll("moody", "core0")
    simulator.run()
    assert simulator.tasks[0].exception() is None, "cocotb would end the test"
    with pytest.raises(LookupError, match="on purpose"):
        rpc.poll("moody", "core0")


def test_cancel_is_for_one_channel(rpc: Any, simulator: Simulator) -> None:
    from cocotb.triggers import Event

    @rpc.register_callback
    async def forever(dut: object, channel: str) -> int:
        await Event().wait()
        return 0

    rpc.poll("forever", "core0")
    rpc.poll("forever", "core1")
    simulator.run()
    rpc.cancel("core0")
    simulator.run()
    assert [task.cancelled() for task in simulator.tasks] == [True, False]
    assert simulator.woken == 3
    assert rpc.poll("forever", "core1") == PENDING
    rpc.reset()
    simulator.run()
    assert all(task.cancelled() for task in simulator.tasks)


def test_a_call_whose_test_has_ended_fails(rpc: Any, simulator: Simulator) -> None:
    from cocotb.triggers import Event

    @rpc.register_callback
    async def forever(dut: object, channel: str) -> int:
        await Event().wait()
        return 0

    rpc.poll("forever", "core0")
    simulator.run()
    simulator.tasks[0].cancel()
    simulator.run()
    with pytest.raises(RuntimeError, match="test in which it began has ended"):
        rpc.poll("forever", "core0")
    assert rpc.poll("forever", "core0") == PENDING


def test_a_test_waits_for_firmware(rpc: Any, simulator: Simulator) -> None:
    @rpc.register_callback
    async def report(dut: object, channel: str, value: int) -> int:
        if value < 0:
            raise ValueError(value)
        return value

    seen: list[object] = []

    async def test() -> None:
        seen.append(await report())
        seen.append(await report())
        try:
            await report()
        except ValueError as error:
            seen.append(error.args[0])

    task = simulator.start_soon(test())
    simulator.run()
    for value in (4, 5, -6):
        rpc.poll("report", "core0", value)
        simulator.run()
        if value > 0:
            assert rpc.poll("report", "core0", value) == (True, True, value)
    assert seen == [4, 5, -6]
    assert task.done()


@pytest.mark.parametrize("wrong", [5, print], ids=["number", "function"])
def test_what_is_no_coroutine_function_is_refused(rpc: Any, wrong: object) -> None:
    with pytest.raises(TypeError, match="async def"):
        rpc.register_callback(wrong)


@pytest.mark.parametrize("version", ["1.9.2", "2.0.1", "3.0.0.dev0"])
def test_a_version_that_it_can_not_serve_is_refused(
    load_shim: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(cocotb, "__version__", version)
    with pytest.raises(ImportError, match=rf"cocotb {version} is not supported"):
        load_shim("cocotb")
