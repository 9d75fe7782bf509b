"""Messages of a host: queues and pipes.

What came over the network is never unpickled unless the caller asks for it: unpickling runs what the sender wrote.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .._memlane import Closed, Ending
from .region import ClosesAtExit, Hold, seconds, wait_in_thread

if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Iterable

    from .._memlane import Memory
    from .connection import Connection

_T = TypeVar("_T")
_Tag = Literal["bytes", "utf-8", "json", "pickle"]

# As memlane.Queue and memlane.Pipe.
_QUEUE_CAPACITY = 16 << 20
_PIPE_CAPACITY = 1 << 20
# Messages in one request, whose header has to have room for their lengths.
_MOST_AT_ONCE = 1024


class Message:
    """A message as it was sent."""

    def __init__(self, tag: _Tag, bytes: bytes, redelivered: int, unpickle: bool) -> None:
        self._tag, self._bytes, self._redelivered, self._unpickle = tag, bytes, redelivered, unpickle

    @property
    def tag(self) -> _Tag:
        """What the sender says that the bytes are."""
        return self._tag

    @property
    def bytes(self) -> bytes:
        """The bytes."""
        return self._bytes

    @property
    def value(self) -> Any:
        """The object; of a pickled one the bytes, unless `unpickle=True` was said."""
        if self._tag == "utf-8":
            return self._bytes.decode()
        if self._tag == "json":
            return json.loads(self._bytes)
        if self._tag == "pickle" and self._unpickle:
            import pickle

            return pickle.loads(self._bytes)
        return self._bytes

    @property
    def redelivered(self) -> int:
        """How often it was handed out before, to somebody who died or gave it back."""
        return self._redelivered

    def __repr__(self) -> str:
        return f"<memlane.remote.Message of {len(self._bytes)} bytes, {self._tag}>"


class Lease:
    """A message taken on approval; see `Queue.lease`."""

    def __init__(self, message: Message, hold: Hold) -> None:
        self._message, self._hold = message, hold
        self._over = False

    @property
    def value(self) -> Any:
        """The object."""
        return self._message.value

    @property
    def bytes(self) -> bytes:
        """The bytes."""
        return self._message.bytes

    @property
    def redelivered(self) -> int:
        """How often it was handed out before, to somebody who died or gave it back."""
        return self._message.redelivered

    def acknowledge(self) -> None:
        """Done with it: it will not be handed out again. memlane.NotOwner when it was already, as the connection was lost
        for too long."""
        self._end("acknowledge")

    def give_back(self) -> None:
        """Gives it back: it is handed out again."""
        self._end("release")

    def _end(self, op: str) -> None:
        if self._over:
            raise RuntimeError("this message was acknowledged or given back already")
        self._over = True
        self._hold.ask(op)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if not self._over:
            self._end("acknowledge" if kind is None else "release")


class Queue(ClosesAtExit):
    """Messages of a host, each taken once, in order; see memlane.Queue.

    Bytes and text travel as such; what else is put is pickled. What is got that somebody pickled comes as bytes, unless
    `unpickle=True` was said: only where everybody who may put is trusted like this program itself.
    """

    kind = "queue"

    def __init__(
        self,
        connection: Connection,
        id: str,
        capacity: int | None = None,
        *,
        messages: int | None = None,
        acknowledged: bool = False,
        create: bool | None = None,
        unpickle: bool = False,
    ) -> None:
        super().__init__(connection, id, "queue", create=False, unpickle=unpickle)
        made = {
            "capacity": _QUEUE_CAPACITY if capacity is None else capacity,
            "most": messages,
            "acknowledged": acknowledged,
        }
        is_any = capacity is None and messages is None and not acknowledged
        self._open(create, None if is_any else made, made)
        self._unpickle = unpickle
        self._kept: deque[Message] = deque()
        self._keeping = threading.Lock()
        # Those who wait at the host at this moment.
        self._waiting: set[Ending] = set()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Puts an object. queue.Full when it does not block and there is no room, or when time is up; memlane.Closed
        after `shutdown`; ValueError when the message is larger than the queue."""
        tag, payload = _encoded(item)
        _or(queue.Full, lambda: self._ask("put", payload, tag=tag, timeout=seconds(block, timeout)))

    def put_nowait(self, item: Any) -> None:
        """`put(item, block=False)`."""
        self.put(item, block=False)

    def put_many(self, items: Iterable[Any], timeout: float | None = None) -> int:
        """Puts several bytes-like messages as few changes. Returns how many were put when time was up, or when the queue
        was shut down."""
        several = [bytes(item) for item in items]
        deadline = None if timeout is None else time.monotonic() + timeout
        put = 0
        while put < len(several):
            part = several[put : put + _MOST_AT_ONCE]
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            lengths = [len(item) for item in part]
            try:
                now = int(self._ask("put", b"".join(part), lengths=lengths, timeout=left)[0]["put"])
            except (TimeoutError, Closed) as error:
                if put:
                    break
                if isinstance(error, Closed):
                    raise
                raise queue.Full(str(error)) from None
            put += now
            if now < len(part):
                break
        return put

    def _take(self, timeout: float | None, most: int = 1, ending: Ending | None = None) -> list[Message]:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            # What is kept from now on ends the wait.
            again = Ending(ending)
            self._waiting.add(again)
            try:
                kept = self._take_kept(most)
                if kept:
                    return kept
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                answer, payload = self._ask("get", most=most, timeout=left, ending=again)
                return _messages(answer["messages"], payload, self._unpickle)
            except InterruptedError:
                if ending is not None and ending.wanted:
                    raise
            except TimeoutError as error:
                raise queue.Empty(str(error)) from None
            finally:
                self._waiting.discard(again)

    def _take_kept(self, most: int) -> list[Message]:
        with self._keeping:
            return [self._kept.popleft() for _ in range(min(most, len(self._kept)))]

    def _keep(self, messages: list[Message]) -> None:
        """Keeps what came for a task that was cancelled in the same instant: for whoever takes next, or waits already."""
        with self._keeping:
            self._kept.extend(messages)
        for waiting in list(self._waiting):
            waiting.end()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Takes the oldest object. queue.Empty when it does not block and there is none, or when time is up;
        memlane.Closed when there is none after `shutdown`."""
        return self.get_message(block, timeout).value

    async def async_get(self, timeout: float | None = None) -> Any:
        """`get`, for asyncio."""
        timeout = seconds(True, timeout)
        taken = await wait_in_thread(lambda ending: self._take(timeout, 1, ending), self._keep)
        return taken[0].value

    def get_nowait(self) -> Any:
        """`get(block=False)`."""
        return self.get(block=False)

    def get_message(self, block: bool = True, timeout: float | None = None) -> Message:
        """Takes the oldest message as it was sent."""
        return self._take(seconds(block, timeout))[0]

    def get_many(self, most: int, timeout: float | None = None) -> list[Any]:
        """Takes up to `most` objects, at least one. queue.Empty when time is up."""
        return [message.value for message in self._take(seconds(True, timeout), most)]

    def peek(self, most: int = 1) -> list[Message]:
        """The oldest messages, up to `most`, left where they are."""
        answer, payload = self._ask("peek", most=most)
        return _messages(answer["messages"], payload, self._unpickle)

    def reserve(self, size: int, block: bool = True, timeout: float | None = None) -> Reservation:
        """Room for a message of `size` bytes, to be filled: `with queue.reserve(n) as buffer: ...` sends it at the end,
        unless an exception ends it."""
        return Reservation(self, size, block, timeout)

    def lease(self, block: bool = True, timeout: float | None = None) -> Lease:
        """Takes the oldest message on approval, from an acknowledged queue: `with queue.lease() as message: ...`
        acknowledges it at the end. Ended by an exception, or by the end of the session, it is handed out again."""
        client = self._client()
        operation = {"op": "get", "id": self.id, "leased": True, "timeout": seconds(block, timeout)}
        answer, payload, session = _or(queue.Empty, lambda: client.request(operation))
        (message,) = _messages(answer["messages"], payload, self._unpickle)
        return Lease(message, Hold(client, session, answer["messages"][0]["lease"]))

    def shutdown(self) -> None:
        """Ends the queue, for all: nothing can be put any more, and `get` raises memlane.Closed when it is empty."""
        self._ask("close")

    @property
    def is_shutdown(self) -> bool:
        """Whether `shutdown` was called, by anybody."""
        return bool(self._standing()["closed"])

    def qsize(self) -> int:
        """How many messages there are."""
        return int(self._standing()["length"]) + len(self._kept)

    def empty(self) -> bool:
        """Whether there is none."""
        return self.qsize() == 0

    def full(self) -> bool:
        """Whether there are as many messages as there may be. Of bytes, whether there is room depends on the message."""
        state = self._standing()
        most = state["messages_at_most"]
        return bool(most is not None and state["length"] >= most) or bool(state["used"] >= state["capacity"])

    @property
    def capacity(self) -> int:
        """Bytes that it holds."""
        return int(self._standing()["capacity"])

    def __len__(self) -> int:
        return self.qsize()

    def __bool__(self) -> Literal[True]:
        return True

    def __iter__(self) -> Queue:
        return self

    def __next__(self) -> Any:
        try:
            return self.get()
        except Closed:
            if self._closed:
                raise
            raise StopIteration from None

    def __aiter__(self) -> Queue:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.async_get()
        except Closed:
            if self._closed:
                raise
            raise StopAsyncIteration from None


class Reservation:
    """Room for a message, for `with`; see `Queue.reserve`."""

    def __init__(self, queue: Queue, size: int, block: bool, timeout: float | None) -> None:
        self._queue, self._block, self._timeout = queue, block, timeout
        self._buffer = bytearray(size)

    def __enter__(self) -> memoryview:
        return memoryview(self._buffer)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if kind is None:
            self._queue.put(self._buffer, self._block, self._timeout)


class Pipe(ClosesAtExit):
    """A pipe of a host whose ends are to be taken; see memlane.Pipe."""

    kind = "pipe"

    def __init__(
        self,
        connection: Connection,
        id: str,
        *,
        capacity: int = _PIPE_CAPACITY,
        duplex: bool = True,
        create: bool | None = None,
        unpickle: bool = False,
    ) -> None:
        super().__init__(connection, id, "pipe", create=False, unpickle=unpickle)
        self._open(create, {"capacity": capacity, "one_way": not duplex})
        self._unpickle = unpickle

    def end(self, side: Literal["left", "right"]) -> PipeEnd:
        """Takes an end. memlane.EndTaken when somebody living has it."""
        return PipeEnd(self.connection, self.id, side, create=False, unpickle=self._unpickle)


class PipeEnd(ClosesAtExit):
    """An end of a pipe of a host, which the session owns until it is closed; see memlane.PipeEnd.

    What was pickled comes as bytes, unless `unpickle=True` was said.
    """

    kind = "pipe"

    def __init__(
        self,
        connection: Connection,
        id: str,
        side: Literal["left", "right"],
        *,
        capacity: int | None = None,
        duplex: bool = True,
        create: bool | None = None,
        unpickle: bool = False,
    ) -> None:
        super().__init__(connection, id, "pipe_end", side=side, create=False, unpickle=unpickle)
        made = {"capacity": _PIPE_CAPACITY if capacity is None else capacity, "one_way": not duplex}
        self._open(create, None if capacity is None and duplex else made, made)
        both = bool(self._standing()["duplex"])
        self._side, self._unpickle = side, unpickle
        self._writable, self._readable = both or side == "left", both or side == "right"
        self._end, _ = self._hold("take_end", end=side)
        # What `poll` found, and what came for tasks that were cancelled in the same instant.
        self._kept: deque[Message] = deque()
        self._receiving = threading.Lock()

    def send(self, item: Any, timeout: float | None = None) -> None:
        """Sends an object; waits for room. queue.Full when time is up."""
        self._send(*_encoded(item), timeout)

    def send_bytes(self, bytes: Any, timeout: float | None = None) -> None:
        """Sends bytes; waits for room."""
        self._send("bytes", bytes, timeout)

    def _send(self, tag: _Tag, payload: Any, timeout: float | None) -> None:
        if not self._writable:
            raise OSError(f"this end of the one-way pipe `{self.id}` is not for sending")
        self._client()
        timeout = seconds(True, timeout)
        _or(queue.Full, lambda: self._end.ask("send", payload, tag=tag, timeout=timeout))

    def _receive(self, timeout: float | None, ending: Ending | None = None) -> Message:
        if not self._readable:
            raise OSError(f"this end of the one-way pipe `{self.id}` is not for receiving")
        self._client()
        if not self._receiving.acquire(False):
            raise RuntimeError(f"another thread is receiving at this end of pipe `{self.id}`")
        try:
            if self._kept:
                return self._kept.popleft()
            answer, payload = _or(
                queue.Empty, lambda: self._end.ask("receive", timeout=timeout, ending=ending)
            )
        finally:
            self._receiving.release()
        return Message(answer["tag"], bytes(payload), 0, self._unpickle)

    def recv(self, timeout: float | None = None) -> Any:
        """Receives an object; waits for one. queue.Empty when time is up, EOFError when there will be no more."""
        return self._receive(seconds(True, timeout)).value

    async def async_recv(self, timeout: float | None = None) -> Any:
        """`recv`, for asyncio."""
        timeout = seconds(True, timeout)
        message = await wait_in_thread(lambda ending: self._receive(timeout, ending), self._kept.append)
        return message.value

    def recv_bytes(self, timeout: float | None = None) -> bytes:
        """Receives a message's bytes, whatever they are."""
        return self._receive(seconds(True, timeout)).bytes

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether `recv` would not wait: there is a message, or never will be one. Waits up to `timeout` for that; None
        waits for ever."""
        try:
            message = self._receive(seconds(True, timeout))
        except queue.Empty:
            return False
        except EOFError:
            return True
        self._kept.appendleft(message)
        return True

    @property
    def side(self) -> Literal["left", "right"]:
        """Which end it is."""
        return self._side

    @property
    def writable(self) -> bool:
        """Whether it can send."""
        return self._writable

    @property
    def readable(self) -> bool:
        """Whether it can receive."""
        return self._readable

    def close(self) -> None:
        """Gives the end back: the other one reads what was sent, then EOFError. Never fails, and may be called again."""
        if not self._closed:
            super().close()
            self._end.let_go()


def _encoded(item: Any) -> tuple[_Tag, Any]:
    """As memlane.Queue.put: an object's bytes, and what they are."""
    if type(item) is str:
        try:
            return "utf-8", item.encode()
        except UnicodeEncodeError:
            pass  # lone surrogates are no UTF-8
    if type(item) in (bytes, bytearray, memoryview):
        return "bytes", item
    from multiprocessing.reduction import ForkingPickler

    return "pickle", ForkingPickler.dumps(item, 5)


def _messages(entries: list[dict[str, Any]], payload: Memory, unpickle: bool) -> list[Message]:
    """The messages of an answer, whose bytes lie one behind the other."""
    messages, start, view = [], 0, memoryview(payload)
    for entry in entries:
        end = start + entry["length"]
        content = bytes(view[start:end])
        messages.append(Message(entry["tag"], content, int(entry.get("redelivered", 0)), unpickle))
        start = end
    return messages


def _or(in_vain: type[Exception], ask: Callable[[], _T]) -> _T:
    """What is asked; another exception where it waited in vain."""
    try:
        return ask()
    except TimeoutError as error:
        raise in_vain(str(error)) from None
