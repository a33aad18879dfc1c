"""Standard output of an interpreter that the library has started: C's `stdout`, to keep the order
of the simulator's output.
"""

import io
import os
import sys


class CStdout(io.BufferedIOBase):
    """C's `stdout`, with its buffer."""

    name = "<stdout>"
    mode = "w"

    def __init__(self, raw, write, flush):
        """`raw` is Python's own file of the descriptor; `write` and `flush` are C's."""
        self.raw = raw
        self._write = write
        self._flush = flush

    def fileno(self):
        return self.raw.fileno()

    def isatty(self):
        return self.raw.isatty()

    def writable(self):
        return True

    def write(self, data):
        if self.closed:
            raise ValueError("write to closed file")
        return self._write(bytes(data))

    def flush(self):
        if not self.closed:
            self._flush()


def install(write, flush):
    """Replaces `sys.stdout`, unless the process has no standard output."""
    own = sys.stdout
    if own is None:
        return
    encoding, errors = own.encoding, own.errors
    buffer = own.detach()
    # There is no buffer if PYTHONUNBUFFERED is set.
    raw = buffer.detach() if isinstance(buffer, io.BufferedIOBase) else buffer
    stdout = io.TextIOWrapper(
        CStdout(raw, write, flush),
        encoding=encoding,
        errors=errors,
        newline="\n",
        line_buffering=True,
        write_through=True,
    )
    stdout.mode = "w"
    sys.stdout = sys.__stdout__ = stdout
    # A child must not write the content of the buffer again.
    os.register_at_fork(before=flush)
