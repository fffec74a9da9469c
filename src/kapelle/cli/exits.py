"""Exit codes: what the end of a command tells a script."""

from __future__ import annotations

from kapelle.model.runs import Run, RunState

EXIT_CODES = {
    0: "ok; the run succeeded",
    1: "unexpected error",
    2: "usage: a wrong command, option or call",
    3: "not found: no such run, flow, task or file",
    5: "conflict or validation: a wrong parameter, a run that is alive elsewhere, a store that is too new",
    10: "the run failed",
    11: "the run was cancelled",
    12: "the run timed out",
    13: "the run waits: it can be resumed",
    20: "findings (doctor)",
    130: "interrupted (Ctrl-C; during a run: twice)",
}
"""All of them; 4 and 6 are kept for permission and an unreachable server."""

TIMED_OUT = "timed out"


def exit_code_of(run: Run) -> int:
    """The exit code of a command that stayed with a run."""
    match run.state:
        case RunState.SUCCEEDED:
            return 0
        case RunState.FAILED:
            return 12 if run.reason.startswith(TIMED_OUT) else 10
        case RunState.CANCELLED:
            return 11
        case _:
            return 13
