"""Queues whose `put` is done when it returns, and that go on whoever is killed.

As `multiprocessing.queues`, without a feeder thread: what was put is there for the next `get`, is not changed
by changing the object afterwards, survives the end of the process, and an object that does not pickle raises
at `put`. A reader killed in `get`, or a writer killed in `put`, blocks nobody and leaves no part of a
message.

A queue holds 16 MiB; `put` waits for room beyond that, even when there is no `maxsize`.
"""

from __future__ import annotations

import os
import time
from multiprocessing import util
from multiprocessing.reduction import ForkingPickler
from pickle import loads
from types import GenericAlias
from typing import Any

from .. import _memlane as native
from . import _space
from .synchronize import Condition, Semaphore

__all__ = ["JoinableQueue", "Queue", "SimpleQueue"]

_CAPACITY = 16 << 20

# What is larger travels in a region of its own, so that it may be of any size and does not keep others
# waiting for room.
_LARGE = _CAPACITY // 4

# A message has left the queue and nobody has its region open: its getter was killed, or is just about to open
# it.
_GRACE = 1.0


class _Pickled:
    """An object that was pickled before, to see how large it is: it unpickles as that object."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return loads, (self._data,)


class _Elsewhere:
    """Sent in place of a large object: the id of the region where it is, pickled."""

    def __init__(self, id: str) -> None:
        self.id = id


class _Sent:
    """Large objects on their way: their regions are held here until they were taken, or the sender's could be
    lost.
    """

    def __init__(self, queue: native.Queue) -> None:
        self._queue = queue
        self._regions: list[native.Raw] = []
        self._pid = os.getpid()
        self._at_exit: Any = None
        self.is_waited_for = True

    def send(self, data: memoryview, block: bool, timeout: float | None) -> None:
        if self._pid != os.getpid():
            # Those of the parent are the parent's to hold.
            self._regions, self._pid, self._at_exit, self.is_waited_for = [], os.getpid(), None, True
        self.forget_taken()
        raw = native.Raw(None, len(data), space=_space.space(None))
        raw.buf[:] = data
        self._queue.put(_Elsewhere(raw.id), block, timeout)
        self._regions.append(raw)
        if self._at_exit is None:
            # Where the standard library waits for its feeder threads: after the children were joined.
            # This object is kept until then, also when the queue itself is not.
            self._at_exit = util.Finalize(None, self.wait, exitpriority=-5)

    def forget_taken(self) -> None:
        self._regions = [raw for raw in self._regions if not raw.unlinked]

    def wait(self) -> None:
        """Waits until everything was taken, or nobody is there who could."""
        if self._pid != os.getpid():
            return
        lost_since = None
        while self.is_waited_for:
            self.forget_taken()
            if not self._regions:
                return
            if self._queue.empty() and not any(map(self._is_open_elsewhere, self._regions)):
                lost_since = lost_since or time.monotonic()
                if time.monotonic() - lost_since > _GRACE:
                    return
            else:
                lost_since = None
            time.sleep(0.01)

    def _is_open_elsewhere(self, raw: native.Raw) -> bool:
        return any(who["alive"] and who["pid"] != self._pid for who in raw.participants())


def _take(where: _Elsewhere) -> tuple[Any] | None:
    """The object that is elsewhere, alone in a tuple; None when its sender was killed and the region is gone.
    """
    try:
        raw = native.Raw(where.id, create=False, space=_space.space(None))
    except FileNotFoundError:
        return None
    try:
        return (ForkingPickler.loads(raw.buf),)
    finally:
        try:
            raw.unlink()
        except FileNotFoundError:
            pass
        raw.close()


class _Transport:
    """What the queues have in common: objects of any size go in, each comes out once."""

    def __init__(self, maxsize: int, name: str | None) -> None:
        self._open(
            native.Queue(
                name, _CAPACITY, messages=maxsize if maxsize > 0 else None, space=_space.space(name)
            ),
            maxsize,
        )

    def _open(self, queue: native.Queue, maxsize: int) -> None:
        self._native = queue
        self._maxsize = maxsize
        self._sent = _Sent(queue)
        self._closed = False
        self._has_put = False

    def __getstate__(self) -> dict[str, Any]:
        return {"queue": self._native, "maxsize": self._maxsize}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._open(state["queue"], state["maxsize"])

    def _put(self, obj: Any, block: bool, timeout: float | None) -> None:
        self._has_put = True
        if type(obj) in (bytes, str) and len(obj) <= _LARGE // 4:
            # These travel as they are, and programs in other languages can read them.
            self._native.put(obj, block, timeout)
            return
        pickled = memoryview(ForkingPickler.dumps(obj, 5))
        if len(pickled) <= _LARGE:
            self._native.put(_Pickled(bytes(pickled)), block, timeout)
        else:
            self._sent.send(pickled, block, timeout)

    def _get(self, block: bool, timeout: float | None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            obj = self._native.get(block, timeout)
            if type(obj) is not _Elsewhere:
                return obj
            taken = _take(obj)
            if taken is not None:
                return taken[0]
            # Its sender was killed, and the region went with it: the next one, in the time that is left.
            if deadline is not None:
                timeout = max(0.0, deadline - time.monotonic())

    def empty(self) -> bool:
        """Whether there is nothing to get. OSError after `close`, which is only heeded where something was put.
        """
        if self._closed and self._has_put:
            raise OSError(f"Queue {self!r} is closed")
        return self._native.empty()

    def close(self) -> None:
        """Nothing can be put or got here any more. Other processes go on."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"Queue {self!r} is closed")

    def __class_getitem__(cls, item: Any) -> GenericAlias:
        """For annotations: `Queue[int]`."""
        return GenericAlias(cls, item)


class Queue(_Transport):
    """A queue of objects of any size, for any number of readers and writers.

    `qsize` is exact, on every platform. Whoever is killed, the others go on: a message is there as a whole or
    not at all, in the order in which it was put. What was put is not lost with its putter, except an object
    of more than 4 MiB that nobody has begun to take: it is skipped then. A normal exit waits until such
    objects were taken, unless `cancel_join_thread` was called.
    """

    def __init__(self, maxsize: int = 0, *, ctx: Any = None, name: str | None = None) -> None:
        super().__init__(maxsize, name)

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        """Puts an object. queue.Full when there is no room, at once or when time is up."""
        self._check_open()
        self._put(obj, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Takes the oldest object. queue.Empty when there is none, at once or when time is up."""
        self._check_open()
        return self._get(block, timeout)

    def put_nowait(self, obj: Any) -> None:
        """`put(obj, block=False)`."""
        self.put(obj, False)

    def get_nowait(self) -> Any:
        """`get(block=False)`."""
        return self.get(False)

    def qsize(self) -> int:
        """How many objects there are."""
        return self._native.qsize()

    def full(self) -> bool:
        """Whether there are as many objects as there may be."""
        return self._native.full()

    def join_thread(self) -> None:
        """There is no thread: waits until large objects were taken that this process has put."""
        if not self._closed:
            raise AssertionError(f"Queue {self!r} not closed")
        self._sent.wait()

    def cancel_join_thread(self) -> None:
        """Exits without waiting for large objects to be taken, which may then be lost."""
        self._sent.is_waited_for = False


class JoinableQueue(Queue):
    """A queue that can be waited for until all that was put is done.

    An object counts from the moment before it is put. What a killed process had taken and not yet reported as
    done counts as not done; as with `multiprocessing`, `join` waits for it.
    """

    def __init__(self, maxsize: int = 0, *, ctx: Any = None, name: str | None = None) -> None:
        super().__init__(maxsize, ctx=ctx, name=name)
        self._unfinished = Semaphore(0, name=None if name is None else f"{name}.unfinished")
        self._done = Condition(name=None if name is None else f"{name}.done")

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "unfinished": self._unfinished, "done": self._done}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._unfinished, self._done = state["unfinished"], state["done"]

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        """Puts an object. queue.Full when there is no room, at once or when time is up."""
        self._check_open()
        # Counted first: a reader may be done with it before this process runs again.
        self._unfinished.release()
        try:
            self._put(obj, block, timeout)
        except BaseException:
            self.task_done()
            raise

    def task_done(self) -> None:
        """Says that an object which was taken is done. ValueError when that is said too often."""
        with self._done:
            if not self._unfinished.acquire(False):
                raise ValueError("task_done() called too many times")
            if self._unfinished.get_value() == 0:
                self._done.notify_all()

    def join(self) -> None:
        """Waits until all that was put is done."""
        with self._done:
            while self._unfinished.get_value() != 0:
                self._done.wait()


class SimpleQueue(_Transport):
    """A queue with `put`, `get` and `empty`, which do not know of time. Deaths are survived as by `Queue`."""

    def __init__(self, *, ctx: Any = None, name: str | None = None) -> None:
        super().__init__(0, name)

    def put(self, obj: Any) -> None:
        """Puts an object; waits for room."""
        self._check_open()
        self._put(obj, True, None)

    def get(self) -> Any:
        """Takes the oldest object; waits for one."""
        self._check_open()
        return self._get(True, None)
