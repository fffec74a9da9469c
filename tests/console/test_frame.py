"""The picture of a run at work, as plain text."""

from tests.console.samples import S, group, pipeline, progress, texts

from kapelle.console.frame import View, frame
from kapelle.console.pace import Pace
from kapelle.console.rows import width


def pace() -> Pace:
    made = Pace()
    for second in range(60, 72):
        made.observe(pipeline(trained=76 + second - 60, now_s=second))
    return made


def test_eighty_columns():
    assert texts(frame(pipeline(), View((79, 24), pace()))) == [
        "▶ running  daily  1m 11s · k3f9x2ab · brave-otter",
        "├─ ✔ extract    succeeded   ◆ 1 · 4 calls · 2.0 s",
        "├─ ✔ clean      succeeded   850 ms",
        "├─ ▶ train      running     █████░░░ 87/120  ▶ 8 ↻ 1 ✖ 1 · 55/min · ETA 36 s",
        "│     ✖ ValueError: bad rate -1",
        "├─ ▶ report     running     12 s",
        "│  ├─ ▶ render  running     ▶ 1 · 2 calls · 11 s",
        "│  └─ ✔ tables  succeeded   ████████    3/3  9.0 s",
        "└─ ○ publish    pending",
        "✖ 1 failed  ▶ 10 running  ↻ 1 retrying  ○ 26 pending  ✔ 96 succeeded",
    ]


def test_a_wide_terminal_gets_longer_bars():
    lines = texts(frame(pipeline(), View((140, 40), pace())))
    assert lines[3] == "├─ ▶ train      running     ██████████████░░░░░░ 87/120  ▶ 8 ↻ 1 ✖ 1 · 55/min · ETA 36 s"
    assert lines[-1] == "✖ 1 failed  ▶ 10 running  ↻ 1 retrying  ○ 26 pending  ✔ 96 succeeded  ◆ 1 cached"


def test_a_narrow_terminal_loses_words_and_bars_but_no_counts():
    lines = texts(frame(pipeline(), View((44, 24), pace())))
    assert lines[3] == "├─ ▶ train      87/120  ▶ 8 ↻ 1 ✖ 1"
    assert lines[-1] == "✖ 1  ▶ 10  ↻ 1  ○ 26  ✔ 96  ◆ 1"


def test_no_row_is_wider_than_the_terminal_and_no_picture_higher():
    many = [
        group(f"a task with a rather long name {n}", expected=9_999, running=n, failed=2, errors=("x" * 200,))
        for n in range(99)
    ]
    for columns, lines in ((20, 5), (40, 10), (80, 24), (200, 100)):
        rows = frame(progress(*many), View((columns, lines), pace()))
        assert max(width(row) for row in rows) <= columns
        assert len(rows) <= min(60, max(5, lines))


def test_what_goes_on_where_it_was_says_so():
    made = progress(group("a", running=1), generation=2)
    header = texts(frame(made, View((120, 24), resumed=True)))[0]
    assert header == "▶ running  daily  1m 11s · k3f9x2ab · generation 2 · going on where it was · brave-otter"


def test_folded_groups_are_counted():
    made = progress(
        *(group(f"old{n}", succeeded=3) for n in range(30)), group("now", running=1, first_started_us=70 * S)
    )
    assert texts(frame(made, View((79, 10)))) == [
        "▶ running  daily  1m 11s · k3f9x2ab · brave-otter",
        "├─ ▶ now  running     2 s",
        "└─ ✔ 30 succeeded · 90 calls",
        "▶ 1 running  ✔ 90 succeeded",
    ]


def test_notes_cancel_and_a_slow_disk_are_told():
    made = progress(notes=("the result of load was not kept",), unrecorded_bytes=20_000_000)
    assert texts(frame(made, View((79, 24), asked="cancelling (Ctrl-C)")))[1:] == [
        "! the result of load was not kept",
        "! recording is 20 MB behind",
        "■ cancelling (Ctrl-C)",
    ]


def test_at_the_end_nothing_is_shown_as_being_at_work():
    lines = texts(frame(pipeline(), View((79, 24), over=True)))
    assert "├─ ✖ train      failed      █████░░░ 87/120  ✖ 1 · 1m 08s" in lines
    assert "│  ├─ ◌ render  cut off     2 calls · 1 cut off · 9.0 s" in lines
    assert lines[-1] == "✖ 1 failed  ✔ 96 succeeded  ◆ 1 cached"


def test_errors_of_users_cannot_break_the_picture():
    made = progress(group("a", failed=1, errors=("ValueError: \x1b[2J\nboom",)))
    assert texts(frame(made, View((79, 24))))[2] == "      ✖ ValueError:  boom"
