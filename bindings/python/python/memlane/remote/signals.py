"""What is counted, raised, waited for and met at, of a host."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from .._memlane import NotOwner
from .locks import Lock, RLock, expect_lock
from .region import ClosesAtExit, Region, ReleasesAtExit, seconds, wait_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._memlane import Ending
    from .connection import Connection

_T = TypeVar("_T")


class _Counted(ReleasesAtExit, Region):
    """What is counted, and taken one by one."""

    kind = "semaphore"

    def _take_one(self, timeout: float | None, ending: Ending | None = None) -> None:
        raise NotImplementedError

    async def async_acquire(self, timeout: float | None = None) -> bool:
        """`acquire`, for asyncio."""
        timeout = seconds(True, timeout)

        def give_back(got: bool) -> None:
            if got:
                self.release()

        return await wait_in_thread(
            lambda ending: _in_time(lambda: self._take_one(timeout, ending)), give_back
        )


class Semaphore(_Counted):
    """A number of permits of a host; see memlane.Semaphore. Permits return when the session ends.

    Permits that were taken together are given back together.
    """

    def __init__(
        self,
        connection: Connection,
        id: str,
        value: int = 1,
        *,
        timeout: float | None = None,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "semaphore", timeout=timeout, create=False)
        self._timeout = timeout
        self._open(create, {"count": value})

    def _take(self, timeout: float | None, count: int, ending: Ending | None = None) -> None:
        hold, _ = self._hold("acquire", count=count, timeout=timeout, ending=ending)
        self.connection._holds().add(self.id, ("permits", count), hold)

    def acquire(self, block: bool = True, timeout: float | None = None, *, count: int = 1) -> bool:
        """Takes permits, and says whether it got them. ValueError when there are never as many."""
        return _in_time(lambda: self._take(seconds(block, timeout), count))

    def _take_one(self, timeout: float | None, ending: Ending | None = None) -> None:
        self._take(timeout, 1, ending)

    def release(self, count: int = 1) -> None:
        """Gives permits back. memlane.NotOwner when this process does not hold so many that were taken so."""
        holds = self.connection._holds()
        taken = holds.take(self.id, ("permits", count)) or holds.take(self.id, ("permits", 1), count)
        if taken is None:
            raise NotOwner(
                f"this process does not hold {count} permits of region `{self.id}` that were taken together or one by one"
            )
        for hold in taken:
            hold.release()

    @property
    def value(self) -> int:
        """How many permits are free."""
        return int(self._standing()["free"])

    @property
    def total(self) -> int:
        """How many permits there are."""
        return int(self._standing()["total"])

    def __enter__(self) -> Semaphore:
        self._take(seconds(True, self._timeout), 1)
        return self


class SignalSemaphore(_Counted):
    """A counter of a host that anybody may raise; see memlane.SignalSemaphore."""

    def __init__(
        self,
        connection: Connection,
        id: str,
        value: int = 0,
        *,
        maximum: int | None = None,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "signal_semaphore", create=False)
        self._open(create, {"signal": True, "count": value, "most": maximum})

    def _take_one(self, timeout: float | None, ending: Ending | None = None) -> None:
        self._ask("acquire", timeout=timeout, ending=ending)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes one, and says whether it got it."""
        return _in_time(lambda: self._take_one(seconds(block, timeout)))

    def release(self, count: int = 1) -> None:
        """Raises the counter, and wakes as many as wait. ValueError above its bound."""
        self._ask("raise", count=count)

    @property
    def value(self) -> int:
        """Where it stands."""
        return int(self._standing()["free"])

    @property
    def maximum(self) -> int:
        """Its bound."""
        return int(self._standing()["total"])

    def __enter__(self) -> SignalSemaphore:
        self.acquire()
        return self


class Event(ClosesAtExit):
    """A flag of a host to wait for; see memlane.Event."""

    kind = "event"

    def __init__(
        self, connection: Connection, id: str, *, auto_reset: bool = False, create: bool | None = None
    ) -> None:
        super().__init__(connection, id, "event", create=False)
        self._open(create, {"auto_reset": auto_reset})

    def set(self) -> None:
        """Sets the flag and wakes who waits."""
        self._ask("set")

    def clear(self) -> bool:
        """Clears the flag; says whether it was set."""
        return bool(self._ask("clear")[0]["was"])

    def is_set(self) -> bool:
        """Whether it is set."""
        return bool(self._standing()["set"])

    def _wait(self, timeout: float | None, ending: Ending | None = None) -> bool:
        return _in_time(lambda: self._ask("await", timeout=timeout, ending=ending))

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is set, which an auto-reset event then is no more. False when time was up."""
        return self._wait(seconds(True, timeout))

    async def async_wait(self, timeout: float | None = None) -> bool:
        """`wait`, for asyncio."""
        timeout = seconds(True, timeout)

        def give_back(was_set: bool) -> None:
            if was_set and self.auto_reset:
                self.set()

        return await wait_in_thread(lambda ending: self._wait(timeout, ending), give_back)

    @property
    def auto_reset(self) -> bool:
        """Whether each setting lets one through."""
        return bool(self._standing()["auto_reset"])


class Condition(ReleasesAtExit, Region):
    """Something of a host to wait for under a lock; see memlane.Condition."""

    kind = "condition"

    def __init__(
        self,
        connection: Connection,
        id: str,
        lock: Lock | RLock | None = None,
        *,
        threads: int = 128,
        create: bool | None = None,
    ) -> None:
        options: dict[str, Any] = {"create": False} if lock is None else {"lock": lock, "create": False}
        super().__init__(connection, id, "condition", **options)
        self._open(create, None if create is None else {"count": threads}, {"count": threads})
        self._lock = Lock(connection, id, create=False) if lock is None else expect_lock(lock)

    @property
    def lock(self) -> Lock | RLock:
        """The lock to hold."""
        return self._lock

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes the lock, as its own `acquire` does."""
        return self._lock.acquire(block, timeout)

    def release(self) -> None:
        """Gives the lock back."""
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Gives the lock back, waits until notified, and takes it again. False when time was up. memlane.NotOwner when
        this thread does not hold the lock."""
        self._client()
        return self._lock._wait_with(self.id, seconds(True, timeout))

    def wait_for(self, predicate: Callable[[], _T], timeout: float | None = None) -> _T:
        """Waits until `predicate()` holds, which is asked under the lock, at first and after each notification. Returns
        what it said last."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            said = predicate()
            left = None if deadline is None else deadline - time.monotonic()
            if said or (left is not None and left <= 0):
                return said
            self.wait(left)

    def notify(self, n: int = 1) -> int:
        """Lets those `n` go who wait longest; returns how many there were."""
        return int(self._ask("notify", count=n)[0]["notified"])

    def notify_all(self) -> int:
        """Lets everybody go who waits; returns how many there were."""
        return int(self._ask("notify")[0]["notified"])

    def __enter__(self) -> Condition:
        self._lock.__enter__()
        return self


class Barrier(ClosesAtExit):
    """A meeting at a host; see memlane.Barrier."""

    kind = "barrier"

    def __init__(
        self,
        connection: Connection,
        id: str,
        parties: int = 2,
        *,
        timeout: float | None = None,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "barrier", parties=parties, timeout=timeout, create=False)
        self._timeout = timeout
        self._open(create, {"count": parties})

    def wait(self, timeout: float | None = None) -> int:
        """Arrives and waits for the others. Returns how many had arrived before, so that exactly one gets 0.
        threading.BrokenBarrierError when it is broken: by a death, by somebody whose time was up, by `abort`."""
        timeout = seconds(True, self._timeout if timeout is None else timeout)
        try:
            return int(self._ask("meet", timeout=timeout)[0]["index"])
        except TimeoutError as error:
            raise threading.BrokenBarrierError(str(error)) from None

    def abort(self) -> None:
        """Breaks the barrier: who waits is told, and nobody gets through until `reset`."""
        self._ask("abort")

    def reset(self) -> None:
        """Begins anew: who waits is told that it was broken, who arrives from now on meets."""
        self._ask("reset")

    @property
    def parties(self) -> int:
        """How many meet."""
        return int(self._standing()["parties"])

    @property
    def n_waiting(self) -> int:
        """How many have arrived and wait."""
        return int(self._standing()["waiting"])

    @property
    def broken(self) -> bool:
        """Whether it is broken."""
        return bool(self._standing()["broken"])


def _in_time(wait: Callable[[], object]) -> bool:
    try:
        wait()
    except TimeoutError:
        return False
    return True
