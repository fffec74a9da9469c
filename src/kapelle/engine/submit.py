"""Submitted calls: started beside the code that submits them, once what they depend on allows it.

A submission waits for the futures in its arguments, asks its rule, waits for a place under its limit, and then runs in
a thread of the runner or in the run's event loop. Its identity is fixed by its number among what its strand started,
so neither the order of arrival nor the thread is part of it.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterable
from typing import Any

from kapelle.core.when import EARLY_RULES, decide
from kapelle.engine import blame, calls, closing, loops
from kapelle.engine.binding import bind
from kapelle.engine.futures import CallFuture, cancelled_outcome, find_futures, replace_futures
from kapelle.engine.groups import Group
from kapelle.engine.interrupts import NO_LANE, Lane
from kapelle.engine.limits import Limiter, limiter_of
from kapelle.engine.strand import Strand
from kapelle.engine.values.fingerprint import Fingerprint, fingerprint_arguments
from kapelle.model.calls import CallState
from kapelle.model.definitions import Definition
from kapelle.model.errors import CallCancelled, KapelleError
from kapelle.model.outcomes import Outcome

PENDING: Outcome[Any] = Outcome(CallState.PENDING)
_lock = threading.Lock()


def submit(
    strand: Strand,
    definition: Definition,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    wait_for: Iterable[Any] = (),
    *,
    key: str = "",
    context: contextvars.Context | None = None,
) -> CallFuture[Any]:
    """Start a call beside this code; returns its future."""
    strand.engine.check_cancelled()
    values = bind(definition, args, kwargs)
    future: CallFuture[Any] = CallFuture(strand, definition.name, tolerated=definition.allow_failure)
    submission = Submission(strand, definition, values, key or strand.new_key(), future, context)
    submission.begin(wait_for)
    return future


def _value_of(future: CallFuture[Any]) -> Any:
    return future.settled.value if future.settled is not None else None


class Submission:
    """One submitted call, until it runs."""

    __slots__ = (
        "_asyncio_task", "_lane", "_limiter", "_stage", "context", "definition", "dependencies", "future", "group",
        "key", "strand", "values",
    )  # fmt: skip

    def __init__(
        self,
        strand: Strand,
        definition: Definition,
        values: tuple[Any, ...],
        key: str,
        future: CallFuture[Any],
        context: contextvars.Context | None,
    ) -> None:
        self.strand = strand
        self.definition = definition
        self.values = values
        self.key = key
        self.future = future
        self.context = context if context is not None else contextvars.copy_context()
        self.group: Group = strand.group.child(definition.name, definition.kind)
        self.dependencies: tuple[CallFuture[Any], ...] = ()
        self._stage = "waiting"
        self._lane: Lane | None = None
        self._limiter: Limiter | None = None
        self._asyncio_task: Any = None

    # Waiting for dependencies

    def begin(self, wait_for: Iterable[Any] = ()) -> None:
        """Look for futures in the arguments, and run as soon as the rule allows."""
        self.future.stop_with(self._stop, self._drop)
        with self.strand.engine.recorder.lock:
            self.group.waiting += 1
        found: list[CallFuture[Any]] = []
        for value in (*self.values, *wait_for):
            find_futures(value, found)
        if not found:
            self._dispatch()
            return
        self.dependencies = tuple(dict.fromkeys(found))
        for dependency in self.dependencies:
            dependency.when_done(self._look)
            if self._stage != "waiting":
                return

    def _look(self, _: Any = None) -> None:
        """Something that the call depends on has ended."""
        try:
            verdict = decide(self.definition.when, [dependency.settled for dependency in self.dependencies])
        except Exception as error:  # a rule of the author's that raises
            if self._leave("waiting", "failed"):
                self._settle(Outcome(CallState.FAILED, None, error))
            return
        if verdict.action == "wait" or not self._leave("waiting", "ready"):
            return
        if verdict.action == "run":
            self._dispatch()
            return
        try:
            settled = calls.skip(
                self.strand, self.definition, self.key, verdict.reason, upstream_failed=verdict.upstream_failed
            )
        except (KapelleError, RuntimeError) as error:
            self._settle(Outcome(CallState.FAILED, None, error))
        else:
            self._settle(self._blamed(settled.outcome))

    def _blamed(self, skipped: Outcome[Any]) -> Outcome[Any]:
        """A skip stands for the failures that led to it: who raises it raises them."""
        errors = [one.settled.error for one in self.dependencies if one.settled is not None and one.settled.error]
        if errors and skipped.error is not None:
            skipped.error.__cause__ = errors[0]
            blame.join(skipped.error, errors)
        return skipped

    def _resolved(self) -> tuple[tuple[Any, ...], Fingerprint | None]:
        """The arguments with values (or outcomes) in place of futures, and their fingerprint if it must be special."""
        if not self.dependencies:
            return self.values, None
        definition = self.definition
        if definition.when == "all_success":
            return tuple(replace_futures(value, _value_of) for value in self.values), None
        for dependency in self.dependencies:
            dependency.observed = True
        outcomes = tuple(replace_futures(value, lambda one: one.settled or PENDING) for value in self.values)
        if definition.when not in EARLY_RULES:
            return outcomes, None
        # Which dependencies had ended depends on timing, so it may not enter the identity; the key is enough.
        constant = tuple(replace_futures(value, lambda one: None) for value in self.values)
        inputs = fingerprint_arguments(definition.parameters, constant, definition.ignore)
        return outcomes, inputs._replace(immutable=True)

    # Running

    def _dispatch(self) -> None:
        self._leave("waiting", "ready")
        try:
            self._limiter = limiter_of(self.strand.engine, self.definition)
        except KapelleError as error:
            if self._leave("ready", "failed"):
                self._settle(Outcome(CallState.FAILED, None, error))
            return
        if self._limiter is not None:
            self._limiter.ask(self._enqueue)
        else:
            self._enqueue()

    def _enqueue(self) -> None:
        if self.definition.is_async:
            loops.run_soon(self.strand.engine, self._start_in_loop)
        else:
            self.strand.engine.runner.submit(self._run)

    def _run(self) -> None:
        """The work of a thread of the runner."""
        lane = self.strand.engine.lane()
        if not self._started(lane):
            return
        try:
            outcome = self.context.run(self._perform, lane)
        except BaseException as error:
            outcome = closing.outcome_of(error)
        self._settle(outcome)

    def _perform(self, lane: Lane) -> Outcome[Any]:
        values, inputs = self._resolved()
        strand = self.strand.seen_from(lane, False)
        value = calls.perform(strand, self.definition, values, self.key, inputs=inputs)
        return Outcome(CallState.SUCCEEDED, value)

    def _start_in_loop(self) -> None:
        """Called in the event loop's thread."""
        if self._started(NO_LANE):
            work = self._perform_async()
            self._asyncio_task = asyncio.get_running_loop().create_task(work, context=self.context)

    async def _perform_async(self) -> None:
        try:
            values, inputs = self._resolved()
            strand = self.strand.seen_from(NO_LANE, True)
            value = await calls.perform_async(strand, self.definition, values, self.key, inputs=inputs)
            outcome = Outcome(CallState.SUCCEEDED, value)
        except BaseException as error:
            outcome = closing.outcome_of(error)
        self._settle(outcome)

    def _started(self, lane: Lane) -> bool:
        """The call leaves the queue; False if it was stopped before."""
        if not self._leave("ready", "running"):
            return False
        self._lane = lane
        with self.strand.engine.recorder.lock:
            self.group.waiting -= 1
        return True

    def _settle(self, outcome: Outcome[Any]) -> None:
        if self._stage != "running":
            with self.strand.engine.recorder.lock:
                self.group.waiting -= 1
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.release()
        self.future.settle(outcome)

    # Stopping

    def _leave(self, before: str, after: str) -> bool:
        """Move from one stage to the next; False if the submission is not in `before` any more."""
        with _lock:
            if self._stage != before:
                return False
            self._stage = after
            return True

    def _stop(self) -> bool:
        """Asked by `future.cancel()`."""
        if self._leave("waiting", "stopped") or self._leave("ready", "stopped"):
            self._settle_unstarted()
            return True
        if self._stage != "running":
            return False
        if self._asyncio_task is not None:
            loops.run_soon(self.strand.engine, self._asyncio_task.cancel)
        elif self._lane is not None:
            self._lane.interrupt(CallCancelled)
            self.strand.engine.wake_waiters()
        return True

    def _drop(self) -> None:
        """Asked when the code that submitted the call has failed."""
        if self._leave("waiting", "stopped") or self._leave("ready", "stopped"):
            self._settle_unstarted()

    def _settle_unstarted(self) -> None:
        with self.strand.engine.recorder.lock:
            self.group.waiting -= 1
        self.future.settle(cancelled_outcome("cancelled before it started"))
