"""Values as JSON documents: the contract of `--json`. Fields are added, never renamed; times are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any

from kapelle.console.words import iso
from kapelle.model.calls import CallRow
from kapelle.model.failures import Failure
from kapelle.model.journal import OutputLine
from kapelle.model.runs import CallCounts, Run
from kapelle.model.values import StoredValue
from kapelle.ports.progress import GroupProgress

Document = dict[str, Any]


def run_document(run: Run) -> Document:
    """A run without its calls."""
    return {
        "id": run.id,
        "name": run.name,
        "project": run.project,
        "flow": run.flow,
        "state": run.state.value,
        "reason": run.reason,
        "generation": run.generation,
        "attempt": run.attempt.number,
        "parameters": run.parameters_text,
        "tags": list(run.tags),
        "file": run.entry.file,
        "created_at": iso(run.created_at_us),
        "started_at": iso(run.started_at_us),
        "ended_at": iso(run.ended_at_us),
        "duration_s": seconds_between(run.started_at_us, run.ended_at_us),
        "calls": counts_document(run.counts),
        "failure": failure_document(run.failure),
        "result": value_document(run.result),
        "trigger": run.trigger,
        "kapelle_version": run.kapelle_version,
    }


def counts_document(counts: CallCounts) -> Document:
    """Counts of calls; reused and cached ones are among the succeeded."""
    names = ("succeeded", "failed", "skipped", "cancelled", "reused", "cached")
    return {name: getattr(counts, name) for name in names}


def group_document(group: GroupProgress, state: str) -> Document:
    """A group of calls."""
    names = ("kind", "expected", "running", "waiting", "retrying", "succeeded", "failed", "skipped", "cancelled")
    named = {name: getattr(group, name) for name in (*names, "reused", "cached")}
    return {
        "path": list(group.path),
        "state": state,
        **named,
        "busy_s": group.duration_us / 1e6,
        "errors": list(group.errors),
    }


def call_document(call: CallRow) -> Document:
    """A call that has a row of its own."""
    return {
        "id": call.id,
        "call": call.call,
        "task": call.task,
        "name": call.name,
        "state": call.state.value,
        "mark": call.mark,
        "reason": call.reason,
        "attempts": call.attempts,
        "inputs": call.inputs,
        "started_at": iso(call.started_at_us),
        "ended_at": iso(call.ended_at_us),
        "duration_s": seconds_between(call.started_at_us, call.ended_at_us),
        "failure": failure_document(call.failure),
    }


def failure_document(failure: Failure | None) -> Document | None:
    """What is kept of an exception."""
    if failure is None:
        return None
    names = ("type", "module", "message", "traceback")
    return {**{name: getattr(failure, name) for name in names}, "notes": list(failure.notes)}


def value_document(value: StoredValue | None) -> Document | None:
    """Where a value lies and how it is encoded, not the value."""
    if value is None:
        return None
    return {"codec": value.codec, "size": value.size, "digest": value.digest or None, "kept": value.is_kept}


def output_document(line: OutputLine) -> Document:
    """A line that the run printed or logged."""
    names = ("stream", "level", "logger", "task", "call", "attempt", "text")
    return {"at": iso(line.at_us), **{name: getattr(line, name) for name in names}}


def seconds_between(since_us: int | None, until_us: int | None) -> float | None:
    """A length of time in seconds; None when an end is missing."""
    return None if since_us is None or until_us is None else (until_us - since_us) / 1e6
