"""The thread runner finishes what it was given, and wastes no time over it."""

import threading

import pytest

from kapelle.runners import threads
from kapelle.runners.threads import ThreadRunner

PATIENCE_S = 20.0


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_closing_finishes_what_is_queued_however_threads_rest(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "IDLE_S", 3600.0)
    for _ in range(20):
        done: list[int] = []
        runner = ThreadRunner(workers)
        moment = threading.Event()  # never set: its wait only passes time

        def work(number: int, runner: ThreadRunner = runner, done: list[int] = done) -> None:
            if number % 3 == 0:
                with runner.blocked():
                    moment.wait(0.0005)  # noqa: B023  (each round waits for its own)
            done.append(number)

        for number in range(30):
            runner.submit(lambda number=number, work=work: work(number))  # type: ignore[misc]
        closing = threading.Thread(target=runner.close, daemon=True)
        closing.start()
        closing.join(PATIENCE_S)
        assert not closing.is_alive(), "closing waits for threads that rest"
        assert sorted(done) == list(range(30))


def test_no_more_threads_work_at_once_than_asked_for() -> None:
    runner = ThreadRunner(3)
    lock, working, most = threading.Lock(), [0], [0]
    moment = threading.Event()

    def work() -> None:
        with lock:
            working[0] += 1
            most[0] = max(most[0], working[0])
        moment.wait(0.0005)
        with lock:
            working[0] -= 1

    for _ in range(100):
        runner.submit(work)
    runner.close()
    assert 1 <= most[0] <= 3


def test_a_thread_that_waits_gives_its_place_to_another() -> None:
    runner = ThreadRunner(1)
    first, second = threading.Event(), threading.Event()

    def waits() -> None:
        with runner.blocked():
            assert second.wait(PATIENCE_S)
        first.set()

    runner.submit(waits)
    runner.submit(second.set)
    assert first.wait(PATIENCE_S)
    runner.close()
