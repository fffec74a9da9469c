"""Outcomes: how a call ended, as a value that a flow can look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from kapelle.model.calls import CallState

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How a call ended. A task with a `when=` other than "all_success" is given these instead of values.

    state   succeeded, failed, skipped or cancelled
    value   its result when it succeeded, else None
    error   what it raised when it failed, else None
    """

    state: CallState
    value: T | None = None
    error: BaseException | None = None
    reason: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether there is a value."""
        return self.state is CallState.SUCCEEDED

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return self.state is CallState.FAILED

    @property
    def skipped(self) -> bool:
        """Whether the call did not run because of its rule, or raised `Skip`."""
        return self.state is CallState.SKIPPED

    def get(self) -> T:
        """The value, or the error raised."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]
