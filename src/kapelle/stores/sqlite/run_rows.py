"""Rows of the statement `select_runs` as runs."""

from __future__ import annotations

from kapelle.model.failures import Failure
from kapelle.model.runs import Attempt, CallCounts, Entry, GenerationEnd, Run, RunState
from kapelle.stores.sqlite.encoding import unpack, unpack_or_none, unpack_value
from kapelle.stores.sqlite.session import Row

_NO_COUNTS = CallCounts()


def run_of(row: Row) -> Run:
    """The run of a row, column by column in the order of the statement."""
    (
        run_id,
        project,
        flow,
        name,
        state,
        reason,
        entry,
        parameters,
        parameters_text,
        tags,
        generation,
        attempt_number,
        attempt_id,
        created_at_us,
        started_at_us,
        ended_at_us,
        result,
        failure,
        counts,
        kapelle_version,
        started_by,
        previous,
    ) = row
    return Run(
        id=run_id,
        project=project,
        flow=flow,
        name=name,
        state=RunState(state),
        reason=reason,
        entry=unpack(entry, Entry),
        parameters=unpack_value(parameters),
        parameters_text=parameters_text,
        tags=unpack(tags, tuple[str, ...]),
        generation=generation,
        attempt=Attempt(run_id, generation, attempt_number, attempt_id),
        created_at_us=created_at_us,
        started_at_us=started_at_us,
        ended_at_us=ended_at_us,
        result=None if result is None else unpack_value(result),
        failure=unpack_or_none(failure, Failure),
        counts=_NO_COUNTS if counts is None else unpack(counts, CallCounts),
        kapelle_version=kapelle_version,
        trigger=started_by,
        previous=unpack(previous, tuple[GenerationEnd, ...]),
    )
