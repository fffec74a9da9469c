"""Words for states, times and sizes."""

from datetime import UTC

import pytest

from kapelle.console import words
from kapelle.console.rows import cells
from kapelle.model.calls import CallState
from kapelle.model.runs import RunState

S = 1_000_000


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0 ms"),
        (300, "<1 ms"),
        (850_000, "850 ms"),
        (999_600, "1.0 s"),
        (12_340_000, "12.3 s"),
        (59_960_000, "1m 00s"),
        (134 * S, "2m 14s"),
        (3 * 3600 * S + 5 * 60 * S, "3h 05m"),
        (52 * 3600 * S, "2d 04h"),
    ],
)
def test_durations(microseconds, text):
    assert words.duration(microseconds) == text


def test_estimates_are_whole_seconds():
    assert [words.coarse(us) for us in (400_000, 12.4 * S, 90 * S)] == ["0 s", "12 s", "1m 30s"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (12_340, "12.3 kB"), (4_000_000_000, "4.0 GB"), (2e12, "2.0 TB")]
)
def test_sizes(count, text):
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [(0, ""), (4200.4, "4,200/s"), (42.3, "42/s"), (3.14, "3.1/s"), (0.2, "12/min"), (0.005, "18/h")],
)
def test_rates(per_second, text):
    assert words.rate(per_second) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "just now"), (12, "12 s ago"), (150, "2 min ago"), (3 * 3600, "3 h ago"), (30 * 3600, "30 h ago"),
     (50 * 3600, "2 days ago"), (-300, "in 5 min")],
)  # fmt: skip
def test_relative_times(seconds, text):
    assert words.ago(0, seconds * S) == text


def test_moments():
    assert words.moment(0, UTC) == "1970-01-01 00:00:00"
    assert words.clock_time(1_234_567, UTC) == "00:00:01.234"
    assert words.iso(1_234_567) == "1970-01-01T00:00:01.234567Z"
    assert words.iso(None) is None


def test_every_state_has_a_look_of_its_own_word():
    for state in (*RunState, *CallState):
        assert words.look(state.value).word == state.value


def test_states_that_differ_differ_by_more_than_colour():
    looks = [
        words.look(state) for state in ("succeeded", "failed", "running", "retrying", "waiting", "skipped", "reused")
    ]
    assert len({look.symbol for look in looks}) == len(looks)


def test_symbols_are_one_cell_wide():
    assert {cells(look.symbol) for look in words.LOOKS.values()} == {1}


def test_an_unknown_state_shows_its_own_word():
    assert words.look("dreaming") == ("dreaming", "?", "")
