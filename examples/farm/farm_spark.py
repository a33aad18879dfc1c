"""Questions of ``queries.sql`` in Spark: ``farm_spark.py TABLES [QUESTION...]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from farm_arguments import arguments
from farm_duckdb import TABLES, queries
from pyspark.sql import DataFrame, SparkSession


def connect(tables: Path, master: str = "local[2]") -> SparkSession:
    """Returns a session with a view of each table. Columns that older files lack are null."""
    builder = SparkSession.builder.master(master).appName("vhost farm")
    # Days and times are in UTC, as in the tables. A design whose name is a number stays a text.
    builder = builder.config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    builder = builder.config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "4")
    session = builder.getOrCreate()
    for table in TABLES:
        # An export that failed leaves empty folders.
        if next((tables / table).glob("*/*/*.parquet"), None) is not None:
            frame = session.read.option("mergeSchema", "true").parquet(str(tables / table))
            frame.withColumn("date", frame["date"].cast("date")).createOrReplaceTempView(table)
    return session


def answers(tables: Path, names: list[str]) -> Iterator[tuple[str, DataFrame]]:
    """Returns answers to the questions of these names, or to all."""
    session = connect(tables)
    for name, text in queries().items():
        if not names or name in names:
            yield name, session.sql(text.strip().rstrip(";"))


if __name__ == "__main__":
    for name, answer in answers(*arguments(__doc__, queries())):
        print(name)
        # Without limits of rows and widths.
        answer.show(answer.count(), truncate=False)
