"""Attempts of a call: whether and when it is tried again after a failure, and when an interrupted call is given up."""

from __future__ import annotations

from kapelle.model.errors import PermanentError, Skip, TaskCrashed, TaskTimedOut, TemporaryError
from kapelle.model.policies import Retry


def retry_delay_s(policy: Retry, error: BaseException, attempt: int, fraction: float) -> float | None:
    """Seconds until attempt + 1, or None when `attempt` (1 for the first) was the last.

    `fraction` is the draw for full jitter, from 0 up to 1. The author's words come first: PermanentError and Skip end
    the call, TemporaryError asks for another try, which still counts against `retries` (at least one is granted).
    """
    if isinstance(error, (PermanentError, Skip)) or not isinstance(error, Exception):
        return None
    if isinstance(error, TemporaryError):
        if attempt > max(policy.count, 1):
            return None
        return error.delay_s if error.delay_s is not None else backoff_s(policy, attempt, fraction)
    if attempt > policy.count:
        return None
    if policy.on is not None and not isinstance(error, (*policy.on, TaskTimedOut, TaskCrashed)):
        return None
    if policy.decide is not None:
        answer = policy.decide(error, attempt)
        if answer is False:
            return None
        if answer is not True:
            return max(0.0, float(answer))
    return backoff_s(policy, attempt, fraction)


def backoff_s(policy: Retry, attempt: int, fraction: float) -> float:
    """The pause after `attempt` failed: the author's fixed delay, or exponential back-off with full jitter."""
    if policy.delay_s:
        return policy.delay_s[min(attempt, len(policy.delay_s)) - 1]
    exponent = min(attempt - 1, 64)
    bound = min(policy.cap_s, policy.base_s * policy.factor**exponent)
    return bound * fraction if policy.jitter else bound


def crashed_too_often(interruptions: int, allowed: int) -> bool:
    """Whether a call that was cut off `interruptions` times by the death of its process may not start again."""
    return interruptions > allowed
