"""The elements of a map: which arguments are mapped, and how they are read.

Mapped are lists, tuples, ranges, dict views, collections of futures, and everything that is an iterator. Texts, bytes,
mappings and sets are refused, because mapping over their characters, keys or unordered elements is hardly ever meant.
Everything else, a frame or a model say, goes whole to every call, like what is wrapped in `unmapped(…)`.

A sequence can be read again by a replay. What an iterator gives cannot, so it is written down as it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final, cast

from kapelle.engine.futures import CallFuture, FutureGroup, find_futures
from kapelle.engine.results import fetch_value, store_value
from kapelle.engine.strand import Strand
from kapelle.model.definitions import Definition
from kapelle.model.errors import CallError, ValueRefused
from kapelle.model.journal import Read
from kapelle.ports.session import Unmapped

_SEQUENCES = (list, tuple, range, deque)
_VIEWS: Final[tuple[type, ...]] = (type({}.keys()), type({}.values()), type({}.items()))
END: Final = object()


class Elements:
    """Gives the arguments of one call after the other. `length` is None when only the end will tell."""

    def __init__(
        self, strand: Strand, definition: Definition, args: tuple[Any, ...], kwargs: dict[str, Any], key: str
    ) -> None:
        self._definition = definition
        self._args = [
            _column(strand, definition, str(place), value, f"{key}/{place}") for place, value in enumerate(args)
        ]
        self._kwargs = {
            name: _column(strand, definition, name, value, f"{key}/{name}") for name, value in kwargs.items()
        }
        mapped = [column for column in (*self._args, *self._kwargs.values()) if not isinstance(column, Constant)]
        if not mapped:
            raise CallError(
                f"{definition.name}.map has nothing to map over",
                cause="none of its arguments is a list, tuple, range or iterator",
                hint="give it a list, or call the task itself for a single element",
            )
        lengths = {column.name: column.length for column in mapped if column.length is not None}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise CallError(
                f"{definition.name}.map was given arguments of unequal length",
                cause=told,
                hint="make them equally long, or wrap what every call gets whole in unmapped(…)",
            )
        self._mapped = mapped
        self.length: int | None = min(lengths.values()) if len(lengths) == len(mapped) else None
        self._number = 0

    def next(self) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """The arguments of the next call, or None behind the last."""
        number = self._number
        if self.length is not None and number >= self.length:
            return None
        read = {id(column): column.read(number) for column in self._mapped}
        ended = [column.name for column in self._mapped if read[id(column)] is END]
        if ended:
            if len(ended) < len(self._mapped):
                raise CallError(
                    f"{self._definition.name}.map: {', '.join(ended)} ended after {number} elements, others go on",
                    hint="make them equally long",
                )
            return None
        self._number += 1
        args = tuple(column.value if isinstance(column, Constant) else read[id(column)] for column in self._args)
        kwargs = {
            name: column.value if isinstance(column, Constant) else read[id(column)]
            for name, column in self._kwargs.items()
        }
        return args, kwargs


class Constant:
    """An argument that every call gets whole."""

    def __init__(self, value: Any) -> None:
        self.value = value


class SequenceColumn:
    """A mapped argument that can be read at any place, again and again."""

    def __init__(self, name: str, items: Any) -> None:
        self.name = name
        self._items = items
        self.length: int | None = len(items)

    def read(self, number: int) -> Any:
        """The element of this number, or the end."""
        return self._items[number] if number < len(self._items) else END


class IteratorColumn:
    """A mapped argument that is read once, in order; what was read is in the journal."""

    length: int | None = None

    def __init__(self, strand: Strand, name: str, items: Iterator[Any], key: str) -> None:
        self.name = name
        self._strand = strand
        self._items = items
        self._key = key
        lines = strand.engine.index.reads.get((strand.number, key), []) if strand.engine.replays else []
        self._recorded = {line.first: line for line in lines}
        self._ended = False

    def read(self, number: int) -> Any:
        """The next element: what was read then, if this is a replay, else what the iterator gives now."""
        recorded = self._recorded.get(number)
        live = END if self._ended else next(self._items, END)
        self._ended = live is END
        if recorded is not None:
            return END if recorded.last else fetch_value(self._strand.engine.supervisor, recorded.values[0])
        self._write(number, live)
        return live

    def _write(self, number: int, item: Any) -> None:
        engine, branch = self._strand.engine, self._strand.number
        if item is END:
            engine.recorder.write(Read(branch, self._key, number, (), True))
            return
        futures: list[CallFuture[Any]] = []
        find_futures(item, futures)
        if futures:
            return  # its own call is recorded
        try:
            stored = store_value(engine.supervisor, item, keep_large=True)
        except ValueRefused:
            engine.note(
                f"{self.name}: elements of {type(item).__name__} cannot be kept; a replay reads the iterator again"
            )
            return
        engine.recorder.write(Read(branch, self._key, number, (stored,), False))


def _column(
    strand: Strand, definition: Definition, name: str, value: Any, key: str
) -> Constant | SequenceColumn | IteratorColumn:
    if isinstance(value, Unmapped):
        return Constant(value.value)
    if isinstance(value, (str, bytes, bytearray, Mapping)) or (
        isinstance(value, Set) and not isinstance(value, _VIEWS)
    ):
        raise CallError(
            f"{definition.name}.map cannot map over a {type(value).__name__}",
            where=f"argument {name}",
            hint=f"wrap it in unmapped(…) to give it whole to every call, or give a list of its {_parts(value)}",
        )
    if isinstance(value, FutureGroup):
        return SequenceColumn(name, value.all()) if value.is_sized else IteratorColumn(strand, name, iter(value), key)
    if isinstance(value, _SEQUENCES) and not hasattr(value, "_fields"):
        return SequenceColumn(name, value)
    if isinstance(value, _VIEWS):
        return SequenceColumn(name, list(cast(Iterable[Any], value)))
    if hasattr(value, "__next__"):
        return IteratorColumn(strand, name, value, key)
    return Constant(value)


def _parts(value: Any) -> str:
    if isinstance(value, Mapping):
        return "keys or items"
    return "elements, sorted" if isinstance(value, Set) else "characters"
