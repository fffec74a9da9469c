"""`@task`: a function whose calls inside a run are recorded, retried, cached and shown."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from kapelle.authoring.define import check_options, define
from kapelle.model.definitions import Definition
from kapelle.model.errors import UsageError
from kapelle.ports.session import Future, Session, current, process_session

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A task. Called inside a flow it runs as part of the run; called anywhere else it is just its function.

    `fn` is the bare function; `name` the name under which its calls are recorded.
    """

    def __init__(self, fn: Callable[P, R], definition: Definition, options: dict[str, Any]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.definition = definition
        self._options = options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        session = current.get()
        if session is None:
            if not process_session:
                return self.fn(*args, **kwargs)
            session = _lost_context(self.definition)
        return session.call(self.definition, args, kwargs)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The name under which its calls are recorded."""
        return self.definition.name

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """Run it from async code without blocking the loop: a sync task in a thread, an async one in the loop."""
        return _aio(self.definition, args, kwargs)

    def submit(self, *args: Any, wait_for: Iterable[Any] = (), **kwargs: Any) -> Future[R]:
        """Start a call beside this code and return its future.

        A future among the arguments (also inside lists, dicts, dataclasses) is waited for by the call, not by you;
        `wait_for` names more that must end before. Outside a run the function is called at once.
        """
        if current.get() is None and not process_session:
            return _Done(self.fn(*_plain(args), **_plain(kwargs)))  # type: ignore[return-value]
        return _session(self.definition).submit(self.definition, args, kwargs, wait_for)  # type: ignore[no-any-return]

    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Start a call for each element of the lists among the arguments; returns the futures in order.

        Lists, tuples, ranges and iterators are mapped, side by side, and must be equally long; everything else, and
        what is wrapped in `unmapped(…)`, goes whole to every call. Raises CallError for texts, bytes, mappings, sets.
        """
        return _session(self.definition, needed="map").map(self.definition, args, kwargs)

    def with_options(self, **options: Any) -> Task[P, R]:
        """The same task with other options; its calls are recorded under the same name."""
        check_options(self.definition.kind, options)
        merged = {**self._options, **options}
        merged.setdefault("name", self.definition.name)
        return type(self)(self.fn, define(self.definition.kind, self.fn, register=False, **merged), merged)

    def __repr__(self) -> str:
        return f"<{self.definition.kind} {self.definition.name}>"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """On an instance, a method: the object is the first argument."""
        if instance is None:
            return self
        bound: Any = functools.partial(self.__call__, instance)  # type: ignore[arg-type]
        bound.submit = functools.partial(self.submit, instance)
        bound.aio = functools.partial(self.aio, instance)  # type: ignore[arg-type]
        return bound


class _Done(Generic[R]):
    """The future of a call that was made outside any run."""

    def __init__(self, value: R) -> None:
        self._value = value

    def result(self, timeout_s: float | None = None) -> R:
        """The value."""
        return self._value

    def done(self) -> bool:
        """True."""
        return True


def _plain(values: Any) -> Any:
    """Arguments with the values of futures that were made outside any run."""
    if isinstance(values, dict):
        return {name: value.result() if isinstance(value, _Done) else value for name, value in values.items()}
    return tuple(value.result() if isinstance(value, _Done) else value for value in values)


def _session(definition: Definition, needed: str = "submit") -> Session:
    session = current.get()
    if session is not None:
        return session
    if process_session:
        return _lost_context(definition)
    raise UsageError(
        f"{definition.name}.{needed} needs a run",
        cause="it was called outside any flow",
        hint="call it inside a function decorated with @flow, or call the task itself",
    )


async def _aio(definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if current.get() is None and not process_session:
        value = definition.fn(*args, **kwargs)
        return await value if definition.is_async else value
    return await _session(definition).call_async(definition, args, kwargs)


def _lost_context(definition: Definition) -> Session:
    """The session of a call whose thread does not know which run it belongs to."""
    warnings.warn(
        f"{definition.name} was called in the thread {threading.current_thread().name!r}, which has lost the context "
        "of its run: the call is recorded, but a resumed run makes it again. Use kapelle.executor() for such threads.",
        RuntimeWarning,
        stacklevel=4,
    )
    return process_session[-1].detached()


class AsyncTask(Task[P, Coroutine[Any, Any, R]], Generic[P, R]):
    """A task that is an async function: awaited in async flows; in a sync flow its call returns the value."""

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:  # type: ignore[override]
        """The same as calling it in async code."""
        return _aio(self.definition, args, kwargs)

    def with_options(self, **options: Any) -> AsyncTask[P, R]:
        """The same task with other options; its calls are recorded under the same name."""
        made = super().with_options(**options)
        assert isinstance(made, AsyncTask)
        return made

    def submit(self, *args: Any, wait_for: Iterable[Any] = (), **kwargs: Any) -> Future[R]:  # type: ignore[override]
        """Start a call beside this code and return its future."""
        return _session(self.definition).submit(self.definition, args, kwargs, wait_for)  # type: ignore[no-any-return]


class TaskMaker(Protocol):
    """What `@task(…)` with options gives: it makes a function a task."""

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Any) -> TaskMaker: ...
def task(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task: `@task` or `@task(retries=3, …)`.

    name, aliases       the name to record under, and former names
    retries             attempts after the first (0), or a `Retry`
    retry_delay         a duration or a list of them; without one, exponential back-off with full jitter
    retry_on            exception types worth a retry (all)
    retry_if            called with (exception, attempt): True, False, or the delay in seconds
    timeout, grace      soft time limit of one attempt, and how long it may take to come back after it (5 s)
    isolation           "thread" (default) or "process": a process of its own, whose timeout is exact
    cache               `Cache(ttl=…)` or True: take results from other runs of the project
    ignore              parameters that are no part of the call's identity
    mutates             parameters that the task changes in place
    effects             "external": the call is recorded before it starts, and its result is always kept
    limit               at most so many calls at once in a run, or a named `Limit` that tasks share
    when                trigger rule for submitted calls ("all_success"), or a callable over outcomes
    allow_failure       a failure that nobody looked at does not fail the flow
    on_start, on_success, on_failure, on_cancel
                        functions called with the TaskInfo, and the result or error if they take two arguments
    tags, run_name      labels, and a template such as "load-{table}" for a call's name
    interruptions       how often a call may be cut off by the death of its process (3)
    results             "keep" or "recompute" for results above 256 MB
    index               give every call a row that listings find
    """
    if fn is not None:
        return _make(fn, {})
    return lambda function: _make(function, options)


def _make(fn: Callable[..., Any], options: dict[str, Any]) -> Task[Any, Any]:
    check_options("task", options)
    definition = define("task", fn, **options)
    return (AsyncTask if definition.is_async else Task)(fn, definition, options)
