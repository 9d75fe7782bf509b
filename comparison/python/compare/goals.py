"""What is compared with what, and what the ratio should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import scenarios
from .scenarios import Scenario


@dataclass(frozen=True)
class Goal:
    """One row: two objects, each a module of `peers` and a class of it, and the bound for ours divided by theirs.

    Without theirs, the bound is for our figure itself; without a bound, the row is there to be seen. `why` says, where
    the goal is missed or nearly so, what it is that the other side does not do or does better.
    """

    ours: str
    theirs: str | None = None
    bound: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """The rows of one scenario. Everything in them is measured in turn, A B C A B C."""

    scenario: Scenario
    goals: Sequence[Goal]

    def ways(self) -> Iterator[str]:
        """The objects of all rows, each once."""
        yield from dict.fromkeys(way for goal in self.goals for way in (goal.ours, goal.theirs) if way)


_BY_HAND = (
    "Two semaphores and a place to copy to are the least there can be: one reader, for which the writer waits, and a "
    "permit that is lost with either of them."
)
_COPY = (
    "Both are one copy of the picture and little else: what is measured is how fast one core copies while the other one "
    "polls."
)

COMPARISONS = [
    Comparison(
        scenarios.LOCK,
        [
            Goal("memlane.Lock", "multiprocessing.Lock", 0.6),
            Goal(
                "memlane.MultiprocessingLock",
                "multiprocessing.Lock",
                0.6,
                "It is a Python class around `memlane.Lock`, as its model is one around a semaphore, and the calls of "
                "Python methods are most of either.",
            ),
        ],
    ),
    Comparison(
        scenarios.COUNTER,
        [
            Goal(
                "memlane.Value",
                "multiprocessing.Value",
                10.0,
                "Each addition changes the number and its change counter in one cache line, which two cores take from "
                "each other; the other side sleeps most of the time.",
            ),
            Goal(
                "memlane.MultiprocessingValue",
                "multiprocessing.Value",
                1.0,
                "It has the same Python methods and takes its lock twice for each, as its model does.",
            ),
        ],
    ),
    Comparison(
        scenarios.MESSAGES,
        [
            Goal("memlane.Queue", "multiprocessing.Queue", 3.0),
            Goal("memlane.MultiprocessingQueue", "multiprocessing.Queue", 3.0),
            Goal("memlane.Queue", "faster_fifo.Queue", 3.0),
            Goal("memlane.Queue", "pyzmq.PushPull"),
            Goal("memlane.Queue", "horus.Topic"),
            Goal("memlane.Queue", "zenoh.Publisher"),
            Goal("memlane.Queue", "redis.List"),
        ],
    ),
    Comparison(
        scenarios.BATCHES,
        [Goal("memlane.Queue", "faster_fifo.Queue", 1.0), Goal("memlane.Queue", "redis.List")],
    ),
    Comparison(
        scenarios.PICTURES,
        [
            Goal("memlane.Frames", "pyzmq.PushPull", 5.0),
            Goal("memlane.Frames", "multiprocessing.Pipe", 5.0),
            Goal("memlane.Frames", "multiprocessing.SharedMemory", 1.0, _BY_HAND),
            Goal("memlane.Frames", "global_buffer.Ring", 1.0),
            Goal("memlane.PolledFrames", "zerochannel.Ring", 1.0, _COPY),
            Goal("memlane.PolledFrames", "iceoryx2.PublishSubscribe", 1.0, _COPY),
            Goal("memlane.Frames", "mmap_frame.Frame"),
            Goal("memlane.PolledFrames", "horus.Topic"),
            Goal("memlane.Frames", "zenoh.Publisher"),
            Goal("memlane.Frames", "redis.Key"),
        ],
    ),
    Comparison(
        scenarios.PICTURE,
        [
            Goal(
                "memlane.Frames",
                "pyzmq.PushPull",
                0.2,
                "Most of ours is the one copy into shared memory, and the kernel that wakes the reader.",
            ),
            Goal("memlane.Frames", "multiprocessing.Pipe", 0.2),
            Goal("memlane.Frames", "multiprocessing.SharedMemory", 1.0, _BY_HAND),
            Goal("memlane.Frames", "global_buffer.Ring", 1.0),
            Goal("memlane.PolledFrames", "zerochannel.Ring", 1.0, _COPY),
            Goal("memlane.PolledFrames", "iceoryx2.PublishSubscribe", 1.0, _COPY),
            Goal("memlane.Frames", "mmap_frame.Frame"),
            Goal("memlane.PolledFrames", "horus.Topic"),
            Goal("memlane.Frames", "zenoh.Publisher"),
            Goal("memlane.Frames", "redis.Key"),
        ],
    ),
    Comparison(
        scenarios.ROUND_TRIP,
        [
            Goal("memlane.Value", "zerochannel.Ring", 1.0),
            Goal("memlane.Stream", "zerochannel.Ring", 1.0),
            Goal(
                "memlane.PolledFrames",
                "zerochannel.Ring",
                1.0,
                "A frame is an object that keeps its memory from being written as long as it lives; a number that is "
                "copied out needs no such thing, and is better sent by a value or a stream.",
            ),
            Goal("memlane.Value", "iceoryx2.PublishSubscribe", 0.25),
            Goal("memlane.Stream", "iceoryx2.PublishSubscribe", 0.25),
            Goal("memlane.PolledFrames", "iceoryx2.PublishSubscribe", 0.25),
            Goal("memlane.Value", "multiprocessing.Value"),
            Goal("memlane.Stream", "horus.Topic"),
            Goal("memlane.Stream", "zenoh.Publisher"),
            Goal("memlane.Value", "redis.Key"),
        ],
    ),
    Comparison(
        scenarios.PUBLISH,
        [Goal("memlane.Frames", "numpy.CopyTo", 1.15), Goal("memlane.LoanedFrames", "numpy.CopyTo", 1.15)],
    ),
    Comparison(
        scenarios.NEWEST,
        [Goal("memlane.Frames", None, 1e-6), Goal("memlane.Frames", "global_buffer.Ring", 1.0)],
    ),
    Comparison(
        scenarios.RECORDS,
        [
            Goal("memlane.Stream", None, 1e6),
            Goal("memlane.Stream", "zerochannel.Ring", 1.0),
            Goal("memlane.Stream", "global_buffer.Ring", 1.0),
        ],
    ),
    Comparison(scenarios.RECORD_BATCHES, [Goal("memlane.Stream", None, 20e6)]),
    Comparison(
        scenarios.IMPORT,
        [
            Goal("memlane.Import", None, 0.060),
            Goal("memlane.Import", "multiprocessing.Import"),
            Goal("memlane.Import", "pyzmq.Import"),
            Goal("memlane.Import", "horus.Import"),
            Goal("memlane.Import", "zenoh.Import"),
            Goal("memlane.Import", "redis.Import"),
        ],
    ),
]
