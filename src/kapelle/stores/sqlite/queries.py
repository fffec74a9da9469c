"""Statements by name, from the `.sql` files of this package.

A file holds statements, each below a line `-- name: …` and a line or more that say what it is for. `{{name}}` stands
for the statement of that name in the same file, `{{file.name}}` for one of another file.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "queries"
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)
_INCLUDE = re.compile(r"\{\{(?:(\w+)\.)?(\w+)\}\}")


@cache
def statement(file: str, name: str) -> str:
    """The statement `name` of `queries/<file>.sql`, with what it includes filled in."""
    text = _statements(file)[name]
    return _INCLUDE.sub(lambda found: statement(found[1] or file, found[2]), text)


def statement_names(file: str) -> tuple[str, ...]:
    """The names of all statements of a file."""
    return tuple(_statements(file))


@cache
def _statements(file: str) -> dict[str, str]:
    _, *parts = _NAME.split((_FOLDER / f"{file}.sql").read_text(encoding="utf-8"))
    return {name: _COMMENT.sub("", text).strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
