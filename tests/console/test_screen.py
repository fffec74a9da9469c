"""Drawing over: what is left on the terminal afterwards."""

from tests.console.samples import Terminal

from kapelle.console.rows import row
from kapelle.console.screen import Screen, terminal_size


def rows(*lines):
    return [row(line) for line in lines]


def test_a_picture_replaces_the_one_before():
    terminal = Terminal()
    screen = Screen(terminal, terminal.size)
    screen.draw(rows("one", "two", "three"))
    screen.draw(rows("ONE", "2"))
    assert terminal.shown() == "ONE\n2"


def test_output_scrolls_past_above():
    terminal = Terminal()
    screen = Screen(terminal, terminal.size)
    screen.draw(rows("a", "b"))
    screen.draw(rows("a", "b"), ["printed"])
    screen.draw(rows("a", "c"), ["printed again", "and again"])
    assert terminal.shown() == "printed\nprinted again\nand again\na\nc"


def test_what_was_there_before_stays():
    terminal = Terminal()
    terminal.write("$ kapelle run\n")
    screen = Screen(terminal, terminal.size)
    screen.draw(rows("a"))
    screen.draw(rows("b"))
    screen.leave(rows("the end"))
    assert terminal.shown() == "$ kapelle run\nb\nthe end"


def test_a_terminal_that_became_narrower_has_wrapped_what_was_drawn():
    terminal = Terminal(columns=40)
    terminal.write("before\n")
    screen = Screen(terminal, terminal.size)
    screen.draw(rows("x" * 35, "short"))
    terminal.lines[1:2] = ["x" * 20, "x" * 15]  # what terminals make of it
    terminal.row += 1
    terminal.columns = 20
    screen.draw(rows("y" * 15, "short"))
    assert terminal.shown() == "before\n" + "y" * 15 + "\nshort"


def test_a_picture_wraps_nothing_and_output_does():
    terminal = Terminal(columns=10)
    Screen(terminal, terminal.size).draw(rows("next"), ["a line of output"])
    assert terminal.shown() == "a line of\noutput\nnext"
    assert terminal.wraps


def test_the_size_of_what_is_no_terminal_is_guessed():
    assert terminal_size(Terminal()) == (80, 24)
