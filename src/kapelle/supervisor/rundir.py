"""The folder of a run on this machine: its lock and the spools of its attempts.

Whoever drives a run holds its lock. An OS lock goes with its process, so a run whose lock is free has nobody: what its
spools hold is shipped by the next one who looks (`leftovers`), and the folder goes when the store has everything.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from kapelle.model.errors import RunBusy, StoreUnwritable
from kapelle.model.runs import Attempt

_JOURNAL, _OUTPUT = ".journal", ".output"


class RunDir:
    """The folder of one run."""

    def __init__(self, runs: Path, run_id: str) -> None:
        self.path = runs / run_id
        self.run_id = run_id
        self._lock = -1

    def acquire(self) -> None:
        """Take the run's lock, making the folder if need be. RunBusy when somebody has it."""
        try:
            while not self._try_lock():
                pass
        except OSError as error:
            self.release()
            raise StoreUnwritable(
                "the run's own files cannot be written",
                cause=os.strerror(error.errno or 0),
                where=str(self.path),
                hint="set KAPELLE_HOME to a folder that you may write to and that has room",
            ) from error

    def _try_lock(self) -> bool:
        """Lock the lock file; False if its last owner removed it, with the folder, between the opening and the locking.

        A lock on a file that has no name any more keeps nobody out.
        """
        path = self.path / "lock"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (FileNotFoundError, FileExistsError):
            if os.path.lexists(self.path) and not self.path.is_dir():
                raise  # something else is in the folder's place
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise RunBusy(
                f"the run {self.run_id[:8]} is alive in another process",
                where=str(self.path),
                hint="wait for it, or stop it there with Ctrl-C",
            ) from None
        try:
            if os.path.samestat(os.fstat(self._lock), os.stat(path)):
                return True
        except FileNotFoundError:
            pass
        self.release()
        return False

    def release(self) -> None:
        """Give the lock back. Safe to call twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def journal(self, attempt: Attempt) -> Path:
        """The journal spool of an attempt."""
        return self.path / f"{attempt.generation}.{attempt.number}.{attempt.id}{_JOURNAL}"

    def output(self, attempt: Attempt) -> Path:
        """The output spool of an attempt."""
        return self.path / f"{attempt.generation}.{attempt.number}.{attempt.id}{_OUTPUT}"

    def attempts(self) -> list[Attempt]:
        """The attempts whose spools are still here, oldest first."""
        found = []
        for path in self.path.glob(f"*{_JOURNAL}"):
            parts = path.name.removesuffix(_JOURNAL).split(".")
            if len(parts) == 3 and parts[0].isdigit() and parts[1].isdigit():
                found.append(Attempt(self.run_id, int(parts[0]), int(parts[1]), parts[2]))
        return sorted(found, key=lambda attempt: (attempt.generation, attempt.number))

    def remove_spools(self, attempt: Attempt) -> None:
        """Remove the spools of an attempt that the store has whole."""
        for path in (self.journal(attempt), self.output(attempt)):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder, if it holds no spool any more; the caller has the lock."""
        if not self.attempts():
            shutil.rmtree(self.path, ignore_errors=True)


def run_dirs(runs: Path) -> list[RunDir]:
    """The folders of all runs that are here."""
    if not runs.is_dir():
        return []
    return [RunDir(runs, path.name) for path in sorted(runs.iterdir()) if path.is_dir()]
