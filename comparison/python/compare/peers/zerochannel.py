"""zerochannel: a ring of entries of one size in shared memory, polled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zerochannel

from ..scenarios import BATCH, SHAPE, Picture

_SIZE = int(np.prod(SHAPE))


class Ring:
    """A writer and a reader of a ring."""

    def __init__(self, name: str) -> None:
        self._name = f"/{name}"

    def close(self) -> None:
        """Removes what a killed writer leaves."""
        for ring in (self._name, f"{self._name}.left", f"{self._name}.right"):
            Path(f"/dev/shm{ring}").unlink(missing_ok=True)

    def writer(self) -> Callable[[Picture], object]:
        """Copied into the next entry, where it lies: `write` takes bytes only, which would be another copy."""
        ring = zerochannel.BytesWriter(self._name, entry_length=_SIZE, entry_count=4)

        def write(picture: Picture) -> None:
            with ring.try_acquire() as entry:
                np.copyto(np.asarray(entry.payload), picture.reshape(-1))

        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Looked at where it lies, which one reader may."""
        ring = zerochannel.BytesReader(self._name, enable_zero_copy=True)

        def read(look: Callable[[Picture], float]) -> float:
            while (entry := ring.try_acquire()) is None:
                pass
            with entry:
                picture = np.asarray(entry.payload).reshape(SHAPE)
                looked = look(picture)
                del picture
                return looked

        return read

    def left(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """One ring for each direction."""
        return self._side("right", "left")

    def right(self) -> tuple[Callable[[int], object], Callable[[], int]]:
        """The other way round."""
        return self._side("left", "right")

    def _side(self, to: str, at: str) -> tuple[Callable[[int], object], Callable[[], int]]:
        there = zerochannel.BytesWriter(f"{self._name}.{to}", entry_length=8, entry_count=64)
        here = zerochannel.BytesReader(f"{self._name}.{at}")

        def send(number: int) -> None:
            there.write(number.to_bytes(8, "little"))

        def receive() -> int:
            while (entry := here.read()) is None:
                pass
            return int.from_bytes(entry[1], "little")

        return send, receive

    def appender(self) -> Callable[[int], object]:
        """One entry."""
        ring = zerochannel.BytesWriter(self._name, entry_length=8, entry_count=64 * BATCH)

        def append(number: int) -> None:
            ring.write(number.to_bytes(8, "little"))

        return append

    def taker(self) -> Callable[[], npt.NDArray[np.uint64]]:
        """One entry; there are no batches."""
        ring = zerochannel.BytesReader(self._name)

        def take() -> npt.NDArray[np.uint64]:
            while (entry := ring.read()) is None:
                pass
            return np.frombuffer(entry[1], "uint64")

        return take
