"""Rows: widths, cuts, and text of users that must not move the cursor."""

import io

import pytest

from kapelle.console.rows import cells, clean, cut, pad, printable, row, shorten, text_of, width, write_lines


def test_width_is_counted_in_cells():
    assert [cells(text) for text in ("abc", "häß", "日本", "e\u0301", "")] == [3, 3, 4, 1, 0]


def test_what_is_too_long_is_cut_with_a_sign():
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("日本語", 4) == "日…"
    assert shorten("abc", 3) == "abc"
    assert shorten("abc", 0) == ""


def test_padding_fills_or_cuts_to_the_cell():
    assert pad("日", 4) == "日  "
    assert pad("abcdef", 4) == "abc…"


def test_a_row_is_cut_across_its_spans():
    made = row(("abc", "red"), "def", "ghi")
    assert text_of(cut(made, 5)) == "abcd…"
    assert width(cut(made, 5)) == 5
    assert cut(made, 9) == made


def test_colours_appear_only_where_they_are_asked_for():
    made = row(("bad", "red bold"), " ", "plain")
    assert text_of(made) == "bad plain"
    assert text_of(made, colour=True) == "\x1b[31;1mbad\x1b[0m plain"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b[2Jb\x1b]0;title\x07c", "abc"),
        ("two\nlines\r\x08", "two lines  "),
        ("tab\there", "tab    here"),
        ("lone \x1b escape", "lone  escape"),
        ("c1 \x9b2J", "c1  2J"),
    ],
)
def test_text_of_users_cannot_command_the_terminal(text, cleaned):
    assert clean(text) == cleaned


def test_output_keeps_its_colours_and_loses_its_cursor_movements():
    assert printable("\x1b[32mok\x1b[0m\x1b[1A\x1b[2K!", colour=True) == "\x1b[32mok\x1b[0m!\x1b[0m"
    assert printable("\x1b[32mok\x1b[0m", colour=False) == "ok"
    assert printable("half \x1b[", colour=True) == "half [\x1b[0m"


def test_of_a_progress_bar_the_last_state_is_left():
    assert printable(" 10%|#   |\r 50%|##  |\r100%|####|", colour=True) == "100%|####|"


def test_a_stream_of_another_encoding_gets_escapes_instead_of_raising():
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii")
    assert write_lines(stream, ["✔ done"])
    assert buffer.getvalue() == b"\\u2714 done\n"


def test_a_closed_pipe_is_told_not_raised():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    assert not write_lines(Closed(), ["hello"])
