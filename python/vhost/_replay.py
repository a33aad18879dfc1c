"""Replays of recordings."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple

from vhost._native import recordings

Actor = Literal["mailbox", "memory", "rpc", "files", "console", "sockets"]


class Replayed(NamedTuple):
    """Result of a replay without a difference."""

    messages: int
    """Number of messages and replies that are as recorded."""
    ticks: int
    """Number of ticks of the run."""
    is_cut: bool
    """True if the recording was cut off: it ends inside of a block, as after a crash, and was replayed up to there."""


def replay(path: str | os.PathLike[str], only: Actor | None = None) -> Replayed:
    """Replays a recorded run, or one actor of it, and compares all messages.

    A difference raises vhost.DifferenceError; a recording that can't be replayed raises vhost.Error. The GIL is released, so a
    pool of threads replays several recordings at once. A thread that has a system can replay single actors only.
    """
    return Replayed(*recordings().replay(os.fspath(path), only))
