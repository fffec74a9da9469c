"""Tables: cells in aligned columns, cut only where a person looks and only where it hurts least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kapelle.console.rows import Row, Span, cells, shorten

GAP = "  "
NARROWEST = 8


class Cell(NamedTuple):
    """A text of a table, with its style; `right` aligns it to the right."""

    text: str
    style: str = ""
    right: bool = False


def table(
    headings: Sequence[str],
    lines: Sequence[Sequence[Cell]],
    columns: int | None = None,
    *,
    flexible: Sequence[int] = (),
) -> list[Row]:
    """Headings and lines as rows.

    columns    the width of the terminal; None: nothing is cut
    flexible   the columns that may be cut, the first of them first
    """
    head = [Cell(text, "dim", bool(lines) and lines[0][place].right) for place, text in enumerate(headings)]
    everything = [head, *lines]
    widths = [max(cells(line[place].text) for line in everything) for place in range(len(head))]
    for place in flexible if columns is not None else ():
        over = sum(widths) + len(GAP) * (len(widths) - 1) - (columns or 0)
        if over > 0:
            widths[place] = max(min(NARROWEST, widths[place]), widths[place] - over)
    return [_row(line, widths) for line in everything]


def _row(line: Sequence[Cell], widths: Sequence[int]) -> Row:
    spans: list[Span] = []
    for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
        text = shorten(cell.text, width)
        filler = " " * (width - cells(text))
        last = place == len(widths) - 1
        if cell.right:
            spans += [Span(filler), Span(text, cell.style)]
        else:
            spans += [Span(text, cell.style), Span("" if last else filler)]
        spans.append(Span("" if last else GAP))
    return tuple(span for span in spans if span.text)
