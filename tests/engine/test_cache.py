"""The cache: results that other runs of the project may take (E22)."""

from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, HandClock, did

from kapelle import Cache, flow, task
from kapelle.model.errors import DefinitionError, UnrepeatableInput


def costly(**options: Any) -> Any:
    @task(name="costly", **options)
    def costly(x: int, note: str = "") -> int:
        did(f"costly {x}")
        return x * 10

    @flow(name="caching")
    def daily(x: int, note: str = "") -> int:
        return costly(x, note)

    return daily


def test_e22_another_run_takes_the_result(bench: Bench) -> None:
    daily = costly(cache=Cache())
    assert bench.run(daily, 1).ran == ["costly 1"]
    life = bench.run(daily, 1)
    assert life.result == 10
    assert life.ran == []
    assert life.call("costly").mark == "cached"
    assert life.run.counts.cached == 1


def test_e22_a_hit_is_copied_so_a_replay_asks_the_cache_no_more(bench: Bench) -> None:
    daily = costly(cache=Cache())
    bench.run(daily, 1)
    life = bench.run(daily, 1)
    again = bench.resume(life, life.ends(1))  # in a home whose cache is empty
    assert again.result == 10
    assert again.ran == []


def test_a_miss_says_why(bench: Bench) -> None:
    first = bench.run(costly(cache=Cache()), 1)
    assert first.notes == ["costly not cached: no result of this task is in the cache yet"]
    other_inputs = bench.run(costly(cache=Cache()), 2)
    assert other_inputs.notes == ["costly not cached: different from the newest cached result: inputs"]
    other_version = bench.run(costly(cache=Cache(version="2")), 2)
    assert other_version.notes == ["costly not cached: different from the newest cached result: version"]


def test_other_code_is_a_miss(bench: Bench) -> None:
    bench.run(costly(cache=Cache()), 1)

    @task(name="costly", cache=Cache())
    def edited(x: int, note: str = "") -> int:
        did("edited")
        return x * 11

    @flow(name="caching")
    def daily(x: int) -> int:
        return edited(x)

    life = bench.run(daily, 1)
    assert life.result == 11
    assert life.notes == ["costly not cached: different from the newest cached result: code"]


def test_a_result_lives_as_long_as_its_ttl(tmp_path: Path) -> None:
    clock = HandClock()
    bench, daily = Bench(tmp_path, clock=clock), costly(cache=Cache(ttl="1h"))
    bench.run(daily, 1)
    clock.advance(3599)
    assert bench.run(daily, 1).ran == []
    clock.advance(2)
    life = bench.run(daily, 1)
    assert life.ran == ["costly 1"]
    assert life.notes == ["costly not cached: it expired 1 s ago"]


def test_the_cache_can_be_switched_off_for_a_run(bench: Bench) -> None:
    daily = costly(cache=Cache())
    bench.run(daily, 1)
    life = bench.start(daily, (1,), cache=False)
    assert life.ran == ["costly 1"]
    assert life.notes == []


def test_a_key_of_the_authors_stands_for_the_inputs(bench: Bench) -> None:
    daily = costly(cache=Cache(key=lambda x, note: x % 2))
    bench.run(daily, 1, "a")
    assert bench.run(daily, 3, "b").result == 10
    assert bench.run(daily, 4, "c").result == 40


def test_e7_a_key_without_a_fingerprint_is_refused(bench: Bench) -> None:
    life = bench.run(costly(cache=Cache(key=lambda x, note: object())), 1)
    assert isinstance(life.error, UnrepeatableInput)
    assert "Cache.key of costly" in str(life.error)


def test_a_failure_is_never_cached(bench: Bench) -> None:
    @task(cache=Cache())
    def fails() -> None:
        did("fails")
        raise ValueError("no")

    @flow
    def daily() -> None:
        fails()

    bench.run(daily)
    assert bench.run(daily).ran == ["fails"]


def test_maps_take_from_the_cache(bench: Bench) -> None:
    @task(cache=True)
    def square(x: int) -> int:
        did(f"square {x}")
        return x * x

    @flow
    def daily(n: int) -> list[int]:
        return square.map(range(n)).results()  # type: ignore[no-any-return]

    bench.run(daily, 3)
    life = bench.run(daily, 4)
    assert life.result == [0, 1, 4, 9]
    assert life.ran == ["square 3"]


def test_a_task_that_changes_its_arguments_cannot_be_cached() -> None:
    """A hit would leave the argument as it was, and nothing would say so (E1)."""
    with pytest.raises(DefinitionError, match="cache= and mutates= do not go together"):

        @task(cache=True, mutates=("model",))
        def fit(model: list[int]) -> None:
            model.append(6)


def test_e1_a_call_that_changed_its_argument_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    @task(cache=True)
    def fit(model: list[int]) -> str:
        did("fit")
        model.append(6)
        return "fitted"

    @flow
    def daily() -> list[int]:
        model: list[int] = []
        fit(model)
        return model

    bench = Bench(tmp_path, strict=False)
    for _ in range(2):
        life = bench.run(daily)
        assert life.result == [6]
        assert life.ran == ["fit"]


def test_a_call_that_was_cut_off_and_is_found_in_the_cache_stays_one_call(bench: Bench) -> None:
    daily = costly(cache=Cache())
    life = bench.run(daily, 1)
    cut_off = life.behind(lambda line: line.startswith(b'["s"'))
    again = bench.resume(life, cut_off, with_cache=True)
    assert again.result == 10
    assert again.ran == []
    assert [call.state.value for call in again.of("costly")] == ["succeeded"]
