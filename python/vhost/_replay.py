"""Replays of recordings."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple

from vhost._native import recordings

Actor = Literal["mailbox", "memory", "rpc", "files", "console", "sockets"]


class Replayed(NamedTuple):
    """Result of a replay without a difference."""

    messages: int
    """Number of messages and replies, all equal to the recorded ones."""
    ticks: int
    """Number of ticks of the run."""
    is_cut: bool
    """True if the recording was cut off: it ends inside of a block, as after a crash, and was
    replayed up to there."""


def replay(path: str | os.PathLike[str], only: Actor | None = None) -> Replayed:
    """Replays a recorded run, or one actor of it, and compares all messages.

    Raises vhost.DifferenceError for a difference, and vhost.Error for a recording that can't be
    replayed. The GIL is released, so a pool of threads can replay several recordings at once. A
    thread that has a system can only replay single actors.
    """
    return Replayed(*recordings().replay(os.fspath(path), only))
