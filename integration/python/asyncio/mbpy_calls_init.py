"""Methods that integration/firmware/python.c calls."""

from __future__ import annotations

import asyncio
import struct

import vhost
from pymb_rpc import register_callback

_cancelled = 0


def mbpy_calls_init() -> None:
    """Registers the methods. The library calls it before firmware's first call."""
    for callback in (add, wait_ticks, gather, shout, square, raises, cancelled):
        register_callback(callback)


async def add(channel: str, one: int, other: int) -> int:
    """Multiplies, unlike the testbench's method of this name."""
    return one * other


async def wait_ticks(channel: str, ticks: int) -> int:
    """Returns after this number of ticks."""
    global _cancelled
    try:
        for _ in range(ticks):
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        _cancelled += 1
        raise
    return ticks


async def cancelled(channel: str) -> int:
    """Returns the number of cancelled calls."""
    return _cancelled


async def gather(channel: str, *ticks: int) -> int:
    """Waits for several numbers of ticks concurrently."""
    return sum(await asyncio.gather(*(wait_ticks(channel, count) for count in ticks)))


async def shout(channel: str, address: int) -> int:
    """Converts a string in firmware's memory to capitals."""
    space = vhost.get_space(channel)
    name = vhost.read_string(space, address)
    vhost.write_string(space, address, name.upper())
    return len(name)


async def square(channel: str, address: int, count: int) -> int:
    """Fills an array in firmware's memory."""
    words = struct.pack(f"<{count}I", *(number * number for number in range(count)))
    vhost.write_bytes(vhost.get_space(channel), address, words)
    return count


async def raises(channel: str, by_backdoor: int) -> int:
    """Fails by an exception, or by an unmapped backdoor access."""
    if by_backdoor:
        return vhost.read_u32(vhost.get_space(channel), 0xFFFF_0000)
    raise LookupError("on purpose")
