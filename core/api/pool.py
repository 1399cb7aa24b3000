"""Threads of the API's own, so that waiting callers never starve the console."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.errors import Unavailable

__all__ = ["MOST_WAITING", "Pool"]

MOST_WAITING = 256
T = TypeVar("T")


class Pool:
    """Runs what blocks; past a bound, callers are told to come back."""

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="api")
        self._waiting = 0

    async def run(self, act: Callable[[], T]) -> T:
        """Return what `act` returns.

        Raises:
            Unavailable: too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many requests are waiting; try again in a moment.")
        self._waiting += 1
        try:
            context = contextvars.copy_context()  # so that the log knows the request
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: context.run(act))
        finally:
            self._waiting -= 1
