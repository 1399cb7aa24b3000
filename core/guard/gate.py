"""The one way in: nothing is asked of a ranker, planner or model before this agrees."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.clock import EPOCH, Clock, new_id
from core.guard.idempotency import REMEMBERED, Idempotency
from core.guard.rate_limit import Limiter, Usage, Violation
from core.guard.request import Admission, Denied, Outcome, Request, RuleUsage, profile_name
from core.ledger import Event, Ledger, Queries, RequestDecided, RequestSettled
from core.settings import LONGEST_WINDOW_S, Kind, Limits

__all__ = ["Gate"]

_MICROSECOND = timedelta(microseconds=1)


class Gate:
    """Checks, limits and records every request before any work is done for it.

    `limits` may be replaced, whole, at any time: what was used so far stays counted.
    """

    def __init__(self, ledger: Ledger, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self._ledger = ledger
        self._clock = clock
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._limiter = Limiter(lambda: _microseconds(clock.now()))
        self._idempotency = Idempotency()
        self._denials = _Denials()

    def recover(self) -> int:
        """Rebuild limits and keys from the last day, settle what was never settled as lost.

        Returns:
            The number of requests that were lost.
        """
        lost = self._settle_the_lost()
        since = self._clock.now() - timedelta(seconds=LONGEST_WINDOW_S)
        hits: dict[str, list[int]] = {}
        for row in self._queries.rows("admitted_since", since=since):
            at_us = _microseconds(row["ts"])
            for key in _limiter_keys(row["user_id"], row["kind"]):
                hits.setdefault(key, []).append(at_us)
            self._idempotency.remember(_admission(row))
        self._limiter.restore(hits)
        for row in self._queries.rows("denied_since", since=since):
            self._denials.restore(row["fingerprint"], row["attempt"])
        return lost

    def admit(self, request: Request) -> Admission | Denied:
        """Limit the request and commit the decision; a repeated key returns the first answer.

        Raises:
            InvalidInput: the person's name or the idempotency key is not acceptable.
            KeyReused: the idempotency key belongs to a different request.
            LedgerUnavailable: the decision could not be made durable; nothing was charged.
        """
        request = replace(request, user_id=profile_name(request.user_id))
        if request.idempotency_key is None:
            return self._decide(request)
        return self._idempotency.once(request, request.idempotency_key, self._decide)

    def settle(
        self,
        admission: Admission,
        outcome: Outcome,
        *facts: Event,
        latency_ms: float | None = None,
        error_type: str | None = None,
        cost_nano_usd: int | None = 0,
    ) -> None:
        """Commit how an admitted request ended, together with the facts it produced.

        A cost of None is one that nobody knows.
        """
        settlement = RequestSettled(
            ts=self._clock.now(),
            request_id=admission.request_id,
            kind=admission.kind,
            user_id=admission.user_id,
            outcome=outcome,
            error_type=error_type,
            latency_ms=latency_ms,
            cost_nano_usd=cost_nano_usd,
        )
        self._ledger.write(*facts, settlement)
        if admission.kind == "recommend" and outcome != "succeeded":
            self._idempotency.forget(admission)  # there is no answer to give again

    def usage(self, user_id: str, kind: Kind) -> list[RuleUsage]:
        """Return how much of each of a person's rules is used now."""
        user_key, _ = _limiter_keys(profile_name(user_id), kind)
        used = self._limiter.usage(user_key, self.limits.per_user[kind])
        return [_rule_usage(usage) for usage in used]

    def _decide(self, request: Request) -> Admission | Denied:
        limits = self.limits
        user_key, deployment_key = _limiter_keys(request.user_id, request.kind)
        verdict = self._limiter.hit(
            (
                (user_key, limits.per_user[request.kind]),
                (deployment_key, limits.deployment[request.kind]),
            )
        )
        if isinstance(verdict, Violation):
            return self._deny(request, verdict)
        try:
            return self._admit(request, verdict.at_us)
        except Exception:
            # Not for an interrupt: the row may yet be written, so its hit stays counted.
            self._limiter.refund((user_key, deployment_key), verdict.at_us)
            raise

    def _admit(self, request: Request, at_us: int) -> Admission:
        fingerprint = request.fingerprint
        ts = _datetime(at_us)
        admission = Admission(
            new_id(),
            request.kind,
            request.user_id,
            ts,
            fingerprint,
            idempotency_key=request.idempotency_key,
        )
        attempt = self._denials.of(fingerprint) + 1
        self._ledger.write(_row(request, admission, ts, attempt))
        self._denials.forget(fingerprint)
        return admission

    def _deny(self, request: Request, broken: Violation) -> Denied:
        user_key, _ = _limiter_keys(request.user_id, request.kind)
        denied = Denied(
            request_id=new_id(),
            kind=request.kind,
            scope="user" if broken.key == user_key else "deployment",
            rule=broken.rule,
            used=broken.used,
            retry_at=_datetime(broken.retry_at_us),
            retry_after_s=broken.retry_after_s,
        )
        attempt = self._denials.count(request.fingerprint)
        self._ledger.write(_row(request, denied, _datetime(broken.at_us), attempt))
        return denied

    def _settle_the_lost(self) -> int:
        now = self._clock.now()
        lost = [
            RequestSettled(ts=now, outcome="lost", **row)
            for row in self._queries.rows("unsettled")
        ]
        self._ledger.write(*lost)
        return len(lost)


class _Denials:
    """How often the same request was denied since it was last admitted; the newest are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()

    def count(self, fingerprint: str) -> int:
        """Count one more, and return which this is."""
        with self._lock:
            count = self._counts.pop(fingerprint, 0) + 1
            self._keep(fingerprint, count)
            return count

    def of(self, fingerprint: str) -> int:
        with self._lock:
            return self._counts.get(fingerprint, 0)

    def forget(self, fingerprint: str) -> None:
        with self._lock:
            self._counts.pop(fingerprint, None)

    def restore(self, fingerprint: str, count: int) -> None:
        with self._lock:
            self._keep(fingerprint, count)

    def _keep(self, fingerprint: str, count: int) -> None:
        self._counts[fingerprint] = count
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)


def _row(
    request: Request, answer: Admission | Denied, ts: datetime, attempt: int
) -> RequestDecided:
    task = request.recorded
    denied = answer if isinstance(answer, Denied) else None
    return RequestDecided(
        ts=ts,
        request_id=answer.request_id,
        kind=request.kind,
        user_id=request.user_id,
        source=request.source,
        decision="denied" if denied else "admitted",
        denied_rule=denied.rule_name if denied else None,
        denied_used=denied.used if denied else None,
        denied_limit=denied.rule.limit if denied else None,
        retry_at=denied.retry_at if denied else None,
        attempt=attempt,
        idempotency_key=request.idempotency_key,
        fingerprint=request.fingerprint,
        task_title=task.title,
        task_description=task.description,
        task_priority=task.priority,
        user_energy=task.energy,
        time_of_day=task.time_of_day,
        estimated_hours=task.hours,
        recent_tasks=list(task.recent_tasks),
        code_context=task.code_context.model_dump(mode="json") if task.code_context else None,
        workflow_id=request.workflow_id,
        recommendation_id=request.recommendation_id,
        chosen_rank=request.chosen_rank,
        sensitive=request.sensitivity,
    )


def _admission(row: dict[str, Any]) -> Admission:
    return Admission(**row)


def _rule_usage(usage: Usage) -> RuleUsage:
    opens = None if usage.opens_at_us is None else _datetime(usage.opens_at_us)
    return RuleUsage(usage.rule, usage.used, opens)


def _limiter_keys(user_id: str, kind: str) -> tuple[str, str]:
    """Under what a request is counted: its person, and the whole deployment."""
    return f"user:{kind}:{user_id}", f"deployment:{kind}"


def _microseconds(ts: datetime) -> int:
    return (ts - EPOCH) // _MICROSECOND


def _datetime(us: int) -> datetime:
    return EPOCH + us * _MICROSECOND
