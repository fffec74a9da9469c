"""Event loops of a run: the one that an async flow runs in, or one in a thread for the async tasks of a sync flow.

In both, every asyncio task that code of the run creates is a branch of its own, numbered in the order of creation by
the code that created it; so branches that race have identities that do not depend on who wins.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from kapelle.engine.interrupts import NO_LANE
from kapelle.engine.state import Engine
from kapelle.engine.strand import Strand
from kapelle.ports.session import current


def branch_factory(engine: Engine, inner: Any) -> Callable[..., Any]:
    """A task factory that gives each task created by the run's code a branch. `inner` is the loop's own factory."""

    def factory(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **kwargs: Any) -> Any:
        context = kwargs.pop("context", None) or copy_context()
        strand: Any = context.get(current)
        ours = isinstance(strand, Strand) and strand.engine is engine
        if ours and not _is_ours(coro):
            code = getattr(coro, "cr_code", None)
            name = getattr(code, "co_qualname", "")
            branch = strand.fork(f"{name}:{_next_task(strand, name)}", True, NO_LANE)
            context.run(current.set, branch)
        if inner is not None:
            task = inner(loop, coro, context=context, **kwargs)
        else:
            task = asyncio.Task(coro, loop=loop, context=context, **kwargs)
        if ours:
            engine.asyncio_tasks.add(task)
            task.add_done_callback(engine.asyncio_tasks.discard)
        return task

    return factory


def _is_ours(coro: Any) -> bool:
    """Whether the coroutine is the engine's own, which has its strand already."""
    code = getattr(coro, "cr_code", None)
    return code is not None and code.co_name == "_perform_async"


def _next_task(strand: Strand, name: str) -> int:
    """The number of an asyncio task among those of its strand that run the same function."""
    return strand.count(name.encode())


def others_open(engine: Engine) -> bool:
    """Whether other asyncio tasks of the run are under way beside the current one."""
    me = asyncio.current_task()
    return any(task is not me and not task.done() for task in engine.asyncio_tasks)


class LoopThread:
    """An event loop in a thread of its own, for async tasks that a sync flow calls or submits."""

    def __init__(self, engine: Engine) -> None:
        self._ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._engine = engine
        self._thread = threading.Thread(target=self._run, name="kapelle-loop", daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self) -> None:
        loop = self.loop = asyncio.new_event_loop()
        loop.set_task_factory(branch_factory(self._engine, None))
        loop.call_soon(self._ready.set)
        try:
            loop.run_forever()
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(_settle(loop))
            loop.close()

    def close(self) -> None:
        """Cancel what still runs and end the thread."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(5.0)


async def _settle(loop: asyncio.AbstractEventLoop) -> None:
    others = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    await asyncio.gather(*others, return_exceptions=True)
    await loop.shutdown_asyncgens()


def loop_of(engine: Engine) -> asyncio.AbstractEventLoop:
    """The run's event loop; for a sync flow, a thread with one is started."""
    if engine.loop is None:
        with engine.lock:
            if engine.loop is None:
                engine.loop_thread = LoopThread(engine)
                engine.loop = engine.loop_thread.loop
                engine.cancel_hooks["loop"] = lambda: cancel_tasks(engine)
    loop: asyncio.AbstractEventLoop = engine.loop
    return loop


def run_soon(engine: Engine, act: Callable[[], Any]) -> None:
    """Call `act` in the run's event loop, from any thread."""
    loop_of(engine).call_soon_threadsafe(act)


def cancel_tasks(engine: Engine) -> None:
    """Cancel the asyncio tasks of the run."""
    loop = engine.loop

    def cancel_all() -> None:
        for task in tuple(engine.asyncio_tasks):
            task.cancel()
        if engine.main_task is not None:
            engine.main_task.cancel()

    if loop is not None and not loop.is_closed():
        loop.call_soon_threadsafe(cancel_all)


def call_from_thread(strand: Strand, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine in the run's loop, from a thread of a sync flow, and return its value."""
    engine = strand.engine
    done = threading.Event()
    box: list[Any] = []
    context = copy_context()

    async def _perform_async() -> None:
        try:
            box.append((True, await make()))
        except BaseException as error:
            box.append((False, error))
        done.set()

    def start() -> None:
        box_task.append(asyncio.get_running_loop().create_task(_perform_async(), context=context))

    box_task: list[Any] = []
    run_soon(engine, start)
    try:
        engine.wait_until(done.is_set, done, strand.lane)
    except BaseException:
        run_soon(engine, lambda: box_task and box_task[0].cancel())
        raise
    succeeded, value = box[0]
    if succeeded:
        return value
    raise value
