"""Recordings of runs, in any Python: no simulator and no system is needed.

    import vhost.trace

    with vhost.trace.open("run.trace") as recording:
        slow = [it for it in recording.requests() if it.answered - it.taken > 100]

``arrow`` gives a table to pyarrow, and a recording itself to pandas, Polars, DuckDB and others that take the PyCapsule
interface of Arrow. Both need pyarrow.
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

# Rows that are read at a time: enough for the cost of a call, few for memory.
_ROWS = 4096
_BATCH = 65_536


class Request(NamedTuple):
    """A served request. Times are in ticks."""

    number: int
    """Position among the run's requests, from 0, in the order of the answers."""
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
    """Value of the response; None for one without a value, or a failed request."""
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
    """Number of the message; a reply has its message's."""
    root: int
    tick: int
    event: str
    """``message``, ``reply``, or ``dropped`` for a missing reply."""
    sender: str
    """Sender of the message, for its reply too."""
    receiver: str
    message: str
    """Name of the message."""
    awaited: bool | None
    channel: str | None
    json: str | None
    """Content as JSON, bytes as texts of hexadecimal digits; None for a large one, or where there is none."""

    @property
    def body(self) -> Any:
        """Content as a value of Python."""
        return None if self.json is None else json.loads(self.json)


@dataclass(frozen=True)
class Header:
    """Origin of a recording."""

    version: str
    """Version of the library that recorded it."""
    whole: bool
    """True if it begins with the run."""
    payloads: str
    """``keep``, ``hash`` or ``drop``."""
    run: dict[str, str]
    """Identity of the run: ``id``, ``design``, ``seed`` and others, as far as they were given."""
    variables: dict[str, str | None]
    """Variables that the configurations refer to."""


class Recording:
    """An open recording. It is read once, from its beginning to its end, for each iteration; memory stays bounded."""

    is_cut: bool | None
    """True if the file ends inside of a block, as after a crash; None before an iteration has come to the end."""

    undecoded: int | None
    """Number of messages and replies that can't be decoded, as of another version; None before an iteration has come to the end.
    Requests among them have no rows."""

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
        """Requests, in the order of their answers. A damaged recording raises vhost.Error behind the last one."""
        return map(Request._make, self._rows("requests"))

    def messages(self) -> Iterator[Message]:
        """Messages and replies. A damaged recording raises vhost.Error behind the last one."""
        return map(Message._make, self._rows("messages"))

    def arrow(self, table: Table = "requests") -> pyarrow.RecordBatchReader:
        """A table as a stream of record batches. Its columns are those of Request, or of Message."""
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
        """The requests, for programs that take Arrow's PyCapsule interface."""
        return self.arrow().__arrow_c_stream__(requested_schema)


def _array(
    kind: pyarrow.DataType, rows: int, validity: bytes, offsets: bytes, values: bytes
) -> pyarrow.Array:
    """An array on these buffers, which are not copied."""
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
    """Opens a recording. A file that is none, or of another format, raises vhost.Error."""
    return Recording(path)


class Place(NamedTuple):
    """Entry of a recording."""

    frame: int
    tick: int


@dataclass(frozen=True)
class Difference:
    """First difference between two recordings."""

    equal: int
    """Number of entries before it, which are equal."""
    one: Place | None
    """Entry of the first recording; None if it has ended."""
    other: Place | None
    """Entry of the second recording; None if it has ended."""


def diff(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> Difference | None:
    """First entry in which two recordings differ, or None: kind, content and tick, as ``vhost trace diff`` compares them.

    Origins (configurations, images) are not compared.
    """
    found = recordings().diff(os.fspath(one), os.fspath(other))
    if found is None:
        return None
    equal, *places = found
    first, second = (None if place is None else Place(*place) for place in places)
    return Difference(equal, first, second)
