"""global_buffer: a ring of arrays of one shape in shared memory; its reader sleeps between two looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import global_buffer
import numpy as np
import numpy.typing as npt

from ..scenarios import BATCH, SHAPE, Picture


class Ring:
    """A writer and a reader of a buffer."""

    def __init__(self, name: str) -> None:
        self._name = name

    def close(self) -> None:
        """Removes the buffer, which lasts until somebody does."""
        global_buffer.unlink(self._name)

    def writer(self) -> Callable[[Picture], object]:
        """Copied into the next place."""
        write: Callable[[Picture], object] = self._create(SHAPE, "uint8", 4).write
        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Copied out into memory that is used again."""
        buffer = self._attach()
        picture = np.empty(SHAPE, "uint8")

        def read(look: Callable[[Picture], float]) -> float:
            buffer.next_into(picture)
            return look(picture)

        return read

    def newest(self) -> Callable[[], object]:
        """A copy, each time."""
        self._writer = self._create(SHAPE, "uint8", 4)
        self._writer.write(np.zeros(SHAPE, "uint8"))
        newest: Callable[[], object] = self._attach().latest
        return newest

    def appender(self) -> Callable[[int], object]:
        """One array of one number."""
        buffer = self._create((1,), "uint64", 64 * BATCH)
        number_array = np.empty(1, "uint64")

        def append(number: int) -> None:
            number_array[0] = number
            buffer.write(number_array)

        return append

    def taker(self) -> Callable[[], npt.NDArray[np.uint64]]:
        """All that are there, up to so many."""
        buffer = self._attach()
        records = np.empty((BATCH, 1), "uint64")

        def take() -> npt.NDArray[np.uint64]:
            return records[: buffer.next_batch_into(records), 0]

        return take

    def _create(self, shape: tuple[int, ...], dtype: str, capacity: int) -> Any:
        return global_buffer.create(self._name, global_buffer.ArraySpec(dtype=dtype, shape=shape), capacity)

    def _attach(self) -> Any:
        while True:
            try:
                return global_buffer.attach(self._name)
            except (global_buffer.BufferNotFound, ValueError, global_buffer.SchemaMismatch):
                # Not made yet, or being made: it has a name before it has a size and a header.
                time.sleep(0.001)
