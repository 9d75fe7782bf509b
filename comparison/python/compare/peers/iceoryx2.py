"""iceoryx2: publish and subscribe in shared memory, polled."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import iceoryx2
import numpy as np

from ..scenarios import SHAPE, Picture

_SIZE = int(np.prod(SHAPE))
_Picture = iceoryx2.Slice[ctypes.c_uint8]


class PublishSubscribe:
    """A publisher and a subscriber of a service."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._node: Any = None

    def close(self) -> None:
        """Removes what killed processes leave."""
        self._created().try_cleanup_dead_nodes()

    def writer(self) -> Callable[[Picture], object]:
        """Copied into a loan."""
        publisher = self._service(self._name, _Picture).publisher_builder().initial_max_slice_len(_SIZE).create()

        def write(picture: Picture) -> None:
            loan = publisher.loan_slice_uninit(_SIZE)
            ctypes.memmove(loan.payload_ptr, picture.ctypes.data, _SIZE)
            loan.assume_init().send()

        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Looked at where it lies."""
        subscriber = self._service(self._name, _Picture).subscriber_builder().create()

        def read(look: Callable[[Picture], float]) -> float:
            while (sample := subscriber.receive()) is None:
                pass
            looked = look(np.frombuffer(sample.payload().as_memory_view(), "uint8").reshape(SHAPE))
            sample.delete()
            return looked

        return read

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One service for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        number_type = ctypes.c_uint64
        publisher = self._service(f"{self._name}.{to}", number_type).publisher_builder().create()
        subscriber = self._service(f"{self._name}.{at}", number_type).subscriber_builder().create()

        def send(number: int) -> None:
            publisher.loan_uninit().write_payload(number_type(number)).send()

        def receive() -> int:
            while (sample := subscriber.receive()) is None:
                pass
            number: int = sample.payload().contents.value
            return number

        return send, receive

    def _service(self, name: str, type_: Any) -> Any:
        builder = self._created().service_builder(iceoryx2.ServiceName.new(name))
        return builder.publish_subscribe(type_).open_or_create()

    def _created(self) -> Any:
        """The node of this process."""
        if self._node is None:
            iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
            self._node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        return self._node
