"""Native part of `vhost.trace` and of `vhost.replay`."""

from typing import Any

from vhost._vhost import Error

class DifferenceError(Error):
    """First difference between a replay and its recording."""

class Reader:
    """Open recording."""

    def __new__(cls, file: str) -> Reader: ...
    def header(self) -> dict[str, Any]: ...
    def is_cut(self) -> bool: ...
    def undecoded(self) -> int: ...
    def rows(self, table: str, most: int) -> list[tuple[Any, ...]]:
        """Reads the next rows of a table; none at the end."""

    def columns(self, table: str, most: int) -> tuple[int, list[tuple[bytes, bytes, bytes]]]:
        """Reads the next rows: their number, and validity, offsets and values of each column."""

def columns(table: str) -> list[tuple[str, str]]:
    """Returns names and types of a table's columns."""

def diff(one: str, other: str) -> tuple[int, tuple[int, int] | None, tuple[int, int] | None] | None:
    """Returns the number of equal entries before a difference, and frame and tick of both."""

def replay(file: str, only: str | None = None) -> tuple[int, int, bool]:
    """Returns the numbers of messages and ticks."""
