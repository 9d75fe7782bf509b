"""The connection to a host: `memlane.connect`."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Literal

from .. import _memlane
from .._memlane import Client, Closed
from .channels import FramePublisher, FrameSubscriber, StreamPublisher, StreamSubscriber
from .contents import Array, Raw, Record, Text, Value
from .locks import Lock, RLock, RwLock
from .messages import Pipe, PipeEnd, Queue
from .region import Holds
from .signals import Barrier, Condition, Event, Semaphore, SignalSemaphore

if TYPE_CHECKING:
    import builtins
    import types
    from collections.abc import Callable

    from .._memlane import Space

# All of this process: a pickled object finds its own here.
_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def connect(
    address: str = "127.0.0.1",
    *,
    token: str | None = None,
    fingerprint: str | None = None,
    tls: bool = False,
    timeout: float | None = None,
    local: bool = True,
) -> Connection:
    """Connects to the host (`memlane host`) at an address.

    address: "192.168.1.5", "lab:7440" or "[::1]:7440"; the port is 7440 unless said
    token: what the host printed when it started; otherwise MEMLANE_TOKEN, or what is in the file named by
        MEMLANE_TOKEN_FILE. On the host's own machine, its user needs none
    fingerprint: of the host's certificate, as it printed it: TLS, with exactly that one
    tls: TLS, with a certificate that a known authority vouches for
    timeout: for how many seconds a call goes on without a connection while another one is sought, before it is a
        ConnectionError; None seeks for ever
    local: whether to be given the memory itself where this process is on the host's machine and may have it

    It is tried once: ConnectionError when nobody answers, PermissionError without the right token.
    """
    return Connection(address, token, fingerprint, tls, timeout, local)


class Connection:
    """A host's regions. On the host's machine, where its secret can be read, these are the regions themselves: `mode` is
    "local", and every method gives the class of the package `memlane`. Otherwise it is "remote", and it gives the class of
    that name in `memlane.remote`, with the same methods; `why` says why.

    When the network fails, the client connects again by itself and goes on: what changes something is done exactly once.
    Only when the host was started anew meanwhile, a call that was underway is memlane.OutcomeUnknown; and what was held,
    such as a lock, is held no more: giving it back is memlane.NotOwner.

    Used by any number of threads. A child that was forked connects anew by itself. It pickles by its address, without the
    token: the other process uses its own.
    """

    def __init__(
        self,
        address: str,
        token: str | None,
        fingerprint: str | None,
        tls: bool,
        timeout: float | None,
        local: bool,
    ) -> None:
        self._token = token
        self._said = address, fingerprint, tls, timeout, local
        self._lock = threading.Lock()
        self._begin()
        _connections.add(self)

    def _begin(self) -> None:
        """A session of this process."""
        address, fingerprint, tls, timeout, local = self._said
        self._native = Client(
            address,
            token=self._token,
            fingerprint=fingerprint,
            tls=tls,
            patience=timeout,
            local=local,
            name=os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c") else "python",
        )
        self._process = os.getpid()
        self._held = Holds()
        # Both hold without a connection too.
        self._space, self._why = self._native.space, self._native.why

    def _client(self) -> Client:
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid() and not self._native.closed:
                    self._begin()
        return self._native

    def _holds(self) -> Holds:
        self._client()
        return self._held

    @property
    def mode(self) -> str:
        """ "local" when it has the memory itself, "remote" when everything goes through the host."""
        return "remote" if self._space is None else "local"

    @property
    def why(self) -> str:
        """Why it is in that mode, for people."""
        return self._why

    def mode_of(self, id: str) -> str:
        """The mode for one region: "remote" also where the connection is local, but this process may not write the
        region's file."""
        return self._client().mode_of(id)

    def why_of(self, id: str) -> str:
        """Why a region is in that mode, for people."""
        return self._client().why_of(id)

    @property
    def access(self) -> str:
        """ "read-write" or "read-only", as the token says."""
        return self._client().access

    @property
    def space(self) -> Space | None:
        """The host's space, when this is local."""
        return self._space

    @property
    def address(self) -> str:
        """The host's address and port."""
        return self._native.address

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._client().connected

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._native.closed

    def close(self) -> None:
        """Ends the session: the host gives back what it holds, and tells the next. What is local stays open."""
        if self._process == os.getpid():
            self._native.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        mode = "closed" if self.closed else self.mode
        return f"<memlane.Connection to {self.address}, {mode}>"

    def __reduce__(self) -> tuple[Callable[..., Connection], tuple[Any, ...]]:
        return _reconnected, self._said

    # The space.

    def list(self, *patterns: str) -> builtins.list[dict[str, Any]]:
        """The regions, or those whose ids match one of the patterns: what `memlane ls --json` shows."""
        return self._rows("regions", {"op": "list", "patterns": patterns})

    def describe(self, id: str) -> dict[str, Any]:
        """All that is known of a region: what `memlane show --json` shows. FileNotFoundError when there is none."""
        return self._client().request({"op": "describe", "id": id})[0]

    def participants(self) -> builtins.list[dict[str, Any]]:
        """Which processes are attached where: what `memlane ps --json` shows."""
        return self._rows("participants", {"op": "participants"})

    def locks(self, all: bool = False) -> builtins.list[dict[str, Any]]:
        """Which locks are held or waited for, and with `all` the free ones: what `memlane locks --json` shows."""
        return self._rows("locks", {"op": "locks", "all": all})

    def status(self) -> dict[str, Any]:
        """How the host does: sessions, connections, leases, subscriptions …"""
        return self._client().request({"op": "status"})[0]

    def delete(self, id: str) -> None:
        """Removes a region's name; whoever has it open goes on. FileNotFoundError when there is none."""
        self._client().request({"op": "delete", "id": id})

    def wait_for(self, id: str, timeout: float | None = None) -> None:
        """Waits until a region has this id: for tools that start before their producer. TimeoutError when time is up."""
        deadline = None if timeout is None else time.monotonic() + timeout
        # Watched before the look, so that nothing is missed.
        news = self._client().subscribe({"op": "watch", "patterns": [id]})
        try:
            while not any(row["id"] == id for row in self.list(id)):
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if news.next(left) is None:
                    raise TimeoutError(f"no region `{id}` at the host {self.address} within {timeout} s")
        finally:
            news.close()

    def __contains__(self, id: str) -> bool:
        return any(row["id"] == id for row in self.list(id))

    def _rows(self, name: str, operation: dict[str, Any]) -> builtins.list[dict[str, Any]]:
        rows: builtins.list[dict[str, Any]] = self._client().request(operation)[0][name]
        return rows

    # The regions. A missing one is made, as by the classes of the package; `create` says otherwise.

    def _region(self, here: Any, there: Any, id: str, *given: Any, **options: Any) -> Any:
        """The class of the package on the host's space, or the remote one."""
        if self.closed:
            raise Closed(f"the connection to the host at {self.address} was closed")
        if self._is_here(id):
            return here(id, *given, **options, space=self._space)
        return there(self, id, *given, **options)

    def value(
        self, id: str, initial: Any = None, *, dtype: Any = None, create: bool | None = None
    ) -> _memlane.Value | Value:
        """A number or truth value: memlane.Value."""
        region: _memlane.Value | Value = self._region(
            _memlane.Value, Value, id, initial, dtype=dtype, create=create
        )
        return region

    def record(self, id: str, dtype: Any = None, *, create: bool | None = None) -> _memlane.Record | Record:
        """A structure: memlane.Record."""
        region: _memlane.Record | Record = self._region(_memlane.Record, Record, id, dtype, create=create)
        return region

    def text(
        self, id: str, capacity: int | None = None, *, create: bool | None = None
    ) -> _memlane.Text | Text:
        """Text: memlane.Text."""
        region: _memlane.Text | Text = self._region(_memlane.Text, Text, id, capacity, create=create)
        return region

    def array(
        self, id: str, shape: Any = None, dtype: Any = None, *, create: bool | None = None
    ) -> _memlane.Array | Array:
        """Elements: memlane.Array."""
        region: _memlane.Array | Array = self._region(_memlane.Array, Array, id, shape, dtype, create=create)
        return region

    def raw(self, id: str, size: int | None = None, *, create: bool | None = None) -> _memlane.Raw | Raw:
        """Bytes: memlane.Raw."""
        region: _memlane.Raw | Raw = self._region(_memlane.Raw, Raw, id, size, create=create)
        return region

    def lock(
        self,
        id: str,
        *,
        timeout: float | None = None,
        on_owner_death: Literal["raise", "continue"] = "raise",
        detached: bool = False,
        create: bool | None = None,
    ) -> _memlane.Lock | Lock:
        """A lock: memlane.Lock."""
        region: _memlane.Lock | Lock = self._region(
            _memlane.Lock,
            Lock,
            id,
            timeout=timeout,
            on_owner_death=on_owner_death,
            detached=detached,
            create=create,
        )
        return region

    def rlock(
        self,
        id: str,
        *,
        timeout: float | None = None,
        on_owner_death: Literal["raise", "continue"] = "raise",
        create: bool | None = None,
    ) -> _memlane.RLock | RLock:
        """A lock that its thread may take again: memlane.RLock."""
        region: _memlane.RLock | RLock = self._region(
            _memlane.RLock, RLock, id, timeout=timeout, on_owner_death=on_owner_death, create=create
        )
        return region

    def rwlock(self, id: str, *, create: bool | None = None) -> _memlane.RwLock | RwLock:
        """A lock for many readers or one writer: memlane.RwLock."""
        region: _memlane.RwLock | RwLock = self._region(_memlane.RwLock, RwLock, id, create=create)
        return region

    def semaphore(
        self, id: str, value: int = 1, *, timeout: float | None = None, create: bool | None = None
    ) -> _memlane.Semaphore | Semaphore:
        """Permits: memlane.Semaphore."""
        region: _memlane.Semaphore | Semaphore = self._region(
            _memlane.Semaphore, Semaphore, id, value, timeout=timeout, create=create
        )
        return region

    def signal_semaphore(
        self, id: str, value: int = 0, *, maximum: int | None = None, create: bool | None = None
    ) -> _memlane.SignalSemaphore | SignalSemaphore:
        """Signals that are counted: memlane.SignalSemaphore."""
        region: _memlane.SignalSemaphore | SignalSemaphore = self._region(
            _memlane.SignalSemaphore, SignalSemaphore, id, value, maximum=maximum, create=create
        )
        return region

    def event(
        self, id: str, *, auto_reset: bool = False, create: bool | None = None
    ) -> _memlane.Event | Event:
        """A flag to wait for: memlane.Event."""
        region: _memlane.Event | Event = self._region(
            _memlane.Event, Event, id, auto_reset=auto_reset, create=create
        )
        return region

    def condition(
        self, id: str, lock: Any = None, *, threads: int = 128, create: bool | None = None
    ) -> _memlane.Condition | Condition:
        """Waiting under a lock: memlane.Condition."""
        region: _memlane.Condition | Condition = self._region(
            _memlane.Condition, Condition, id, lock, threads=threads, create=create
        )
        return region

    def barrier(
        self, id: str, parties: int = 2, *, timeout: float | None = None, create: bool | None = None
    ) -> _memlane.Barrier | Barrier:
        """A meeting: memlane.Barrier, without an action."""
        region: _memlane.Barrier | Barrier = self._region(
            _memlane.Barrier, Barrier, id, parties, timeout=timeout, create=create
        )
        return region

    def queue(
        self,
        id: str,
        capacity: int | None = None,
        *,
        messages: int | None = None,
        acknowledged: bool = False,
        create: bool | None = None,
        unpickle: bool = False,
    ) -> _memlane.Queue | Queue:
        """Messages, each taken once: memlane.Queue. What was pickled comes over the network as bytes, unless
        `unpickle=True` says that everybody who may put is trusted like this program itself."""
        options = self._only_there(id, unpickle=unpickle)
        region: _memlane.Queue | Queue = self._region(
            _memlane.Queue,
            Queue,
            id,
            capacity,
            messages=messages,
            acknowledged=acknowledged,
            create=create,
            **options,
        )
        return region

    def pipe(
        self,
        id: str,
        *,
        capacity: int = 1048576,
        duplex: bool = True,
        create: bool | None = None,
        unpickle: bool = False,
    ) -> _memlane.Pipe | Pipe:
        """A pipe whose ends are to be taken: memlane.Pipe. `unpickle` as of `queue`."""
        options = self._only_there(id, unpickle=unpickle)
        region: _memlane.Pipe | Pipe = self._region(
            _memlane.Pipe, Pipe, id, capacity=capacity, duplex=duplex, create=create, **options
        )
        return region

    def pipe_end(
        self,
        id: str,
        side: Literal["left", "right"],
        *,
        capacity: int | None = None,
        duplex: bool = True,
        create: bool | None = None,
        unpickle: bool = False,
    ) -> _memlane.PipeEnd | PipeEnd:
        """An end of a pipe: memlane.PipeEnd. `unpickle` as of `queue`."""
        options = self._only_there(id, unpickle=unpickle)
        region: _memlane.PipeEnd | PipeEnd = self._region(
            _memlane.PipeEnd, PipeEnd, id, side, capacity=capacity, duplex=duplex, create=create, **options
        )
        return region

    def frames(
        self,
        id: str,
        *,
        rate: float | None = None,
        scale: int | None = None,
        jpeg: int | None = None,
        wait: float | None = 0,
    ) -> _memlane.FrameSubscriber | FrameSubscriber:
        """A reader of frames: memlane.FrameSubscriber. The host sees to what only it can, also in local mode:

        rate: frames a second at most
        scale: the mean of so many pixels in each direction becomes one
        jpeg: pictures come compressed, with this quality (1 to 100)
        """
        if rate is not None or scale is not None or jpeg is not None:
            return FrameSubscriber(self, id, rate=rate, scale=scale, jpeg=jpeg, wait=wait)
        region: _memlane.FrameSubscriber | FrameSubscriber = self._region(
            _memlane.FrameSubscriber, FrameSubscriber, id, wait=wait
        )
        return region

    def frame_publisher(
        self,
        id: str,
        shape: Any = None,
        dtype: Any = None,
        *,
        encoding: str | None = None,
        size: int | None = None,
        history: int = 2,
        borrows: int = 8,
        create: bool | None = None,
    ) -> _memlane.FramePublisher | FramePublisher:
        """The one who publishes frames: memlane.FramePublisher."""
        region: _memlane.FramePublisher | FramePublisher = self._region(
            _memlane.FramePublisher,
            FramePublisher,
            id,
            shape,
            dtype,
            encoding=encoding,
            size=size,
            history=history,
            borrows=borrows,
            create=create,
        )
        return region

    def stream(
        self, id: str, *, history: int = 0, wait: float | None = 0
    ) -> _memlane.StreamSubscriber | StreamSubscriber:
        """A reader of records: memlane.StreamSubscriber."""
        region: _memlane.StreamSubscriber | StreamSubscriber = self._region(
            _memlane.StreamSubscriber, StreamSubscriber, id, history=history, wait=wait
        )
        return region

    def stream_publisher(
        self,
        id: str,
        dtype: Any = None,
        *,
        shape: Any = None,
        capacity: int = 1024,
        lossless: bool = False,
        create: bool | None = None,
    ) -> _memlane.StreamPublisher | StreamPublisher:
        """The one who publishes records: memlane.StreamPublisher."""
        region: _memlane.StreamPublisher | StreamPublisher = self._region(
            _memlane.StreamPublisher,
            StreamPublisher,
            id,
            dtype,
            shape=shape,
            capacity=capacity,
            lossless=lossless,
            create=create,
        )
        return region

    def _is_here(self, id: str) -> bool:
        return self._space is not None and self.mode_of(id) == "local"

    def _only_there(self, id: str, **options: Any) -> dict[str, Any]:
        """Options that the class of the package does not have."""
        return {} if self._is_here(id) else options


def _reconnected(
    address: str, fingerprint: str | None, tls: bool, timeout: float | None, local: bool
) -> Connection:
    """The connection of this process that a pickled one was, or another one like it."""
    said = address, fingerprint, tls, timeout, local
    for connection in list(_connections):
        if connection._said == said and not connection.closed:
            return connection
    return Connection(address, None, fingerprint, tls, timeout, local)


@atexit.register
def _at_exit() -> None:
    """What the sessions hold is given back at once, not when the host's grace time is over."""
    for connection in list(_connections):
        connection.close()
