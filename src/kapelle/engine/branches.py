"""Branches that an author makes by hand: an executor whose work belongs to the run, and blocks of parallel calls."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from kapelle.engine.strand import Strand
from kapelle.model.errors import UsageError
from kapelle.ports.session import current


class BranchExecutor(concurrent.futures.ThreadPoolExecutor):
    """A thread pool in which tasks may be called: each piece of work is a branch, numbered in order of submission."""

    def __init__(self, strand: Strand, workers: int) -> None:
        super().__init__(max_workers=workers, thread_name_prefix="kapelle-executor")
        self._strand = strand

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        """Run `fn(*args, **kwargs)` in a thread, in a branch of its own."""
        branch = self._strand.fork(self._strand.new_key(), False, self._strand.lane)
        context = copy_context()

        def work() -> Any:
            branch.lane = branch.engine.lane()
            current.set(branch)  # type: ignore[arg-type]
            branch.lane.enter_user()
            try:
                return fn(*args, **kwargs)
            finally:
                branch.lane.leave_user()

        return super().submit(context.run, work)


class Parallel:
    """A block in which the calls of its code are submits; leaving it waits for them and raises the first failure."""

    def __init__(self, strand: Strand) -> None:
        self._strand = strand

    def __enter__(self) -> None:
        if self._strand.parallel_futures is not None:
            raise UsageError("parallel() blocks do not nest", hint="one block is enough: its calls run side by side")
        self._strand.parallel_futures = []

    def __exit__(self, *raised: Any) -> None:
        futures, self._strand.parallel_futures = self._strand.parallel_futures or [], None
        if raised[0] is not None:
            return
        for future in futures:
            future.outcome()
        for future in futures:
            future.result()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *raised: Any) -> None:
        futures, self._strand.parallel_futures = self._strand.parallel_futures or [], None
        if raised[0] is None:
            for future in futures:
                await future
