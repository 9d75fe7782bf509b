"""Channels of a host: frames and streams."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._memlane import Schema
from .region import ClosesAtExit, Described, Hold, ReleasesAtExit, Shaped, array_of, seconds, wait_in_thread

if TYPE_CHECKING:
    import types
    from collections.abc import Iterator

    import numpy.typing as npt

    from .._memlane import Ending, Memory, Subscription
    from .connection import Connection

_T = TypeVar("_T")

# As memlane.StreamPublisher.
_RECORDS = 1024


class _Arrays:
    """What shows memory as an array."""

    @property
    def array(self) -> npt.NDArray[Any]:
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.array
        if dtype is not None:
            return array.astype(dtype, copy=bool(copy))
        return array.copy() if copy else array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


class Frame(_Arrays, ReleasesAtExit):
    """A frame as it came: a copy, which is the caller's alone."""

    def __init__(self, body: dict[str, Any], payload: Memory, schema: Schema, missed: int) -> None:
        self._body, self._payload, self._schema, self._missed = body, payload, schema, missed

    @property
    def sequence(self) -> int:
        """Number of the frame in its channel."""
        return int(self._body["sequence"])

    @property
    def missed(self) -> int:
        """How many frames were published and not delivered since the one before."""
        return self._missed

    @property
    def timestamp(self) -> float:
        """When it was captured, in seconds since the epoch, by the host's clock."""
        return float(self._body["captured_wall"] / 1e9)

    @property
    def monotonic_ns(self) -> int:
        """When it was captured, by the monotonic clock of the host's machine."""
        return int(self._body["captured_monotonic"])

    @property
    def age(self) -> float:
        """Seconds since it was captured, as far as the clocks of both machines agree."""
        return time.time() - self.timestamp

    @property
    def encoding(self) -> str | None:
        """What it shows: "bgr8" …; "jpeg" when it came compressed."""
        encoding: str | None = self._body.get("encoding")
        return encoding

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its dimensions."""
        shape = None if self.encoding == "jpeg" else self._body.get("shape")
        return (len(self._payload),) if shape is None else tuple(shape)

    @property
    def array(self) -> npt.NDArray[Any]:
        """The frame as a NumPy array; of a compressed one, and of one of any length, its bytes."""
        schema = self._schema if self.encoding != "jpeg" and "shape" in self._body else Schema("u1")
        return array_of(self.shape, schema.dtype, self._payload)

    @property
    def bytes(self) -> bytes:
        """The frame's bytes."""
        return bytes(self._payload)

    def release(self) -> None:
        """As of memlane.Frame, which holds a slot of the channel. This one holds nothing."""

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def __enter__(self) -> Frame:
        return self

    def __repr__(self) -> str:
        return f"<memlane.remote.Frame {self.sequence} of {self.shape}>"


class _Subscriber(ClosesAtExit, Generic[_T]):
    """A place of its own in a channel, for one thread at a time."""

    def __init__(
        self, connection: Connection, id: str, maker: str, wait: float | None, **options: Any
    ) -> None:
        super().__init__(connection, id, maker, wait=wait, **options)
        if wait != 0:
            connection.wait_for(id, wait)
        self._find()
        self._alone = threading.Lock()
        self._news: Subscription | None = None

    def _subscribe(self, **delivery: Any) -> dict[str, Any]:
        """Begins, or begins elsewhere."""
        news = self._client().subscribe({"op": "subscribe", "id": self.id, **delivery})
        if self._news is not None:
            self._news.close()
        self._news = news
        fields: dict[str, Any] = news.fields
        return fields

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._alone.acquire(False):
            raise RuntimeError(f"another thread uses this subscriber of `{self.id}`: each opens its own")
        try:
            yield
        finally:
            self._alone.release()

    def _event(self, timeout: float | None, ending: Ending | None) -> tuple[dict[str, Any], Memory]:
        self._client()
        event = None if self._news is None else self._news.next(timeout, ending=ending)
        if event is None:
            raise TimeoutError(f"nothing new in region `{self.id}` within {timeout} s")
        return event

    def close(self) -> None:
        """Ends the subscription. What was delivered stays good."""
        super().close()
        if self._news is not None:
            self._news.close()


class FrameSubscriber(_Subscriber[Frame], Shaped):
    """A reader of a host's frame channel. What it is too slow for is skipped at the host, and counted; no reader slows the
    publisher.

    rate: frames a second at most
    scale: the mean of so many pixels in each direction becomes one
    jpeg: pictures come compressed, with this quality (1 to 100)
    wait: seconds to wait for the channel to be made; None for ever, 0 not at all
    """

    kind = "frames"

    def __init__(
        self,
        connection: Connection,
        id: str,
        *,
        rate: float | None = None,
        scale: int | None = None,
        jpeg: int | None = None,
        wait: float | None = 0,
    ) -> None:
        delivery = {"rate": rate, "scale": scale, "jpeg": jpeg}
        super().__init__(connection, id, "frames", wait, **delivery)
        self._schema = Schema(self._subscribe(**delivery)["schema"])
        self._kept: deque[Frame] = deque()
        self._missed = 0

    def _next(self, timeout: float | None, ending: Ending | None = None) -> Frame:
        with self._in_turn():
            if self._kept:
                return self._kept.popleft()
            body, payload = self._event(timeout, ending)
            missed = int(body.get("missed", 0))
            self._missed += missed
            return Frame(body, payload, self._schema, missed)

    def next(self, timeout: float | None = None) -> Frame:
        """The next frame; waits for one. TimeoutError when time is up."""
        return self._next(seconds(True, timeout))

    async def async_next(self, timeout: float | None = None) -> Frame:
        """`next`, for asyncio."""
        timeout = seconds(True, timeout)
        return await wait_in_thread(lambda ending: self._next(timeout, ending), self._kept.append)

    def latest(self) -> Frame | None:
        """The newest frame as it is, whether it was returned before or not; None when there never was one."""
        body, payload = self._ask("read", form="bytes")
        if not body.get("sequence"):
            return None
        return Frame(body, payload, self._schema, 0)

    @property
    def missed(self) -> int:
        """How many frames were published and not delivered."""
        return self._missed

    @property
    def encoding(self) -> str | None:
        """How the bytes of a frame are to be understood, as it is published; None when nothing is said."""
        return self._schema.encoding

    def __iter__(self) -> FrameSubscriber:
        return self

    def __next__(self) -> Frame:
        return self.next()

    def __aiter__(self) -> FrameSubscriber:
        return self

    async def __anext__(self) -> Frame:
        return await self.async_next()


class _Publisher(ClosesAtExit):
    """The right to publish, which the session has from the first time on until the end."""

    _hold_of_it: Hold | None = None

    def _publish(self, op: str, payload: Any, answer: str) -> int:
        client = self._client()
        fields, _, session = client.request({"op": op, "id": self.id}, payload)
        self._hold_of_it = Hold(client, session, fields["lease"])
        return int(fields[answer])

    def close(self) -> None:
        """Gives the right to publish back. Never fails, and may be called again."""
        super().close()
        hold, self._hold_of_it = self._hold_of_it, None
        if hold is not None:
            hold.let_go()


class FramePublisher(_Publisher, Shaped):
    """The one who publishes frames at a host; see memlane.FramePublisher. Each is sent over the network."""

    kind = "frames"

    def __init__(
        self,
        connection: Connection,
        id: str,
        shape: Any = None,
        dtype: Any = None,
        *,
        encoding: str | None = None,
        size: int | None = None,
        history: int = 2,
        borrows: int = 8,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "frame_publisher", create=False)
        made: dict[str, Any] | None = None
        if size is not None:
            made = {"capacity": size}
        elif shape is not None or dtype is not None:
            made = {"schema": str(Schema.of_frames(shape, dtype, encoding))}
        if made is not None:
            made.update(history=history, borrows=borrows)
        self._schema = Schema(self._open(create, made)["schema"])

    def publish(self, frame: Any) -> int:
        """Publishes a frame; returns its number. TypeError of another dtype, ValueError of another shape;
        memlane.PublisherExists when somebody else publishes there."""
        return self._publish("publish", self._fitted(frame), "sequence")

    def loan(self) -> FrameLoan:
        """Room for a frame: `with publisher.loan() as frame: frame.array[...] = picture` publishes it at the end, unless
        an exception ends it."""
        return FrameLoan(self)

    def _fitted(self, frame: Any) -> Any:
        if type(frame) in (bytes, bytearray, memoryview):
            return frame
        import numpy

        schema = self._schema
        array = numpy.ascontiguousarray(frame)
        if array.dtype != schema.dtype:
            raise TypeError(f"a frame of region `{self.id}` is {schema}, not of dtype {array.dtype}")
        # Of bytes of any length, which only the host knows of, the longest is the schema's.
        if array.shape != schema.shape and schema.shape[1:]:
            raise ValueError(f"a frame of region `{self.id}` is {schema}, not of shape {array.shape}")
        return array


class FrameLoan(_Arrays):
    """A frame being made; see `FramePublisher.loan`."""

    def __init__(self, publisher: FramePublisher) -> None:
        import numpy

        self._publisher: FramePublisher | None = publisher
        self._array = numpy.zeros(publisher.shape, publisher.dtype)

    @property
    def array(self) -> npt.NDArray[Any]:
        """The array to fill."""
        return self._array

    def fill(self, frame: Any) -> None:
        """Copies a frame there."""
        self._array[...] = frame

    def publish(self) -> int:
        """Publishes it; returns its number."""
        publisher, self._publisher = self._publisher, None
        if publisher is None:
            raise RuntimeError("this frame was published or discarded already: take another loan")
        return publisher.publish(self._array)

    def discard(self) -> None:
        """Does not publish it."""
        self._publisher = None

    def __enter__(self) -> FrameLoan:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if self._publisher is not None and kind is None:
            self.publish()
        self.discard()


class Records(_Arrays):
    """Records that follow each other: a copy."""

    def __init__(self, schema: Schema, body: dict[str, Any], payload: Memory) -> None:
        self._schema, self._body, self._payload = schema, body, payload

    @property
    def array(self) -> npt.NDArray[Any]:
        """The records as a NumPy array."""
        return array_of((len(self), *self._schema.shape), self._schema.dtype, self._payload)

    @property
    def first(self) -> int:
        """Number of the first of them."""
        return int(self._body["first"])

    @property
    def lost(self) -> int:
        """How many of those asked for were overwritten before they could be copied."""
        return int(self._body.get("lost", 0))

    def tolist(self) -> list[Any]:
        """The records as Python has them."""
        return [self.record(number) for number in range(len(self))]

    def record(self, number: int) -> Any:
        """One of them, counted from the first, as Python has it."""
        size = self._schema.size
        return self._schema.decode(memoryview(self._payload)[number * size : (number + 1) * size])

    def __len__(self) -> int:
        return int(self._body["count"])

    def __repr__(self) -> str:
        return f"<memlane.remote.Records {len(self)} of {self._schema}, {self.lost} lost>"


class StreamSubscriber(_Subscriber[Any], Described):
    """A reader of a host's stream, with a place of its own in it; see memlane.StreamSubscriber.

    Whoever is overtaken goes on with the oldest there is, and `lost` counts exactly what was missed.

    history: begins with up to so many records that were published before
    wait: seconds to wait for the stream to be made; None for ever, 0 not at all
    """

    kind = "stream"

    def __init__(
        self, connection: Connection, id: str, *, history: int = 0, wait: float | None = 0
    ) -> None:
        super().__init__(connection, id, "stream", wait, history=history)
        state = self._standing()
        self._cursor = max(0, int(state["published"]) - history)
        # What is gone already was not lost by this reader.
        self._cursor = max(self._cursor, int(state["published"]) - int(state["capacity"]))
        self._schema = Schema(self._subscribe(after=self._cursor)["schema"])
        self._lost = 0
        # What came and was not returned yet: a batch, and how many of it were.
        self._batch: Records | None = None
        self._returned = 0
        self._kept: deque[Any] = deque()

    def _fetch(self, timeout: float | None, ending: Ending | None) -> Records:
        """The batch that is not yet returned whole; another one where there is none."""
        while self._batch is None or self._returned >= len(self._batch):
            self._batch = Records(self._schema, *self._event(timeout, ending))
            self._returned = 0
            self._lost += self._batch.lost
        return self._batch

    def _next(self, timeout: float | None, ending: Ending | None = None) -> Any:
        with self._in_turn():
            if self._kept:
                return self._kept.popleft()
            batch = self._fetch(timeout, ending)
            record = batch.record(self._returned)
            self._returned += 1
            self._cursor = batch.first + self._returned
            return record

    def next(self, timeout: float | None = None) -> Any:
        """The next record; waits for one. TimeoutError when time is up."""
        return self._next(seconds(True, timeout))

    async def async_next(self, timeout: float | None = None) -> Any:
        """`next`, for asyncio."""
        timeout = seconds(True, timeout)
        return await wait_in_thread(lambda ending: self._next(timeout, ending), self._kept.append)

    def _next_many(self, most: int, timeout: float | None, ending: Ending | None = None) -> Records:
        with self._in_turn():
            batch = self._fetch(timeout, ending)
            part = self._part(batch, self._returned, most)
            self._returned += len(part)
            self._cursor = part.first + len(part)
            return part

    def _part(self, batch: Records, start: int, most: int) -> Records:
        count = min(most, len(batch) - start)
        if count == len(batch):
            return batch
        size = self._schema.size
        payload = memoryview(batch._payload)[start * size : (start + count) * size]
        lost = batch.lost if start == 0 else 0
        body = {"first": batch.first + start, "count": count, "lost": lost}
        return Records(self._schema, body, payload)  # type: ignore[arg-type]

    def next_many(self, most: int = 65536, timeout: float | None = None) -> Records:
        """The next records, up to `most`, at least one; waits for one. TimeoutError when time is up."""
        return self._next_many(most, seconds(True, timeout))

    async def async_next_many(self, most: int = 65536, timeout: float | None = None) -> Records:
        """`next_many`, for asyncio."""
        timeout = seconds(True, timeout)

        def give_back(records: Records) -> None:
            self._kept.extend(records.tolist())

        return await wait_in_thread(lambda ending: self._next_many(most, timeout, ending), give_back)

    def latest(self) -> Any | None:
        """The newest record, whether it was returned before or not; None when there never was one."""
        records = self._records(None, 1)
        return records.record(len(records) - 1) if len(records) else None

    def last(self, count: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """The newest `count` records as a NumPy array, oldest first; fewer when there are fewer. With `out`, an array of
        the dtype and `count` records, they are copied there, and the part of it that was filled is returned."""
        array = self._records(None, count).array
        if out is None:
            return array
        part = out[: len(array)]
        part[...] = array
        return part

    def since(self, sequence: int) -> Records:
        """The records from number `sequence` on, with how many of them are gone already."""
        return self._records(sequence, 0xFFFF_FFFF)

    def _records(self, since: int | None, most: int) -> Records:
        return Records(self._schema, *self._ask("records", since=since, most=most))

    @property
    def cursor(self) -> int:
        """Number of the next record to return."""
        return self._cursor

    def seek(self, sequence: int) -> None:
        """Goes on with record number `sequence`."""
        with self._in_turn():
            self._subscribe(after=sequence)
            self._batch, self._cursor = None, sequence
            self._kept.clear()

    @property
    def published(self) -> int:
        """How many records were ever published."""
        return int(self._standing()["published"])

    @property
    def lost(self) -> int:
        """How many records were overwritten before this reader came to them."""
        return self._lost

    @property
    def publisher(self) -> dict[str, Any] | None:
        """Who publishes; None when nobody ever did or the last one left."""
        publisher: dict[str, Any] | None = self._standing()["publisher"]
        return publisher

    def __iter__(self) -> StreamSubscriber:
        return self

    def __next__(self) -> Any:
        return self.next()

    def __aiter__(self) -> StreamSubscriber:
        return self

    async def __anext__(self) -> Any:
        return await self.async_next()


class StreamPublisher(_Publisher, Described):
    """The one who publishes records at a host; see memlane.StreamPublisher."""

    kind = "stream"

    def __init__(
        self,
        connection: Connection,
        id: str,
        dtype: Any = None,
        *,
        shape: Any = None,
        capacity: int = _RECORDS,
        lossless: bool = False,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "stream_publisher", create=False)
        made: dict[str, Any] | None = None
        if dtype is not None:
            made = {"schema": str(Schema.of(dtype, shape)), "capacity": capacity, "lossless": lossless}
        self._schema = Schema(self._open(create, made)["schema"])

    def append(self, record: Any) -> int:
        """Publishes a record: a dict, a number, an array of the dtype, or bytes. Returns its number."""
        return self._publish("append", self._schema.encode(record), "first")

    def append_many(self, records: Any) -> int:
        """Publishes records as one change: an array of them, or their bytes. Returns the number of the first."""
        several = records if isinstance(records, bytes) else self._schema.several(records)
        return self._publish("append", several, "first")

    @contextmanager
    def batch(self, count: int) -> Iterator[npt.NDArray[Any]]:
        """Room for `count` records: `with publisher.batch(n) as records: ...` gives a NumPy array and publishes it at the
        end as one change, unless an exception ends it."""
        import numpy

        records = numpy.zeros((count, *self._schema.shape), self._schema.dtype)
        yield records
        self.append_many(records)

    @property
    def published(self) -> int:
        """How many records were ever published."""
        return int(self._standing()["published"])

    @property
    def capacity(self) -> int:
        """How many records are kept."""
        return int(self._standing()["capacity"])
