"""`@flow`: a function whose execution is a run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from kapelle.authoring.define import define
from kapelle.authoring.parameters import validate_call
from kapelle.authoring.start import start
from kapelle.authoring.tasks import Task
from kapelle.model.errors import DefinitionError
from kapelle.ports.session import FlowCalledInImport, current, importing, process_session

P = ParamSpec("P")
R = TypeVar("R")


class Flow(Task[P, R], Generic[P, R]):
    """A flow. Called on its own it is a run; called inside a flow it is a group of that run.

    Its parameters are validated from its signature. `fn` is the bare function.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if importing:
            raise FlowCalledInImport
        if current.get() is not None or process_session:
            return super().__call__(*args, **kwargs)
        return start(self.definition, validate_call(self.definition, args, kwargs))  # type: ignore[no-any-return]

    def with_options(self, **options: Any) -> Flow[P, R]:
        """The same flow with other options; its runs are recorded under the same name."""
        _check_options(options)
        made = super().with_options(**options)
        assert isinstance(made, Flow)
        return made

    def run(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Run it to its end and return its result, also when it is async; not from inside async code."""
        return start(self.definition, validate_call(self.definition, args, kwargs), wait=True)


class AsyncFlow(Flow[P, Coroutine[Any, Any, R]], Generic[P, R]):
    """A flow that is an async function: `await daily(…)`, or `asyncio.run(daily(…))`, or `daily.run(…)`."""


class FlowMaker(Protocol):
    """What `@flow(…)` with options gives: it makes a function a flow."""

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncFlow[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Flow[P, R]: ...


@overload
def flow(fn: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncFlow[P, R]: ...
@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...
@overload
def flow(**options: Any) -> FlowMaker: ...
def flow(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a flow: `@flow` or `@flow(run_name="daily-{day}", …)`.

    name, aliases       the name to record under, and former names
    run_name            a template such as "daily-{day}" for the names of its runs
    tags                labels of its runs
    timeout             soft time limit of the whole flow
    on_start, on_success, on_failure, on_cancel
                        functions called with the RunInfo, and the result or error if they take two arguments
    """
    if fn is not None:
        return _make(fn, {})
    return lambda function: _make(function, options)


_OPTIONS = frozenset(
    {"name", "aliases", "run_name", "tags", "timeout", "on_start", "on_success", "on_failure", "on_cancel"}
)


def _check_options(options: dict[str, Any]) -> None:
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise DefinitionError(
            f"@flow has no option {unknown[0]}",
            hint=f"say it on the tasks of the flow; a flow has {', '.join(sorted(_OPTIONS))}",
        )


def _make(fn: Callable[..., Any], options: dict[str, Any]) -> Flow[Any, Any]:
    _check_options(options)
    definition = define("flow", fn, **options)
    return (AsyncFlow if definition.is_async else Flow)(fn, definition, options)
