"""Waiting in asyncio: a thread of the process sleeps for its tasks, and tells their loops.

A coroutine first tries without waiting. Only when there is nothing to be had it is put on the thread's list,
and tries again when the thread says that it is worth it. One thread is enough for 127 tasks that wait at the
same time, which is as much as the kernel lets a thread wait for; more tasks get more threads.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio  # at run time by those alone who wait in it: importing it takes long
    from collections.abc import Callable
    from types import ModuleType

    from ._memlane import (
        Ending,
        Event,
        FrameSubscriber,
        Lock,
        PipeEnd,
        Queue,
        Reading,
        Record,
        Records,
        RLock,
        Semaphore,
        SignalSemaphore,
        StreamSubscriber,
        Text,
        Value,
        Watcher,
        _Watchable,
    )

_T = TypeVar("_T")

_lock = threading.Lock()
_threads: list[_Thread] = []
# Those of the parents of this process, which do not run here.
_left_behind: list[_Thread] = []


class _Thread:
    """One that sleeps for tasks."""

    def __init__(self) -> None:
        from ._memlane import Watcher

        self.watcher: Watcher = Watcher(self._call_back)
        # Number of the watch -> loop and future.
        self.waiting: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = {}

    def _call_back(self, number: int) -> None:
        """Runs in the thread."""
        with _lock:
            waiting = self.waiting.pop(number, None)
        if waiting is not None:
            loop, future = waiting
            try:
                loop.call_soon_threadsafe(_resolve, future)
            except RuntimeError:
                pass  # the loop was closed, and nobody waits any more


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _left_behind.extend(_threads)
    _threads.clear()


os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _at_exit() -> None:
    """None of them calls back while the interpreter ends."""
    with _lock:
        threads = _threads.copy()
    for thread in threads:
        thread.watcher.close()


def _watch(
    handle: _Watchable, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]
) -> tuple[_Thread, int]:
    with _lock:
        for thread in _threads:
            if len(thread.waiting) < thread.watcher.MOST:
                break
        else:
            thread = _Thread()
            _threads.append(thread)
        number = thread.watcher.watch(handle)
        thread.waiting[number] = loop, future
    return thread, number


def _forget(thread: _Thread, number: int) -> None:
    with _lock:
        if thread.waiting.pop(number, None) is not None and thread in _threads:
            thread.watcher.forget(number)


async def _until(
    handle: _Watchable,
    attempt: Callable[[], _T],
    timeout: float | None,
    in_vain: type[Exception] | tuple[()] = (),
) -> _T:
    """What `attempt` returns, once it is not False and no `in_vain` comes; when time is up, its last word."""
    import asyncio

    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    while True:
        future = loop.create_future()
        # On the list before the last look, so that nothing is missed.
        watch = None
        try:
            for look in range(2):
                error = None
                try:
                    outcome = attempt()
                    if outcome is not False:
                        return outcome
                except in_vain as raised:
                    error = raised
                remaining = None if deadline is None else deadline - loop.time()
                if remaining is not None and remaining <= 0:
                    if error is not None:
                        raise error
                    return outcome
                if look == 0:
                    watch = _watch(handle, loop, future)
            await asyncio.wait([future], timeout=remaining)
        finally:
            if watch is not None:
                _forget(*watch)


async def _event_wait(self: Event, timeout: float | None = None) -> bool:
    """`wait`, for asyncio."""
    return await _until(self, lambda: self.wait(0), timeout)


async def _acquire(
    self: Lock | RLock | Semaphore | SignalSemaphore, timeout: float | None = None
) -> bool:
    """`acquire`, for asyncio. A thread's lock is the loop's thread's then, and so that of all its tasks."""
    return await _until(self, lambda: self.acquire(False), timeout)


async def _queue_get(self: Queue, timeout: float | None = None) -> Any:
    """`get`, for asyncio."""
    return (await _until(self, lambda: (self.get(False),), timeout, queue.Empty))[0]


async def _recv(self: PipeEnd, timeout: float | None = None) -> Any:
    """`recv`, for asyncio."""
    return (await _until(self, lambda: (self.recv(0),), timeout, queue.Empty))[0]


async def _next(self: FrameSubscriber | StreamSubscriber, timeout: float | None = None) -> Any:
    """`next`, for asyncio."""
    return (await _until(self, lambda: (self.next(0),), timeout, TimeoutError))[0]


async def _next_many(
    self: StreamSubscriber, most: int = 65536, timeout: float | None = None
) -> Records:
    """`next_many`, for asyncio."""
    return await _until(self, lambda: self.next_many(most, 0), timeout, TimeoutError)


async def _value_wait_newer(
    self: Value, seen: Reading | None = None, timeout: float | None = None
) -> Reading:
    """`wait_newer`, for asyncio."""
    since = self.read() if seen is None else seen
    return await _until(self, lambda: self.wait_newer(since, 0), timeout, TimeoutError)


async def _wait_newer(
    self: Text | Record, version: int | None = None, timeout: float | None = None
) -> int:
    """`wait_newer`, for asyncio."""
    since = self.version if version is None else version
    return (await _until(self, lambda: (self.wait_newer(since, 0),), timeout, TimeoutError))[0]


async def in_thread(wait: Callable[[Ending], _T], give_back: Callable[[_T], object]) -> _T:
    """What `wait` returns, which runs in a thread of its own: for what waits at a host.

    When the task is cancelled, the wait is ended, and what it obtained in the same instant is given back.
    """
    import asyncio

    from ._memlane import Ending

    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()
    ending = Ending()

    def resolve(outcome: _T | None, error: BaseException | None) -> None:
        """Runs in the loop."""
        if error is None:
            future.set_result(outcome)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        outcome: _T | None = None
        error: BaseException | None = None
        try:
            outcome = wait(ending)
            if ending.wanted:
                give_back(outcome)
                error = InterruptedError("nobody waits any more")
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(resolve, outcome, error)
        except RuntimeError:
            pass  # the loop was closed, and nobody waits any more

    threading.Thread(target=run, name="memlane-wait", daemon=True).start()
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        ending.end()
        await asyncio.wait([future])
        if future.exception() is None:
            # It was on its way into the loop, which is not to wait for a host.
            await loop.run_in_executor(None, give_back, future.result())
        raise


def _aiter(self: _T) -> _T:
    """The same as iterating, for `async for`."""
    return self


async def _anext(self: FrameSubscriber | StreamSubscriber) -> Any:
    return await self.async_next()


async def _queue_anext(self: Queue) -> Any:
    from ._memlane import Closed

    try:
        return await self.async_get()
    except Closed:
        if self.closed:
            raise
        raise StopAsyncIteration from None


def add_async_forms(native: ModuleType) -> None:
    """Gives the native classes their methods that begin with `async_`."""
    forms: dict[str, dict[str, Callable[..., Any]]] = {
        "Event": {"async_wait": _event_wait},
        "Lock": {"async_acquire": _acquire},
        "RLock": {"async_acquire": _acquire},
        "Semaphore": {"async_acquire": _acquire},
        "SignalSemaphore": {"async_acquire": _acquire},
        "Queue": {"async_get": _queue_get, "__aiter__": _aiter, "__anext__": _queue_anext},
        "PipeEnd": {"async_recv": _recv},
        "FrameSubscriber": {"async_next": _next, "__aiter__": _aiter, "__anext__": _anext},
        "StreamSubscriber": {
            "async_next": _next,
            "async_next_many": _next_many,
            "__aiter__": _aiter,
            "__anext__": _anext,
        },
        "Value": {"async_wait_newer": _value_wait_newer},
        "Text": {"async_wait_newer": _wait_newer},
        "Record": {"async_wait_newer": _wait_newer},
    }
    for kind, methods in forms.items():
        for name, method in methods.items():
            setattr(getattr(native, kind), name, method)
