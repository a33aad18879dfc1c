"""Questions of ``queries.sql`` in DuckDB: ``farm_duckdb.py TABLES [QUESTION...]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
from farm_arguments import arguments

TABLES = ("runs", "requests", "reports", "console", "messages")


def queries() -> dict[str, str]:
    """Returns the text of each question by name."""
    text = Path(__file__).with_name("queries.sql").read_text()
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def connect(tables: Path) -> duckdb.DuckDBPyConnection:
    """Returns a connection with a view of each table. Columns that older files lack are null."""
    connection = duckdb.connect()
    for table in TABLES:
        # An export that failed leaves empty folders.
        if next((tables / table).glob("*/*/*.parquet"), None) is None:
            continue
        files = str(tables / table / "*" / "*" / "*.parquet").replace("'", "''")
        connection.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', union_by_name = true, "
            "hive_partitioning = true, hive_types = {'date': DATE, 'design': VARCHAR})"
        )
    return connection


def answers(tables: Path, names: list[str]) -> Iterator[tuple[str, duckdb.DuckDBPyRelation]]:
    """Returns answers to the questions of these names, or to all."""
    connection = connect(tables)
    for name, text in queries().items():
        if not names or name in names:
            yield name, connection.sql(text.strip().rstrip(";"))


if __name__ == "__main__":
    for name, answer in answers(*arguments(__doc__, queries())):
        print(name)
        # Without limits of rows and widths.
        answer.show(max_width=1_000_000, max_rows=1_000_000, max_col_width=1_000_000)
