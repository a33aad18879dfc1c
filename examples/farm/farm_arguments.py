"""Command line of the query programs: ``PROGRAM TABLES [QUESTION...]``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Arguments(NamedTuple):
    """Folder of the tables, and names of the questions; none for all."""

    tables: Path
    questions: list[str]


def arguments(description: str | None, questions: Iterable[str]) -> Arguments:
    """Parses the arguments of this process. Wrong ones end it with status 2 and the valid ones."""
    known = list(questions)
    parser = argparse.ArgumentParser(
        description=description, epilog=f"questions: {', '.join(known)}"
    )
    parser.add_argument("tables", type=Path, help="folder of `vhost trace export --parquet`")
    parser.add_argument("questions", nargs="*", default=[], metavar="question", help="default: all")
    given = parser.parse_args()
    for table in ("runs", "requests"):
        if next((given.tables / table).glob("*/*/*.parquet"), None) is None:
            parser.error(
                f"{given.tables} has no table {table}: "
                "give the folder that `vhost trace export --parquet` wrote"
            )
    for name in given.questions:
        if name not in known:
            parser.error(f"there is no question {name!r}: give one of {', '.join(known)}")
    return Arguments(given.tables, given.questions)
