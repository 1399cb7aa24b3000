"""The one way in: nothing is asked of a ranker, planner or model before this agrees."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from core.catalogue import Task
from core.clock import Clock, new_id
from core.errors import InvalidInput, KeyReused
from core.guard.rate_limit import Allowed, Limiter, Usage, Violation, rule_name
from core.ledger import Event, Ledger, Queries, RequestDecided, RequestSettled
from core.settings import Kind, Limits, Rule

__all__ = ["Admission", "Denied", "Gate", "Outcome", "Request", "RuleUsage", "profile_name"]

Outcome = Literal["succeeded", "failed", "cancelled", "lost"]
_REMEMBERED_KEYS = 100_000
_DAY = timedelta(days=1)
_NAME = re.compile(r"[\w][\w .@+-]{0,39}")


def profile_name(text: str) -> str:
    """Return the name a person is counted under.

    Raises:
        InvalidInput: it is empty, too long, or holds characters that a name does not need.
    """
    name = " ".join(text.split()) if "\0" not in text else text
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "user_id",
            "A profile name has 1 to 40 letters, digits, spaces or . @ + - _, "
            "and starts with a letter or digit.",
        )
    return name


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for; `idempotency_key` makes a repeated click the same request."""

    kind: Kind
    user_id: str
    task: Task
    source: Literal["console", "api", "import"] = "console"
    idempotency_key: str | None = None
    workflow_id: str | None = None
    recommendation_id: str | None = None
    chosen_rank: int | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of everything but the key: equal for the same request made again."""
        said = "\x1f".join(
            (self.kind, self.user_id, self.workflow_id or "", self.task.model_dump_json())
        )
        return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Admission:
    """The durable yes; `replayed` when the idempotency key was admitted before."""

    request_id: str
    kind: Kind
    user_id: str
    ts: datetime
    fingerprint: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """The durable no: which rule, how much of it is used, and when the next slot opens."""

    request_id: str
    kind: Kind
    scope: Literal["user", "deployment"]
    rule: Rule
    used: int
    retry_at: datetime
    retry_after_s: int

    @property
    def rule_name(self) -> str:
        """The rule in the form `user:execute:3/minute`."""
        return rule_name(self.scope, self.kind, self.rule)


@dataclass(frozen=True, slots=True)
class RuleUsage:
    """How much of a person's rule is used; `opens_at` when it is full."""

    rule: Rule
    used: int
    opens_at: datetime | None


@dataclass(slots=True)
class _Attempts:
    """How often the same request was denied since it was last admitted, newest kept."""

    counts: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def denied(self, fingerprint: str) -> int:
        count = self.counts.pop(fingerprint, 0) + 1
        self.counts[fingerprint] = count
        if len(self.counts) > _REMEMBERED_KEYS:
            self.counts.popitem(last=False)
        return count

    def admitted(self, fingerprint: str) -> int:
        return self.counts.pop(fingerprint, 0) + 1


class Gate:
    """Checks, limits and records every request before any work is done for it."""

    def __init__(self, ledger: Ledger, limits: Limits, clock: Clock) -> None:
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._limiter = Limiter(lambda: _microseconds(clock.now()))
        self._lock = threading.Lock()
        self._keys: OrderedDict[tuple[str, str], Future[Admission | Denied]] = OrderedDict()
        self._attempts = _Attempts()

    def recover(self) -> int:
        """Rebuild limits and keys from the last day, settle what was never settled as lost.

        Returns:
            The number of requests that were lost.
        """
        since = self._clock.now() - _DAY
        hits: dict[str, list[int]] = {}
        for row in self._queries.rows("admitted_since", since=since):
            at_us = _microseconds(row["ts"])
            hits.setdefault(_user_key(row["user_id"], row["kind"]), []).append(at_us)
            hits.setdefault(_deployment_key(row["kind"]), []).append(at_us)
            if row["idempotency_key"]:
                self._remember(row)
        self._limiter.restore(hits)
        lost = self._queries.rows("unsettled")
        now = self._clock.now()
        self._ledger.write(
            *(
                RequestSettled(
                    ts=now,
                    request_id=row["request_id"],
                    kind=row["kind"],
                    user_id=row["user_id"],
                    outcome="lost",
                )
                for row in lost
            )
        )
        return len(lost)

    def admit(self, request: Request) -> Admission | Denied:
        """Limit the request and commit the decision; a repeated key returns the first answer.

        Raises:
            InvalidInput: the person's name is not acceptable.
            KeyReused: the idempotency key belongs to a different request.
            LedgerUnavailable: the decision could not be made durable; nothing was charged.
        """
        profile_name(request.user_id)
        if request.idempotency_key is None:
            return self._decide(request)
        return self._once(request, request.idempotency_key)

    def settle(
        self,
        admission: Admission,
        outcome: Outcome,
        *facts: Event,
        latency_ms: float | None = None,
        error_type: str | None = None,
    ) -> None:
        """Commit how an admitted request ended, together with the facts it produced."""
        settlement = RequestSettled(
            ts=self._clock.now(),
            request_id=admission.request_id,
            kind=admission.kind,
            user_id=admission.user_id,
            outcome=outcome,
            error_type=error_type,
            latency_ms=latency_ms,
            cost_nano_usd=0,
        )
        self._ledger.write(*facts, settlement)

    def usage(self, user_id: str, kind: Kind) -> list[RuleUsage]:
        """Return how much of each of a person's rules is used now."""
        used = self._limiter.usage(_user_key(user_id, kind), self._limits.per_user[kind])
        return [_rule_usage(usage) for usage in used]

    def _once(self, request: Request, key: str) -> Admission | Denied:
        """Decide once per key; whoever comes second waits for the first and gets its answer."""
        place = (request.user_id, f"{request.kind}:{key}")
        with self._lock:
            first = self._keys.get(place)
            if first is None:
                mine: Future[Admission | Denied] = Future()
                self._keys[place] = mine
        if first is not None:
            return _replayed(first.result(), request, key)
        try:
            decision = self._decide(request)
        except BaseException as problem:
            self._forget(place)
            mine.set_exception(problem)
            raise
        if isinstance(decision, Denied):
            self._forget(place)
        mine.set_result(decision)
        return decision

    def _decide(self, request: Request) -> Admission | Denied:
        fingerprint = request.fingerprint
        user_key = _user_key(request.user_id, request.kind)
        deployment_key = _deployment_key(request.kind)
        verdict = self._limiter.hit(
            (
                (user_key, self._limits.per_user[request.kind]),
                (deployment_key, self._limits.deployment[request.kind]),
            )
        )
        request_id = new_id()
        if isinstance(verdict, Allowed):
            row = _row(request, request_id, fingerprint, verdict.at_us)
            try:
                self._ledger.write(
                    row.model_copy(update={"attempt": self._attempts.admitted(fingerprint)})
                )
            except BaseException:
                self._limiter.refund((user_key, deployment_key), verdict.at_us)
                raise
            return Admission(request_id, request.kind, request.user_id, row.ts, fingerprint)
        denied = _denied(request, request_id, verdict, user_key)
        row = _row(request, request_id, fingerprint, verdict.at_us, denied)
        self._ledger.write(row.model_copy(update={"attempt": self._attempts.denied(fingerprint)}))
        return denied

    def _forget(self, place: tuple[str, str]) -> None:
        with self._lock:
            self._keys.pop(place, None)

    def _remember(self, row: dict[str, object]) -> None:
        admitted: Future[Admission | Denied] = Future()
        kind: Kind = "execute" if row["kind"] == "execute" else "recommend"
        user_id, ts = str(row["user_id"]), row["ts"]
        assert isinstance(ts, datetime)  # noqa: S101 - the column's type
        admitted.set_result(
            Admission(str(row["request_id"]), kind, user_id, ts, str(row["fingerprint"]))
        )
        with self._lock:
            self._keys[(user_id, f"{kind}:{row['idempotency_key']}")] = admitted
            if len(self._keys) > _REMEMBERED_KEYS:
                self._keys.popitem(last=False)


def _replayed(first: Admission | Denied, request: Request, key: str) -> Admission | Denied:
    if isinstance(first, Denied):
        return first
    if first.fingerprint != request.fingerprint:
        raise KeyReused(key)
    return Admission(
        first.request_id, first.kind, first.user_id, first.ts, first.fingerprint, replayed=True
    )


def _denied(request: Request, request_id: str, broken: Violation, user_key: str) -> Denied:
    return Denied(
        request_id=request_id,
        kind=request.kind,
        scope="user" if broken.key == user_key else "deployment",
        rule=broken.rule,
        used=broken.used,
        retry_at=_datetime(broken.retry_at_us),
        retry_after_s=broken.retry_after_s,
    )


def _row(
    request: Request, request_id: str, fingerprint: str, at_us: int, denied: Denied | None = None
) -> RequestDecided:
    task = request.task
    return RequestDecided(
        ts=_datetime(at_us),
        request_id=request_id,
        kind=request.kind,
        user_id=request.user_id,
        source=request.source,
        decision="denied" if denied else "admitted",
        denied_rule=denied.rule_name if denied else None,
        denied_used=denied.used if denied else None,
        denied_limit=denied.rule.limit if denied else None,
        retry_at=denied.retry_at if denied else None,
        idempotency_key=request.idempotency_key,
        fingerprint=fingerprint,
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
    )


def _rule_usage(usage: Usage) -> RuleUsage:
    opens = None if usage.opens_at_us is None else _datetime(usage.opens_at_us)
    return RuleUsage(usage.rule, usage.used, opens)


def _user_key(user_id: str, kind: str) -> str:
    return f"user:{kind}:{user_id}"


def _deployment_key(kind: str) -> str:
    return f"deployment:{kind}"


def _microseconds(ts: datetime) -> int:
    return (ts - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _datetime(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
