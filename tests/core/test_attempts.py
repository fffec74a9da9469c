"""When a failed call is tried again, and when a call that was cut off is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.core.attempts import backoff_s, crashed_too_often, retry_delay_s
from kapelle.model.errors import PermanentError, RunCancelled, Skip, TaskCrashed, TaskTimedOut, TemporaryError
from kapelle.model.policies import Retry

NO = ValueError("no")
FIXED = Retry(count=2, delay_s=(1.0, 5.0))
ONLY = Retry(count=2, delay_s=(1.0,), on=(ConnectionError,))


TABLE: list[tuple[str, Retry, BaseException, int, float | None]] = [
    ("no retries", Retry(), NO, 1, None),
    ("the first of two", FIXED, NO, 1, 1.0),
    ("the second of two", FIXED, NO, 2, 5.0),
    ("both are used up", FIXED, NO, 3, None),
    ("the last delay is repeated", Retry(count=9, delay_s=(1.0, 5.0)), NO, 7, 5.0),
    ("PermanentError ends it", FIXED, PermanentError("no"), 1, None),
    ("Skip ends it", FIXED, Skip("no"), 1, None),
    ("what is no Exception ends it", FIXED, KeyboardInterrupt(), 1, None),
    ("an interrupt of ours ends it", FIXED, RunCancelled("no"), 1, None),
    ("TemporaryError says its delay", FIXED, TemporaryError("no", delay_s=7), 1, 7),
    ("TemporaryError without a delay takes the policy's", FIXED, TemporaryError("no"), 2, 5.0),
    ("TemporaryError is granted one try", Retry(), TemporaryError("no", delay_s=0), 1, 0),
    ("but only one", Retry(), TemporaryError("no", delay_s=0), 2, None),
    ("TemporaryError counts", FIXED, TemporaryError("no"), 3, None),
    ("TemporaryError is not asked for its class", ONLY, TemporaryError("no", delay_s=3), 1, 3),
    ("a named class", ONLY, ConnectionResetError("no"), 1, 1.0),
    ("another class", ONLY, NO, 1, None),
    ("time is over, whatever the classes", ONLY, TaskTimedOut("no"), 1, 1.0),
    ("its process died, whatever the classes", ONLY, TaskCrashed("no"), 1, 1.0),
    ("the callable says no", Retry(count=2, decide=lambda error, attempt: False), NO, 1, None),
    ("the callable says when", Retry(count=2, decide=lambda error, attempt: 4), NO, 1, 4.0),
    ("the callable says yes", Retry(count=2, delay_s=(1.0,), decide=lambda error, attempt: True), NO, 1, 1.0),
    ("the callable says now", Retry(count=2, decide=lambda error, attempt: -1.0), NO, 1, 0.0),
    ("the callable is not asked beyond the count", Retry(count=1, decide=lambda error, attempt: True), NO, 2, None),
]


@pytest.mark.parametrize(
    ("policy", "error", "attempt", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_failure_is_tried_again(policy: Retry, error: BaseException, attempt: int, wanted: float | None) -> None:
    assert retry_delay_s(policy, error, attempt, 0.5) == wanted


@given(
    attempt=st.integers(1, 10_000),
    fraction=st.floats(0, 1, exclude_max=True),
    base=st.floats(0.001, 100),
    factor=st.floats(1, 10),
    cap=st.floats(0.001, 1000),
)
def test_full_jitter_draws_between_nothing_and_the_bound(
    attempt: int, fraction: float, base: float, factor: float, cap: float
) -> None:
    policy = Retry(count=1, base_s=base, factor=factor, cap_s=cap)
    bound = min(cap, base * factor ** min(attempt - 1, 64))
    assert 0 <= backoff_s(policy, attempt, fraction) <= bound
    assert backoff_s(policy, attempt, 0.0) == 0
    assert backoff_s(Retry(count=1, base_s=base, factor=factor, cap_s=cap, jitter=False), attempt, 0.0) == bound


def test_a_call_is_given_up_after_more_deaths_than_it_may_cause() -> None:
    assert [crashed_too_often(deaths, 3) for deaths in range(6)] == [False, False, False, False, True, True]
