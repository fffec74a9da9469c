"""Markdown pages as their prose and their fenced blocks."""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]

FENCE = re.compile(r"^(?P<indent>[ ]*)(?P<marks>`{3,}|~{3,})[ ]*(?P<info>[^`]*)$")
INLINE_CODE = re.compile(r"(`+)[^`](?:(?!\n\n).)*?\1", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the language it names, the words after it, its text and the line where the text begins."""

    language: str
    words: frozenset[str]
    text: str
    line: int

    def option(self, name: str) -> str | None:
        """The value of `name=value` among the words."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), None)


@dataclass(frozen=True)
class Page:
    """A markdown page."""

    path: Path
    prose: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @classmethod
    def read(cls, path: Path) -> Self:
        assert path.is_file(), f"{path.relative_to(ROOT)} is missing"
        prose, blocks = split(path.read_text(encoding="utf-8"), str(path))
        return cls(path, prose, blocks)


def markdown_pages() -> list[Page]:
    """The pages at the top of the repository, and all below the folders that hold prose."""
    paths = sorted(ROOT.glob("*.md"))
    for folder in ("docs", "examples", "benchmarks", "src"):
        paths += sorted((ROOT / folder).rglob("*.md"))
    return [Page.read(path) for path in paths]


def split(text: str, where: str) -> tuple[str, tuple[Block, ...]]:
    """The prose without any code, and the fenced blocks in order."""
    prose: list[str] = []
    blocks: list[Block] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        at += 1
        if opening is None:
            prose.append(lines[at - 1])
            continue
        first = at
        while at < len(lines) and not _closes(lines[at], opening["marks"]):
            at += 1
        assert at < len(lines), f"{where}:{first}: a block is opened and not closed"
        language, *words = opening["info"].split() or [""]
        body = (
            textwrap.dedent("\n".join(lines[first:at]) + "\n")
            if opening["indent"]
            else "\n".join(lines[first:at]) + "\n"
        )
        blocks.append(Block(language, frozenset(words), body, first + 1))
        at += 1
    return INLINE_CODE.sub("", "\n".join(prose)), tuple(blocks)


def _closes(line: str, marks: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(marks) and set(mark) == {marks[0]}
