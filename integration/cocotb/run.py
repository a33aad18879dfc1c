"""Builds the simulation with cocotb's own runner, and runs the test. The exit status is 0 if it
passed.

Environment: LIBRARY is the folder of libvhost.so, PICORV32 that of the CPU. The host's
configuration and PYTHONPATH are passed on to the simulation.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

HERE = Path(__file__).parent
LIBRARY = os.environ["LIBRARY"]
PICORV32 = os.environ["PICORV32"]


def main(build: Path) -> int:
    rtl = HERE.parent / "rtl"
    simulator = get_runner("verilator")
    simulator.build(
        sources=[Path(PICORV32, "picorv32.v"), rtl / "core.sv", rtl / "ram.sv", HERE / "top.sv"],
        hdl_toplevel="top",
        build_dir=build,
        build_args=[
            str(rtl / "ram.cpp"),
            "--quiet",
            "-Wno-fatal",
            "-CFLAGS",
            f"-std=c++20 -fcoroutines -I{HERE.parents[1] / 'include'}",
            "-LDFLAGS",
            f"-L{LIBRARY} -lvhost -Wl,-rpath,{LIBRARY}",
        ],
        timescale=("1ns", "1ps"),
        always=True,
    )
    results = simulator.test(
        hdl_toplevel="top",
        test_module="test_switches",
        build_dir=build,
        test_dir=HERE,
        results_xml=str(build / "results.xml"),
    )
    tests, failures = get_results(results)
    return 0 if tests > 0 and failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
