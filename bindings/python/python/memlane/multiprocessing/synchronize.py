"""Locks, semaphores, conditions, events and barriers that no death can block.

They have the signatures of `multiprocessing.synchronize`. Different are: all pickle at any time, not only
while a process is started; each takes a `name`, by which unrelated processes find it; and what happens when a
process dies is said with each class. Waiting lets other threads run, and Ctrl-C ends it.
"""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import Any, Callable, TypeVar

from .. import _memlane as native
from . import _space

__all__ = ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"]

_T = TypeVar("_T")

# How many threads can wait for one condition at once.
_WAITING_THREADS = 1024


class Lock:
    """A lock that any process or thread may release, not only the one that took it.

    ValueError when it is released and nobody holds it. When the process that took it dies, the next one gets
    it at once; with `multiprocessing` it is locked for ever.
    """

    def __init__(self, *, name: str | None = None) -> None:
        self._native = native.Lock(
            name, detached=True, on_owner_death="continue", space=_space.space(name)
        )

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes the lock, and says whether it got it. The time counts only when it blocks; below zero it is
        over.
        """
        return self._native.acquire(bool(block), timeout)

    def release(self) -> None:
        """Gives the lock back, whoever took it."""
        try:
            self._native.release()
        except native.NotOwner as error:
            raise ValueError(f"the lock is not held by anybody: {error}") from None

    def locked(self) -> bool:
        """Whether anybody holds it."""
        return self._native.locked()

    def __enter__(self) -> bool:
        return self._native.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _is_held(self) -> bool:
        """Whether a condition may be used: this lock has no owner but the process, so that held by anybody is
        held.
        """
        return self._native.locked()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({_owner(self._native)})>"


class RLock:
    """A lock that the thread which holds it may take again; it is free when it was released as often.

    AssertionError when somebody else releases it. When its owner dies, the next one gets it at once, however
    often the owner had taken it; with `multiprocessing` it is locked for ever.
    """

    def __init__(self, *, name: str | None = None) -> None:
        self._native = native.RLock(name, on_owner_death="continue", space=_space.space(name))

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes the lock, and says whether it got it. The time counts only when it blocks; below zero it is
        over.
        """
        return self._native.acquire(bool(block), timeout)

    def release(self) -> None:
        """Gives the lock back once."""
        try:
            self._native.release()
        except native.NotOwner as error:
            raise AssertionError(f"attempt to release a lock of somebody else: {error}") from None

    def locked(self) -> bool:
        """Whether anybody holds it."""
        return self._native.locked()

    def __enter__(self) -> bool:
        return self._native.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _is_held(self) -> bool:
        """Whether this thread holds it."""
        holder = self._native.holder
        me = os.getpid(), threading.get_native_id()
        return holder is not None and (holder["pid"], holder["thread"]) == me

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({_owner(self._native)})>"


def _owner(lock: native.Lock | native.RLock) -> str:
    holder = lock.holder
    if holder is None:
        return "owner=None"
    return f"owner={holder['program']}[{holder['pid']}], count={holder['depth']}"


class Semaphore:
    """A counter that `release` raises and `acquire` takes from, and waits for.

    Anybody may release, also who did not acquire, as with `multiprocessing`. Therefore nobody knows whose a
    token is, and what a process had taken when it died is gone; nobody else is blocked by that death. Where
    tokens have to come back by themselves, `memlane.Semaphore` is the one to use.
    """

    def __init__(self, value: int = 1, *, name: str | None = None) -> None:
        self._native = self._make(value, name, None)

    @staticmethod
    def _make(value: int, name: str | None, maximum: int | None) -> native.SignalSemaphore:
        if value < 0:
            raise ValueError("a semaphore begins at 0 or above")
        return native.SignalSemaphore(name, value, maximum=maximum, space=_space.space(name))

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes a token, and says whether it got one. The time counts only when it blocks; below zero it is
        over.
        """
        return self._native.acquire(bool(block), timeout)

    def release(self) -> None:
        """Gives a token."""
        self._native.release()

    def get_value(self) -> int:
        """How many tokens there are."""
        return self._native.value

    def locked(self) -> bool:
        """Whether `acquire` would have to wait."""
        return self._native.value == 0

    def __enter__(self) -> bool:
        return self._native.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(value={self.get_value()})>"


class BoundedSemaphore(Semaphore):
    """A semaphore that never stands above where it began: ValueError when it is released too often.

    What a process had taken when it died is gone, as with `Semaphore`.
    """

    def __init__(self, value: int = 1, *, name: str | None = None) -> None:
        self._native = self._make(value, name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(value={self.get_value()}, maxvalue={self._native.maximum})>"


class Condition:
    """Waiting, under a lock, until it is worth looking again. Its lock is an `RLock` unless one is given.

    AssertionError when it is waited for or notified without the lock. `notify` wakes living waiters and never
    waits for them, whoever died waiting; with `multiprocessing` it blocks for ever then.
    """

    def __init__(self, lock: Lock | RLock | None = None, *, name: str | None = None) -> None:
        if lock is None:
            lock = RLock(name=None if name is None else f"{name}.lock")
        if not isinstance(lock, (Lock, RLock)):
            raise TypeError("a condition waits with a Lock or RLock of memlane.multiprocessing")
        self._lock = lock
        self._native = native.Condition(
            name, lock._native, threads=_WAITING_THREADS, space=_space.space(name)
        )

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes the lock."""
        return self._lock.acquire(block, timeout)

    def release(self) -> None:
        """Gives the lock back."""
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Lets the lock go, waits to be notified, and takes the lock again. False when time was up."""
        self._check_held("wait for")
        return self._native.wait(timeout)

    def wait_for(self, predicate: Callable[[], _T], timeout: float | None = None) -> _T:
        """Waits until the predicate is true, or time is up; returns what it said last."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            said = predicate()
            if said:
                return said
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return said
            self.wait(remaining)

    def notify(self, n: int = 1) -> None:
        """Wakes those `n` that wait longest."""
        self._check_held("notify")
        self._native.notify(n)

    def notify_all(self) -> None:
        """Wakes everybody who waits."""
        self._check_held("notify")
        self._native.notify_all()

    def _check_held(self, what: str) -> None:
        # Raised, not asserted: it has to be so with `python -O` too.
        if not self._lock._is_held():
            raise AssertionError(f"must acquire the lock of a condition to {what} it")

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self._lock!r})>"


class Event:
    """A flag to wait for.

    `set` never blocks, whoever was killed waiting, and may be called in a signal handler; with
    `multiprocessing` it blocks for ever in both cases.
    """

    def __init__(self, *, name: str | None = None) -> None:
        self._native = native.Event(name, space=_space.space(name))

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._native.is_set()

    def set(self) -> None:
        """Sets the flag, and wakes everybody who waits for it."""
        self._native.set()

    def clear(self) -> None:
        """Clears the flag."""
        self._native.clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the flag is set. False when time was up."""
        return self._native.wait(timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} at {id(self):#x} {'set' if self.is_set() else 'unset'}>"


class Barrier:
    """A meeting of a number of parties: whoever arrives waits for the rest.

    When a party dies waiting, the barrier breaks, and the others get threading.BrokenBarrierError; with
    `multiprocessing` they block for ever. `action` has to pickle when the barrier is passed to another
    process.
    """

    def __init__(
        self,
        parties: int,
        action: Callable[[], Any] | None = None,
        timeout: float | None = None,
        *,
        name: str | None = None,
    ) -> None:
        self._handle = native.Barrier(name, parties, action=action, timeout=timeout, space=_space.space(name))
        self._options: dict[str, Any] = {"parties": parties, "action": action, "timeout": timeout}
        self._pid = os.getpid()

    @property
    def _native(self) -> native.Barrier:
        # A party is a process: a forked child is one of its own, and so opens the barrier itself.
        if self._pid != os.getpid():
            handle = self._handle
            self._handle = native.Barrier(handle.id, create=False, space=handle.space, **self._options)
            self._pid = os.getpid()
        return self._handle

    def __getstate__(self) -> dict[str, Any]:
        return {"handle": self._native, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._handle, self._options, self._pid = state["handle"], state["options"], os.getpid()

    def wait(self, timeout: float | None = None) -> int:
        """Arrives and waits for the others; returns a number below `parties` that nobody else gets."""
        return self._native.wait(timeout)

    def reset(self) -> None:
        """Begins anew: who waits gets threading.BrokenBarrierError, who arrives from now on meets."""
        self._native.reset()

    def abort(self) -> None:
        """Breaks the barrier until it is reset."""
        self._native.abort()

    @property
    def parties(self) -> int:
        """How many meet."""
        return self._native.parties

    @property
    def n_waiting(self) -> int:
        """How many have arrived and wait."""
        return self._native.n_waiting

    @property
    def broken(self) -> bool:
        """Whether it is broken."""
        return self._native.broken

    def __repr__(self) -> str:
        state = "broken" if self.broken else f"waiters={self.n_waiting}/{self.parties}"
        return f"<{type(self).__qualname__} at {id(self):#x} {state}>"
