"""What is recorded when, what may leave the run, and what is too large to keep (E4, E14, E21)."""

import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, did

from kapelle import executor, flow, task
from kapelle.engine.state import Engine
from kapelle.model.calls import CallState
from kapelle.model.errors import TaskCrashed


@task
def double(x: int) -> int:
    did(f"double {x}")
    return 2 * x


def test_e4_a_task_with_external_effects_starts_only_when_its_start_is_recorded(tmp_path: Path) -> None:
    """The order: the start is written, the store acknowledges it, and only then the function runs."""
    told: list[str] = []

    def watch(engine: Engine) -> None:
        wait = engine.recorder.wait_recorded

        def waits() -> None:
            wait()
            told.append(engine.recorder.spool.path.read_text().rstrip("\0").splitlines()[-1][:4])

        engine.recorder.wait_recorded = waits  # type: ignore[method-assign]

    @task(effects="external")
    def charge() -> None:
        told.append("charged")

    @task
    def plain() -> None:
        told.append("plain")

    @flow
    def daily() -> None:
        plain()
        charge()

    Bench(tmp_path, watch=watch).run(daily)
    assert told == ["plain", '["s"', "charged", '["f"']


def test_e4_the_key_of_an_external_task_is_in_the_store_before_it_acts(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    seen: list[int] = []

    @task(effects="external")
    def charge() -> None:
        from tests.kit import SYSTEM

        from kapelle import current_run

        with bench.home.store.read() as tx:
            seen.append(sum(piece.count(b'["s"') for piece in tx.journal.read(SYSTEM, current_run().id, 1)))

    @flow
    def daily() -> None:
        charge()

    bench.run(daily)
    assert seen == [1]


def large(folder: Path, **options: Any) -> tuple[Bench, Any]:
    """A bench that keeps values up to ten kilobytes, and a flow with a larger one."""

    @task(**options)
    def big() -> bytes:
        did("big")
        return b"x" * 20_000

    @task
    def size(data: bytes) -> int:
        did("size")
        return len(data)

    @flow
    def daily() -> int:
        data = big()
        return size(data) + double(1)

    return Bench(folder, persist_bytes=10_000), daily


def test_e21_a_value_above_the_limit_is_not_kept_with_a_warning_and_runs_again(tmp_path: Path) -> None:
    bench, daily = large(tmp_path)
    life = bench.run(daily)
    assert any("a result of 20,000 bytes is not kept" in note for note in life.notes)
    again = bench.resume(life, life.ends(2))
    assert again.result == life.result
    assert again.ran == ["big", "double 1"]


def test_e21_results_keep_keeps_it(tmp_path: Path) -> None:
    bench, daily = large(tmp_path, results="keep")
    life = bench.run(daily)
    assert life.notes == []
    assert bench.resume(life, life.ends(2)).ran == ["double 1"]


def test_e21_results_recompute_silences_the_warning(tmp_path: Path) -> None:
    bench, daily = large(tmp_path, results="recompute")
    life = bench.run(daily)
    assert life.notes == []
    assert bench.resume(life, life.ends(2)).ran == ["big", "double 1"]


def test_e21_calls_with_external_effects_are_always_kept(tmp_path: Path) -> None:
    bench, daily = large(tmp_path, effects="external")
    life = bench.run(daily)
    assert bench.resume(life, life.ends(2)).ran == ["double 1"]


def test_large_values_lie_in_the_blobs_and_small_ones_in_the_journal(bench: Bench) -> None:
    @task
    def give(size: int) -> bytes:
        return b"x" * size

    @flow
    def daily() -> int:
        return len(give(100)) + len(give(100_000))

    life = bench.run(daily)
    small, big = life.of("give")
    assert small.value is not None
    assert big.value is not None
    assert (small.value.digest == "", len(big.value.digest)) == (True, 64)
    assert len(life.journal) < 5000
    for _, again in bench.every_resume(life):
        assert again.result == 100_100


def test_e14_a_call_without_context_is_recorded_and_warns_naming_the_thread(bench: Bench) -> None:
    @flow
    def daily() -> int:
        found: list[int] = []

        def lost() -> None:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                found.append(double(4))
            did(str(told[0].message))

        thread = threading.Thread(target=lost, name="my-own")
        thread.start()
        thread.join()
        return found[0]

    life = bench.run(daily)
    assert life.result == 8
    assert life.states("double") == [CallState.SUCCEEDED]
    assert "in the thread 'my-own', which has lost the context of its run" in life.ran[1]
    assert "kapelle.executor()" in life.ran[1]
    again = bench.resume(life, life.ends(1))
    assert again.ran[0] == "double 4", "such a call is never taken again"
    assert again.index.finished is not None
    assert again.index.finished.unclaimed == 0


def test_e14_the_executor_keeps_the_context(bench: Bench) -> None:
    @flow
    def daily() -> list[int]:
        with executor(2) as pool:
            return list(pool.map(double, [1, 2, 3]))

    life = bench.run(daily)
    assert life.result == [2, 4, 6]
    for after, again in bench.every_resume(life):
        assert again.result == life.result
        ended = sum(call.ended is not None for call in life.known(after).calls.values())
        assert len(again.ran) == 3 - ended


def test_a_call_whose_process_dies_is_pending_in_the_journal(bench: Bench) -> None:
    @flow
    def daily() -> int:
        return double(1)

    life = bench.run(daily)
    known = life.known(life.behind(lambda line: line.startswith(b'["s"')))
    (call,) = known.calls.values()
    assert call.interruptions == 1
    assert call.ended is None


@pytest.mark.parametrize("task_options", [{"index": True}, {"run_name": "d-{x}"}, {"retries": 1}])
def test_calls_that_somebody_may_look_for_get_a_row(bench: Bench, task_options: dict[str, Any]) -> None:
    from tests.kit import SYSTEM

    first = [True]

    @task(**task_options)
    def wanted(x: int) -> int:
        if first[0] and "retries" in task_options:
            first[0] = False
            raise ValueError("once")
        return x

    @flow
    def daily() -> int:
        return wanted(7) + double(1)

    life = bench.run(daily)
    with life.home.store.read() as tx:
        rows = tx.journal.rows(SYSTEM, life.run.id, 1)
    assert [(row.task.rsplit(".", 1)[-1], row.inputs) for row in rows] == [("wanted", "x=7")]
    if "run_name" in task_options:
        assert rows[0].name == "d-7"


def test_the_counts_of_a_run_are_those_of_its_calls(bench: Bench) -> None:
    @task(allow_failure=True)
    def fails() -> None:
        raise ValueError("no")

    @flow
    def daily() -> None:
        double.map([1, 2, 3])
        double.submit(fails.submit())  # type: ignore[arg-type]

    life = bench.run(daily)
    counts = life.run.counts
    assert (counts.succeeded, counts.failed, counts.skipped) == (3, 1, 1)
    again = bench.resume(life, life.ends(2))
    assert again.run.counts == counts


def test_no_crash_is_made_of_a_replaced_process(bench: Bench) -> None:
    @task(interruptions=0)
    def once() -> int:
        return 1

    @flow
    def daily() -> int:
        return once()

    life = bench.run(daily)
    start = life.behind(lambda line: line.startswith(b'["s"'))
    assert isinstance(bench.resume(life, start).error, TaskCrashed)
