"""The words that flows are written with, beside `@flow` and `@task`."""

from __future__ import annotations

import random as _random
from collections.abc import Callable, Coroutine, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, overload
from uuid import UUID, uuid4

from kapelle.authoring.define import define
from kapelle.authoring.tasks import Task
from kapelle.model.definitions import Definition
from kapelle.model.errors import UsageError
from kapelle.ports.session import Block, Future, RunInfo, Session, TaskInfo, Unmapped, current, isolated_call

T = TypeVar("T")


def _here(what: str) -> Session:
    session = current.get()
    if session is None:
        raise UsageError(
            f"{what} needs a run", cause="it was called outside any flow", hint="call it inside a flow or task"
        )
    return session


def current_run() -> RunInfo:
    """The run that this code is part of: ids, parameters, logger. UsageError outside a run."""
    if isolated_call and current.get() is None:
        return isolated_call[0].run
    return _here("current_run()").run_info()


def current_task() -> TaskInfo:
    """The call that this code is part of: ids, attempt, idempotency key, logger. UsageError outside a task."""
    if isolated_call and current.get() is None:
        return isolated_call[0]
    info = _here("current_task()").task_info()
    if info is None:
        raise UsageError(
            "current_task() was called in a flow's own code", hint="call it inside a task, or use current_run()"
        )
    return info


class _Run:
    """`kapelle.run`: time, identity and chance that a replay sees again."""

    @property
    def id(self) -> str:
        """The id of the run."""
        return current_run().id

    @property
    def info(self) -> RunInfo:
        """The run."""
        return current_run()

    def now(self) -> datetime:
        """The time (UTC), recorded. Outside a run, the time."""
        session = current.get()
        return datetime.now(UTC) if session is None else session.now()

    def uuid(self) -> UUID:
        """A unique id, the same in every replay. Outside a run, a random one."""
        session = current.get()
        return uuid4() if session is None else session.uuid()

    def random(self) -> _random.Random:
        """A generator of random numbers that every replay draws again. Outside a run, an ordinary one."""
        session = current.get()
        return _random.Random() if session is None else session.random()


run = _Run()


@lru_cache(maxsize=4096)
def _step_of(fn: Callable[..., Any], name: str | None) -> Definition:
    return define("step", fn, name=name, register=False)


def step(fn: Callable[..., T], /, *args: Any, name: str | None = None, **kwargs: Any) -> T:
    """Call any function as a recorded step: a resumed run takes its result instead of calling it again.

    `name` is needed for a lambda. Outside a run it is just the call.
    """
    session = current.get()
    if session is None:
        return fn(*args, **kwargs)
    bare = fn.fn if isinstance(fn, Task) else fn
    return session.call(_step_of(bare, name), args, kwargs)  # type: ignore[no-any-return]


@overload
def resource(
    create: Callable[..., Coroutine[Any, Any, T]], /, *args: Any, cleanup: Callable[[T], Any], **kwargs: Any
) -> Block[T]: ...
@overload
def resource(create: Callable[..., T], /, *args: Any, cleanup: Callable[[T], Any], **kwargs: Any) -> Block[T]: ...
def resource(create: Callable[..., Any], /, *args: Any, cleanup: Callable[[Any], Any], **kwargs: Any) -> Block[Any]:
    """Something created for the length of a `with` block, by a recorded call, and cleaned up by another.

    The clean-up happens once, in whichever process the block ends, also when the run fails or is cancelled.
    """
    session = _here("resource(…)")
    return session.resource(_as_definition(create), args, kwargs, _as_definition(cleanup))


def _as_definition(fn: Callable[..., Any]) -> Definition:
    return fn.definition if isinstance(fn, Task) else _step_of(fn, None)


def parallel() -> Block[None]:
    """Inside the block, calls of tasks are submits that give futures; leaving it waits for all of them."""
    return _here("parallel()").parallel()


def executor(workers: int = 8) -> Any:
    """A `concurrent.futures.Executor` for threads of your own in which tasks may be called."""
    return _here("executor()").branch_executor(workers)


def unmapped(value: T) -> Unmapped[T]:
    """An argument of `.map` that every call gets whole."""
    return Unmapped(value)


def as_completed(futures: Iterable[Future[T]]) -> Iterator[Future[T]]:
    """The futures (of `.submit` or `.map`) in the order in which their calls end."""
    return _here("as_completed(…)").as_completed(futures)
