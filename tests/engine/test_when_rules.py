"""The trigger rules, from end to end: who runs, with which arguments, and what a replay makes of it."""

import asyncio
import threading
from typing import Any

import pytest
from tests.kit import Bench, did, wait_for

from kapelle import Outcome, Skip, flow, task
from kapelle.core.when import EARLY_RULES
from kapelle.model.calls import CallState
from kapelle.model.policies import WHEN_RULES
from kapelle.model.runs import RunState


@task(allow_failure=True)
def end_as(how: str) -> str:
    if how == "fails":
        raise ValueError("it failed")
    if how == "skips":
        raise Skip("nothing to do")
    return how


TABLE = [
    # rule, the ends of what it depends on, whether it runs
    ("all_success", ["works", "works"], True),
    ("all_success", ["works", "skips"], False),
    ("all_success", ["works", "fails"], False),
    ("all_failed", ["fails", "fails"], True),
    ("all_failed", ["fails", "skips"], False),
    ("all_done", ["fails", "skips", "works"], True),
    ("all_done_min_one_success", ["fails", "works"], True),
    ("all_done_min_one_success", ["fails", "skips"], False),
    ("all_skipped", ["skips", "skips"], True),
    ("all_skipped", ["skips", "works"], False),
    ("one_success", ["fails", "works"], True),
    ("one_success", ["fails", "skips"], False),
    ("one_failed", ["works", "fails"], True),
    ("one_failed", ["works", "skips"], False),
    ("one_done", ["skips", "works"], True),
    ("one_done", ["skips", "skips"], False),
    ("none_failed", ["works", "skips"], True),
    ("none_failed", ["works", "fails"], False),
    ("none_failed_min_one_success", ["works", "skips"], True),
    ("none_failed_min_one_success", ["skips", "skips"], False),
    ("none_skipped", ["works", "fails"], True),
    ("none_skipped", ["works", "skips"], False),
    ("always", ["fails", "skips"], True),
]


@pytest.mark.parametrize(("rule", "ends", "runs"), TABLE, ids=lambda one: str(one))
def test_a_rule_decides_whether_a_call_runs(bench: Bench, rule: str, ends: list[str], runs: bool) -> None:
    @task(when=rule, allow_failure=True)
    def behind(*before: Any) -> str:
        did("behind")
        return "ran"

    @flow
    def daily() -> tuple[str, str]:
        outcome = behind.submit(*[end_as.submit(end) for end in ends]).outcome()
        return outcome.state.value, str(outcome.error or "")

    life = bench.run(daily)
    state, error = life.result
    assert state == ("succeeded" if runs else "skipped")
    assert life.ran == (["behind"] if runs else [])
    assert bool(error) is not runs


def test_every_rule_is_in_the_table() -> None:
    assert {rule for rule, _, _ in TABLE} == WHEN_RULES
    assert {(rule, runs) for rule, _, runs in TABLE} >= {
        (rule, runs) for rule in WHEN_RULES - {"all_done", "always"} for runs in (True, False)
    }


def test_u8_with_another_rule_than_all_success_arguments_arrive_as_outcomes(bench: Bench) -> None:
    @task(when="all_done")
    def report(ends: list[Outcome[str]], one: Outcome[str]) -> list[str]:
        return [f"{end.state.value} {end.value} {end.error or end.reason}" for end in [*ends, one]]

    @flow
    def daily() -> list[str]:
        ends = [end_as.submit(how) for how in ("works", "fails", "skips")]
        return report.submit(ends, end_as.submit("works")).result()

    life = bench.run(daily)
    assert life.result[0] == "succeeded works "
    assert life.result[1] == "failed None it failed"
    assert life.result[2].startswith("skipped None ")
    assert life.result[3] == "succeeded works "
    for _, again in bench.every_resume(life):
        assert again.result == life.result


def test_an_outcome_gives_its_value_or_raises_its_error(bench: Bench) -> None:
    @task(when="all_done")
    def look(good: Outcome[str], bad: Outcome[str]) -> str:
        assert good.succeeded
        assert good.get() == "works"
        with pytest.raises(ValueError, match="it failed"):
            bad.get()
        return "looked"

    @flow
    def daily() -> str:
        return look.submit(end_as.submit("works"), end_as.submit("fails")).result()

    assert bench.run(daily).result == "looked"


def test_a_dependency_that_a_rule_looks_at_does_not_fail_the_run(bench: Bench) -> None:
    strict = end_as.with_options(allow_failure=False)

    @task(when="one_failed")
    def repair(one: Outcome[str]) -> str:
        return f"repaired: {one.error}"

    @flow
    def daily() -> str:
        return repair.submit(strict.submit("fails")).result()

    life = bench.run(daily)
    assert life.state is RunState.SUCCEEDED
    assert life.result == "repaired: it failed"


def test_a_failure_reaches_through_what_was_skipped_because_of_it(bench: Bench) -> None:
    """A call that never started, because of a failure before it, counts as failed for those behind it."""

    @task
    def between(x: Any) -> str:
        return "ran"

    @task(when="none_failed")
    def behind(x: Any) -> str:
        return "ran"

    @flow
    def daily() -> list[str]:
        waited = between.submit(end_as.submit("fails"))
        return [waited.outcome().state.value, behind.submit(waited).outcome().state.value]

    life = bench.run(daily)
    assert life.result == ["skipped", "skipped"]
    assert life.call("behind").reason == "wanted none to fail; 0 succeeded, 1 failed, 0 skipped"


def test_a_callable_looks_at_all_outcomes(bench: Bench) -> None:
    def most_worked(outcomes: tuple[Outcome[Any], ...]) -> bool:
        return sum(outcome.succeeded for outcome in outcomes) * 2 > len(outcomes)

    @task(when=most_worked)
    def behind(ends: list[Outcome[str]]) -> str:
        return "ran"

    @flow
    def daily() -> list[str]:
        most = behind.submit([end_as.submit(how) for how in ("works", "works", "fails")])
        few = behind.submit([end_as.submit(how) for how in ("works", "fails", "skips")])
        return [most.outcome().state.value, few.outcome().state.value, few.outcome().reason]

    life = bench.run(daily)
    assert life.result == ["succeeded", "skipped", "its rule most_worked said no"]


def test_a_rule_that_raises_fails_its_call(bench: Bench) -> None:
    def broken(outcomes: tuple[Outcome[Any], ...]) -> bool:
        raise KeyError("rule")

    @task(when=broken)
    def behind(x: Any) -> str:
        return "ran"

    @flow
    def daily() -> str:
        outcome = behind.submit(end_as.submit("works")).outcome()
        return f"{outcome.state.value} {outcome.error!r}"

    life = bench.run(daily)
    assert life.result == "failed KeyError('rule')"


def test_a_rule_without_dependencies_runs_the_call(bench: Bench) -> None:
    @task(when="one_failed")
    def alone() -> str:
        return "ran"

    @flow
    def daily() -> str:
        return alone.submit().result()

    assert bench.run(daily).result == "ran"


def test_an_early_rule_runs_while_others_are_under_way(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> str:
        wait_for(gate)
        return "late"

    @task(when="one_success")
    def first(ends: list[Outcome[str]]) -> list[str]:
        gate.set()
        return [end.state.value for end in ends]

    @flow
    def daily() -> list[str]:
        return first.submit([end_as.submit("works"), held.submit()]).result()

    life = bench.run(daily)
    assert life.result == ["succeeded", "pending"]
    assert {"one_success", "one_failed", "one_done", "always"} == EARLY_RULES


def test_an_early_call_is_the_same_call_whichever_dependency_came_first(bench: Bench) -> None:
    """Which ones had ended depends on timing, so it is no part of the identity."""
    hold_first = [True]
    gates = [threading.Event(), threading.Event()]

    @task
    def side(number: int) -> int:
        if (number == 0) is hold_first[0]:
            wait_for(gates[number])
        return number

    @task(when="one_done")
    def first(ends: list[Outcome[int]]) -> int:
        did("first")
        for gate in gates:
            gate.set()
        return next(end.value for end in ends if end.succeeded and end.value is not None)

    @task
    def last() -> None:
        did("last")

    @flow
    def daily() -> int:
        found = first.submit([side.submit(0), side.submit(1)]).result()
        last()
        return found

    life = bench.run(daily)
    assert life.result == 1
    hold_first[0] = False
    first_ended = life.behind(lambda line: line.startswith(b'["e",2,'))
    again = bench.resume(life, first_ended)
    assert again.result == 1
    assert "first" not in again.ran


def test_a_submitted_call_cancelled_by_its_flow_counts_as_failed(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> None:
        wait_for(gate)

    @task(when="one_failed")
    def repair(end: Outcome[None]) -> str:
        return end.state.value

    @flow
    def daily() -> str:
        behind = end_as.submit(held.submit())  # type: ignore[arg-type]
        behind.cancel()
        found = repair.submit(behind).result()
        gate.set()
        return found

    assert bench.run(daily).result == CallState.CANCELLED.value


def test_rules_hold_for_async_tasks_too(bench: Bench) -> None:
    @task(when="all_done")
    async def report(one: Outcome[str], two: Outcome[str]) -> str:
        await asyncio.sleep(0)
        return f"{one.state.value} {two.state.value}"

    @flow
    async def daily() -> str:
        return await report.submit(end_as.submit("works"), end_as.submit("fails"))

    assert bench.run(daily).result == "succeeded failed"
