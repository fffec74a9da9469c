"""Futures: started beside the flow, waited for at its end, never mistaken for their values (E19)."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from tests.kit import Bench, did, wait_for

from kapelle import RunFailed, Skip, TaskSkipped, UpstreamFailed, as_completed, flow, parallel, task
from kapelle.model.calls import CallState
from kapelle.model.errors import FutureMisuse
from kapelle.model.runs import RunState


@task
def double(x: int) -> int:
    did(f"double {x}")
    return 2 * x


@task
def refuse(x: int) -> int:
    did(f"refuse {x}")
    raise ValueError(f"no {x}")


@task
def show(*what: Any, **named: Any) -> str:
    return f"{what} {named}"


@task
def take(what: Any) -> Any:
    did("take")
    return what


def test_the_flow_ends_when_all_that_it_submitted_has_ended(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def late() -> None:
        wait_for(gate)
        did("late")

    @task
    def opens() -> None:
        gate.set()

    @flow
    def daily() -> str:
        late.submit()
        opens.submit()
        return "returned"

    life = bench.run(daily)
    assert life.result == "returned"
    assert life.ran == ["late"]


def test_e19_a_failure_that_nobody_looked_at_fails_the_run(bench: Bench) -> None:
    @flow
    def daily() -> str:
        refuse.submit(1)
        return "returned"

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    assert isinstance(life.error, ValueError)
    assert life.run.failure is not None
    assert life.run.failure.headline == "ValueError: no 1"


def test_e19_of_several_such_failures_the_first_submitted_is_raised_and_the_others_are_counted(bench: Bench) -> None:
    first_may_fail = threading.Event()

    @task
    def slow() -> None:
        wait_for(first_may_fail)
        raise KeyError("first")

    @task
    def quick() -> None:
        try:
            raise ValueError("second")
        finally:
            first_may_fail.set()

    @flow
    def daily() -> None:
        slow.submit()
        quick.submit()

    life = bench.run(daily)
    assert isinstance(life.error, KeyError)
    assert life.error.__notes__ == ["and 1 more failures of submitted calls that nobody looked at"]


def test_e19_a_failure_that_was_looked_at_does_not_fail_the_run(bench: Bench) -> None:
    @flow
    def daily() -> str:
        future = refuse.submit(1)
        with pytest.raises(ValueError, match="no 1"):
            future.result()
        return str(refuse.submit(2).outcome().error)

    assert bench.run(daily).result == "no 2"


def test_e19_allow_failure_lets_the_flow_end_well(bench: Bench) -> None:
    tolerant = refuse.with_options(allow_failure=True)

    @flow
    def daily() -> str:
        tolerant.submit(1)
        return "returned"

    life = bench.run(daily)
    assert life.result == "returned"
    assert life.states("refuse") == [CallState.FAILED]


@pytest.mark.parametrize(
    "misuse",
    [bool, len, list, lambda future: future[0], lambda future: 1 if future else 2],
    ids=["bool", "len", "iter", "item", "if"],
)
def test_e19_a_future_is_not_its_value(bench: Bench, misuse: Any) -> None:
    @flow
    def daily() -> str:
        future = double.submit(1)
        with pytest.raises(FutureMisuse) as refused:
            misuse(future)
        return str(refused.value)

    told = bench.run(daily).result
    assert told.startswith("a future is not its value")
    assert ".result()" in told
    assert "double" in told


@dataclass
class Order:
    item: Any
    note: str = ""


class Pair(NamedTuple):
    one: Any
    two: Any


CONTAINERS = [
    (lambda one, two: [one, two], [2, 4]),
    (lambda one, two: (one, two), (2, 4)),
    (lambda one, two: {"a": one, "b": two}, {"a": 2, "b": 4}),
    (lambda one, two: {"a": [one, {"c": two}]}, {"a": [2, {"c": 4}]}),
    (lambda one, two: Order(item=[one, two], note="x"), Order(item=[2, 4], note="x")),
    (lambda one, two: Pair(one, two), Pair(2, 4)),
    (lambda one, two: {one, two}, {2, 4}),
]


@pytest.mark.parametrize(
    ("build", "built"), CONTAINERS, ids=["list", "tuple", "dict", "deep", "dataclass", "named", "set"]
)
def test_e19_futures_inside_containers_are_dependencies(bench: Bench, build: Any, built: Any) -> None:
    @flow
    def daily() -> Any:
        return take.submit(build(double.submit(1), double.submit(2))).result()

    assert bench.run(daily).result == built


def test_e19_a_call_with_futures_in_its_arguments_does_not_wait_where_it_is_submitted(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> int:
        wait_for(gate)
        return 5

    @flow
    def daily() -> int:
        behind = double.submit(held.submit())
        assert not behind.done()
        gate.set()
        return behind.result()

    assert bench.run(daily).result == 10


def test_e19_a_direct_call_given_a_future_waits_for_it(bench: Bench) -> None:
    @flow
    def daily() -> Any:
        return take([double.submit(3), {"x": double(double.submit(4))}])  # type: ignore[arg-type]

    assert bench.run(daily).result == [6, {"x": 16}]


def test_e19_a_direct_async_call_given_a_future_waits_for_it(bench: Bench) -> None:
    @task
    async def add(x: Any, y: Any) -> Any:
        return x + y

    @flow
    async def daily() -> Any:
        return await add(double.submit(3), add.submit(1, 2))

    assert bench.run(daily).result == 9


def test_a_failed_dependency_fails_a_direct_call_given_its_future(bench: Bench) -> None:
    @flow
    def daily() -> Any:
        return take([refuse.submit(3)])

    life = bench.run(daily)
    assert isinstance(life.error, ValueError)
    assert life.of("take") == []


def test_a_call_whose_dependency_failed_is_skipped_and_says_why(bench: Bench) -> None:
    @flow
    def daily() -> str:
        broken = refuse.submit(1)
        behind = double.submit(double.submit(broken))
        with pytest.raises(UpstreamFailed) as skipped:
            behind.result()
        assert isinstance(skipped.value, TaskSkipped)
        with pytest.raises(ValueError, match="no 1"):
            broken.result()
        return str(skipped.value)

    life = bench.run(daily)
    assert "1 of 1 that it depends on" in life.result
    assert life.states("double") == [CallState.SKIPPED, CallState.SKIPPED]
    for _, again in bench.every_resume(life):
        assert again.result == life.result


def test_only_the_failure_itself_fails_the_run_not_what_was_skipped_because_of_it(bench: Bench) -> None:
    @flow
    def daily() -> None:
        double.submit(double.submit(refuse.submit(1)))

    life = bench.run(daily)
    assert isinstance(life.error, ValueError)


def test_a_task_may_skip_itself(bench: Bench) -> None:
    @task
    def maybe() -> None:
        raise Skip("nothing new today")

    @flow
    def daily() -> str:
        future = maybe.submit()
        outcome = future.outcome()
        assert outcome.skipped
        assert outcome.reason == "nothing new today"
        with pytest.raises(TaskSkipped, match="maybe was skipped"):
            maybe()
        return outcome.reason

    life = bench.run(daily)
    assert life.states("maybe") == [CallState.SKIPPED, CallState.SKIPPED]
    assert life.calls[0].reason == "nothing new today"
    for _, again in bench.every_resume(life):
        assert again.result == life.result


def test_wait_for_names_more_that_must_end_before(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> None:
        wait_for(gate)
        did("held")

    @flow
    def daily() -> int:
        behind = double.submit(1, wait_for=[held.submit()])
        gate.set()
        return behind.result()

    life = bench.run(daily)
    assert life.ran == ["held", "double 1"]


def test_result_with_a_time_limit_raises_timeout_error_and_can_be_asked_again(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> int:
        wait_for(gate)
        return 7

    @flow
    def daily() -> int:
        future = held.submit()
        with pytest.raises(TimeoutError, match="has not ended after 0"):
            future.result(0)
        gate.set()
        return future.result(20)

    assert bench.run(daily).result == 7


def test_a_call_that_has_not_started_can_be_cancelled_without_a_trace(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> int:
        wait_for(gate)
        return 7

    @flow
    def daily() -> str:
        behind = double.submit(held.submit())
        assert behind.cancel()
        assert not behind.cancel()
        gate.set()
        return behind.outcome().state.value

    life = bench.run(daily)
    assert life.result == "cancelled"
    assert life.of("double") == []


def test_e18_a_running_call_is_stopped_by_cancel_and_ends_as_cancelled(bench: Bench) -> None:
    started = threading.Event()

    @task
    def endless() -> None:
        started.set()
        while True:
            threading.Event().wait(0.001)

    @flow
    def daily() -> str:
        future = endless.submit()
        wait_for(started)
        assert future.cancel()
        return future.outcome().state.value

    life = bench.run(daily)
    assert life.result == "cancelled"
    assert life.states("endless") == [CallState.CANCELLED]
    again = bench.resume(life, life.ends(1))
    assert again.result == "cancelled"


def test_e18_a_running_async_call_is_stopped_by_cancel(bench: Bench) -> None:
    @task
    async def endless(started: asyncio.Event) -> None:
        started.set()
        await asyncio.Event().wait()

    endless = endless.with_options(ignore=("started",))

    @flow
    async def daily() -> str:
        started = asyncio.Event()
        future = endless.submit(started)
        await started.wait()
        assert future.cancel()
        with pytest.raises(BaseException) as cancelled:  # noqa: PT011  the kind of cancellation is asyncio's affair
            await future
        return type(cancelled.value).__name__

    life = bench.run(daily)
    assert life.result == "CancelledError"
    assert life.states("endless") == [CallState.CANCELLED]


def test_cancelling_what_has_ended_says_no(bench: Bench) -> None:
    @flow
    def daily() -> bool:
        future = double.submit(1)
        future.result()
        return future.cancel()

    assert bench.run(daily).result is False


def test_futures_come_in_the_order_in_which_they_end(bench: Bench) -> None:
    gates = [threading.Event() for _ in range(3)]

    @task
    def held(number: int) -> int:
        wait_for(gates[number])
        return number

    @flow
    def daily() -> list[int]:
        futures = [held.submit(number) for number in range(3)]
        order = []
        gates[2].set()
        for future in as_completed(futures):
            order.append(future.result())
            if order[-1] != 1:
                gates[{2: 0, 0: 1}[order[-1]]].set()
        return order

    assert bench.run(daily).result == [2, 0, 1]


def test_parallel_makes_the_calls_of_its_block_submits(bench: Bench) -> None:
    barrier = threading.Barrier(2, timeout=20)

    @task
    def meet(x: int) -> int:
        barrier.wait()
        return x

    @flow
    def daily() -> int:
        with parallel():
            one: Any = meet(1)
            two: Any = meet(2)
        return one.result() + two.result()

    assert bench.run(daily).result == 3


def test_parallel_raises_the_first_failure_when_all_have_ended(bench: Bench) -> None:
    @flow
    def daily() -> str:
        try:
            with parallel():
                refuse(1)
                double(2)
                refuse(3)
        except ValueError as error:
            return str(error)
        return "nothing raised"

    life = bench.run(daily)
    assert life.result == "no 1"
    assert sorted(life.ran) == ["double 2", "refuse 1", "refuse 3"]


def test_parallel_in_async_code(bench: Bench) -> None:
    @flow
    async def daily() -> int:
        async with parallel():  # type: ignore[attr-defined]
            one: Any = double(1)
            two: Any = double(2)
        return one.result() + two.result()  # type: ignore[no-any-return]

    assert bench.run(daily).result == 6


def test_the_calls_that_a_task_submits_are_its_children_and_end_before_it(bench: Bench) -> None:
    @task
    def outer() -> None:
        double.submit(1)
        double.submit(2)

    @flow
    def daily() -> None:
        outer()
        did("behind outer")

    life = bench.run(daily)
    assert life.ran[-1] == "behind outer"
    assert [call.path for call in life.of("double")] == [("outer", "double")] * 2


def test_an_unobserved_failure_inside_a_task_fails_the_task(bench: Bench) -> None:
    @task
    def outer() -> str:
        refuse.submit(1)
        return "returned"

    @flow
    def daily() -> str:
        try:
            return outer()
        except ValueError as error:
            return f"outer failed: {error}"

    life = bench.run(daily)
    assert life.result == "outer failed: no 1"
    assert life.states("outer") == [CallState.FAILED]


def test_what_a_failed_flow_had_submitted_and_not_started_is_dropped(tmp_path: Any) -> None:
    bench = Bench(tmp_path, threads=1)
    started, gate = threading.Event(), threading.Event()

    @task
    def held() -> None:
        started.set()
        wait_for(gate)

    @flow
    def daily() -> None:
        first = held.submit()
        double.submit(first)  # type: ignore[arg-type]
        wait_for(started)
        threading.Timer(0.01, gate.set).start()
        raise RunFailed("the flow's own code failed")

    life = bench.run(daily)
    assert isinstance(life.error, RunFailed)
    assert life.states("held") == [CallState.SUCCEEDED]
    assert life.of("double") == []


def test_a_thousand_submits_in_few_threads(tmp_path: Any) -> None:
    bench = Bench(tmp_path, threads=2)

    @flow
    def daily() -> int:
        return sum(future.result() for future in [double.submit(x) for x in range(1000)])

    assert bench.run(daily).result == 999_000


def test_tasks_that_wait_for_tasks_do_not_starve_a_single_thread(tmp_path: Any) -> None:
    bench = Bench(tmp_path, threads=1)

    @task
    def tree(depth: int) -> int:
        return 1 if depth == 0 else sum(tree.map([depth - 1, depth - 1]).results())

    @flow
    def daily() -> int:
        return tree.submit(4).result()

    assert bench.run(daily).result == 16
