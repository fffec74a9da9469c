"""Pace and estimates."""

from typing import Any

from tests.console.samples import S, group, progress

from kapelle.console.pace import Pace


def after(pace: Pace, *samples: tuple[float, dict[str, Any]]):
    made = group("train")
    for now_s, counts in samples:
        made = group("train", **{"expected": 100, "running": 4, "first_started_us": S, **counts})
        pace.observe(progress(made, now_s=now_s))
    return made, int(samples[-1][0] * S)


def test_the_pace_of_the_last_seconds_counts():
    pace = Pace()
    seen = after(
        pace, *((n, {"succeeded": 10 * n}) for n in range(5)), *((n, {"succeeded": 40 + n}) for n in range(5, 40))
    )
    assert pace.per_second(*seen) == 1


def test_the_estimate_follows():
    pace = Pace()
    seen = after(pace, (1, {"succeeded": 0}), (2, {"succeeded": 5}), (3, {"succeeded": 10}))
    assert pace.left_us(*seen) == 18 * S


def test_nothing_is_said_before_there_is_something_to_say():
    pace = Pace()
    assert pace.left_us(*after(pace, (1.1, {"succeeded": 5}))) is None
    assert pace.left_us(*after(Pace(), (1, {"expected": None}), (9, {"expected": None, "succeeded": 5}))) is None


def test_calls_that_did_not_run_are_no_pace():
    pace = Pace()
    seen = after(pace, (1, {}), (3, {"succeeded": 50, "reused": 30, "cached": 20}))
    assert pace.per_second(*seen) == 0


def test_a_replay_is_no_pace():
    pace = Pace()
    for now_s, done in ((1, 0), (2, 90)):
        pace.observe(progress(group("train", expected=100, succeeded=done), now_s=now_s, replaying=True))
    seen = after(pace, (3, {"succeeded": 90}), (4, {"succeeded": 91}))
    assert pace.per_second(*seen) == 1
