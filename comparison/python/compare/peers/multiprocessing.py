"""The standard library's package. Its objects are inherited, so each is made where the comparison runs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing import shared_memory
from typing import Any

import numpy as np

from ..pair import Work
from ..scenarios import SHAPE, Picture

_spawning = multiprocessing.get_context("spawn")


class Lock:
    """`multiprocessing.Lock`."""

    def __init__(self, name: str) -> None:
        self._lock = _spawning.Lock()

    def lock(self) -> AbstractContextManager[Any]:
        """The lock itself."""
        return self._lock


class Value:
    """`multiprocessing.Value`, under its lock; polled without one."""

    def __init__(self, name: str) -> None:
        self._value = _spawning.Value("q", 0)
        self._directions = _spawning.RawValue("q", 0), _spawning.RawValue("q", 0)

    def counter(self) -> Work:
        """Adds one, under the lock: without it, additions are lost."""
        value = self._value

        def work(count: int) -> None:
            for _ in range(count):
                with value.get_lock():
                    value.value += 1

        return work

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One bare number for each direction."""
        return self._side(*self._directions)

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side(*reversed(self._directions))

    def _side(self, there: Any, here: Any) -> tuple[Callable[[int], object], Callable[[], int]]:
        seen = 0

        def send(number: int) -> None:
            there.value = number

        def receive() -> int:
            nonlocal seen
            number: int
            while (number := here.value) == seen:
                pass
            seen = number
            return number

        return send, receive


class Queue:
    """`multiprocessing.Queue`."""

    def __init__(self, name: str) -> None:
        # Bounded by what the others hold: else it is measured how fast a list in the sender grows.
        self._queue = _spawning.Queue(30_000)

    def sender(self) -> Callable[[bytes], object]:
        """Puts one."""
        return self._queue.put

    def receiver(self) -> Callable[[], bytes]:
        """Gets one."""
        return self._queue.get


class Pipe:
    """`multiprocessing.Pipe`, into memory that is used again."""

    def __init__(self, name: str) -> None:
        self._receiver, self._sender = _spawning.Pipe(duplex=False)

    def writer(self) -> Callable[[Picture], object]:
        """All of it, through the kernel."""
        send = self._sender.send_bytes
        return lambda picture: send(picture.data.cast("B"))

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """All of it, out of the kernel."""
        picture = np.empty(SHAPE, "uint8")
        receive = self._receiver.recv_bytes_into

        def read(look: Callable[[Picture], float]) -> float:
            receive(picture.data.cast("B"))
            return look(picture)

        return read


class SharedMemory:
    """`multiprocessing.shared_memory` as it is made use of by hand: some places for pictures, and two semaphores."""

    _PLACES = 3

    def __init__(self, name: str) -> None:
        self._memory = shared_memory.SharedMemory(create=True, size=self._PLACES * int(np.prod(SHAPE)))
        self._free = _spawning.Semaphore(self._PLACES)
        self._full = _spawning.Semaphore(0)

    def close(self) -> None:
        """Gives the memory back."""
        self._memory.close()
        self._memory.unlink()

    def _places(self) -> Picture:
        return np.ndarray((self._PLACES, *SHAPE), "uint8", self._memory.buf)

    def writer(self) -> Callable[[Picture], object]:
        """Copies it into the next place that is free."""
        places = self._places()
        turn = 0

        def write(picture: Picture) -> None:
            nonlocal turn
            self._free.acquire()
            np.copyto(places[turn], picture)
            self._full.release()
            turn = (turn + 1) % self._PLACES

        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Looks at it where it lies."""
        places = self._places()
        turn = 0

        def read(look: Callable[[Picture], float]) -> float:
            nonlocal turn
            self._full.acquire()
            looked = look(places[turn])
            self._free.release()
            turn = (turn + 1) % self._PLACES
            return looked

        return read


class Import:
    """Shared memory and queues."""

    statement = "import multiprocessing.shared_memory, multiprocessing.queues"

    def __init__(self, name: str) -> None:
        """Nothing is shared: the name is of no use."""
