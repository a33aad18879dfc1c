"""Recordings in Python, with the library of VHOST_LIBRARY; skipped without one that has Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from blocks import sealed

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "integration/golden").glob("*.trace"))
SELFTEST = ROOT / "integration/golden/selftest.trace"


@pytest.fixture
def vhost(monkeypatch: pytest.MonkeyPatch) -> Any:
    if "VHOST_LIBRARY" not in os.environ:
        pytest.skip("skipped: VHOST_LIBRARY names no library with Python")
    monkeypatch.syspath_prepend(str(ROOT / "python"))
    # The native modules can be initialised once only.
    for name in [name for name in sys.modules if name.split(".")[0] == "vhost"]:
        if name not in ("vhost._vhost", "vhost._recordings"):
            monkeypatch.delitem(sys.modules, name)
    import vhost

    return vhost


@pytest.fixture
def shown() -> list[dict[str, Any]]:
    command = os.environ.get("VHOST")
    if command is None:
        pytest.skip("skipped: VHOST names no command")
    lines = subprocess.run(
        [command, "trace", "show", "--json", SELFTEST], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in lines.stdout.splitlines()]


def test_messages_are_those_of_trace_show(vhost: Any, shown: list[dict[str, Any]]) -> None:
    with vhost.trace.open(SELFTEST) as recording:
        messages = list(recording.messages())
    assert len(messages) == len(shown)
    for message, line in zip(messages, shown, strict=True):
        assert message.frame == line["frame"]
        assert message[1:8] == tuple(
            line[key] for key in ("sequence", "root", "tick", "event", "from", "to", "message")
        )
        assert message.awaited == line.get("awaited")
        assert message.channel == line.get("channel")
        assert message.body == line.get("body")


def test_requests_are_those_of_trace_show(vhost: Any, shown: list[dict[str, Any]]) -> None:
    requests = list(vhost.trace.open(SELFTEST).requests())
    served = [line for line in shown if line["message"] == "Served"]
    assert [(it.text, it.answered, it.channel) for it in requests] == [
        (line["request"], line["tick"], line["channel"]) for line in served
    ]
    assert [it.number for it in requests] == list(range(len(requests)))
    methods = {it.method for it in requests if it.kind == "CALL"}
    assert "no_such_method" in methods
    paths = {it.path for it in requests if it.kind == "FILE OPEN"}
    assert "missing.txt" in paths
    assert {it.path for it in requests if it.kind == "FILE READ"} == {None}
    failed = [it for it in requests if it.errno is not None]
    assert all(it.result is None for it in failed)
    assert 2 in {it.errno for it in failed}


def test_a_header_has_the_origin(vhost: Any) -> None:
    header = vhost.trace.open(SELFTEST).header
    assert header.whole
    assert header.payloads == "keep"
    assert header.run == {}


def test_arrow_has_the_same_rows(vhost: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    for trace in GOLDEN:
        recording = vhost.trace.open(trace)
        for table, rows in [
            ("requests", recording.requests()),
            ("messages", recording.messages()),
        ]:
            columns = recording.arrow(table).read_all()
            columns.validate(full=True)
            found = [tuple(row.values()) for row in columns.to_pylist()]
            expected = [
                tuple(list(value) if isinstance(value, tuple) else value for value in row)
                for row in rows
            ]
            assert found == expected
        # The recording itself is a stream.
        stream = pyarrow.RecordBatchReader.from_stream(recording)
        assert stream.read_all().num_rows == len(list(recording.requests()))


def test_engines_take_a_recording(vhost: Any) -> None:
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    recording = vhost.trace.open(SELFTEST)
    count = len(list(recording.requests()))
    assert polars.DataFrame(recording).height == count
    connection = duckdb.connect()
    connection.register("requests", recording.arrow())
    assert connection.sql("SELECT count(*) FROM requests").fetchall() == [(count,)]


def test_differences_are_places(vhost: Any, tmp_path: Path) -> None:
    assert vhost.trace.diff(SELFTEST, SELFTEST) is None
    found = vhost.trace.diff(SELFTEST, GOLDEN[0])
    assert found.one is not None
    assert found.other is not None
    cut = tmp_path / "cut.trace"
    cut.write_bytes(SELFTEST.read_bytes()[:-3])
    found = vhost.trace.diff(SELFTEST, cut)
    recording = vhost.trace.open(cut)
    assert recording.is_cut is None
    count = len(list(recording.messages()))
    assert recording.is_cut
    whole = vhost.trace.open(SELFTEST)
    list(whole.requests())
    assert whole.is_cut is False
    assert found == vhost.trace.Difference(found.equal, found.one, None)
    assert found.equal == count


def test_faulty_files_are_errors_behind_the_rows_before(vhost: Any, tmp_path: Path) -> None:
    for content in (b"", b"text", b"VHOSTTRC\x63\0\0\0"):
        file = tmp_path / "other.trace"
        file.write_bytes(content)
        with pytest.raises(vhost.Error, match=r"other\.trace"):
            vhost.trace.open(file)
    with pytest.raises(vhost.Error, match="No such file"):
        vhost.trace.open(tmp_path / "missing.trace")
    damaged = bytearray(SELFTEST.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    before: list[Any] = []
    with pytest.raises(vhost.Error, match="checksum mismatch"):
        before.extend(vhost.trace.open(file).messages())
    # The last block is damaged, or cut off.
    file.write_bytes(damaged[:-1])
    assert before == list(vhost.trace.open(file).messages())
    assert len(before) > 0
    file.write_bytes(damaged)
    with pytest.raises(vhost.Error, match="checksum mismatch"):
        vhost.replay(file)


def test_messages_of_another_version_are_counted(vhost: Any, tmp_path: Path) -> None:
    before, found, after = SELFTEST.read_bytes().partition(b"\6Served")
    assert found
    file = tmp_path / "other.trace"
    file.write_bytes(sealed(before + b"\6Surved" + after))
    whole, other = vhost.trace.open(SELFTEST), vhost.trace.open(file)
    assert other.undecoded is None
    count = len(list(whole.requests()))
    assert (list(other.requests()), other.undecoded, whole.undecoded) == ([], count, 0)


def test_replays_of_a_pool_of_threads(vhost: Any) -> None:
    # Recordings of designs in simulators, eight times each, four at once.
    with ThreadPoolExecutor(4) as pool:
        replayed = list(pool.map(vhost.replay, [SELFTEST] * 8 + GOLDEN))
    assert set(replayed[:8]) == {vhost.replay(SELFTEST)}
    assert all(it.messages > 0 and it.ticks > 0 for it in replayed)
    one = vhost.replay(SELFTEST, only="mailbox")
    assert 0 < one.messages < replayed[0].messages
    with pytest.raises(ValueError, match="actor"):
        vhost.replay(SELFTEST, only="nobody")


def test_threads_may_be_the_first_to_use_it(vhost: Any) -> None:
    del vhost
    program = (
        "import sys, vhost; from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "print(len(set(Pool(8).map(vhost.replay, sys.argv[1:]))))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *[SELFTEST] * 16],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "1\n"


def test_a_difference_is_raised_with_its_frame(vhost: Any, tmp_path: Path) -> None:
    # The last one is firmware's output; the one before is a read of memory by the library.
    before, found, after = SELFTEST.read_bytes().rpartition(b"hello from firmware")
    assert found
    file = tmp_path / "changed.trace"
    file.write_bytes(sealed(before + b"jello from firmware" + after))
    with pytest.raises(vhost.DifferenceError, match=r"frame \d+ differs"):
        vhost.replay(file)
    assert issubclass(vhost.DifferenceError, vhost.Error)
    found = vhost.trace.diff(SELFTEST, file)
    assert found.one == found.other
    assert found.equal > 0


def test_a_recording_without_payloads_is_not_replayed(vhost: Any, tmp_path: Path) -> None:
    with pytest.raises(vhost.Error, match=r"missing\.trace"):
        vhost.replay(tmp_path / "missing.trace")
    dropped = bytearray(SELFTEST.read_bytes())
    # Magic and format, block, frame; version; `whole`; payloads.
    payloads = 12 + 8 + 5 + 1 + dropped[25] + 1
    assert dropped[payloads - 1 : payloads + 1] == b"\1\0"
    dropped[payloads] = 2
    file = tmp_path / "dropped.trace"
    file.write_bytes(sealed(bytes(dropped)))
    assert vhost.trace.open(file).header.payloads == "drop"
    with pytest.raises(vhost.Error, match="recorded without payloads") as raised:
        vhost.replay(file)
    assert not isinstance(raised.value, vhost.DifferenceError)
