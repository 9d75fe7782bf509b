"""faster-fifo: a queue of pickled objects in shared memory, under a POSIX mutex."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import faster_fifo

from ..scenarios import BATCH


class Queue:
    """`faster_fifo.Queue`, of the size of a queue of memlane."""

    def __init__(self, name: str) -> None:
        self._queue = faster_fifo.Queue(1 << 20)

    def sender(self) -> Callable[[bytes], object]:
        """Puts one."""
        put: Callable[[bytes], object] = self._queue.put
        return put

    def receiver(self) -> Callable[[], bytes]:
        """Gets one."""
        get: Callable[[], bytes] = self._queue.get
        return get

    def batch_sender(self) -> Callable[[list[bytes]], object]:
        """Puts many."""
        put_many: Callable[[list[bytes]], object] = self._queue.put_many
        return put_many

    def batch_receiver(self) -> Callable[[], list[bytes]]:
        """Gets those that are there."""
        return partial(self._queue.get_many, max_messages_to_get=BATCH)
