"""What the others see when a process is killed: each outcome is that of a run."""

from __future__ import annotations

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
        return f"the next one has it within {seconds * 1e3:.0f} ms"


def _kill_at_work(victim: Pair) -> None:
    """At a random moment, so that in time it is at each place of its work."""
    victim.tell(_ENDLESS)
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
                    _kill_at_work(reader)
        return f"{kills} kills, and the next reader goes on"


def _write_uniform(measured: Pictures) -> Work:
    write = measured.writer()
    picture: Picture = np.zeros(SHAPE, "uint8")

    def work(count: int) -> None:
        for number in range(count):
            picture.fill(number % 251)
            write(picture)

    return work


def _whole(picture: Picture) -> float:
    if picture.min() != picture.max():
        raise AssertionError("a torn picture")
    return 1.0


def _read_whole(measured: Pictures) -> Work:
    read = measured.reader()

    def work(count: int) -> None:
        for _ in range(count):
            read(_whole)

    return work


def _picture_writer(measured: object, kills: int) -> str:
    with Pair([_read_whole], measured) as reader:
        for killed in range(kills + 1):
            with Pair([_write_uniform], measured) as writer:
                try:
                    writer.ready()
                except Failed as failed:
                    return f"after kill {killed}, the next writer {failed}"
                try:
                    if killed == 0:
                        reader.ready()
                    else:
                        writer.tell(_ENDLESS)
                        reader.hear(_LIMIT)
                except Failed as failed:
                    return f"after kill {killed}, the reader {failed}"
                if killed < kills:
                    # Across the kill: it looks at what the dead one left, too.
                    reader.tell(_SOME * 100)
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
        ],
        _picture_writer,
    ),
]
