"""One transaction on one connection, as the domains of the store use it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from kapelle.model.errors import StoreError
from kapelle.stores.refusals import is_over, reading_only
from kapelle.stores.sqlite.failures import translated
from kapelle.stores.sqlite.queries import statement

Parameters = dict[str, Any]
Row = tuple[Any, ...]


class Session:
    """A connection for the time of one transaction.

    The transaction begins with its first statement, not before: what a verb can do without the store (compressing a
    batch) is done while others may still write.
    """

    def __init__(self, path: Path, begin: Callable[[], apsw.Connection], *, writable: bool) -> None:
        self._path = path
        self._begin = begin
        self._writable = writable
        self._connection: apsw.Connection | None = None
        self._open = True
        self._pid = os.getpid()

    def is_ours(self) -> bool:
        """False in a child that was forked inside the transaction: the connection is the parent's."""
        return os.getpid() == self._pid

    def require_open(self) -> None:
        """Raise unless the transaction is still open, in the process that began it."""
        if not self._open or not self.is_ours():
            raise is_over()

    def require_writable(self) -> None:
        """Raise unless the transaction is open for writing."""
        self.require_open()
        if not self._writable:
            raise reading_only()

    def rows(self, file: str, name: str, parameters: Parameters) -> list[Row]:
        """All rows of a named statement."""
        return self.rows_of(statement(file, name), parameters)

    def row(self, file: str, name: str, parameters: Parameters) -> Row | None:
        """The only row of a named statement, if there is one."""
        found = self.rows(file, name, parameters)
        return found[0] if found else None

    def change(self, file: str, name: str, parameters: Parameters) -> int:
        """Run a named statement that writes; returns how many rows it touched."""
        self.require_writable()
        self.rows_of(statement(file, name), parameters)
        assert self._connection is not None
        return self._connection.changes()

    def rows_of(self, sql: str, parameters: Parameters) -> list[Row]:
        """All rows of a statement. They are fetched to the end: only then has everything been done."""
        self.require_open()
        if self._connection is None:
            self._connection = self._begin()
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except apsw.Error as error:
            raise translated(self._path, error) from error
        except (UnicodeError, OverflowError, apsw.ExecutionCompleteError) as error:
            raise StoreError("a value cannot be stored", cause=str(error)) from error

    def close(self) -> None:
        """The transaction is over, whatever became of it."""
        self._open = False
        self._connection = None
