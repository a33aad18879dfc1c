"""Tables of a regression: a thousand recorded runs, exported, and asked in DuckDB, Polars and Spark.

Environment: VHOST is the command with the feature `parquet`, FARM the simulator of `examples/farm`, FIRMWARE its image, ROUNDS the
length of a run.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "farm"
sys.path.insert(0, str(EXAMPLES))

import farm_duckdb  # noqa: E402

VHOST = os.environ["VHOST"]
RUNS = 2 * 495 + 10
# Seeds whose firmware has the bug: one of a hundred, in both revisions.
BUGGY = {f"{revision}-{seed}" for revision in (0, 2) for seed in range(37, 495, 100)}
LATE = {f"2+-{seed}" for seed in range(100, 110)}
QUESTIONS = list(farm_duckdb.queries())


def run(command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=ROOT, text=True, capture_output=True, check=False, **more
    )


def export(folder: Path, traces: str, *options: str) -> subprocess.CompletedProcess[str]:
    words = " ".join(options)
    return run(f"{VHOST} trace export --parquet {traces} -o {folder} {words}")


@pytest.fixture(scope="session")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traces")
    plan = f"examples/farm/plan.sh | xargs -P 2 -L 1 examples/farm/run.sh {folder}"
    ended = run(plan)
    # A run fails, and xargs goes on.
    assert ended.returncode == 123, ended
    assert len(list(folder.glob("*.trace"))) == RUNS
    return folder


@pytest.fixture(scope="session")
def tables(traces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "tables"
    ended = export(folder, f"{traces}/*.trace")
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    assert ended.stdout == f"{RUNS} runs to {folder}\n"
    return folder


@pytest.fixture(scope="session")
def duck(tables: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: answer.fetchall() for name, answer in farm_duckdb.answers(tables, [])}


def test_counts_are_those_of_trace_stat(traces: Path, tables: Path) -> None:
    connection = farm_duckdb.connect(tables)
    counted = connection.sql(
        "SELECT run_id, channel, kind, count(*), count(errno), sum(bytes), min(answered - taken), "
        "sum(answered - taken), max(answered - taken) FROM requests GROUP BY ALL"
    )
    found = {row[:3]: row[3:] for row in counted.fetchall()}
    entries = dict(connection.sql("SELECT run_id, (entries, ticks) FROM runs").fetchall())
    expected = {}
    keys = ["count", "failed", "bytes", "ticks_min", "ticks_sum", "ticks_max"]
    for trace in traces.glob("*.trace"):
        stat = json.loads(run(f"{VHOST} trace stat --json {trace}").stdout)
        for row in stat["requests"]:
            key = (trace.stem, row["channel"], row["request"])
            expected[key] = tuple(row[key] for key in keys)
        assert entries.pop(trace.stem) == (stat["entries"], stat["ticks"])
    assert found == expected
    assert entries == {}


def test_each_failure_is_found_and_its_command_repeats_it(tables: Path, tmp_path: Path) -> None:
    connection = farm_duckdb.connect(tables)
    failed = connection.sql(
        "SELECT run_id, command, signature, exit_code FROM runs WHERE verdict <> 'passed'"
    ).fetchall()
    assert {row[0] for row in failed} == BUGGY | LATE
    assert len(BUGGY) == RUNS // 100
    folder = connection.sql("SELECT DISTINCT regexp_replace(file, '/[^/]*$', '') FROM runs")
    (traces,) = [row[0] for row in folder.fetchall()]
    for _, command, _, code in failed:
        ended = run(command.replace(traces, str(tmp_path)))
        assert ended.returncode == code == 1, ended
    again = tmp_path / "again"
    assert export(again, f"{tmp_path}/*.trace").returncode == 0
    repeated = farm_duckdb.connect(again).sql("SELECT run_id, signature FROM runs").fetchall()
    assert dict(repeated) == {row[0]: row[2] for row in failed}


def test_the_questions_have_the_answers_of_the_regression(
    duck: dict[str, list[tuple[Any, ...]]],
) -> None:
    rounds = int(os.environ.get("ROUNDS", "100"))
    slowest = [row[1] for row in duck["slowest_methods"]]
    assert slowest[0] == "sample"
    buggy, late = sorted(duck["failures"], key=lambda row: row[4] in LATE)
    assert (buggy[2], late[2]) == (len(BUGGY), len(LATE))
    assert buggy[4] in BUGGY
    assert late[4] in LATE
    assert buggy[1] != late[1]
    # A buggy run fails to fill memory in its round; a late one exits in its first.
    departures = {row[0]: row for row in duck["departures"]}
    assert set(departures) == BUGGY | LATE
    for run_id in BUGGY:
        seed = int(run_id.split("-")[1])
        number, kind, error = departures[run_id][3], *departures[run_id][4::2][:2]
        wrong = 1 + seed % (rounds - 1)
        # Three requests precede the rounds, which have five each, and a print in each sixteenth.
        assert number == 3 + 5 * wrong + math.ceil(wrong / 16)
        assert (kind, error) == ("MEMSET", "EFAULT")
    assert [row[2] for row in duck["flaky_seeds"]] == [str(seed) for seed in range(100, 110)]
    growth = {row[2]: row[5] for row in duck["latency_by_revision"] if row[1] == "sample"}
    assert growth["r0"] is None
    assert growth["r2"] >= 2
    called = {row[1]: row[2] for row in duck["coverage"]}
    assert called == {"seed": RUNS, "rounds": RUNS, "sample": RUNS}


def same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    assert len(found) == len(expected)
    for row, other in zip(found, expected, strict=True):
        for value, wanted in zip(row, other, strict=True):
            if isinstance(wanted, float):
                assert math.isclose(value, wanted, rel_tol=1e-9), (row, other)
            else:
                assert value == wanted, (row, other)


@pytest.mark.parametrize("name", QUESTIONS)
def test_polars_gives_the_same(
    name: str, tables: Path, duck: dict[str, list[tuple[Any, ...]]]
) -> None:
    pytest.importorskip("polars")
    import farm_polars

    same(farm_polars.Farm(tables).questions()[name]().collect().rows(), duck[name])


def test_spark_gives_the_same(tables: Path, duck: dict[str, list[tuple[Any, ...]]]) -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("skipped: pyspark or Java is missing")
    import farm_spark

    for name, answer in farm_spark.answers(tables, []):
        same([tuple(row) for row in answer.collect()], duck[name])


def test_two_versions_of_the_schema_are_asked_together(tables: Path, tmp_path: Path) -> None:
    both = tmp_path / "tables"
    shutil.copytree(tables, both)
    # A later version: a column more, and one run more.
    folder = both / "runs" / "date=2020-01-01" / "design=later"
    folder.mkdir(parents=True)
    connection = farm_duckdb.connect(tables)
    connection.sql(
        "SELECT * EXCLUDE (date, design) REPLACE ('later' AS run_id, 2 AS schema), 7 AS cores FROM runs LIMIT 1"
    ).write_parquet(str(folder / "later.parquet"))
    found = farm_duckdb.connect(both).sql(
        "SELECT schema, count(*), sum(cores) FROM runs GROUP BY ALL"
    )
    assert sorted(found.fetchall()) == [(1, RUNS, None), (2, 1, 7)]
    polars = pytest.importorskip("polars")
    import farm_polars

    counted = farm_polars.Farm(both).runs.select(polars.len()).collect().item()
    assert counted == RUNS + 1
    if importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None:
        import farm_spark

        versions = farm_spark.connect(both).sql("SELECT schema, cores FROM runs").collect()
        assert Counter(tuple(row) for row in versions) == {(1, None): RUNS, (2, 7): 1}


def test_runs_that_are_exported_one_by_one_leave_the_same_rows(
    traces: Path, tables: Path, tmp_path: Path
) -> None:
    few = [traces / f"0-{seed}.trace" for seed in range(30, 45)]
    names = " ".join(str(trace) for trace in few)
    command = f"printf '%s\\n' {names} | xargs -P 4 -I{{}} {VHOST} trace export --parquet {{}} -o {tmp_path}"
    assert run(command).returncode == 0
    for table in ("runs", "requests", "reports", "console"):
        order = "run_id" if table == "runs" else "run_id, number"
        of_few = f"SELECT * FROM {table} WHERE run_id IN {tuple(trace.stem for trace in few)} ORDER BY {order}"
        one_by_one = farm_duckdb.connect(tmp_path).sql(of_few).fetchall()
        assert one_by_one == farm_duckdb.connect(tables).sql(of_few).fetchall()
        assert len(one_by_one) > 0
    again = run(command)
    assert again.returncode == 123
    assert again.stderr.count("is in the tables already") == len(few)


def rows_of(tables: Path, runs: tuple[str, ...]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of these runs but what differs from one run to the next: times, paths and commands."""
    connection = farm_duckdb.connect(tables)
    varies = "file, command, replay, started, wall_ms, trace_bytes, date"
    return {
        table: connection.sql(
            f"SELECT * EXCLUDE ({varies if table == 'runs' else 'date'}) FROM {table} WHERE run_id IN {runs} "
            f"ORDER BY run_id{'' if table == 'runs' else ', number'}"
        ).fetchall()
        for table in ("runs", "requests", "reports", "console")
    }


@pytest.mark.parametrize("scheduler", ["make", "pytest"])
def test_each_scheduler_leaves_the_same_tables(
    scheduler: str, tables: Path, tmp_path: Path
) -> None:
    runs = tuple(f"0-{seed}" for seed in range(30, 40))
    places = f"TRACES={tmp_path}/traces TABLES={tmp_path}/tables"
    seeds = " ".join(f"{run.split('-')[1]}/0" for run in runs)
    command = {
        "make": f"make -f examples/farm/Makefile -j2 {places} VHOST={VHOST} RUNS='{seeds}'",
        "pytest": f"env {places} LIMIT=40 {sys.executable} -m pytest -q -n 2 -p no:cacheprovider "
        "examples/farm/test_runs.py",
    }[scheduler]
    ended = run(command)
    # The run with seed 37 fails: pytest says so, make goes on.
    assert ended.returncode == {"make": 0, "pytest": 1}[scheduler], ended
    found = rows_of(tmp_path / "tables", runs)
    assert found == rows_of(tables, runs)
    assert len(found["runs"]) == len(runs)


def test_a_full_disk_is_told_and_leaves_nothing(traces: Path, tmp_path: Path) -> None:
    # A limit of the file's size stands for the end of the disk.
    ended = run(
        f"trap '' XFSZ; ulimit -f 4; {VHOST} trace export --parquet {traces}/0-1*.trace -o {tmp_path}/tables"
    )
    assert ended.returncode == 2
    assert "not exported" in ended.stderr
    assert "0-1.trace" in ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert export(tmp_path / "tables", f"{traces}/0-1*.trace").returncode == 0


def test_the_files_are_small(traces: Path, tables: Path) -> None:
    """Parquet is at most three tenths of the rows as lines of JSON."""
    connection = duckdb.connect()
    size = sum(path.stat().st_size for path in (tables / "requests").rglob("*.parquet"))
    lines = tables.parent / "requests.json"
    connection.execute(
        f"COPY (SELECT * FROM read_parquet('{tables}/requests/*/*/*.parquet', hive_partitioning = false)) "
        f"TO '{lines}' (FORMAT json)"
    )
    assert size <= 0.3 * lines.stat().st_size
