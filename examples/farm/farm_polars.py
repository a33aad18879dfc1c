"""Questions of ``queries.sql`` in Polars: ``farm_polars.py TABLES [QUESTION...]``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from farm_arguments import arguments

LATENCY = pl.col("answered") - pl.col("taken")
# Calls without a response have no latency.
CALLED = pl.col("method").is_not_null() & pl.col("answered").is_not_null()


class Farm:
    """Tables of an export."""

    def __init__(self, tables: Path) -> None:
        self.runs = self._scan(tables / "runs")
        self.requests = self._scan(tables / "requests")

    @staticmethod
    def _scan(table: Path) -> pl.LazyFrame:
        """Reads a table. Columns that some files lack are null."""
        files = sorted(table.glob("*/*/*.parquet"))
        # The newest schema has the most columns. The default would be the schema of the first file.
        newest = max((pl.read_parquet_schema(file) for file in files), key=len)
        partitions = {"date": pl.Date, "design": pl.String}
        return pl.scan_parquet(
            files,
            schema={**newest, **partitions},
            hive_partitioning=True,
            hive_schema=partitions,
            missing_columns="insert",
            extra_columns="ignore",
        )

    def slowest_methods(self) -> pl.LazyFrame:
        today = datetime.now(tz=UTC).date()
        return (
            self.requests.filter(CALLED, pl.col("date") >= today - timedelta(days=7))
            .group_by("design", "method")
            .agg(
                calls=pl.len(),
                mean_ticks=LATENCY.mean(),
                median_ticks=LATENCY.median(),
                most_ticks=LATENCY.max(),
            )
            .sort("most_ticks", "design", "method", descending=[True, False, False])
            .head(20)
        )

    def failures(self) -> pl.LazyFrame:
        failed = self.runs.filter(pl.col("verdict") != "passed")
        failed = failed.sort("first_error_tick", "run_id", nulls_last=True)
        return (
            failed.group_by("design", "signature", maintain_order=True)
            .agg(
                failed_runs=pl.len(),
                first_error_tick=pl.first("first_error_tick"),
                run_id=pl.first("run_id"),
                command=pl.first("command"),
            )
            .sort(
                "failed_runs",
                "design",
                "signature",
                descending=[True, False, False],
                nulls_last=True,
            )
        )

    def departures(self) -> pl.LazyFrame:
        place = ["design", "channel", "channel_number"]
        alike = [*place, "kind", "method", "errno", "is_open"]
        requests = self.requests.with_columns(is_open=pl.col("answered").is_null())
        places = requests.group_by(alike).agg(alike=pl.len())
        totals = places.group_by(place).agg(all_runs=pl.col("alike").sum())
        minorities = places.join(totals, on=place).filter(pl.col("alike") * 2 < pl.col("all_runs"))
        departing = requests.join(minorities, on=alike, how="semi", nulls_equal=True)
        columns = ["run_id", *place, "kind", "method", "error", "answered"]
        return (
            departing.sort("number")
            .group_by("run_id", maintain_order=True)
            .first()
            .select(columns)
            .sort("run_id")
        )

    def flaky_seeds(self) -> pl.LazyFrame:
        passed = (pl.col("verdict") == "passed").sum().cast(pl.Int64)
        failed = (pl.col("verdict") == "failed").sum()
        return (
            self.runs.filter(pl.col("seed").is_not_null())
            .group_by("design", "revision", "seed")
            .agg(all_runs=pl.len(), passed=passed, failed=failed)
            .filter(pl.col("passed") > 0, pl.col("failed") > 0)
            .drop("failed")
            .sort("design", "revision", "seed", nulls_last=True)
        )

    def latency_by_revision(self) -> pl.LazyFrame:
        runs = self.runs.select("run_id", "revision", "started")
        order = ["design", "method", "first_run", "revision"]
        return (
            self.requests.filter(CALLED)
            .join(runs, on="run_id")
            .group_by("design", "method", "revision")
            .agg(calls=pl.len(), mean_ticks=LATENCY.mean(), first_run=pl.col("started").min())
            .sort(order, nulls_last=True)
            .with_columns(growth=pl.col("mean_ticks").diff().over("design", "method"))
            .drop("first_run")
        )

    def coverage(self) -> pl.LazyFrame:
        return (
            self.requests.filter(pl.col("method").is_not_null())
            .group_by("design", "method", "run_id")
            .agg(calls=pl.len())
            .group_by("design", "method")
            .agg(calling_runs=pl.len(), calls=pl.col("calls").sum())
            .sort("design", "method")
        )

    def questions(self) -> dict[str, Callable[[], pl.LazyFrame]]:
        """Returns all questions by name."""
        return {name: getattr(self, name) for name in QUESTIONS}


QUESTIONS = (
    "slowest_methods",
    "failures",
    "departures",
    "flaky_seeds",
    "latency_by_revision",
    "coverage",
)


if __name__ == "__main__":
    tables, names = arguments(__doc__, QUESTIONS)
    questions = Farm(tables).questions()
    # Without limits of rows and widths.
    with pl.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=65_000, tbl_width_chars=65_000):
        for name in names or QUESTIONS:
            print(name)
            print(questions[name]().collect())
