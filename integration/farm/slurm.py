"""Slurm with one node: its programs run as child processes on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Programs of Debian's slurm-wlm and munge, which are outside of a user's PATH.
PROGRAMS = ("mungekey", "munged", "slurmctld", "slurmd", "sbatch", "sinfo")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
# Timeout in seconds.
PATIENCE = 60


def is_installed() -> bool:
    return all(shutil.which(program, path=PATH) for program in PROGRAMS)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def configuration(folder: Path, node: str, user: str) -> str:
    return f"""\
ClusterName=farm
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MaxArraySize=1001
ReturnToService=2
NodeName={node} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Starts the cluster in an empty folder. Returns the environment of its commands."""
    folder.chmod(0o700)
    node = socket.gethostname().split(".")[0]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    conf = folder / "slurm.conf"
    conf.write_text(configuration(folder, node, user))
    for name in ("state", "spool"):
        (folder / name).mkdir()
    environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(conf)}
    key = folder / "munge.key"
    munge = [f"--{part}-file={folder}/munge.{part}" for part in ("log", "pid", "seed")]
    commands = [
        ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket", *munge],
        ["slurmctld", "-D", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf), "-N", node],
    ]  # fmt: skip
    subprocess.run(["mungekey", "--create", f"--keyfile={key}"], env=environment, check=True)
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(running(command, folder, environment))
            if command[0] == "munged":
                until(lambda: (folder / "munge.socket").exists(), folder)
        until(lambda: is_idle(environment), folder)
        yield environment


@contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{command[0]}.output").open("wb") as output:
        started = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def is_idle(environment: dict[str, str]) -> bool:
    states = subprocess.run(
        ["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True, check=False
    )
    return states.stdout.split() == ["idle"]


def until(condition: Callable[[], bool], folder: Path) -> None:
    """Waits for a condition, and fails with the programs' output after the timeout."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            outputs = [path.read_text(errors="replace") for path in folder.glob("*.output")]
            raise TimeoutError("\n".join(["Slurm does not start", *outputs]))
        time.sleep(0.2)
