"""What the others see when a process is killed: each outcome is that of a run."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .measurement import made
from .pair import Failed, Pair, Work
from .scenarios import SHAPE, Locking, Picture, Pictures, receive_messages, send_messages

# Who has not gone on by then hangs.
_LIMIT = 3.0

# More often than anybody gets to do it before it is killed.
_ENDLESS = 10**9

# What shows that somebody goes on.
_SOME = 20

# Of a picture, for each of its writers.
_VALUES = 16


def _hold(measured: Locking) -> Work:
    lock = measured.lock()

    def work(count: int) -> None:
        lock.__enter__()

    return work


def _lock_holder(measured: object, kills: int) -> str:
    with Pair([_hold], measured) as holder, Pair([_hold], measured) as next_one:
        holder.ready()
        next_one.ready()
        holder.tell(1)
        holder.hear()
        holder.kill()
        next_one.tell(1)
        seconds, _ = next_one.hear(_LIMIT)
        return f"the next one has it within {seconds * 1e3:.1f} ms"


def _kill_at_work(victim: Pair) -> None:
    """At a random moment, so that in time it is at each place of its work."""
    time.sleep(random.uniform(0.01, 0.05))
    victim.kill()


def _queue_reader(measured: object, kills: int) -> str:
    with Pair([send_messages], measured) as sender:
        sender.ready()
        sender.tell(_ENDLESS)
        for killed in range(kills + 1):
            with Pair([receive_messages], measured) as reader:
                reader.ready()
                reader.tell(_SOME)
                try:
                    reader.hear(_LIMIT)
                except Failed as failed:
                    return f"after kill {killed}, the next reader {failed}"
                if killed < kills:
                    reader.tell(_ENDLESS)
                    _kill_at_work(reader)
        return f"{kills} kills, and the next reader goes on"


def _write_uniform(measured: Pictures) -> Work:
    """Pictures of one value each, which say what the number of the writer is."""
    write = measured.writer()
    picture: Picture = np.zeros(SHAPE, "uint8")

    def work(number: int) -> None:
        for turn in itertools.count():
            picture.fill(number * _VALUES + turn % _VALUES)
            write(picture)

    return work


def _whole(picture: Picture) -> float:
    if picture.min() != picture.max():
        raise AssertionError("a torn picture")
    return float(picture[0, 0, 0])


def _read_whole(measured: Pictures) -> Work:
    """Reads, and looks at all of each picture, until it had some of the writer of that number."""
    read = measured.reader()

    def work(number: int) -> None:
        left = _SOME
        while left:
            left -= read(_whole) // _VALUES == number

    return work


def _picture_writer(measured: object, kills: int) -> str:
    with Pair([_read_whole], measured) as reader:
        for number in range(kills + 1):
            with Pair([_write_uniform], measured) as writer:
                try:
                    writer.ready()
                except Failed as failed:
                    return f"after kill {number}, the next writer {failed}"
                if number == 0:
                    reader.ready()
                    reader.tell(number)
                writer.tell(number)
                try:
                    reader.hear(_LIMIT)
                except Failed as failed:
                    return f"after kill {number}, the reader {failed}"
                # It goes on reading meanwhile, and looks at what the dead one left.
                reader.tell(number + 1)
                _kill_at_work(writer)
    return f"{kills} kills, each picture whole, and the reader goes on"


@dataclass(frozen=True)
class Death:
    """Who is killed, of whose objects, and how that is found out."""

    who: str
    ways: Sequence[str]
    run: Callable[[object, int], str]

    def outcome(self, way: str, kills: int) -> str:
        """What becomes of the others."""
        try:
            with made(way) as measured:
                return self.run(measured, kills)
        except Failed as failed:
            return f"the next one {failed}"


DEATHS = [
    Death(
        "holder of a lock",
        ["memlane.Lock", "memlane.MultiprocessingLock", "multiprocessing.Lock"],
        _lock_holder,
    ),
    Death(
        "reader of a queue, in the midst of it",
        [
            "memlane.Queue",
            "memlane.MultiprocessingQueue",
            "multiprocessing.Queue",
            "faster_fifo.Queue",
            "pyzmq.PushPull",
            "horus.Topic",
            "zenoh.Publisher",
            "redis.List",
        ],
        _queue_reader,
    ),
    Death(
        "writer of pictures, in the midst of one",
        [
            "memlane.Frames",
            "memlane.LoanedFrames",
            "multiprocessing.SharedMemory",
            "multiprocessing.Pipe",
            "pyzmq.PushPull",
            "zerochannel.Ring",
            "global_buffer.Ring",
            "iceoryx2.PublishSubscribe",
            "mmap_frame.Frame",
            "horus.Topic",
            "zenoh.Publisher",
            "redis.Key",
        ],
        _picture_writer,
    ),
]
