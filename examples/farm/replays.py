"""Replays of recordings against the installed library, in parallel: ``replays.py TRACE...``.

With ``--dask SCHEDULER`` the replays are tasks of a cluster; otherwise threads of this process. The
exit status is 1 if a replay differs from its recording, and 2 if a recording can't be replayed or
was cut off.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import vhost


class Result(NamedTuple):
    """Result of one replay."""

    trace: str
    status: int
    text: str


def replay(trace: str) -> Result:
    """Replays one recording."""
    try:
        replayed = vhost.replay(trace)
    except vhost.DifferenceError as difference:
        return Result(trace, 1, str(difference))
    except vhost.Error as error:
        return Result(trace, 2, str(error))
    if replayed.is_cut:
        return Result(trace, 2, "the recording was cut off; what follows is left out")
    return Result(trace, 0, f"{replayed.messages} messages in {replayed.ticks} ticks")


def results(traces: list[str], dask: str | None) -> Iterable[Result]:
    """Returns results in the order of the recordings."""
    if dask is None:
        # The library releases the GIL.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(replay, traces)
        return
    from distributed import Client

    with Client(dask) as client:
        yield from client.gather(client.map(replay, traces, pure=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("traces", nargs="+")
    parser.add_argument("--dask", metavar="SCHEDULER")
    options = parser.parse_args()
    worst = 0
    for result in results(options.traces, options.dask):
        worst = max(worst, result.status)
        if result.status != 0:
            print(f"{result.trace}: {result.text}", file=sys.stderr)
    print(f"{len(options.traces)} replays")
    sys.exit(worst)
