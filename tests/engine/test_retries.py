"""Retries from end to end: what is tried again, when, and what is recorded of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.kit import Bench, HandClock, Life, did

from kapelle import PermanentError, Retry, Skip, TemporaryError, current_task, flow, task
from kapelle.model.calls import CallState
from kapelle.model.errors import UsageError
from kapelle.model.journal import Tried


def tried(life: Life) -> list[Tried]:
    return [one for call in life.index.calls.values() for one in call.tried]


def failing(times: int, error: BaseException, **options: Any) -> Any:
    """A flow of one task that fails so many times, and then works."""
    left = [times]

    @task(**options)
    def flaky() -> str:
        did(f"attempt {current_task().attempt}")
        if left[0]:
            left[0] -= 1
            raise error
        return "worked"

    @flow
    def daily() -> str:
        return flaky()

    return daily


def test_a_failed_call_is_tried_again_as_often_as_it_may(bench: Bench) -> None:
    life = bench.run(failing(2, ValueError("no"), retries=2))
    assert life.result == "worked"
    assert life.ran == ["attempt 1", "attempt 2", "attempt 3"]
    assert life.call("flaky").attempts == 3


def test_the_last_failure_is_raised(bench: Bench) -> None:
    life = bench.run(failing(9, ValueError("no"), retries=2))
    assert isinstance(life.error, ValueError)
    assert life.ran == ["attempt 1", "attempt 2", "attempt 3"]
    assert life.states("flaky") == [CallState.FAILED]


def test_without_retries_a_failure_is_final(bench: Bench) -> None:
    assert bench.run(failing(1, ValueError("no"))).ran == ["attempt 1"]


def test_fixed_delays_the_last_repeated(bench: Bench) -> None:
    life = bench.run(failing(9, ValueError("no"), retries=3, retry_delay=["1s", "5s"]))
    assert life.pauses == [1.0, 5.0, 5.0]


def test_back_off_grows_and_is_drawn_with_full_jitter(tmp_path: Path) -> None:
    bench = Bench(tmp_path, fraction=0.5)
    assert bench.run(failing(9, ValueError("no"), retries=4)).pauses == [0.5, 1.0, 2.0, 4.0]


def test_a_retry_policy_says_its_own_back_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, fraction=0.5)
    policy = Retry(count=4, base_s=10, factor=3, cap_s=100, jitter=False)
    assert bench.run(failing(9, ValueError("no"), retries=policy)).pauses == [10, 30, 90, 100]


def test_each_failed_attempt_is_written_with_the_moment_of_the_next(tmp_path: Path) -> None:
    clock = HandClock()
    life = Bench(tmp_path, clock=clock).run(failing(9, ValueError("no"), retries=2, retry_delay=[2, 3]))
    assert [(one.attempt, one.next_at_us - one.at_us) for one in tried(life)] == [(1, 2_000_000), (2, 3_000_000)]
    assert [one.failure.headline for one in tried(life)] == ["ValueError: no", "ValueError: no"]


def test_a_temporary_error_is_tried_again_after_its_own_delay(bench: Bench) -> None:
    life = bench.run(failing(1, TemporaryError("busy", delay_s=7)))
    assert life.result == "worked", "one more try is granted even without retries="
    assert life.pauses == [7]


def test_temporary_errors_count_against_the_retries(bench: Bench) -> None:
    life = bench.run(failing(9, TemporaryError("busy", delay_s=1), retries=2))
    assert isinstance(life.error, TemporaryError)
    assert len(life.ran) == 3


def test_a_permanent_error_ends_the_call_at_once(bench: Bench) -> None:
    life = bench.run(failing(1, PermanentError("never"), retries=5))
    assert isinstance(life.error, PermanentError)
    assert life.ran == ["attempt 1"]


def test_skip_is_no_failure_and_not_tried_again(bench: Bench) -> None:
    life = bench.run(failing(1, Skip("enough"), retries=5))
    assert life.states("flaky") == [CallState.SKIPPED]
    assert life.ran == ["attempt 1"]


def test_only_the_named_exceptions_are_worth_a_retry(bench: Bench) -> None:
    assert len(bench.run(failing(9, ValueError("no"), retries=2, retry_on=ConnectionError)).ran) == 1
    assert len(bench.run(failing(9, ConnectionResetError("no"), retries=2, retry_on=[ConnectionError])).ran) == 3


def test_a_callable_decides_and_may_set_the_delay(bench: Bench) -> None:
    def decide(error: BaseException, attempt: int) -> bool | float:
        return {1: 4.5, 2: True}.get(attempt, False)

    life = bench.run(failing(9, ValueError("no"), retries=9, retry_delay=1, retry_if=decide))
    assert life.pauses == [4.5, 1.0]
    assert len(life.ran) == 3


def test_a_callable_that_raises_ends_the_call_with_the_failure_and_says_so(bench: Bench) -> None:
    def decide(error: BaseException, attempt: int) -> bool:
        raise KeyError("decide")

    life = bench.run(failing(9, ValueError("no"), retries=9, retry_if=decide))
    assert isinstance(life.error, ValueError)
    assert life.states("flaky") == [CallState.FAILED]
    assert any("retry_if" in note and "KeyError" in note for note in life.notes)


def test_mistakes_of_the_author_are_not_tried_again(bench: Bench) -> None:
    life = bench.run(failing(9, UsageError("wrong"), retries=3))
    assert life.ran == ["attempt 1"]


def test_a_result_that_cannot_be_stored_is_not_tried_again(bench: Bench) -> None:
    @task(retries=3)
    def letters() -> Any:
        did("letters")
        return (letter for letter in "ab")

    @flow
    def daily() -> Any:
        return letters()

    life = bench.run(daily)
    assert life.ran == ["letters"]
    assert life.states("letters") == [CallState.FAILED]


def test_the_key_for_the_outside_is_the_same_in_every_attempt(bench: Bench) -> None:
    @task(retries=2)
    def charge() -> None:
        did(current_task().idempotency_key)
        raise ValueError("no")

    @flow
    def daily() -> None:
        charge()

    life = bench.run(daily)
    assert len(life.ran) == 3
    assert len(set(life.ran)) == 1


def test_the_pause_that_was_left_is_waited_for_in_the_next_process(tmp_path: Path) -> None:
    clock = HandClock()
    bench = Bench(tmp_path, clock=clock)
    life = bench.run(failing(9, ValueError("no"), retries=2, retry_delay="60s"))
    clock.advance(45)
    again = bench.resume(life, life.behind(lambda line: line.startswith(b'["a"')))
    assert again.pauses == [15, 60]
    assert again.ran == ["attempt 2", "attempt 3"]


def test_async_tasks_are_tried_again(bench: Bench) -> None:
    @task(retries=2, retry_delay=0)
    async def flaky() -> int:
        await asyncio.sleep(0)
        did(f"attempt {current_task().attempt}")
        if current_task().attempt < 3:
            raise ValueError("no")
        return 5

    @flow
    async def daily() -> int:
        return await flaky() + await flaky.submit()

    life = bench.run(daily)
    assert life.result == 10
    assert len(life.ran) == 6


def test_submitted_and_mapped_calls_are_tried_again(bench: Bench) -> None:
    @task(retries=1, retry_delay=0)
    def flaky(x: int) -> int:
        if current_task().attempt == 1:
            raise ValueError("no")
        return x

    @flow
    def daily() -> int:
        return flaky.submit(1).result() + sum(flaky.map([2, 3]).results())

    life = bench.run(daily)
    assert life.result == 6
    assert [call.attempts for call in life.of("flaky")] == [2, 2, 2]


@pytest.mark.parametrize("error", [SystemExit(3), SystemExit()])
def test_u11_a_task_that_leaves_the_program_has_failed(bench: Bench, error: SystemExit) -> None:
    life = bench.run(failing(1, error))
    assert life.states("flaky") == [CallState.FAILED]
    assert "sys.exit" in str(life.error)


def test_retries_never_start_over(bench: Bench) -> None:
    life = bench.run(failing(1000, ValueError("no"), retries=3))
    for after, again in bench.every_resume(life):
        known = life.known(after).calls.values()
        done = sum(len(call.tried) for call in known)
        ended = any(call.ended for call in known)
        assert again.ran == ([] if ended else [f"attempt {number}" for number in range(done + 1, 5)])
