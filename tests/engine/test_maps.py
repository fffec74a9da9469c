"""Maps: a call for each element, a bounded number under way, results in order."""

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, did, wait_for

from kapelle import as_completed, flow, task, unmapped
from kapelle.engine.mapping import UNREAD_MAX
from kapelle.model.calls import CallState
from kapelle.model.errors import CallError, UsageError
from kapelle.model.runs import RunState


@task
def double(x: int) -> int:
    did(f"double {x}")
    return 2 * x


@task
def odd_only(x: int) -> int:
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x


@task
def add(x: int, y: int = 100) -> int:
    return x + y


def mapped(bench: Bench, make: Any) -> Any:
    """The result of a flow that returns what `make` returns."""

    @flow
    def daily() -> Any:
        return make()

    return bench.run(daily).result


SEQUENCES: list[Any] = [
    [1, 2, 3],
    (1, 2, 3),
    range(1, 4),
    deque([1, 2, 3]),
    {1: "a", 2: "b", 3: "c"}.keys(),
    {"a": 1, "b": 2, "c": 3}.values(),
]


@pytest.mark.parametrize("given", SEQUENCES, ids=lambda one: type(one).__name__)
def test_sequences_are_mapped_in_order(bench: Bench, given: Any) -> None:
    assert mapped(bench, lambda: double.map(given).results()) == [2, 4, 6]


def test_iterators_are_mapped_in_order(bench: Bench) -> None:
    assert mapped(bench, lambda: double.map(iter([1, 2, 3])).results()) == [2, 4, 6]
    assert mapped(bench, lambda: double.map(x for x in (1, 2, 3)).results()) == [2, 4, 6]


def test_results_are_in_the_order_of_the_elements_whoever_ends_first(bench: Bench) -> None:
    gates = [threading.Event() for _ in range(3)]

    @task
    def held(x: int) -> int:
        if x < 2:
            wait_for(gates[x + 1])
        gates[x].set()
        return x

    assert mapped(bench, lambda: held.map([0, 1, 2]).results()) == [0, 1, 2]


def test_as_completed_gives_them_as_they_end(bench: Bench) -> None:
    gates = [threading.Event() for _ in range(3)]

    @task
    def held(x: int) -> int:
        if x < 2:
            wait_for(gates[x + 1])
        return x

    def order() -> list[int]:
        found = []
        for future in as_completed(held.map([0, 1, 2])):
            found.append(future.result())
            gates[found[-1]].set()
        return found

    assert mapped(bench, order) == [2, 1, 0]


def test_several_mapped_arguments_go_side_by_side(bench: Bench) -> None:
    assert mapped(bench, lambda: add.map([1, 2], [10, 20]).results()) == [11, 22]
    assert mapped(bench, lambda: add.map([1, 2], y=(10, 20)).results()) == [11, 22]
    assert mapped(bench, lambda: add.map(iter([1, 2]), y=range(2)).results()) == [1, 3]


def test_what_is_no_sequence_goes_whole_to_every_call(bench: Bench) -> None:
    assert mapped(bench, lambda: add.map([1, 2], 10).results()) == [11, 12]
    assert mapped(bench, lambda: add.map([1, 2]).results()) == [101, 102]


def test_unmapped_gives_a_list_whole_to_every_call(bench: Bench) -> None:
    @task
    def among(x: int, known: list[int]) -> bool:
        return x in known

    assert mapped(bench, lambda: among.map([1, 2], unmapped([2, 3])).results()) == [False, True]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("abc", "cannot map over a str"),
        (b"abc", "cannot map over a bytes"),
        ({"a": 1}, "cannot map over a dict"),
        ({1, 2}, "cannot map over a set"),
    ],
)
def test_u10_texts_mappings_and_sets_are_refused(bench: Bench, given: Any, told: str) -> None:
    def refused() -> str:
        with pytest.raises(CallError) as error:
            double.map(given)
        return str(error.value)

    message = mapped(bench, refused)
    assert told in message
    assert "unmapped(…)" in message


def test_u10_unequal_lengths_are_refused_and_named(bench: Bench) -> None:
    def refused() -> str:
        with pytest.raises(CallError) as error:
            add.map([1, 2, 3], y=[1, 2])
        return str(error.value)

    assert "0 has 3, y has 2" in mapped(bench, refused)


def test_u10_an_iterator_that_ends_early_fails_the_map(bench: Bench) -> None:
    @flow
    def daily() -> list[int]:
        return add.map(iter([1]), y=iter([1, 2])).results()

    life = bench.run(daily)
    assert isinstance(life.error, CallError)
    assert "ended after 1 elements" in str(life.error)


def test_a_map_over_nothing_that_can_be_mapped_is_refused(bench: Bench) -> None:
    def refused() -> str:
        with pytest.raises(CallError, match="nothing to map over") as error:
            add.map(1, 2)
        return str(error.value)

    assert "none of its arguments is a list" in mapped(bench, refused)


def test_an_empty_map_is_an_empty_list(bench: Bench) -> None:
    assert mapped(bench, lambda: double.map([]).results()) == []
    assert mapped(bench, lambda: double.map(iter([])).results()) == []


def test_a_map_has_length_items_and_truth(bench: Bench) -> None:
    def look() -> Any:
        futures = double.map([1, 2, 3])
        return len(futures), futures[0].result(), futures[-1].result(), bool(futures), bool(double.map([]))

    assert mapped(bench, look) == (3, 2, 6, True, False)


def test_a_map_over_an_iterator_has_no_length(bench: Bench) -> None:
    def look() -> str:
        futures = double.map(iter([1, 2]))
        with pytest.raises(TypeError) as refused:
            len(futures)
        futures.results()
        return str(refused.value)

    assert "no length before its end" in mapped(bench, look)


def test_an_index_outside_the_map_is_an_index_error(bench: Bench) -> None:
    def look() -> None:
        with pytest.raises(IndexError):
            double.map([1])[1]

    assert mapped(bench, look) is None


def test_at_most_a_window_of_calls_is_under_way(tmp_path: Path) -> None:
    """More threads than the window allows: none of them is given a call beyond it."""
    lock, under_way, most = threading.Lock(), [0], [0]

    @task
    def counted(x: int) -> int:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.0005)
        with lock:
            under_way[0] -= 1
        return x

    bench = Bench(tmp_path, threads=16, window=4)
    assert mapped(bench, lambda: sum(counted.map(range(100)).results())) == 4950
    assert 1 <= most[0] <= 4


def test_an_iterator_is_read_only_as_far_as_its_results_are(tmp_path: Path) -> None:
    """An endless source: the map reads a bounded way ahead of its reader, and lets go of what was given out."""
    read = [0]

    def endless() -> Iterator[int]:
        while True:
            read[0] += 1
            yield read[0]

    @task
    def same(x: int) -> int:
        return x

    @flow
    def daily() -> int:
        futures = same.map(endless())
        for number, future in enumerate(futures):
            assert future.result() == number + 1
            if number == 3000:
                break
        held = len(futures.held())
        futures.cancel()
        return held

    life = Bench(tmp_path, window=8).run(daily)
    assert life.result <= UNREAD_MAX + 8
    assert read[0] <= 3001 + UNREAD_MAX + 8


def test_a_map_that_nobody_holds_reads_on_to_its_end(bench: Bench) -> None:
    @flow
    def daily() -> None:
        double.map(iter(range(UNREAD_MAX * 2)))

    life = bench.run(daily)
    assert len(life.of("double")) == UNREAD_MAX * 2


def test_maps_nest(bench: Bench) -> None:
    @task
    def row(n: int) -> list[int]:
        return double.map(range(n)).results()  # type: ignore[no-any-return]

    assert mapped(bench, lambda: row.map(range(4)).results()) == [[], [0], [0, 2], [0, 2, 4]]


def test_a_map_over_the_futures_of_a_map_chains_each_element(bench: Bench) -> None:
    """The second of a chain does not wait for the whole of the first."""
    gate = threading.Event()

    @task
    def first(x: int) -> int:
        if x == 1:
            wait_for(gate)
        return x

    @task
    def second(x: int) -> int:
        if x == 0:
            gate.set()
        return x + 10

    assert mapped(bench, lambda: second.map(first.map([0, 1])).results()) == [10, 11]


def test_a_map_over_a_lazy_map_chains_too(bench: Bench) -> None:
    assert mapped(bench, lambda: double.map(double.map(iter([1, 2, 3]))).results()) == [4, 8, 12]


def test_a_map_over_a_list_of_futures(bench: Bench) -> None:
    assert mapped(bench, lambda: double.map([double.submit(1), double.submit(2)]).results()) == [4, 8]


def test_a_whole_map_is_an_argument_of_one_call(bench: Bench) -> None:
    @task
    def total(xs: list[int]) -> int:
        return sum(xs)

    assert mapped(bench, lambda: total.submit(double.map([1, 2, 3])).result()) == 12
    assert mapped(bench, lambda: total(double.map([1, 2, 3]))) == 12


def test_results_raise_the_first_failure_in_the_order_of_the_elements(bench: Bench) -> None:
    def failing() -> str:
        with pytest.raises(ValueError) as failed:  # noqa: PT011  its text is looked at below
            odd_only.map([1, 2, 3, 4]).results()
        return str(failed.value)

    assert mapped(bench, failing) == "2 is even"


def test_one_failure_does_not_stop_the_others(bench: Bench) -> None:
    def failing() -> list[CallState]:
        return [outcome.state for outcome in odd_only.map([1, 2, 3]).outcomes()]

    assert mapped(bench, failing) == [CallState.SUCCEEDED, CallState.FAILED, CallState.SUCCEEDED]


def test_outcomes_that_were_looked_at_do_not_fail_the_run(bench: Bench) -> None:
    @flow
    def daily() -> list[str]:
        by_outcomes = [str(one.error) for one in odd_only.map([2, 4]).outcomes()]
        by_iterating = [str(future.outcome().error) for future in odd_only.map([6])]
        by_completion = [str(future.outcome().error) for future in as_completed(odd_only.map([8]))]
        return by_outcomes + by_iterating + by_completion

    assert bench.run(daily).result == [f"{x} is even" for x in (2, 4, 6, 8)]


def test_failures_of_a_map_that_nobody_looked_at_fail_the_run(bench: Bench) -> None:
    @flow
    def daily() -> None:
        odd_only.map([1, 2, 3, 4])

    life = bench.run(daily)
    assert life.state is RunState.FAILED
    assert str(life.error) == "2 is even"
    assert life.error.__notes__ == ["and 1 more failures in the same map"]
    assert len(life.of("odd_only")) == 4


def test_a_map_of_a_task_that_may_fail_does_not_fail_the_run(bench: Bench) -> None:
    @flow
    def daily() -> str:
        odd_only.with_options(allow_failure=True).map([2, 4])
        return "fine"

    assert bench.run(daily).result == "fine"


def test_an_iterator_that_raises_fails_the_map(bench: Bench) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the connection is gone")

    @flow
    def daily() -> list[int]:
        return double.map(broken()).results()  # type: ignore[no-any-return]

    life = bench.run(daily)
    assert isinstance(life.error, OSError)
    assert life.ran == ["double 1"]


def test_e28_a_replay_maps_what_was_read_then(bench: Bench) -> None:
    rows = [[1, 2, 3], [7, 8, 9]]
    lives = iter(rows)

    @flow
    def daily() -> list[int]:
        source = next(lives)
        return double.map(iter(source)).results()  # type: ignore[no-any-return]

    life = bench.run(daily)
    assert life.result == [2, 4, 6]
    again = bench.resume(life, life.ends(3))
    assert again.result[:2] == [2, 4], "elements that were read are those of the first life"


def test_tasks_that_an_iterator_calls_are_recorded_once(bench: Bench) -> None:
    @task
    def page(number: int) -> list[int]:
        did(f"page {number}")
        return [number * 10, number * 10 + 1]

    def cursor() -> Iterator[int]:
        for number in range(3):
            yield from page(number)

    @flow
    def daily() -> list[int]:
        return double.map(cursor()).results()  # type: ignore[no-any-return]

    life = bench.run(daily)
    assert life.result == [0, 2, 20, 22, 40, 42]
    for after, again in bench.every_resume(life):
        assert again.result == life.result
        known = life.known(after)
        ended = sum(call.ended is not None for call in known.calls.values())
        assert len(again.ran) == len(life.ran) - ended


def test_cancelling_a_map_starts_nothing_more(tmp_path: Path) -> None:
    gate, started = threading.Event(), threading.Event()

    @task
    def held(x: int) -> int:
        started.set()
        wait_for(gate)
        return x

    @flow
    def daily() -> int:
        futures = held.map(range(100))
        wait_for(started)
        futures.cancel()
        gate.set()
        return sum(future.outcome().succeeded for future in futures.held())

    life = Bench(tmp_path, threads=2, window=4).run(daily)
    assert life.state is RunState.SUCCEEDED
    assert len(life.of("held")) <= 4


def test_async_maps_are_awaited_and_iterated(bench: Bench) -> None:
    @task
    async def square(x: int) -> int:
        return x * x

    @flow
    async def daily() -> Any:
        whole = await square.map([1, 2, 3])
        one_by_one = [await future async for future in double.map(iter([1, 2]))]
        return whole, one_by_one

    assert bench.run(daily).result == ([1, 4, 9], [2, 4])


def test_a_map_outside_a_run_says_that_it_needs_one() -> None:
    with pytest.raises(UsageError, match="map needs a run") as refused:
        double.map([1])
    assert "@flow" in str(refused.value)


def test_elements_that_cannot_be_kept_are_told_about(bench: Bench) -> None:
    @task(ignore=("lock",))
    def use(lock: Any) -> int:
        return 1

    @flow
    def daily() -> list[int]:
        return use.map(iter([threading.Lock()])).results()  # type: ignore[no-any-return]

    life = bench.run(daily)
    assert life.result == [1]
    assert any("cannot be kept; a replay reads the iterator again" in note for note in life.notes)


def test_ten_thousand_elements(bench: Bench) -> None:
    @task
    def nothing(x: int) -> None:
        return None

    @flow
    def daily() -> int:
        return sum(1 for _ in nothing.map(range(10_000)))

    assert bench.run(daily).result == 10_000
