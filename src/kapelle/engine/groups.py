"""Groups: counts over all calls of one task at one place of the flow.

A call's group is found from its parent's group and its task, so there are as many groups as there are different paths
of names, however many calls there are. Counts change under the recorder's lock.
"""

from __future__ import annotations

from kapelle.core.journal import short_name
from kapelle.model.calls import CallState, GroupRow
from kapelle.model.runs import CallCounts
from kapelle.ports.progress import GroupProgress

ERRORS_KEPT = 3


class Group:
    """One group and the groups inside it."""

    __slots__ = (
        "cached", "cancelled", "children", "duration_us", "errors", "expected", "failed", "first_us", "kind", "last_us",
        "name", "path", "replayed", "retrying", "reused", "running", "skipped", "succeeded", "waiting",
    )  # fmt: skip

    def __init__(self, path: tuple[str, ...], name: str, kind: str) -> None:
        self.path = path
        self.name = name
        self.kind = kind
        self.children: dict[str, Group] = {}
        self.expected: int | None = None
        self.running = self.waiting = self.retrying = 0
        self.succeeded = self.failed = self.skipped = self.cancelled = self.reused = self.cached = self.replayed = 0
        self.first_us = self.last_us = self.duration_us = 0
        self.errors: list[str] = []

    def child(self, name: str, kind: str) -> Group:
        """The group of a task called inside this one."""
        group = self.children.get(name)
        if group is None:
            group = self.children.setdefault(name, Group((*self.path, short_name(name)), name, kind))
        return group

    def expect(self, more: int) -> None:
        """So many more calls are known to come."""
        self.expected = (self.expected or 0) + more

    def ended(self, state: CallState, mark: str, started_us: int, now_us: int, error: str = "") -> None:
        """A call that did not run here (replayed, cached, skipped) or that stopped running ended in `state`."""
        if state is CallState.SUCCEEDED:
            self.succeeded += 1
        elif state is CallState.FAILED:
            self.failed += 1
            if error and len(self.errors) < ERRORS_KEPT:
                self.errors.append(error)
        elif state is CallState.SKIPPED:
            self.skipped += 1
        else:
            self.cancelled += 1
        if mark == "reused":
            self.reused += 1
        elif mark == "cached":
            self.cached += 1
        if not self.first_us:
            self.first_us = started_us
        self.last_us = now_us
        self.duration_us += now_us - started_us

    def taken_from_record(self, state: CallState, mark: str) -> None:
        """A call that an earlier process had ended was asked for again: counted, without taking time here."""
        times = self.first_us, self.last_us
        self.ended(state, mark, 0, 0)
        self.first_us, self.last_us = times
        self.replayed += 1

    def walk(self) -> list[Group]:
        """The groups inside, each before its own; not those of the engine's own steps (`run.now()`)."""
        found: list[Group] = []
        for child in tuple(self.children.values()):
            if child.name.startswith("kapelle."):
                continue
            found.append(child)
            found.extend(child.walk())
        return found

    def row(self) -> GroupRow:
        """The counts as the store keeps them."""
        return GroupRow(
            "/".join(self.path), self.name, self.succeeded, self.failed, self.skipped, self.cancelled, self.reused,
            self.cached, self.duration_us,
        )  # fmt: skip

    def progress(self) -> GroupProgress:
        """The counts as a person watches them."""
        return GroupProgress(
            path=self.path, kind=self.kind, expected=self.expected, running=self.running, waiting=self.waiting,
            retrying=self.retrying, succeeded=self.succeeded, failed=self.failed, skipped=self.skipped,
            cancelled=self.cancelled, reused=self.reused, cached=self.cached, replayed=self.replayed,
            first_started_us=self.first_us, last_ended_us=self.last_us, duration_us=self.duration_us,
            errors=tuple(self.errors),
        )  # fmt: skip


def total(groups: list[Group]) -> CallCounts:
    """The counts over groups."""
    return CallCounts(
        succeeded=sum(group.succeeded for group in groups),
        failed=sum(group.failed for group in groups),
        skipped=sum(group.skipped for group in groups),
        cancelled=sum(group.cancelled for group in groups),
        reused=sum(group.reused for group in groups),
        cached=sum(group.cached for group in groups),
    )
