"""pyzmq, over a Unix socket: `ipc://`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import zmq

from ..scenarios import SHAPE, Picture


class PushPull:
    """A PUSH and a PULL socket: nothing is lost."""

    def __init__(self, name: str) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self._address = f"ipc://{Path(self._directory.name) / 'socket'}"

    def __getstate__(self) -> dict[str, str]:
        # The directory is the maker's to remove.
        return {"_address": self._address}

    def close(self) -> None:
        """Removes the socket's directory."""
        self._directory.cleanup()

    def sender(self) -> Callable[[bytes], object]:
        """Copied: a frame object costs more than 8 bytes do."""
        send: Callable[[bytes], object] = self._pushing().send
        return send

    def receiver(self) -> Callable[[], bytes]:
        """Copied, too."""
        receive: Callable[[], bytes] = self._pulling().recv
        return receive

    def writer(self) -> Callable[[Picture], object]:
        """Copied once by pyzmq: without, the picture could not be changed before it is sent."""
        return partial(self._pushing().send, copy=True)

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Not copied: an array of what was received."""
        socket = self._pulling()

        def read(look: Callable[[Picture], float]) -> float:
            return look(np.frombuffer(socket.recv(copy=False).buffer, "uint8").reshape(SHAPE))

        return read

    def _pushing(self) -> zmq.Socket[bytes]:
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUSH)
        socket.bind(self._address)
        return socket

    def _pulling(self) -> zmq.Socket[bytes]:
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PULL)
        socket.connect(self._address)
        return socket


class Import:
    """All of it."""

    statement = "import zmq"

    def __init__(self, name: str) -> None:
        """Nothing is shared: the name is of no use."""
