"""Pipes: two connected ends, for objects and bytes of any size.

As `multiprocessing.connection`, whose other names are here too. The bytes travel through shared memory: a
queue for each direction. Beside it runs a pipe of the operating system, with a byte for each message. It
gives `fileno` its meaning for `wait`, `select` and event loops, and it says when the other end is gone: when
all of its copies, in all processes, were closed or have died.

An end may be used by any process that has a copy of it, and also by several. A message is received as a whole
or not at all, whoever is killed sending or receiving another; a process killed in the middle of one takes
only that one along.
"""

from __future__ import annotations

import os
import select
import struct
import time
from multiprocessing import BufferTooShort
from multiprocessing.connection import Client, Listener, wait
from multiprocessing.reduction import DupFd, ForkingPickler
from queue import Empty, Full
from types import TracebackType
from typing import Any

from .. import _memlane as native
from . import _space

__all__ = ["Client", "Connection", "Listener", "Pipe", "wait"]

# Bytes on their way in each direction. Longer messages travel in parts.
_CAPACITY = 1 << 20
_PART = _CAPACITY // 4

# The pipe beside it takes 65536 bytes, of which each message has one: fewer messages than that, and none is
# left out.
_MESSAGES = 32768

# Before each part: a number for the message, its length, and where in it the part belongs.
_HEAD = struct.Struct("<QQQ")

# How often it is looked whether the other end is gone, and whether a message came whose sender was killed
# before it could say so.
_SLICE = 0.5


class Connection:
    """One end of a pipe. EOFError when the other end is gone and nothing is left; BrokenPipeError when
    sending to it.

    Different from `multiprocessing` are: several processes may use one end at once, and each gets whole
    messages as long as they are shorter than 256 KiB; nothing that was sent is lost by the death of its
    sender; when its receiver is killed in `recv`, at most the message that it was taking is lost.
    """

    def __init__(
        self,
        incoming: native.Queue | None,
        outgoing: native.Queue | None,
        read_fd: int,
        write_fd: int,
    ) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._closed = False
        self._parts: dict[int, bytearray] = {}

    @property
    def closed(self) -> bool:
        """Whether it was closed here."""
        return self._closed

    @property
    def readable(self) -> bool:
        """Whether it can receive."""
        return self._incoming is not None

    @property
    def writable(self) -> bool:
        """Whether it can send."""
        return self._outgoing is not None

    def fileno(self) -> int:
        """A descriptor that is readable when there is something to receive, or never will be."""
        self._check_open()
        return self._read_fd if self.readable else self._write_fd

    def close(self) -> None:
        """Closes this copy of the end. May be called again."""
        if self._closed:
            return
        self._closed = True
        for fd in (self._read_fd, self._write_fd):
            if fd >= 0:
                os.close(fd)
        self._read_fd = self._write_fd = -1
        for queue in (self._incoming, self._outgoing):
            if queue is not None:
                queue.close()

    def send(self, obj: Any) -> None:
        """Sends an object; waits for room."""
        self._sender()
        self._send(memoryview(ForkingPickler.dumps(obj, 5)))

    def send_bytes(self, buf: Any, offset: int = 0, size: int | None = None) -> None:
        """Sends bytes, or `size` of them from `offset`; waits for room."""
        self._sender()
        view = memoryview(buf).cast("B")
        if offset < 0:
            raise ValueError("offset is negative")
        if offset > len(view):
            raise ValueError("buffer length < offset")
        if size is None:
            size = len(view) - offset
        elif size < 0:
            raise ValueError("size is negative")
        elif offset + size > len(view):
            raise ValueError("buffer length < offset + size")
        self._send(view[offset : offset + size])

    def recv(self) -> Any:
        """Receives an object; waits for one."""
        return ForkingPickler.loads(self._receive())

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Receives a message's bytes; waits for one. OSError when there are more, and then the end is closed.
        """
        self._receiver()
        if maxlength is not None and maxlength < 0:
            raise ValueError("negative maxlength")
        message = self._receive()
        if maxlength is not None and len(message) > maxlength:
            # So it is with `multiprocessing`: who is sent too much has lost the thread.
            self.close()
            raise OSError(f"bad message length: {len(message)} bytes, more than {maxlength}")
        return bytes(message)

    def recv_bytes_into(self, buf: Any, offset: int = 0) -> int:
        """Receives a message's bytes into a buffer, from `offset` on; returns how many there are.

        multiprocessing.BufferTooShort, which has the message, when there is not as much room.
        """
        self._receiver()
        view = memoryview(buf).cast("B")
        if offset < 0:
            raise ValueError("negative offset")
        if offset > len(view):
            raise ValueError("offset too large")
        message = self._receive()
        if len(message) > len(view) - offset:
            raise BufferTooShort(bytes(message))
        view[offset : offset + len(message)] = message
        return len(message)

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether `recv` would not wait; waits up to `timeout` seconds for that, and for ever with None."""
        incoming = self._receiver()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if not incoming.empty():
                return True
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            if self._is_over(incoming, remaining):
                return True
            if remaining == 0.0:
                return not incoming.empty()

    def _receiver(self) -> native.Queue:
        self._check_open()
        if self._incoming is None:
            raise OSError("connection is write-only")
        return self._incoming

    def _sender(self) -> native.Queue:
        self._check_open()
        if self._outgoing is None:
            raise OSError("connection is read-only")
        return self._outgoing

    def _check_open(self) -> None:
        if self._closed:
            raise OSError("handle is closed")

    def _send(self, message: memoryview) -> None:
        size = len(message)
        number = int.from_bytes(os.urandom(8), "little") if size > _PART else 0
        offset = 0
        while True:
            self._send_part(_HEAD.pack(number, size, offset) + message[offset : offset + _PART])
            offset += _PART
            if offset >= size:
                return

    def _send_part(self, part: bytes) -> None:
        outgoing = self._sender()
        self._check_peer()
        while True:
            try:
                outgoing.put(part, True, _SLICE)
                break
            except Full:
                self._check_peer()
        try:
            os.write(self._write_fd, b"\0")
        except BlockingIOError:
            # It says already that there is something.
            pass

    def _check_peer(self) -> None:
        poller = select.poll()
        poller.register(self._write_fd, 0)
        if poller.poll(0):
            raise BrokenPipeError("the other end of the pipe is gone")

    def _receive(self) -> bytes | bytearray | memoryview:
        while True:
            part = self._receive_part()
            number, size, offset = _HEAD.unpack_from(part)
            body = memoryview(part)[_HEAD.size :]
            if len(body) == size:
                return body
            if offset == 0:
                self._parts[number] = bytearray()
            message = self._parts.get(number)
            if message is None or len(message) != offset:
                # Of a message whose beginning went to another process.
                continue
            message += body
            if len(message) == size:
                del self._parts[number]
                return message

    def _receive_part(self) -> bytes:
        incoming = self._receiver()
        is_over = False
        while True:
            try:
                part: bytes = incoming.get(False)
            except Empty:
                if is_over:
                    self._parts.clear()
                    raise EOFError("the other end of the pipe is gone") from None
                # Once more after it is over: the last message may have come in between.
                is_over = self._is_over(incoming, _SLICE)
                continue
            self._eat_byte()
            return part

    def _is_over(self, incoming: native.Queue, timeout: float | None) -> bool:
        """Waits for a sign from the other end, a slice at most. Whether there never will be another."""
        poller = select.poll()
        poller.register(self._read_fd, select.POLLIN)
        milliseconds = _SLICE * 1000 if timeout is None else min(timeout, _SLICE) * 1000
        for _, state in poller.poll(milliseconds):
            if not state & select.POLLIN:
                return True
            if incoming.empty():
                # Said late: somebody had taken the message before its sender came to say that it is there.
                self._eat_byte()
        return False

    def _eat_byte(self) -> None:
        try:
            os.read(self._read_fd, 1)
        except BlockingIOError:
            pass

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        self._check_open()
        read = DupFd(self._read_fd) if self.readable else None
        write = DupFd(self._write_fd) if self.writable else None
        return _rebuild, (self._incoming, self._outgoing, read, write)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # When making it failed, there is nothing to close.
        if not getattr(self, "_closed", True):
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"of descriptor {self.fileno()}"
        return f"<{type(self).__module__}.{type(self).__name__}, {state}>"


def _rebuild(
    incoming: native.Queue | None, outgoing: native.Queue | None, read: Any, write: Any
) -> Connection:
    """The end of a pickled one."""
    read_fd = -1 if read is None else read.detach()
    write_fd = -1 if write is None else write.detach()
    return Connection(incoming, outgoing, read_fd, write_fd)


def _way() -> tuple[native.Queue, int, int]:
    """One direction: its queue, and the pipe beside it."""
    queue = native.Queue(None, _CAPACITY, messages=_MESSAGES, space=_space.space(None))
    read_fd, write_fd = os.pipe()
    # Copies in other processes share this, as it belongs to the pipe.
    os.set_blocking(read_fd, False)
    os.set_blocking(write_fd, False)
    return queue, read_fd, write_fd


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:
    """Two connected ends. When it is not duplex, the first one receives and the second one sends."""
    queue, read_fd, write_fd = _way()
    if not duplex:
        return Connection(queue, None, read_fd, -1), Connection(None, _again(queue), -1, write_fd)
    back, back_read_fd, back_write_fd = _way()
    return (
        Connection(queue, back, read_fd, back_write_fd),
        Connection(_again(back), _again(queue), back_read_fd, write_fd),
    )


def _again(queue: native.Queue) -> native.Queue:
    """A handle of its own: each end closes its handles when it is closed."""
    return native.Queue(queue.id, create=False, space=queue.space)
