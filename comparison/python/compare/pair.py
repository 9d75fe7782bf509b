"""The processes in which one way to do a thing is measured, each pinned to a core of its own."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

# A side of a scenario, given the object that is measured, opens what it needs and says what it does `count` times.
# That may be answered by a figure: how much was done of it, or how long one took.
Work = Callable[[int], float | None]
Side = Callable[[Any], Work]

# Longer than any round takes that gets on.
LIMIT = 30.0

# In which both sides have heard when the round begins.
_LEAD = 0.005

_processes = multiprocessing.get_context("spawn")


class Failed(Exception):
    """A side raised, was silent for too long, or died."""


def cores() -> Sequence[int]:
    """The two cores on which everything is measured."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("the comparison runs two processes on a core each, and this process may use one core only")
    return allowed[:2]


class Pair:
    """One process for each side of a scenario, which go to work at the same moment, as often as they are told."""

    def __init__(self, sides: Sequence[Side], measured: object) -> None:
        self._controls: list[Connection] = []
        self._workers = []
        for side, core in zip(sides, cores()):
            ours, theirs = _processes.Pipe()
            worker = _processes.Process(target=_serve, args=(theirs, core, side, measured), daemon=True)
            worker.start()
            theirs.close()
            self._controls.append(ours)
            self._workers.append(worker)

    def ready(self) -> None:
        """Waits until both sides have opened what they need."""
        _hear(self._controls, LIMIT)

    def tell(self, count: int) -> None:
        """Tells both sides to do it `count` times."""
        start = time.monotonic() + _LEAD
        for control in self._controls:
            control.send((count, start))

    def hear(self, limit: float = LIMIT) -> tuple[float, list[float | None]]:
        """Waits until they have. From the beginning of the first to the end of the last, in seconds; and what each side
        says."""
        heard = _hear(self._controls, limit)
        seconds = max(end for _, end, _ in heard) - min(begin for begin, _, _ in heard)
        return seconds, [said for _, _, said in heard]

    def kill(self) -> None:
        """SIGKILL for both sides; they are gone when this returns."""
        for worker in self._workers:
            worker.kill()
            worker.join()

    def __enter__(self) -> Pair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for control in self._controls:
            control.close()
        for worker in self._workers:
            # A side that is at work, because the other one failed, does not see the end of its orders.
            worker.join(0.5 if error is None else 0.0)
        self.kill()


def _hear(controls: Sequence[Connection], limit: float) -> list[Any]:
    """What each side says; Failed as soon as one of them fails, whatever the other one waits for."""
    heard: dict[Connection, Any] = {}
    deadline = time.monotonic() + limit
    while len(heard) < len(controls):
        silent = [control for control in controls if control not in heard]
        ready = wait(silent, max(0.0, deadline - time.monotonic()))
        if not ready:
            raise Failed(f"hangs: nothing was heard of it for {limit:.0f} s")
        for control in silent:
            if control in ready:
                heard[control] = _hear_one(control)
    return [heard[control] for control in controls]


def _hear_one(control: Connection) -> Any:
    try:
        heard = control.recv()
    except (EOFError, OSError):
        raise Failed("was killed by a signal, or ended") from None
    if isinstance(heard, Failed):
        raise heard
    return heard


def _serve(control: Connection, core: int, side: Side, measured: object) -> None:
    os.sched_setaffinity(0, {core})
    try:
        work = side(measured)
        control.send(None)
        while True:
            try:
                count, start = control.recv()
            except (EOFError, OSError):
                return
            while time.monotonic() < start:
                pass
            begin = time.monotonic()
            said = work(count)
            control.send((begin, time.monotonic(), said))
    except Exception as error:
        control.send(Failed(f"raises {type(error).__name__}: {error}"))
