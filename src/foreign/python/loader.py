"""Finds what the library calls in Python. It runs once for each system, before the first call of a method."""

import importlib
import importlib.util
import sys
import types
from pathlib import Path


def load(native, folder, shims):
    """Imports the user's modules.

    `native` is the library's own module, `folder` has the shims as files, and `shims` has their texts: by kind, both.
    """
    _offer_backdoor(native)
    _offer_shim(folder, shims)
    module = _import("pymb_rpcs") or importlib.import_module("pymb_rpc")
    shim = sys.modules.get("pymb_rpc", module)
    # What an earlier system of this process has left.
    getattr(shim, "reset", lambda: None)()
    start = _import("mbpy_calls_init")
    if start is not None:
        start.mbpy_calls_init()
    own_poll = module.poll is getattr(shim, "poll", None)
    return types.SimpleNamespace(
        poll=module.poll,
        callbacks=getattr(shim, "callbacks", None) if own_poll else None,
        tick=getattr(shim, "tick", None),
        cancel=getattr(shim, "cancel", None),
        tasks=getattr(shim, "tasks", None),
        note=None
        if start is not None
        else "there is no module `mbpy_calls_init`, whose function of the same name would register callbacks",
    )


def _offer_backdoor(native):
    """The module `vhost`: the package of that name where it is installed, which shows the native one; else that itself."""
    sys.modules.setdefault("vhost._vhost", native)
    if "vhost" not in sys.modules and importlib.util.find_spec("vhost") is None:
        sys.modules["vhost"] = native


def _offer_shim(folder, shims):
    """The module `pymb_rpc`: the user's, that of the staged folder, or the one that the library carries along."""
    cocotb = sys.modules.get("cocotb")
    kind = "cocotb" if getattr(cocotb, "is_simulation", False) else "async"
    staged = Path(folder, kind)
    if staged.is_dir() and str(staged) not in sys.path:
        sys.path.append(str(staged))
    if "pymb_rpc" in sys.modules or importlib.util.find_spec("pymb_rpc"):
        return
    shim = types.ModuleType("pymb_rpc")
    shim.__file__ = f"<vhost>/{kind}/pymb_rpc.py"
    exec(compile(shims[kind], shim.__file__, "exec"), shim.__dict__)
    sys.modules["pymb_rpc"] = shim


def _import(name):
    """A module of the user's; None where there is none of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
