"""Which display a run gets."""

import io

import pytest
from tests.console.samples import Terminal, Watch, progress, run

from kapelle.console.choose import choose_display
from kapelle.console.guard import GuardedDisplay
from kapelle.console.jsonl import JsonlDisplay
from kapelle.console.live import LiveDisplay
from kapelle.console.plain import PlainDisplay
from kapelle.console.terminal import wants_colour
from kapelle.model.journal import OutputLine


class Unicode(Terminal):
    encoding = "utf-8"


class Ascii(Terminal):
    encoding = "ascii"


def chosen(stdout, stderr, environ, **options):
    display = choose_display(stdout, stderr, environ, **options)
    assert isinstance(display, GuardedDisplay)
    return display.inner


def test_a_terminal_gets_the_live_view():
    assert isinstance(chosen(Unicode(), Unicode(), {"TERM": "xterm"}), LiveDisplay)


def test_progress_is_live_even_if_the_data_goes_elsewhere():
    assert isinstance(chosen(io.StringIO(), Unicode(), {"TERM": "xterm"}), LiveDisplay)


@pytest.mark.parametrize(
    "environ", [{"CI": "true"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=lambda environ: next(iter(environ))
)
def test_environments_that_get_lines(environ):
    assert isinstance(chosen(Unicode(), Unicode(), {"TERM": "xterm", **environ}), PlainDisplay)


def test_streams_that_get_lines():
    assert isinstance(chosen(Unicode(), io.StringIO(), {}), PlainDisplay)
    assert isinstance(chosen(Ascii(), Ascii(), {}), PlainDisplay)


def test_flags_win():
    assert isinstance(chosen(Unicode(), Unicode(), {}, quiet=True), PlainDisplay)
    assert isinstance(chosen(Unicode(), Unicode(), {}, json=True, quiet=True), JsonlDisplay)


def test_colours_need_a_terminal_and_consent():
    assert wants_colour(Unicode(), {"TERM": "xterm"})
    assert not wants_colour(Unicode(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {"TERM": "xterm"})
    closed = io.StringIO()
    closed.close()
    assert not wants_colour(closed, {})


class Clumsy:
    """A display that raises whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def started(self, *_):
        self.asked += 1
        raise self.error

    output = cancelling = pause = resume = ended = started


def test_a_display_that_raises_is_told_once_and_left_alone():
    complaints, clumsy = io.StringIO(), Clumsy(ZeroDivisionError("oops"))
    display = GuardedDisplay(clumsy, complaints)
    display.started(Watch(progress()), run())
    display.output(OutputLine(0, 1, 1, "out", 20, "", "x"))
    display.ended(run())
    assert clumsy.asked == 1
    assert complaints.getvalue() == (
        "kapelle: the display gave up (ZeroDivisionError: oops); the run goes on and is recorded\n"
    )


def test_a_terminal_that_is_gone_is_not_even_told():
    complaints = io.StringIO()
    GuardedDisplay(Clumsy(OSError("gone")), complaints).ended(run())
    assert complaints.getvalue() == ""
