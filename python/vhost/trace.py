"""Recordings of runs, in any Python, without a simulator or a system.

    import vhost.trace

    with vhost.trace.open("run.trace") as recording:
        slow = [it for it in recording.requests() if it.answered - it.taken > 100]

``arrow`` returns a table for pyarrow. A recording itself is accepted by pandas, Polars, DuckDB and
others with the PyCapsule interface of Arrow. Both need pyarrow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from vhost._native import recordings

if TYPE_CHECKING:
    import pyarrow

    from vhost._recordings import Reader

__all__ = ["Difference", "Header", "Message", "Place", "Recording", "Request", "diff", "open"]

Table = Literal["requests", "messages"]

# Number of rows that are read at a time: many for the cost of a call, few for memory.
_ROWS = 4096
_BATCH = 65_536


class Request(NamedTuple):
    """A served request. Times are in ticks."""

    number: int
    """Position among the run's requests, from 0, in the order of their completion."""
    channel: str
    kind: str
    """Kind of the request, such as PRINT, CALL or write."""
    method: str | None
    path: str | None
    """Path of the file, as firmware gives it."""
    args: tuple[int, ...]
    taken: int
    answered: int
    result: int | None
    """Value of the response; None for a request without a value, or for a failed one."""
    errno: int | None
    """Error number of a failed request."""
    bytes: int
    """Bytes printed, moved, read or written."""
    text: str
    """Request and outcome in the terms of the protocol."""


class Message(NamedTuple):
    """A message or a reply."""

    frame: int
    sequence: int
    """Number of the message; a reply has the number of its message."""
    root: int
    tick: int
    event: str
    """``message``, ``reply``, or ``dropped`` for a missing reply."""
    sender: str
    """Sender of the message, also for its reply."""
    receiver: str
    message: str
    """Name of the message."""
    awaited: bool | None
    channel: str | None
    json: str | None
    """Content as JSON, bytes as texts of hexadecimal digits; None for large or missing content."""

    @property
    def body(self) -> Any:
        """Content as a Python value."""
        return None if self.json is None else json.loads(self.json)


@dataclass(frozen=True)
class Header:
    """Origin of a recording."""

    version: str
    """Version of the library that recorded it."""
    whole: bool
    """True if it begins with the start of the run."""
    payloads: str
    """``keep``, ``hash`` or ``drop``."""
    run: dict[str, str]
    """Identity of the run: ``id``, ``design``, ``seed`` and others, as far as known."""
    variables: dict[str, str | None]
    """Variables that the configurations refer to."""


class Recording:
    """An open recording. Each iteration reads it from its beginning to its end, with bounded
    memory."""

    is_cut: bool | None
    """True if the file ends inside of a block, as after a crash; None before an iteration has
    ended."""

    undecoded: int | None
    """Number of messages and replies that can't be decoded, for example of another version; None
    before an iteration has ended. Requests among them have no rows."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.header = Header(**recordings().Reader(self.path).header())
        self.is_cut = self.undecoded = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Each iteration closes the file at its end."""

    def _rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        reader = recordings().Reader(self.path)
        while rows := reader.rows(table, _ROWS):
            yield from rows
        self._end(reader)

    def _end(self, reader: Reader) -> None:
        self.is_cut, self.undecoded = reader.is_cut(), reader.undecoded()

    def requests(self) -> Iterator[Request]:
        """Requests, in the order of their completion. A damaged recording raises vhost.Error behind
        the last one."""
        return map(Request._make, self._rows("requests"))

    def messages(self) -> Iterator[Message]:
        """Messages and replies. A damaged recording raises vhost.Error behind the last one."""
        return map(Message._make, self._rows("messages"))

    def arrow(self, table: Table = "requests") -> pyarrow.RecordBatchReader:
        """Returns a table as a stream of record batches. Its columns are those of Request, or of
        Message."""
        import pyarrow

        kinds = {
            "flag": pyarrow.bool_(),
            "number": pyarrow.uint64(),
            "words": pyarrow.list_(pyarrow.field("item", pyarrow.uint64())),
            "text": pyarrow.string(),
        }
        types = [(name, kinds[kind]) for name, kind in recordings().columns(table)]
        schema = pyarrow.schema(types)

        def batches() -> Iterable[pyarrow.RecordBatch]:
            reader = recordings().Reader(self.path)
            while True:
                rows, columns = reader.columns(table, _BATCH)
                if rows == 0:
                    self._end(reader)
                    return
                arrays = [
                    _array(kind, rows, *column)
                    for (_, kind), column in zip(types, columns, strict=True)
                ]
                yield pyarrow.RecordBatch.from_arrays(arrays, schema=schema)

        return pyarrow.RecordBatchReader.from_batches(schema, batches())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Returns the requests, for programs with Arrow's PyCapsule interface."""
        return self.arrow().__arrow_c_stream__(requested_schema)


def _array(
    kind: pyarrow.DataType, rows: int, validity: bytes, offsets: bytes, values: bytes
) -> pyarrow.Array:
    """Creates an array on these buffers, which are not copied."""
    import pyarrow

    valid, data = pyarrow.py_buffer(validity), pyarrow.py_buffer(values)
    if not offsets:
        return pyarrow.Array.from_buffers(kind, rows, [valid, data])
    starts = pyarrow.py_buffer(offsets)
    if pyarrow.types.is_list(kind):
        words = pyarrow.Array.from_buffers(kind.value_type, len(values) // 8, [None, data])
        return pyarrow.Array.from_buffers(kind, rows, [valid, starts], children=[words])
    return pyarrow.Array.from_buffers(kind, rows, [valid, starts, data])


def open(path: str | os.PathLike[str]) -> Recording:  # noqa: A001
    """Opens a recording. Raises vhost.Error for a file of another format."""
    return Recording(path)


class Place(NamedTuple):
    """Entry of a recording."""

    frame: int
    tick: int


@dataclass(frozen=True)
class Difference:
    """First difference between two recordings."""

    equal: int
    """Number of equal entries before it."""
    one: Place | None
    """Entry of the first recording; None if it has ended."""
    other: Place | None
    """Entry of the second recording; None if it has ended."""


def diff(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> Difference | None:
    """Returns the first entry that differs between two recordings, or None: kind, content and tick
    are compared, as by ``vhost trace diff``.

    Origins (configurations, images) are not compared.
    """
    found = recordings().diff(os.fspath(one), os.fspath(other))
    if found is None:
        return None
    equal, *places = found
    first, second = (None if place is None else Place(*place) for place in places)
    return Difference(equal, first, second)
