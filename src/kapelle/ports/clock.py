"""Time and chance, handed in."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now_us(self) -> int:
        """Wall time in microseconds since 1970-01-01 UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go back, for timeouts and delays."""
        ...


class Chance(Protocol):
    """Where identity and jitter come from."""

    def token(self) -> bytes:
        """16 random bytes."""
        ...

    def fraction(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...
