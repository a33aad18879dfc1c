"""Compiles sv/ and its testbenches with slang, a front end other than Verilator's.

Usage: check-sv.py plain|unserved|systems|uvm|package|packages|order|pages

Any error or warning is a failure, except those of UVM and of the CPU. `package` has the classes in a package of the
testbench, with MB_PTR and SV_CALL_MAX_ARGS predefined. `packages` has them in several packages, in each documented
order. `order` has files in the wrong order. `pages` are the testbenches of docs/.
"""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
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
testbench = ["integration/uvm/cluster_pkg.sv", "integration/uvm/testbench.sv"]
SOURCES = {
    "plain": [*cluster, "integration/uvm/plain_pkg.sv", "integration/uvm/plain_testbench.sv"],
    "unserved": ["sv/mailbox_sv/mailbox_if.sv", "integration/tb/unserved.sv"],
    "systems": [
        CPU / "picorv32.v",
        "integration/rtl/core.sv",
        "integration/rtl/array_ram.sv",
        "integration/rtl/scratch.sv",
        "integration/rtl/soc.sv",
        "sv/mailbox_sv/mailbox_if.sv",
        "integration/uvm/plain_pkg.sv",
        "integration/tb/systems_package.sv",
    ],
    "uvm": [f"{uvm}/uvm_pkg.sv", *cluster, "sv/mailbox_sv/mailbox_uvm_pkg.sv", *testbench],
    "package": [f"{uvm}/uvm_pkg.sv", *cluster, *testbench],
    "order": [f"{uvm}/uvm_pkg.sv", "sv/mailbox_sv/mailbox_uvm_pkg.sv", *cluster, *testbench],
}

# Packages of a user: predefined macros, and the files compiled before them.
WITH_UVM = [f"{uvm}/uvm_pkg.sv", "sv/mailbox_sv/mailbox_if.sv"]
PACKAGES = [
    ([], WITH_UVM),
    (["-DSOCKETS_FIRST"], WITH_UVM),
    (["-DSOCKETS_AGAIN"], WITH_UVM),
    (["-DSOCKETS_FIRST"], ["sv/mailbox_sv/mailbox_socket_pkg.sv", *WITH_UVM]),
    (["-DSOCKETS_AGAIN", "-DCLASSES_FROM_PACKAGE"], [*WITH_UVM, "sv/mailbox_sv/mailbox_uvm_pkg.sv"]),
    # mailbox_if.sv is compiled before UVM.
    (["-DSOCKETS_AGAIN", "-DCLASSES_OF_THE_FIRST"], reversed(WITH_UVM)),
    (["-DSOCKETS_AGAIN", "-DCLASSES_FROM_PACKAGE"], [*reversed(WITH_UVM), "sv/mailbox_sv/mailbox_uvm_pkg.sv"]),
]

# Files of each page, in the order of compilation. A file that a page lacks is taken from the first
# page.
PAGES = {
    "systemverilog": ["chip.sv", "top.sv"],
    "migrating": ["chip.sv", "my_pkg.sv", "top.sv"],
}

# Each file by itself, as for simulators whose files share no macros. UVM's macros are in the file
# of its package.
with_uvm = ["--single-unit", f"-I{uvm}"]
OPTIONS = {
    "plain": ["--top testbench"],
    "unserved": ["--top unserved"],
    "systems": ["--top testbench"],
    "uvm": ["--top testbench", *with_uvm],
    "package": ["--top testbench", *with_uvm, "-DOWN_PACKAGE", '-D "MB_PTR=longint unsigned"', "-DSV_CALL_MAX_ARGS=8"],
    "packages": [*with_uvm],
    "order": ["--top testbench", *with_uvm],
    # The chip leaves ports of the CPU open.
    "pages": ["--top top -Wno-unconnected-input-port -Wno-unconnected-output-port", *with_uvm],
}

# Inputs that must fail, with the part of Verilator's error that says what to do: a class before its
# base class, an export in a module.
REFUSED_BY_VERILATOR = {
    "order": (SOURCES["order"], "compile mailbox_if.sv before"),
    "packages": (
        ["-DSOCKETS_IN_MODULE", *WITH_UVM, "integration/uvm/own_package.sv"],
        "in a module, import mailbox_socket_pkg::*",
    ),
}


def main(which: str) -> int:
    if which == "pages":
        return sum(not compiles(which, sources) for sources in pages())
    if which == "packages":
        own = "integration/uvm/own_package.sv"
        failed = sum(not compiles(which, [*defines, *sources, own]) for defines, sources in PACKAGES)
        return failed + refused_by_verilator(which)
    if not compiles(which, SOURCES[which]):
        return 1
    return refused_by_verilator(which) if which in REFUSED_BY_VERILATOR else 0


def compiles(which: str, sources: list) -> bool:
    driver = Driver()
    driver.addStandardArgs()
    theirs = f"--suppress-warnings={CPU} --suppress-warnings={uvm}"
    words = [
        "slang --timescale 1ns/1ps -Werror",
        "-Isv/mailbox_sv -Iintegration/uvm",
        theirs,
        *OPTIONS[which],
        *map(str, sources),
    ]
    ok = driver.parseCommandLine(" ".join(words)) and driver.processOptions() and driver.parseAllSources()
    if not ok:
        driver.reportDiagnostics(False)
        return False
    compilation = driver.createCompilation()
    driver.reportCompilation(compilation, False)
    driver.runAnalysis(compilation)
    return driver.reportDiagnostics(False)


def pages() -> Iterator[list]:
    """Writes the SystemVerilog of each page to a folder, and yields its sources."""
    first: dict[str, str] = {}
    for page, names in PAGES.items():
        text = Path(f"docs/{page}.md").read_text()
        blocks = dict(re.findall(r"^`([\w.]+)`[^\n]*:\n\n```systemverilog\n(.*?)^```", text, re.M | re.S))
        first = first or blocks
        folder = Path("target/docs") / page
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(blocks.get(name) or first[name])
        yield [f"{uvm}/uvm_pkg.sv", CPU / "picorv32.v", "sv/mailbox_sv/mailbox_if.sv", *(folder / name for name in names)]


def refused_by_verilator(which: str) -> int:
    sources, reason = REFUSED_BY_VERILATOR[which]
    home = Path(sysconfig.get_path("purelib")) / "verilator"
    run = subprocess.run(
        [home / "bin/verilator", "--lint-only", "--timing", "--timescale", "1ns/1ps", "-Wno-fatal", "-Isv/mailbox_sv"]
        + [f"-I{uvm}", *sources],
        env={**os.environ, "VERILATOR_ROOT": str(home)},
        capture_output=True,
        text=True,
    )
    if run.returncode == 0 or reason not in run.stderr:
        print(f"verilator was to say `{reason}`, and ended with {run.returncode}:\n{run.stderr}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
