"""Methods of the benchmark."""

import asyncio

import vhost
from pymb_rpc import register_callback


def mbpy_calls_init() -> None:
    """Registers the methods. The library calls it before the first call."""
    for callback in (add, read, wait, forever):
        register_callback(callback)


async def add(channel: str, one: int, other: int) -> int:
    """Returns at once."""
    return one + other


async def read(channel: str, one: int, other: int) -> int:
    """Calls back into the library."""
    return vhost.read_u32("core", 0x100)


async def wait(channel: str, one: int, other: int) -> int:
    """Takes one tick."""
    await asyncio.sleep(0)
    return 0


async def forever(channel: str, one: int, other: int) -> int:
    """Never returns."""
    await asyncio.Event().wait()
    return 0
