"""What is known of one run, collected from the store for `kapelle show`."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import msgspec

from kapelle.cli.logs import lines_after
from kapelle.console.failures import place_of
from kapelle.console.report import Dossier, FailedCall
from kapelle.console.words import size
from kapelle.core.journal import CallView
from kapelle.model.access import Scope
from kapelle.model.calls import CallRow, CallState, GroupRow
from kapelle.model.errors import KapelleError
from kapelle.model.journal import OutputLine
from kapelle.model.runs import Run, RunState
from kapelle.model.values import StoredValue
from kapelle.ports.progress import GroupProgress
from kapelle.wiring.local import LocalHome
from kapelle.wiring.runs import calls_of

COUNTS = ("running", "waiting", "succeeded", "failed", "skipped", "cancelled", "reused", "cached")
FAILED_SHOWN = 5
LINES_SHOWN = 5
PREVIEW_CHARACTERS = 400
PREVIEW_BYTES_MAX = 1_000_000


def collect(home: LocalHome, run: Run) -> Dossier:
    """Everything that a person wants to see first."""
    scope = Scope.system()
    with home.store.read() as tx:
        groups = tx.runs.groups(scope, run.id)
        rows = tx.journal.rows(scope, run.id, run.generation)
        before = tx.listings.durations(scope, run.project, run.flow)
    chosen = _innermost([row for row in rows if row.state is CallState.FAILED])
    said = _last_lines(home, run, {call.call for call, _ in chosen} | {-1}) if _went_wrong(run, chosen) else {}
    return Dossier(
        run=run,
        now_us=home.clock.now_us(),
        home=str(home.settings.home),
        usual_us=int(median(before)) if before else 0,
        groups=[_recorded(group) for group in groups] or _counted(calls_of(home, run)),
        failed=[FailedCall(call, alike, said.get(call.call, ())) for call, alike in chosen],
        last_lines=said.get(-1, ()) if not chosen else (),
        result=_preview(home, run.project, run.result),
    )


def _went_wrong(run: Run, failed: Sequence[object]) -> bool:
    return bool(failed) or run.state is RunState.FAILED


def _innermost(failed: Sequence[CallRow]) -> list[tuple[CallRow, int]]:
    """One call for each failure, and how many failed alike: a failure that passed through the flows around it is one
    failure, and of calls that failed in the same way at the same place one is enough to see."""
    alike: dict[tuple[str, str], list[CallRow]] = {}
    for call in failed:
        failure = call.failure
        key = (failure.headline, place_of(failure.traceback)) if failure else ("", call.task)
        alike.setdefault(key, []).append(call)
    chosen = []
    for calls in alike.values():
        inner = max(calls, key=lambda call: call.call)
        chosen.append((inner, sum(call.task == inner.task for call in calls)))
    return chosen[:FAILED_SHOWN]


def _recorded(group: GroupRow) -> GroupProgress:
    """A group as it was written at the end of an attempt."""
    return _group(tuple(group.path.split("/")), {name: getattr(group, name, 0) for name in COUNTS}, group.duration_us)


def _counted(calls: Sequence[CallView]) -> list[GroupProgress]:
    """The groups of an attempt that did not come to writing them, counted call by call."""
    counts: dict[tuple[str, ...], Counter[str]] = {}
    work_us: Counter[tuple[str, ...]] = Counter()
    for call in calls:
        counted = counts.setdefault(call.path, Counter())
        counted["waiting" if call.state is CallState.PENDING else call.state.value] += 1
        counted[call.mark] += 1
        if call.ended_at_us is not None:
            work_us[call.path] += call.ended_at_us - call.started_at_us
    return [_group(path, counted, work_us[path]) for path, counted in counts.items()]


def _group(path: tuple[str, ...], counts: Mapping[str, int], work_us: int) -> GroupProgress:
    known = {name: counts.get(name, 0) for name in COUNTS}
    return replace(GroupProgress(path, kind="", duration_us=work_us), **known)  # type: ignore[arg-type]


def _last_lines(home: LocalHome, run: Run, calls: Collection[int]) -> dict[int, tuple[OutputLine, ...]]:
    kept: dict[int, deque[OutputLine]] = {call: deque(maxlen=LINES_SHOWN) for call in calls}
    for _, line in lines_after(home.store, run, 0):
        if line.call in kept:
            kept[line.call].append(line)
    return {call: tuple(lines) for call, lines in kept.items()}


def readable(text: bytes) -> str:
    """An encoded JSON value as a person reads it: tagged forms by the names of their types, without importing them."""
    if b'"$"' not in text:
        return text.decode("utf-8", "replace")
    try:
        return _told(msgspec.json.decode(text))
    except msgspec.DecodeError:
        return text.decode("utf-8", "replace")


def _told(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_told(one) for one in value)}]"
    if not isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if "$" not in value:
        return f"{{{', '.join(f'{msgspec.json.encode(key).decode()}: {_told(one)}' for key, one in value.items())}}}"
    kind, held = str(value.get("t", value["$"])).rpartition(":")[2], value.get("v")
    if isinstance(held, dict) and "$" not in held:
        return f"{kind}({', '.join(f'{name}={_told(one)}' for name, one in held.items())})"
    return f"{kind}({_told(held)})"


def _preview(home: LocalHome, project: str, value: StoredValue | None) -> str:
    """A short text of a result. Only JSON is opened: other codecs belong to the run's own project."""
    if value is None:
        return ""
    if not value.is_kept:
        return f"not kept ({value.codec}, {size(value.size)})"
    if value.codec != "json" or value.size > PREVIEW_BYTES_MAX:
        return f"{value.codec}, {size(value.size)}"
    try:
        text = home.blobs.get(project, value.digest) if value.digest else bytes(value.inline)
    except KapelleError as error:
        return f"{value.codec}, {size(value.size)}: {error.what}"
    shown = readable(text)
    return shown if len(shown) <= PREVIEW_CHARACTERS else shown[:PREVIEW_CHARACTERS] + "…"
