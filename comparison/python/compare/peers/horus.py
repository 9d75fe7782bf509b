"""HORUS: topics in shared memory, polled; there is nothing in them that waits."""

from __future__ import annotations

from collections.abc import Callable

import horus

from ..scenarios import Picture

# Longer than the other side takes for anything.
_PATIENCE = 30.0


class Topic:
    """A topic of images for pictures, of poses for numbers (the smallest message with 64 bits), of text for bytes."""

    def __init__(self, name: str) -> None:
        self._name = name.replace("-", "_")

    def sender(self) -> Callable[[bytes], object]:
        """As text, for bytes are refused; waits until there is room."""
        topic = horus.Topic(self._name)
        return lambda message: topic.send_blocking(message.decode(), _PATIENCE)

    def receiver(self) -> Callable[[], bytes]:
        """Polled."""
        topic = horus.Topic(self._name)

        def receive() -> bytes:
            while (message := topic.recv()) is None:
                pass
            text: str = message
            return text.encode()

        return receive

    def writer(self) -> Callable[[Picture], object]:
        """Copied into an image in shared memory."""
        topic = horus.Topic(horus.Image, endpoint=self._name)
        return lambda picture: topic.send(horus.Image.from_numpy(picture))

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Looked at where it lies."""
        topic = horus.Topic(horus.Image, endpoint=self._name)

        def read(look: Callable[[Picture], float]) -> float:
            while (image := topic.recv()) is None:
                pass
            return look(image.to_numpy())

        return read

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One topic for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        there = horus.Topic(horus.Pose2D, endpoint=f"{self._name}_{to}")
        here = horus.Topic(horus.Pose2D, endpoint=f"{self._name}_{at}")

        def send(number: int) -> None:
            there.send(horus.Pose2D(float(number), 0.0, 0.0))

        def receive() -> int:
            while (pose := here.recv()) is None:
                pass
            return int(pose.x)

        return send, receive


class Import:
    """All of it."""

    statement = "import horus"

    def __init__(self, name: str) -> None:
        """Nothing is shared: the name is of no use."""
