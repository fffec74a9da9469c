"""A run's own lines, as text: prints as they were, log records with level and origin."""

from __future__ import annotations

from datetime import tzinfo

from kapelle.console.rows import Row, clean, printable, row, text_of
from kapelle.console.words import clock_time
from kapelle.model.journal import OutputLine

LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
_COLOURS = {"DEBUG": "grey", "INFO": "", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red bold"}
STREAM_WORDS = {"out": "print", "err": "stderr"}


def level_name(level: int) -> str:
    """The name of a logging level, or of the next lower one that has a name."""
    return next((LEVELS[known] for known in sorted(LEVELS, reverse=True) if level >= known), "DEBUG")


def origin(line: OutputLine) -> str:
    """The task that a line came from, by its short name; else its logger."""
    return line.task.rsplit(".", 1)[-1] or line.logger.removeprefix("kapelle.run.").rsplit(".", 1)[-1]


def passed_on(line: OutputLine) -> str:
    """A line while the run goes on: what was printed is left alone, what was logged says its level and origin."""
    if line.stream != "log":
        return line.text
    where = origin(line)
    return f"{level_name(line.level)} {where + ': ' if where else ''}{line.text}"


def on_terminal(line: OutputLine) -> str:
    """The same for a terminal: colours stay, what would move the cursor goes."""
    style = _COLOURS[level_name(line.level)] if line.stream == "log" else ""
    text = printable(passed_on(line), colour=True)
    return text if "\x1b" in text else text_of(row((text, style)), colour=True)


def recorded_row(line: OutputLine, zone: tzinfo | None = None) -> Row:
    """A recorded line with its time, level and origin."""
    word = STREAM_WORDS.get(line.stream) or level_name(line.level)
    colour = _COLOURS[level_name(line.level)] if line.stream == "log" else "grey"
    text = printable(line.text, colour=False)
    return row((clock_time(line.at_us, zone), "dim"), "  ", (f"{word:<8}", colour), "  ", *_from(line), text)


def _from(line: OutputLine) -> list[tuple[str, str]]:
    where = clean(origin(line))
    return [(where, "cyan"), ("  ", "")] if where else []
