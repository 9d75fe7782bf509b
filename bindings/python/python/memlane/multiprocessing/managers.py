"""Managers: the standard library's, with a `SharedMemoryManager` that needs no server."""

from __future__ import annotations

import os
import weakref
from multiprocessing.managers import BaseManager, BaseProxy, SyncManager, Token
from types import TracebackType
from typing import Any, Callable, Iterable

from . import shared_memory

__all__ = ["BaseManager", "BaseProxy", "SharedMemoryManager", "SyncManager", "Token"]


class SharedMemoryManager:
    """Makes blocks and lists, and unlinks them all when it is shut down, or at the exit of the process that
    made them.

    There is no server process, hence nothing to connect to: address and authkey are taken for the signature's
    sake. When its process is killed, the blocks stay until somebody unlinks them.
    """

    def __init__(self, address: Any = None, authkey: bytes | None = None, *args: Any, **options: Any) -> None:
        self._names: dict[str, Callable[[], None]] = {}
        self._state = "initial"
        # The dict and not the manager, which would be kept alive; and in this process, not in its children.
        self._end = weakref.finalize(self, _unlink_all, self._names, os.getpid())

    def start(self, initializer: Callable[..., object] | None = None, initargs: Iterable[Any] = ()) -> None:
        """Begins. The initializer is what a server process would call, and is called here."""
        if self._state != "initial":
            raise ValueError(f"this manager has been {self._state} already")
        if initializer is not None:
            initializer(*initargs)
        self._state = "started"

    def shutdown(self) -> None:
        """Unlinks everything that was made. Views and handles stay good."""
        self._end()
        self._state = "shut down"

    def SharedMemory(self, size: int) -> shared_memory.SharedMemory:
        """A new block."""
        self._check_started()
        return self._keep(shared_memory.SharedMemory(create=True, size=size))

    def ShareableList(self, sequence: Iterable[Any] | None) -> shared_memory.ShareableList[Any]:
        """A new list."""
        self._check_started()
        made: shared_memory.ShareableList[Any] = shared_memory.ShareableList(sequence)
        self._keep(made.shm)
        return made

    def _check_started(self) -> None:
        if self._state != "started":
            raise ValueError(f"a manager makes things when it is started; this one is {self._state}")

    def _keep(self, block: shared_memory.SharedMemory) -> shared_memory.SharedMemory:
        self._names[block.name] = block.unlink
        return block

    def __enter__(self) -> SharedMemoryManager:
        if self._state == "initial":
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state}, of {len(self._names)} blocks>"


def _unlink_all(names: dict[str, Callable[[], None]], pid: int) -> None:
    if os.getpid() != pid:
        return
    while names:
        _, unlink = names.popitem()
        try:
            unlink()
        except FileNotFoundError:
            # The user did it, which is his right.
            pass
