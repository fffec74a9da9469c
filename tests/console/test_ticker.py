"""The thread that looks."""

import threading

from kapelle.console.ticker import Ticker, pause


def test_a_cheap_look_comes_at_its_interval_and_a_dear_one_less_often():
    assert pause(0.001, 0.1) == 0.1
    assert pause(0.006, 0.1) == 0.2
    assert pause(5.0, 0.1) == 1.0
    assert pause(5.0, 3.0) == 3.0


def test_it_looks_until_it_is_stopped():
    seen = threading.Semaphore(0)
    ticker = Ticker(seen.release, 0.0001)
    ticker.start()
    assert seen.acquire(timeout=10)
    assert seen.acquire(timeout=10)
    ticker.stop()
    ticker.stop()


def test_a_look_that_raises_is_the_last():
    ended = threading.Event()

    def look() -> None:
        ended.set()
        raise ValueError("no")

    ticker = Ticker(look, 0.0001)
    ticker.start()
    assert ended.wait(10)
    ticker.stop()


def test_stopping_before_starting_is_harmless():
    Ticker(lambda: None, 1).stop()
