"""The plugin for pytest, loaded by name as its entry point does."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

PYTHON = Path(__file__).parents[1]

TEST = """
def test_files_of_firmware_are_those_of_the_test(vhost_environment, tmp_path):
    environment = vhost_environment(mem="m.yaml", FIRMWARE="f.elf")
    assert environment["MEM_CFG_FILE"] == "m.yaml" and environment["FIRMWARE"] == "f.elf"
    assert environment["MAILBOX_FS_ROOT"] == str(tmp_path)
    assert vhost_environment(files="root")["MAILBOX_FS_ROOT"] == "root"
"""


def test_the_fixture_gives_the_environment_of_a_simulation(tmp_path: Path) -> None:
    project = tomllib.loads((PYTHON.parent / "pyproject.toml").read_text())
    plugin = project["project"]["entry-points"]["pytest11"]["vhost"]
    (tmp_path / "test_user.py").write_text(TEST)
    library = tmp_path / "libvhost.so"
    library.touch()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", plugin, tmp_path / "test_user.py"],
        env={**os.environ, "PYTHONPATH": str(PYTHON), "VHOST_LIBRARY": str(library)},
        cwd=tmp_path,
        check=True,
    )
