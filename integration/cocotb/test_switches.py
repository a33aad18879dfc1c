"""Firmware that calls methods in cocotb: the calls drive the design, and the test waits for them."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Event, FallingEdge, RisingEdge
from pymb_rpc import register_callback
from vhost import Error, get_space, read_string, read_u8, write_string


async def flip(dut: Any, channel: str, switches: int) -> int:
    """Inverts these switches, and returns their previous values."""
    before = dut.switches.value.to_unsigned()
    await FallingEdge(dut.clk)
    dut.switches.value = before ^ switches
    await RisingEdge(dut.clk)
    return before


async def look(dut: Any, channel: str) -> int:
    """Returns the lights."""
    return dut.lights.value.to_unsigned()


async def shout(dut: Any, channel: str, address: int) -> int:
    """Converts a string in firmware's memory to capitals."""
    space = get_space(channel)
    name = read_string(space, address)
    write_string(space, address, name.upper())
    return len(name)


async def raises(dut: Any, channel: str) -> int:
    """Reads an unmapped address."""
    return read_u8(get_space(channel), 0xFFFF_0000)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def firmware_and_test_wait_for_each_other(dut: Any) -> None:
    gate = Event()

    async def rendezvous(dut: Any, channel: str, checks: int) -> int:
        assert checks > 20
        await gate.wait()
        return 7

    flipped = register_callback(flip)
    looked = register_callback(look)
    raised = register_callback(raises)
    met = register_callback(rendezvous)
    register_callback(shout)
    Clock(dut.clk, 10, "ns").start()

    # The only trigger is the clock's, which is not Python's: the call itself must run the callback.
    for count in range(8):
        assert await flipped() == (1 << count) - 1
        assert dut.switches.value == (2 << count) - 1
    assert await looked() == 0x5A
    try:
        await raised()
        raise AssertionError("nothing is there")
    except Error as error:
        assert "0xffff0000" in str(error)

    for _ in range(20):
        await RisingEdge(dut.clk)
    assert not dut.over.value
    gate.set()
    assert await met() == 7
    await RisingEdge(dut.over)
    assert dut.code.value == 0
