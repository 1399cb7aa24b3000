"""One answer to one idempotency key, however often and however fast it is sent."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from core.errors import InvalidInput, KeyReused
from core.guard.request import Admission, Denied, Request

__all__ = ["REMEMBERED", "Idempotency"]

REMEMBERED = 100_000
_KEY = re.compile(r"[ -~]{1,200}")

_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A first request that is being decided; whoever comes second waits for its answer."""

    fingerprint: str
    answer: Future[Admission | Denied] = field(default_factory=Future)


class Idempotency:
    """Remembers what was admitted per person, kind and key; a denied key may be tried again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._admitted: OrderedDict[_Place, Admission] = OrderedDict()
        self._under_way: dict[_Place, _UnderWay] = {}

    def once(
        self, request: Request, key: str, decide: Callable[[Request], Admission | Denied]
    ) -> Admission | Denied:
        """Decide the first request of a key; later ones get the same answer, as `replayed`.

        Raises:
            InvalidInput: the key is empty, too long, or not plain text.
            KeyReused: the key belongs to a different request.
        """
        if not _KEY.fullmatch(key):
            raise InvalidInput(
                "idempotency_key", "An idempotency key has 1 to 200 plain (ASCII) characters."
            )
        place = (request.user_id, request.kind, key)
        with self._lock:
            first = self._admitted.get(place) or self._under_way.get(place)
            if first is None:
                mine = self._under_way[place] = _UnderWay(request.fingerprint)
        if first is None:
            return self._decide(request, place, mine, decide)
        if first.fingerprint != request.fingerprint:
            raise KeyReused(key)
        answer = first if isinstance(first, Admission) else first.answer.result()
        return answer if isinstance(answer, Denied) else replace(answer, replayed=True)

    def forget(self, admission: Admission) -> None:
        """Let what came to nothing be asked again under its key, as a request of its own."""
        if admission.idempotency_key is not None:
            place = (admission.user_id, admission.kind, admission.idempotency_key)
            with self._lock:
                self._admitted.pop(place, None)

    def remember(self, admission: Admission) -> None:
        """Keep an admission of an earlier process, if it had a key."""
        if admission.idempotency_key is not None:
            place = (admission.user_id, admission.kind, admission.idempotency_key)
            with self._lock:
                self._keep(place, admission)

    def _decide(
        self,
        request: Request,
        place: _Place,
        mine: _UnderWay,
        decide: Callable[[Request], Admission | Denied],
    ) -> Admission | Denied:
        try:
            answer = decide(request)
        except BaseException as problem:
            with self._lock:
                del self._under_way[place]
            mine.answer.set_exception(problem)
            raise
        with self._lock:
            del self._under_way[place]
            if isinstance(answer, Admission):
                self._keep(place, answer)
        mine.answer.set_result(answer)
        return answer

    def _keep(self, place: _Place, admission: Admission) -> None:
        self._admitted[place] = admission
        if len(self._admitted) > REMEMBERED:
            self._admitted.popitem(last=False)
