"""The recorder: turns what happens in a run into journal lines, in one order, before the engine goes on.

It hands out the numbers of tasks, branches and calls, writes each line to the spool, and tells the supervisor how far
the spool reaches. One lock makes line order and file order the same; the counts of the groups change under it too.
"""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from kapelle.core.journal import JournalIndex
from kapelle.engine.spool import Spool
from kapelle.model.journal import Branched, Defined, Line
from kapelle.ports.supervisor import Supervisor


class Recorder:
    """Writes lines. `index` is what earlier attempts of the generation wrote."""

    def __init__(self, spool: Spool, supervisor: Supervisor, index: JournalIndex) -> None:
        self.lock = threading.Lock()
        self.spool = spool
        self.supervisor = supervisor
        self._encode = msgspec.json.Encoder().encode
        self._tasks: dict[str, Defined] = {task.name: task for task in index.tasks.values()}
        self._branches: dict[bytes, int] = {branch.id: number for number, branch in index.branches.items()}
        self._next_call = max(index.calls, default=-1) + 1
        self._next_branch = max(index.branches, default=-1) + 1
        self._next_task = max(index.tasks, default=-1) + 1
        self._broken: BaseException | None = None

    def write(self, *lines: Line) -> None:
        """Write lines; when it returns, the death of this process does not lose them."""
        with self.lock:
            for line in lines:
                self.put(self._encode(line))
        self.supervisor.written(self.spool.offset)

    def encode(self, line: Line) -> bytes:
        """The bytes of a line, for `put`."""
        return self._encode(line)

    def put(self, data: bytes) -> None:
        """Append an encoded line; the caller holds `lock` and tells the supervisor afterwards."""
        if self._broken is not None:
            raise self._broken
        try:
            self.spool.write(data)
        except BaseException as error:
            self._broken = error
            raise

    def new_call(self) -> int:
        """The number of a call that is new in this generation; the caller holds `lock`."""
        number = self._next_call
        self._next_call = number + 1
        return number

    def task_number(self, kind: str, name: str, code: str, file: str, line: int) -> int:
        """The number of a task, defined in the journal when it is new there or its code has changed."""
        with self.lock:
            known = self._tasks.get(name)
            if known is not None and known.code == code:
                return known.task
            number = self._next_task if known is None else known.task
            self._next_task = max(self._next_task, number + 1)
            defined = Defined(number, kind, name, code, file, line)
            self._tasks[name] = defined
            self.put(self.encode(defined))
        return number

    def branch_number(self, identity: bytes, parent: int, call: int, key: str) -> int:
        """The number of a branch, written into the journal when it is new there."""
        number = self._branches.get(identity)
        if number is not None:
            return number
        with self.lock:
            number = self._branches.get(identity)
            if number is None:
                number = self._next_branch
                self._next_branch = number + 1
                self.put(self.encode(Branched(number, parent, call, key)))
                self._branches[identity] = number
        return number

    def wait_recorded(self) -> None:
        """Return when the store has everything that was written up to now."""
        self.supervisor.wait_recorded(self.spool.offset)

    def close(self) -> None:
        """Close the spool; later writes fail."""
        with self.lock:
            if self._broken is None:
                self._broken = RuntimeError("the run has ended; nothing more can be recorded")
            self.spool.close()

    def stop(self, reason: BaseException) -> None:
        """Refuse every later line with `reason`: another attempt has taken over, or the process is being replaced."""
        with self.lock:
            self._broken = reason

    def __reduce__(self) -> Any:
        raise TypeError("a run's recorder cannot leave its process")
