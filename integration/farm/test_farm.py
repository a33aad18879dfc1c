"""Tables of a regression: a thousand recorded runs by several schedulers, exported, and queried in
DuckDB, Polars and Spark.

Environment: VHOST is the command with the feature `parquet`; FARM the simulator of `examples/farm`,
FIRMWARE its image, ROUNDS the length of a run; VHOST_LIBRARY the library with Python for replays,
REPLAYS their number.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "farm"
sys.path[:0] = [str(EXAMPLES), str(ROOT / "python" / "tests")]

import farm_duckdb  # noqa: E402
import slurm  # noqa: E402
from blocks import sealed  # noqa: E402

VHOST = os.environ["VHOST"]
# Tables of version 1.
EARLIER = Path(__file__).parent / "tables-1"
# Environment with the package, and the library that VHOST_LIBRARY names.
WITH_PACKAGE = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
# Number of replayed recordings.
REPLAYS = int(os.environ.get("REPLAYS", "50"))
RUNS = 2 * 495 + 10
# Seeds whose firmware has the bug: one in a hundred, in both revisions.
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
    # A run fails, and xargs continues.
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
        "sum(answered - taken), max(answered - taken) FROM requests WHERE answered IS NOT NULL GROUP BY ALL"
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
    # A run with the bug fails to fill memory in its round; a late run exits in its first round.
    departures = {row[0]: row for row in duck["departures"]}
    assert set(departures) == BUGGY | LATE
    for run_id in BUGGY:
        seed = int(run_id.split("-")[1])
        number, kind, error = departures[run_id][3], *departures[run_id][4::2][:2]
        wrong = 1 + seed % (rounds - 1)
        # Three requests precede the rounds. A round has five, and a print in each sixteenth round.
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


@pytest.mark.parametrize("program", ["farm_duckdb.py", "farm_polars.py", "farm_spark.py"])
def test_programs_say_what_is_right(program: str, tables: Path, tmp_path: Path) -> None:
    pytest.importorskip(
        {"farm_polars.py": "polars", "farm_spark.py": "pyspark"}.get(program, "duckdb")
    )
    for words, text in [
        ("", "the following arguments are required: tables"),
        (f"{tmp_path}/none", "none has no table runs"),
        (str(tmp_path), "has no table runs"),
        (
            f"{tables} failure",
            f"there is no question 'failure': give one of {', '.join(QUESTIONS)}",
        ),
    ]:
        ended = run(f"{sys.executable} examples/farm/{program} {words}")
        assert (ended.returncode, ended.stdout) == (2, ""), ended
        assert text in ended.stderr, ended
        assert "Traceback" not in ended.stderr, ended
    ended = run(f"{sys.executable} examples/farm/{program} {tables} departures failures")
    assert ended.returncode == 0, ended
    # All rows, with their whole commands.
    assert "departures" in ended.stdout
    assert "failures" in ended.stdout
    command = "SELECT command FROM runs WHERE verdict <> 'passed' ORDER BY first_error_tick, run_id"
    (first,) = farm_duckdb.connect(tables).sql(command).fetchall()[0]
    assert first in ended.stdout, ended


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


def test_versions_of_the_schema_are_asked_together(tables: Path, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    import farm_polars

    both = tmp_path / "tables"
    shutil.copytree(tables, both)
    # Two runs that an earlier version exported, compressed with LZ4.
    shutil.copytree(EARLIER, both, dirs_exist_ok=True)
    # A later version: one more column, and one more run.
    folder = both / "runs" / "date=2020-01-01" / "design=later"
    folder.mkdir(parents=True)
    file = next((tables / "runs").glob("*/*/*.parquet"))
    polars.read_parquet(file, hive_partitioning=False).head(1).with_columns(
        run_id=polars.lit("later"),
        schema=polars.lit(3, polars.Int32),
        cores=polars.lit(7, polars.Int32),
    ).write_parquet(folder / "later.parquet")
    runs = "SELECT schema, segments, unanswered, cores, count(*) AS runs FROM runs GROUP BY ALL"
    rows = "SELECT segment, count(answered) = count(*), count(*) FROM requests GROUP BY ALL"
    connection = farm_duckdb.connect(both)
    of_runs = {(1, None, None, None, 2), (2, 1, 0, None, RUNS), (3, 1, 0, 7, 1)}
    assert set(connection.sql(runs).fetchall()) == of_runs
    of_requests = set(connection.sql(rows).fetchall())
    assert {row[:2] for row in of_requests} == {(None, True), (1, True)}
    assert (None, True, 62) in of_requests
    farm = farm_polars.Farm(both)
    keys = ["schema", "segments", "unanswered", "cores"]
    assert set(farm.runs.group_by(keys).agg(polars.len()).collect().rows()) == of_runs
    counted = farm.requests.group_by("segment").agg(
        polars.col("answered").is_not_null().all(), polars.len()
    )
    assert set(counted.collect().rows()) == of_requests
    asked = {name: answer.fetchall() for name, answer in farm_duckdb.answers(both, [])}
    for name, question in farm.questions().items():
        same(question().collect().rows(), asked[name])
    if importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None:
        import farm_spark

        session = farm_spark.connect(both)
        assert {tuple(row) for row in session.sql(runs).collect()} == of_runs
        assert {tuple(row) for row in session.sql(rows).collect()} == of_requests
        for name, answer in farm_spark.answers(both, []):
            same([tuple(row) for row in answer.collect()], asked[name])


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
    """Returns rows of these runs without the columns that vary: times, paths and commands."""
    connection = farm_duckdb.connect(tables)
    varies = "file, command, replay, started, wall_ms, trace_bytes, date"
    return {
        table: connection.sql(
            f"SELECT * EXCLUDE ({varies if table == 'runs' else 'date'}) FROM {table} WHERE run_id IN {runs} "
            f"ORDER BY run_id{'' if table == 'runs' else ', number'}"
        ).fetchall()
        for table in ("runs", "requests", "reports", "console")
    }


def make(folder: Path, seeds: list[int]) -> None:
    runs = " ".join(f"{seed}/0" for seed in seeds)
    places = f"TRACES={folder}/traces TABLES={folder}/tables"
    ended = run(f"make -f examples/farm/Makefile -j2 {places} VHOST={VHOST} RUNS='{runs}'")
    # A run fails, and make continues.
    assert ended.returncode == 0, ended


def xdist(folder: Path, seeds: list[int]) -> None:
    places = f"TRACES={folder}/traces TABLES={folder}/tables LIMIT={max(seeds) + 1}"
    ended = run(
        f"env {places} {sys.executable} -m pytest -q -n 2 -p no:cacheprovider examples/farm/test_runs.py"
    )
    # The run with seed 37 fails, and so does pytest.
    assert ended.returncode == 1, ended
    assert "1 failed" in ended.stdout, ended


def dvsim(folder: Path, seeds: list[int]) -> None:
    """Runs in a copy of the folder, since dvsim removes folders of its configuration."""
    program = Path(sys.executable).with_name("dvsim")
    if not program.exists():
        pytest.skip("skipped: dvsim is missing")
    root = folder / "checkout"
    shutil.copytree(EXAMPLES, root / "examples" / "farm")
    # dvsim reads the commit.
    author = "-c user.name=farm -c user.email=farm@localhost"
    made = run(f"git -C {root} init -q && git -C {root} {author} commit -q --allow-empty -m copy")
    assert made.returncode == 0, made
    words = [f"{program} {root}/examples/farm/farm.hjson -i runs --reseed {len(seeds)} --seeds"]
    words += [*map(str, seeds), f"--proj-root {root} --scratch-root {folder}/scratch --branch none"]
    # The table of runs has the path of the image.
    firmware = root / os.environ["FIRMWARE"]
    firmware.parent.mkdir(parents=True, exist_ok=True)
    if not firmware.exists():
        firmware.symlink_to((ROOT / os.environ["FIRMWARE"]).resolve())
    farm = str((ROOT / os.environ["FARM"]).resolve())
    ended = subprocess.run(
        ["bash", "-c", " ".join(words)],
        cwd=root,
        env={**os.environ, "FARM": farm, "TRACES": f"{folder}/traces"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert len(list((folder / "traces").glob("*.trace"))) == len(seeds), ended
    # The run with seed 37 fails.
    assert ended.returncode == 1, ended
    assert export(folder / "tables", f"{folder}/traces/*.trace").returncode == 0


def job_array(folder: Path, seeds: list[int]) -> None:
    """Tasks of ten runs, and a job that depends on them."""
    if not slurm.is_installed():
        pytest.skip("skipped: Slurm is missing")
    home = folder / "slurm"
    home.mkdir()
    with slurm.cluster(home) as environment:
        environment["TRACES"] = f"{folder}/traces"
        out = f"-o {folder}/%j.out"
        tasks = f"{min(seeds) // 10}-{max(seeds) // 10}"
        array = run(
            f"sbatch --parsable --array={tasks} {out} examples/farm/farm.slurm", env=environment
        )
        command = f"{VHOST} trace export --parquet {folder}/traces/*.trace -o {folder}/tables"
        # A job that Slurm never starts would wait forever.
        ended = run(
            f"timeout 600 sbatch --wait --dependency=afterany:{array.stdout.strip()} {out} --wrap='{command}'",
            env=environment,
        )
        outputs = [path.read_text() for path in folder.glob("*.out")]
    assert (array.returncode, ended.returncode) == (0, 0), (array, ended, outputs)


@pytest.mark.parametrize("scheduler", [make, xdist, dvsim, job_array])
def test_each_scheduler_leaves_the_same_tables(
    scheduler: Callable[[Path, list[int]], None], tables: Path, tmp_path: Path
) -> None:
    seeds = list(range(30, 40))
    scheduler(tmp_path, seeds)
    runs = tuple(f"0-{seed}" for seed in seeds)
    found = rows_of(tmp_path / "tables", runs)
    assert found == rows_of(tables, runs)
    assert len(found["runs"]) == len(runs)


def replays(words: str, traces: list[Path]) -> subprocess.CompletedProcess[str]:
    names = " ".join(map(str, traces))
    return run(f"{sys.executable} examples/farm/replays.py {words} {names}", env=WITH_PACKAGE)


@pytest.mark.parametrize("workers", ["threads", "dask"])
def test_recordings_are_replayed_against_another_library(
    workers: str, traces: Path, tmp_path: Path
) -> None:
    if "VHOST_LIBRARY" not in os.environ:
        pytest.skip("skipped: VHOST_LIBRARY is not set")
    some = sorted(traces.glob("*.trace"))[:: RUNS // REPLAYS]
    with ExitStack() as stack:
        words = ""
        if workers == "dask":
            if importlib.util.find_spec("distributed") is None:
                pytest.skip("skipped: distributed is missing")
            words = f"--dask {stack.enter_context(dask(tmp_path))}"
        ended = replays(words, some)
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        assert ended.stdout == f"{len(some)} replays\n"
        # The recording of a library that printed something else, one that was cut off, and an empty
        # file.
        other, cut, empty = (tmp_path / f"{name}.trace" for name in ("other", "cut", "empty"))
        before, _, after = some[0].read_bytes().rpartition(b"round 0:")
        other.write_bytes(sealed(before + b"sound 0:" + after))
        cut.write_bytes(some[0].read_bytes()[:-3])
        empty.write_bytes(b"")
        for file, status in [(other, 1), (cut, 2), (empty, 2)]:
            ended = replays(words, [*some[:3], file])
            assert ended.returncode == status, ended
            assert ended.stderr.startswith(f"{file}: "), ended


@contextmanager
def dask(folder: Path) -> Iterator[str]:
    """Starts a cluster of two processes. Yields the address of its scheduler."""
    script = (
        "import sys, distributed\n"
        "with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as all:\n"
        "    print(all.scheduler_address, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    environment = {**WITH_PACKAGE, "DASK_TEMPORARY_DIRECTORY": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdout is not None
        yield started.stdout.readline().strip()
        # The cluster ends at the end of its input.


def test_a_run_that_does_not_start_has_a_recording_of_its_own(tmp_path: Path) -> None:
    trace, folder = tmp_path / "run.trace", tmp_path / "tables"
    command = f"{os.environ['FARM']} {os.environ['FIRMWARE']} 1 1 0"
    good = {**os.environ, "VHOST_TRACE": str(trace), "VHOST_RUN_ID": "good"}
    assert run(command, env=good).returncode == 0
    for bad in ({"VHOST_WATCHDOG": "x"}, {"VHOST_TRACE_COMPRESS": "gzip"}):
        name = next(iter(bad))
        assert run(command, env={**good, **bad, "VHOST_RUN_ID": name}).returncode == 255
        assert export(folder / name, str(trace)).returncode == 0
        runs = f"read_parquet('{folder}/{name}/runs/**/*.parquet')"
        found = duckdb.sql(f"SELECT run_id, verdict, first_error FROM {runs}").fetchall()
        [(identity, verdict, error)] = found
        assert (identity, verdict) == (name, "failed")
        assert name in error


def test_a_full_disk_is_told_and_leaves_nothing(traces: Path, tmp_path: Path) -> None:
    # A limit of the file size simulates a full disk.
    ended = run(
        f"trap '' XFSZ; ulimit -f 4; {VHOST} trace export --parquet {traces}/0-1*.trace -o {tmp_path}/tables"
    )
    assert ended.returncode == 2
    assert "not exported" in ended.stderr
    assert "0-1.trace" in ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert export(tmp_path / "tables", f"{traces}/0-1*.trace").returncode == 0


def test_the_files_are_small(traces: Path, tables: Path) -> None:
    """Parquet has at most three tenths of the size of the rows as JSON lines."""
    connection = duckdb.connect()
    size = sum(path.stat().st_size for path in (tables / "requests").rglob("*.parquet"))
    lines = tables.parent / "requests.json"
    connection.execute(
        f"COPY (SELECT * FROM read_parquet('{tables}/requests/*/*/*.parquet', hive_partitioning = false)) "
        f"TO '{lines}' (FORMAT json)"
    )
    assert size <= 0.3 * lines.stat().st_size
