"""A drop-in for the standard library's `multiprocessing`: change the import, and a killed process blocks
nobody.

    from memlane.multiprocessing import Process, Queue, Value

Locks, semaphores, conditions, events, barriers, queues, pipes, values, arrays and shared memory are
memlane's:

- A holder, reader, writer or waiter may be killed at any instant, and the others go on.
- `put` is done when it returns, and what attaches to shared memory never unlinks it.
- Handles pickle at any time: over queues, into pools, to processes that run already.
- With `name=`, unrelated processes find the same object.

Everything else, `Process` and `Pool` first, is the standard library's, and its tests run against this
package. What is different is said with each class. Objects without a name have room for at least 128
processes at once.
"""

from __future__ import annotations

from multiprocessing import *  # noqa: F403
from multiprocessing import __all__ as _names

from . import connection, context, managers, queues, shared_memory, sharedctypes, synchronize
from .connection import Pipe  # type: ignore[assignment]
from .context import get_context
from .queues import JoinableQueue, Queue, SimpleQueue  # type: ignore[assignment]
from .sharedctypes import Array, RawArray, RawValue, Value
from .synchronize import (  # type: ignore[assignment]
    Barrier,
    BoundedSemaphore,
    Condition,
    Event,
    Lock,
    RLock,
    Semaphore,
)

__all__ = list(_names)
__all__ += ["connection", "context", "managers", "queues", "shared_memory", "sharedctypes", "synchronize"]
