"""What a flow asks of its run: steps, time, chance, resources, context, hooks, nested flows, limits, output."""

import asyncio
import logging
import random
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, HandClock, did, wait_for

from kapelle import Limit, RunInfo, TaskInfo, current_run, current_task, flow, resource, run, step, task
from kapelle.model.calls import CallState
from kapelle.model.errors import DefinitionError, DuplicateName, UsageError
from kapelle.model.runs import RunState


@task
def double(x: int) -> int:
    did(f"double {x}")
    return 2 * x


# Steps, time and chance


def test_step_records_any_function(bench: Bench) -> None:
    draws = iter(range(100))

    def draw(low: int) -> int:
        did("draw")
        return low + next(draws)

    @flow
    def daily() -> list[int]:
        return [step(draw, 10), step(draw, low=20), step(lambda: next(draws), name="third"), double(1)]

    life = bench.run(daily)
    assert life.result == [10, 21, 2, 2]
    assert [call.kind for call in life.calls] == ["step", "step", "step", "task"]
    assert bench.resume(life, life.ends(3)).result == life.result


def test_a_lambda_needs_a_name(bench: Bench) -> None:
    @flow
    def daily() -> int:
        return step(lambda: 1)

    life = bench.run(daily)
    assert isinstance(life.error, DefinitionError)
    assert 'name="…"' in str(life.error)


def test_two_functions_of_one_name_are_refused_when_a_run_uses_both(bench: Bench) -> None:
    @flow
    def daily() -> None:
        step(lambda: 1, name="one")
        step(lambda: 2, name="one")

    assert isinstance(bench.run(daily).error, DuplicateName)


def test_now_uuid_and_random_are_seen_again(tmp_path: Path) -> None:
    clock = HandClock()
    bench = Bench(tmp_path, clock=clock)

    @flow
    def daily() -> list[Any]:
        found: list[Any] = [run.now(), run.uuid(), run.uuid(), run.random().random(), run.random().random(), run.id]
        double(1)
        return found

    life = bench.run(daily)
    now, one, two, first, second, identity = life.result
    assert int(now.timestamp() * 1e6) == clock.now_us()
    assert one != two
    assert first != second
    assert identity == life.run.id
    clock.advance(60)
    assert bench.resume(life, life.ends(2)).result == life.result


def test_run_ids_make_the_chance_of_each_run_its_own(bench: Bench) -> None:
    @flow
    def daily() -> list[Any]:
        return [run.uuid(), run.random().random()]

    assert bench.run(daily).result != bench.run(daily).result


def test_outside_a_run_time_and_chance_are_ordinary() -> None:
    assert run.now().tzinfo is not None
    assert run.uuid() != run.uuid()
    assert isinstance(run.random(), random.Random)
    assert step(max, 1, 2) == 2


@pytest.mark.parametrize(
    "ask", [current_run, current_task, lambda: run.id, lambda: resource(double, 1, cleanup=double)]
)
def test_outside_a_run_there_is_no_context(ask: Any) -> None:
    with pytest.raises(UsageError, match="needs a run"):
        ask()


# Resources


@task
def create(name: str) -> str:
    did(f"create {name}")
    return name.upper()


@task
def delete(name: str) -> None:
    did(f"delete {name}")


def test_a_resource_is_cleaned_up_once_in_whichever_process_its_block_ends(bench: Bench) -> None:
    @flow
    def daily() -> int:
        with resource(create, "cluster", cleanup=delete) as name:
            assert name == "CLUSTER"
            double(1)
        return double(2)

    life = bench.run(daily)
    assert life.ran == ["create cluster", "double 1", "delete CLUSTER", "double 2"]
    for after, again in bench.every_resume(life):
        done = sum(call.ended is not None for call in life.known(after).calls.values())
        assert again.ran == life.ran[done:]


def test_a_resource_is_cleaned_up_when_its_block_fails(bench: Bench) -> None:
    @flow
    def daily() -> None:
        with resource(create, "cluster", cleanup=delete):
            raise ValueError("no")

    life = bench.run(daily)
    assert isinstance(life.error, ValueError)
    assert life.ran == ["create cluster", "delete CLUSTER"]
    for after, again in bench.every_resume(life):
        done = sum(call.ended is not None for call in life.known(after).calls.values())
        assert again.ran == life.ran[done:]


def test_resources_of_async_flows(bench: Bench) -> None:
    @task
    async def make() -> str:
        did("make")
        return "thing"

    @task
    async def unmake(thing: str) -> None:
        did(f"unmake {thing}")

    @flow
    async def daily() -> None:
        async with resource(make, cleanup=unmake) as thing:  # type: ignore[attr-defined]
            assert thing == "thing"
        async with resource(create, "x", cleanup=delete):  # type: ignore[attr-defined]
            pass

    life = bench.run(daily)
    assert life.state is RunState.SUCCEEDED, life.ending.error
    assert life.ran == ["make", "unmake thing", "create x", "delete X"]


def test_a_sync_block_in_async_code_is_told_to_be_async(bench: Bench) -> None:
    @flow
    async def daily() -> None:
        with resource(create, "x", cleanup=delete):
            pass

    life = bench.run(daily)
    assert isinstance(life.error, UsageError)
    assert "async with" in str(life.error)


# Context


def test_a_task_knows_its_run_and_itself(bench: Bench) -> None:
    seen: list[Any] = []

    @task(run_name="load-{table}")
    def load(table: str) -> None:
        seen.extend([current_run(), current_task()])

    @flow(tags=("nightly",), run_name="daily-{day}")
    def daily(day: str) -> None:
        load("orders")
        with pytest.raises(UsageError, match="flow's own code"):
            current_task()

    life = bench.start(daily, ("monday",), tags=("by-hand",))
    info, call = seen
    assert isinstance(info, RunInfo)
    assert isinstance(call, TaskInfo)
    assert (info.id, info.name, info.generation, info.attempt) == (life.run.id, "daily-monday", 1, 1)
    assert info.tags == ("nightly", "by-hand") == life.run.tags
    assert info.parameters == {"day": "monday"}
    assert (call.name, call.attempt, call.run) == ("load-orders", 1, info)
    assert call.task.endswith(".load")
    assert len(call.idempotency_key) == 32
    assert call.logger.name.endswith(".load")


def test_the_key_for_the_outside_differs_by_run_generation_and_call(bench: Bench) -> None:
    @task
    def charge(x: int) -> None:
        did(current_task().idempotency_key)
        raise ValueError("no")

    @flow
    def daily() -> None:
        charge.map([1, 1])

    life = bench.run(daily)
    keys = {*life.ran, *bench.run(daily).ran, *bench.retry(life).ran}
    assert len(keys) == 6


def test_a_run_name_that_does_not_fit_is_refused(bench: Bench) -> None:
    @flow(run_name="daily-{weekday}")
    def daily(day: str) -> None:
        return None

    with pytest.raises(UsageError, match="does not fit the parameters") as refused:
        bench.run(daily, "monday")
    assert "day" in str(refused.value)


# Hooks


def test_hooks_are_called_around_a_task(bench: Bench) -> None:
    told: list[str] = []

    def on(what: str) -> Any:
        return lambda info, outcome: told.append(f"{what} {info.name} {outcome}")

    @task(on_start=on("start"), on_success=on("success"), on_failure=on("failure"), retries=1, retry_delay=0)
    def flaky(x: int) -> int:
        if x == 2 or current_task().attempt == 1:
            raise ValueError("no")
        return x

    @flow(on_start=on("start"), on_success=on("success"), on_failure=on("failure"))
    def daily() -> str:
        flaky(1)
        flaky.submit(2).outcome()
        return "done"

    life = bench.run(daily)
    name = life.run.name
    assert told == [
        f"start {name} None",
        "start flaky None",
        "start flaky None",
        "success flaky 1",
        "start flaky None",
        "start flaky None",
        "failure flaky no",
        f"success {name} done",
    ]


def test_a_hook_that_raises_is_logged_and_changes_nothing(bench: Bench) -> None:
    def broken(info: Any) -> None:
        raise KeyError("hook")

    @task(on_start=broken, on_success=[broken, lambda info: did("second hook")])
    def work() -> int:
        return 1

    @flow(on_success=broken)
    def daily() -> int:
        return work()

    life = bench.run(daily)
    assert life.result == 1
    assert life.ran == ["second hook"]
    assert sum("failed" in line.text and line.level >= logging.ERROR for line in life.output) >= 2


def test_async_hooks_are_run(bench: Bench) -> None:
    async def tell(info: Any, result: Any) -> None:
        await asyncio.sleep(0)
        did(f"told {result}")

    @task(on_success=tell)
    async def work() -> int:
        return 1

    @flow
    async def daily() -> int:
        return await work()

    assert bench.run(daily).ran == ["told 1"]


def test_cancel_hooks(bench: Bench) -> None:
    @task(on_cancel=lambda info: did("cancelled"))
    async def waits() -> None:
        await asyncio.Event().wait()

    @flow
    async def daily() -> None:
        future = waits.submit()
        while not bench_started(future):
            await asyncio.sleep(0)
        future.cancel()

    def bench_started(future: Any) -> bool:
        return future.strand.group.child(future.name, "task").running > 0  # type: ignore[no-any-return]

    life = bench.run(daily)
    assert life.ran == ["cancelled"]


# Nested flows


def test_a_flow_called_in_a_flow_is_a_group_of_the_same_run(bench: Bench) -> None:
    @flow
    def inner(x: int) -> int:
        assert current_run().name.startswith("outer")
        return double(x) + double(x + 1)

    @flow
    def outer() -> int:
        return inner(1) + inner.submit(2).result() + sum(inner.map([3, 4]).results())

    life = bench.run(outer)
    assert life.result == 6 + 10 + 14 + 18
    assert [call.kind for call in life.of("inner")] == ["flow"] * 4
    assert {call.path for call in life.of("double")} == {("inner", "double")}
    ended = life.behind(lambda line: line.startswith((b'["e",0,', b'["E",["e",0,')))
    assert not {"double 1"} & set(bench.resume(life, ended).ran)


def test_a_failure_of_a_nested_flow_is_its_callers_to_handle(bench: Bench) -> None:
    @flow
    def inner() -> None:
        raise ValueError("no")

    @flow
    def outer() -> str:
        try:
            inner()
        except ValueError as error:
            return str(error)
        return "nothing raised"

    assert bench.run(outer).result == "no"


# Limits


def at_once(bench: Bench, run_all: Any, limit: Any) -> int:
    """The most calls that were under way at once."""
    lock, under_way, most = threading.Lock(), [0], [0]

    @task(limit=limit)
    def counted(x: int) -> int:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.001)
        with lock:
            under_way[0] -= 1
        return x

    @flow
    def daily() -> int:
        return run_all(counted)  # type: ignore[no-any-return]

    assert bench.run(daily).result == 45
    return most[0]


@pytest.mark.parametrize("limit", [1, 3, Limit(2, "db")])
def test_at_most_so_many_calls_at_once(bench: Bench, limit: Any) -> None:
    count = limit.count if isinstance(limit, Limit) else limit
    assert at_once(bench, lambda counted: sum(counted.map(range(10)).results()), limit) <= count
    submitted = lambda counted: sum(one.result() for one in [counted.submit(x) for x in range(10)])  # noqa: E731
    assert at_once(bench, submitted, limit) <= count


def test_tasks_share_a_named_limit(bench: Bench) -> None:
    lock, under_way, most = threading.Lock(), [0], [0]

    def body() -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.001)
        with lock:
            under_way[0] -= 1

    @task(limit=Limit(2, "db"))
    def reads() -> None:
        body()

    @task(limit=Limit(2, "db"))
    async def writes() -> None:
        body()

    @flow
    def daily() -> None:
        for _ in range(5):
            reads.submit()
            writes.submit()

    bench.run(daily)
    assert 1 <= most[0] <= 2


def test_two_limits_of_one_name_must_agree(bench: Bench) -> None:
    @task(limit=Limit(2, "db"))
    def reads() -> None:
        return None

    @task(limit=Limit(3, "db"))
    def writes() -> None:
        return None

    @flow
    def daily() -> None:
        reads.submit()
        writes.submit()

    life = bench.run(daily)
    assert isinstance(life.error, DefinitionError)
    assert 'the limit "db" is 2 in one place and 3 in another' in str(life.error)


# Output


def test_what_a_run_prints_and_logs_is_kept_with_the_call_that_said_it(bench: Bench) -> None:
    @task
    def loud(x: int) -> None:
        print(f"printed {x}")
        print(f"to stderr {x}", file=sys.stderr)
        current_task().logger.info("logged %s", x)
        logging.getLogger("mine").warning("warned %s", x)

    @flow
    def daily() -> None:
        print("by the flow")
        loud(1)
        loud.submit(2)

    life = bench.run(daily)
    first, second = life.of("loud")
    kept = {(line.call, line.stream, line.level, line.text) for line in life.output}
    for call in (first, second):
        x = call.call + 1
        assert {
            (call.call, "out", 20, f"printed {x}"),
            (call.call, "err", 30, f"to stderr {x}"),
            (call.call, "log", 20, f"logged {x}"),
            (call.call, "log", 30, f"warned {x}"),
        } <= kept
    assert (-1, "out", 20, "by the flow") in kept


def test_lines_of_threads_do_not_mix(bench: Bench) -> None:
    barrier = threading.Barrier(2, timeout=20)

    @task
    def halves(x: str) -> None:
        print(f"{x}-one", end=" ")
        barrier.wait()
        print(f"{x}-two")

    @flow
    def daily() -> None:
        halves.map(["a", "b"])

    texts = {line.text for line in bench.run(daily).output}
    assert {"a-one a-two", "b-one b-two"} <= texts


def test_standard_streams_are_given_back(bench: Bench) -> None:
    before = sys.stdout, sys.stderr, logging.getLogger().handlers[:]

    @flow
    def daily() -> None:
        raise ValueError("no")

    bench.run(daily)
    assert (sys.stdout, sys.stderr, logging.getLogger().handlers[:]) == before


def test_a_very_long_line_is_cut(bench: Bench) -> None:
    @flow
    def daily() -> None:
        print("x" * 100_000)

    (line,) = [line for line in bench.run(daily).output if line.stream == "out"]
    assert 1000 < len(line.text) < 20_000


def test_calls_of_a_task_that_waits_are_seen_as_running(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> None:
        wait_for(gate)

    @flow
    def daily() -> int:
        held.submit()
        gate.set()
        return 1

    assert bench.run(daily).states("held") == [CallState.SUCCEEDED]
