"""Policies: what an author says about a task beside its code. Frozen, validated when they are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kapelle.model.errors import DefinitionError

Duration = float | int | str | timedelta
"""Seconds, a timedelta, or a text such as "500ms", "90s", "5m", "1h30m", "2d"."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds(duration: Duration, what: str = "duration") -> float:
    """A duration as seconds. Raises DefinitionError, naming `what`, for anything that is not a positive duration."""
    if isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, str):
        text = duration.replace(" ", "")
        parts = _PART.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise DefinitionError(
                f"{what}={duration!r} is not a duration", hint='write seconds as a number, or "500ms", "90s", "1h30m"'
            )
        value = sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    elif isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise DefinitionError(f"{what}={duration!r} is not a duration", hint="write a number of seconds or a text")
    else:
        value = float(duration)
    if not 0 <= value < float("inf"):
        raise DefinitionError(f"{what}={duration!r} is not a positive duration")
    return value


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often a failed call is tried again.

    count      attempts after the first
    delay_s    fixed delays: the n-th before the n-th retry, the last repeated; empty: exponential back-off
    base_s, factor, cap_s
               back-off before retry n: at most base * factor^(n-1), never over the cap, drawn with full jitter
               (uniform between 0 and that; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015)
    jitter     False takes the bound itself instead of a draw
    on         exception types that are worth a retry (None: every Exception)
    decide     called as decide(exception, attempt): True retries, False does not, a number of seconds sets the delay
    """

    count: int = 0
    delay_s: tuple[float, ...] = ()
    base_s: float = 1.0
    factor: float = 2.0
    cap_s: float = 300.0
    jitter: bool = True
    on: tuple[type[BaseException], ...] | None = None
    decide: Callable[[BaseException, int], bool | float] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 0:
            raise DefinitionError(f"retries={self.count!r} is not a number of retries", hint="write 0 or more")


def retry_of(
    retries: int | Retry,
    delay: Duration | Sequence[Duration] | None = None,
    on: type[BaseException] | Sequence[type[BaseException]] | None = None,
    decide: Callable[[BaseException, int], bool | float] | None = None,
) -> Retry:
    """The policy that the options of a task describe."""
    if isinstance(retries, Retry):
        return retries
    if delay is None:
        delays: tuple[float, ...] = ()
    elif isinstance(delay, (list, tuple)):
        delays = tuple(seconds(item, "retry_delay") for item in delay)
    else:
        delays = (seconds(delay, "retry_delay"),)  # type: ignore[arg-type]
    kinds = None if on is None else tuple(on) if isinstance(on, (list, tuple)) else (on,)
    for kind in kinds or ():
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise DefinitionError(f"retry_on has {kind!r}, which is not an exception type")
    return Retry(count=retries, delay_s=delays, on=kinds, decide=decide)


@dataclass(frozen=True, slots=True)
class Cache:
    """Results that later runs of the same project may take instead of running the call.

    ttl        how long a result may be taken (None: for ever)
    key        called with the task's arguments by name, gives the value that stands for the inputs (None: all of them)
    version    any text; another one makes a fresh cache
    """

    ttl: Duration | None = None
    key: Callable[..., Any] | None = None
    version: str = ""

    def __post_init__(self) -> None:
        if self.ttl is not None:
            seconds(self.ttl, "ttl")

    @property
    def ttl_s(self) -> float | None:
        """The time to live in seconds."""
        return None if self.ttl is None else seconds(self.ttl, "ttl")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls at once inside one run, over all tasks that carry a limit of this name."""

    count: int
    name: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise DefinitionError(f"limit={self.count!r} is not a number of calls", hint="write 1 or more")


WHEN_RULES = frozenset(
    {
        "all_success",
        "all_failed",
        "all_done",
        "all_done_min_one_success",
        "all_skipped",
        "one_success",
        "one_failed",
        "one_done",
        "none_failed",
        "none_failed_min_one_success",
        "none_skipped",
        "always",
    }
)
"""The trigger rules, by Airflow's names (Apache Airflow documentation, "Trigger Rules")."""
