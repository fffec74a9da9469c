"""Retry: what the next generation of a run takes from the one before, and why.

A resume repeats one generation and asks nothing: every ended call stands. A retry is a new generation, perhaps of
edited code, so each ended call is judged: successes stand while the code that made them is unchanged, failures that
the flow handled stand too, and what ended the run (with all that was skipped, cut off or cancelled because of it) runs
again. The same judgement makes the plan that a person is shown and decides when the call is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from kapelle.core.journal import STATE_LETTERS, JournalIndex, Recorded
from kapelle.model.calls import CallState

ReuseMode = Literal["all", "unchanged", "none"]
CLEANUP_MARK = "~"
"""First letter of the key of a call that cleans up; the rest is the key of the call that created the resource."""
REUSED = "reused"
"""The mark of a call whose outcome was taken from an earlier generation."""


class RetryRules(msgspec.Struct, frozen=True):
    """What a person asked for.

    mode          "unchanged" reuses what the same code made, "all" whatever was made, "none" nothing
    again         names of tasks (full, or the last part) whose calls run again in any case
    also_handled  failures that the flow caught are forgotten too
    """

    mode: ReuseMode = "unchanged"
    again: frozenset[str] = frozenset()
    also_handled: bool = False


class PlannedCall(msgspec.Struct, frozen=True):
    """What a retry will do with one call of the generation before."""

    id: str
    task: str
    call: int
    action: Literal["reuse", "run"]
    reason: str


class RetryPlan(msgspec.Struct, frozen=True):
    """What a retry will do: each outermost call that ended or began, and the tasks whose code has changed.

    `generation` is the one that the retry will make. Calls that the flow newly makes are not in the plan.
    """

    run_id: str
    generation: int
    rules: RetryRules
    calls: tuple[PlannedCall, ...]
    changed: tuple[str, ...]


class Reuse:
    """The generation before, as the calls of the next one ask it."""

    def __init__(self, index: JournalIndex, rules: RetryRules) -> None:
        self.index = index
        self.rules = rules
        self._fatal = frozenset(index.finished.fatal) if index.finished else frozenset()
        self._cleaned = _cleaned_up(index)
        self._forced = self._surrounding_chosen()
        self._alike: dict[tuple[bytes | None, str, str], list[Recorded]] | None = None

    def judge(self, call: Recorded, code: str | None) -> tuple[Literal["reuse", "run"], str]:
        """Whether `call` stands, and why. `code` is its task's code digest now; None: the task is gone."""
        task, ended = self.index.tasks[call.task], call.ended
        if self.rules.mode == "none":
            return "run", "nothing is reused, as asked"
        if ended is None:
            return "run", "it was cut off"
        if call.started.key.startswith(CLEANUP_MARK):
            return "run", "clean-up is never taken from an earlier try"
        if self._chosen(task.name):
            return "run", "chosen to run again"
        if call.number in self._forced:
            return "run", "a call inside it was chosen to run again"
        if (call.branch, call.started.key) in self._cleaned:
            return "run", "what it created has been cleaned up"
        state = STATE_LETTERS[ended.state]
        if state is CallState.CANCELLED:
            return "run", "it was cancelled"
        if state is CallState.SKIPPED:
            return "run", "it was skipped"
        if state is CallState.FAILED:
            if call.number in self._fatal:
                return "run", "its failure ended the run"
            if self.rules.also_handled:
                return "run", "its handled failure is forgotten, as asked"
        if not ended.reusable or (ended.value is not None and not ended.value.is_kept):
            return "run", "its result was not kept"
        if self.rules.mode == "unchanged" and code != task.code:
            return "run", "its code has changed" if code is not None else "its task is gone"
        return "reuse", "it succeeded" if state is CallState.SUCCEEDED else "the flow handled its failure"

    def find(self, identity: bytes, parent: bytes | None, name: str, inputs: str, code: str) -> Recorded | None:
        """The call of the generation before that stands for this one, if one does.

        First the one of the same identity. Failing that, for edited flows: an unclaimed success of the same parent,
        task and inputs, if all that qualify have the same result.
        """
        same = self.index.by_id.get(identity)
        if same is not None:
            if same.claimed or self.judge(same, code)[0] == "run":
                return None
            same.claimed = True
            return same
        alike = [call for call in self._alike_calls().get((parent, name, inputs), ()) if self._free(call, code)]
        if not alike or any(_result(call) != _result(alike[0]) for call in alike):
            return None
        alike[0].claimed = True
        return alike[0]

    def claim_taken(self, index: JournalIndex) -> None:
        """This generation has begun already: what its ended calls stand for is not free any more.

        A call that was cut off, perhaps while its outcome was being copied, is judged anew.
        """
        for call in index.calls.values():
            if call.ended is None:
                continue
            same = self.index.by_id.get(call.id)
            if same is not None:
                same.claimed = True
            elif call.ended.mark == REUSED:
                around = index.branches[call.branch].call
                parent = index.calls[around].id if around >= 0 else None
                alike = self._alike_calls().get((parent, index.tasks[call.task].name, call.started.inputs), ())
                for one in alike:
                    if not one.claimed and one.ended is not None and _result(one) == _result(call):
                        one.claimed = True
                        break

    def _free(self, call: Recorded, code: str) -> bool:
        ended = call.ended
        return not call.claimed and ended is not None and ended.state == "S" and self.judge(call, code)[0] == "reuse"

    def _alike_calls(self) -> dict[tuple[bytes | None, str, str], list[Recorded]]:
        if self._alike is None:
            self._alike = {}
            for call in self.index.calls.values():
                around = self.index.branches[call.branch].call
                parent = self.index.calls[around].id if around >= 0 else None
                key = (parent, self.index.tasks[call.task].name, call.started.inputs)
                self._alike.setdefault(key, []).append(call)
        return self._alike

    def _chosen(self, name: str) -> bool:
        return name in self.rules.again or name.rsplit(".", 1)[-1] in self.rules.again

    def _surrounding_chosen(self) -> frozenset[int]:
        if not self.rules.again:
            return frozenset()
        return frozenset(
            parent.number
            for call in self.index.calls.values()
            if self._chosen(self.index.tasks[call.task].name)
            for parent in self.index.parents(call)
        )


def _cleaned_up(index: JournalIndex) -> frozenset[tuple[int, str]]:
    """Branch and key of the calls whose resources a later call cleaned up."""
    return frozenset(
        (call.branch, call.started.key.removeprefix(CLEANUP_MARK))
        for call in index.calls.values()
        if call.started.key.startswith(CLEANUP_MARK) and call.ended is not None and call.ended.state == "S"
    )


def _result(call: Recorded) -> object:
    value = call.ended.value if call.ended else None
    if value is None:
        return None
    return (value.codec, bytes(value.inline), value.packed, value.digest)


def make_plan(
    run_id: str, generation: int, index: JournalIndex, rules: RetryRules, code_now: Callable[[str], str | None]
) -> RetryPlan:
    """What a retry of `generation` will do. `code_now` gives a task's code digest today, None for a task that is gone.

    Calls inside a call that is reused are not listed: they are not even asked for.
    """
    reuse = Reuse(index, rules)
    planned: list[PlannedCall] = []
    reused: set[int] = set()
    for call in index.calls.values():
        if any(parent.number in reused for parent in index.parents(call)):
            continue
        name = index.tasks[call.task].name
        action, reason = reuse.judge(call, code_now(name))
        if action == "reuse":
            reused.add(call.number)
        planned.append(PlannedCall(call.id.hex(), name, call.number, action, reason))
    used = {index.tasks[call.task].name for call in index.calls.values()}
    recorded = {task.name: task.code for task in index.tasks.values() if task.name in used}
    changed = tuple(sorted(name for name, code in recorded.items() if code_now(name) != code))
    return RetryPlan(run_id, generation + 1, rules, tuple(planned), changed)
