"""Locks of a host: they exclude everybody who uses its space, there and elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .._memlane import NotOwner, OwnerDied, WouldDeadlock
from .region import Hold, Region, ReleasesAtExit, found, seconds, wait_in_thread

if TYPE_CHECKING:
    import types
    from collections.abc import Iterator

    from .._memlane import Ending
    from .connection import Connection

_Self = TypeVar("_Self", bound="_Lock")

# How long a thread sleeps that another one may have to end.
_SLICE = 0.04


class _Lock(ReleasesAtExit, Region):
    """What a lock and a reentrant lock have in common."""

    def __init__(
        self,
        connection: Connection,
        id: str,
        *,
        timeout: float | None,
        on_owner_death: Literal["raise", "continue"],
        detached: bool,
        create: bool | None,
    ) -> None:
        options: dict[str, Any] = {"timeout": timeout, "on_owner_death": on_owner_death, "create": False}
        if detached:
            options["detached"] = True
        super().__init__(connection, id, self.kind, **options)
        if on_owner_death not in ("raise", "continue"):
            raise ValueError(f'on_owner_death is "raise" or "continue", not {on_owner_death!r}')
        self._timeout, self._detached = timeout, detached
        self._goes_on = detached or on_owner_death == "continue"
        self._open(create, {})

    # What differs: each gives the error when it is somebody's.

    def _take(
        self, timeout: float | None, who: int, ending: Ending | None = None, *, recovers: bool = False
    ) -> TimeoutError | None:
        raise NotImplementedError

    def _give(self, who: int, op: str = "release") -> None:
        raise NotImplementedError

    def _held(self) -> Hold:
        """By this thread."""
        raise NotImplementedError

    def _wait_with(self, condition: str, timeout: float | None) -> bool:
        """Gives the lock back, waits for a condition, takes it again; says whether it was notified."""
        answer, _ = self._held().ask("condition_wait", id=condition, timeout=timeout)
        return bool(answer["notified"])

    def _lease(
        self, timeout: float | None, ending: Ending | None, recovers: bool
    ) -> Hold | TimeoutError:
        try:
            hold, answer = self._hold("lock", timeout=timeout, ending=ending)
        except TimeoutError as error:
            return error
        if answer.get("owner_died") and not (self._goes_on or recovers):
            hold.ask("abandon")
            raise OwnerDied(
                f"the owner of the lock of region `{self.id}` died: what it protects may be half-changed; "
                "put it right in `with lock.recover(): ...`"
            )
        return hold

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes the lock, and says whether it got it: not when it does not block and somebody has it, or when time is
        up."""
        return self._take(seconds(block, timeout), threading.get_ident()) is None

    async def async_acquire(self, timeout: float | None = None) -> bool:
        """`acquire`, for asyncio. The lock is the loop's thread's then, and so that of all its tasks."""
        who, timeout = threading.get_ident(), seconds(True, timeout)

        def give_back(error: TimeoutError | None) -> None:
            if error is None:
                self._give(who)

        return await wait_in_thread(lambda ending: self._take(timeout, who, ending), give_back) is None

    def release(self) -> None:
        """Gives the lock back. memlane.NotOwner when this thread does not hold it, or when it was lost with the
        connection."""
        self._give(threading.get_ident())

    def abandon(self) -> None:
        """Gives the lock back and says that what it protects is half-changed: the next owner is told as if this one had
        died."""
        self._give(threading.get_ident(), "abandon")

    def recover(self, timeout: float | None = None) -> Recovery:
        """Takes the lock whatever became of its last owner, for as long as the `with` block lasts. Left without an
        exception, what it protects counts as whole again; with one, the next owner is told as before."""
        return Recovery(self, timeout)

    def locked(self) -> bool:
        """Whether anybody holds it."""
        return self._state()["holder"] is not None

    @property
    def inconsistent(self) -> bool:
        """Whether an owner died or abandoned it and nobody has put the data right since."""
        return bool(self._state()["inconsistent"])

    @property
    def holder(self) -> dict[str, Any] | None:
        """Who holds it, as `memlane locks --json` says; or None."""
        holder: dict[str, Any] | None = self._state()["holder"]
        return holder

    def _state(self) -> dict[str, Any]:
        return self._standing()

    def __enter__(self: _Self) -> _Self:
        error = self._take(seconds(True, self._timeout), threading.get_ident())
        if error is not None:
            raise error
        return self


class Recovery:
    """`with lock.recover():`; gives whether an owner died."""

    def __init__(self, lock: _Lock, timeout: float | None) -> None:
        self._lock, self._timeout = lock, timeout

    def __enter__(self) -> bool:
        error = self._lock._take(seconds(True, self._timeout), threading.get_ident(), recovers=True)
        if error is not None:
            raise error
        return self._lock.inconsistent

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if kind is None:
            self._lock._held().ask("make_consistent")
            self._lock.release()
        else:
            self._lock.abandon()


class Lock(_Lock):
    """A lock of a host; see memlane.Lock. It belongs to the thread that takes it.

    When the connection is lost for longer than the host's grace time, or the host is started anew, the lock is held no
    more: the next one gets it as from a dead owner, and giving it back is memlane.NotOwner here.
    """

    kind = "lock"

    def __init__(
        self,
        connection: Connection,
        id: str,
        *,
        timeout: float | None = None,
        on_owner_death: Literal["raise", "continue"] = "raise",
        detached: bool = False,
        create: bool | None = None,
    ) -> None:
        super().__init__(
            connection,
            id,
            timeout=timeout,
            on_owner_death=on_owner_death,
            detached=detached,
            create=create,
        )

    def _find(self) -> dict[str, Any]:
        # Every region has a lock of its own.
        self._row = found(self.connection, self.id)
        if self._row["kind"] in ("rlock", "rwlock"):
            return super()._find()
        return self._row

    def _who(self, who: int) -> object:
        return "process" if self._detached else who

    def _take(
        self, timeout: float | None, who: int, ending: Ending | None = None, *, recovers: bool = False
    ) -> TimeoutError | None:
        holds = self.connection._holds()
        if not self._detached and holds.newest(self.id, who) is not None:
            said = f"this thread holds the lock of region `{self.id}` already"
            if timeout == 0:
                return TimeoutError(said)
            raise WouldDeadlock(f"{said} and would wait for itself")
        hold = self._lease(timeout, ending, recovers)
        if isinstance(hold, TimeoutError):
            return hold
        holds.add(self.id, self._who(who), hold)
        return None

    def _give(self, who: int, op: str = "release") -> None:
        taken = self.connection._holds().take(self.id, self._who(who))
        if taken is None:
            raise NotOwner(f"this thread does not hold the lock of region `{self.id}`")
        taken[0].ask(op)

    def _held(self) -> Hold:
        hold = self.connection._holds().newest(self.id, self._who(threading.get_ident()))
        if not isinstance(hold, Hold):
            raise NotOwner(f"this thread does not hold the lock of region `{self.id}`")
        return hold

    def _state(self) -> dict[str, Any]:
        row = getattr(self, "_row", None)
        if row is None or row["kind"] == "lock":
            return self._standing()
        # A lock of a region with a content.
        rows = self.connection.locks(all=True)
        state: dict[str, Any] = next(row for row in rows if row["id"] == self.id)
        return state


class RLock(_Lock):
    """A lock of a host that the thread which holds it may take again; see memlane.RLock.

    To the host it is the session's. While a thread waits at a condition with it, the others of this connection cannot take
    it, and get memlane.WouldDeadlock: another connection can, and so can everybody wait with a Lock.
    """

    kind = "rlock"

    def __init__(
        self,
        connection: Connection,
        id: str,
        *,
        timeout: float | None = None,
        on_owner_death: Literal["raise", "continue"] = "raise",
        create: bool | None = None,
    ) -> None:
        super().__init__(
            connection, id, timeout=timeout, on_owner_death=on_owner_death, detached=False, create=create
        )

    def _turn(self) -> _Turn:
        return self.connection._holds().one(self.id, _Turn)

    def _take(
        self, timeout: float | None, who: int, ending: Ending | None = None, *, recovers: bool = False
    ) -> TimeoutError | None:
        began = time.monotonic()
        turn = self._turn()
        if not turn.enter(who, timeout, ending):
            return TimeoutError(f"another thread of this process holds the lock of region `{self.id}`")
        if turn.depth > 1:
            return None
        taken = False
        try:
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
            hold = self._lease(left, ending, recovers)
            if isinstance(hold, TimeoutError):
                return hold
            turn.hold, taken = hold, True
            return None
        finally:
            if not taken:
                turn.leave()

    def _give(self, who: int, op: str = "release") -> None:
        turn = self._turn()
        hold = turn.hold if turn.owner == who else None
        if hold is None:
            raise NotOwner(f"this thread does not hold the lock of region `{self.id}`")
        try:
            if op == "abandon":
                turn.abandoned = True
            if turn.depth == 1:
                # What was said inside is told at the end.
                turn.hold, abandoned, turn.abandoned = None, turn.abandoned, False
                hold.ask("abandon" if abandoned else "release")
        finally:
            turn.leave()

    def _held(self) -> Hold:
        turn = self._turn()
        if turn.owner != threading.get_ident() or turn.hold is None:
            raise NotOwner(f"this thread does not hold the lock of region `{self.id}`")
        return turn.hold

    def _wait_with(self, condition: str, timeout: float | None) -> bool:
        with self._turn().waiting():
            return super()._wait_with(condition, timeout)


class _Turn:
    """Whose turn it is among the threads of this process: the host knows sessions alone, and would let all of them in."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.owner: int | None = None
        self.depth = 0
        self.hold: Hold | None = None
        self.abandoned = False
        self._waits = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the owner waits at a condition. Nobody else can enter through this session, which waits with the lock."""
        with self._changed:
            self._waits = True
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._waits = False

    def enter(self, who: int, timeout: float | None, ending: Ending | None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while self.owner not in (None, who):
                if self._waits:
                    raise WouldDeadlock(
                        "another thread of this process waits at a condition with this lock, and at a host an rlock is "
                        "the session's: wait with a Lock, or use a connection for each of the threads"
                    )
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                if ending is not None and ending.wanted:
                    raise InterruptedError("nobody waits any more")
                slices = [part for part in (left, _SLICE if ending is not None else None) if part is not None]
                self._changed.wait(min(slices) if slices else None)
            self.owner = who
            self.depth += 1
            return True

    def leave(self) -> None:
        with self._changed:
            self.depth -= 1
            if self.depth == 0:
                self.owner = None
                self._changed.notify()


class RwLock(Region):
    """A lock of a host that many may hold for reading, or one for writing; see memlane.RwLock."""

    kind = "rwlock"

    def __init__(self, connection: Connection, id: str, *, create: bool | None = None) -> None:
        super().__init__(connection, id, "rwlock", create=False)
        self._open(create, {})

    def read(self, timeout: float | None = None) -> RwLockSide:
        """`with lock.read():` holds it for reading; gives True inside when its last writer died and what it protects may
        be half-changed. TimeoutError when time is up."""
        return RwLockSide(self, "shared", timeout)

    def write(self, timeout: float | None = None) -> RwLockSide:
        """`with lock.write() as died:` holds it for writing, as `read` does for reading. Who finds `died` puts the data
        right and calls `make_consistent`."""
        return RwLockSide(self, "exclusive", timeout)

    def acquire_read(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes it for reading, and says whether it got it."""
        return self._got("shared", block, timeout)

    def release_read(self) -> None:
        """Gives it back. memlane.NotOwner when this process does not hold it for reading."""
        self._give("shared")

    def acquire_write(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes it for writing, and says whether it got it."""
        return self._got("exclusive", block, timeout)

    def release_write(self) -> None:
        """Gives it back. memlane.NotOwner when this thread does not hold it for writing."""
        self._give("exclusive")

    def make_consistent(self) -> None:
        """Says that the data is right again, while holding it for writing."""
        hold = self.connection._holds().newest(self.id, self._who("exclusive"))
        if hold is None:
            raise NotOwner(f"this thread does not hold region `{self.id}` for writing")
        hold.ask("make_consistent")

    @property
    def inconsistent(self) -> bool:
        """Whether a writer died and nobody has put the data right since."""
        return bool(self._standing()["inconsistent"])

    def _who(self, mode: str) -> object:
        return mode if mode == "shared" else threading.get_ident()

    def _take(self, mode: str, timeout: float | None) -> bool:
        who, holds = self._who(mode), self.connection._holds()
        if mode == "exclusive" and holds.newest(self.id, who) is not None:
            raise WouldDeadlock(f"this thread holds region `{self.id}` for writing already")
        hold, answer = self._hold("lock", mode=mode, timeout=timeout)
        holds.add(self.id, who, hold)
        return bool(answer.get("owner_died"))

    def _got(self, mode: str, block: bool, timeout: float | None) -> bool:
        try:
            self._take(mode, seconds(block, timeout))
        except TimeoutError:
            return False
        return True

    def _give(self, mode: str) -> None:
        taken = self.connection._holds().take(self.id, self._who(mode))
        if taken is None:
            raise NotOwner(f"region `{self.id}` is not held so")
        taken[0].release()


class RwLockSide:
    """One side of a RwLock, for `with`."""

    def __init__(self, lock: RwLock, mode: str, timeout: float | None) -> None:
        self._lock, self._mode, self._timeout = lock, mode, timeout

    def __enter__(self) -> bool:
        return self._lock._take(self._mode, seconds(True, self._timeout))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self._lock._give(self._mode)


def expect_lock(lock: object) -> Lock | RLock:
    """What a condition waits with."""
    if isinstance(lock, (Lock, RLock)):
        return lock
    raise TypeError(f"a condition of a host waits with a Lock or RLock of the host, not with {type(lock)}")
