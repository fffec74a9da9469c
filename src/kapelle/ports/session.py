"""The session: what a task call sees of the engine.

The decorators of `authoring` find the session of their context in `current`, a context variable, and hand every call
to it. Where there is none, a task is just its function.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Generator, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from kapelle.model.definitions import Definition
from kapelle.model.outcomes import Outcome

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Future(Protocol[T_co]):
    """The result of a submitted call, later. Not the value: it has no truth value, length or iteration."""

    def result(self, timeout_s: float | None = None) -> T_co:
        """Wait for the call and return its value, or raise what it raised. TimeoutError after `timeout_s` seconds."""
        ...

    def outcome(self, timeout_s: float | None = None) -> Outcome[T_co]:
        """Wait for the call and return how it ended; raises nothing of the call's."""
        ...

    def done(self) -> bool:
        """Whether the call has ended."""
        ...

    def cancel(self) -> bool:
        """Ask the call to stop; it ends as cancelled. False if it has ended already."""
        ...

    def __await__(self) -> Generator[Any, Any, T_co]:
        """The same as `result`, in async code."""
        ...


class Block(Protocol[T_co]):
    """A block of code, entered with `with`, or with `async with` in async code."""

    def __enter__(self) -> T_co:
        """Begin the block."""
        ...

    def __exit__(self, *raised: Any) -> None:
        """End it."""
        ...

    async def __aenter__(self) -> T_co:
        """Begin the block, in async code."""
        ...

    async def __aexit__(self, *raised: Any) -> None:
        """End it, in async code."""
        ...


@dataclass(frozen=True, slots=True)
class Unmapped(Generic[T]):
    """An argument of `.map` that every call gets whole."""

    value: T


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The run that this code is part of."""

    id: str
    name: str
    flow: str
    project: str
    generation: int
    attempt: int
    parameters: Mapping[str, Any]
    tags: tuple[str, ...]
    logger: logging.Logger


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """The call that this code is part of.

    id               stable over attempts, interruptions and resumes of this generation
    attempt          1 for the first
    idempotency_key  hand it to outside services: the same for every start of the same call
    """

    id: str
    task: str
    name: str
    attempt: int
    idempotency_key: str
    run: RunInfo
    logger: logging.Logger


class Session(Protocol):
    """One run, seen from inside it."""

    def call(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call here and now and return its value; of an async one inside an async flow, an awaitable."""
        ...

    def call_async(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
        """Run a call without blocking the loop: an async one in the loop, a sync one in a thread."""
        ...

    def submit(
        self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Iterable[Any] = ()
    ) -> Any:
        """Start a call beside this code and return its future."""
        ...

    def map(self, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Start a call for each element and return the ordered collection of futures."""
        ...

    def as_completed(self, futures: Iterable[Any]) -> Iterator[Any]:
        """The futures in the order in which their calls end."""
        ...

    def parallel(self) -> Block[None]:
        """Inside the block, calls are submits; leaving it waits for them."""
        ...

    def branch_executor(self, workers: int) -> Any:
        """A `concurrent.futures.Executor` whose work belongs to the run."""
        ...

    def resource(
        self, create: Definition, args: tuple[Any, ...], kwargs: dict[str, Any], cleanup: Definition
    ) -> Block[Any]:
        """Create something by a recorded call, and clean it up by another when the block ends."""
        ...

    def now(self) -> datetime:
        """The time, recorded: a replay sees the same."""
        ...

    def uuid(self) -> UUID:
        """A unique id that a replay sees again."""
        ...

    def random(self) -> random.Random:
        """A generator of random numbers that a replay draws again."""
        ...

    def detached(self) -> Session:
        """The session of code whose context was lost: its calls are recorded, and never taken again."""
        ...

    def run_info(self) -> RunInfo:
        """The run."""
        ...

    def task_info(self) -> TaskInfo | None:
        """The innermost call, or None in the flow's own code."""
        ...


current: ContextVar[Session | None] = ContextVar("kapelle_session", default=None)
"""The session of this context."""

process_session: list[Session] = []
"""The sessions of the runs of this process, for code whose context was lost (threads of other libraries)."""

isolated_call: list[TaskInfo] = []
"""In the process of an isolated call: that call. The process has no session; only this is known of the run there."""

importing: list[str] = []
"""Files that are being imported for their definitions: a flow called meanwhile must not start a run."""


class FlowCalledInImport(BaseException):
    """A file that is imported for its definitions called a flow outside a guard: its import ends there."""
