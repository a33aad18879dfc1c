"""Starts Python's programs with the simulator's `SIGPIPE` and `SIGXFSZ`, which are blocked in
threads that run Python.
"""

import _posixsubprocess
import functools
import os
import posix
import sys

#: Attribute of a wrapped function, because a second system of the process installs again.
_MARK = "_vhost_starts_programs"


def install(start, forked):
    """Wraps the functions that start programs: `start` calls one of them. `forked` runs in children
    of `os.fork`.
    """
    if hasattr(_posixsubprocess.fork_exec, _MARK):
        return
    fork_exec = _wrapped(_posixsubprocess.fork_exec, start)
    _posixsubprocess.fork_exec = fork_exec
    # Imported by name if the module was imported before.
    subprocess = sys.modules.get("subprocess")
    if hasattr(subprocess, "_fork_exec"):
        subprocess._fork_exec = fork_exec
    for name in ("system", "posix_spawn", "posix_spawnp"):
        if hasattr(posix, name):
            function = _wrapped(getattr(posix, name), start)
            setattr(posix, name, function)
            setattr(os, name, function)
    os.register_at_fork(after_in_child=forked)


def _wrapped(function, start):
    @functools.wraps(function)
    def starts(*args, **kwargs):
        return start(function, *args, **kwargs)

    setattr(starts, _MARK, True)
    return starts
