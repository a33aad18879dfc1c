"""Advances the calls of a user's own `poll`, by the module's own `tick` or by the event loops that
it uses.
"""

import asyncio
import gc
import threading
import types
import warnings

#: Number of polls of a call after which the library searches for event loops that are not run:
#: initial value and maximum. A search without a result doubles the number for further calls of the
#: same method by the same channel.
FIRST_SEARCH = 4
LAST_SEARCH = 1024


def offer_loop():
    """Returns the event loop of this thread. Creates one if needed, so that
    `asyncio.get_event_loop()` returns it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return asyncio.get_event_loop()
        except RuntimeError:
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            return loop


class Polled:
    """Functions that the library calls. The length is zero while no tick is needed."""

    def __init__(self, module, shim):
        """`shim` is the module `pymb_rpc`, to which `poll` may forward calls; None if it is not
        imported.
        """
        self._module = module
        self._shim = None if shim is module else shim
        self._tick = self._own("tick") or self._own("py_tick")
        self._cancel = self._own("cancel")
        self._own_tasks = self._own("tasks")
        self._pending = {}
        self._warning = None
        self._warned = False
        self._search_after = {}
        self._found = []
        self._loop = offer_loop() if self._tick is None else None
        self._thread = threading.local()
        self._thread.ready = True

    @property
    def tasks(self):
        """Collection whose length tells if a tick is needed: this object."""
        return self

    def poll(self, method, channel, *args):
        """Polls a method by the module's `poll`, and returns the result."""
        if self._loop is not None and not hasattr(self._thread, "ready"):
            # Each thread has its own current loop; the simulator may call from any thread.
            asyncio.set_event_loop(self._loop)
            self._thread.ready = True
        call = (method, channel)
        polls = self._pending.pop(call, 0) + 1
        try:
            answer = self._module.poll(method, channel, *args)
        finally:
            if self._loop is not None:
                self._keep_current()
        if isinstance(answer, tuple) and answer[:2] == (True, False):
            self._pending[call] = polls
            if polls % self._search_after.get(call, FIRST_SEARCH) == 0:
                self._search(call)
        return answer

    def tick(self):
        """Runs one iteration of everything that calls may wait for."""
        if self._shim_tasks():
            self._shim.tick()
        if self._tick is not None:
            self._tick()
            return
        for loop in self._loops():
            _turn(loop)

    def cancel(self, channel):
        """Drops the calls of a channel that was reset."""
        for call in [call for call in self._pending if call[1] == channel]:
            del self._pending[call]
        for cancel in (getattr(self._shim, "cancel", None), self._cancel):
            if cancel is not None:
                cancel(channel)

    def __len__(self):
        if self._tick is not None:
            # Only the module knows its tasks. Without `tasks`, its tick is always called.
            own = 1 if self._own_tasks is None else len(self._own_tasks)
        else:
            own = len(self._pending) or sum(_waits(loop) for loop in self._loops())
        return own + self._shim_tasks()

    def warning(self):
        """Returns a warning for the user once; None otherwise."""
        warning, self._warning = self._warning, None
        return warning

    def _own(self, name):
        """Returns a member of the module, or None if it is the shim's member of the same name."""
        part = getattr(self._module, name, None)
        return None if part is getattr(self._shim, name, None) else part

    def _shim_tasks(self):
        return len(getattr(self._shim, "tasks", ()))

    def _loops(self):
        """Returns the current loop, those in variables of the module, which may be set later, and
        those that were found.
        """
        self._found = [loop for loop in self._found if not loop.is_closed()]
        loops = {id(loop): loop for loop in (self._loop, *self._found)}
        for value in vars(self._module).values():
            if _is_loop(value):
                loops[id(value)] = value
        return list(loops.values())

    def _keep_current(self):
        """Restores a current loop for this thread, as `asyncio.run` leaves none. A loop that `poll`
        has made current is run, too.
        """
        try:
            current = asyncio.get_event_loop()
        except RuntimeError:
            asyncio.set_event_loop(self._loop)
            return
        if current is not self._loop and all(current is not loop for loop in self._found):
            self._found.append(current)

    def _search(self, call):
        """Searches all objects for loops that have tasks and are not run. It takes some
        milliseconds, so it is called seldom.
        """
        if self._tick is not None or self._shim_tasks():
            return
        turned = {id(loop) for loop in self._loops()}
        idle = [loop for loop in gc.get_objects() if _is_loop(loop) and _waits(loop)]
        found = [loop for loop in idle if id(loop) not in turned]
        if not found:
            after = self._search_after.get(call, FIRST_SEARCH)
            if after == LAST_SEARCH:
                self._warn_of_no_find(call, idle)
            self._search_after[call] = min(2 * after, LAST_SEARCH)
            return
        self._search_after.pop(call, None)
        if not self._warned:
            self._warned = True
            self._warning = (
                f"channel `{call[1]}`: method `{call[0]}` is pending, and {found[0]!r} has tasks, but is not running: "
                f"the library runs it from now on; to run it from the beginning, keep it in a variable of the module "
                f"`{self._module.__name__}`, or run it by a function `py_tick` of the module"
            )
        self._found += found

    def _warn_of_no_find(self, call, idle):
        """Warns once of a call that stays pending while no loop has tasks, in a module that uses
        asyncio.
        """
        if self._warned or idle or not _uses_asyncio(self._module):
            return
        self._warned = True
        self._warning = (
            f"channel `{call[1]}`: method `{call[0]}` has been pending for {LAST_SEARCH} polls, and no event loop with tasks is found: "
            f"if it waits for one that is closed, or made by another library than asyncio, run that by a function `py_tick` of "
            f"the module `{self._module.__name__}`"
        )


def _is_loop(value):
    """True for an event loop, by its type: `isinstance` gets the class from the object, and a weak
    or lazy one may raise.
    """
    return issubclass(type(value), asyncio.AbstractEventLoop)


def _uses_asyncio(module):
    """True if a module has imported asyncio, or a member of it."""
    return any(
        value is asyncio or getattr(value, "__module__", "").partition(".")[0] == "asyncio"
        for value in vars(module).values()
        if isinstance(value, (type, types.FunctionType, types.ModuleType))
    )


def _turn(loop):
    """Runs ready callbacks, unless the loop already runs in another thread, or further up the stack
    of this one.
    """
    if loop.is_running() or loop.is_closed():
        return
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        loop.stop()
        loop.run_forever()
    finally:
        asyncio._set_running_loop(outer)


def _waits(loop):
    """True if a loop has tasks or callbacks and does not run."""
    try:
        return (
            not loop.is_closed()
            and not loop.is_running()
            and bool(asyncio.all_tasks(loop) or _has_handles(loop))
        )
    except Exception:  # A loop class of the user, or an incomplete loop, must not fail a call.
        return False


def _has_handles(loop):
    """True if callbacks wait, in the attributes of asyncio's own loops."""
    return bool(getattr(loop, "_ready", None) or getattr(loop, "_scheduled", None))
