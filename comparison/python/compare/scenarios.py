"""What is measured: the loops, the same for everybody. The objects they are run with are in `peers`."""

from __future__ import annotations

import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .pair import Side, Work

Picture = npt.NDArray[np.uint8]

SHAPE = (404, 640, 3)
MESSAGE = b"8 bytes."
BATCH = 1000

# Between two pictures whose way is timed: the reader has fallen asleep.
_PAUSE = 0.001

_NUMBER = struct.Struct("<Q")


class Figure(Enum):
    """What a scenario's figure says."""

    EACH = "seconds for one; less is better"
    RATE = "how many in a second; more is better"
    MEASURED = "seconds for one, as the last side measured it; less is better"

    @property
    def more_is_better(self) -> bool:
        """Whether the larger figure wins."""
        return self is Figure.RATE


@dataclass(frozen=True)
class Scenario:
    """What one or two processes do, and what is reported of it."""

    what: str
    figure: Figure
    sides: Sequence[Side]

    def result(self, count: int, seconds: float, said: Sequence[float | None]) -> float:
        """The figure of one round."""
        if self.figure is Figure.EACH:
            return seconds / count
        last = said[-1]
        if self.figure is Figure.MEASURED:
            assert last is not None, "the last side says how long it took"
            return last
        # Where things can be missed, those count that arrived.
        return (count if last is None else last) / seconds


class Locking(Protocol):
    """Something for `with`."""

    def lock(self) -> AbstractContextManager[Any]: ...


def _take_and_give(measured: Locking) -> Work:
    lock = measured.lock()

    def work(count: int) -> None:
        for _ in range(count):
            with lock:
                pass

    return work


class Counting(Protocol):
    """A number that two processes count up; the loop is the peer's, for some need statements for a step."""

    def counter(self) -> Work: ...


def _count(measured: Counting) -> Work:
    return measured.counter()


class Messages(Protocol):
    """Messages from one process to another. None is lost."""

    def sender(self) -> Callable[[bytes], object]: ...
    def receiver(self) -> Callable[[], bytes]: ...


def send_messages(measured: Messages) -> Work:
    """One after the other."""
    send = measured.sender()

    def work(count: int) -> None:
        for _ in range(count):
            send(MESSAGE)

    return work


def receive_messages(measured: Messages) -> Work:
    """One after the other."""
    receive = measured.receiver()

    def work(count: int) -> None:
        for _ in range(count):
            message = receive()
        assert message == MESSAGE

    return work


class Batches(Protocol):
    """Many messages by one call. The receiver gets as many at once as there are, up to `BATCH`."""

    def batch_sender(self) -> Callable[[list[bytes]], object]: ...
    def batch_receiver(self) -> Callable[[], Sequence[bytes]]: ...


def _send_batches(measured: Batches) -> Work:
    send = measured.batch_sender()
    batch = [MESSAGE] * BATCH

    def work(count: int) -> None:
        for _ in range(count):
            send(batch)

    return work


def _receive_batches(measured: Batches) -> Work:
    receive = measured.batch_receiver()

    def work(count: int) -> float:
        left = count * BATCH
        while left > 0:
            left -= len(receive())
        return count * BATCH

    return work


class Pictures(Protocol):
    """Pictures from one process to another. Some may be missed, but never the last one.

    The reader gives each picture to a function, as an array, for as long as that looks at it.
    """

    def writer(self) -> Callable[[Picture], object]: ...
    def reader(self) -> Callable[[Callable[[Picture], float]], float]: ...


def _stamped(count: int) -> Iterator[tuple[Picture, int]]:
    """A picture, with 1, 2, … `count` in its first and in its last bytes."""
    picture = np.full(SHAPE, 128, "uint8")
    for number in range(1, count + 1):
        _NUMBER.pack_into(picture.data, 0, number)
        _NUMBER.pack_into(picture.data, picture.nbytes - 8, number)
        yield picture, number


def _number(picture: Picture) -> int:
    first: int = _NUMBER.unpack_from(picture.data, 0)[0]
    last: int = _NUMBER.unpack_from(picture.data, picture.nbytes - 8)[0]
    if first != last:
        raise AssertionError(f"a torn picture: it begins as number {first} and ends as number {last}")
    return first


def _write_pictures(measured: Pictures) -> Work:
    write = measured.writer()

    def work(count: int) -> None:
        for picture, _ in _stamped(count):
            write(picture)

    return work


def _read_pictures(measured: Pictures) -> Work:
    read = measured.reader()

    def work(count: int) -> float:
        received = 0
        number = 0.0
        while number != count:
            number = read(_number)
            received += 1
        return received

    return work


def _write_now_and_then(measured: Pictures) -> Work:
    write = measured.writer()
    picture = np.full(SHAPE, 128, "uint8")

    def work(count: int) -> None:
        for left in reversed(range(count)):
            time.sleep(_PAUSE)
            _NUMBER.pack_into(picture.data, 8, left)
            _NUMBER.pack_into(picture.data, 0, time.monotonic_ns())
            write(picture)

    return work


def _time_pictures(measured: Pictures) -> Work:
    read = measured.reader()
    left = 0

    def look(picture: Picture) -> float:
        nonlocal left
        now = time.monotonic_ns()
        (begun,) = _NUMBER.unpack_from(picture.data, 0)
        (left,) = _NUMBER.unpack_from(picture.data, 8)
        return float(now - begun)

    def work(count: int) -> float:
        ages = [read(look)]
        while left:
            ages.append(read(look))
        return statistics.median(ages) / 1e9

    return work


class Conversation(Protocol):
    """An 8-byte number there and back. `left` and `right` say how to send one and how to receive one, without
    sleeping."""

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]: ...
    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]: ...


def _ask(measured: Conversation) -> Work:
    send, receive = measured.left()
    next_number = 1

    def work(count: int) -> None:
        nonlocal next_number
        for number in range(next_number, next_number + count):
            send(number)
            if receive() != number:
                raise AssertionError("an answer to another question")
        next_number += count

    return work


def _answer(measured: Conversation) -> Work:
    send, receive = measured.right()

    def work(count: int) -> None:
        for _ in range(count):
            send(receive())

    return work


def _write_alone(measured: Pictures) -> Work:
    write = measured.writer()
    picture = np.full(SHAPE, 128, "uint8")

    def work(count: int) -> None:
        for _ in range(count):
            write(picture)

    return work


class Newest(Protocol):
    """A picture that is there, and the newest one again and again."""

    def newest(self) -> Callable[[], object]: ...


def _borrow(measured: Newest) -> Work:
    newest = measured.newest()

    def work(count: int) -> None:
        for _ in range(count):
            newest()

    return work


class Records(Protocol):
    """Numbers of 8 bytes in a row, one by one or many by one call. A reader that is too slow misses some, but not
    the last ones."""

    def appender(self) -> Callable[[int], object]: ...
    def batch_appender(self) -> Callable[[npt.NDArray[np.uint64]], object]: ...
    def taker(self) -> Callable[[], npt.NDArray[np.uint64]]: ...


def _append(measured: Records) -> Work:
    append = measured.appender()

    def work(count: int) -> None:
        for number in range(1, count + 1):
            append(number)

    return work


def _append_batches(measured: Records) -> Work:
    append = measured.batch_appender()
    batch = np.arange(1, BATCH + 1, dtype="uint64")

    def work(count: int) -> None:
        numbers = batch.copy()
        for _ in range(count):
            append(numbers)
            numbers += BATCH

    return work


def _take(measured: Records, each: int) -> Work:
    take = measured.taker()

    def work(count: int) -> float:
        received = 0
        last = 0
        while last != count * each:
            records = take()
            received += len(records)
            last = int(records[-1])
        return received

    return work


def _take_singles(measured: Records) -> Work:
    return _take(measured, 1)


def _take_batched(measured: Records) -> Work:
    return _take(measured, BATCH)


class Importing(Protocol):
    """What a program begins with."""

    statement: str


def _import(measured: Importing) -> Work:
    # `time` is a part of the interpreter: what is timed is the statement alone.
    program = f"import time; begin = time.perf_counter(); {measured.statement}; print(time.perf_counter() - begin)"

    def once() -> float:
        return float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)

    def work(count: int) -> float:
        return statistics.median(once() for _ in range(count))

    return work


LOCK = Scenario("`with lock:`, uncontended", Figure.EACH, [_take_and_give])
COUNTER = Scenario("counting in two processes at once", Figure.RATE, [_count, _count])
MESSAGES = Scenario("messages of 8 B, one by one", Figure.RATE, [send_messages, receive_messages])
BATCHES = Scenario(f"messages of 8 B, {BATCH} by one call", Figure.RATE, [_send_batches, _receive_batches])
PICTURES = Scenario("pictures of 775,680 B", Figure.RATE, [_write_pictures, _read_pictures])
PICTURE = Scenario("a picture of 775,680 B, 1 ms apart", Figure.MEASURED, [_write_now_and_then, _time_pictures])
ROUND_TRIP = Scenario("8 B there and back, polled", Figure.EACH, [_ask, _answer])
PUBLISH = Scenario("publish a picture of 775,680 B", Figure.EACH, [_write_alone])
NEWEST = Scenario("the newest picture, again and again", Figure.EACH, [_borrow])
RECORDS = Scenario("records of 8 B, one by one", Figure.RATE, [_append, _take_singles])
RECORD_BATCHES = Scenario(f"records of 8 B, {BATCH} by one call", Figure.RATE, [_append_batches, _take_batched])
IMPORT = Scenario("import, in a new interpreter", Figure.MEASURED, [_import])
