"""Redis: a server of its own on a Unix socket, without anything on disk."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import redis

from ..scenarios import BATCH, SHAPE, Picture

# Who pushes waits when there are more: else it is measured how fast the server's memory fills.
_MOST = 30_000


class _Served:
    def __init__(self, name: str) -> None:
        self._name = name
        self._directory = tempfile.TemporaryDirectory()
        self._socket = str(Path(self._directory.name) / "socket")
        self._server = subprocess.Popen(
            ["redis-server", "--port", "0", "--save", "", "--appendonly", "no", "--unixsocket", self._socket],
            cwd=self._directory.name,
            stdout=subprocess.DEVNULL,
        )
        while not Path(self._socket).exists():
            if self._server.poll() is not None:
                raise RuntimeError("redis-server ends at once")
            time.sleep(0.001)

    def __getstate__(self) -> dict[str, str]:
        # The server and its directory are the maker's to end.
        return {"_name": self._name, "_socket": self._socket}

    def close(self) -> None:
        """Ends the server."""
        self._server.kill()
        self._server.wait()
        self._directory.cleanup()

    def _client(self) -> Any:
        return redis.Redis(unix_socket_path=self._socket)


class List(_Served):
    """Messages as the elements of a list, pushed at one end and popped at the other one."""

    def sender(self) -> Callable[[bytes], object]:
        """`LPUSH` of one."""
        push = self.batch_sender()
        return lambda message: push([message])

    def receiver(self) -> Callable[[], bytes]:
        """`BRPOP`."""
        client = self._client()

        def receive() -> bytes:
            message: bytes = client.brpop(self._name)[1]
            return message

        return receive

    def batch_sender(self) -> Callable[[list[bytes]], object]:
        """`LPUSH` of many."""
        client = self._client()

        def send(messages: list[bytes]) -> None:
            length = client.lpush(self._name, *messages)
            while length > _MOST:
                time.sleep(0.0001)
                length = client.llen(self._name)

        return send

    def batch_receiver(self) -> Callable[[], Sequence[bytes]]:
        """`BLMPOP`: those that are there."""
        client = self._client()

        def receive() -> Sequence[bytes]:
            messages: Sequence[bytes] = client.blmpop(0, 1, self._name, direction="RIGHT", count=BATCH)[1]
            return messages

        return receive


class Key(_Served):
    """The newest as the value of a key, asked for again and again."""

    def writer(self) -> Callable[[Picture], object]:
        """`SET`, and a number beside it that says that it is another one."""
        client = self._client()

        def write(picture: Picture) -> None:
            with client.pipeline() as both:
                both.set(self._name, picture.data.cast("B")).incr(f"{self._name}.version").execute()

        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """`GET` of the number until it is another one, and `MGET` of both."""
        client = self._client()
        version = f"{self._name}.version"
        seen: bytes | None = None

        def read(look: Callable[[Picture], float]) -> float:
            nonlocal seen
            while client.get(version) == seen:
                pass
            seen, picture = client.mget(version, self._name)
            return look(np.frombuffer(picture, "uint8").reshape(SHAPE))

        return read

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One key for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        client = self._client()
        seen: bytes | None = None

        def receive() -> int:
            nonlocal seen
            while (number := client.get(at)) == seen:
                pass
            seen = number
            return int(number)

        return lambda number: client.set(to, number), receive


class Import:
    """All of it."""

    statement = "import redis"

    def __init__(self, name: str) -> None:
        """Nothing is shared: the name is of no use."""
