"""The four combinations of sync and async: one engine, four thin shells (E16)."""

import asyncio
import threading

import pytest
from tests.kit import Bench, did, wait_for

from kapelle import current_task, flow, task
from kapelle.model.calls import CallState
from kapelle.model.errors import BlockingCall


@task
def double(x: int) -> int:
    did(f"double {x} in {threading.current_thread().name}")
    return 2 * x


@task
async def triple(x: int) -> int:
    did(f"triple {x} in {threading.current_thread().name}")
    return 3 * x


def test_e16_sync_flow_and_sync_task_share_the_calling_thread(bench: Bench) -> None:
    @flow
    def daily() -> int:
        return double(4)

    life = bench.run(daily)
    assert life.result == 8
    assert life.ran == ["double 4 in MainThread"]


def test_e16_sync_flow_calls_an_async_task_for_its_value_in_the_loop_thread(bench: Bench) -> None:
    @flow
    def daily() -> int:
        first = triple(4)
        second = triple(5)
        return first + second  # type: ignore[operator,return-value]

    life = bench.run(daily)
    assert life.result == 27
    assert life.ran == ["triple 4 in kapelle-loop", "triple 5 in kapelle-loop"]


def test_e16_async_flow_awaits_an_async_task_in_its_own_loop(bench: Bench) -> None:
    loops = []

    @task
    async def where() -> int:
        loops.append(asyncio.get_running_loop())
        return 1

    @flow
    async def daily() -> int:
        loops.append(asyncio.get_running_loop())
        return await where()

    assert bench.run(daily).result == 1
    assert loops[0] is loops[1]


def test_e16_async_flow_runs_a_sync_task_in_a_thread_with_aio(bench: Bench) -> None:
    @flow
    async def daily() -> int:
        return await double.aio(4)

    life = bench.run(daily)
    assert life.result == 8
    assert "MainThread" not in life.ran[0]


def test_e16_a_bare_sync_call_in_an_async_flow_works_while_no_other_branch_is_open(bench: Bench) -> None:
    @flow
    async def daily() -> int:
        return double(4)

    life = bench.run(daily)
    assert life.result == 8
    assert life.ran == ["double 4 in MainThread"]


def test_e16_a_bare_sync_call_that_would_stop_another_branch_is_refused(bench: Bench) -> None:
    @flow
    async def daily() -> str:
        gate = asyncio.Event()

        async def other() -> None:
            await gate.wait()

        branch = asyncio.ensure_future(other())
        try:
            double(4)
        except BlockingCall as refused:
            return str(refused)
        finally:
            gate.set()
            await branch
        return "not refused"

    life = bench.run(daily)
    assert "double is not async" in life.result
    assert "await double.aio(…)" in life.result
    assert life.calls == []


def test_aio_of_an_async_task_runs_in_the_loop(bench: Bench) -> None:
    @flow
    async def daily() -> int:
        return await triple.aio(4)

    assert bench.run(daily).ran == ["triple 4 in MainThread"]


def test_async_branches_run_side_by_side(bench: Bench) -> None:
    both = []

    @task
    async def meet(name: str) -> str:
        both.append(name)
        while len(both) < 2:
            await asyncio.sleep(0)
        return name

    @flow
    async def daily() -> list[str]:
        return await asyncio.gather(meet("ann"), meet("bob"))  # type: ignore[return-value]

    assert bench.run(daily).result == ["ann", "bob"]


def test_sync_tasks_of_an_async_flow_run_side_by_side(bench: Bench) -> None:
    barrier = threading.Barrier(3, timeout=20)

    @task
    def meet(number: int) -> int:
        barrier.wait()
        return number

    @flow
    async def daily() -> list[int]:
        return await asyncio.gather(*(meet.aio(number) for number in range(3)))

    assert bench.run(daily).result == [0, 1, 2]


def test_e3_branches_that_race_have_identities_of_their_own(bench: Bench) -> None:
    """M3: two gathered branches call an argument-less task; after the death the other one comes first."""
    order = ["ann", "bob"]
    gates: dict[str, asyncio.Event] = {}
    tokens = iter(range(100))

    @task
    async def token() -> int:
        return next(tokens)

    @task
    async def account(name: str, token: int) -> str:
        return f"{name}:{token}"

    async def open_account(name: str) -> str:
        if name != order[0]:
            await gates[order[0]].wait()
        mine = await token()
        gates[name].set()
        return await account(name, mine)

    @flow
    async def daily() -> list[str]:
        gates.update(ann=asyncio.Event(), bob=asyncio.Event())
        return await asyncio.gather(open_account("ann"), open_account("bob"))  # type: ignore[return-value]

    life = bench.run(daily)
    assert life.result == ["ann:0", "bob:1"]
    order.reverse()
    for after in life.cuts:
        tokens_taken = sum(call.ended is not None and call.task == 0 for call in life.known(after).calls.values())
        again = bench.resume(life, after)
        if tokens_taken >= 1:
            assert again.result[0] == "ann:0", "bob has got ann's token"
        if tokens_taken == 2:
            assert again.result == life.result


def test_a_task_of_a_class_gets_its_object_first(bench: Bench) -> None:
    class Table:
        def __init__(self, name: str) -> None:
            self.name = name

        @task(name="load_table", ignore=("self",))
        def load(self, day: int) -> str:
            return f"{self.name} of {day}"

    @flow
    def daily() -> list[str]:
        table = Table("orders")
        return [table.load(1), table.load.submit(2).result()]

    assert bench.run(daily).result == ["orders of 1", "orders of 2"]


def test_a_task_may_call_tasks(bench: Bench) -> None:
    @task
    def inner(x: int) -> int:
        return x + 1

    @task
    def outer(x: int) -> int:
        return inner(x) + inner.submit(x + 1).result()

    @flow
    def daily() -> int:
        return outer(1)

    life = bench.run(daily)
    assert life.result == 5
    assert [call.path for call in life.calls] == [("outer",), ("outer", "inner"), ("outer", "inner")]


def test_e15_an_interrupted_task_starts_again_with_its_childrens_outcomes(bench: Bench) -> None:
    @task
    def inner(x: int) -> int:
        did(f"inner {x}")
        return x + 1

    @task
    def outer() -> int:
        did(f"outer, {current_task().attempt}")
        return inner(1) + inner(2)

    @flow
    def daily() -> int:
        return outer()

    life = bench.run(daily)
    ends = [number for number, line in enumerate(life.lines, 1) if line.startswith(b'["e"')]
    again = bench.resume(life, ends[0])
    assert again.result == life.result
    assert again.ran == ["outer, 1", "inner 2"]
    assert again.call("outer").interruptions == 1


def test_a_future_waits_in_other_threads_than_the_one_that_runs_it(bench: Bench) -> None:
    gate = threading.Event()

    @task
    def held() -> int:
        wait_for(gate)
        return 1

    @task
    def opens() -> None:
        gate.set()

    @flow
    def daily() -> int:
        future = held.submit()
        opens()
        return future.result()

    life = bench.run(daily)
    assert life.result == 1
    assert life.states("held") == [CallState.SUCCEEDED]


def test_waiting_with_result_inside_async_code_is_refused(bench: Bench) -> None:
    @flow
    async def daily() -> int:
        future = double.submit(1)
        with pytest.raises(BlockingCall, match="would stop the event loop"):
            future.result()
        return await future

    assert bench.run(daily).result == 2
