"""Contexts: the standard library's, which make memlane's objects."""

from __future__ import annotations

import multiprocessing
from multiprocessing import context as _stdlib
from typing import Any, Callable

from . import connection, queues, sharedctypes, synchronize

__all__ = ["get_context"]

Barrier = synchronize.Barrier
BoundedSemaphore = synchronize.BoundedSemaphore
Condition = synchronize.Condition
Event = synchronize.Event
Lock = synchronize.Lock
RLock = synchronize.RLock
Semaphore = synchronize.Semaphore
Queue = queues.Queue
JoinableQueue = queues.JoinableQueue
SimpleQueue = queues.SimpleQueue


class _Context(_stdlib.BaseContext):
    """A context of a start method, whose objects are memlane's.

    Processes, pools and managers are the standard library's. What a pool uses inside is the standard
    library's too.
    """

    _original: Any

    Barrier = staticmethod(synchronize.Barrier)  # type: ignore[assignment]
    BoundedSemaphore = staticmethod(synchronize.BoundedSemaphore)  # type: ignore[assignment]
    Condition = staticmethod(synchronize.Condition)  # type: ignore[assignment]
    Event = staticmethod(synchronize.Event)  # type: ignore[assignment]
    Lock = staticmethod(synchronize.Lock)  # type: ignore[assignment]
    RLock = staticmethod(synchronize.RLock)  # type: ignore[assignment]
    Semaphore = staticmethod(synchronize.Semaphore)  # type: ignore[assignment]
    Queue = staticmethod(queues.Queue)  # type: ignore[assignment]
    JoinableQueue = staticmethod(queues.JoinableQueue)  # type: ignore[assignment]
    SimpleQueue = staticmethod(queues.SimpleQueue)  # type: ignore[assignment]
    Pipe = staticmethod(connection.Pipe)  # type: ignore[assignment]
    Value = staticmethod(sharedctypes.Value)
    Array = staticmethod(sharedctypes.Array)
    RawValue = staticmethod(sharedctypes.RawValue)
    RawArray = staticmethod(sharedctypes.RawArray)

    def Pool(self, *args: Any, **options: Any) -> Any:
        """A pool of the standard library, whose processes this context's method starts."""
        return self._original.Pool(*args, **options)

    def get_context(self, method: str | None = None) -> Any:
        """This one, or the one of another start method."""
        return self if method is None else get_context(method)


def _of(original: Any) -> Any:
    """A context that starts processes as `original` does, and makes memlane's objects."""
    name = f"Memlane{type(original).__name__}"
    made: Callable[[], Any] = type(name, (_Context, type(original)), {"_original": original})
    return made()


_made: dict[str, Any] = {}


def get_context(method: str | None = None) -> Any:
    """The context of a start method; of the one that is set, or the default one, when none is said."""
    original = multiprocessing.get_context(method)
    name = original.get_start_method()
    if name not in _made:
        _made[name] = _of(original)
    return _made[name]
