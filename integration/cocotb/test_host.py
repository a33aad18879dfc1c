"""Selftest of firmware on a chip without HDL of the library: the host is a task of the test, with
methods in Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import vhost
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from vhost.cocotb import Host, register_callback

HERE = Path(__file__).parent
#: Memories of the simulator: arrays by VPI, or GHDL's in vhost_ghdl.so.
MEMORIES = HERE / os.environ.get("MEMORIES", "host.mem.yaml")
MAILBOXES = HERE / "mailbox.yaml"


async def add(dut: Any, channel: str, *numbers: int) -> int:
    """Returns the sum of all arguments."""
    return sum(numbers)


async def wait(dut: Any, channel: str, clocks: int) -> int:
    """Returns after this number of clocks."""
    for _ in range(clocks):
        await RisingEdge(dut.clk)
    return clocks


async def greet(dut: Any, channel: str, address: int) -> int:
    """Converts a string in firmware's memory to capitals, and returns its length."""
    space = vhost.get_space(channel)
    name = vhost.read_string(space, address)
    vhost.write_string(space, address, name.upper())
    return len(name)


async def start(dut: Any) -> None:
    """Starts the clock, and holds the core in reset for some clocks."""
    Clock(dut.clk, 10, "ns").start()
    dut.resetn.value = 0
    for _ in range(8):
        await RisingEdge(dut.clk)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def firmware_passes_its_selftest(dut: Any) -> None:
    for method in (add, wait, greet):
        register_callback(method)
    await start(dut)
    # The recording is that of this system; the other tests have none.
    host = Host(dut.clk, mem=MEMORIES, mailbox=MAILBOXES)
    assert "waits for firmware's handshake" in host.status()
    assert vhost.exit_code() is None
    dut.resetn.value = 1
    assert await host == 0
    assert vhost.status() == "not initialised"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_host_that_is_stopped_leaves_room_for_another(dut: Any) -> None:
    os.environ.pop("VHOST_TRACE", None)
    await start(dut)
    host = Host(dut.clk, mem=MEMORIES, mailbox=MAILBOXES, period=4)
    try:
        Host(dut.clk, mem=MEMORIES, mailbox=MAILBOXES)
        raise AssertionError("there can be one system")
    except vhost.Error as error:
        assert "mb_shutdown" in str(error)
    dut.resetn.value = 1
    for _ in range(2000):
        await RisingEdge(dut.clk)
    assert "waits" in host.status()
    host.stop()
    await RisingEdge(dut.clk)
    assert vhost.status() == "not initialised"


@cocotb.test()
async def what_is_wrong_with_the_configuration_is_raised(dut: Any) -> None:
    os.environ.pop("VHOST_TRACE", None)
    try:
        Host(dut.clk, mem=HERE / "missing.yaml", mailbox=MAILBOXES)
        raise AssertionError("the file is not there")
    except vhost.Error as error:
        assert "missing.yaml" in str(error)
    vhost.shutdown()
