"""Retry: the next generation of an ended run, perhaps of edited code (E10, E11, E12)."""

from typing import Any

import pytest
from tests.kit import SYSTEM, Bench, did

from kapelle import flow, resource, task
from kapelle.authoring.flows import Flow
from kapelle.model.errors import StaleAttempt
from kapelle.model.runs import RunState


def pipeline(transform_adds: int, load_fails: bool) -> Flow[[], int]:
    """extract → transform → load, as two versions of one file."""

    @task(name="extract")
    def extract() -> int:
        did("extract")
        return 10

    if transform_adds == 1:

        @task(name="transform")
        def transform(x: int) -> int:
            did("transform")
            return x + 1
    else:

        @task(name="transform")
        def transform(x: int) -> int:
            did("transform, mended")
            return x + 2

    if load_fails:

        @task(name="load")
        def load(x: int) -> int:
            did("load")
            raise ValueError(f"{x} is wrong")
    else:

        @task(name="load")
        def load(x: int) -> int:
            did("load, mended")
            return x

    @flow(name="pipeline")
    def daily() -> int:
        return load(transform(extract()))

    return daily


def test_e10_a_retry_runs_what_failed_and_takes_the_rest(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    assert life.state is RunState.FAILED
    again = bench.retry(life, pipeline(1, load_fails=False))
    assert again.result == 11
    assert again.ran == ["load, mended"]
    assert [call.mark for call in again.calls] == ["reused", "reused", ""]


def test_e10_a_retry_runs_again_what_edited_code_made(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    again = bench.retry(life, pipeline(2, load_fails=False))
    assert again.result == 12
    assert again.ran == ["transform, mended", "load, mended"]


def test_e10_reuse_all_takes_what_edited_code_made_before(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    again = bench.retry(life, pipeline(2, load_fails=False), reuse="all")
    assert again.result == 11
    assert again.ran == ["load, mended"]


def test_e10_reuse_none_takes_nothing(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    again = bench.retry(life, pipeline(1, load_fails=False), reuse="none")
    assert again.ran == ["extract", "transform", "load, mended"]


def test_e10_a_chosen_task_runs_again_and_an_unchanged_result_stops_there(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    again = bench.retry(life, pipeline(1, load_fails=False), again=["extract"])
    assert again.ran == ["extract", "load, mended"]


def test_e10_the_plan_says_of_each_call_what_will_happen_and_why(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    plan = bench.plan(life, pipeline(2, load_fails=False))
    assert [(one.task, one.action, one.reason) for one in plan.calls] == [
        ("extract", "reuse", "it succeeded"),
        ("transform", "run", "its code has changed"),
        ("load", "run", "its failure ended the run"),
    ]
    assert plan.generation == 2
    assert plan.changed == ("load", "transform")


def test_e11_the_end_of_a_generation_is_final(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    again = bench.retry(life, pipeline(1, load_fails=False))
    assert again.run.generation == 2
    assert [(end.generation, end.state) for end in again.run.previous] == [(1, RunState.FAILED)]
    with again.home.store.read() as tx:
        first = b"".join(tx.journal.read(SYSTEM, life.run.id, 1))
    assert first == life.journal
    with pytest.raises(StaleAttempt), again.home.store.write() as tx:
        tx.runs.begin_attempt(SYSTEM, life.run.id, 1, "0" * 32, 0)


def test_a_retry_that_dies_goes_on_by_its_own_rules(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    again = bench.retry(life, pipeline(2, load_fails=False))
    for after, third in bench.every_resume(again):
        assert third.result == 12, f"behind line {after}"
        known = again.known(after).calls.values()
        done = sum(call.ended is not None and not call.ended.mark for call in known)
        assert third.ran == ["transform, mended", "load, mended"][done:]


def fallen_back(publish_fails: bool, primary_works: bool) -> Flow[[], str]:
    @task(name="primary")
    def primary() -> str:
        did("primary")
        raise ConnectionError("no answer")

    @task(name="fallback")
    def fallback() -> str:
        did("fallback")
        return "fallback"

    if publish_fails:

        @task(name="publish")
        def publish(what: str) -> str:
            did(f"publish {what}")
            raise ValueError("cannot publish")
    else:

        @task(name="publish")
        def publish(what: str) -> str:
            did(f"publish {what}")
            return what

    @flow(name="fallen_back")
    def daily() -> str:
        try:
            what = primary()
        except ConnectionError:
            what = fallback()
        return publish(what)

    return daily


def test_e12_a_failure_that_the_flow_handled_stays(bench: Bench) -> None:
    life = bench.run(fallen_back(True, False))
    assert life.state is RunState.FAILED
    again = bench.retry(life, fallen_back(False, False))
    assert again.result == "fallback"
    assert again.ran == ["publish fallback"]


def test_e12_also_handled_forgets_those_too(bench: Bench) -> None:
    life = bench.run(fallen_back(True, False))
    again = bench.retry(life, fallen_back(False, False), also_handled=True)
    assert again.ran == ["primary", "publish fallback"]


def test_e12_what_was_skipped_because_of_the_failure_runs(bench: Bench) -> None:
    fails = [True]

    @task
    def first() -> int:
        did("first")
        if fails[0]:
            raise ValueError("no")
        return 1

    @task
    def second(x: int) -> int:
        did("second")
        return x

    @flow
    def daily() -> int:
        return second.submit(first.submit()).result()

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    assert life.ran == ["first"]
    fails[0] = False
    again = bench.retry(life, reuse="all")
    assert again.result == 1
    assert again.ran == ["first", "second"]


def test_e12_failures_that_nobody_looked_at_are_forgotten_with_the_one_that_ended_the_run(bench: Bench) -> None:
    fails = [True]

    @task
    def load(x: int) -> int:
        did(f"load {x}")
        if fails[0]:
            raise ValueError(f"no {x}")
        return x

    @flow
    def daily() -> str:
        load.submit(1)
        load.map([2, 3])
        if fails[0]:
            load.submit(4).outcome()
            raise KeyError("the flow's own")
        return "fine"

    life = bench.run(daily)
    assert isinstance(life.error, KeyError)
    fails[0] = False
    again = bench.retry(life, reuse="all")
    assert again.result == "fine"
    assert sorted(again.ran) == ["load 1", "load 2", "load 3"], "the fourth was looked at: the flow handled it"


def test_e12_all_failures_of_a_flow_that_looked_at_none_are_forgotten(bench: Bench) -> None:
    fails = [True]

    @task
    def load(x: int) -> int:
        if fails[0]:
            raise ValueError(f"no {x}")
        return x

    @task
    def outer() -> None:
        load.map([1, 2])
        load.submit(3)
        load.submit(load.submit(4))

    @flow
    def daily() -> None:
        outer()
        load.submit(5)

    life = bench.run(daily)
    fails[0] = False
    assert bench.retry(life, reuse="all").state is RunState.SUCCEEDED


def test_e12_a_failure_handled_where_the_next_call_failed_stays(bench: Bench) -> None:
    """The fallback is published inside the `except` block, and publishing fails: the fallback is kept."""
    fails = [True]

    @task
    def primary() -> str:
        did("primary")
        raise ConnectionError("no answer")

    @task
    def fallback() -> str:
        did("fallback")
        return "fallback"

    @task
    def check(what: str) -> str:
        if fails[0]:
            raise ValueError("cannot publish")
        return what

    @task
    def publish(what: str) -> str:
        did("publish")
        try:
            return check(what)
        except ValueError:
            raise RuntimeError("publishing failed")  # noqa: B904  its context is what is tested

    @flow
    def daily() -> str:
        try:
            return primary()
        except ConnectionError:
            return publish(fallback())

    life = bench.run(daily)
    assert isinstance(life.error, RuntimeError)
    fails[0] = False
    again = bench.retry(life, reuse="all")
    assert again.result == "fallback"
    assert again.ran == ["publish"]


class Unsendable(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("it holds something open")


def test_e12_a_failure_that_cannot_be_encoded_is_forgotten_inside_and_out(bench: Bench) -> None:
    fails = [True]

    @task
    def inner() -> int:
        if fails[0]:
            raise Unsendable("no")
        return 1

    @task
    def outer() -> int:
        return inner()

    @flow
    def daily() -> int:
        return outer()

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    fails[0] = False
    assert bench.retry(life, reuse="all").result == 1


def test_a_call_that_has_moved_in_edited_code_is_found_again(bench: Bench) -> None:
    def version(moved: bool) -> Flow[[], Any]:
        @task(name="costly")
        def costly(x: int) -> int:
            did("costly")
            return x

        @task(name="fails")
        def fails() -> int:
            raise ValueError("no")

        if not moved:

            @flow(name="moving")
            def daily() -> Any:
                return [costly(1), fails()]
        else:

            @flow(name="moving")
            def daily() -> Any:
                return [costly.submit(1).result()]

        return daily

    life = bench.run(version(moved=False))
    again = bench.retry(life, version(moved=True))
    assert again.result == [1]
    assert again.ran == []


def test_a_resource_that_was_cleaned_up_is_made_anew(bench: Bench) -> None:
    @task
    def create() -> str:
        did("create")
        return "cluster"

    @task
    def delete(name: str) -> None:
        did("delete")

    @task
    def train(name: str) -> str:
        did("train")
        raise ValueError("no")

    @flow
    def daily() -> str:
        with resource(create, cleanup=delete) as name:
            return train(name)

    life = bench.run(daily)
    assert life.ran == ["create", "train", "delete"]
    assert bench.retry(life).ran == ["create", "train", "delete"]


def test_a_run_that_succeeded_can_be_retried_and_takes_everything(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=False))
    again = bench.retry(life)
    assert again.result == life.result
    assert again.ran == []


def test_calls_inside_a_call_that_runs_again_are_taken(bench: Bench) -> None:
    def version(fails: bool) -> Flow[[], int]:
        @task(name="inner")
        def inner(x: int) -> int:
            did(f"inner {x}")
            return x

        if fails:

            @task(name="outer")
            def outer() -> int:
                did("outer")
                return inner(1) + inner(1 // 0)
        else:

            @task(name="outer")
            def outer() -> int:
                did("outer")
                return inner(1) + inner(2)

        @flow(name="calls_inside")
        def daily() -> int:
            return outer()

        return daily

    life = bench.run(version(fails=True))
    again = bench.retry(life, version(fails=False))
    assert again.result == 3
    assert again.ran == ["outer", "inner 2"]


def test_the_third_generation_takes_from_the_second(bench: Bench) -> None:
    life = bench.run(pipeline(1, load_fails=True))
    second = bench.retry(life, pipeline(2, load_fails=True))
    assert second.state is RunState.FAILED
    third = bench.retry(second, pipeline(2, load_fails=False))
    assert third.run.generation == 3
    assert third.ran == ["load, mended"]
    assert third.result == 12


def test_an_async_run_is_retried(bench: Bench) -> None:
    fails = [True]

    @task
    async def first() -> int:
        did("first")
        return 1

    @task
    async def second(x: int) -> int:
        did("second")
        if fails[0]:
            raise ValueError("no")
        return x

    @flow
    async def daily() -> int:
        return await second(await first())

    life = bench.run(daily)
    fails[0] = False
    assert bench.retry(life, reuse="all").ran == ["second"]
