"""Has programs that Python starts find `SIGPIPE` and `SIGXFSZ` as the simulator has them, and not blocked."""

import _posixsubprocess
import functools
import os
import posix
import sys

#: Set on a function that was wrapped, since a second system of the process installs again.
_MARK = "_vhost_starts_programs"


def install(start, forked):
    """Wraps the functions by which Python starts programs: `start` calls one. `forked` runs in children of `os.fork`."""
    if hasattr(_posixsubprocess.fork_exec, _MARK):
        return
    fork_exec = _wrapped(_posixsubprocess.fork_exec, start)
    _posixsubprocess.fork_exec = fork_exec
    # Imported by name where the module was there before.
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
