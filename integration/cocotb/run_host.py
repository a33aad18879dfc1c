"""Builds the chip for a simulator of cocotb's runner, and runs test_host: `run_host.py SIMULATOR
FOLDER`.

The exit status is 0 if the tests passed. Environment: VHOST_LIBRARY is the file of the library,
PICORV32 the folder of the CPU, FIRMWARE0 the image, MAILBOX_FS_ROOT the root of firmware's files.
GHDL finds vhost_ghdl.so in LD_LIBRARY_PATH. Relative paths begin at the working directory.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner
from vhost.library import simulation_environment

HERE = Path(__file__).parent

PROJECT = HERE.parent.parent

#: Arguments of the build. In Verilator arrays must be public.
ARGUMENTS = {
    "icarus": ["-g2005"],
    "verilator": ["-Wno-fatal", "--quiet", "--public-flat-rw", "-CFLAGS", "-std=c++20"],
    "ghdl": ["--std=08"],
}

#: Memory configuration of simulators in which memories are not arrays.
MEMORIES = {"ghdl": {"MEMORIES": "ghdl.mem.yaml"}}


#: Variables with paths. The simulation runs in another folder than this script.
PATHS = ("FIRMWARE0", "MAILBOX_FS_ROOT", "VHOST_LIBRARY", "VHOST_TRACE", "LD_LIBRARY_PATH")


def absolute(paths: str) -> str:
    """Returns paths, with colons between them, that are the same in any folder."""
    return os.pathsep.join(str(Path(path).absolute()) for path in paths.split(os.pathsep) if path)


def design(name: str) -> tuple[str, list[Path]]:
    """Returns top and sources of the chip. The chip in VHDL has its RAM in vhost_memory: GHDL drops
    writes to arrays."""
    if name == "ghdl":
        return "core", [PROJECT / "vhdl/vhost_pkg.vhd", HERE.parent / "vhdl/core.vhd"]
    picorv32 = Path(os.environ["PICORV32"], "picorv32.v")
    return "chip", [picorv32, HERE.parent / "icarus/chip.v"]


def main(name: str, build: Path) -> int:
    for variable in PATHS:
        if variable in os.environ:
            os.environ[variable] = absolute(os.environ[variable])
    simulator = get_runner(name)
    top, sources = design(name)
    # Folder of GHDL's libraries, for the build and for the run.
    folder = [f"--workdir={build}"] if name == "ghdl" else []
    simulator.build(
        sources=sources,
        hdl_toplevel=top,
        build_dir=build,
        build_args=ARGUMENTS[name] + folder,
        timescale=None if name == "ghdl" else ("1ns", "1ps"),
        always=True,
    )
    results = simulator.test(
        hdl_toplevel=top,
        test_module="test_host",
        build_dir=build,
        test_dir=HERE,
        test_args=ARGUMENTS[name] + folder if name == "ghdl" else [],
        results_xml=str(build / "results.xml"),
        extra_env=simulation_environment() | MEMORIES.get(name, {}),
    )
    tests, failures = get_results(results)
    return 0 if tests > 0 and failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]).resolve()))
