"""Every error that Kapelle raises, in one tree.

KapelleError                      says what, why (`cause`), where (`where`) and what to do (`hint`)
├── UsageError                    you broke a rule of the API
│   ├── DefinitionError           a flow or task is declared wrongly
│   │   └── DuplicateName         two tasks or flows of one name
│   ├── CallError                 a task or flow was called with arguments that it does not take
│   ├── ParameterError            a flow's parameter has a wrong value
│   ├── BlockingCall              a call that would stop every other branch of an async flow
│   ├── FutureMisuse              a future was used as if it were its value
│   ├── UnrepeatableInput         an argument that has no fingerprint, where one is needed
│   └── ArgumentChanged           a task changed an argument and did not say so
├── NotFound                      a run, flow, task or file that is not there
├── ImportFailed                  a file with flows that does not import
├── ValueRefused                  no codec takes a value, or a stored value does not decode
├── StoreError                    the store said no
│   ├── StoreTooNew               written by a newer Kapelle
│   ├── StoreUnwritable           read-only, full or damaged
│   ├── SpoolFull                 the disk with the run's own files is full
│   ├── StaleAttempt              another attempt of the run has taken over
│   └── RunBusy                   the run is alive in another process
├── RunFailed                     what calling a flow raises when the failure itself cannot be raised
└── CallFailed                    what a call raises when its own exception cannot be raised
    ├── TaskFailed                the exception did not survive encoding
    ├── TaskTimedOut              the call did not end in time
    ├── TaskCrashed               the call's process died under it
    ├── TaskSkipped               the call was skipped
    └── UpstreamFailed            the call never started: what it depends on failed

TemporaryError, PermanentError, Skip     raised by authors, to say what should happen next

Interrupt(BaseException)          raised inside user code; never swallowed by `except Exception`
├── TaskTimeout                   this call's time is over
└── RunCancelled                  the run is being cancelled
"""

from __future__ import annotations


class KapelleError(Exception):
    """The root: one message in four parts, of which only the first is required.

    `code` is stable and can be searched for; `exit_code` is what a command ends with when nobody handles the error.
    """

    code = "E0001"
    exit_code = 1

    def __init__(self, what: str, *, cause: str = "", where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.what]
        if self.cause:
            parts.append(f"cause: {self.cause}")
        if self.where:
            parts.append(f"where: {self.where}")
        if self.hint:
            parts.append(f"hint: {self.hint}")
        return "\n  ".join(parts)


class UsageError(KapelleError):
    """You broke a rule of the API."""

    code = "E1000"
    exit_code = 2


class DefinitionError(UsageError):
    """A flow or a task is declared in a way that cannot work."""

    code = "E1001"


class DuplicateName(DefinitionError):
    """Two different tasks or flows carry the same name, so their records could not be told apart."""

    code = "E1002"


class CallError(UsageError):
    """A task or flow was called with arguments that its signature does not take."""

    code = "E1003"


class ParameterError(UsageError):
    """A flow's parameter was given a value that its annotation does not allow."""

    code = "E1004"
    exit_code = 5


class BlockingCall(UsageError):
    """A call that would have stopped every other branch of an async flow."""

    code = "E1005"


class FutureMisuse(UsageError):
    """A future was tested, compared or iterated as if it were already its value."""

    code = "E1006"


class UnrepeatableInput(UsageError):
    """An argument has no fingerprint, in a place where the call cannot do without one (`cache=`)."""

    code = "E1007"


class ArgumentChanged(UsageError):
    """A task changed one of its arguments in place and did not declare it with `mutates=`."""

    code = "E1008"


class NotFound(KapelleError):
    """Something that was asked for by name does not exist."""

    code = "E2001"
    exit_code = 3


class ImportFailed(KapelleError):
    """A file with flows raised while it was imported. `traceback` holds the user's own frames."""

    code = "E2002"

    def __init__(self, what: str, *, cause: str = "", where: str = "", hint: str = "", traceback: str = "") -> None:
        super().__init__(what, cause=cause, where=where, hint=hint)
        self.traceback = traceback


class ValueRefused(KapelleError):
    """No codec takes a value, or stored bytes do not decode to a value."""

    code = "E3001"


class StoreError(KapelleError):
    """The store could not do what it was asked."""

    code = "E4000"


class StoreTooNew(StoreError):
    """The store was written by a newer Kapelle than this one."""

    code = "E4001"
    exit_code = 5


class StoreUnwritable(StoreError):
    """The store's file or folder cannot be written: read-only, full or damaged."""

    code = "E4002"


class SpoolFull(StoreError):
    """The run's own files cannot grow. What was written before stays; the run can be resumed."""

    code = "E4003"


class StaleAttempt(StoreError):
    """Another attempt of this run has taken over; this one may not write any more."""

    code = "E4004"
    exit_code = 5


class RunBusy(StoreError):
    """The run is alive in another process and cannot be resumed or retried now."""

    code = "E4005"
    exit_code = 5


class RunFailed(KapelleError):
    """A run ended without success, and its own exception cannot be raised here."""

    code = "E5001"
    exit_code = 10


class CallFailed(KapelleError):
    """A call ended without success, and its own exception cannot be raised here."""

    code = "E5002"
    exit_code = 10


class TaskFailed(CallFailed):
    """A task raised something that does not survive encoding, so this stands for it, live and replayed alike."""

    code = "E5003"


class TaskTimedOut(CallFailed):
    """A call did not end within its `timeout`."""

    code = "E5004"


class TaskCrashed(CallFailed):
    """The process of a call died under it: a signal, an exit, or no memory."""

    code = "E5005"


class TaskSkipped(CallFailed):
    """A call was skipped: by its rule in `when=`, or because it raised `Skip`."""

    code = "E5006"


class UpstreamFailed(TaskSkipped):
    """A call never started, because something that it depends on did not succeed."""

    code = "E5007"


class TemporaryError(Exception):
    """Raise this in a task to have it tried again, whatever its `retries=` say about the exception.

    `delay_s` is the pause before the next attempt in seconds; None leaves it to the task's own delays.
    """

    def __init__(self, message: str = "", delay_s: float | None = None) -> None:
        super().__init__(message)
        self.delay_s = delay_s


class PermanentError(Exception):
    """Raise this in a task to have it fail now, however many retries are left."""


class Skip(Exception):
    """Raise this in a task to end it as skipped."""


class Interrupt(BaseException):
    """Raised inside user code to stop it. A BaseException, so that `except Exception` does not swallow it."""


class TaskTimeout(Interrupt):
    """This call's time is over; clean up and return."""


class CallCancelled(Interrupt):
    """This call is being cancelled by its own flow; clean up and return."""


class RunCancelled(Interrupt):
    """The run is being cancelled; no new task starts from here on."""
