"""Tests the installed package: its module, its stubs, and a C program that uses its library.

Run it with the interpreter that the package is installed for. The argument is an interpreter with
mypy and NumPy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import vhost
from vhost import library

HERE = Path(__file__).parent

MEMORIES = (
    "space: {core: [{ram: {base: 0, size: 0x2000, path: tb.ram, width: 32, backend: static}}]}"
)
MAILBOXES = "core: {space: core, base: 0x1000, ptr: 32, cache_line: 0}"

#: Methods for firmware.
METHODS = """
import asyncio, sys
import numpy
import vhost
from pymb_rpc import register_callback

def mbpy_calls_init():
    register_callback(squares)

async def squares(channel, address, count):
    assert sys.prefix == {prefix!r}, sys.prefix
    assert vhost.__file__.startswith(sys.prefix), vhost.__file__
    await asyncio.sleep(0)
    space = vhost.get_space(channel)
    vhost.write_bytes(space, address, numpy.arange(count, dtype=numpy.uint32) ** 2)
    back = numpy.empty((4, count // 4), dtype=numpy.uint32)
    assert vhost.read_into(space, address, back) == 4 * count
    assert back[3, -1] == (count - 1) ** 2
    print('numpy and asyncio in', sys.prefix)
    return count
"""


def main(tools: str) -> None:
    """Runs all tests."""
    crate = Path(HERE.parents[1], "Cargo.toml").read_text()
    assert f'version = "{version("vhost")}"' in crate
    assert vhost.__version__ == version("vhost")
    try:
        vhost.read_u32("core", 0)
        raise AssertionError("there is no system here")
    except vhost.Error as error:
        print("as it must be:", error)

    selftest = HERE.parent / "golden" / "selftest.trace"
    with vhost.trace.open(selftest) as recording:
        assert any(request.method == "add" for request in recording.requests())
    assert vhost.replay(selftest).messages > 0

    packages = output(tools, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    here = Path(vhost.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(here)}
    print(output(tools, "-m", "mypy.stubtest", "vhost._vhost", env=environment))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "program"
        run(
            "c++",
            "-x",
            "c++",
            HERE / "program.c",
            "-x",
            "none",
            f"-I{library.include()}",
            *library.link_flags(),
            "-o",
            program,
        )
        (folder / "mem.yaml").write_text(MEMORIES)
        (folder / "mailbox.yaml").write_text(MAILBOXES)
        (folder / "mbpy_calls_init.py").write_text(METHODS.format(prefix=sys.prefix))
        search = os.pathsep.join([name, packages])
        environment = {**os.environ, "VIRTUAL_ENV": sys.prefix, "PYTHONPATH": search}
        said = output(
            program, folder / "mem.yaml", folder / "mailbox.yaml", folder, env=environment
        )
        print(said)
        assert said.count("16 squares, the last is 225") == 2


def run(*command: str | Path) -> None:
    """Runs a command that must succeed."""
    subprocess.run(command, check=True)


def output(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Returns the output of a command that must succeed."""
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=env
    ).stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1])
