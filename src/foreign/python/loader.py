"""Imports the modules that the library calls. Runs once for each system, before the first call of a
method.
"""

import importlib
import importlib.util
import os
import sys
import types
from importlib.machinery import PathFinder
from pathlib import Path

#: Names that a shim has if it advances its own calls.
SHIM = ("poll", "tick", "cancel", "tasks", "callbacks")


def load(native, polled, folder, shims):
    """Imports the user's modules.

    `native` is the library's own module, `polled` advances the calls of a user's own `poll`,
    `folder` has the shims as files, and `shims` has the texts of those files by their path in the
    folder.
    """
    _offer_backdoor(native)
    kind = _kind()
    notes = _offer_shim(kind, folder, shims)
    if kind == "async":
        # The user's modules may get the loop during their import, which may be on any thread.
        polled.offer_loop()
    module = _import("pymb_rpcs") or importlib.import_module("pymb_rpc")
    shim = sys.modules.get("pymb_rpc")
    # Drops state of an earlier system of this process.
    for part in {id(part): part for part in (module, shim)}.values():
        getattr(part, "reset", lambda: None)()
    start = _import("mbpy_calls_init")
    if start is not None:
        start.mbpy_calls_init()
    shim = sys.modules.get("pymb_rpc")
    of_shim = module.poll is getattr(shim, "poll", None)
    called = shim
    if not of_shim or not all(hasattr(shim, part) for part in SHIM):
        called = polled.Polled(module, shim)
    # Under cocotb a test registers its methods itself.
    if start is None and not getattr(shim, "callbacks", None):
        notes.append(
            "there is no module `mbpy_calls_init`, whose function of the same name would register callbacks"
        )
    return types.SimpleNamespace(
        poll=called.poll,
        tick=called.tick,
        cancel=called.cancel,
        tasks=called.tasks,
        # Only the user's own `poll` knows its methods.
        callbacks=getattr(shim, "callbacks", None) if of_shim else None,
        warning=getattr(called, "warning", None),
        notes=notes,
    )


def _offer_backdoor(native):
    """Provides the module `vhost`: the installed package, which re-exports the native module, or
    else the latter itself.
    """
    sys.modules.setdefault("vhost._vhost", native)
    if "vhost" not in sys.modules and importlib.util.find_spec("vhost") is None:
        sys.modules["vhost"] = native


def _kind():
    """Returns the scheduler of this simulation."""
    cocotb = sys.modules.get("cocotb")
    return "cocotb" if getattr(cocotb, "is_simulation", False) else "async"


def _offer_shim(kind, folder, shims):
    """Provides the module `pymb_rpc`: the user's, the one in the staged folder, or the library's.

    Returns notes for the user.
    """
    staged = Path(folder, kind)
    if staged.is_dir() and str(staged) not in sys.path:
        sys.path.append(str(staged))
    if importlib.util.find_spec("pymb_registry") is None:
        _carried("pymb_registry", "pymb_registry.py", shims)
    if "pymb_rpc" in sys.modules:
        return []
    spec, passed_over = _find_shim(kind)
    notes = [
        f"{place} is on the search path, and this is no run of cocotb: it is passed over; PYTHONPATH needs it under cocotb alone"
        for place in passed_over
    ]
    if spec is not None and passed_over:
        sys.modules["pymb_rpc"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    if spec is not None:
        return notes
    _carried("pymb_rpc", f"{kind}/pymb_rpc.py", shims)
    return notes


def _carried(name, file, texts):
    """Imports a module from its text in the library."""
    module = types.ModuleType(name)
    module.__file__ = f"<vhost>/{file}"
    exec(compile(texts[file], module.__file__, "exec"), module.__dict__)
    sys.modules[name] = module


def _find_shim(kind):
    """Finds the first module `pymb_rpc` that works here, and the folders of earlier ones that need
    cocotb.
    """
    spec, passed_over = importlib.util.find_spec("pymb_rpc"), []
    while kind == "async" and _needs_cocotb(spec):
        passed_over.append(str(Path(spec.origin).parent))
        path = [
            entry
            for entry in sys.path
            if os.path.realpath(entry) not in map(os.path.realpath, passed_over)
        ]
        spec = PathFinder.find_spec("pymb_rpc", path)
    return spec, passed_over


def _needs_cocotb(spec):
    """True for cocotb's shim: a module in a folder `cocotb` that imports cocotb."""
    if spec is None or spec.origin is None or Path(spec.origin).parent.name != "cocotb":
        return False
    try:
        text = Path(spec.origin).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return "import cocotb" in text.splitlines()


def _import(name):
    """Imports a module of the user; None if there is none of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
