"""The methods that are measured."""

import asyncio

import vhost
from pymb_rpc import register_callback


def mbpy_calls_init() -> None:
    """The library calls this before the first call."""
    for callback in (add, read, wait, forever):
        register_callback(callback)


async def add(channel: str, one: int, other: int) -> int:
    """Needs no waiting."""
    return one + other


async def read(channel: str, one: int, other: int) -> int:
    """Comes back to the library."""
    return vhost.read_u32("core", 0x100)


async def wait(channel: str, one: int, other: int) -> int:
    """Needs a tick."""
    await asyncio.sleep(0)
    return 0


async def forever(channel: str, one: int, other: int) -> int:
    """Is never over."""
    await asyncio.Event().wait()
    return 0
