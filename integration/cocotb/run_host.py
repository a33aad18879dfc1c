"""Builds the chip for a simulator of cocotb's runner, and runs test_host in it: `run_host.py SIMULATOR FOLDER`.

It ends with whether the tests have passed. The environment has the rest: LIBRARY is the file of the library, PICORV32 the
folder of the CPU, FIRMWARE0 the image, MAILBOX_FS_ROOT the root of firmware's files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner
from vhost.library import simulation_environment

HERE = Path(__file__).parent

#: Arguments of the build. In Verilator arrays must be public.
ARGUMENTS = {
    "icarus": ["-g2005"],
    "verilator": ["-Wno-fatal", "--quiet", "--public-flat-rw", "-CFLAGS", "-std=c++20"],
}


def main(name: str, build: Path) -> int:
    simulator = get_runner(name)
    simulator.build(
        sources=[Path(os.environ["PICORV32"], "picorv32.v"), HERE.parent / "icarus/chip.v"],
        hdl_toplevel="chip",
        build_dir=build,
        build_args=ARGUMENTS[name],
        timescale=("1ns", "1ps"),
        always=True,
    )
    results = simulator.test(
        hdl_toplevel="chip",
        test_module="test_host",
        build_dir=build,
        test_dir=HERE,
        results_xml=str(build / "results.xml"),
        extra_env=simulation_environment(),
    )
    tests, failures = get_results(results)
    return 0 if tests > 0 and failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]).resolve()))
