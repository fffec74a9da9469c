"""Made-up runs and progress, and a small terminal, for the tests of what people see."""

import io
import re
from collections.abc import Callable
from typing import Any

from kapelle.console.rows import Row, text_of
from kapelle.console.ticker import Ticker
from kapelle.model.failures import Failure
from kapelle.model.runs import Attempt, CallCounts, Entry, Run, RunState
from kapelle.model.values import StoredValue
from kapelle.ports.progress import GroupProgress, Progress

S = 1_000_000
"""A second in microseconds."""

RUN_ID = "k3f9x2abcdefghijklmnopqrst"
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "flows/daily.py", line 40, in train\n    check(rate)\n'
    '  File "flows/rates.py", line 7, in check\n    raise ValueError(rate)\n'
    "ValueError: bad rate -1\n"
)
BAD_RATE = Failure("ValueError", "builtins", "bad rate -1", TRACEBACK)


def run(state: RunState = RunState.RUNNING, **changes: Any) -> Run:
    """A run of the flow `flows.daily` that began at second 1."""
    values: dict[str, Any] = {
        "id": RUN_ID,
        "project": "demo",
        "flow": "flows.daily",
        "name": "brave-otter",
        "state": state,
        "reason": "",
        "entry": Entry(file="flows/daily.py", flow="daily"),
        "parameters": StoredValue("json"),
        "parameters_text": "day='2026-01-01'",
        "tags": (),
        "generation": 1,
        "attempt": Attempt(RUN_ID, 1, 1, "a"),
        "created_at_us": 1 * S,
        "started_at_us": 1 * S,
        "ended_at_us": 75 * S if state.is_end else None,
        "result": None,
        "failure": BAD_RATE if state is RunState.FAILED else None,
        "counts": CallCounts(succeeded=1),
    }
    return Run(**{**values, **changes})


def group(name: str, kind: str = "task", **counts: Any) -> GroupProgress:
    """A group below the flow; `name` may be a path with slashes. Its calls worked from its begin to its end."""
    worked = counts.get("last_ended_us", 0) - counts.get("first_started_us", 0)
    counts.setdefault("duration_us", max(0, worked) if counts.get("first_started_us") else 0)
    return GroupProgress(("daily", *name.split("/")), kind, **counts)


def progress(*groups: GroupProgress, now_s: float = 72, **changes: Any) -> Progress:
    """A snapshot at second `now_s`."""
    values: dict[str, Any] = {
        "run_id": RUN_ID,
        "name": "brave-otter",
        "flow": "flows.daily",
        "state": "running",
        "generation": 1,
        "started_us": 1 * S,
        "now_us": int(now_s * S),
        "groups": groups,
    }
    return Progress(**{**values, **changes})


def pipeline(trained: int = 87, now_s: float = 72) -> Progress:
    """A pipeline in the middle of its work."""
    return progress(
        group("extract", succeeded=4, cached=1, first_started_us=1 * S, last_ended_us=3 * S),
        group("clean", succeeded=1, first_started_us=3 * S, last_ended_us=3 * S + 850_000),
        group(
            "train",
            expected=120,
            running=8,
            retrying=1,
            succeeded=trained - 1,
            failed=1,
            first_started_us=4 * S,
            last_ended_us=int(now_s * S),
            errors=("ValueError: bad rate -1",),
        ),
        group("report", "flow", running=1, first_started_us=60 * S),
        group("report/render", running=1, succeeded=2, first_started_us=61 * S, last_ended_us=70 * S),
        group("report/tables", expected=3, succeeded=3, first_started_us=61 * S, last_ended_us=70 * S),
        group("publish", waiting=1),
        now_s=now_s,
    )


class Watch:
    """Something to watch: hands out what the test puts into `now`."""

    def __init__(self, now: Progress) -> None:
        self.now = now

    def progress(self) -> Progress:
        return self.now

    def cancel(self, reason: str) -> None:
        pass


class Crank(Ticker):
    """A ticker without a thread: the test turns the crank."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def texts(rows: list[Row]) -> list[str]:
    """Rows as a person sees them without colours."""
    return [text_of(row) for row in rows]


class Terminal(io.StringIO):
    """As much of a terminal as the live view asks for: lines, wrapping, moving up, erasing."""

    _CODE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")

    def __init__(self, columns: int = 80, height: int = 24) -> None:
        super().__init__()
        self.columns, self.height = columns, height
        self.lines: list[str] = [""]
        self.row = self.column = 0
        self.wraps = True

    def isatty(self) -> bool:
        return True

    def size(self) -> tuple[int, int]:
        return self.columns, self.height

    def write(self, text: str) -> int:
        place = 0
        while place < len(text):
            code = self._CODE.match(text, place)
            if code:
                self._obey(*code.groups())
                place = code.end()
            else:
                self._put(text[place])
                place += 1
        return len(text)

    def shown(self) -> str:
        """Everything on the terminal, what scrolled out of it included."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip()

    def _put(self, char: str) -> None:
        if char == "\n":
            self.row, self.column = self.row + 1, 0
        elif char == "\r":
            self.column = 0
        else:
            if self.column >= self.columns and self.wraps:
                self.row, self.column = self.row + 1, 0
            self.lines += [""] * (self.row + 1 - len(self.lines))
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1
        self.lines += [""] * (self.row + 1 - len(self.lines))

    def _obey(self, private: str, number: str, letter: str) -> None:
        match private, number, letter:
            case "", _, "A":
                self.row = max(0, self.row - int(number or 1))
            case "", _, "K":
                self.lines[self.row] = self.lines[self.row][: self.column]
            case "", _, "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                del self.lines[self.row + 1 :]
            case "?", "7", _:
                self.wraps = letter == "h"
            case _:
                pass


def crank(act: Callable[[], None], interval_s: float) -> Ticker:
    """Makes a ticker that stands still."""
    return Crank(act, interval_s)
