"""A runner: where submitted calls run inside a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Runner(Protocol):
    """Executes pieces of work beside the flow's own code, a bounded number at a time."""

    @property
    def workers(self) -> int:
        """How many pieces of work may run at once."""
        ...

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` soon. It does not raise: what goes wrong inside is its own business."""
        ...

    def blocked(self) -> AbstractContextManager[None]:
        """Around a wait in a thread of the runner: another may work in its place, so that no wait can starve."""
        ...

    def close(self) -> None:
        """Wait for what runs, then give back threads and processes."""
        ...
