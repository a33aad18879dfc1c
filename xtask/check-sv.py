"""Has another front end than Verilator's compile sv/ and the testbenches on it: check-sv.py plain|uvm.

Any error or warning is a failure, but for those of UVM and of the CPU, which are not ours.
"""

import os
import sys
from pathlib import Path

import pythondata_cpu_picorv32
from pyslang.driver import Driver

UVM = [Path(home) / "src" for home in (os.environ.get("UVM_HOME"), "target/uvm/2020.3.1") if home]
CPU = Path(pythondata_cpu_picorv32.data_location)

uvm = next((source for source in UVM if (source / "uvm_pkg.sv").is_file()), None)
cluster = [
    CPU / "picorv32.v",
    "integration/rtl/core.sv",
    "integration/rtl/cluster.sv",
    "sv/mailbox_sv/mailbox_if.sv",
    "integration/uvm/cluster_bench.sv",
    "integration/tb/mb_socket_pkg.sv",
]
SOURCES = {
    "plain": [*cluster, "integration/uvm/plain_pkg.sv", "integration/uvm/plain_testbench.sv"],
    "uvm": [
        f"{uvm}/uvm_pkg.sv",
        *cluster,
        "sv/mailbox_sv/mailbox_uvm_pkg.sv",
        "integration/uvm/cluster_pkg.sv",
        "integration/uvm/testbench.sv",
    ],
}

# Each file by itself, as simulators compile them that share no macros between files; UVM's macros are in its package's file.
options = {"plain": [], "uvm": ["--single-unit", f"-I{uvm}"]}


def main(which: str) -> int:
    driver = Driver()
    driver.addStandardArgs()
    theirs = f"--suppress-warnings={CPU} --suppress-warnings={uvm}"
    words = [
        "slang --timescale 1ns/1ps --top testbench -Werror",
        "-Isv/mailbox_sv -Iintegration/uvm",
        theirs,
        *options[which],
        *map(str, SOURCES[which]),
    ]
    ok = driver.parseCommandLine(" ".join(words)) and driver.processOptions() and driver.parseAllSources()
    if not ok:
        driver.reportDiagnostics(False)
        return 1
    compilation = driver.createCompilation()
    driver.reportCompilation(compilation, False)
    driver.runAnalysis(compilation)
    return 0 if driver.reportDiagnostics(False) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
