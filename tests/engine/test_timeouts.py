"""Time limits and cancelling: user code is stopped at its next instruction, the engine never (E17, E18)."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, did, wait_for

from kapelle import RunCancelled, TaskTimedOut, TaskTimeout, flow, resource, task
from kapelle.engine.state import Engine
from kapelle.model.calls import CallState
from kapelle.model.runs import RunState

SOON_S = 0.02


def spin(until: Callable[[], bool] = lambda: False) -> None:
    """Busy for ever, in steps that can be interrupted."""
    step = threading.Event()
    while not until():
        step.wait(0.001)


@task(timeout=SOON_S)
def endless() -> None:
    spin()


def test_e17_a_task_in_the_main_thread_is_stopped_when_its_time_is_over(bench: Bench) -> None:
    @flow
    def daily() -> str:
        try:
            endless()
        except TaskTimedOut as error:
            return str(error)
        return "not stopped"

    life = bench.run(daily)
    assert "endless did not end within 0.02 s" in life.result
    assert life.states("endless") == [CallState.FAILED]
    assert bench.resume(life, life.ends(1)).result == life.result


def test_e17_the_signal_wakes_even_a_sleeping_main_thread(bench: Bench) -> None:
    @task(timeout=SOON_S)
    def asleep() -> None:
        threading.Event().wait(60)

    @flow
    def daily() -> None:
        asleep()

    assert isinstance(bench.run(daily).error, TaskTimedOut)


def test_e17_a_task_in_a_thread_is_stopped(bench: Bench) -> None:
    @flow
    def daily() -> str:
        return type(endless.submit().outcome().error).__name__

    assert bench.run(daily).result == "TaskTimedOut"


def test_e17_an_async_task_is_stopped(bench: Bench) -> None:
    @task(timeout=SOON_S)
    async def waits() -> None:
        await asyncio.Event().wait()

    @flow
    async def daily() -> list[str]:
        found = []
        try:
            await waits()
        except TaskTimedOut as error:
            found.append(type(error).__name__)
        found.append(type(await collect(waits.submit())).__name__)
        return found

    async def collect(future: Any) -> BaseException | None:
        try:
            await future
        except TaskTimedOut as error:
            return error
        return None

    assert bench.run(daily).result == ["TaskTimedOut", "TaskTimedOut"]


def test_e17_except_exception_does_not_swallow_the_interrupt(bench: Bench) -> None:
    @task(timeout=SOON_S)
    def stubborn() -> str:
        try:
            spin()
        except Exception:
            return "swallowed"
        return "ended"

    @flow
    def daily() -> str:
        return stubborn()

    assert isinstance(bench.run(daily).error, TaskTimedOut)


def test_a_task_may_clean_up_when_its_time_is_over(bench: Bench) -> None:
    @task(timeout=SOON_S)
    def cleans() -> None:
        try:
            spin()
        except TaskTimeout:
            did("cleaned up")
            raise

    @flow
    def daily() -> None:
        cleans()

    life = bench.run(daily)
    assert life.ran == ["cleaned up"]
    assert isinstance(life.error, TaskTimedOut)


def test_a_call_that_ends_in_time_is_not_disturbed(bench: Bench) -> None:
    @task(timeout=60)
    def quick(x: int) -> int:
        return x

    @flow
    def daily() -> int:
        return sum(quick(x) for x in range(50)) + sum(quick.map(range(50)).results())

    assert bench.run(daily).result == 2 * 1225


def test_timeouts_are_worth_a_retry(bench: Bench) -> None:
    @task(timeout=SOON_S, retries=1, retry_on=ConnectionError)
    def slow_once(first: list[int]) -> str:
        if first:
            return "quick"
        did("slow")
        first.append(1)
        spin()
        return "slow"

    slow_once = slow_once.with_options(ignore=("first",))

    @flow
    def daily() -> str:
        return slow_once([])

    life = bench.run(daily)
    assert life.result == "quick"
    assert life.call("slow_once").attempts == 2


def test_the_time_of_an_outer_call_stops_the_inner_one(bench: Bench) -> None:
    @task
    def inner() -> None:
        spin()

    @task(timeout=SOON_S)
    def outer() -> None:
        inner()

    @flow
    def daily() -> None:
        outer()

    life = bench.run(daily)
    assert isinstance(life.error, TaskTimedOut)
    assert "outer did not end" in str(life.error)
    assert life.states("outer") == [CallState.FAILED]
    assert life.states("inner") == [CallState.CANCELLED]


def test_the_time_of_a_call_that_waits_for_a_future_stops_the_wait(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> None:
        wait_for(gate)

    @task(timeout=SOON_S)
    def waits() -> None:
        future = held.submit()
        try:
            future.result()
        finally:
            gate.set()

    @flow
    def daily() -> None:
        waits()

    life = bench.run(daily)
    assert isinstance(life.error, TaskTimedOut)


def test_a_flow_has_a_time_limit_too(bench: Bench) -> None:
    @flow(timeout=SOON_S)
    def daily() -> None:
        spin()

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    assert life.run.reason == "timed out"
    assert isinstance(life.error, TaskTimedOut)
    assert "the flow" in str(life.error)


def test_an_async_flow_has_a_time_limit_too(bench: Bench) -> None:
    @flow(timeout=SOON_S)
    async def daily() -> None:
        await asyncio.Event().wait()

    life = bench.run(daily)
    assert life.run.reason == "timed out"
    assert isinstance(life.error, TaskTimedOut)


def test_the_flows_own_timeout_error_is_not_taken_for_its_time_limit(bench: Bench) -> None:
    @flow(timeout=60)
    async def daily() -> None:
        raise TimeoutError("the author's own")

    life = bench.run(daily)
    assert type(life.error) is TimeoutError
    assert life.run.reason == ""


# Cancelling a run


def cancelling(folder: Path, **options: Any) -> tuple[Bench, Callable[[], None]]:
    """A bench, and what cancels the run that it plays."""
    engines: list[Engine] = []

    def cancel() -> None:
        asking = threading.Thread(target=lambda: engines[-1].cancel("as asked"))
        asking.start()
        asking.join()

    return Bench(folder, watch=engines.append, **options), cancel


def test_e18_a_cancelled_run_ends_as_cancelled_with_its_reason(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @task
    def cancels() -> None:
        cancel()
        spin()

    @flow
    def daily() -> None:
        cancels()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.run.reason == "as asked"
    assert life.states("cancels") == [CallState.CANCELLED]
    assert life.call("cancels").reason == "as asked"


def test_e18_except_exception_around_a_task_does_not_eat_the_cancel(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @task
    def cancels() -> None:
        cancel()
        spin()

    @task
    def more() -> None:
        did("more")

    @flow
    def daily() -> None:
        try:
            cancels()
        except Exception:
            did("swallowed")
        more()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.ran == []


def test_e18_nothing_new_starts_in_a_cancelled_run(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @task
    def more() -> None:
        did("more")

    @flow
    def daily() -> None:
        try:
            cancel()
            spin()
        finally:
            with pytest.raises(RunCancelled):
                more()
            with pytest.raises(RunCancelled):
                more.submit()
            with pytest.raises(RunCancelled):
                more.map([1])
            did("finally")

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.ran == ["finally"]
    assert life.of("more") == []


def test_cancelling_stops_calls_in_all_threads(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)
    started = threading.Barrier(4, timeout=20)

    @task
    def busy(x: int) -> None:
        started.wait()
        spin()

    @flow
    def daily() -> None:
        busy.map([1, 2, 3])
        started.wait()
        cancel()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.states("busy") == [CallState.CANCELLED] * 3


def test_cancelling_an_async_flow_cancels_its_branches(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @task
    async def waits(x: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            did(f"finally {x}")

    @flow
    async def daily() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits(1))
            group.create_task(waits(2))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            cancel()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert sorted(life.ran) == ["finally 1", "finally 2"]
    assert life.states("waits") == [CallState.CANCELLED] * 2


def test_a_run_that_waits_between_attempts_is_cancelled_at_once(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path, waiting=True)

    @task(retries=1, retry_delay="1h")
    def fails() -> None:
        threading.Timer(0.01, cancel).start()
        raise ValueError("no")

    @flow
    def daily() -> None:
        fails()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.states("fails") == [CallState.CANCELLED]


def test_a_run_that_waits_for_a_place_is_cancelled_at_once(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @task(limit=1)
    def holds() -> None:
        threading.Timer(0.01, cancel).start()
        spin()

    @flow
    def daily() -> None:
        holds.submit()
        holds.submit()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.states("holds") == [CallState.CANCELLED]


def test_a_cancelled_run_still_cleans_up_its_resources(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @task
    def create() -> str:
        return "cluster"

    @task
    def delete(name: str) -> None:
        did(f"delete {name}")

    @flow
    def daily() -> None:
        with resource(create, cleanup=delete):
            cancel()
            spin()

    life = bench.run(daily)
    assert life.state is RunState.CANCELLED
    assert life.ran == ["delete cluster"]


def test_the_second_cancel_does_nothing(tmp_path: Path) -> None:
    bench, cancel = cancelling(tmp_path)

    @flow
    def daily() -> None:
        cancel()
        cancel()
        spin()

    life = bench.run(daily)
    assert life.run.reason == "as asked"


# How the flow's own code leaves


def test_u11_sys_exit_without_a_code_ends_the_run_well(bench: Bench) -> None:
    @flow
    def daily() -> None:
        raise SystemExit(0)

    assert bench.run(daily).state is RunState.SUCCEEDED


def test_u11_sys_exit_with_a_code_fails_the_run(bench: Bench) -> None:
    @flow
    def daily() -> None:
        raise SystemExit(3)

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    assert life.run.failure is not None
    assert "SystemExit(3)" in life.run.failure.message


def test_u11_keyboard_interrupt_in_a_flow_is_a_cancel(bench: Bench) -> None:
    @flow
    def daily() -> None:
        raise KeyboardInterrupt

    assert bench.run(daily).state is RunState.CANCELLED


def test_what_a_stopped_call_had_submitted_is_stopped_with_it(bench: Bench) -> None:
    started = threading.Event()

    @task
    def child(x: int) -> None:
        started.set()
        spin()

    @task(timeout=SOON_S)
    def outer() -> None:
        child.map([1, 2])
        wait_for(started)
        spin()

    @flow
    def daily() -> str:
        try:
            outer()
        except TaskTimedOut:
            return "stopped"
        return "not stopped"

    life = bench.run(daily)
    assert life.result == "stopped"
    assert set(life.states("child")) == {CallState.CANCELLED}
