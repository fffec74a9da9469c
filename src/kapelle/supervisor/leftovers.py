"""Leftovers: spools of processes that are gone, shipped by whoever comes next.

A run whose lock is free has no process. What its spools hold goes into the store; if the last line there is the end of
the run, the run has ended; if not, it waits as abandoned until a person resumes it.
"""

from __future__ import annotations

from pathlib import Path

from kapelle.model.access import Scope
from kapelle.model.errors import KapelleError, NotFound, StoreError
from kapelle.model.runs import ABANDONED, RunState
from kapelle.ports.storage.listings import RunFilter
from kapelle.ports.storage.store import Store
from kapelle.supervisor.rundir import RunDir, run_dirs
from kapelle.supervisor.shipping import Shipper


def settle_all(store: Store, runs: Path, now_us: int) -> list[str]:
    """Settle every run whose process is gone; the ids of those that were.

    One that cannot be settled stops none of the others; what went wrong first is raised at the end.
    """
    settled: list[str] = []
    refused: KapelleError | None = None
    for folder in [*run_dirs(runs), *_without_folder(store, runs)]:
        try:
            folder.acquire()
        except StoreError:
            continue  # alive, or not ours to touch
        try:
            if settle(store, folder, now_us):
                settled.append(folder.run_id)
            folder.remove()
        except KapelleError as error:
            refused = refused or error
        finally:
            folder.release()
    if refused is not None:
        raise refused
    return settled


def _without_folder(store: Store, runs: Path) -> list[RunDir]:
    """The runs that are said to be alive although they have no files here: somebody removed these."""
    alive = RunFilter(states=frozenset({RunState.RUNNING, RunState.CANCELLING}))
    with store.read() as tx:
        found = tx.listings.runs(Scope.system(), alive, limit=1000).runs
    return [folder for run in found if not (folder := RunDir(runs, run.id)).path.is_dir()]


def settle(store: Store, folder: RunDir, now_us: int) -> bool:
    """Ship what the run's dead processes left, and say that nobody drives it; the caller holds the run's lock.

    False when there was nothing to do. Raises StoreError when the store takes nothing; the spools stay then.
    """
    attempts = folder.attempts()
    try:
        with store.read() as tx:
            run = tx.runs.get(Scope.system(), folder.run_id)
    except NotFound:
        for attempt in attempts:  # it died before the store heard of the run, so nothing of it ever ran
            folder.remove_spools(attempt)
        return False
    for attempt in attempts:
        shipper = Shipper(store, run.project, attempt, folder.journal(attempt), folder.output(attempt))
        try:
            shipper.begin()
            shipper.ship_all()
        finally:
            shipper.close()
    with store.write() as tx:
        current = tx.runs.get(Scope.system(), folder.run_id)
        if not current.state.is_end and current.state is not RunState.WAITING:
            tx.runs.abandon(Scope.system(), current.attempt, ABANDONED, now_us)
    for attempt in attempts:
        folder.remove_spools(attempt)
    return True
