"""memlane itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import memlane
import numpy as np
import numpy.typing as npt
from memlane.multiprocessing import queues, sharedctypes, synchronize

from ..pair import Work
from ..scenarios import BATCH, SHAPE, Picture

# Longer than any answer takes: a reader that polls does not begin to sleep.
_SPIN = 10.0


class Lock:
    """`memlane.Lock`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def lock(self) -> AbstractContextManager[Any]:
        """The lock itself."""
        return memlane.Lock(self.name)


class MultiprocessingLock:
    """`memlane.multiprocessing.Lock`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def lock(self) -> AbstractContextManager[Any]:
        """The lock itself."""
        return synchronize.Lock(name=self.name)


class Value:
    """`memlane.Value`: a number, counted up by one instruction, or polled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def counter(self) -> Work:
        """Adds one."""
        value = memlane.Value(self.name, 0)

        def work(count: int) -> None:
            for _ in range(count):
                value.add(1)

        return work

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One value for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        there = memlane.Value(f"{self.name}.{to}", 0)
        here = memlane.Value(f"{self.name}.{at}", 0)
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


class MultiprocessingValue:
    """`memlane.multiprocessing.Value`, under its lock."""

    def __init__(self, name: str) -> None:
        self.name = name

    def counter(self) -> Work:
        """Adds one, under the lock."""
        value = sharedctypes.Value("q", 0, name=self.name)

        def work(count: int) -> None:
            for _ in range(count):
                with value.get_lock():
                    value.value += 1

        return work


class Queue:
    """`memlane.Queue`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sender(self) -> Callable[[bytes], object]:
        """Puts one."""
        return memlane.Queue(self.name).put

    def receiver(self) -> Callable[[], bytes]:
        """Gets one."""
        return memlane.Queue(self.name).get

    def batch_sender(self) -> Callable[[list[bytes]], object]:
        """Puts many."""
        return memlane.Queue(self.name).put_many

    def batch_receiver(self) -> Callable[[], list[bytes]]:
        """Gets those that are there."""
        return partial(memlane.Queue(self.name).get_many, BATCH)


class MultiprocessingQueue:
    """`memlane.multiprocessing.Queue`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sender(self) -> Callable[[bytes], object]:
        """Puts one."""
        return queues.Queue(name=self.name).put

    def receiver(self) -> Callable[[], bytes]:
        """Gets one."""
        return queues.Queue(name=self.name).get


class Frames:
    """Frames: copied into shared memory by the writer, looked at where they lie by the reader."""

    spin = 0.0

    def __init__(self, name: str) -> None:
        self.name = name

    def writer(self) -> Callable[[Picture], object]:
        """`publish` copies."""
        return memlane.FramePublisher(self.name, SHAPE, "uint8").publish

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Waits for the next one, asleep."""
        subscriber = memlane.FrameSubscriber(self.name, spin=self.spin, wait=None)

        def read(look: Callable[[Picture], float]) -> float:
            with subscriber.next() as frame:
                return look(frame.array)

        return read

    def newest(self) -> Callable[[], object]:
        """`latest`, and given back."""
        self._publisher = memlane.FramePublisher(self.name, SHAPE, "uint8")
        self._publisher.publish(np.zeros(SHAPE, "uint8"))
        return memlane.FrameSubscriber(self.name, history=1).latest


class PolledFrames(Frames):
    """Frames for a reader that polls; numbers in them, too."""

    spin = _SPIN

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One channel for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        publish = memlane.FramePublisher(f"{self.name}.{to}", size=8).publish
        following = memlane.FrameSubscriber(f"{self.name}.{at}", spin=_SPIN, wait=None).next

        def send(number: int) -> None:
            publish(number.to_bytes(8, "little"))

        def receive() -> int:
            return int.from_bytes(following(), "little")

        return send, receive


class LoanedFrames(Frames):
    """Frames that are filled where they lie: by `numpy.copyto` here, by a camera's driver elsewhere."""

    def writer(self) -> Callable[[Picture], object]:
        """A loan for each."""
        publisher = memlane.FramePublisher(self.name, SHAPE, "uint8")

        def write(picture: Picture) -> None:
            with publisher.loan() as frame:
                np.copyto(frame.array, picture)

        return write


class Stream:
    """Streams of 8-byte numbers."""

    def __init__(self, name: str) -> None:
        self.name = name

    def appender(self) -> Callable[[int], object]:
        """One record."""
        return self._publisher().append

    def batch_appender(self) -> Callable[[npt.NDArray[np.uint64]], object]:
        """Many records."""
        return self._publisher().append_many

    def _publisher(self) -> memlane.StreamPublisher:
        return memlane.StreamPublisher(self.name, "uint64", capacity=64 * BATCH, lossless=True)

    def taker(self) -> Callable[[], npt.NDArray[np.uint64]]:
        """All that are there."""
        subscriber = memlane.StreamSubscriber(self.name, wait=None)
        return lambda: subscriber.next_many().array

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One stream for each direction, polled."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        there = memlane.StreamPublisher(f"{self.name}.{to}", "uint64")
        return there.append, memlane.StreamSubscriber(f"{self.name}.{at}", spin=_SPIN, wait=None).next


class Import:
    """Without NumPy, which it imports when an array is asked for."""

    statement = "import memlane"

    def __init__(self, name: str) -> None:
        """Nothing is shared: the name is of no use."""
