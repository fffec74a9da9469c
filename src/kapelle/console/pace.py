"""How fast the calls of each group end, and how long the rest will take.

The pace is that of the last seconds, not of the whole run: a map that slowed down says so. Calls that were taken from
an earlier try or from the cache say nothing about those to come and are left out.
"""

from __future__ import annotations

from collections import deque

from kapelle.ports.progress import GroupProgress, Progress

WINDOW_US = 15_000_000
SAMPLES = 24
LEAST_US = 500_000

Path = tuple[str, ...]


class Pace:
    """Watches snapshots of one run and says calls per second by group."""

    def __init__(self) -> None:
        self._samples: dict[Path, deque[tuple[int, int]]] = {}

    def observe(self, progress: Progress) -> None:
        """Take in a snapshot. What a replay hands back in one go is not a pace."""
        if progress.replaying:
            self._samples.clear()
            return
        for group in progress.groups:
            if not (group.running or group.waiting or group.retrying or group.expected):
                continue
            samples = self._samples.get(group.path)
            if samples is None:
                samples = self._samples[group.path] = deque(maxlen=SAMPLES)
            if not samples or progress.now_us - samples[-1][0] >= WINDOW_US // SAMPLES:
                samples.append((progress.now_us, computed(group)))
            while len(samples) > 2 and progress.now_us - samples[1][0] > WINDOW_US:
                samples.popleft()

    def per_second(self, group: GroupProgress, now_us: int) -> float:
        """Calls of the group that end in a second; 0 while nothing can be said."""
        samples = self._samples.get(group.path)
        if samples and now_us - samples[0][0] >= LEAST_US:
            since, before = samples[0]
        elif group.first_started_us and now_us - group.first_started_us >= LEAST_US:
            since, before = group.first_started_us, 0
        else:
            return 0.0
        return max(0, computed(group) - before) / (now_us - since) * 1e6

    def left_us(self, group: GroupProgress, now_us: int) -> float | None:
        """How long the rest of the group will take at this pace; None when that cannot be said."""
        speed = self.per_second(group, now_us)
        if group.expected is None or speed <= 0:
            return None
        return max(0, group.expected - group.ended) / speed * 1e6


def computed(group: GroupProgress) -> int:
    """Ended calls that were run, not taken from elsewhere."""
    return max(0, group.ended - group.reused - group.cached - group.replayed)
