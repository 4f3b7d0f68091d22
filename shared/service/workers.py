"""Threads that make lists. The event loop never does, so it can always say how the service is.

A service has a pool for questions about one customer and one for questions about many: nobody who asks for one list
waits behind a thousand. Each pool is small, as Python's threads take turns.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fastapi import HTTPException

Result = TypeVar("Result")


class Workers:
    """So many threads, and so many questions that may wait for one; more are refused with 503."""

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lists")
        self._most = threads + most_waiting
        self._asked = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do work in a thread. Raises HTTPException 503 if too many questions wait already, and what `work` raises."""
        if self._asked >= self._most:
            raise HTTPException(503, "Too many questions at once; ask again.", headers={"Retry-After": "1"})
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._asked -= 1
