"""A run that dies anywhere goes on where it was: no ended call runs again, and the result is that of a quiet run."""

import asyncio
import concurrent.futures
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kit import Bench, HandClock, Life, did, kinds

from kapelle import current_task, flow, run, step, task
from kapelle.authoring.flows import Flow
from kapelle.model.calls import CallState
from kapelle.model.errors import CallError, TaskCrashed, TaskFailed
from kapelle.model.runs import RunState


@task
def work(x: int) -> int:
    did(current_task().id)
    return x * x + 1


@task
async def work_async(x: int) -> int:
    did(current_task().id)
    await asyncio.sleep(0)
    return x * x + 1


@task
def refuse(x: int) -> int:
    did(current_task().id)
    raise ValueError(f"no {x}")


@task
def together(xs: list[int]) -> int:
    did(current_task().id)
    return sum(xs)


def check_resume(life: Life, again: Life, after: int) -> None:
    """What holds for a resume behind any line: the same result, and exactly the calls that had not ended."""
    known = life.known(after)
    ended = {call.id.hex() for call in known.calls.values() if call.ended is not None and call.ended.reusable}
    everything = sorted(life.ran)
    assert again.state is life.state
    if life.ending.error is None:
        assert again.result == life.result
    else:
        assert type(again.error) is type(life.error)
        assert str(again.error) == str(life.error)
    assert sorted(again.ran) == [one for one in everything if one not in ended], f"behind line {after}"
    assert again.index.finished is not None
    assert again.index.finished.unclaimed == 0
    assert {call.id for call in again.calls} == {call.id for call in life.calls}


# Small flows, killed at each of their lines


@flow
def in_sequence(n: int) -> int:
    total = 0
    for x in range(n):
        total += work(x) + work(x % 2)
    return total


@flow
def caught(n: int) -> list[str]:
    told = []
    for x in range(n):
        try:
            told.append(str(refuse(x)))
        except ValueError as error:
            told.append(f"{error} {work(x)}")
    return told


@flow
def uncaught(n: int) -> int:
    return work(n) + refuse(n)


@flow
def submitted(n: int) -> int:
    futures = [work.submit(x) for x in range(n)]
    return together.submit(futures).result() + together.submit([work.submit(n), futures[0]]).result()


@flow
def mapped(n: int) -> int:
    first = work.map(range(n))
    second = work.map(first)
    third = work.map(iter([x + 1 for x in second.results()]))
    return sum(first.results()) + sum(third.results())


@flow
def nested(n: int) -> int:
    return in_sequence(n) + submitted(n) + in_sequence(n)


@task
def deeply(n: int) -> int:
    did(current_task().id)
    return work(n) + sum(work.map([n, n]).results()) + work.submit(n).result()


@flow
def tasks_in_tasks(n: int) -> int:
    return deeply(n) + deeply.submit(n).result() + deeply(n + 1)


@flow
def steps(n: int) -> str:
    return f"{run.uuid()} {run.now()} {run.random().random()} {step(len, 'abc')} {work(run.random().randrange(9))}"


@flow
def from_iterators(n: int) -> int:
    live = iter([run.random().random() for _ in range(n)])
    return len(list(together.map([int(x * 100)] for x in live).results()))


@flow
async def gathered(n: int) -> list[int]:
    async def pair(x: int) -> int:
        return await work_async(x) + await work_async(0) + await work.aio(x)

    return await asyncio.gather(*(pair(x) for x in range(n)), work_async(n))


@flow
async def async_futures(n: int) -> int:
    futures = [work_async.submit(x) for x in range(n)]
    async with asyncio.TaskGroup() as group:
        one = group.create_task(work_async(3))
        two = group.create_task(gathered(2))
    return sum(await work.map(futures)) + one.result() + sum(two.result())


@flow
def async_from_sync(n: int) -> int:
    return work_async(n) + sum(work_async.map(range(n)).results()) + work_async(n)  # type: ignore[operator,return-value]


EVERY_FLOW: list[tuple[Flow[[int], Any], int]] = [
    (in_sequence, 3),
    (caught, 2),
    (uncaught, 1),
    (submitted, 3),
    (mapped, 3),
    (nested, 2),
    (tasks_in_tasks, 1),
    (steps, 1),
    (from_iterators, 3),
    (gathered, 2),
    (async_futures, 2),
    (async_from_sync, 2),
]


@pytest.mark.parametrize(("flow", "n"), EVERY_FLOW, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_flow_that_dies_behind_any_line_goes_on(tmp_path: Path, flow: Flow[[int], Any], n: int) -> None:
    bench = Bench(tmp_path, clock=HandClock())
    life = bench.run(flow, n)
    assert life.cuts
    for after, again in bench.every_resume(life):
        check_resume(life, again, after)


@pytest.mark.parametrize(("flow", "n"), EVERY_FLOW, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_flow_that_dies_twice_goes_on(tmp_path: Path, flow: Flow[[int], Any], n: int) -> None:
    bench = Bench(tmp_path, clock=HandClock())
    life = bench.run(flow, n)
    first = life.cuts[len(life.cuts) // 3]
    again = bench.resume(life, first)
    for after in again.cuts[::3]:
        third = bench.resume(again, after)
        done = {call.id.hex() for call in again.known(after).calls.values() if call.ended is not None}
        assert third.state is life.state
        assert third.ending.error is not None or third.result == life.result
        assert not done & set(third.ran)


def test_a_torn_line_was_never_written(bench: Bench) -> None:
    life = bench.run(in_sequence, 2)
    after = life.ends(2)
    for torn in (1, 5, len(life.lines[after]) - 1):
        again = bench.resume(life, after, torn=torn)
        assert again.result == life.result
        assert len(again.ran) == len(life.ran) - 2


# Random flows

Program = tuple[Any, ...]


@task
def grow(program: Program) -> int:
    did(current_task().id)
    return interpret(program)


@flow
def group(program: Program) -> int:
    return interpret(program)


def interpret(program: Program) -> int:
    """Run a program: a tuple of statements, each a tuple of its name and what it needs."""
    total = 0
    for name, *rest in program:
        match name:
            case "call":
                total += work(rest[0])
            case "caught":
                try:
                    total += refuse(rest[0])
                except ValueError as error:
                    total += len(str(error)) + work(total)
            case "submit":
                futures = [work.submit(x) for x in rest[0]]
                total += together.submit(futures).result() + futures[0].result()
            case "left":
                work.submit(rest[0])
            case "map":
                total += sum(work.map(rest[0]).results())
            case "outcomes":
                total += sum(outcome.failed for outcome in refuse.map(list(rest[0])).outcomes())
            case "iterate":
                total += sum(work.map(iter(rest[0])).results())
            case "chain":
                total += sum(work.map(work.map(rest[0])).results())
            case "task":
                total += grow(rest[0])
            case "submit_task":
                total += grow.submit(rest[0]).result()
            case "group":
                total += group(rest[0])
            case "random":
                total += run.random().randrange(100)
            case "async":
                total += work_async(rest[0])  # type: ignore[call-overload, operator]
    return total


numbers = st.integers(0, 2)
several = st.lists(numbers, min_size=1, max_size=3).map(tuple)
statements = st.deferred(
    lambda: st.one_of(
        st.tuples(st.sampled_from(["call", "caught", "left", "async"]), numbers),
        st.tuples(st.sampled_from(["submit", "map", "outcomes", "iterate", "chain"]), several),
        st.tuples(st.sampled_from(["task", "submit_task", "group"]), programs),
        st.tuples(st.just("random")),
    )
)
programs: st.SearchStrategy[Program] = st.lists(statements, max_size=3).map(tuple)


moments = st.floats(0, 1, exclude_max=True)


@given(program=st.lists(statements, min_size=1, max_size=4).map(tuple), first=moments, second=moments)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flow_that_dies_anywhere_goes_on(tmp_path: Path, program: Program, first: float, second: float) -> None:
    bench = Bench(tmp_path / str(len(list(tmp_path.iterdir()))))
    life = bench.run(group, program)
    after = int(len(life.cuts) * first)
    again = bench.resume(life, after)
    check_resume(life, again, after)
    after = int(len(again.cuts) * second)
    third = bench.resume(again, after)
    ended = {call.id.hex() for call in again.known(after).calls.values() if call.ended is not None}
    assert third.result == life.result
    assert sorted(third.ran) == [one for one in sorted(life.ran) if one not in ended]


# What replay takes, and what it runs again


def test_e2_a_caught_failure_is_raised_again_and_the_same_branch_taken(bench: Bench) -> None:
    """M2: the provider works when the run goes on, and still the fallback's branch is followed."""
    works = [False]

    @task
    def primary() -> str:
        did("primary")
        if not works[0]:
            raise ConnectionError("no answer")
        return "primary"

    @task
    def fallback() -> str:
        did("fallback")
        return "fallback"

    @task
    def publish(what: str) -> str:
        did(f"publish {what}")
        return what

    @flow
    def daily() -> str:
        try:
            what = primary()
        except ConnectionError as error:
            assert str(error) == "no answer"  # noqa: PT017  (the flow handles it)
            what = fallback()
        return publish(what)

    life = bench.run(daily)
    works[0] = True
    assert life.result == "fallback"
    for after in range(life.ends(1), len(life.lines) - 1):
        again = bench.resume(life, after)
        assert again.result == "fallback"
        assert "primary" not in again.ran


class Unsendable(Exception):
    """An exception that does not survive encoding: it holds something open."""

    def __init__(self, table: str, handle: Any) -> None:
        super().__init__(f"{table} is locked")
        self.handle = handle

    def __reduce__(self) -> Any:
        raise TypeError("it holds something open")


def test_e2_an_exception_that_does_not_survive_encoding_is_a_task_failed_live_and_replayed(bench: Bench) -> None:
    @task
    def load() -> None:
        raise Unsendable("orders", open)

    @flow
    def daily() -> str:
        try:
            load()
        except TaskFailed as error:
            first = str(error)
        work(1)
        return first

    life = bench.run(daily)
    assert "orders is locked" in life.result
    assert bench.resume(life, life.ends(1)).result == life.result


def test_e4_a_call_is_written_down_before_its_first_line_runs(tmp_path: Path) -> None:
    spools: list[Path] = []
    bench = Bench(tmp_path, watch=lambda engine: spools.append(engine.recorder.spool.path))

    @task
    def look() -> str:
        return spools[0].read_text().rstrip("\0").splitlines()[-1]

    @flow
    def daily() -> str:
        return look()

    assert bench.run(daily).result.startswith('["s",')


def test_e5_what_is_recorded_is_what_was_returned(bench: Bench) -> None:
    """M8: the flow appends to a result before the next statement; the replay gets what the task returned."""

    @task
    def rows() -> list[int]:
        return [1, 2, 3]

    @task
    def count(rows: list[int]) -> int:
        return len(rows)

    @flow
    def daily() -> tuple[int, int]:
        first = rows()
        before = count(list(first))
        first.append(99)
        return before, count(first)

    life = bench.run(daily)
    assert life.result == (3, 4)
    for _, again in bench.every_resume(life):
        assert again.result == (3, 4)


@dataclass(frozen=True)
class Point:
    x: int
    tags: frozenset[str]


EXACT = [
    (1, 2.5, None),
    {1: "one", (2, 3): "pair"},
    {"a", "b"},
    b"bytes",
    date(2026, 1, 31),
    datetime(2026, 1, 31, 12, tzinfo=UTC),
    timedelta(days=1, microseconds=1),
    Decimal("1.10"),
    1e300 * 10,
    2**80,
    Path("a/b"),
    Point(1, frozenset({"t"})),
    CallState.FAILED,
    [(), [], {}],
    "\ud800 half a character",
    1 + 2j,
]


@pytest.mark.parametrize("value", EXACT, ids=lambda value: type(value).__name__)
def test_e5_a_replayed_result_has_the_type_and_content_of_the_live_one(bench: Bench, value: Any) -> None:
    """M7: no tuple comes back as a list, no number as a key of text."""
    seen: list[Any] = []

    @task
    def give() -> Any:
        return value

    @flow
    def daily() -> None:
        seen.append(give())
        work(1)

    life = bench.run(daily)
    bench.resume(life, life.ends(1))
    live, replayed = seen
    assert type(replayed) is type(live)
    assert replayed == live
    assert "{" in repr(live) or repr(replayed) == repr(live)


def test_e6_equal_inputs_are_one_call_whatever_their_inner_order(bench: Bench) -> None:
    """M6: a set and a dict built in another order, and equal texts that are not one object, are the same inputs."""
    turned = [False]

    @task
    def size(names: set[str], table: dict[str, int], words: list[str]) -> int:
        did("size")
        return len(names)

    @flow
    def daily() -> int:
        order = ["b", "a", "c"] if turned[0] else ["c", "a", "b"]
        word = "".join(["x", "y"])
        words = [word, "".join(["x", "y"])] if turned[0] else [word, word]
        total = size(set(order), dict.fromkeys(order, 1), words)
        return total + work(1)

    life = bench.run(daily)
    turned[0] = True
    assert "size" not in bench.resume(life, life.ends(1)).ran


def test_e9_a_call_that_kills_its_process_again_and_again_fails_as_crashed(bench: Bench) -> None:
    @task(interruptions=2)
    def segfault() -> int:
        did("segfault")
        return 1

    @flow
    def daily() -> int:
        return segfault()

    life = bench.run(daily)
    start = life.behind(lambda line: line.startswith(b'["s"'))
    for death in range(1, 3):
        life = bench.resume(life, start if death == 1 else life.behind(lambda line: line.startswith(b'["s"')))
        assert life.result == 1, f"after {death} deaths it may still run"
    life = bench.resume(life, life.behind(lambda line: line.startswith(b'["s"')))
    assert isinstance(life.error, TaskCrashed)
    assert life.ran == []
    assert life.call("segfault").interruptions == 3
    assert "cut off 3 times" in str(life.error)


def test_e9_what_merely_surrounded_the_call_is_not_blamed(bench: Bench) -> None:
    life = bench.run(tasks_in_tasks, 1)
    inner = life.behind(lambda line: line.startswith(b'["s",1,'))
    again = bench.resume(life, inner)
    assert [call.interruptions for call in again.calls[:2]] == [0, 1]


def test_e13_recorded_calls_that_nobody_asked_for_are_named(bench: Bench) -> None:
    wild = iter(range(100))

    @flow
    def daily() -> int:
        return work(next(wild)) + work(1000)

    life = bench.run(daily)
    again = bench.resume(life, life.ends(2))
    assert again.index.finished is not None
    assert again.index.finished.unclaimed == 1
    assert any("1 recorded calls were not asked for" in note and "work" in note for note in again.notes)
    assert again.state is RunState.SUCCEEDED


def test_e13_a_replay_that_asks_for_everything_notes_nothing(bench: Bench) -> None:
    life = bench.run(nested, 1)
    assert bench.resume(life, life.ends(3)).notes == []


def test_e29_the_attempts_of_a_call_are_counted_on_in_the_next_process(bench: Bench) -> None:
    @task(retries=3)
    def flaky() -> int:
        did(f"attempt {current_task().attempt}")
        raise ValueError("no")

    @flow
    def daily() -> int:
        return flaky()

    life = bench.run(daily)
    assert life.ran == [f"attempt {number}" for number in (1, 2, 3, 4)]
    second_failure = [number for number, line in enumerate(life.lines, 1) if line.startswith(b'["a"')][1]
    again = bench.resume(life, second_failure)
    assert again.ran == ["attempt 3", "attempt 4"]
    assert again.call("flaky").attempts == 4


def test_a_call_that_began_keeps_its_number_and_key(bench: Bench) -> None:
    @task
    def charge() -> str:
        did(current_task().idempotency_key)
        return "paid"

    @flow
    def daily() -> str:
        return charge()

    life = bench.run(daily)
    again = bench.resume(life, life.behind(lambda line: line.startswith(b'["s"')))
    assert again.ran == life.ran
    assert again.call("charge").call == life.call("charge").call


def test_a_journal_of_a_flow_without_calls_is_three_lines(bench: Bench) -> None:
    @flow
    def nothing() -> None:
        return None

    assert kinds(bench.run(nothing)) == "ogf"


def test_a_generator_is_not_a_result(bench: Bench) -> None:
    @task
    def lazy() -> Any:
        return (x for x in range(3))

    @flow
    def daily() -> Any:
        return lazy()

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    assert "generator" in str(life.error)


def test_a_call_with_wrong_arguments_says_what_the_task_takes(bench: Bench) -> None:
    @flow
    def daily() -> None:
        work(1, 2)  # type: ignore[call-arg]

    life = bench.run(daily)
    assert isinstance(life.error, CallError)
    assert "too many positional arguments" in str(life.error)
    assert "work(x: int) -> int" in str(life.error)


def test_cancelled_branches_are_cancelled_again(bench: Bench) -> None:
    """E18: a call that its own flow cancelled has ended as cancelled, and replay raises the cancellation again."""

    @task
    async def pay() -> str:
        did("pay")
        await asyncio.Event().wait()
        return "paid"

    @flow
    async def daily() -> str:
        mine = asyncio.ensure_future(pay())
        while not mine.done():
            await asyncio.sleep(0)
            mine.cancel()
        try:
            return await mine
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            return await answer("cancelled")

    @task
    async def answer(text: str) -> str:
        return text

    life = bench.run(daily)
    assert life.result == "cancelled"
    if life.of("pay"):
        assert life.states("pay") == [CallState.CANCELLED]
        again = bench.resume(life, life.ends(1))
        assert again.result == "cancelled"
        assert again.ran == []
