"""Functions of the package that call the C ABI, with a C library in place of the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = Path(__file__).parents[1]

LIBRARY = """
#include <stdint.h>
#include <string.h>
static int left = 2, notified;
static const char *error = "";
int mb_init(const char *mem, const char *mailbox, const char *files) {
    if (mem && mailbox && !files && strcmp(mem, "mem.yaml") == 0 && strcmp(mailbox, "mailbox.yaml") == 0)
        return 0;
    error = "mb_init: it is refused";
    return -1;
}
int mb_tick(void) {
    if (left == 0)
        error = "mb_tick: it has failed";
    return --left;
}
void mb_notify(void) { notified = 1; }
const char *mb_status(void) { return notified ? "notified" : "idle"; }
void mb_shutdown(void) { notified = 0; }
const char *mb_last_error(void) { return error; }
static int systems, selected, closed;
void *mb_system_open(const char *name) {
    error = "mb_system_open: it is refused";
    return strcmp(name, "main") == 0 ? 0 : (void *)(uintptr_t)(0x7379730000000000 + ++systems);
}
int mb_system_select(void *system) { selected = (uintptr_t)system & 0xff; return selected <= systems ? 0 : -1; }
void *mb_system_current(void) { return selected ? (void *)(uintptr_t)(0x7379730000000000 + selected) : 0; }
int mb_system_close(void *system) { closed = (uintptr_t)system & 0xff; return 0; }
int number_of_selected(void) { return selected; }
int number_of_closed(void) { return closed; }
int mb_save(const char *file) {
    error = "mb_save: it can't be written";
    return strcmp(file, "a.ckpt") == 0 ? 0 : -1;
}
int mb_restore(const char *file) {
    error = "mb_restore: it is damaged";
    return strcmp(file, "a.ckpt") == 0 ? 0 : -1;
}
int mb_exit_code(const char *ch, uint32_t *code) {
    *code = strcmp(ch, "cpu0") == 0 ? 3 : 0;
    return strcmp(ch, "cpu1") == 0 ? 0 : strcmp(ch, "nobody") == 0 ? -1 : 1;
}
"""

USER = """
import vhost
from vhost import library
vhost.init("mem.yaml", "mailbox.yaml")
assert vhost.status() == "idle"
vhost.notify()
assert vhost.status() == "notified"
assert vhost.tick() == 1 and vhost.tick() == 0
assert (vhost.exit_code("cpu0"), vhost.exit_code("cpu1"), vhost.exit_code()) == (3, None, 0)
vhost.save("a.ckpt")
vhost.restore("a.ckpt")
vhost.shutdown()
assert vhost.status() == "idle"
for wrong, text in (
    (lambda: vhost.init(), "mb_init: it is refused"),
    (lambda: vhost.tick(), "mb_tick: it has failed"),
    (lambda: vhost.exit_code("nobody"), "mb_tick: it has failed"),
    (lambda: vhost.save("b.ckpt"), "mb_save: it can't be written"),
    (lambda: vhost.restore("b.ckpt"), "mb_restore: it is damaged"),
):
    try:
        wrong()
    except RuntimeError as error:
        assert str(error) == text, error
    else:
        raise AssertionError(text)
import ctypes
stub = ctypes.CDLL(str(library.find()))
left, right = vhost.System("left"), vhost.System("right")
assert stub.number_of_selected() == 0
with left:
    assert stub.number_of_selected() == 1
    with right as inner:
        assert inner is right and stub.number_of_selected() == 2
        with left:
            assert stub.number_of_selected() == 1
        assert stub.number_of_selected() == 2
    assert stub.number_of_selected() == 1
assert stub.number_of_selected() == 0
right.close()
assert stub.number_of_closed() == 2
for wrong, text in (
    (right.__enter__, "system 'right' is closed"),
    (right.close, "system 'right' is closed"),
    (lambda: vhost.System("main"), "mb_system_open: it is refused"),
):
    try:
        wrong()
    except RuntimeError as error:
        assert str(error) == text, error
    else:
        raise AssertionError(text)
environment = library.simulation_environment(mem="m.yaml", FIRMWARE0="f.elf")
assert environment["MEM_CFG_FILE"] == "m.yaml" and environment["FIRMWARE0"] == "f.elf"
assert environment["VHOST_LIBRARY"] == str(library.find())
assert "MAILBOX_CFG_FILE" not in environment
"""


# The library of C has no support for Python.
WITHOUT_PYTHON = """
import vhost
from vhost.cocotb import register_callback
async def add(dut, channel):
    return 0
uses = (lambda: vhost.Error, lambda: vhost.read_u32("cpu", 0), lambda: register_callback(add))
for library in ("the library of VHOST_LIBRARY, ", "the loaded library "):
    for use in uses:
        try:
            use()
        except ImportError as error:
            text = str(error)
            assert text.startswith(library), text
            assert text.endswith("libstub.so has no Python support; build it with the feature `python`"), text
            assert error.__suppress_context__, "one error"
        else:
            raise AssertionError(use)
    vhost.notify()
"""

# A native module in place of the library's, for its exception.
CLOSED = """
import sys
from types import ModuleType
class Error(RuntimeError): pass
native = sys.modules["vhost._vhost"] = ModuleType("vhost._vhost")
native.Error = Error
import vhost
system = vhost.System("left")
system.close()
for use in (system.close, system.__enter__):
    try:
        use()
    except vhost.Error as error:
        assert str(error) == "system 'left' is closed", error
    else:
        raise AssertionError(use)
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """C library in place of the real one."""
    source, library = tmp_path / "library.c", tmp_path / "libstub.so"
    source.write_text(LIBRARY)
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    return library


def run(program: str, library: Path) -> None:
    """Runs a program in Python with this library."""
    subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(PYTHON), "VHOST_LIBRARY": str(library)},
        check=True,
    )


def test_the_system_is_driven_by_the_c_abi(stub: Path) -> None:
    run(USER, stub)


def test_a_library_without_support_for_python_names_the_feature(stub: Path) -> None:
    pytest.importorskip("cocotb")
    run(WITHOUT_PYTHON, stub)


def test_a_closed_system_raises_the_errors_of_the_library(stub: Path) -> None:
    run(CLOSED, stub)
