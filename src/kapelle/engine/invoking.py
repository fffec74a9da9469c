"""Invoking: the border between the engine and the function of a task.

The function sees its own strand in the context; its thread's lane knows that user code runs, so that only user code is
ever interrupted; and what the function submitted has ended before its own call can end.
"""

from __future__ import annotations

import asyncio
from typing import Any

from kapelle.engine import hooks, isolation
from kapelle.engine.binding import unbind
from kapelle.engine.call import Call
from kapelle.engine.futures import finish, finish_async
from kapelle.engine.interrupts import NO_LANE, Lane
from kapelle.model.errors import Interrupt, TaskTimeout
from kapelle.ports.session import current


def invoke(call: Call) -> Any:
    """Call the function in this thread; returns what it returned."""
    definition, lane = call.definition, call.strand.lane
    if definition.hooks.start:
        hooks.run(call, definition.hooks.start)
    if definition.isolation == "process":
        return isolation.run_isolated(call)
    inner = call.strand.inside(call, False, lane)
    token = current.set(inner)  # type: ignore[arg-type]
    deadline = -1
    try:
        if definition.timeout_s is not None:
            deadline = _arm(call, lane)
        lane.enter_user()
        if definition.plain:
            result = definition.fn(*call.values)
        else:
            args, kwargs = unbind(definition, call.values)
            result = definition.fn(*args, **kwargs)
        lane.leave_user()
        if inner.futures:
            finish(inner)
        return result
    except Interrupt as error:
        lane.received()
        if inner.futures:
            finish(inner, error)
        raise
    except BaseException as error:
        lane.leave_user()
        if inner.futures:
            finish(inner, error)
        raise
    finally:
        if deadline >= 0:
            call.engine.deadlines.cancel(deadline)
        current.reset(token)


async def invoke_async(call: Call) -> Any:
    """Call the async function in this loop; returns what it returned."""
    definition = call.definition
    if definition.hooks.start:
        hooks.run(call, definition.hooks.start)
    if definition.isolation == "process":
        return await asyncio.to_thread(isolation.run_isolated, call)
    inner = call.strand.inside(call, True, NO_LANE)
    token = current.set(inner)  # type: ignore[arg-type]
    args, kwargs = unbind(definition, call.values)
    try:
        if definition.timeout_s is None:
            result = await definition.fn(*args, **kwargs)
        else:
            result = await _within(call, definition.fn(*args, **kwargs))
        if inner.futures:
            await finish_async(inner)
        return result
    except BaseException as error:
        if inner.futures:
            await finish_async(inner, error)
        raise
    finally:
        current.reset(token)


async def _within(call: Call, work: Any) -> Any:
    """Await `work` for at most the call's timeout. A loop that stands still cannot say so: then the deadline does."""
    attempt = call.attempt

    def give_up() -> None:
        if call.attempt == attempt:
            call.expired = True
            _stuck(call, attempt)

    timeout_s, grace_s = call.definition.timeout_s or 0.0, call.definition.grace_s
    deadline = call.engine.deadlines.at(timeout_s + grace_s, give_up)
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        call.expired = True
        raise TaskTimeout from None
    finally:
        call.engine.deadlines.cancel(deadline)


def _arm(call: Call, lane: Lane) -> int:
    """Interrupt the call when its time is over, and act on one that does not come back within its grace."""
    deadlines = call.engine.deadlines
    timeout_s, grace_s = call.definition.timeout_s or 0.0, call.definition.grace_s
    attempt = call.attempt

    def expire() -> None:
        if call.closed:
            return
        call.expired = True
        deadlines.interrupt(lane, TaskTimeout)
        call.engine.wake_waiters()
        deadlines.at(grace_s, lambda: _stuck(call, attempt))

    return deadlines.at(timeout_s, expire)


def _stuck(call: Call, attempt: int) -> None:
    """The attempt did not come back: its thread cannot be stopped, so the process has to go (the record stays)."""
    if not call.closed and call.expired and call.attempt == attempt and call.engine.on_stuck is not None:
        call.engine.on_stuck(call)
