"""Zenoh between peers on one machine: payloads in shared memory where they are large, all else over Unix sockets."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zenoh

from ..scenarios import SHAPE, Picture

_SIZE = int(np.prod(SHAPE))
_PATIENCE = 10.0


class Publisher:
    """A publisher that waits until there is room, and a subscriber."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._directory = tempfile.TemporaryDirectory()
        self._path = self._directory.name

    def __getstate__(self) -> dict[str, str]:
        # The directory is the maker's to remove.
        return {"_name": self._name, "_path": self._path}

    def close(self) -> None:
        """Removes the sockets' directory."""
        self._directory.cleanup()

    def sender(self) -> Callable[[bytes], object]:
        """Batched: many small messages leave together."""
        return self._put(self._name, express=False)

    def receiver(self) -> Callable[[], bytes]:
        """Asleep until there is one."""
        subscriber = self._subscriber(self._name)

        def receive() -> bytes:
            message: bytes = subscriber.recv().payload.to_bytes()
            return message

        return receive

    def writer(self) -> Callable[[Picture], object]:
        """Copied to bytes, and from there to shared memory: nothing else is taken."""
        put = self._put(self._name, express=True)
        memory = zenoh.shm.ShmProvider.default_backend(16 * _SIZE)
        policy = zenoh.shm.BlockOn(zenoh.shm.GarbageCollect())

        def write(picture: Picture) -> None:
            place = memory.alloc(_SIZE, policy=policy)
            place[:] = picture.tobytes()
            put(place)

        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Copied to bytes."""
        receive = self.receiver()
        return lambda look: look(np.frombuffer(receive(), "uint8").reshape(SHAPE))

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One publisher for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        put = self._put(to, express=True)
        return lambda number: put(number.to_bytes(8, "little")), self._receive(self._subscriber(at))

    def _receive(self, subscriber: Any) -> Callable[[], int]:
        def receive() -> int:
            while (sample := subscriber.try_recv()) is None:
                pass
            return int.from_bytes(sample.payload.to_bytes(), "little")

        return receive

    def _put(self, lane: str, express: bool) -> Callable[[Any], object]:
        """Before the first one it waits for a subscriber: nothing is kept for who comes later."""
        self._publishing = session = self._opened(lane, "listen")
        blocking = zenoh.CongestionControl.BLOCK
        publisher = session.declare_publisher(lane, congestion_control=blocking, express=express)
        is_heard = False

        def put(payload: Any) -> None:
            nonlocal is_heard
            while not is_heard:
                is_heard = publisher.matching_status.matching
                time.sleep(0 if is_heard else 0.005)
            publisher.put(payload)

        return put

    def _subscriber(self, lane: str) -> Any:
        self._subscribing = session = self._opened(lane, "connect")
        return session.declare_subscriber(lane)

    def _opened(self, lane: str, how: str) -> Any:
        """A session that looks around for nobody else."""
        endpoints: dict[str, list[str]] = {"listen": [], "connect": []}
        endpoints[how].append(f"unixsock-stream/{Path(self._path) / lane}")
        settings = {
            "mode": "peer",
            "listen/endpoints": endpoints["listen"],
            "connect/endpoints": endpoints["connect"],
            "connect/timeout_ms": int(_PATIENCE * 1000),
            "connect/exit_on_failure": True,
            "connect/retry": {"period_init_ms": 10, "period_max_ms": 100, "period_increase_factor": 2},
            "scouting/multicast/enabled": False,
            "scouting/gossip/enabled": False,
            "transport/shared_memory/enabled": True,
        }
        config = zenoh.Config()
        for key, value in settings.items():
            config.insert_json5(key, json.dumps(value))
        return zenoh.open(config)


class Import:
    """All of it."""

    statement = "import zenoh"

    def __init__(self, name: str) -> None:
        """Nothing is shared: the name is of no use."""
