"""The real clock and the real chance."""

from __future__ import annotations

import os
import random
import time


class SystemClock:
    """The machine's time."""

    def now_us(self) -> int:
        """Wall time in microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class SystemChance:
    """The machine's randomness."""

    def __init__(self) -> None:
        self._draw = random.SystemRandom().random

    def token(self) -> bytes:
        """16 random bytes."""
        return os.urandom(16)

    def fraction(self) -> float:
        """A number from 0 up to, not including, 1."""
        return self._draw()
